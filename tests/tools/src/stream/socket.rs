// SPDX-License-Identifier: GPL-2.0

//! Sockets with the options a test may ask for.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::bail;
use anyhow::Context;
use anyhow::Result;
use clap::Args;
use nix::errno::Errno;
use nix::sys::socket::getsockopt;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::TcpFastOpenConnect;
use socket2::Domain;
use socket2::Protocol;
use socket2::SockRef;
use socket2::Socket;
use socket2::TcpKeepalive;
use socket2::Type;

use super::md5::Md5Key;

/// Socket options of either end.
#[derive(Args, Clone, Debug, Default)]
pub struct SocketOptions {
    /// TCP_USER_TIMEOUT in milliseconds.
    #[arg(long, value_name = "MS")]
    pub user_timeout: Option<u64>,
    /// SO_KEEPALIVE: seconds until the first probe, between probes, and probes until giving up.
    #[arg(long, value_name = "IDLE,INTERVAL,COUNT")]
    pub keepalive: Option<String>,
    /// SO_BINDTODEVICE.
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// SO_MARK.
    #[arg(long, value_name = "NUMBER")]
    pub mark: Option<u32>,
    /// TCP_NODELAY.
    #[arg(long)]
    pub nodelay: bool,
    /// IPV6_V6ONLY=1; without it an IPv6 socket takes v4-mapped addresses too.
    #[arg(long)]
    pub v6only: bool,
    /// TCP_FASTOPEN_CONNECT: the first data goes with the SYN, where the namespace lets it
    /// (net.ipv4.tcp_fastopen).
    #[arg(long)]
    pub fast_open: bool,
    /// SO_SNDBUF in octets.
    #[arg(long, value_name = "OCTETS")]
    pub send_buffer: Option<usize>,
    /// SO_RCVBUF in octets.
    #[arg(long, value_name = "OCTETS")]
    pub receive_buffer: Option<usize>,
    /// TCP_MD5SIG_EXT: a key for whatever peer.
    #[arg(long, value_name = "KEY")]
    pub md5: Option<Md5Key>,
    /// IPPROTO_MPTCP: Multipath TCP, if the other end has it too.
    #[arg(long)]
    pub mptcp: bool,
}

impl SocketOptions {
    fn socket(&self, address: SocketAddr) -> Result<Socket> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(if self.mptcp {
                Protocol::MPTCP
            } else {
                Protocol::TCP
            }),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(self.v6only)?;
        }
        if let Some(milliseconds) = self.user_timeout {
            socket.set_tcp_user_timeout(Some(Duration::from_millis(milliseconds)))?;
        }
        if let Some(words) = &self.keepalive {
            socket.set_tcp_keepalive(&keepalive(words)?)?;
        }
        if let Some(device) = &self.device {
            socket
                .bind_device(Some(device.as_bytes()))
                .context("SO_BINDTODEVICE")?;
        }
        if let Some(mark) = self.mark {
            socket.set_mark(mark).context("SO_MARK")?;
        }
        if let Some(octets) = self.send_buffer {
            socket.set_send_buffer_size(octets)?;
        }
        if let Some(octets) = self.receive_buffer {
            socket.set_recv_buffer_size(octets)?;
        }
        if self.fast_open {
            setsockopt(&socket, TcpFastOpenConnect, &true).context("TCP_FASTOPEN_CONNECT")?;
        }
        if let Some(key) = &self.md5 {
            key.set(&socket, address).context("TCP_MD5SIG_EXT")?;
        }
        socket.set_tcp_nodelay(self.nodelay)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    /// A listening socket; accepted sockets inherit the options.
    ///
    /// # Errors
    ///
    /// Whatever the kernel refuses.
    pub fn listen(&self, address: SocketAddr) -> Result<TcpListener> {
        let socket = self.socket(address)?;
        socket.set_reuse_address(true)?;
        socket
            .bind(&address.into())
            .with_context(|| format!("bind {address}"))?;
        socket.listen(4096)?;
        Ok(socket.into())
    }

    /// A socket that is connecting to `remote`; writable when connected.
    ///
    /// # Errors
    ///
    /// Whatever the kernel refuses at once; later refusals come by SO_ERROR.
    pub fn connect(&self, remote: SocketAddr, local: Option<SocketAddr>) -> Result<TcpStream> {
        let socket = self.socket(remote)?;
        if let Some(local) = local {
            socket.set_reuse_address(true)?;
            socket
                .bind(&local.into())
                .with_context(|| format!("bind {local}"))?;
        }
        match socket.connect(&remote.into()) {
            Ok(()) => Ok(socket.into()),
            Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {
                Ok(socket.into())
            }
            Err(error) => Err(error).with_context(|| format!("connect {remote}")),
        }
    }
}

