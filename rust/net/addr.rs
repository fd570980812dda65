// SPDX-License-Identifier: GPL-2.0

//! Addresses between Rust's types and the kernel's, and whether an address is this host's.
//!
//! C headers: [`include/linux/inetdevice.h`](srctree/include/linux/inetdevice.h),
//! [`include/net/addrconf.h`](srctree/include/net/addrconf.h)

use crate::bindings;
use crate::net::namespace::NetRef;
use core::net::{
    IpAddr,
    Ipv4Addr,
    Ipv6Addr, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// The state of an address in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No interface has it, or IPv6 has not yet found it to be unique.
    Absent,
    /// An interface has it that is down.
    Down,
    /// An interface has it that is up, but without carrier.
    NoCarrier,
    /// An interface has it that is up and running.
    Usable,
}

/// Network byte order in memory, as a `__be32` wants it.
pub(super) fn to_be32(address: Ipv4Addr) -> u32 {
    u32::from_ne_bytes(address.octets())
}

/// The address in a `__be32`.
pub(super) fn from_be32(address: u32) -> Ipv4Addr {
    Ipv4Addr::from(address.to_ne_bytes())
}

/// As a `struct in6_addr`.
pub(super) fn to_in6(address: Ipv6Addr) -> bindings::in6_addr {
    let mut out = bindings::in6_addr::default();
    out.in6_u.u6_addr8 = address.octets();
    out
}

/// As a `struct in6_addr`, an IPv4 address mapped (RFC 4291, section 2.5.5.2).
pub(super) fn to_mapped(address: IpAddr) -> bindings::in6_addr {
    match address {
        IpAddr::V4(v4) => to_in6(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => to_in6(v6),
    }
}

/// The address in a `struct in6_addr`; one that maps an IPv4 address (RFC 4291, section 2.5.5.2)
/// gives that.
pub(super) fn from_in6(address: &bindings::in6_addr) -> IpAddr {
    // SAFETY: All members of the union are 16 octets in which every value is valid.
    let octets = unsafe { address.in6_u.u6_addr8 };
    IpAddr::V6(Ipv6Addr::from(octets)).to_canonical()
}

impl NetRef<'_> {
    /// Whether and how this host has `address`.
    ///
    /// # Context
    ///
    /// Any; takes the RCU read lock.
    pub fn standing(&self, address: IpAddr) -> Standing {
        let _rcu = kernel::sync::rcu::read_lock();
        let Some(device) = self.device_of(address) else {
            return Standing::Absent;
        };
        // SAFETY: `device` is alive under the RCU read lock; `netif_running()` and
        // `netif_carrier_ok()` test bits of it.
        if !unsafe { bindings::tcpc_netif_is_up(device.as_ptr()) } {
            return Standing::Down;
        }
        // SAFETY: As above.
        if unsafe { bindings::tcpc_netif_carrier_ok(device.as_ptr()) } {
            Standing::Usable
        } else {
            Standing::NoCarrier
        }
    }

    /// Whether the interface with index `device` has `address`, or one that is enslaved to it.
    ///
    /// # Context
    ///
    /// Any; takes the RCU read lock.
    pub fn is_address_of(&self, address: IpAddr, device: i32) -> bool {
        let _rcu = kernel::sync::rcu::read_lock();
        self.device_of(address).is_some_and(|found| {
            // SAFETY: `found` is alive under the RCU read lock; the helper compares its index and
            // that of its L3 master device.
            unsafe { bindings::tcpc_netdev_is(found.as_ptr(), device) }
        })
    }

    /// Whether others on the link can find `address`, which this host has, by neighbour discovery.
    /// One without duplicate address detection is a source before it is that: what is sent from it
    /// would be answered a second later, when its neighbours ask again.
    ///
    /// # Context
    ///
    /// Any; takes the RCU read lock.
    pub fn is_discoverable(&self, address: IpAddr) -> bool {
        let IpAddr::V6(v6) = address else {
            return true;
        };
        let _rcu = kernel::sync::rcu::read_lock();
        self.device_of(address).is_some_and(|found| {
            // SAFETY: `found` is alive under the RCU read lock, under which the helper walks its
            // multicast groups.
            unsafe { bindings::tcpc_ipv6_is_joined(found.as_ptr(), &to_in6(v6)) }
        })
    }

    /// The device that has `address`. The caller holds the RCU read lock, and uses it only so long.
    fn device_of(&self, address: IpAddr) -> Option<NonNull<bindings::net_device>> {
        let net = self.as_ptr().as_ptr();
        let device = match address {
            // SAFETY: `__ip_dev_find()` (net/ipv4/devinet.c) wants the RCU read lock when it is to
            // take no reference (`devref` false): held.
            IpAddr::V4(v4) => unsafe { bindings::__ip_dev_find(net, to_be32(v4), false) },
            // SAFETY: The helper asks `ipv6_chk_addr()` (net/ipv6/addrconf.c) of each device, under
            // the RCU read lock, which is held. Asked of none in particular, it does not see the
            // addresses inside of VRFs.
            IpAddr::V6(v6) => unsafe { bindings::tcpc_ipv6_dev_find(net, &to_in6(v6)) },
        };
        NonNull::new(device)
    }

    /// Whether `address` is one that another host can have: a unicast address that no interface
    /// here has, and that is no broadcast address of a network this host is in.
    ///
    /// # Context
    ///
    /// Any; takes the RCU read lock.
    pub fn is_foreign_unicast(&self, address: IpAddr) -> bool {
        let net = self.as_ptr().as_ptr();
        match address {
            // SAFETY: `inet_addr_type()` (net/ipv4/fib_frontend.c) takes the RCU read lock itself.
            IpAddr::V4(v4) => unsafe {
                bindings::inet_addr_type(net, to_be32(v4)) == bindings::RTN_UNICAST
            },
            IpAddr::V6(v6) => {
                let v6 = to_in6(v6);
                // SAFETY: `ipv6_chk_addr()` takes the RCU read lock itself; a null device means any.
                unsafe { bindings::ipv6_chk_addr(net, &v6, ptr::null(), 0) == 0 }
            }
        }
    }
}
