// SPDX-License-Identifier: GPL-2.0

//! Events: segments received.
//!
//! Nearly every segment passes the first test and no other. What is left is, in this order: a SYN,
//! which ends what is remembered of its tuple; an ADDRESS UPDATE; a RST of a connection of the secure
//! profile; a segment of a flow on the move; a segment for a tuple that was left.

use crate::module::namespace::Namespace;
use crate::module::secure::Guarded;
use crate::net::netfilter::{
    HookState,
    Hooks, //
};
use crate::net::segment::{
    self,
    Segment, //
};
use crate::net::skb::{
    SkBuff,
    Verdict, //
};
use crate::net::sock::{
    Found,
    Numbers,
    Tuple, //
};
use crate::proto::correspondent;
use crate::proto::flow::{
    Action,
    Event, //
};
use crate::proto::happening::{
    Happening,
    Reject, //
};
use crate::proto::option;
use crate::proto::option::classic::AddressUpdate;
use crate::proto::option::secure::Secure;
use crate::proto::seq::SeqNum;

impl Hooks for Namespace {
    fn local_in(&self, mut skb: SkBuff<'_>, state: &HookState<'_>) -> Verdict {
        let Some(peek) = skb.peek(state.family()) else {
            return self.fragment(skb, state);
        };
        let trial = self.connections.any_watched();
        let quiet = self.motions.is_empty() && self.transit.is_empty() && !trial;
        let guarded = peek.has(segment::RST) && self.connections.current() != 0;
        if quiet && peek.is_plain() && !guarded {
            return skb.accept();
        }
        let Some(segment) = skb.segment(&peek) else {
            return skb.accept();
        };
        if !peek.is_plain() {
            match self.option(&mut skb, &segment) {
                Ok(None) => {}
                // What is out of place is as if it were not there: a RST is one, whatever it carries.
                Ok(Some(Ours::Classic(update))) => {
                    match self.is_in_place(&mut skb, state, &segment) {
                        Ok(()) => return self.correspond(skb, state, &segment, update),
                        Err(reject) => self.count(reject),
                    }
                }
                Ok(Some(Ours::Secure(option))) => {
                    match self.is_in_order(&mut skb, state, &segment, &option) {
                        Ok(()) => return self.secure(skb, state, &segment, option),
                        Err(reject) => self.count(reject),
                    }
                }
                Err(reject) => self.count(reject),
            }
        }
        let tuple = segment.as_received();
        if segment.has(segment::SYN) && !quiet {
            self.transit.end(&tuple);
        }
        if trial {
            self.earn(&mut skb, state, &segment);
        }
        if guarded {
            match self.guard(&mut skb, state, &segment, &tuple) {
                Guarded::Ignore => return skb.consume(),
                Guarded::Believe => return skb.accept(),
                Guarded::No => {}
            }
        }
        if !self.motions.is_empty() && self.moving(&segment, &tuple) {
            return skb.consume();
        }
        if !self.transit.is_empty() && !segment.has(segment::SYN) {
            return self.stray(skb, state, &segment, &tuple);
        }
        skb.accept()
    }

    fn pre_routing(&self, mut skb: SkBuff<'_>, state: &HookState<'_>) -> Verdict {
        let peek = skb.peek(state.family());
        if let Some(peek) = peek.filter(|peek| !peek.is_plain()) {
            self.tell_conntrack(&mut skb, state, &peek);
        }
        skb.accept()
    }

    fn local_out(&self, skb: SkBuff<'_>, state: &HookState<'_>) -> Verdict {
        self.sent(skb, state)
    }
}

/// An option of ours.
enum Ours {
    Classic(AddressUpdate),
    Secure(Secure),
}

impl Namespace {
    /// The option of ours that a segment carries, if it is for more than the opening of a
    /// connection.
    ///
    /// # Errors
    ///
    /// There is one that cannot be followed.
    fn option(&self, skb: &mut SkBuff<'_>, segment: &Segment) -> Result<Option<Ours>, Reject> {
        let mode = self.control.mode();
        if mode.has_secure() {
            match Secure::find(segment.options())? {
                // Those of a connection that is there may be on a SYN, too.
                Some(option) if !segment.has(segment::SYN) || option.is_for_established() => {
                    return Ok(Some(Ours::Secure(option)));
                }
                other if segment.has(segment::SYN) => self.opening_received(skb, segment, other),
                _ => {}
            }
        }
        if !mode.has_classic() {
            return Ok(None);
        }
        let kind = self.control.kind();
        let update = AddressUpdate::find(kind, segment.options(), segment.source.is_ipv6())?;
        Ok(update.map(Ours::Classic))
    }

