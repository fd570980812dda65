// SPDX-License-Identifier: GPL-2.0

//! What a path that is not validated may get although little came from it (S-40).

use super::CONFIRM_OCTETS;
use crate::proto::time::Instant;
use core::time::Duration;

/// How often a whole segment is given for nothing to a path from which little came, and which is not
/// validated. An UPDATE is small: were it given to each, a peer could have ever more sent to somebody
/// else for ever little.
const GRACE: Duration = Duration::from_secs(10);

/// When a path was given a whole segment, unless that has been validated since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Grace(Option<Instant>);

impl Grace {
    /// None was given yet.
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// How many octets may be sent to a new path whatever comes from it: a `segment`, unless that is none, and
    /// the CONFIRM before it, which would otherwise leave no room for one.
    pub(super) fn floor(&self, now: Instant, segment: u32) -> u32 {
        if segment == 0 || self.is_used_up(now) {
            0
        } else {
            segment.saturating_add(CONFIRM_OCTETS)
        }
    }

    /// Whether a path was given one lately.
    pub(super) fn is_used_up(&self, now: Instant) -> bool {
        self.0.is_some_and(|given| now.since(given) < GRACE)
    }

    /// A path is given one.
    pub(super) fn use_up(&mut self, now: Instant) {
        self.0 = Some(now);
    }

    /// It was given to whom it was for.
    pub(super) fn restore(&mut self) {
        self.0 = None;
    }
}
