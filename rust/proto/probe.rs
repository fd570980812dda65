// SPDX-License-Identifier: GPL-2.0

//! Asking whether a peer is still there, in the secure profile: an UPDATE from where this end is
//! already, which a CONFIRM answers.
//!
//! ```text
//!             RST, silence                        guard time over
//!     Quiet -----------------> Asking, in doubt ------------------> Asking, RSTs are believed
//!      ^ ^                       |    ^                                |         |
//!      | |               CONFIRM |    | a RST came meanwhile   CONFIRM |         |
//!      | |                       v    |                                |         |
//!      | +----- a while ------- Answered <-----------------------------+         |
//!      +----------------------------- asked often enough <-----------------------+
//! ```
//!
//! Whoever does not answer has lost nothing by this: TCP's own limits go on.

use crate::proto::actions;
use crate::proto::happening::Happening;
use crate::proto::ids::Epoch;
use crate::proto::seq::SeqNum;
use crate::proto::settings::Settings;
use crate::proto::time::Backoff;
use crate::proto::time::Instant;
use core::time::Duration;

/// How often the peer is asked after silence, and again after a RST's guard time.
const ASKS: u8 = 3;
/// How long a peer that has just answered is not asked again, whoever sends RSTs.
const PAUSE: Duration = Duration::from_secs(1);

/// What the machine is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A RST came that TCP would believe, or answer with a challenge (RFC 5961, section 3.2).
    Rst {
        /// The connection's retransmission timeout, without backoff.
        rto: Duration,
    },
    /// TCP has retransmitted twice in a row, or more, and was not answered.
    Silence {
        /// The connection's retransmission timeout, without backoff.
        rto: Duration,
    },
    /// An UPDATE is about to be sent, as [`Action::Ask`] says.
    Asked {
        /// The epoch the UPDATE had.
        epoch: Epoch,
        /// SND.UNA.
        acknowledged: SeqNum,
    },
    /// A CONFIRM came, and is authentic.
    Confirm {
        /// The epoch it names.
        epoch: Epoch,
        /// SND.UNA.
        acknowledged: SeqNum,
    },
    /// The deadline has come.
    Deadline,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send an UPDATE from where this end is, and tell its epoch.
    Ask,
    /// Do not let TCP see the RST.
    IgnoreSegment,
    /// Start over on the path and resend what is outstanding.
    RestartPath,
    /// Count.
    Count(Happening),
}

/// What is to be done, in order.
pub type Actions = actions::Actions<Action, 3>;

/// Whether a connection's peer is being asked if it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probe(Phase);

/// The state, with what only it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Quiet,
    Asking(Asking),
    /// It has answered just now.
    Answered {
        until: Instant,
        /// The timeout to ask anew with, if a RST came since.
        rst: Option<Duration>,
    },
}

/// The peer was asked, and has not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Asking {
    rto: Duration,
    /// The first question, if there was one: its epoch, and what was acknowledged then.
    first: Option<(Epoch, SeqNum)>,
    rst: Rst,
    backoff: Backoff,
    retry: Instant,
    /// How often it is still to be asked, once there is no guard time any more.
    left: u8,
}

/// What is thought of RSTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Rst {
    /// None came.
    None,
    /// They are not believed before this.
    Doubted(Instant),
    /// The peer has had its time to contradict.
    Believed,
}

impl Asking {
    /// The peer is asked now.
    fn begin(now: Instant, rto: Duration, rst: Rst) -> Self {
        let mut backoff = Backoff::from_rto(rto);
        Self {
            rto,
            first: None,
            rst,
            retry: now.after(backoff.wait()),
            backoff,
            left: ASKS.saturating_sub(1),
        }
    }
}

impl Probe {
    /// Of a connection whose peer is there.
    pub const fn new() -> Self {
        Self(Phase::Quiet)
    }

    /// When it wants to be told that it is time.
    pub fn deadline(&self) -> Option<Instant> {
        match self.0 {
            Phase::Quiet => None,
            Phase::Asking(Asking {
                rst: Rst::Doubted(until),
                retry,
                ..
            }) => Some(retry.min(until)),
            Phase::Asking(asking) => Some(asking.retry),
            Phase::Answered { until, .. } => Some(until),
        }
    }

