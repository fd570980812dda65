// SPDX-License-Identifier: GPL-2.0

//! TCP-MD5 (RFC 2385) by `setsockopt(TCP_MD5SIG_EXT)`, of which neither libc nor nix has the structure.

use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::ensure;
use nix::libc;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use socket2::Socket;

/// include/uapi/linux/tcp.h.
const TCP_MD5SIG_EXT: libc::c_int = 32;
/// `TCP_MD5SIG_MAXKEYLEN`.
const MAXIMUM: usize = 80;
/// The size of `struct sockaddr_storage`, which `struct tcp_md5sig` begins with.
const ADDRESS: usize = 128;
/// `struct tcp_md5sig` (include/uapi/linux/tcp.h): the address, flags, prefix length, key length,
/// interface, key.
const SIZE: usize = ADDRESS + 8 + MAXIMUM;
/// `TCP_MD5SIG_FLAG_PREFIX`: the prefix length counts.
const FLAG_PREFIX: u8 = 1;

#[derive(Clone, Copy)]
struct TcpMd5SigExt;

nix::setsockopt_impl!(
    TcpMd5SigExt,
    libc::IPPROTO_TCP,
    TCP_MD5SIG_EXT,
    [u8; SIZE],
    SetStruct<[u8; SIZE]>
);

/// A key, for every address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Md5Key(Vec<u8>);

impl FromStr for Md5Key {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ensure!(
            (1..=MAXIMUM).contains(&text.len()),
            "a key has 1 to {MAXIMUM} octets"
        );
        Ok(Self(text.as_bytes().to_vec()))
    }
}

impl Md5Key {
    /// Gives it to a socket of the family of `address`; one of IPv6 gets it for v4-mapped peers, too.
    ///
    /// # Errors
    ///
    /// Whatever the kernel refuses.
    pub fn set(&self, socket: &Socket, address: SocketAddr) -> nix::Result<()> {
        if address.is_ipv4() {
            return setsockopt(socket, TcpMd5SigExt, &self.structure(libc::AF_INET, &[]));
        }
        // ::ffff:0.0.0.0/0 and ::/0, after the port and the flow label (struct sockaddr_in6).
        let mut mapped = [0; 4 + 16];
        mapped[4 + 10..4 + 12].fill(0xff);
        setsockopt(
            socket,
            TcpMd5SigExt,
            &self.structure(libc::AF_INET6, &mapped),
        )?;
        setsockopt(socket, TcpMd5SigExt, &self.structure(libc::AF_INET6, &[]))
    }

    /// With a prefix of length 0; `rest` is what follows the port in the socket address.
    fn structure(&self, family: libc::c_int, rest: &[u8]) -> [u8; SIZE] {
        let mut structure = [0; SIZE];
        // Families are below 256.
        structure[..2].copy_from_slice(&(family as u16).to_ne_bytes());
        structure[4..4 + rest.len()].copy_from_slice(rest);
        structure[ADDRESS] = FLAG_PREFIX;
        // At most MAXIMUM.
        structure[ADDRESS + 2..ADDRESS + 4].copy_from_slice(&(self.0.len() as u16).to_ne_bytes());
        structure[ADDRESS + 8..ADDRESS + 8 + self.0.len()].copy_from_slice(&self.0);
        structure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_lengths() {
        assert!("".parse::<Md5Key>().is_err());
        assert!("k".repeat(MAXIMUM).parse::<Md5Key>().is_ok());
        assert!("k".repeat(MAXIMUM + 1).parse::<Md5Key>().is_err());
    }

    #[test]
    fn as_the_kernel_reads_it() {
        let structure = "ab"
            .parse::<Md5Key>()
            .unwrap()
            .structure(libc::AF_INET, &[]);
        assert_eq!(SIZE, 216);
        assert_eq!(structure[..2], (libc::AF_INET as u16).to_ne_bytes());
        assert_eq!(structure[128..132], [[1, 0], 2u16.to_ne_bytes()].concat());
        assert_eq!(structure[136..139], *b"ab\0");
    }
}
