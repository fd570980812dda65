// SPDX-License-Identifier: GPL-2.0

//! What shows that the peer has followed a move, and not only that it was heard.
//!
//! A flow that has moved more than once may be where it was shortly before, and then hear what the
//! peer sent there before it followed a move away; or the peer may follow an UPDATE that was
//! overtaken by the last. Taken for a confirmation, that would leave the ends apart for good.

use crate::proto::seq::SeqNum;
use crate::proto::time::Instant;
use core::time::Duration;

/// How long segments of an earlier stay may confuse: an UPDATE may be on its way for as long as the
/// correspondent guards against (`STRAY` there), and what was sent before it came for as long again.
const STRAYS: Duration = Duration::from_secs(4);

/// What it takes to confirm a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Any segment: the flow has not been anywhere else lately.
    Heard,
    /// A segment that echoes this time or a later one: then the peer has something that was sent
    /// since, and follows nothing older.
    Echo(SeqNum),
    /// A segment that comes at this time or later.
    HeardAfter(Instant),
}

impl Proof {
    /// Of a move made now, on a connection whose timestamp clock shows `clock`; `again` if it is
    /// not the first since the flow was at rest.
    pub fn of_move(again: bool, now: Instant, clock: Option<u32>) -> Self {
        match clock {
            _ if !again => Self::Heard,
            Some(clock) => Self::Echo(SeqNum::new(clock)),
            None => Self::HeardAfter(now.after(STRAYS)),
        }
    }

    /// Whether a segment of the peer's that comes now, with this TSecr, is it.
    pub fn is_given(self, now: Instant, echo: Option<u32>) -> bool {
        match self {
            Self::Heard => true,
            Self::Echo(since) => echo.is_some_and(|echo| !SeqNum::new(echo).before(since)),
            Self::HeardAfter(at) => at <= now,
        }
    }

    /// When it can be given first, of a move made now.
    pub fn possible_from(self, now: Instant) -> Instant {
        match self {
            Self::Heard | Self::Echo(_) => now,
            Self::HeardAfter(at) => at,
        }
    }
}

#[cfg(test)]
mod tests;
