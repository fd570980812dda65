// SPDX-License-Identifier: GPL-2.0

//! The mover's state machine.
//!
//! ```text
//!                 AddressLost, none instead            AddressLost, another
//!        +------------------ Stable ----------------------------+
//!        v                     ^  ^                             v
//!    Suspended -- it is back --+  +---- heard from the peer -- Pending
//!        |  ^ \------------------- another came ------------->  ^ |
//!        |  +------------------- this one lost, too ------------+-+
//!        +--- hold_time over ---> Failed <--- confirm_time over --+
//! ```

use crate::proto::announcement::Announcement;
use crate::proto::flow::Action;
use crate::proto::flow::Actions;
use crate::proto::flow::Event;
use crate::proto::flow::RebindError;
use crate::proto::flow::State;
use crate::proto::happening::Happening;
use crate::proto::ids::Epoch;
use crate::proto::proof::Proof;
use crate::proto::settings::Settings;
use crate::proto::time::Backoff;
use crate::proto::time::Instant;
use core::net::IpAddr;
use core::time::Duration;

/// When a rebind is tried again that failed for want of memory.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a RST is not believed after the peer was heard: it may have answered what overtook the
/// UPDATE, and have been overtaken in turn. If it was meant, the next segment brings another.
const SETTLING: Duration = Duration::from_secs(2);

/// A connection whose local address changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The address the socket has.
    local: IpAddr,
    /// What the peer knows of that.
    announcement: Announcement,
    /// Whether the peer was told of an address before, so that segments of that stay may come yet.
    told: bool,
    since: Instant,
    phase: Phase,
}

/// The state, with what only it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Stable,
    Suspended {
        /// When it is given up.
        until: Instant,
        /// When it is to be held again, or the rebind to be tried again.
        tick: Instant,
        /// Since when data is known to wait for an acknowledgement.
        waiting: Option<Instant>,
        /// When that is too long for the application.
        patience: Option<Instant>,
    },
    /// A rebind was asked for, and its result is awaited in the same call.
    Rebinding {
        to: IpAddr,
        path: Measured,
        clock: Option<u32>,
        /// As for `Suspended`, should it fail for want of memory.
        until: Instant,
    },
    Pending {
        tries: u32,
        proof: Proof,
        backoff: Backoff,
        retry: Instant,
        until: Instant,
    },
    /// Confirmed. A RST that answers what overtook the UPDATE may still be on its way.
    Settling {
        until: Instant,
    },
    Failed,
}

/// What was measured of the path that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Measured {
    rto: Duration,
    srtt: Duration,
}

impl Phase {
    /// Suspended until the end of its time, nothing known of what waits.
    fn suspended(until: Instant, tick: Instant) -> Self {
        Self::Suspended {
            until,
            tick,
            waiting: None,
            patience: None,
        }
    }
}

impl Flow {
    /// A connection of the classic profile at `local`, where its peer knows it to be.
    pub fn new(local: IpAddr, now: Instant) -> Self {
        Self::with(Announcement::classic(local), local, now)
    }

    /// A connection of the secure profile at `local`, where its peer knows it to be. `last` is the
    /// epoch of its last UPDATE, `syn` whether the last that was confirmed was on a SYN.
    pub fn secure(local: IpAddr, last: Epoch, syn: bool, now: Instant) -> Self {
        Self::with(Announcement::secure(local, last, syn), local, now)
    }

    /// A connection at `local`.
    fn with(announcement: Announcement, local: IpAddr, now: Instant) -> Self {
        Self {
            local,
            announcement,
            told: false,
            since: now,
            phase: Phase::Stable,
        }
    }

