// SPDX-License-Identifier: GPL-2.0

//! Addresses that an end of a connection can have.

use crate::proto::happening::Reject;
use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::Ipv6Addr;

/// An address and a port: one end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The port, in host byte order.
    pub port: u16,
}

/// Whether `address` can be that of a host elsewhere: unicast, and not a loopback address.
///
/// # Errors
///
/// [`Reject::NewAddressInvalid`].
pub fn peer_address(address: IpAddr) -> Result<(), Reject> {
    if is_unicast(address) {
        Ok(())
    } else {
        Err(Reject::NewAddressInvalid)
    }
}

/// Whether `address` is a unicast address that hosts use among each other.
pub fn is_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_unicast_v4(v4),
        IpAddr::V6(v6) => is_unicast_v6(v6),
    }
}

/// IPv4: not "this network", loopback, multicast or reserved (RFC 6890).
fn is_unicast_v4(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    !matches!(first, 0 | 127 | 224..=255)
}

/// IPv6: not unspecified, loopback, multicast, or an IPv4 address in disguise (RFC 4291).
fn is_unicast_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, ..] = address.segments();
    let embeds_v4 = (a, b, c, d, e) == (0, 0, 0, 0, 0) && matches!(f, 0 | 0xffff);
    !embeds_v4 && !address.is_multicast()
}
