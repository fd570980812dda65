// SPDX-License-Identifier: GPL-2.0

//! Addresses and routes of this namespace, changed without starting a program for it.

use std::io;
use std::net::IpAddr;
use std::str::FromStr;

use anyhow::bail;
use anyhow::ensure;
use anyhow::Context;
use anyhow::Result;
use netlink_packet_core::NetlinkHeader;
use netlink_packet_core::NetlinkMessage;
use netlink_packet_core::NetlinkPayload;
use netlink_packet_core::NLM_F_ACK;
use netlink_packet_core::NLM_F_CREATE;
use netlink_packet_core::NLM_F_EXCL;
use netlink_packet_core::NLM_F_REQUEST;
use netlink_packet_route::address::AddressAttribute;
use netlink_packet_route::address::AddressHeaderFlags;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::address::AddressScope;
use netlink_packet_route::route::RouteAttribute;
use netlink_packet_route::route::RouteHeader;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::route::RouteScope;
use netlink_packet_route::route::RouteType;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::Socket;
use netlink_sys::SocketAddr;

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixed {
    /// The address.
    pub address: IpAddr,
    prefix: u8,
}

impl FromStr for Prefixed {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (address, prefix) = text.split_once('/').context("no /PREFIX")?;
        let (address, prefix): (IpAddr, u8) = (address.parse()?, prefix.parse()?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        ensure!(prefix <= most, "a prefix of {prefix}");
        Ok(Self { address, prefix })
    }
}

/// A change to be made.
pub struct Request {
    message: RouteNetlinkMessage,
    flags: u16,
}

impl Request {
    /// Gives an interface an address. IPv6: at once, without looking for a duplicate.
    pub fn add_address(index: u32, local: Prefixed) -> Self {
        Self {
            message: RouteNetlinkMessage::NewAddress(address_message(index, local)),
            flags: NLM_F_CREATE | NLM_F_EXCL,
        }
    }

    /// Takes an address away from an interface.
    pub fn delete_address(index: u32, local: Prefixed) -> Self {
        Self {
            message: RouteNetlinkMessage::DelAddress(address_message(index, local)),
            flags: 0,
        }
    }

    /// Puts the default route in.
    pub fn add_default_route(index: u32, gateway: IpAddr) -> Self {
        Self {
            message: RouteNetlinkMessage::NewRoute(default_route(index, gateway)),
            flags: NLM_F_CREATE | NLM_F_EXCL,
        }
    }

    /// Takes the default route out.
    pub fn delete_default_route(index: u32, gateway: IpAddr) -> Self {
        Self {
            message: RouteNetlinkMessage::DelRoute(default_route(index, gateway)),
            flags: 0,
        }
    }
}

fn family_of(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

fn address_message(index: u32, local: Prefixed) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family_of(local.address);
    message.header.prefix_len = local.prefix;
    message.header.scope = AddressScope::Universe;
    message.header.index = index;
    if local.address.is_ipv6() {
        message.header.flags = AddressHeaderFlags::Nodad;
    }
    message.attributes = vec![
        AddressAttribute::Local(local.address),
        AddressAttribute::Address(local.address),
    ];
    message
}

fn default_route(index: u32, gateway: IpAddr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header = RouteHeader {
        address_family: family_of(gateway),
        table: RouteHeader::RT_TABLE_MAIN,
        protocol: RouteProtocol::Boot,
        scope: RouteScope::Universe,
        kind: RouteType::Unicast,
        ..RouteHeader::default()
    };
    message.attributes = vec![
        RouteAttribute::Gateway(gateway.into()),
        RouteAttribute::Oif(index),
    ];
    message
}

/// A socket to the kernel's routing tables.
pub struct Rtnetlink(Socket);

impl Rtnetlink {
    /// Opens one, of the namespace the process is in.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn open() -> Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self(socket))
    }

    /// Makes a change: it is in force when this returns.
    ///
    /// # Errors
    ///
    /// The kernel refuses it.
    pub fn make(&self, request: Request) -> Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_ACK | request.flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request.message));
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        self.0.send(&octets, 0)?;
        let (answer, _) = self.0.recv_from_full()?;
        match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer)?.payload {
            NetlinkPayload::Error(error) => match error.code {
                None => Ok(()),
                Some(code) => Err(io::Error::from_raw_os_error(code.get().abs()).into()),
            },
            other => bail!("no acknowledgement: {other:?}"),
        }
    }
}

/// `RTNLGRP_IPV4_IFADDR` and `RTNLGRP_IPV6_IFADDR` of <linux/rtnetlink.h>.
const ADDRESS_GROUPS: [u32; 2] = [5, 9];

/// A socket to which the kernel tells of addresses.
pub struct Announcements(Socket);

impl Announcements {
    /// Opens one: it hears of everything from now on.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn open() -> Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        for group in ADDRESS_GROUPS {
            socket.add_membership(group)?;
        }
        Ok(Self(socket))
    }

    /// Waits until an address is valid. An IPv6 one is not yet when the call that added it has come
    /// back: a worker of the kernel joins its group of neighbour discovery, puts its route in,
    /// and then tells of it (`addrconf_dad_completed()`, net/ipv6/addrconf.c).
    ///
    /// # Errors
    ///
    /// Netlink fails.
    pub fn wait_for(&self, address: IpAddr) -> Result<()> {
        loop {
            let (octets, _) = self.0.recv_from_full()?;
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&octets)?;
            if let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewAddress(message)) =
                message.payload
            {
                let is_it = |attribute: &AddressAttribute| {
                    matches!(attribute, AddressAttribute::Local(it) | AddressAttribute::Address(it)
                        if *it == address)
                };
                if message.attributes.iter().any(is_it) {
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_their_prefixes() {
        let local: Prefixed = "10.0.1.9/24".parse().unwrap();
        assert_eq!(local.address, IpAddr::from([10, 0, 1, 9]));
        assert_eq!(local.prefix, 24);
        assert!("fd00:1::9/64".parse::<Prefixed>().is_ok());
        for wrong in ["10.0.1.9", "10.0.1.9/33", "fd00::/129", "x/24", "10.0.1.9/"] {
            assert!(wrong.parse::<Prefixed>().is_err(), "{wrong}");
        }
    }
}
