// SPDX-License-Identifier: GPL-2.0

//! Time, in microseconds: the machine's, which packets are stamped with, and the script's.

use std::time::Duration;

use nix::time::{clock_gettime, ClockId};

use crate::config::TOLERANCE_PERCENT;
use crate::script::Time;
use crate::trouble::{Outcome, Trouble};

/// The last microseconds before an event are waited for without sleeping.
const SPIN: i64 = 20;

/// How long after a tick of the kernel a script begins. Near an edge, a little delay would change
/// what the kernel measures in ticks.
const AFTER_TICK: i64 = 250;

/// The time of the machine, in microseconds.
pub fn now() -> i64 {
    read(ClockId::CLOCK_REALTIME)
}

fn read(clock: ClockId) -> i64 {
    // It fails for clocks that are not there only.
    let time = clock_gettime(clock).expect("this clock is there");
    time.tv_sec() * 1_000_000 + time.tv_nsec() / 1000
}

/// Waits until it is later than this.
pub fn wait_until(time: i64) {
    loop {
        let left = time - now();
        match u64::try_from(left - SPIN) {
            Ok(sleep) if sleep > 0 => std::thread::sleep(Duration::from_micros(sleep)),
            _ if left > 0 => std::hint::spin_loop(),
            _ => return,
        }
    }
}

/// A time well inside of a tick of the kernel.
pub fn beginning() -> i64 {
    const WARM_UP: u32 = 10;
    let mut start = 0;
    for _ in 0..WARM_UP {
        let before = read(ClockId::CLOCK_REALTIME_COARSE);
        while read(ClockId::CLOCK_REALTIME_COARSE) == before {
            std::hint::spin_loop();
        }
        start = now();
    }
    wait_until(start + AFTER_TICK);
    start + AFTER_TICK
}

/// When an event is due, in microseconds since the script's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The earliest.
    pub from: i64,
    /// The latest; as `from`, if the script says one time.
    pub to: i64,
    /// Whether any time will do.
    pub any: bool,
    /// What was added to the script's numbers.
    pub offset: i64,
}

impl Due {
    /// When an event is due whose relative times are relative to `base`.
    pub fn new(time: Time, base: i64) -> Self {
        let (from, to, any, offset) = match time {
            Time::Absolute(at) => (at, at, false, 0),
            Time::AbsoluteRange(from, to) => (from, to, false, 0),
            Time::Relative(at) => (base + at, base + at, false, base),
            Time::RelativeRange(from, to) => (base + from, base + to, false, base),
            Time::Any => (base, base, true, base),
        };
        Self {
            from,
            to,
            any,
            offset,
        }
    }

    /// Whether something has happened in time, if an event before it was due at `before`.
    ///
    /// # Errors
    ///
    /// It happened at another time.
    pub fn check(&self, what: &str, happened: i64, before: i64, tolerance: i64) -> Outcome<()> {
        let tolerance = tolerance.max(in_proportion(self.from - before));
        if self.any || (self.from - tolerance..=self.to + tolerance).contains(&happened) {
            return Ok(());
        }
        let range = if self.from == self.to {
            seconds(self.from)
        } else {
            format!("{} to {}", seconds(self.from), seconds(self.to))
        };
        Err(Trouble::failed(
            format_args!("{what} at {range} s (tolerance {})", seconds(tolerance)),
            format_args!("at {} s", seconds(happened)),
        ))
    }
}

/// The tolerance after so long a wait.
pub fn in_proportion(wait: i64) -> i64 {
    (wait as f64 * TOLERANCE_PERCENT / 100.0) as i64
}

fn seconds(time: i64) -> String {
    format!("{:.6}", time as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::Due;
    use crate::script::Time;

    #[test]
    fn times_are_relative_or_not() {
        assert_eq!(Due::new(Time::Absolute(5), 100).from, 5);
        assert_eq!(Due::new(Time::Relative(5), 100).from, 105);
        let range = Due::new(Time::RelativeRange(5, 9), 100);
        assert_eq!((range.from, range.to), (105, 109));
    }

    #[test]
    fn early_and_late_are_noticed() {
        let due = Due::new(Time::AbsoluteRange(10_000, 20_000), 0);
        for (happened, good) in [
            (5_999, false),
            (6_000, true),
            (24_000, true),
            (24_001, false),
        ] {
            assert_eq!(
                due.check("it", happened, 10_000, 4000).is_ok(),
                good,
                "{happened}"
            );
        }
    }

    #[test]
    fn tolerance_grows_with_the_wait() {
        let due = Due::new(Time::Relative(1_000_000), 0);
        assert!(due.check("it", 1_120_000, 0, 4000).is_ok());
        assert!(due.check("it", 1_120_000, 900_000, 4000).is_err());
    }

    #[test]
    fn any_time_is_any_time() {
        assert!(Due::new(Time::Any, 0).check("it", 1 << 40, 0, 0).is_ok());
    }
}
