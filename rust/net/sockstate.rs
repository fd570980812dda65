// SPDX-License-Identifier: GPL-2.0

//! Connections that get established, and sockets that close.
//!
//! The tracepoint `inet_sock_set_state` sees every change of a socket's state just before it is
//! made, whoever makes it, and needs nothing put into the socket. While nobody listens, it costs
//! what a tracepoint costs that is off; while anybody does, two calls and a look-up for each
//! connection of any namespace, no more.
//!
//! C headers: [`include/trace/events/sock.h`](srctree/include/trace/events/sock.h),
//! [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)

use crate::bindings;
use crate::net::namespace::{
    self,
    NetRef,
    PerNamespace, //
};
use crate::net::sock::{
    SockId,
    Tuple, //
};
use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::error::{
    code,
    to_result,
    Result, //
};
use kernel::ffi::c_int;
use kernel::prelude::*;
use kernel::sync::SetOnce;
use kernel::types::NotThreadSafe;

/// Who wants to know.
///
/// # Context
///
/// Both methods run in any context but hard interrupts, with the RCU read lock held and the
/// socket locked by whoever changes it: they must not sleep, nor lock any socket. They may run in
/// process context with bottom halves on.
pub trait Watcher: Send + Sync + 'static {
    /// Whether the namespace wants to know. While any does, all are asked, so this is to be cheap.
    fn is_watching(&self) -> bool;

    /// A handshake is complete.
    fn established(&self, sock: Changing<'_>);

    /// A socket that had begun a connection has ended it, or lets a time-wait socket end it. The
    /// memory may be another socket's soon, or be used by this one for another connection.
    ///
    /// It is out of the table of connections already, so that another may have its 4-tuple: what
    /// is kept for it is to be found by `id`. That may not be there: connections come to an end
    /// that never were established, too.
    fn closed(&self, id: SockId);
}

/// Who began a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// This host: it has had the SYN/ACK.
    Here,
    /// The peer: its SYN/ACK has been acknowledged. Or both at once (RFC 9293, section 3.5); then
    /// the socket is the one that had sent a SYN of its own.
    There,
}

/// A full TCP socket in the middle of a change of its state, which somebody else has locked: to be
/// looked at only.
///
/// # Invariants
///
/// `sk` is valid for `'a`, and locked by the caller of the probe.
pub struct Changing<'a> {
    sk: NonNull<bindings::sock>,
    opened: Opened,
    _probe: PhantomData<&'a bindings::sock>,
    _not_send: NotThreadSafe,
}

impl Changing<'_> {
    /// The socket's identity.
    pub fn id(&self) -> SockId {
        SockId::new(self.sk)
    }

    /// Who began the connection.
    pub fn opened(&self) -> Opened {
        self.opened
    }

    /// The connection's addresses and ports: they are final.
    pub fn tuple(&self) -> Tuple {
        // SAFETY: The type's invariant.
        unsafe { Tuple::of(self.sk.as_ptr()) }
    }

    /// The interface the socket is bound to, 0 for none.
    pub fn interface(&self) -> i32 {
        // SAFETY: The helper reads a member of the socket.
        unsafe { bindings::tcpc_sk_bound_dev_if(self.sk.as_ptr()) }
    }

    /// The next sequence number expected from the peer. It is the one behind its SYN, and behind
    /// what the SYN carried (RFC 7413).
    pub fn rcv_nxt(&self) -> u32 {
        // SAFETY: A full TCP socket; `struct sock` is the first member of its `struct tcp_sock`.
        unsafe { (*self.sk.as_ptr().cast::<bindings::tcp_sock>()).rcv_nxt }
    }

    /// The oldest octet not yet acknowledged. It is the one behind our SYN, and behind what that
    /// carried.
    pub fn snd_una(&self) -> u32 {
        // SAFETY: As above.
        unsafe { (*self.sk.as_ptr().cast::<bindings::tcp_sock>()).snd_una }
    }

    /// Whether the socket is one that can be rebound once it is established: it has none of MPTCP,
    /// MD5 or AO keys, SMC, repair, transparent proxying, source routes, offload that owns the
    /// hash.
    pub fn is_ordinary(&self) -> bool {
        // SAFETY: The helper reads members of the socket.
        unsafe { bindings::tcpc_sk_is_ordinary(self.sk.as_ptr()) }
    }
}

/// The tracepoint, once it was found. Built in, so it stays.
struct Tracepoint(NonNull<bindings::tracepoint>);

// SAFETY: `tracepoint_probe_register()` and its counterpart take locks of their own.
unsafe impl Send for Tracepoint {}
// SAFETY: As above.
unsafe impl Sync for Tracepoint {}

/// Filled by [`find`], after it has initialised [`static@USERS`].
static TRACEPOINT: SetOnce<Tracepoint> = SetOnce::new();

/// What is registered, and for how many.
struct Users {
    count: u32,
    /// Kept, since two references to one generic function need not be equal.
    probe: bindings::tcpc_probe_t,
}

kernel::sync::global_lock! {
    /// Who uses the tracepoint.
    // SAFETY: Whoever locks it has `TRACEPOINT`, which `find()` fills after initialising this.
    unsafe(uninit) static USERS: Mutex<Users> = Users { count: 0, probe: None };
}

