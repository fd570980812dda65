// SPDX-License-Identifier: GPL-2.0

//! When addresses, routes and links of this namespace change, as rtnetlink tells it.
//!
//! A shell cannot take the time of `ip address add`: starting `ip` costs more than what is to be
//! measured. The kernel's own announcement is prompt and on the same clock as the arrivals.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use nix::sys::socket::bind;
use nix::sys::socket::recv;
use nix::sys::socket::socket;
use nix::sys::socket::AddressFamily;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::NetlinkAddr;
use nix::sys::socket::SockFlag;
use nix::sys::socket::SockProtocol;
use nix::sys::socket::SockType;

use crate::out;

use super::log::now_us;
use super::log::Log;

/// Groups of <linux/rtnetlink.h>: links, IPv4 and IPv6 addresses and routes.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

/// Arguments of `watch`.
#[derive(Args)]
pub struct Watch {
    /// Where to note the events; stdout without it.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

impl Watch {
    /// Notes events until killed; says `watching` when it has begun.
    ///
    /// # Errors
    ///
    /// Netlink or the log refuses.
    pub fn run(&self) -> Result<()> {
        let netlink = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        bind(netlink.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
        let mut log = Log::create(self.log.as_deref())?;
        out::line(format_args!("watching"));
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            let time = now_us();
            for (word, text) in events(&buffer[..count]) {
                if self.log.is_none() {
                    out::line(format_args!("{word} {time} {text}"));
                }
                log.event(word, time, &text)?;
            }
            log.flush()?;
        }
    }
}

/// A native-endian number of four octets.
fn number(octets: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(octets.get(..4)?.try_into().ok()?))
}

fn short(octets: &[u8]) -> Option<u16> {
    Some(u16::from_ne_bytes(octets.get(..2)?.try_into().ok()?))
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).into()),
        _ => None,
    }
}

/// The messages of one datagram that mean something to us, `(word, text)`.
fn events(mut datagram: &[u8]) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = (number(datagram), datagram.get(4..).and_then(short)) {
        let length = length as usize;
        let Some(body) = datagram.get(16..length) else {
            break;
        };
        found.extend(match kind {
            16 => link(body).map(|text| ("newlink", text)),
            17 => link(body).map(|text| ("dellink", text)),
            20 => local_address(body).map(|text| ("newaddr", text)),
            21 => local_address(body).map(|text| ("deladdr", text)),
            24 => route(body).map(|text| ("newroute", text)),
            25 => route(body).map(|text| ("delroute", text)),
            _ => None,
        });
        datagram = datagram
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
    }
    found
}

/// The value of the attribute `wanted`.
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(short(attributes)?);
        let kind = short(attributes.get(2..)?)?;
        let value = attributes.get(4..length)?;
        if kind & 0x3fff == wanted {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

/// `struct ifinfomsg`: IFF_UP is bit 0, IFF_LOWER_UP bit 16.
fn link(body: &[u8]) -> Option<String> {
    let (index, flags) = (number(body.get(4..)?)?, number(body.get(8..)?)?);
    let name = attribute(body.get(16..)?, 3).unwrap_or_default();
    let name = String::from_utf8_lossy(name);
    let (up, carrier) = (flags & 1, (flags >> 16) & 1);
    Some(format!(
        "{} index={index} up={up} carrier={carrier}",
        name.trim_end_matches('\0')
    ))
}

/// `struct ifaddrmsg`: IFA_LOCAL, or IFA_ADDRESS for IPv6; IFA_F_TENTATIVE is 0x40.
fn local_address(body: &[u8]) -> Option<String> {
    let (prefix, index) = (body.get(1)?, number(body.get(4..)?)?);
    let attributes = body.get(8..)?;
    let value = attribute(attributes, 2).or_else(|| attribute(attributes, 1))?;
    let flags = attribute(attributes, 8)
        .and_then(number)
        .unwrap_or_default();
    let tentative = if flags & 0x40 != 0 { " tentative" } else { "" };
    Some(format!(
        "{}/{prefix} index={index}{tentative}",
        address(value)?
    ))
}

/// `struct rtmsg`: RTA_DST, RTA_OIF, RTA_GATEWAY.
fn route(body: &[u8]) -> Option<String> {
    let (length, table) = (body.get(1)?, body.get(4)?);
    let attributes = body.get(12..)?;
    let destination = match attribute(attributes, 1).and_then(address) {
        Some(address) => format!("{address}/{length}"),
        None => "default".into(),
    };
    let gateway = match attribute(attributes, 5).and_then(address) {
        Some(address) => format!(" via {address}"),
        None => String::new(),
    };
    let index = attribute(attributes, 4)
        .and_then(number)
        .unwrap_or_default();
    Some(format!(
        "{destination}{gateway} index={index} table={table}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(16 + body.len()).unwrap();
        let mut octets = length.to_ne_bytes().to_vec();
        octets.extend_from_slice(&kind.to_ne_bytes());
        octets.extend_from_slice(&[0; 10]);
        octets.extend_from_slice(body);
        octets
    }

    #[test]
    fn an_address_and_a_route() {
        let mut body = vec![2, 24, 0, 0];
        body.extend_from_slice(&3u32.to_ne_bytes());
        body.extend_from_slice(&8u16.to_ne_bytes());
        body.extend_from_slice(&2u16.to_ne_bytes());
        body.extend_from_slice(&[10, 0, 1, 9]);
        let mut datagram = message(20, &body);
        let mut body = vec![2, 0, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0];
        body.extend_from_slice(&8u16.to_ne_bytes());
        body.extend_from_slice(&5u16.to_ne_bytes());
        body.extend_from_slice(&[10, 0, 1, 254]);
        datagram.extend_from_slice(&message(24, &body));
        let expected = [
            ("newaddr", "10.0.1.9/24 index=3".to_owned()),
            (
                "newroute",
                "default via 10.0.1.254 index=0 table=254".to_owned(),
            ),
        ];
        assert_eq!(events(&datagram), expected);
    }

    #[test]
    fn truncated_messages_are_passed_over() {
        let whole = message(20, &[2, 24, 0, 0, 1, 0, 0, 0, 8, 0, 2, 0, 10, 0, 1, 9]);
        for length in 0..whole.len() {
            assert!(events(&whole[..length]).is_empty(), "{length}");
        }
        let mut endless = whole;
        endless[..4].copy_from_slice(&[0; 4]);
        assert!(events(&endless).is_empty());
    }
}
