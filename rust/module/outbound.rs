// SPDX-License-Identifier: GPL-2.0

//! Segments sent: the one that is to carry an option gets it; those that must not leave do not.

use crate::module::namespace::Namespace;
use crate::net::netfilter::HookState;
use crate::net::segment::{
    self,
    Peek,
    Segment, //
};
use crate::net::skb::{
    SkBuff,
    Verdict, //
};
use crate::net::sock::{
    OptionOctets,
    SockId, //
};
use crate::proto::flow::State;
use crate::proto::happening::Happening;
use crate::proto::option::{
    aligned_timestamps,
    SPACE, //
};

impl Namespace {
    /// A segment on its way out.
    pub fn sent(&self, mut skb: SkBuff<'_>, state: &HookState<'_>) -> Verdict {
        let emission = self.emission.is_waiting();
        let suspended = self.motions.any_suspended();
        let (echoing, trial) = (
            self.connections.any_echoing(),
            self.connections.any_on_trial(),
        );
        let secure = self.control.mode().has_secure();
        if secure && self.connections.current() != 0 && skb.is_unanswered() {
            if let Some(sender) = skb.sender() {
                self.note_silence(&skb, sender);
            }
        }
        let quiet = !emission && !suspended && !echoing && !trial && self.transit.is_empty();
        if quiet && !secure {
            return skb.accept();
        }
        let Some(peek) = skb.peek(state.family()) else {
            return skb.accept();
        };
        if secure && peek.has(segment::SYN) {
            self.opening_sent(&mut skb, &peek);
            return skb.accept();
        }
        if quiet {
            return skb.accept();
        }
        if peek.has(segment::RST) && self.is_stray_reset(&mut skb, &peek) {
            self.count(Happening::RstSuppressed);
            return skb.consume();
        }
        let Some(sender) = skb.sender() else {
            return skb.accept();
        };
        if trial && !self.is_within_budget(sender, self.octets_of(&skb, &peek, sender)) {
            self.count(Happening::BudgetDropped);
            // Whoever sent it is to try again when the budget has grown.
            return skb.refuse();
        }
        if suspended && self.is_homeless(&mut skb, &peek) {
            self.count(Happening::SourceDropped);
            return skb.consume();
        }
        if emission {
            if let Some(option) = self.emission.take(sender) {
                if !self.put_option(&mut skb, &peek, &option) {
                    // It leaves as the acknowledgement it is. The option was not sent.
                    self.count(Happening::NoRoom);
                    self.emission.put(sender, option);
                }
                return skb.accept();
            }
        }
        if echoing {
            self.echo(&mut skb, &peek, sender);
        }
        skb.accept()
    }

    /// Octets with IP headers that a segment, or what it is cut into, will have on the wire. An option
    /// that waits for it counts as if the segment had none in its place.
    fn octets_of(&self, skb: &SkBuff<'_>, peek: &Peek, sender: SockId) -> usize {
        let option = if self.emission.is_waiting() {
            self.emission.octets_for(sender)
        } else {
            0
        };
        skb.octets() + (skb.segments() - 1) * peek.headers() + option
    }

    /// Whether a RST answers a segment for a tuple in transit: no socket was found for it, but
    /// there is one.
    fn is_stray_reset(&self, skb: &mut SkBuff<'_>, peek: &Peek) -> bool {
        if self.transit.is_empty() || skb.sender().is_some() {
            return false;
        }
        let tuple = skb.segment(peek).map(|segment| segment.as_sent());
        tuple.is_some_and(|tuple| self.transit.instead_of(&tuple).is_some())
    }

    /// Whether a segment comes from an address that this host has lost. IPv6 would let it out.
    fn is_homeless(&self, skb: &mut SkBuff<'_>, peek: &Peek) -> bool {
        let tuple = skb.segment(peek).map(|segment| segment.as_sent());
        let state = tuple.and_then(|tuple| self.motions.with(&tuple, |motion| motion.flow.state()));
        matches!(state, Some(State::Suspended))
    }

    /// Puts the option into a segment: beside its timestamps, in the place of all others, which
    /// the next acknowledgement repeats. Whether it could.
    fn put_option(&self, skb: &mut SkBuff<'_>, peek: &Peek, option: &OptionOctets) -> bool {
        skb.segment(peek).is_some_and(|segment| {
            let (octets, len) = with_timestamps(&segment, option);
            let all = octets.get(..len);
            all.is_some_and(|all| skb.replace_options(&segment, all).is_ok())
        })
    }
}

/// The segment's timestamps, if it has them, and the option.
fn with_timestamps(segment: &Segment, option: &OptionOctets) -> ([u8; SPACE], usize) {
    let mut all = [0; SPACE];
    let timestamps = aligned_timestamps(segment.options());
    let parts = [
        timestamps.as_ref().map_or(&[][..], |t| &t[..]),
        option.as_slice(),
    ];
    let mut len = 0;
    for part in parts {
        if let Some(place) = all.get_mut(len..len + part.len()) {
            place.copy_from_slice(part);
            len += part.len();
        }
    }
    (all, len)
}