    /// The only way in: what has happened, and what is to be done about it.
    pub fn handle(&mut self, now: Instant, settings: &Settings, event: Event) -> Actions {
        match event {
            Event::Rst { rto } => self.doubt(now, settings, rto),
            Event::Silence { rto } => self.miss(now, rto),
            Event::Asked {
                epoch,
                acknowledged,
            } => {
                if let Phase::Asking(asking) = &mut self.0 {
                    asking.first.get_or_insert((epoch, acknowledged));
                }
                Actions::default()
            }
            Event::Confirm {
                epoch,
                acknowledged,
            } => self.answered(now, epoch, acknowledged),
            Event::Deadline => self.meet_deadline(now, settings),
        }
    }

    /// A RST came.
    fn doubt(&mut self, now: Instant, settings: &Settings, rto: Duration) -> Actions {
        if settings.rst_guard.is_zero() {
            return Actions::default();
        }
        let ignored = Action::Count(Happening::RstIgnored);
        match &mut self.0 {
            Phase::Quiet => {}
            Phase::Asking(asking) => match asking.rst {
                Rst::None => {}
                Rst::Doubted(_) => return [Action::IgnoreSegment, ignored].into(),
                Rst::Believed => return [Action::Count(Happening::RstBelieved)].into(),
            },
            Phase::Answered { rst, .. } => {
                *rst = Some(rto);
                return [Action::IgnoreSegment, ignored].into();
            }
        }
        self.ask_in_doubt(now, settings, rto);
        [Action::IgnoreSegment, ignored, Action::Ask].into()
    }

    /// From now on the peer is asked because of a RST.
    fn ask_in_doubt(&mut self, now: Instant, settings: &Settings, rto: Duration) {
        let until = now.after(guard_time(settings, rto));
        let mut asking = Asking::begin(now, rto, Rst::Doubted(until));
        if let Phase::Asking(before) = self.0 {
            // An answer to what it was asked before is one.
            asking.first = before.first;
        }
        self.0 = Phase::Asking(asking);
    }

    /// The peer does not answer TCP.
    fn miss(&mut self, now: Instant, rto: Duration) -> Actions {
        match self.0 {
            Phase::Quiet => {
                self.0 = Phase::Asking(Asking::begin(now, rto, Rst::None));
                [Action::Ask].into()
            }
            Phase::Asking(_) | Phase::Answered { .. } => Actions::default(),
        }
    }

    /// A CONFIRM came.
    fn answered(&mut self, now: Instant, epoch: Epoch, acknowledged: SeqNum) -> Actions {
        let Phase::Asking(Asking {
            first: Some((first, before)),
            ..
        }) = self.0
        else {
            return Actions::default();
        };
        if epoch < first {
            return Actions::default();
        }
        self.0 = Phase::Answered {
            until: now.after(PAUSE),
            rst: None,
        };
        let counted = Action::Count(Happening::ProbeAnswered);
        if acknowledged == before {
            // What is outstanding has not arrived, or its answer has not.
            return [counted, Action::RestartPath].into();
        }
        [counted].into()
    }

    /// No answer yet, or one that is some time old.
    fn meet_deadline(&mut self, now: Instant, settings: &Settings) -> Actions {
        let mut asking = match self.0 {
            Phase::Quiet => return Actions::default(),
            Phase::Answered { until, rst } if until <= now => {
                self.0 = Phase::Quiet;
                let Some(rto) = rst.filter(|_| !settings.rst_guard.is_zero()) else {
                    return Actions::default();
                };
                self.ask_in_doubt(now, settings, rto);
                return [Action::Ask].into();
            }
            Phase::Answered { .. } => return Actions::default(),
            Phase::Asking(asking) => asking,
        };
        match asking.rst {
            Rst::Doubted(until) if until <= now => {
                // If there is nothing, this is what brings another RST.
                let first = asking.first;
                asking = Asking::begin(now, asking.rto, Rst::Believed);
                asking.first = first;
            }
            _ if asking.retry > now => return Actions::default(),
            Rst::Doubted(_) => asking.retry = now.after(asking.backoff.wait()),
            Rst::None | Rst::Believed => {
                let Some(left) = asking.left.checked_sub(1) else {
                    self.0 = Phase::Quiet;
                    return [Action::Count(Happening::ProbeUnanswered)].into();
                };
                asking.left = left;
                asking.retry = now.after(asking.backoff.wait());
            }
        }
        self.0 = Phase::Asking(asking);
        [Action::Ask].into()
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self::new()
    }
}

/// How long RSTs are not believed. On a long path, time for an answer at least.
fn guard_time(settings: &Settings, rto: Duration) -> Duration {
    let answer = Backoff::from_rto(rto).wait().saturating_mul(2);
    settings.rst_guard.max(answer)
}

#[cfg(test)]
mod tests;