/// Looks the tracepoint up; to be called once, when the module is loaded.
///
/// # Context
///
/// Process context, may sleep.
///
/// # Errors
///
/// `EOPNOTSUPP` on a kernel without it, with one line that says so.
pub fn find() -> Result {
    // SAFETY: The helper walks the tracepoints of the kernel itself, which stay.
    let found = NonNull::new(unsafe { bindings::tcpc_probe_find() });
    let Some(found) = found else {
        pr_err!("this kernel has no tracepoint inet_sock_set_state: not loaded\n");
        return Err(code::EOPNOTSUPP);
    };
    if TRACEPOINT.as_ref().is_none() {
        // SAFETY: Once: a module is loaded by one thread, and the next time `TRACEPOINT` is full.
        unsafe { USERS.init() };
        TRACEPOINT.populate(Tracepoint(found));
    }
    Ok(())
}

/// Has the [`Watcher`]s of all namespaces told; dropping it ends that when it was the last one.
///
/// A namespace that wants to know holds one from its `start()` or later until its `stop()`. A
/// module has one kind of watcher, as it has one kind of namespace data.
///
/// # Invariants
///
/// While any lives, [`probe`] is registered and [`static@USERS`] says how many there are.
pub struct Probe<T: PerNamespace + Watcher> {
    tracepoint: NonNull<bindings::tracepoint>,
    _kind: PhantomData<fn() -> T>,
}

// SAFETY: There is nothing to do with it but drop it, which may happen anywhere.
unsafe impl<T: PerNamespace + Watcher> Send for Probe<T> {}
// SAFETY: As above.
unsafe impl<T: PerNamespace + Watcher> Sync for Probe<T> {}

impl<T: PerNamespace + Watcher> Probe<T> {
    /// Begins to watch.
    ///
    /// # Context
    ///
    /// Process context, may sleep.
    ///
    /// # Errors
    ///
    /// `ENODEV` before [`find`] was called; `ENOMEM`.
    pub fn new() -> Result<Self> {
        let tracepoint = TRACEPOINT.as_ref().ok_or(code::ENODEV)?.0;
        let mut users = USERS.lock();
        if users.count == 0 {
            let probe: bindings::tcpc_probe_t = Some(probe::<T>);
            // SAFETY: The tracepoint stays; the probe is text of this module, and has the type of
            // the tracepoint's, which the helper checks. It is taken out again with the last
            // `Probe`.
            to_result(unsafe { bindings::tcpc_probe_register(tracepoint.as_ptr(), probe) })?;
            users.probe = probe;
        }
        users.count += 1;
        // INVARIANT: Registered, and counted.
        Ok(Self {
            tracepoint,
            _kind: PhantomData,
        })
    }
}

impl<T: PerNamespace + Watcher> Drop for Probe<T> {
    fn drop(&mut self) {
        let mut users = USERS.lock();
        users.count -= 1;
        if users.count == 0 {
            // SAFETY: Registered, by the type's invariant. The helper waits for probes that run.
            unsafe { bindings::tcpc_probe_unregister(self.tracepoint.as_ptr(), users.probe) };
        }
    }
}

/// The tracepoint's probe.
///
/// # Safety
///
/// As `inet_sk_set_state()` (net/ipv4/af_inet.c) and `inet_sk_state_store()` call it, with the
/// socket locked.
unsafe extern "C" fn probe<T: PerNamespace + Watcher>(
    _data: *mut c_void,
    sk: *const bindings::sock,
    old: c_int,
    new: c_int,
) {
    let (old, new) = (old as u32, new as u32);
    let opened = match (old, new) {
        (bindings::TCP_SYN_SENT, bindings::TCP_ESTABLISHED) => Some(Opened::Here),
        (bindings::TCP_SYN_RECV, bindings::TCP_ESTABLISHED) => Some(Opened::There),
        // Told when it left another state; and a listener has no connection.
        (bindings::TCP_CLOSE | bindings::TCP_LISTEN, _) => return,
        (_, bindings::TCP_CLOSE) => None,
        _ => return,
    };
    // SAFETY: The socket is valid; the helper reads members that do not change.
    let net = unsafe { bindings::tcpc_sock_held_net(sk) };
    if net.is_null() {
        return;
    }
    // A tracepoint's probes run under an SRCU of their own.
    let rcu = kernel::sync::rcu::read_lock();
    // SAFETY: The socket holds it, so it is not ending.
    let net = unsafe { NetRef::from_raw(net) };
    namespace::with(net, &rcu, |watcher: &T| {
        if watcher.is_watching() {
            // SAFETY: Never null.
            let sk = unsafe { NonNull::new_unchecked(sk.cast_mut()) };
            tell(watcher, sk, opened);
        }
    });
}

/// Tells a watcher of a connection that is established, or else of a socket that closes.
fn tell(watcher: &impl Watcher, sk: NonNull<bindings::sock>, opened: Option<Opened>) {
    match opened {
        // INVARIANT: The probe's socket, for the time of its call.
        Some(opened) => watcher.established(Changing {
            sk,
            opened,
            _probe: PhantomData,
            _not_send: NotThreadSafe,
        }),
        None => watcher.closed(SockId::new(sk)),
    }
}
