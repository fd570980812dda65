// SPDX-License-Identifier: GPL-2.0

//! TCP sockets that others own.
//!
//! [`TcpSock`] is a counted reference, good for holding and comparing; whatever looks at or changes
//! a connection is a method of [`Locked`], so it exists only on the proof of the socket's lock.
//!
//! | file | what of a socket |
//! | --- | --- |
//! | `lock.rs` | the lock, from process context and from softirq |
//! | `walk.rs` | finding sockets: by 4-tuple, and all of a namespace |
//! | `view.rs` | reading it: state, sequence numbers, whether it may be moved |
//! | `bind.rs` | moving it in the hash of bound addresses |
//! | `rebind.rs` | giving it another 4-tuple |
//! | `resume.rs` | going on at once on a new path; parking it while there is none |
//! | `patience.rs` | whether its peer answers, and how long it tries |
//! | `output.rs` | sending an option-only segment |
//! | `handmade.rs` | sending a header that TCP itself would not make now |
//! | `opening.rs` | sending a SYN or SYN/ACK of a connection that is open already |
//!
//! C headers: [`include/net/sock.h`](srctree/include/net/sock.h),
//! [`include/linux/tcp.h`](srctree/include/linux/tcp.h)

mod bind;
mod handmade;
mod lock;
mod opening;
mod output;
mod patience;
mod rebind;
mod resume;
mod view;
mod walk;

pub use lock::Locked;
pub use output::{
    Emission,
    OptionOctets, //
};
pub use rebind::{
    Change,
    RetupleError, //
};
pub use resume::WindowClamp;
pub use view::Numbers;
pub use walk::Found;

use crate::bindings;
use crate::net::addr;
use core::net::IpAddr;
use core::ptr::NonNull;
use kernel::error::Error;

/// A connection's addresses and ports, seen from one of its ends. Ports are in host byte order,
/// addresses that map IPv4 ones are given as those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tuple {
    /// The address of this end.
    pub local: IpAddr,
    /// The port of this end.
    pub local_port: u16,
    /// The address of the other end.
    pub remote: IpAddr,
    /// The port of the other end.
    pub remote_port: u16,
}

impl Tuple {
    /// That of a full socket.
    ///
    /// # Safety
    ///
    /// `sk` is a full TCP socket that is locked, or in the middle of a change of its state.
    pub(super) unsafe fn of(sk: *const bindings::sock) -> Self {
        // SAFETY: The helper reads members of the socket.
        let (local, remote) = if unsafe { bindings::tcpc_sk_is_v6(sk) } {
            // SAFETY: The helper copies a member of the socket.
            let local = unsafe { bindings::tcpc_sk_v6_rcv_saddr(sk) };
            // SAFETY: As above.
            let remote = unsafe { bindings::tcpc_sk_v6_daddr(sk) };
            (addr::from_in6(&local), addr::from_in6(&remote))
        } else {
            // SAFETY: The helper reads a member of the socket.
            let local = unsafe { bindings::tcpc_sk_rcv_saddr(sk) };
            // SAFETY: As above.
            let remote = unsafe { bindings::tcpc_sk_daddr(sk) };
            (
                IpAddr::V4(addr::from_be32(local)),
                IpAddr::V4(addr::from_be32(remote)),
            )
        };
        Self {
            local,
            // SAFETY: As above.
            local_port: unsafe { bindings::tcpc_sk_num(sk) },
            remote,
            // SAFETY: As above.
            remote_port: u16::from_be(unsafe { bindings::tcpc_sk_dport(sk) }),
        }
    }
}

/// What tells one socket from another while both live. Never dereferenced; its order means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SockId(usize);

impl SockId {
    /// The identity of the socket at `sk`.
    pub(super) fn new(sk: NonNull<bindings::sock>) -> Self {
        Self(sk.addr().get())
    }

    /// A number that is as good, for those who keep numbers. Never to be shown: it is an address.
    pub const fn number(self) -> usize {
        self.0
    }

    /// From what [`number`](Self::number) was, or what lies between two of them.
    pub const fn from_number(number: usize) -> Self {
        Self(number)
    }
}

/// A counted reference to a full TCP socket: not a request, time-wait or listening one.
///
/// # Invariants
///
/// `sk` points to a full TCP socket of which this owns one reference (`sk_refcnt`).
pub struct TcpSock {
    sk: NonNull<bindings::sock>,
}

// SAFETY: References of a socket are counted atomically and may be dropped in any context but hard
// interrupts (`sock_put()`, include/net/sock.h); all else needs the socket's lock.
unsafe impl Send for TcpSock {}
// SAFETY: As above.
unsafe impl Sync for TcpSock {}

impl TcpSock {
    /// Takes over a reference.
    ///
    /// # Safety
    ///
    /// The caller owns a reference of `sk`, a full TCP socket, and gives it up.
    pub(super) unsafe fn from_raw(sk: NonNull<bindings::sock>) -> Self {
        // INVARIANT: What it asks is what the caller promises.
        Self { sk }
    }

    /// Gives the reference away.
    pub(super) fn into_raw(self) -> NonNull<bindings::sock> {
        core::mem::ManuallyDrop::new(self).sk
    }

    /// The socket's identity.
    pub fn id(&self) -> SockId {
        SockId::new(self.sk)
    }

    /// Ends the connection: its owner gets `error`, the peer a RST.
    ///
    /// # Context
    ///
    /// Process context, no lock held: `tcp_abort()` takes the socket's. May sleep.
    pub fn abort(&self, error: Error) {
        // SAFETY: `tcp_abort()` (net/ipv4/tcp.c) wants a referenced full socket, not locked by its
        // caller. It answers `-ENOENT` when the socket was closed already, as wanted here.
        unsafe { bindings::tcp_abort(self.sk.as_ptr(), -error.to_errno()) };
    }
}

impl Clone for TcpSock {
    fn clone(&self) -> Self {
        // SAFETY: `sock_hold()` wants somebody to own a reference: `self` does.
        unsafe { bindings::tcpc_sock_hold(self.sk.as_ptr()) };
        // INVARIANT: The reference just taken.
        Self { sk: self.sk }
    }
}

impl Drop for TcpSock {
    fn drop(&mut self) {
        // SAFETY: The reference is ours, by the type's invariant, and not used again.
        unsafe { bindings::tcpc_sock_put(self.sk.as_ptr()) };
    }
}