fn keepalive(words: &str) -> Result<TcpKeepalive> {
    let numbers: Vec<u64> = words.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let [idle, interval, count] = numbers[..] else {
        bail!("--keepalive wants three numbers, IDLE,INTERVAL,COUNT");
    };
    Ok(TcpKeepalive::new()
        .with_time(Duration::from_secs(idle))
        .with_interval(Duration::from_secs(interval))
        .with_retries(u32::try_from(count)?))
}

/// `ADDR` or `ADDR:PORT`, IPv6 as `ADDR` or `[ADDR]:PORT`.
///
/// # Errors
///
/// Anything else.
pub fn parse_bind(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, 0));
    }
    text.parse()
        .map_err(|_| format!("{text}: neither ADDR nor ADDR:PORT"))
}

/// The addresses of a connection as the kernel has them now, `local remote`.
pub fn names(stream: &TcpStream) -> (String, String) {
    let name = |address: std::io::Result<SocketAddr>| match address {
        Ok(address) => address.to_string(),
        // A reset connection has no peer any more.
        Err(_) => "-".into(),
    };
    (name(stream.local_addr()), name(stream.peer_addr()))
}

/// Whether the SYN may be waiting for data to go with it (TCP_FASTOPEN_CONNECT).
pub fn waits_for_data(stream: &TcpStream) -> bool {
    getsockopt(stream, TcpFastOpenConnect).unwrap_or(false)
}

/// Keeps the socket owned by this process until modprobe has been looked for, and refused, a
/// congestion control that does not exist (`do_tcp_setsockopt()` calls `request_module()` with the
/// socket locked).
pub fn own(stream: &TcpStream) {
    // It is meant to fail; what counts is the time it takes.
    SockRef::from(stream)
        .set_tcp_congestion(b"tcpc_none")
        .unwrap_or_default();
}

/// The address for connection `index` of several from `local`: the ports count up.
pub fn nth_local(local: SocketAddr, index: u16) -> SocketAddr {
    let mut local = local;
    if local.port() != 0 {
        local.set_port(local.port().wrapping_add(index));
    }
    local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bind_addresses() {
        assert_eq!(parse_bind("10.0.0.1"), Ok("10.0.0.1:0".parse().unwrap()));
        assert_eq!(parse_bind("10.0.0.1:7"), Ok("10.0.0.1:7".parse().unwrap()));
        assert_eq!(parse_bind("fd00::1"), Ok("[fd00::1]:0".parse().unwrap()));
        assert_eq!(
            parse_bind("[fd00::1]:7"),
            Ok("[fd00::1]:7".parse().unwrap())
        );
        assert!(parse_bind("nonsense").is_err());
    }

    #[test]
    fn local_ports_count_up() {
        let local = "10.0.0.1:40000".parse().unwrap();
        assert_eq!(nth_local(local, 3).port(), 40003);
        assert_eq!(nth_local("10.0.0.1:0".parse().unwrap(), 3).port(), 0);
    }

    #[test]
    fn keepalive_wants_three_numbers() {
        assert!(keepalive("1,2,3").is_ok());
        assert!(keepalive("1,2").is_err());
        assert!(keepalive("a,b,c").is_err());
    }
}
