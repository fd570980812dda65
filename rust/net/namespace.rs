// SPDX-License-Identifier: GPL-2.0

//! Network namespaces, and what a module keeps for each of them.
//!
//! C headers: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h),
//! [`include/net/netns/generic.h`](srctree/include/net/netns/generic.h)

use crate::bindings;
use crate::net::work::Worker;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::error::{
    code,
    to_result,
    Error,
    Result, //
};
use kernel::prelude::*;
use kernel::sync::{
    rcu,
    Arc, //
};
use kernel::types::Opaque;

/// A network namespace that something else keeps alive for `'a`.
///
/// # Invariants
///
/// `net` is a live `struct net` for `'a`.
#[derive(Clone, Copy)]
pub struct NetRef<'a> {
    net: NonNull<bindings::net>,
    _alive: PhantomData<&'a bindings::net>,
}

impl NetRef<'_> {
    /// Wraps a pointer of the kernel's.
    ///
    /// # Safety
    ///
    /// `net` is not null and stays alive for the lifetime of the result.
    pub(super) unsafe fn from_raw(net: *mut bindings::net) -> Self {
        Self {
            // SAFETY: Not null, by the caller's promise.
            net: unsafe { NonNull::new_unchecked(net) },
            _alive: PhantomData,
        }
    }

    /// The pointer.
    pub(super) fn as_ptr(&self) -> NonNull<bindings::net> {
        self.net
    }
}

/// The namespace that a [`PerNamespace`] belongs to. It lives longer than what belongs to it, so
/// there is no count to hold, and holding none lets the namespace end.
///
/// # Invariants
///
/// `net` is alive for as long as the [`PerNamespace`] this was made for has not been dropped.
pub struct Home {
    net: NonNull<bindings::net>,
}

// SAFETY: A pointer to a `struct net`, which all threads may use.
unsafe impl Send for Home {}
// SAFETY: As above.
unsafe impl Sync for Home {}

impl Home {
    /// The namespace.
    pub fn net(&self) -> NetRef<'_> {
        // INVARIANT: Alive as long as `self`, by the type's invariant.
        NetRef {
            net: self.net,
            _alive: PhantomData,
        }
    }
}

/// What a module keeps for each network namespace.
pub trait PerNamespace: Worker {
    /// Makes it. Process context.
    fn new(home: Home) -> impl PinInit<Self, Error>;

    /// Begins: registers what the namespace is to show. Process context, may sleep.
    fn start(self: &Arc<Self>) -> Result;

    /// Ends: undoes all registrations, so that nothing calls in any more. Process context, may
    /// sleep; the namespace's devices may still be there.
    fn stop(&self);

    /// Called after [`PerNamespace::stop`], when no work runs any more either. Process context,
    /// may sleep.
    fn finish(&self);
}

/// One [`PerNamespace`] in every namespace there is and will be; dropping it ends them all.
///
/// # Invariants
///
/// `ops` is registered.
#[pin_data(PinnedDrop)]
pub struct Registration<T: PerNamespace> {
    #[pin]
    ops: Opaque<bindings::pernet_operations>,
    _kind: PhantomData<fn() -> T>,
}

// SAFETY: There is nothing to do with it but drop it, which may happen anywhere.
unsafe impl<T: PerNamespace> Send for Registration<T> {}
// SAFETY: As above.
unsafe impl<T: PerNamespace> Sync for Registration<T> {}

/// The number of our slot in each namespace (`net_generic()`), the same for all: a module has one
/// [`Registration`].
static SLOT: Slot = Slot(UnsafeCell::new(0));

/// A cell that `register_pernet_subsys()` writes before any namespace is told of it.
struct Slot(UnsafeCell<core::ffi::c_uint>);

// SAFETY: Written once, by `register_pernet_operations()` before it calls any `init`, and read only
// after that.
unsafe impl Sync for Slot {}

impl<T: PerNamespace> Registration<T> {
    /// Makes and starts a `T` in each namespace.
    ///
    /// # Context
    ///
    /// Process context, may sleep; at most one at a time in a module.
    pub fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            ops <- Opaque::try_ffi_init(|ops: *mut bindings::pernet_operations| {
                let filled = bindings::pernet_operations {
                    init: Some(init::<T>),
                    pre_exit: Some(pre_exit::<T>),
                    exit: Some(exit::<T>),
                    id: SLOT.0.get(),
                    size: core::mem::size_of::<*const T>(),
                    ..Default::default()
                };
                // SAFETY: `ops` is the place to initialise.
                unsafe { ops.write(filled) };
                // SAFETY: `register_pernet_subsys()` (net/core/net_namespace.c) keeps `ops`, which
                // is pinned, until `Drop` unregisters it. On an error it has undone all.
                to_result(unsafe { bindings::register_pernet_subsys(ops) })
            }),
            _kind: PhantomData,
        })
    }
}

