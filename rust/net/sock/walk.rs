// SPDX-License-Identifier: GPL-2.0

//! Finding sockets in the table of established connections ("ehash").
//!
//! Entries of that table are full sockets, requests and time-wait sockets alike, and may be freed
//! and used again under a reader (`SLAB_TYPESAFE_BY_RCU`): what a reference cannot be had of is
//! gone, and what it can be had of is looked at again.
//!
//! C header: [`include/net/inet_hashtables.h`](srctree/include/net/inet_hashtables.h)

use super::{
    TcpSock,
    Tuple, //
};
use crate::bindings;
use crate::net::addr;
use crate::net::namespace::NetRef;
use crate::net::sync;
use core::net::IpAddr;
use core::ptr::NonNull;
use kernel::alloc::{
    flags::GFP_KERNEL,
    KVec, //
};
use kernel::error::Result;

/// What a 4-tuple belongs to.
pub enum Found {
    /// Nothing.
    Nothing,
    /// A full socket.
    Sock(TcpSock),
    /// A request or time-wait socket: the tuple is taken, but there is no connection to act on.
    Mini,
}

impl NetRef<'_> {
    /// Looks a 4-tuple up. `interfaces` are those of [`SkBuff::interfaces`].
    ///
    /// # Context
    ///
    /// Any but hard interrupts; takes the RCU read lock.
    ///
    /// [`SkBuff::interfaces`]: crate::net::skb::SkBuff::interfaces
    pub fn find_connection(&self, tuple: &Tuple, interfaces: (i32, i32)) -> Found {
        let Some(sk) = self.look_up(tuple, interfaces) else {
            return Found::Nothing;
        };
        // SAFETY: The reference is the look-up's, and ours to give up.
        match unsafe { full_socket(sk) } {
            Some(sock) => Found::Sock(sock),
            None => Found::Mini,
        }
    }

    /// Drops the request, if it is one, that has a 4-tuple: a SYN came, and nothing yet that shows
    /// that its sender gets answers. Whether there was one.
    ///
    /// # Context
    ///
    /// Any but hard interrupts, without the lock of any chain or of what segments are looked up in on
    /// their way out. The caller may have a connection's lock.
    pub fn drop_request(&self, tuple: &Tuple, interfaces: (i32, i32)) -> bool {
        let Some(sk) = self.look_up(tuple, interfaces) else {
            return false;
        };
        // SAFETY: The helper reads the state, which all kinds of sockets have.
        let is_request = unsafe { bindings::tcpc_sk_is_request(sk.as_ptr()) };
        if is_request {
            // SAFETY: `tcp_abort()` (net/ipv4/tcp.c) wants a reference, which is the look-up's. Of
            // a request, which stays one as long as that is held, it calls
            // `inet_csk_reqsk_queue_drop()` (net/ipv4/inet_connection_sock.c) only: no socket is
            // locked, and who comes second does nothing. That waits (`timer_delete_sync()`) for
            // `reqsk_timer_handler()`, which sends a SYN/ACK at most, and locks neither a
            // connection nor what the caller may hold.
            unsafe { bindings::tcp_abort(sk.as_ptr(), 0) };
        }
        // SAFETY: The reference is the look-up's, and ours to give up; `sock_gen_put()`
        // (net/ipv4/inet_hashtables.c) drops references of any kind.
        unsafe { bindings::sock_gen_put(sk.as_ptr()) };
        is_request
    }

    /// An entry of the table, with a reference.
    fn look_up(&self, tuple: &Tuple, interfaces: (i32, i32)) -> Option<NonNull<bindings::sock>> {
        let net = self.as_ptr().as_ptr();
        let (port, peer) = (tuple.local_port, tuple.remote_port.to_be());
        let (dif, sdif) = interfaces;
        let _rcu = kernel::sync::rcu::read_lock();
        let sk = match (tuple.local, tuple.remote) {
            (IpAddr::V4(local), IpAddr::V4(remote)) => {
                let (local, remote) = (addr::to_be32(local), addr::to_be32(remote));
                // SAFETY: `__inet_lookup_established()` (net/ipv4/inet_hashtables.c) wants the RCU
                // read lock, which is held, and returns a reference or null.
                unsafe {
                    bindings::__inet_lookup_established(net, remote, peer, local, port, dif, sdif)
                }
            }
            (IpAddr::V6(local), IpAddr::V6(remote)) => {
                let (local, remote) = (addr::to_in6(local), addr::to_in6(remote));
                // SAFETY: As above, `__inet6_lookup_established()` (net/ipv6/inet6_hashtables.c).
                unsafe {
                    bindings::__inet6_lookup_established(
                        net, &remote, peer, &local, port, dif, sdif,
                    )
                }
            }
            _ => return None,
        };
        NonNull::new(sk)
    }

    /// Calls `visit` for each full TCP socket of the namespace that is established or beyond and
    /// whose local address `wanted` accepts. `wanted` runs under a spinlock; `visit` without any.
    ///
    /// A socket that `visit` rebinds may be met again under its new address.
    ///
    /// # Context
    ///
    /// Process context, may sleep between buckets.
    ///
    /// # Errors
    ///
    /// `ENOMEM`: not all sockets were visited.
    pub fn for_each_connection(
        &self,
        mut wanted: impl FnMut(IpAddr) -> bool,
        mut visit: impl FnMut(TcpSock),
    ) -> Result {
        // SAFETY: The helper reads a field of the namespace that is set for its life.
        let table = unsafe { bindings::tcpc_net_hashinfo(self.as_ptr().as_ptr()) };
        // SAFETY: As above; the table lives as long as the namespace.
        let table = unsafe { &*table };
        let mut batch = KVec::with_capacity(16, GFP_KERNEL)?;
        for slot in 0..=table.ehash_mask {
            while let Err(missing) = self.collect(table, slot, &mut wanted, &mut batch) {
                batch.clear();
                batch.reserve(missing, GFP_KERNEL)?;
            }
            while let Some(sock) = batch.pop() {
                visit(sock);
            }
            if slot % 1024 == 0 {
                sync::cond_resched();
            }
        }
        Ok(())
    }

    /// Takes references of all wanted sockets of one bucket, so that what is done to them happens
    /// without its lock.
    ///
    /// # Errors
    ///
    /// How many more places than it has `batch` wants; some are filled then.
    fn collect(
        &self,
        table: &bindings::inet_hashinfo,
        slot: u32,
        wanted: &mut impl FnMut(IpAddr) -> bool,
        batch: &mut KVec<TcpSock>,
    ) -> Result<(), usize> {
        // SAFETY: `slot` is at most `ehash_mask`, so this is one of the table's buckets.
        let bucket = unsafe { table.ehash.add(slot as usize) };
        // SAFETY: Reading the head of a chain without its lock is what makes a walk over empty
        // buckets cheap, as `net/ipv4/tcp_diag.c` does with `hlist_nulls_empty()`.
        if unsafe { bindings::tcpc_ehash_bucket_is_empty(bucket) } {
            return Ok(());
        }
        let mut missing = 0;
        // SAFETY: The bucket's lock (`inet_ehash_lockp()`), with bottom halves off, guards its
        // chain; it is released below.
        unsafe { bindings::tcpc_ehash_lock_bh(table, slot) };
        // SAFETY: The lock is held, so the chain does not change.
        let mut next = unsafe { bindings::tcpc_ehash_first(bucket) };
        while let Some(sk) = NonNull::new(next) {
            // SAFETY: The lock is held; `sk` is on the chain.
            next = unsafe { bindings::tcpc_ehash_next(sk.as_ptr()) };
            // SAFETY: `sk` is on the chain; what is asked lies in its `sock_common`, which
            // time-wait and request sockets have, too.
            if !unsafe { bindings::tcpc_sk_is_full_of(sk.as_ptr(), self.as_ptr().as_ptr()) } {
                continue;
            }
            // SAFETY: As above; it is a full socket.
            if !wanted(unsafe { local_address(sk) }) {
                continue;
            }
            if batch.len() == batch.capacity() {
                missing += 1;
                continue;
            }
            // SAFETY: As above. Zero is a socket about to be freed, or not yet handed over.
            if !unsafe { bindings::tcpc_sk_hold_not_zero(sk.as_ptr()) } {
                continue;
            }
            // SAFETY: A full socket, by the test above; only TCP's are in TCP's table; the
            // reference was just taken.
            let sock = unsafe { TcpSock::from_raw(sk) };
            // It has room: tested above.
            if batch.push_within_capacity(sock).is_err() {
                missing += 1;
            }
        }
        // SAFETY: Taken above.
        unsafe { bindings::tcpc_ehash_unlock_bh(table, slot) };
        if missing == 0 {
            Ok(())
        } else {
            Err(missing + batch.len())
        }
    }
}

