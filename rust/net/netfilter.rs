// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks of one network namespace.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use crate::bindings;
use crate::net::namespace::NetRef;
use crate::net::segment::Family;
use crate::net::skb::{
    SkBuff,
    Verdict, //
};
use crate::net::sync;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::alloc::{
    flags::GFP_KERNEL,
    KBox, //
};
use kernel::error::{
    to_result,
    Result, //
};
use kernel::sync::Arc;

/// What looks at the segments a host receives for itself and at those it sends.
///
/// # Context
///
/// The methods run with the RCU read lock held, mostly in softirq; behind a user space queue
/// (NFQUEUE) in process context. They must not sleep. At `local_out` the sending socket is
/// usually locked by the caller, so no socket lock may be taken there.
pub trait Hooks: Send + Sync + 'static {
    /// A packet that has come in, for this host or another, not routed yet.
    fn pre_routing(&self, skb: SkBuff<'_>, state: &HookState<'_>) -> Verdict;

    /// A packet for this host, routed, before its transport gets it.
    fn local_in(&self, skb: SkBuff<'_>, state: &HookState<'_>) -> Verdict;

    /// A packet this host has made, routed, before it goes out.
    fn local_out(&self, skb: SkBuff<'_>, state: &HookState<'_>) -> Verdict;
}

/// Where and for which namespace a hook runs.
///
/// # Invariants
///
/// `state` is valid for `'a`.
pub struct HookState<'a> {
    state: NonNull<bindings::nf_hook_state>,
    family: Family,
    _hook: PhantomData<&'a bindings::nf_hook_state>,
}

impl HookState<'_> {
    /// The IP version.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The namespace the packet is in.
    pub fn net(&self) -> NetRef<'_> {
        // SAFETY: `state` is valid by the type's invariant.
        let net = unsafe { (*self.state.as_ptr()).net };
        // SAFETY: A packet's namespace outlives the hook's call.
        unsafe { NetRef::from_raw(net) }
    }

    /// Runs what follows the hook's chain on `skb`, which is gone after that.
    pub(super) fn finish(&self, skb: NonNull<bindings::sk_buff>) {
        // SAFETY: `state` is valid by the type's invariant.
        let state = unsafe { &*self.state.as_ptr() };
        let Some(okfn) = state.okfn else { return };
        let _bh = sync::Bh::disable();
        // SAFETY: `nf_hook()` calls `okfn(net, sk, skb)` for a buffer whose chain is through, with
        // the RCU read lock held, and `nf_reinject()` also with bottom halves off: both hold.
        // `skb` is the hook's own, and the caller gives it up.
        unsafe { okfn(state.net, state.sk, skb.as_ptr()) };
    }
}

/// How early hooks are called: the smaller the earlier (`enum nf_ip_hook_priorities`).
#[derive(Clone, Copy)]
pub struct Priorities {
    /// Of `PRE_ROUTING`, if there is to be such a hook.
    pub pre_routing: Option<i32>,
    /// Of `LOCAL_IN`.
    pub local_in: i32,
    /// Of `LOCAL_OUT`.
    pub local_out: i32,
}

/// Hooks for both IP versions; dropping it takes them out.
///
/// # Invariants
///
/// The first `count` of `ops` are registered in `net`, which lives, and their `priv` points to the
/// data of `hooks`.
pub struct Registration<T: Hooks> {
    ops: KBox<[bindings::nf_hook_ops; 6]>,
    count: u32,
    net: NonNull<bindings::net>,
    _hooks: Arc<T>,
}

// SAFETY: A registration may be undone from any thread: `nf_unregister_net_hooks()` takes its own
// locks, and `T` is `Send` and `Sync`.
unsafe impl<T: Hooks> Send for Registration<T> {}
// SAFETY: There is no method that takes `&self`.
unsafe impl<T: Hooks> Sync for Registration<T> {}