#[pinned_drop]
impl<T: PerNamespace> PinnedDrop for Registration<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Registered, by the type's invariant.
        unsafe { bindings::unregister_pernet_subsys(self.ops.get()) };
    }
}

/// The `T` of a namespace; `None` before it has one and after.
///
/// # Context
///
/// Where the namespace cannot be ending just now: in its notifiers, hooks and files.
pub(super) fn of<T: PerNamespace>(net: NetRef<'_>) -> Option<Arc<T>> {
    let kept = slot(net);
    // SAFETY: The slot is null, or what `init()` put there with `Arc::into_raw()`; `exit()` takes
    // it out again, which does not happen meanwhile, as the caller sees to.
    let kept = NonNull::new(unsafe { *kept }.cast_mut())?;
    // SAFETY: As above.
    let borrowed =
        unsafe { <Arc<T> as kernel::types::ForeignOwnable>::borrow(kept.as_ptr().cast()) };
    Some(borrowed.into())
}

/// Does `then` with the `T` of a namespace, without taking a reference; `None` before it has one
/// and after.
///
/// # Context
///
/// As [`of`], under the RCU read lock.
pub(super) fn with<T: PerNamespace, R>(
    net: NetRef<'_>,
    _rcu: &rcu::Guard,
    then: impl FnOnce(&T) -> R,
) -> Option<R> {
    let kept = slot(net);
    // SAFETY: As in `of()`.
    let kept = NonNull::new(unsafe { *kept }.cast_mut())?;
    // SAFETY: As above: `exit()` drops its reference a grace period after `pre_exit()`, which has
    // ended whatever calls this (`ops_undo_list()`, net/core/net_namespace.c).
    let borrowed =
        unsafe { <Arc<T> as kernel::types::ForeignOwnable>::borrow(kept.as_ptr().cast()) };
    Some(then(&borrowed))
}

/// Where a namespace keeps its pointer to a `T`.
fn slot(net: NetRef<'_>) -> *mut *const c_void {
    // SAFETY: `register_pernet_operations()` has written it: `net` has called us.
    let id = unsafe { *SLOT.0.get() };
    // SAFETY: `net_generic()` (include/net/netns/generic.h) gives the memory of `size` octets that
    // the namespace has for this id.
    unsafe { bindings::tcpc_net_generic(net.as_ptr().as_ptr(), id) }.cast()
}

/// `pernet_operations.init`.
///
/// # Safety
///
/// As `ops_init()` (net/core/net_namespace.c) calls it.
unsafe extern "C" fn init<T: PerNamespace>(net: *mut bindings::net) -> core::ffi::c_int {
    let Some(alive) = NonNull::new(net) else {
        return code::EINVAL.to_errno();
    };
    // INVARIANT: `exit()` drops the `T` before the namespace is freed.
    let made = Arc::pin_init(T::new(Home { net: alive }), GFP_KERNEL);
    let this: Arc<T> = match made {
        Ok(this) => this,
        Err(error) => return error.to_errno(),
    };
    // SAFETY: `exit()` stops it before the `T` is dropped; so does the error path below.
    unsafe { this.work().start(&*this) };
    // SAFETY: `ops_init()` passes a live namespace.
    let net = unsafe { NetRef::from_raw(net) };
    let started = this.start();
    if let Err(error) = started {
        this.stop();
        this.work().stop();
        this.finish();
        return error.to_errno();
    }
    let raw = kernel::types::ForeignOwnable::into_foreign(this);
    // SAFETY: The slot is this namespace's own, and nobody else writes it.
    unsafe { *slot(net) = raw.cast() };
    0
}

/// `pernet_operations.pre_exit`.
///
/// # Safety
///
/// As `ops_pre_exit_list()` (net/core/net_namespace.c) calls it.
unsafe extern "C" fn pre_exit<T: PerNamespace>(net: *mut bindings::net) {
    // SAFETY: A live namespace, by the caller.
    let net = unsafe { NetRef::from_raw(net) };
    if let Some(this) = of::<T>(net) {
        this.stop();
    }
}

/// `pernet_operations.exit`.
///
/// # Safety
///
/// As `ops_exit_list()` (net/core/net_namespace.c) calls it.
unsafe extern "C" fn exit<T: PerNamespace>(net: *mut bindings::net) {
    // SAFETY: A live namespace, by the caller.
    let net = unsafe { NetRef::from_raw(net) };
    let kept = slot(net);
    // SAFETY: The slot is this namespace's own, and nobody else writes it.
    let raw = unsafe { kept.replace(core::ptr::null()) };
    if raw.is_null() {
        return;
    }
    // SAFETY: `init()` put it there with `into_foreign()`, and it is taken out just once.
    let this: Arc<T> =
        unsafe { kernel::types::ForeignOwnable::from_foreign(raw.cast_mut().cast()) };
    this.work().stop();
    this.finish();
}
