// SPDX-License-Identifier: GPL-2.0

//! What goes to a path that is not validated, and what comes from it (RFC 9000, section 8.1).
//!
//! The congestion window is what keeps TCP within the budget; what gets by all the same, by a
//! timer of TCP's, is not let out.

use super::perform::Answer;
use crate::module::inbound::is_acceptable;
use crate::module::namespace::Namespace;
use crate::net::netfilter::HookState;
use crate::net::segment::{
    self,
    Segment, //
};
use crate::net::skb::SkBuff;
use crate::net::sock::{
    Locked,
    SockId,
    WindowClamp, //
};
use crate::proto::addr::Endpoint;
use crate::proto::correspondent::secure::{
    Actions,
    Event, //
};

impl Namespace {
    /// Starts over on the path, with no more in flight than the budget, if there is one.
    pub(super) fn restart(&self, locked: &mut Locked<'_>, id: SockId, budget: Option<u32>) {
        let Some(octets) = budget else {
            // Without a route TCP's own timers try again.
            locked.restart_path().ok();
            return;
        };
        let (clamp, _) = locked.restart_path_within(octets);
        self.keep_clamp(id, clamp);
    }

    /// Lets nothing be sent while anything is in flight, until [`Namespace::restart`]. What TCP would send
    /// because of the UPDATE's acknowledgement alone is new data, to which the budget would go that
    /// the oldest octets need.
    pub(super) fn narrow(&self, locked: &mut Locked<'_>, id: SockId) {
        let clamp = locked.narrow();
        self.keep_clamp(id, clamp);
    }

    /// Keeps the clamp that a connection had before it got a budget.
    fn keep_clamp(&self, id: SockId, clamp: WindowClamp) {
        self.connections.with(id, |connection| {
            // The first is the connection's own, the others are those of budgets.
            connection.clamp.get_or_insert(clamp);
        });
    }

    /// More may be in flight.
    pub(super) fn raise_budget(&self, locked: &mut Locked<'_>, octets: u32) {
        locked.raise_budget(octets.saturating_add(locked.in_flight_octets()));
    }

    /// Ends the budget of a connection.
    pub(super) fn lift_budget(&self, locked: &mut Locked<'_>, id: SockId) {
        let clamp = self
            .connections
            .with(id, |connection| connection.clamp.take());
        if let Some(clamp) = clamp.flatten() {
            locked.lift_budget(clamp);
        }
    }

    /// Ends the budgets of all connections. Process context.
    pub fn end_budgets(&self) {
        let mut least = SockId::from_number(0);
        while let Some(id) = self
            .connections
            .find_from(least)
            .filter(|_| self.connections.any_on_trial())
        {
            least = SockId::from_number(id.number().saturating_add(1));
            let bounded = self
                .connections
                .with(id, |connection| connection.clamp.is_some());
            if bounded != Some(true) {
                continue;
            }
            if let Some(sock) = self.sock_of(id) {
                self.lift_budget(&mut sock.lock(), id);
            }
        }
    }

    /// A segment of a connection is about to leave. Whether it may.
    ///
    /// # Context
    ///
    /// `LOCAL_OUT`.
    pub fn is_within_budget(&self, sender: SockId, octets: usize) -> bool {
        let octets = u32::try_from(octets).unwrap_or(u32::MAX);
        let budget = self
            .connections
            .with(sender, |connection| connection.peer.budget());
        let Some(remaining) = budget.flatten() else {
            return true;
        };
        // Acknowledgements as well: what comes on the path earns three times what one takes, and what
        // comes from where the peer was is answered to where it says it is.
        if octets > remaining {
            return false;
        }
        self.tell_peer(sender, Event::Sent { octets }).ok();
        true
    }

    /// A segment came, perhaps on a path that is not validated: it earns what may be sent there.
    /// Or on one that was not validated in time: perhaps the peer is there after all.
    pub fn earn(&self, skb: &mut SkBuff<'_>, state: &HookState<'_>, segment: &Segment) {
        if segment.has(segment::RST | segment::SYN) {
            return;
        }
        let tuple = segment.as_received();
        let Some(sock) = self.sock_at(skb, state, &tuple) else {
            return;
        };
        let watched = self
            .connections
            .with(sock.id(), |connection| connection.is_watched());
        if watched != Some(true)
            || !is_acceptable(segment, &sock.numbers_unlocked())
            || !skb.checksum_is_right(state.family(), segment.offset)
        {
            return;
        }
        let event = Event::Received {
            source: Endpoint {
                address: tuple.remote,
                port: tuple.remote_port,
            },
            octets: u32::try_from(skb.octets()).unwrap_or(u32::MAX),
        };
        let earned = self.tell_peer(sock.id(), event);
        let any = |actions: Actions| actions.into_iter().next().is_some();
        let Some(answer) = earned.ok().filter(|actions| any(*actions)).map(Answer::new) else {
            return;
        };
        if answer.rebinds() {
            self.answer_secure(sock, answer);
        } else if let Some(locked) = sock.try_lock_bh() {
            // If a process owns it, the next segment tells.
            self.carry_out(locked, sock.id(), answer);
        }
    }
}
