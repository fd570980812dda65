// SPDX-License-Identifier: GPL-2.0

//! Work that can be asked for in any context, done in process context, and brought forward.
//!
//! The kernel crate's `DelayedWork` can neither be brought forward nor cancelled, and has the
//! system's queues only, where work that waits for a socket's owner would hold others up.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use crate::bindings;
use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::time::Duration;
use kernel::error::code;
use kernel::prelude::*;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use kernel::types::Opaque;

/// Something that has work to do.
pub trait Worker: Sized + Send + Sync + 'static {
    /// The work item, a part of it.
    fn work(&self) -> &Work<Self>;

    /// Does what there is to do. Process context, may sleep; never runs twice at once.
    fn run(&self);
}

/// A work item on the module's own queue.
///
/// # Invariants
///
/// Between `start()` and `stop()` `target` is the address of the [`Worker`] this is a part of.
#[pin_data]
pub struct Work<T: Worker> {
    #[pin]
    inner: Opaque<Inner>,
    /// Held while a run is asked for. Between being pending and having its timer an item looks as
    /// if it were queued already: who asks for a run at once in that moment would be content with
    /// it, and the run would come when the timer lets it.
    #[pin]
    asking: SpinLockBh<()>,
    _kind: PhantomData<fn() -> T>,
}

/// What the queue's callback gets at.
///
/// The item is the first member, so that a pointer to one is a pointer to the other.
#[repr(C)]
struct Inner {
    work: bindings::delayed_work,
    target: *const core::ffi::c_void,
}

// SAFETY: The kernel's functions for work items may be called from any thread.
unsafe impl<T: Worker> Send for Work<T> {}
// SAFETY: As above; `target` changes only while nobody else uses it.
unsafe impl<T: Worker> Sync for Work<T> {}

impl<T: Worker> Work<T> {
    /// An item that does nothing yet.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            inner <- Opaque::ffi_init(|inner: *mut Inner| {
                let empty = Inner { work: Default::default(), target: core::ptr::null() };
                // SAFETY: The place to initialise.
                unsafe { inner.write(empty) };
                // SAFETY: As above; the item is pinned, as `INIT_DELAYED_WORK()` wants it.
                unsafe { bindings::tcpc_init_delayed_work(inner.cast(), Some(run::<T>)) };
            }),
            asking <- spinlock_bh!((), "tcp_continuity_work"),
            _kind: PhantomData,
        })
    }

    /// Lets work be asked for.
    ///
    /// # Safety
    ///
    /// `target` is what this is a part of, and not dropped before [`Work::stop`] was called.
    pub(super) unsafe fn start(&self, target: *const T) {
        // SAFETY: Nothing has been queued yet, so nobody reads it.
        unsafe { (*self.inner.get()).target = target.cast() };
    }

    /// Waits for the work if it runs, and lets none be asked for any more.
    ///
    /// # Context
    ///
    /// Process context, may sleep.
    pub(super) fn stop(&self) {
        // SAFETY: An initialised item; from now on it cannot be queued
        // (`disable_delayed_work_sync()`, kernel/workqueue.c).
        unsafe { bindings::disable_delayed_work_sync(self.inner.get().cast()) };
    }

    /// Takes back what was asked for, and waits for the work if it runs.
    ///
    /// # Context
    ///
    /// Process context, may sleep.
    pub fn cancel(&self) {
        // SAFETY: An initialised item (`cancel_delayed_work_sync()`, kernel/workqueue.c). The
        // result says whether it was pending.
        unsafe { bindings::cancel_delayed_work_sync(self.inner.get().cast()) };
    }

    /// Asks for a run in `delay`; one that was due later is brought forward, one that is due
    /// earlier is not put off.
    ///
    /// # Context
    ///
    /// Any but hard interrupts.
    pub fn schedule(&self, delay: Duration) {
        let Some(queue) = NonNull::new(QUEUE.load(Relaxed) as *mut bindings::workqueue_struct)
        else {
            return;
        };
        let millis = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX / 2);
        let _asking = self.asking.lock();
        // SAFETY: The queue lives while any namespace does; the helper looks at the item's timer
        // and calls `mod_delayed_work()`, from any context. `asking` keeps others from that.
        unsafe { bindings::tcpc_schedule_at_most(queue.as_ptr(), self.inner.get().cast(), millis) };
    }
}

/// The queue's callback.
///
/// # Safety
///
/// As `process_one_work()` (kernel/workqueue.c) calls it, with the item of an [`Inner`].
unsafe extern "C" fn run<T: Worker>(work: *mut bindings::work_struct) {
    // `work` is the first member of `delayed_work`, which is the first of `Inner`.
    let inner = work.cast::<Inner>();
    // SAFETY: The item is inside an `Inner` that `stop()` outlives.
    let target = unsafe { (*inner).target }.cast::<T>();
    // SAFETY: Set by `start()`; `stop()` waits for this call before the target is dropped.
    if let Some(target) = unsafe { target.as_ref() } {
        target.run();
    }
}

/// The module's queue, or null. Set while a [`Queue`] lives.
static QUEUE: Atomic<usize> = Atomic::new(0);

/// The module's own queue; to be made before and dropped after everything that asks for work.
pub struct Queue(NonNull<bindings::workqueue_struct>);

// SAFETY: A queue belongs to no thread.
unsafe impl Send for Queue {}
// SAFETY: As above.
unsafe impl Sync for Queue {}

impl Queue {
    /// Makes the queue. Process context, may sleep; one at a time.
    pub fn new() -> Result<Self> {
        // SAFETY: `alloc_workqueue()` with a constant name.
        let queue = unsafe { bindings::tcpc_alloc_workqueue() };
        let queue = NonNull::new(queue).ok_or(code::ENOMEM)?;
        QUEUE.store(queue.as_ptr().addr(), Relaxed);
        Ok(Self(queue))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        QUEUE.store(0, Relaxed);
        // SAFETY: Made by `new()`; all items are stopped.
        unsafe { bindings::destroy_workqueue(self.0.as_ptr()) };
    }
}
