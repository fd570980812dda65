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
use crate::proto::flow::Waiting;
use crate::proto::happening::Happening;
use crate::proto::ids::Epoch;
use crate::proto::proof::Proof;
use crate::proto::settings::Settings;
use crate::proto::time::Backoff;
use crate::proto::time::Instant;
use core::net::IpAddr;
use core::time::Duration;

/// How often a suspended connection is kept from ending: well within any `TCP_RTO_MAX`.
const HOLD_TICK: Duration = Duration::from_secs(30);
/// When a rebind is tried again that failed for want of memory.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked at least whether data waits that an application's limit counts for.
const IMPATIENT_TICK: Duration = Duration::from_secs(1);
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
        rto: Duration,
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
    /// epoch of its last UPDATE.
    pub fn secure(local: IpAddr, last: Epoch, now: Instant) -> Self {
        Self::with(Announcement::secure(local, last), local, now)
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
                Event::AddressLost { new, rto, clock },
            ) => {
                let until = now.after(settings.hold_time);
                match new {
                    Some(to) => self.rebind(to, rto, clock, until),
                    None => self.suspend(now, until),
                }
            }
            (
                Phase::Suspended { until, .. },
                Event::AddressLost { new, rto, clock } | Event::AddressAppeared { new, rto, clock },
            ) => match new {
                Some(to) if to == self.local => self.resume(now, settings, rto, clock),
                Some(to) => self.rebind(to, rto, clock, until),
                None => Actions::new(),
            },
            (Phase::Rebinding { to, rto, clock, .. }, Event::Rebound) => {
                self.announcement.moved(self.local, to);
                self.local = to;
                self.announce(now, settings, rto, clock, Happening::Moved)
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
                self.confirm(now, tries)
            }
            (Phase::Pending { tries, .. }, Event::Confirm { epoch })
                if self.announcement.is_answered_by(epoch) =>
            {
                self.confirm(now, tries)
            }
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
    fn rebind(&mut self, to: IpAddr, rto: Duration, clock: Option<u32>, until: Instant) -> Actions {
        self.phase = Phase::Rebinding {
            to,
            rto,
            clock,
            until,
        };
        [Action::Rebind { local: to }].into()
    }

    /// No address is there.
    fn suspend(&mut self, now: Instant, until: Instant) -> Actions {
        self.enter(Phase::suspended(until, now.after(HOLD_TICK)), now);
        [Action::Park, Action::Count(Happening::Suspended)].into()
    }

    /// Keeps TCP from ending it, unless its time, or the application's, is over.
    fn hold(&mut self, now: Instant) -> Actions {
        let Phase::Suspended {
            until,
            tick,
            patience,
            ..
        } = &mut self.phase
        else {
            return Actions::new();
        };
        if patience.unwrap_or(*until).min(*until) <= now {
            return self.fail(now, Happening::HoldExpired);
        }
        *tick = now.after(HOLD_TICK);
        [Action::Hold].into()
    }

    /// It was held: what waits, and how long the application lets it, says when to look again.
    fn wait(&mut self, now: Instant, held: Waiting) -> Actions {
        if let Phase::Suspended {
            tick,
            waiting,
            patience,
            ..
        } = &mut self.phase
        {
            *waiting = held.unacknowledged.then(|| waiting.unwrap_or(now));
            *patience = waiting
                .zip(held.limit)
                .map(|(since, limit)| since.after(limit));
            // Data may come to wait at any time: so a limit is looked after well within itself.
            let often = held
                .limit
                .and_then(|limit| limit.checked_div(4))
                .map_or(HOLD_TICK, |limit| limit.max(IMPATIENT_TICK));
            // A rebind that is to be tried again is not put off by this.
            *tick = now.after(often).min(*tick);
        }
        Actions::new()
    }

    /// The address it has is there again.
    fn resume(
        &mut self,
        now: Instant,
        settings: &Settings,
        rto: Duration,
        clock: Option<u32>,
    ) -> Actions {
        if self.announcement.is_due(self.local) {
            return self.announce(now, settings, rto, clock, Happening::Resumed);
        }
        self.enter(Phase::Stable, now);
        [
            Action::Unpark,
            Action::Count(Happening::Resumed),
            Action::Forget,
        ]
        .into()
    }

    /// The socket has its address: the peer is told, and what is outstanding is resent at once.
    fn announce(
        &mut self,
        now: Instant,
        settings: &Settings,
        rto: Duration,
        clock: Option<u32>,
        what: Happening,
    ) -> Actions {
        let Some(mut actions) = self.announcement.updates(self.local, false) else {
            return self.fail(now, Happening::EpochsSpent);
        };
        let mut backoff = Backoff::from_rto(rto);
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

    /// The peer was heard at the new address.
    fn confirm(&mut self, now: Instant, tries: u32) -> Actions {
        self.announcement.answered(self.local);
        let until = now.after(SETTLING);
        self.enter(Phase::Settling { until }, now);
        let mut actions = Actions::new();
        if tries > 1 {
            // What followed the first UPDATE found no connection there.
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

#[cfg(test)]
mod tests;
