// SPDX-License-Identifier: GPL-2.0

//! Giving a connection another 4-tuple.
//!
//! The kernel has the parts of this (`__inet_bhash2_update_saddr()`, `__inet_check_established()`,
//! net/ipv4/inet_hashtables.c) but exports none of them, and the way through `sk->sk_prot` is
//! neither atomic nor harmless to the port's bind bucket. So it is done here with their own rules:
//! all checks come before any change, nothing is ever rolled back, and to a look-up the socket is
//! away only between leaving one chain and entering the other.
//!
//! Locks, outer to inner, as `__inet_hash_connect()` takes them: the port's bind bucket, then
//! either the two buckets of established connections or one bucket of `bhash2` after the other.
//!
//! C header: [`include/net/inet_hashtables.h`](srctree/include/net/inet_hashtables.h)

use super::bind::{
    PortLock,
    SpareBucket, //
};
use super::{
    Locked,
    Tuple, //
};
use crate::bindings;
use crate::net::addr;
use core::cmp::Ordering;
use core::net::IpAddr;
use core::ptr::{
    self,
    NonNull, //
};

/// Which end of a connection gets another address.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// This host's end. Its port is what the socket is bound by, and stays.
    Local(IpAddr),
    /// The peer's end, with the port it has.
    Remote(IpAddr),
    /// The peer's end, with another port (in host byte order), as NAT may give it.
    RemoteWithPort(IpAddr, u16),
}

impl Change {
    /// What becomes of a 4-tuple.
    fn of(self, now: Tuple) -> Tuple {
        match self {
            Change::Local(local) => Tuple { local, ..now },
            Change::Remote(remote) => Tuple { remote, ..now },
            Change::RemoteWithPort(remote, remote_port) => Tuple {
                remote,
                remote_port,
                ..now
            },
        }
    }

    /// The new address.
    fn address(self) -> IpAddr {
        match self {
            Change::Local(address)
            | Change::Remote(address)
            | Change::RemoteWithPort(address, _) => address,
        }
    }
}

/// What a 4-tuple is looked up by, beside the socket's own port: as the helpers take it.
struct Key {
    local: bindings::in6_addr,
    remote: bindings::in6_addr,
    /// In network byte order.
    remote_port: u16,
}

impl Key {
    /// That of `tuple`, IPv4 addresses mapped.
    fn new(tuple: &Tuple) -> Self {
        Self {
            local: addr::to_mapped(tuple.local),
            remote: addr::to_mapped(tuple.remote),
            remote_port: tuple.remote_port.to_be(),
        }
    }
}

/// Why a connection has kept its 4-tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetupleError {
    /// Another connection has the new 4-tuple, perhaps in TIME_WAIT; not one that is only asked for.
    Taken,
    /// No memory for a bind bucket.
    NoMemory,
    /// The socket is not hashed any more, or the address is of another family.
    Gone,
}

