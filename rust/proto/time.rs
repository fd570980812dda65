// SPDX-License-Identifier: GPL-2.0

//! Time, and waiting longer each time.

use core::time::Duration;

/// A point of a monotonic clock, in milliseconds since some beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// In milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// `duration` later, as far as the clock reaches.
    pub fn after(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long ago `earlier` was; nothing if it was not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Waiting times that double.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    next: Duration,
}

impl Backoff {
    /// The first wait at least: no answer can be missed sooner on any path (`TCP_RTO_MIN`).
    const SHORTEST: Duration = Duration::from_millis(200);
    /// The first wait at least where it is as long as round trips are: a peer's process may own the
    /// socket for a moment, and the answer be late by that.
    const SOONEST: Duration = Duration::from_millis(100);
    /// The first wait at most.
    const FIRST_AT_MOST: Duration = Duration::from_secs(3);
    /// Any wait at most: the path may come back at any time, and a segment costs little.
    const LONGEST: Duration = Duration::from_secs(8);

    /// Begins with the connection's retransmission timeout (RFC 6298), within limits.
    pub fn from_rto(rto: Duration) -> Self {
        Self {
            next: rto.clamp(Self::SHORTEST, Self::FIRST_AT_MOST),
        }
    }

    /// Begins sooner, after one and a half round trips, with something that may have to be sent
    /// another way than before; with `rto` if no round trip was measured.
    pub fn from_round_trip(srtt: Duration, rto: Duration) -> Self {
        let after_rto = Self::from_rto(rto);
        if srtt.is_zero() {
            return after_rto;
        }
        let three_halves = srtt.saturating_add(srtt.checked_div(2).unwrap_or(srtt));
        Self {
            next: three_halves.max(Self::SOONEST).min(after_rto.next),
        }
    }

    /// How long to wait now; the next wait is twice as long.
    pub fn wait(&mut self) -> Duration {
        let now = self.next;
        self.next = now.saturating_mul(2).min(Self::LONGEST);
        now
    }
}