impl<T: Hooks> Registration<T> {
    /// Puts `hooks` into `net`.
    ///
    /// # Context
    ///
    /// Process context, may sleep. `net` must outlive the registration: a namespace's own data
    /// drops it before the namespace ends.
    pub fn new(net: NetRef<'_>, hooks: Arc<T>, priorities: Priorities) -> Result<Self> {
        let data = (&raw const *hooks).cast_mut().cast::<c_void>();
        let op = |hook: bindings::nf_hookfn, pf: u32, number: u32, priority: i32| {
            bindings::nf_hook_ops {
                hook,
                pf: pf as u8,
                hooknum: number,
                priority,
                priv_: data,
                ..Default::default()
            }
        };
        let (v4, v6) = (bindings::NFPROTO_IPV4, bindings::NFPROTO_IPV6);
        let (before, inward, outward) = (
            bindings::nf_inet_hooks_NF_INET_PRE_ROUTING,
            bindings::nf_inet_hooks_NF_INET_LOCAL_IN,
            bindings::nf_inet_hooks_NF_INET_LOCAL_OUT,
        );
        let early = priorities.pre_routing.unwrap_or(0);
        let count = if priorities.pre_routing.is_some() {
            6
        } else {
            4
        };
        let mut ops = KBox::new(
            [
                op(Some(local_in::<T>), v4, inward, priorities.local_in),
                op(Some(local_in::<T>), v6, inward, priorities.local_in),
                op(Some(local_out::<T>), v4, outward, priorities.local_out),
                op(Some(local_out::<T>), v6, outward, priorities.local_out),
                op(Some(pre_routing::<T>), v4, before, early),
                op(Some(pre_routing::<T>), v6, before, early),
            ],
            GFP_KERNEL,
        )?;
        let net = net.as_ptr();
        // SAFETY: `nf_register_net_hooks()` (net/netfilter/core.c) keeps pointers to the ops until
        // they are unregistered: they are boxed, and `Drop` unregisters them before freeing. On
        // an error it has unregistered what it had registered.
        to_result(unsafe {
            bindings::nf_register_net_hooks(net.as_ptr(), ops.as_mut_ptr(), count)
        })?;
        // INVARIANT: Just registered; `hooks` is kept.
        Ok(Self {
            ops,
            count,
            net,
            _hooks: hooks,
        })
    }
}

impl<T: Hooks> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: Registered in this namespace, by the type's invariant.
        unsafe {
            bindings::nf_unregister_net_hooks(self.net.as_ptr(), self.ops.as_mut_ptr(), self.count)
        };
        // `nf_unregister_net_hook()` does not wait for hooks that run, which may use `hooks`.
        sync::synchronize_rcu();
    }
}

/// The `nf_hookfn` of `PRE_ROUTING`.
///
/// # Safety
///
/// As [`local_in`].
unsafe extern "C" fn pre_routing<T: Hooks>(
    data: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> u32 {
    // SAFETY: What this asks is what this function asks of its caller.
    let (hooks, skb, state) = unsafe { arguments::<T>(data, skb, state) };
    hooks.pre_routing(skb, &state).0
}

/// The `nf_hookfn` of `LOCAL_IN`.
///
/// # Safety
///
/// As `nf_hook_entry_hookfn()` calls it: `data` is the `priv` of [`Registration`]'s ops, `skb` is
/// the hook's own until it returns, `state` valid until then.
unsafe extern "C" fn local_in<T: Hooks>(
    data: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> u32 {
    // SAFETY: What this asks is what this function asks of its caller.
    let (hooks, skb, state) = unsafe { arguments::<T>(data, skb, state) };
    hooks.local_in(skb, &state).0
}

/// The `nf_hookfn` of `LOCAL_OUT`.
///
/// # Safety
///
/// As [`local_in`].
unsafe extern "C" fn local_out<T: Hooks>(
    data: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> u32 {
    // SAFETY: What this asks is what this function asks of its caller.
    let (hooks, skb, state) = unsafe { arguments::<T>(data, skb, state) };
    hooks.local_out(skb, &state).0
}

/// A hook's arguments as Rust has them.
///
/// # Safety
///
/// As [`local_in`].
unsafe fn arguments<'a, T: Hooks>(
    data: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> (&'a T, SkBuff<'a>, HookState<'a>) {
    // SAFETY: `data` points to the `T` that the registration keeps alive until no hook runs.
    let hooks = unsafe { &*data.cast::<T>() };
    // SAFETY: `nf_hook_slow()` passes a valid buffer; it is never null.
    let pointer = unsafe { NonNull::new_unchecked(skb) };
    // SAFETY: It is the hook's own, with its data at the network header: `ip_rcv()`,
    // `ip_local_deliver()`, `__ip_local_out()` and their IPv6 counterparts call the hook before any `skb_pull()`.
    let skb = unsafe { SkBuff::from_raw(pointer) };
    // SAFETY: `nf_hook_slow()` passes a valid state; it is never null.
    let state = unsafe { NonNull::new_unchecked(state.cast_mut()) };
    // SAFETY: As above.
    let family = match u32::from(unsafe { (*state.as_ptr()).pf }) {
        bindings::NFPROTO_IPV6 => Family::V6,
        _ => Family::V4,
    };
    let state = HookState {
        state,
        family,
        _hook: PhantomData,
    };
    (hooks, skb, state)
}
