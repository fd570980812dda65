// SPDX-License-Identifier: GPL-2.0

//! The source address the kernel would choose now.
//!
//! C headers: [`include/net/route.h`](srctree/include/net/route.h),
//! [`include/net/ip6_route.h`](srctree/include/net/ip6_route.h)

use crate::bindings;
use crate::net::addr;
use crate::net::sock::Locked;
use core::net::IpAddr;
use core::ptr;

impl Locked<'_> {
    /// The local address that a connection to this socket's peer would get if it were opened now:
    /// routing with the socket's mark, bound device, type of service and user. `None` if there is
    /// no route, or none that reaches the peer with an address of this host.
    ///
    /// The socket is not changed.
    pub fn select_source(&self) -> Option<IpAddr> {
        let source = match self.tuple().remote {
            IpAddr::V4(_) => self.select_v4()?,
            IpAddr::V6(_) => self.select_v6()?,
        };
        let unusable = source.is_unspecified() || source.is_loopback() || source.is_multicast();
        (!unusable && self.reaches_from(source)).then_some(source)
    }

    /// Whether a socket that is bound to a device has `address` there.
    ///
    /// Without a route IPv4 takes the peer of such a socket to be on its link, and any address of
    /// the host for the source. Nothing ever comes back to that.
    fn reaches_from(&self, address: IpAddr) -> bool {
        // SAFETY: The helper reads a field of the socket.
        let bound = unsafe { bindings::tcpc_sk_bound_dev_if(self.as_ptr()) };
        bound == 0 || self.net().is_address_of(address, bound)
    }

    /// As [`Locked::select_source`], for IPv4 and mapped sockets.
    fn select_v4(&self) -> Option<IpAddr> {
        let sk = self.as_ptr();
        let mut flow = bindings::flowi4::default();
        // SAFETY: `inet_sk_init_flowi4()` (include/net/route.h) reads a socket that its caller has
        // locked, and fills the flow.
        unsafe { bindings::tcpc_inet_sk_init_flowi4(sk, &mut flow) };
        flow.saddr = 0;
        // SAFETY: `ip_route_output_flow()` (net/ipv4/route.c) looks a route up for the flow, with
        // the socket for its xfrm policy; the result holds a reference or is an error pointer.
        let route =
            unsafe { bindings::ip_route_output_flow(self.net().as_ptr().as_ptr(), &mut flow, sk) };
        // SAFETY: It is `&rt->dst` of what `ip_route_output_flow()` returned, or the error.
        let usable = unsafe { self.release_route(route.cast()) };
        usable.then(|| IpAddr::V4(addr::from_be32(flow.saddr)))
    }

    /// As [`Locked::select_source`], for IPv6 sockets.
    fn select_v6(&self) -> Option<IpAddr> {
        let sk = self.as_ptr();
        let mut flow = bindings::flowi6::default();
        // SAFETY: The helper fills the flow as `inet6_csk_route_socket()`
        // (net/ipv6/inet6_connection_sock.c) does, from a socket that its caller has locked.
        unsafe { bindings::tcpc_inet6_sk_init_flowi6(sk, &mut flow) };
        let net = self.net();
        // SAFETY: `ip6_dst_lookup_flow()` (net/ipv6/ip6_output.c): null is "no routing header",
        // which `movable()` made sure of; the result holds a reference or is an error pointer.
        let route = unsafe {
            bindings::ip6_dst_lookup_flow(net.as_ptr().as_ptr(), sk, &mut flow, ptr::null())
        };
        // SAFETY: It is what `ip6_dst_lookup_flow()` returned.
        if !unsafe { self.release_route(route) } {
            return None;
        }
        // IPv6 routes from addresses whose uniqueness is not known yet.
        let source = addr::from_in6(&flow.saddr);
        matches!(source, IpAddr::V6(v6) if !v6.is_unicast_link_local() || self.is_link_local())
            .then_some(source)
            .filter(|source| net.standing(*source) != addr::Standing::Absent)
    }

    /// Whether the peer's address is a link-local one.
    fn is_link_local(&self) -> bool {
        matches!(self.tuple().remote, IpAddr::V6(v6) if v6.is_unicast_link_local())
    }

    /// Gives the result of a route look-up back. Whether segments would leave by it.
    ///
    /// # Safety
    ///
    /// `route` is an error pointer, or the caller owns a reference of it.
    unsafe fn release_route(&self, route: *mut bindings::dst_entry) -> bool {
        // SAFETY: `IS_ERR()` looks at the pointer's value only.
        if unsafe { bindings::tcpc_is_err(route.cast()) } {
            return false;
        }
        // SAFETY: Not an error, so a valid destination entry, with its device.
        let leaves = unsafe { bindings::tcpc_dst_is_usable(route) };
        // SAFETY: The reference is the caller's, given up here.
        unsafe { bindings::dst_release(route) };
        leaves
    }
}
