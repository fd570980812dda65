// SPDX-License-Identifier: GPL-2.0

//! The clock that protocol timers go by.
//!
//! C header: [`include/linux/ktime.h`](srctree/include/linux/ktime.h)

use crate::bindings;

/// Milliseconds since the system was started, without the time it was asleep.
///
/// # Context
///
/// Any.
pub fn monotonic_ms() -> u64 {
    // SAFETY: `ktime_get()` has no condition.
    unsafe { bindings::tcpc_ktime_get_ms() }
}
