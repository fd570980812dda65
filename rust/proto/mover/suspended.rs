// SPDX-License-Identifier: GPL-2.0

//! A mover without an address: it is kept from ending, for as long as it may be.

use super::Flow;
use super::Measured;
use super::Phase;
use crate::proto::flow::Action;
use crate::proto::flow::Actions;
use crate::proto::flow::Waiting;
use crate::proto::happening::Happening;
use crate::proto::settings::Settings;
use crate::proto::time::Instant;
use core::time::Duration;

/// How often a suspended connection is kept from ending: well within any `TCP_RTO_MAX`.
const HOLD_TICK: Duration = Duration::from_secs(30);
/// How often it is looked at least whether data waits that an application's limit counts for.
const IMPATIENT_TICK: Duration = Duration::from_secs(1);

impl Flow {
    /// No address is there.
    pub(super) fn suspend(&mut self, now: Instant, until: Instant) -> Actions {
        self.enter(Phase::suspended(until, now.after(HOLD_TICK)), now);
        [Action::Park, Action::Count(Happening::Suspended)].into()
    }

    /// Keeps TCP from ending it, unless its time, or the application's, is over.
    pub(super) fn hold(&mut self, now: Instant) -> Actions {
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
    pub(super) fn wait(&mut self, now: Instant, held: Waiting) -> Actions {
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
    pub(super) fn resume(
        &mut self,
        now: Instant,
        settings: &Settings,
        path: Measured,
        clock: Option<u32>,
    ) -> Actions {
        if self.announcement.is_due(self.local) {
            return self.announce(now, settings, path, clock, Happening::Resumed);
        }
        self.enter(Phase::Stable, now);
        [
            Action::Unpark,
            Action::Count(Happening::Resumed),
            Action::Forget,
        ]
        .into()
    }
}
