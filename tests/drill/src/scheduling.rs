// SPDX-License-Identifier: GPL-2.0

//! Makes this process prompt, since it measures time.

use nix::sys::mman::{mlockall, MlockAllFlags};

/// Asks for the lowest real-time priority and for memory that stays. Without them, scripts fail
/// more often and for no other reason, so it is no error not to get them.
pub fn prefer() {
    let _ = mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE);
    let one = std::thread::available_parallelism().is_ok_and(|count| count.get() == 1);
    if one {
        // Nothing else would run while this waits without sleeping.
        return;
    }
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: sched_setscheduler(2) reads `parameters`, which lives until it returns.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const parameters) };
}
