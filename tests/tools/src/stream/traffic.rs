// SPDX-License-Identifier: GPL-2.0

//! What a connection sends without being asked again.

use std::time::Duration;
use std::time::Instant;

use super::frame::Frame;

/// Octets of one `Data` frame at full speed.
pub const BULK: u64 = 64 * 1024;

/// What a connection sends without being asked again.
#[derive(Clone, Copy, Debug)]
pub enum Traffic {
    /// Nothing.
    Quiet,
    /// As much as the socket takes.
    Bulk,
    /// `size` octets every `interval`, the next at `next`.
    Records {
        size: u32,
        interval: Duration,
        next: Instant,
    },
}

impl Traffic {
    /// Records that begin now.
    pub fn records(size: u32, interval_ms: u32) -> Self {
        let interval = Duration::from_millis(interval_ms.max(1).into());
        Self::Records {
            size,
            interval,
            next: Instant::now(),
        }
    }

    /// What makes the other end do the same.
    pub fn beginning(self) -> Option<Frame> {
        match self {
            Self::Quiet => None,
            Self::Bulk => Some(Frame::Bulk { on: true }),
            Self::Records { size, interval, .. } => {
                let interval_ms = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
                Some(Frame::Records {
                    on: true,
                    size,
                    interval_ms,
                })
            }
        }
    }

    /// What makes the other end stop, and report.
    pub fn ending(self) -> Frame {
        match self {
            Self::Quiet | Self::Bulk => Frame::Bulk { on: false },
            Self::Records { .. } => Frame::Records {
                on: false,
                size: 0,
                interval_ms: 0,
            },
        }
    }

    /// When the next record is due.
    pub fn deadline(self) -> Option<Instant> {
        match self {
            Self::Records { next, .. } => Some(next),
            Self::Quiet | Self::Bulk => None,
        }
    }

    /// The size of a record that is due at `now`; to be asked until there is none.
    pub fn due(&mut self, now: Instant) -> Option<u64> {
        match self {
            Self::Records {
                size,
                interval,
                next,
            } if *next <= now => {
                *next += *interval;
                Some(u64::from(*size))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_were_missed_are_made_up_for() {
        let mut traffic = Traffic::records(7, 10);
        let start = traffic.deadline().unwrap();
        assert_eq!(traffic.due(start - Duration::from_millis(1)), None);
        let late = start + Duration::from_millis(25);
        let sizes: Vec<u64> = std::iter::from_fn(|| traffic.due(late)).collect();
        assert_eq!(sizes, [7, 7, 7]);
        assert_eq!(traffic.deadline(), Some(start + Duration::from_millis(30)));
    }
}
