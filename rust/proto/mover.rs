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

use crate::proto::flow::Action;
use crate::proto::flow::Actions;
use crate::proto::flow::Event;
use crate::proto::flow::RebindError;
use crate::proto::flow::State;
use crate::proto::flow::Waiting;
use crate::proto::happening::Happening;
use crate::proto::ids::Epoch;
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
/// How many addresses the peer may believe in that an UPDATE is sent for.
const BELIEFS: usize = 3;

/// A connection whose local address changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    profile: Profile,
    /// The address the socket has.
    local: IpAddr,
    /// The address at which the peer last confirmed it.
    confirmed: IpAddr,
    /// The addresses from which an UPDATE was sent since, so that the peer may think it is there.
    /// Without `local` and `confirmed`.
    beliefs: [Option<IpAddr>; BELIEFS],
    since: Instant,
    phase: Phase,
}

/// How the peer is told, and how it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Profile {
    /// One ADDRESS UPDATE for each address the peer may believe in; any segment of its answers.
    Classic,
    /// One UPDATE with an epoch of its own; a CONFIRM answers.
    Secure {
        /// The epoch of the first UPDATE from the address the flow has.
        first: Epoch,
        /// The last epoch there was.
        last: Epoch,
    },
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
        /// As for `Suspended`, should it fail for want of memory.
        until: Instant,
    },
    Pending {
        tries: u32,
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
        Self::with(Profile::Classic, local, now)
    }

    /// A connection of the secure profile at `local`, where its peer knows it to be. `last` is the
    /// epoch of its last UPDATE.
    pub fn secure(local: IpAddr, last: Epoch, now: Instant) -> Self {
        Self::with(Profile::Secure { first: last, last }, local, now)
    }

    /// A connection at `local`.
    fn with(profile: Profile, local: IpAddr, now: Instant) -> Self {
        Self {
            profile,
            local,
            confirmed: local,
            beliefs: [None; BELIEFS],
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
        self.confirmed
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
                Event::AddressLost { new, rto },
            ) => {
                let until = now.after(settings.hold_time);
                match new {
                    Some(to) => self.rebind(to, rto, until),
                    None => self.suspend(now, until),
                }
            }
            (
                Phase::Suspended { until, .. },
                Event::AddressLost { new, rto } | Event::AddressAppeared { new, rto },
            ) => match new {
                Some(to) if to == self.local => self.resume(now, settings, rto),
                Some(to) => self.rebind(to, rto, until),
                None => Actions::new(),
            },
            (Phase::Rebinding { to, rto, .. }, Event::Rebound) => {
                self.believe(self.local);
                self.local = to;
                self.disbelieve(to);
                self.announce(now, settings, rto, Happening::Moved)
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
                Phase::Pending { tries, .. },
                Event::Segment {
                    rst: false,
                    acceptable: true,
                },
            ) if self.profile == Profile::Classic => self.confirm(now, tries),
            (Phase::Pending { tries, .. }, Event::Confirm { epoch }) if self.has_used(epoch) => {
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
    fn rebind(&mut self, to: IpAddr, rto: Duration, until: Instant) -> Actions {
        self.phase = Phase::Rebinding { to, rto, until };
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
                .map_or(HOLD_TICK, |limit| (limit / 4).max(IMPATIENT_TICK));
            // A rebind that is to be tried again is not put off by this.
            *tick = now.after(often).min(*tick);
        }
        Actions::new()
    }

    /// The address it has is there again.
    fn resume(&mut self, now: Instant, settings: &Settings, rto: Duration) -> Actions {
        // The same address need not be the same network, and what lies behind a NAT there.
        let may_differ = self.profile != Profile::Classic || self.told().next().is_some();
        if may_differ {
            return self.announce(now, settings, rto, Happening::Resumed);
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
        what: Happening,
    ) -> Actions {
        if !self.next_epoch(true) {
            return self.fail(now, Happening::EpochsSpent);
        }
        let mut backoff = Backoff::from_rto(rto);
        let phase = Phase::Pending {
            tries: 1,
            retry: now.after(backoff.wait()),
            backoff,
            until: now.after(settings.confirm_time),
        };
        self.enter(phase, now);
        let mut actions = self.updates(false);
        actions.push(Action::RestartPath);
        actions.push(Action::Count(what));
        actions
    }

    /// What tells the peer: one UPDATE with the epoch it is, or, in the classic profile, one for
    /// each address the peer may believe in.
    fn updates(&self, retransmission: bool) -> Actions {
        if let Profile::Secure { last: epoch, .. } = self.profile {
            return [Action::SendSecureUpdate {
                epoch,
                retransmission,
            }]
            .into();
        }
        let mut actions = Actions::new();
        for old in self.told() {
            actions.push(Action::SendUpdate {
                old,
                retransmission,
            });
        }
        actions
    }

    /// Every UPDATE has an epoch of its own, one that is sent again, too: so what was seen on the
    /// way is worth nothing as soon as another has arrived. Whether there is one left.
    fn next_epoch(&mut self, at_a_new_address: bool) -> bool {
        let Profile::Secure { first, last } = self.profile else {
            return true;
        };
        let Some(next) = last.next() else {
            return false;
        };
        self.profile = Profile::Secure {
            first: if at_a_new_address { next } else { first },
            last: next,
        };
        true
    }

    /// Whether `epoch` is that of an UPDATE from the address it has.
    fn has_used(&self, epoch: Epoch) -> bool {
        match self.profile {
            Profile::Classic => false,
            Profile::Secure { first, last } => first <= epoch && epoch <= last,
        }
    }

    /// The peer was not heard: tells it again, or gives up.
    fn retry(&mut self, now: Instant) -> Actions {
        let Phase::Pending {
            tries,
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
        if !self.next_epoch(false) {
            return self.fail(now, Happening::EpochsSpent);
        }
        self.phase = Phase::Pending {
            tries: tries.saturating_add(1),
            retry: now.after(backoff.wait()),
            backoff,
            until,
        };
        self.updates(true)
    }

    /// The peer was heard at the new address.
    fn confirm(&mut self, now: Instant, tries: u32) -> Actions {
        self.confirmed = self.local;
        self.beliefs = [None; BELIEFS];
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

    /// Where the peer may think it is, other than where it is.
    fn told(&self) -> impl Iterator<Item = IpAddr> {
        let confirmed = Some(self.confirmed).filter(|confirmed| *confirmed != self.local);
        confirmed
            .into_iter()
            .chain(self.beliefs.into_iter().flatten())
    }

    /// The peer may think it is at `address`. When there is no room the oldest goes.
    fn believe(&mut self, address: IpAddr) {
        self.disbelieve(address);
        if address == self.confirmed {
            return;
        }
        if let Some(place) = self.beliefs.iter_mut().find(|place| place.is_none()) {
            *place = Some(address);
            return;
        }
        let [_, second, third] = self.beliefs;
        self.beliefs = [second, third, Some(address)];
    }

    /// `address` is where it is, or is put in again at the end.
    fn disbelieve(&mut self, address: IpAddr) {
        let mut kept = [None; BELIEFS];
        let others = self
            .beliefs
            .into_iter()
            .filter(|belief| belief.is_some_and(|b| b != address));
        for (place, belief) in kept.iter_mut().zip(others) {
            *place = belief;
        }
        self.beliefs = kept;
    }
}

#[cfg(test)]
mod tests;