    /// What it is in the middle of.
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Stable | Phase::Settling { .. } => State::Stable,
            Phase::Suspended { .. } | Phase::Rebinding { .. } => State::Suspended,
            Phase::Pending { .. } => State::Pending,
            Phase::Failed => State::Failed,
        }
    }

    /// The address at which the peer last confirmed it.
    pub fn old(&self) -> IpAddr {
        self.announcement.confirmed()
    }

    /// How often the UPDATE was sent.
    pub fn tries(&self) -> u32 {
        match self.phase {
            Phase::Pending { tries, .. } => tries,
            Phase::Stable
            | Phase::Settling { .. }
            | Phase::Suspended { .. }
            | Phase::Rebinding { .. }
            | Phase::Failed => 0,
        }
    }

    /// An UPDATE with `epoch` was sent that is none of the flow's: no other may have it.
    pub fn used(&mut self, epoch: Epoch) {
        self.announcement.used(epoch);
    }

    /// When it came into its state.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// When it wants to be told that it is time.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Suspended {
                until,
                tick,
                patience,
                ..
            } => Some(until.min(tick).min(patience.unwrap_or(until))),
            Phase::Pending { retry, until, .. } => Some(until.min(retry)),
            Phase::Settling { until } => Some(until),
            Phase::Stable | Phase::Rebinding { .. } | Phase::Failed => None,
        }
    }

    /// The only way in: what has happened, and what is to be done about it.
    pub fn handle(&mut self, now: Instant, settings: &Settings, event: Event) -> Actions {
        match (self.phase, event) {
            (
                Phase::Stable | Phase::Settling { .. } | Phase::Pending { .. },
                Event::AddressLost {
                    new,
                    rto,
                    srtt,
                    clock,
                },
            ) => {
                let until = now.after(settings.hold_time);
                match new {
                    Some(to) => self.rebind(to, Measured { rto, srtt }, clock, until),
                    None => self.suspend(now, until),
                }
            }
            (
                Phase::Suspended { until, .. },
                Event::AddressLost {
                    new,
                    rto,
                    srtt,
                    clock,
                }
                | Event::AddressAppeared {
                    new,
                    rto,
                    srtt,
                    clock,
                },
            ) => match new {
                Some(to) if to == self.local => {
                    self.resume(now, settings, Measured { rto, srtt }, clock)
                }
                Some(to) => self.rebind(to, Measured { rto, srtt }, clock, until),
                None => Actions::new(),
            },
            (
                Phase::Rebinding {
                    to, path, clock, ..
                },
                Event::Rebound,
            ) => {
                self.announcement.moved(self.local, to);
                self.local = to;
                self.announce(now, settings, path, clock, Happening::Moved)
            }
            (Phase::Rebinding { until, .. }, Event::RebindFailed(error)) => match error {
                RebindError::TupleTaken => self.fail(now, Happening::MoveTupleTaken),
                RebindError::Gone => self.forget(now),
                RebindError::NoMemory => {
                    self.enter(Phase::suspended(until, now.after(AGAIN)), now);
                    [Action::Park, Action::Count(Happening::NoMemory)].into()
                }
            },
            (Phase::Suspended { .. }, Event::Deadline) => self.hold(now),
            (Phase::Suspended { .. }, Event::Held(held)) => self.wait(now, held),
            (Phase::Pending { .. }, Event::Deadline) => self.retry(now),
            (Phase::Settling { .. }, Event::Deadline) => {
                self.enter(Phase::Stable, now);
                [Action::Forget].into()
            }
            (
                Phase::Pending { .. } | Phase::Suspended { .. } | Phase::Settling { .. },
                Event::Segment { rst: true, .. },
            ) => [Action::IgnoreSegment, Action::Count(Happening::RstIgnored)].into(),
            (
                Phase::Pending { tries, proof, .. },
                Event::Segment {
                    rst: false,
                    acceptable: true,
                    echo,
                },
            ) if self.announcement.is_answered_by_anything() && proof.is_given(now, echo) => {
                self.confirm(now, tries > 1)
            }
            (Phase::Pending { tries, .. }, Event::Confirm { epoch, syn })
                if self.announcement.is_answered_by(epoch) =>
            {
                self.confirm(now, tries > 1 || syn)
            }
            (Phase::Pending { .. }, Event::Confirm { epoch, syn: false }) => self
                .announcement
                .arrives_alone(self.local, epoch)
                .unwrap_or_default(),
            (
                Phase::Pending { .. } | Phase::Settling { .. },
                Event::Segment { .. }
                | Event::Confirm { .. }
                | Event::AddressAppeared { .. }
                | Event::Held(_),
            )
            | (Phase::Suspended { .. }, Event::Segment { .. } | Event::Confirm { .. })
            | (
                Phase::Stable | Phase::Failed,
                Event::AddressAppeared { .. }
                | Event::Segment { .. }
                | Event::Held(_)
                | Event::Confirm { .. }
                | Event::Deadline,
            )
            | (Phase::Failed, Event::AddressLost { .. })
            | (
                Phase::Rebinding { .. },
                Event::AddressLost { .. }
                | Event::AddressAppeared { .. }
                | Event::Segment { .. }
                | Event::Held(_)
                | Event::Confirm { .. }
                | Event::Deadline,
            )
            | (
                Phase::Stable
                | Phase::Settling { .. }
                | Phase::Suspended { .. }
                | Phase::Pending { .. }
                | Phase::Failed,
                Event::Rebound | Event::RebindFailed(_),
            ) => Actions::new(),
        }
    }

    /// Another address is there: first the socket is to have it.
    fn rebind(
        &mut self,
        to: IpAddr,
        path: Measured,
        clock: Option<u32>,
        until: Instant,
    ) -> Actions {
        self.phase = Phase::Rebinding {
            to,
            path,
            clock,
            until,
        };
        [Action::Rebind { local: to }].into()
    }

    /// The socket has its address: the peer is told, and what is outstanding is resent at once.
    fn announce(
        &mut self,
        now: Instant,
        settings: &Settings,
        path: Measured,
        clock: Option<u32>,
        what: Happening,
    ) -> Actions {
        let Some(mut actions) = self.announcement.updates(self.local, false) else {
            return self.fail(now, Happening::EpochsSpent);
        };
        let mut backoff = self.announcement.backoff(path.rto, path.srtt);
        let proof = Proof::of_move(self.told, now, clock);
        let phase = Phase::Pending {
            tries: 1,
            proof,
            retry: now.after(backoff.wait()),
            backoff,
            until: proof.possible_from(now).after(settings.confirm_time),
        };
        self.told = true;
        self.enter(phase, now);
        actions.push(Action::RestartPath);
        actions.push(Action::Count(what));
        actions
    }

    /// The peer was not heard: tells it again, or gives up.
    fn retry(&mut self, now: Instant) -> Actions {
        let Phase::Pending {
            tries,
            proof,
            mut backoff,
            until,
            ..
        } = self.phase
        else {
            return Actions::new();
        };
        if until <= now {
            return self.fail(now, Happening::GaveUp);
        }
        let Some(actions) = self.announcement.updates(self.local, true) else {
            return self.fail(now, Happening::EpochsSpent);
        };
        self.phase = Phase::Pending {
            tries: tries.saturating_add(1),
            proof,
            retry: now.after(backoff.wait()),
            backoff,
            until,
        };
        actions
    }

    /// The peer was heard at the new address. What followed the first UPDATE was `lost` if that was:
    /// it found no connection there, or was kept back by what wants to see a SYN first.
    fn confirm(&mut self, now: Instant, lost: bool) -> Actions {
        self.announcement.answered(self.local);
        let until = now.after(SETTLING);
        self.enter(Phase::Settling { until }, now);
        let mut actions = Actions::new();
        if lost {
            actions.push(Action::RestartPath);
        }
        actions.push(Action::Count(Happening::Confirmed));
        actions
    }

    /// It cannot go on.
    fn fail(&mut self, now: Instant, why: Happening) -> Actions {
        self.enter(Phase::Failed, now);
        [Action::Count(why), Action::Abort, Action::Forget].into()
    }

    /// The connection is over.
    fn forget(&mut self, now: Instant) -> Actions {
        self.enter(Phase::Failed, now);
        [Action::Forget].into()
    }

    /// Comes into another state.
    fn enter(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.since = now;
    }
}

mod suspended;
#[cfg(test)]
mod tests;
