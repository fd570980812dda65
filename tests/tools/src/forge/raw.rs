// SPDX-License-Identifier: GPL-2.0

//! A socket that sends datagrams under the IP header they have.

use std::io;
use std::io::IoSlice;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

use anyhow::Context;
use anyhow::Result;
use nix::errno::Errno;
use nix::sys::socket::sendmmsg;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::MultiHeaders;
use nix::sys::socket::SockaddrStorage;
use socket2::Domain;
use socket2::Protocol;
use socket2::Socket;
use socket2::Type;

/// IPPROTO_RAW: any protocol, and the IP header is ours (raw(7)).
const RAW: i32 = 255;
/// How long a full queue is given to drain.
const PAUSE: Duration = Duration::from_millis(1);
/// Datagrams in one system call.
pub const BATCH: usize = 64;

/// The socket, for destinations of one family.
pub struct RawSocket(Socket);

impl RawSocket {
    /// For destinations like `to`; out of `device` if one is given.
    ///
    /// # Errors
    ///
    /// There is no CAP_NET_RAW, or no such device.
    pub fn open(to: IpAddr, device: Option<&str>) -> Result<Self> {
        let domain = if to.is_ipv4() {
            Domain::IPV4
        } else {
            Domain::IPV6
        };
        let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(RAW)))
            .context("raw socket (CAP_NET_RAW is needed)")?;
        if let Some(device) = device {
            socket
                .bind_device(Some(device.as_bytes()))
                .context("SO_BINDTODEVICE")?;
        }
        if to.is_ipv4() {
            // A victim may be a subnet's broadcast address, too.
            socket.set_broadcast(true)?;
        }
        Ok(Self(socket))
    }

    /// Sends one, and waits where the device's queue is full.
    ///
    /// # Errors
    ///
    /// The kernel refuses it.
    pub fn send(&self, datagram: &[u8], to: IpAddr) -> io::Result<()> {
        let to = SocketAddr::new(to, 0).into();
        loop {
            match self.0.send_to(datagram, &to) {
                Ok(_) => return Ok(()),
                Err(error) if is_full(&error) => std::thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends many, [`BATCH`] in a system call. Those that the kernel refuses, as it does with a
    /// source that no host has, are left out. How many were sent.
    pub fn send_all(&self, datagrams: &[(Vec<u8>, IpAddr)]) -> usize {
        let mut sent = 0;
        for batch in datagrams.chunks(BATCH) {
            let mut rest = batch;
            while !rest.is_empty() {
                match self.send_some(rest) {
                    Ok(count) => {
                        sent += count;
                        rest = &rest[count..];
                    }
                    Err(error) if is_full(&error) => std::thread::sleep(PAUSE),
                    Err(_) => rest = &rest[1..],
                }
            }
        }
        sent
    }

    /// One system call. How many of them it took.
    fn send_some(&self, datagrams: &[(Vec<u8>, IpAddr)]) -> io::Result<usize> {
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(datagrams.len(), None);
        let parts: Vec<[IoSlice<'_>; 1]> = datagrams
            .iter()
            .map(|(octets, _)| [IoSlice::new(octets)])
            .collect();
        let to: Vec<Option<SockaddrStorage>> = datagrams
            .iter()
            .map(|(_, to)| Some(SocketAddr::new(*to, 0).into()))
            .collect();
        let flags = MsgFlags::empty();
        let results = sendmmsg(self.0.as_raw_fd(), &mut headers, &parts, to, [], flags)?;
        Ok(results.count())
    }
}

/// Whether sending will do in a moment.
fn is_full(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(Errno::ENOBUFS as i32) || code == Some(Errno::EAGAIN as i32)
}
