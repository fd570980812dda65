// SPDX-License-Identifier: GPL-2.0

//! Exclusion between process context and softirq.
//!
//! The kernel crate's `SpinLock` leaves softirqs on, so what it guards must not be touched in one.
//! [`SpinLockBh`] is the same lock with bottom halves off.
//!
//! C headers: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h),
//! [`include/linux/bottom_half.h`](srctree/include/linux/bottom_half.h)

use crate::bindings;
use kernel::sync::lock::{
    Backend,
    Lock, //
};
use kernel::types::NotThreadSafe;

/// A spinlock that is taken with bottom halves off: for data shared with softirq.
pub type SpinLockBh<T> = Lock<T, SpinLockBhBackend>;

/// Makes a [`SpinLockBh`] with a lock class of its own for lockdep.
#[macro_export]
macro_rules! spinlock_bh {
    ($inner:expr, $name:literal) => {
        $crate::net::sync::SpinLockBh::new(
            $inner,
            kernel::c_str!($name),
            kernel::static_lock_class!(),
        )
    };
}
pub use spinlock_bh;

/// The [`Backend`] of [`SpinLockBh`].
pub struct SpinLockBhBackend;

// SAFETY: `spin_lock_bh()` and `spin_unlock_bh()` keep all others out between them, softirqs on
// this CPU included.
unsafe impl Backend for SpinLockBhBackend {
    type State = bindings::spinlock_t;
    type GuardState = ();

    unsafe fn init(
        ptr: *mut Self::State,
        name: *const kernel::ffi::c_char,
        key: *mut kernel::bindings::lock_class_key,
    ) {
        // SAFETY: The caller says that `ptr` may be written, and `name` and `key` stay.
        unsafe { bindings::tcpc_spin_lock_init(ptr, name, key.cast()) }
    }

    unsafe fn lock(ptr: *mut Self::State) {
        // SAFETY: The caller says that it is initialised.
        unsafe { bindings::tcpc_spin_lock_bh(ptr) }
    }

    unsafe fn try_lock(ptr: *mut Self::State) -> Option<()> {
        // SAFETY: The caller says that it is initialised.
        unsafe { bindings::tcpc_spin_trylock_bh(ptr) }.then_some(())
    }

    unsafe fn unlock(ptr: *mut Self::State, _state: &()) {
        // SAFETY: The caller says that it is the owner.
        unsafe { bindings::tcpc_spin_unlock_bh(ptr) }
    }

    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // SAFETY: The caller says that it is initialised.
        unsafe { bindings::tcpc_assert_spin_locked(ptr) }
    }
}

/// Bottom halves are off on this CPU while this lives. Nests.
#[must_use]
pub struct Bh(NotThreadSafe);

impl Bh {
    /// Turns them off.
    pub fn disable() -> Self {
        // SAFETY: `local_bh_disable()` counts; `Drop` counts back.
        unsafe { bindings::tcpc_local_bh_disable() };
        Self(NotThreadSafe)
    }

    /// Turns them on for a [`Bh`] that was forgotten: by a lock that keeps them off until it is
    /// released.
    pub(super) fn enable_forgotten() {
        drop(Self(NotThreadSafe));
    }
}

impl Drop for Bh {
    fn drop(&mut self) {
        // SAFETY: Counts back what `disable()` counted.
        unsafe { bindings::tcpc_local_bh_enable() };
    }
}

/// Waits until every RCU reader of now has ended.
///
/// # Context
///
/// Process context, may sleep.
pub fn synchronize_rcu() {
    // SAFETY: No condition but the context.
    unsafe { bindings::synchronize_rcu() };
}

/// Lets others run if it is time.
///
/// # Context
///
/// Process context, no spinlock held.
pub fn cond_resched() {
    // SAFETY: No condition but the context.
    unsafe { bindings::tcpc_cond_resched() };
}