/// The local address of a full socket on a chain whose lock is held.
///
/// # Safety
///
/// As the sentence says.
unsafe fn local_address(sk: NonNull<bindings::sock>) -> IpAddr {
    // SAFETY: A member of the full socket; rebinding changes it under the chain's lock only.
    if unsafe { bindings::tcpc_sk_is_v6(sk.as_ptr()) } {
        // SAFETY: As above.
        addr::from_in6(&unsafe { bindings::tcpc_sk_v6_rcv_saddr(sk.as_ptr()) })
    } else {
        // SAFETY: As above.
        IpAddr::V4(addr::from_be32(unsafe {
            bindings::tcpc_sk_rcv_saddr(sk.as_ptr())
        }))
    }
}

/// The reference as that of a full socket; it is dropped if it is of another kind.
///
/// # Safety
///
/// The caller owns a reference of `sk`, and gives it up.
unsafe fn full_socket(sk: NonNull<bindings::sock>) -> Option<TcpSock> {
    // SAFETY: `sk_fullsock()` reads the state, which all kinds of sockets have.
    if unsafe { bindings::tcpc_sk_fullsock(sk.as_ptr()) } {
        // SAFETY: A full socket; only TCP's are in TCP's table.
        return Some(unsafe { TcpSock::from_raw(sk) });
    }
    // SAFETY: `sock_gen_put()` (net/ipv4/inet_hashtables.c) drops references of any kind.
    unsafe { bindings::sock_gen_put(sk.as_ptr()) };
    None
}
