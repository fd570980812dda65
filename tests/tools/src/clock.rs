// SPDX-License-Identifier: GPL-2.0

//! CLOCK_MONOTONIC, which all namespaces of a machine share.

use nix::time::clock_gettime;
use nix::time::ClockId;

/// CLOCK_MONOTONIC in microseconds.
pub fn now_us() -> u64 {
    // The clock exists on every Linux: the call cannot fail.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .ok()
        .and_then(|time| u64::try_from(time.tv_sec() * 1_000_000 + time.tv_nsec() / 1000).ok())
        .unwrap_or_default()
}