    /// A segment of a flow on the move, if it is of one. Whether it must not be seen.
    fn moving(&self, segment: &Segment, tuple: &Tuple) -> bool {
        let Some(numbers) = self
            .motions
            .with(tuple, |motion| motion.sock.numbers_unlocked())
        else {
            return false;
        };
        let rst = segment.has(segment::RST);
        let event = Event::Segment {
            rst,
            acceptable: !rst && is_acceptable(segment, &numbers),
            echo: option::timestamps(segment.options()).map(|t| t.echo),
        };
        let settings = self.control.settings();
        let Some(actions) = self.motions.handle(tuple, self.now(), &settings, event) else {
            return false;
        };
        let mut ignore = false;
        for action in actions {
            match action {
                Action::IgnoreSegment => ignore = true,
                Action::Count(what) => self.count(what),
                Action::RestartPath => self.postpone_restart(tuple),
                Action::Forget => drop(self.motions.remove(tuple)),
                // None of these answers a segment.
                Action::Rebind { .. }
                | Action::SendUpdate { .. }
                | Action::SendSecureUpdate { .. }
                | Action::SolicitAck
                | Action::Park
                | Action::Hold
                | Action::Unpark
                | Action::Abort => self.work_now(),
            }
        }
        ignore
    }

    /// A segment that may be for a tuple which a connection has left, or is about to enter.
    fn stray(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        tuple: &Tuple,
    ) -> Verdict {
        let Some(instead) = self.transit.instead_of(tuple) else {
            return skb.accept();
        };
        let (net, interfaces) = (state.net(), skb.interfaces(state.family()));
        if !matches!(net.find_connection(tuple, interfaces), Found::Nothing) {
            return skb.accept();
        }
        // Whoever has the tuple's address now knows nothing of the connection.
        if segment.has(segment::RST) {
            self.count(Happening::RstIgnored);
            return skb.consume();
        }
        match net.find_connection(&instead, interfaces) {
            Found::Sock(sock) => {
                self.count(Happening::Steered);
                skb.steer(sock)
            }
            Found::Mini | Found::Nothing => skb.consume(),
        }
    }

    /// What can be seen of a segment with an ADDRESS UPDATE before anybody is asked.
    ///
    /// # Errors
    ///
    /// Why the segment is treated as if it were without the option.
    fn is_in_place(
        &self,
        skb: &mut SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
    ) -> Result<(), Reject> {
        let flags = segment::SYN | segment::FIN | segment::RST;
        if segment.payload != 0 || segment.has(flags) || !segment.has(segment::ACK) {
            return Err(Reject::NotOptionOnly);
        }
        self.is_from_elsewhere(skb, state, segment)
    }

    /// Whether a segment is whole, and comes from where another host can be.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn is_from_elsewhere(
        &self,
        skb: &mut SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
    ) -> Result<(), Reject> {
        if !skb.checksum_is_right(state.family(), segment.offset) {
            return Err(Reject::BadChecksum);
        }
        // From this very host it may come: then both ends of the connection are here.
        if !skb.is_looped() && !state.net().is_foreign_unicast(segment.source) {
            return Err(Reject::NewAddressOurs);
        }
        Ok(())
    }

    /// What is no whole segment. A RST in the first of several fragments is no honest one, and TCP
    /// would get to see it without this hook: it is ignored where a RST is not believed at once.
    fn fragment(&self, mut skb: SkBuff<'_>, state: &HookState<'_>) -> Verdict {
        let guards =
            self.connections.current() != 0 && !self.control.settings().rst_guard.is_zero();
        if !guards && self.motions.is_empty() && self.transit.is_empty() {
            return skb.accept();
        }
        let peek = skb.peek_fragment(state.family());
        let Some(peek) = peek.filter(|peek| peek.has(segment::RST)) else {
            return skb.accept();
        };
        let Some(tuple) = skb.received_tuple(&peek) else {
            return skb.accept();
        };
        let is_guarded = || {
            let interfaces = skb.interfaces(state.family());
            match state.net().find_connection(&tuple, interfaces) {
                Found::Sock(sock) => guards && self.connections.is_capable(sock.id()),
                Found::Mini | Found::Nothing => false,
            }
        };
        let ours = self.motions.with(&tuple, |_| ()).is_some()
            || self.transit.instead_of(&tuple).is_some()
            || is_guarded();
        if !ours {
            return skb.accept();
        }
        self.count(Happening::RstIgnored);
        skb.consume()
    }
}

/// Whether a segment can be the peer's own: its acknowledgement is one of what was sent
/// (RFC 5961, section 5.2), and its sequence number lies in the window or not far before it.
pub fn is_acceptable(segment: &Segment, numbers: &Numbers) -> bool {
    segment.has(segment::ACK)
        && correspondent::is_plausible(
            SeqNum::new(segment.seq),
            SeqNum::new(segment.ack),
            &super::correspond::view(numbers, None),
        )
}
