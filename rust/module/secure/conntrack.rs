// SPDX-License-Identifier: GPL-2.0

//! Has this host's connection tracking know of moves, so that a firewall here which lets through
//! what is established lets through what goes on at other addresses.
//!
//! It is done for authentic UPDATEs only, and before any rule sees them. What a rule forbids by
//! address, port or interface stays forbidden.

use super::Arrival;
use crate::module::namespace::Namespace;
use crate::net::conntrack::Changed;
use crate::net::netfilter::HookState;
use crate::net::segment::Peek;
use crate::net::skb::SkBuff;
use crate::net::sock::{
    SockId,
    Tuple, //
};
use crate::proto::option::secure::Secure;
use core::time::Duration;

/// How much longer an entry lives than it may take to see whether the move holds.
const SLACK: Duration = Duration::from_secs(5);

impl Namespace {
    /// A segment with options has come, perhaps an UPDATE.
    pub fn tell_conntrack(&self, skb: &mut SkBuff<'_>, state: &HookState<'_>, peek: &Peek) {
        if !state.net().has_conntrack() || self.connections.current() == 0 {
            return;
        }
        let Some(segment) = skb.segment(peek) else {
            return;
        };
        let Ok(Some(Secure::Update(update))) = Secure::find(segment.options()) else {
            return;
        };
        let Some((id, old)) = self.connections.find(update.token) else {
            return;
        };
        let arrival = Arrival::new(&segment, skb.octets(), update, old);
        if !arrival.is_a_move() {
            return;
        }
        // What is wrong with it is counted where it is rejected.
        let good = self
            .is_in_order(skb, state, &segment, &Secure::Update(update))
            .and_then(|()| self.is_authentic(id, &arrival));
        if good.is_ok() {
            let lifetime = self.control.settings().validate_time + SLACK;
            let new = segment.as_received();
            let told = state
                .net()
                .track_also(&old, &new, Changed::Remote, lifetime);
            // Without it the segment is judged like any other.
            told.ok();
        }
    }

    /// A connection of the profile has another local address.
    pub fn tell_conntrack_of_own(&self, id: SockId, old: &Tuple, new: &Tuple) {
        if self.connections.is_capable(id) {
            let lifetime = self.control.settings().confirm_time + SLACK;
            let net = self.home.net();
            // As above.
            net.track_also(old, new, Changed::Local, lifetime).ok();
        }
    }
}
