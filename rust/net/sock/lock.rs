// SPDX-License-Identifier: GPL-2.0

//! The lock of a socket.
//!
//! A TCP socket is locked in one of two ways: softirq holds its spinlock while no process owns it;
//! a process owns it and leaves the spinlock to those who queue for it. [`Locked`] is either, with
//! bottom halves off: nothing that takes it sleeps, so it need not matter which.
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h)

use super::{
    TcpSock,
    Tuple, //
};
use crate::bindings;
use crate::net::namespace::NetRef;
use crate::net::sync::Bh;
use kernel::types::NotThreadSafe;

/// A socket whose lock is held, with bottom halves off. Dropping it unlocks.
///
/// Never hold two at once: sockets have no order, and both ends of a connection may be here.
///
/// # Invariants
///
/// The lock of `sock` is held in the way `how` says, by this alone, and bottom halves are off.
pub struct Locked<'a> {
    pub(super) sock: &'a TcpSock,
    how: How,
    _not_send: NotThreadSafe,
}

/// How a socket is locked.
#[derive(Clone, Copy)]
enum How {
    /// Its spinlock, taken by `bh_lock_sock_nested()`.
    Spin,
    /// `lock_sock_fast()`; `true` if that made us its owner, `false` if it kept the spinlock.
    Fast(bool),
}

impl TcpSock {
    /// Locks the socket if no process owns it.
    ///
    /// # Context
    ///
    /// Softirq, or process context without any socket lock. Does not sleep.
    pub fn try_lock_bh(&self) -> Option<Locked<'_>> {
        let bh = Bh::disable();
        // SAFETY: Our reference keeps the socket; as `tcp_v4_rcv()` (net/ipv4/tcp_ipv4.c) takes it,
        // with bottom halves off.
        unsafe { bindings::tcpc_bh_lock_sock_nested(self.sk.as_ptr()) };
        // SAFETY: `sock_owned_by_user()` asks for the spinlock, just taken.
        if unsafe { bindings::tcpc_sock_owned_by_user(self.sk.as_ptr()) } {
            // SAFETY: Taken above.
            unsafe { bindings::tcpc_bh_unlock_sock(self.sk.as_ptr()) };
            return None;
        }
        // `Drop` of `Locked` enables them again.
        core::mem::forget(bh);
        // INVARIANT: The spinlock is held and no process owns the socket.
        Some(Locked {
            sock: self,
            how: How::Spin,
            _not_send: NotThreadSafe,
        })
    }

    /// Locks the socket, waiting for its owner.
    ///
    /// This is `lock_sock_fast()`, not `lock_sock()`: a child in an accept queue, which no process
    /// owns, must not become owned, since `inet_csk_listen_stop()` warns of that and goes on
    /// regardless.
    ///
    /// # Context
    ///
    /// Process context, no lock held. May sleep, before it returns.
    pub fn lock(&self) -> Locked<'_> {
        // SAFETY: Our reference keeps the socket; process context is the caller's duty, which
        // `might_sleep()` checks on kernels that check.
        let slow = unsafe { bindings::tcpc_lock_sock_fast(self.sk.as_ptr()) };
        core::mem::forget(Bh::disable());
        // INVARIANT: `lock_sock_fast()` has returned.
        Locked {
            sock: self,
            how: How::Fast(slow),
            _not_send: NotThreadSafe,
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let sk = self.as_ptr();
        match self.how {
            How::Spin => {
                // SAFETY: Held by `bh_lock_sock_nested()`, by the type's invariant.
                unsafe { bindings::tcpc_bh_unlock_sock(sk) };
                Bh::enable_forgotten();
            }
            How::Fast(slow) => {
                // Before the unlock: `release_sock()` may sleep.
                Bh::enable_forgotten();
                // SAFETY: Held by `lock_sock_fast()`, which returned `slow`.
                unsafe { bindings::tcpc_unlock_sock_fast(sk, slow) };
            }
        }
    }
}

impl Locked<'_> {
    /// The socket.
    pub(in crate::net) fn as_ptr(&self) -> *mut bindings::sock {
        self.sock.sk.as_ptr()
    }

    /// The socket's connection state. All parts below are its first members.
    pub(super) fn tcp(&self) -> *mut bindings::tcp_sock {
        self.as_ptr().cast()
    }

    /// See [`Locked::tcp`].
    pub(super) fn icsk(&self) -> *mut bindings::inet_connection_sock {
        self.as_ptr().cast()
    }

    /// The namespace the socket is in.
    pub fn net(&self) -> NetRef<'_> {
        // SAFETY: `sock_net()` reads a field that never changes.
        let net = unsafe { bindings::tcpc_sock_net(self.as_ptr()) };
        // SAFETY: A full socket keeps its namespace.
        unsafe { NetRef::from_raw(net) }
    }

    /// The socket's addresses and ports.
    pub fn tuple(&self) -> Tuple {
        // SAFETY: A full TCP socket, locked by `self`.
        unsafe { Tuple::of(self.as_ptr()) }
    }

    /// Whether it speaks IPv6 on the wire: an `AF_INET6` socket whose peer is no mapped address.
    pub(super) fn is_v6(&self) -> bool {
        // SAFETY: The helper reads members of the socket.
        unsafe { bindings::tcpc_sk_is_v6(self.as_ptr()) }
    }
}
