// SPDX-License-Identifier: GPL-2.0

//! The clock that protocol timers go by, and the one that TCP's go by.
//!
//! C headers: [`include/linux/ktime.h`](srctree/include/linux/ktime.h),
//! [`include/linux/jiffies.h`](srctree/include/linux/jiffies.h)

use crate::bindings;
use core::time::Duration;

/// Milliseconds since the system was started, without the time it was asleep.
///
/// # Context
///
/// Any.
pub fn monotonic_ms() -> u64 {
    // SAFETY: `ktime_get()` has no condition.
    unsafe { bindings::tcpc_ktime_get_ms() }
}

/// A time in jiffies, at most a quarter of what 32 bits can tell apart.
///
/// The kernel converts it: what bindgen takes for `HZ` is the constant of user space
/// (include/uapi/asm-generic/param.h), 100.
///
/// # Context
///
/// Any.
pub fn jiffies(time: Duration) -> u32 {
    const MOST: u32 = u32::MAX >> 2;
    let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    u32::try_from(kernel::time::msecs_to_jiffies(millis)).map_or(MOST, |ticks| ticks.min(MOST))
}