impl Locked<'_> {
    /// Changes one end of the connection. On an error nothing has changed.
    ///
    /// What is cached for the old path goes: routes, flow, transmit hash. The next segment is
    /// routed anew.
    pub fn retuple(&mut self, change: Change) -> Result<(), RetupleError> {
        if change.address().is_ipv6() != self.is_v6() {
            return Err(RetupleError::Gone);
        }
        match self.move_to(change) {
            // Whoever has sent no more than a SYN is no connection, and may be nobody: the 4-tuple
            // is this one's, as soon as the request is gone.
            Err(RetupleError::Taken) if self.drop_request(change) => self.move_to(change)?,
            result => result?,
        }
        self.forget_path();
        Ok(())
    }

    /// Gives the socket its place for another 4-tuple in all tables that it is in.
    fn move_to(&mut self, change: Change) -> Result<(), RetupleError> {
        match change {
            Change::Local(_) => {
                let bucket = SpareBucket::new(self).ok_or(RetupleError::NoMemory)?;
                self.rehash_local(change, bucket)
            }
            // The peer is no part of what a socket is bound by.
            Change::Remote(_) | Change::RemoteWithPort(..) => self.rehash(change),
        }
    }

    /// Drops a request to open a connection that has the 4-tuple this one is to have.
    fn drop_request(&self, change: Change) -> bool {
        // SAFETY: The helper reads a member of the socket, which is locked.
        let device = unsafe { bindings::tcpc_sk_bound_dev_if(self.as_ptr()) };
        self.net()
            .drop_request(&change.of(self.tuple()), (device, 0))
    }

    /// [`Locked::rehash`] and what the local address is a key of besides: the second bind hash.
    fn rehash_local(&mut self, change: Change, spare: SpareBucket) -> Result<(), RetupleError> {
        let port = PortLock::take(self);
        self.rehash(change)?;
        port.rebind_address(self, spare);
        Ok(())
    }

    /// Takes the socket out of its chain of established connections, changes one end, and puts it
    /// into the chain of the new 4-tuple, all under the locks of both.
    fn rehash(&mut self, change: Change) -> Result<(), RetupleError> {
        let sk = self.as_ptr();
        let key = Key::new(&change.of(self.tuple()));
        // SAFETY: The helper computes `inet_ehashfn()` or `inet6_ehashfn()` of the key and the
        // socket's own port.
        let hash =
            unsafe { bindings::tcpc_sk_ehashfn(sk, &key.local, &key.remote, key.remote_port) };
        let _chains = ChainLocks::take(self, hash);
        // SAFETY: The lock of its chain is held.
        if !unsafe { bindings::tcpc_sk_hashed(sk) } {
            return Err(RetupleError::Gone);
        }
        if self.is_taken(hash, &key) {
            return Err(RetupleError::Taken);
        }
        // SAFETY: The lock of its chain is held, and it is on it. The reference that the table has
        // is kept: the socket comes back at once.
        unsafe { bindings::tcpc_ehash_leave(sk) };
        self.write_addresses(change, &key);
        // SAFETY: The lock of the chain of `hash` is held; the socket is on no chain, and `hash`
        // is that of its tuple now.
        unsafe { bindings::tcpc_ehash_enter(sk, hash) };
        Ok(())
    }

    /// Whether another entry of the table has this key and the socket's own port, be it a request
    /// or a time-wait socket. The lock of the chain of `hash` is held.
    fn is_taken(&self, hash: u32, key: &Key) -> bool {
        let sk = self.as_ptr();
        // SAFETY: The helper computes the chain's place in the table.
        let bucket = unsafe { bindings::tcpc_sk_ehash_bucket(sk, hash) };
        // SAFETY: The chain's lock is held.
        let mut next = unsafe { bindings::tcpc_ehash_first(bucket) };
        while let Some(other) = NonNull::new(next) {
            // SAFETY: The chain's lock is held and `other` is on it.
            let matches = unsafe {
                bindings::tcpc_ehash_matches(
                    sk,
                    other.as_ptr(),
                    hash,
                    &key.local,
                    &key.remote,
                    key.remote_port,
                )
            };
            if matches {
                return true;
            }
            // SAFETY: As above.
            next = unsafe { bindings::tcpc_ehash_next(other.as_ptr()) };
        }
        false
    }

    /// Writes the end that changes into all places of the socket that hold it.
    fn write_addresses(&mut self, change: Change, key: &Key) {
        let sk = self.as_ptr();
        match change {
            // SAFETY: The socket is locked and on no chain: nobody reads half of an address.
            Change::Local(_) => unsafe { bindings::tcpc_sk_set_local(sk, &key.local) },
            Change::Remote(_) | Change::RemoteWithPort(..) => {
                // SAFETY: As above.
                unsafe { bindings::tcpc_sk_set_remote(sk, &key.remote, key.remote_port) };
            }
        }
    }

    /// Drops what the socket has cached of its path, and errors that were only the old path's.
    ///
    /// Routes first of all: while `sk_dst_cache` is valid, `__ip_queue_xmit()` and
    /// `inet6_csk_xmit()` copy the addresses of the flow cached beside it into each header.
    fn forget_path(&mut self) {
        // SAFETY: The helper resets `sk_dst_cache`, `sk_rx_dst`, `sk_txhash`, the recorded RFS
        // flow, the IPv4 identification and `sk_err_soft`, all guarded by the socket's lock.
        unsafe { bindings::tcpc_sk_forget_path(self.as_ptr()) };
    }
}

/// The locks of the chain a socket is on and of the one it goes to; they may be one.
///
/// # Invariants
///
/// `first`, and `second` if it is not null, are locked by this.
struct ChainLocks {
    first: *mut bindings::spinlock_t,
    second: *mut bindings::spinlock_t,
}

impl ChainLocks {
    /// Takes them in the order of their addresses, the second as nested in the first.
    fn take(locked: &Locked<'_>, new: u32) -> Self {
        let sk = locked.as_ptr();
        // SAFETY: The helper reads `sk->sk_hash`, which only the lock's holder changes.
        let old = unsafe { bindings::tcpc_sk_hash(sk) };
        // SAFETY: `inet_ehash_lockp()` (include/net/inet_hashtables.h) indexes the table's locks.
        let one = unsafe { bindings::tcpc_sk_ehash_lockp(sk, old) };
        // SAFETY: As above.
        let other = unsafe { bindings::tcpc_sk_ehash_lockp(sk, new) };
        let (first, second) = match one.addr().cmp(&other.addr()) {
            Ordering::Equal => (one, ptr::null_mut()),
            Ordering::Less => (one, other),
            Ordering::Greater => (other, one),
        };
        // SAFETY: A lock of the table, which lives as long as the namespace; bottom halves are off.
        unsafe { bindings::tcpc_spin_lock(first) };
        if !second.is_null() {
            // SAFETY: As above. The order is fixed, so `SINGLE_DEPTH_NESTING` tells the truth.
            unsafe { bindings::tcpc_spin_lock_nested(second) };
        }
        // INVARIANT: Just locked.
        Self { first, second }
    }
}

impl Drop for ChainLocks {
    fn drop(&mut self) {
        if !self.second.is_null() {
            // SAFETY: Locked, by the type's invariant.
            unsafe { bindings::tcpc_spin_unlock(self.second) };
        }
        // SAFETY: As above.
        unsafe { bindings::tcpc_spin_unlock(self.first) };
    }
}
