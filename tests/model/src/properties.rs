// SPDX-License-Identifier: GPL-2.0

//! What has to hold, and what has to occur so that the rest means something.

use crate::mover::settings;
use crate::mover::End;
use crate::wire::address;
use crate::wire::Segment;
use crate::Moves;
use crate::State;
use stateright::Model;
use stateright::Property;
use std::time::Duration;
use tcp_continuity::proto::flow;

/// A flow that is not on the move is where its peer thinks it is.
pub const AGREEMENT: &str = "a settled flow is where its peer thinks it is";
/// No RST of the peer's host, which knows the flow at another address, ends it.
pub const NO_RESET: &str = "no RST ends it";
/// After the last change of address a flow is confirmed or failed before long.
pub const BOUNDED: &str = "confirmed or failed in bounded time";
/// Whatever is on the move will be looked at again.
pub const DEADLINE: &str = "on the move it has a deadline, and not for ever the same";
/// It is not given up at the first loss.
pub const PERSISTENCE: &str = "it is given up only after it has tried again";
/// The network may lose this and that.
pub const RESILIENCE: &str = "where few segments are lost it is confirmed";
/// What is late is not followed.
pub const ORDER: &str = "no UPDATE is followed that was sent before one that was";
/// Every course of events comes to an end, and then nothing is left in the air.
pub const REST: &str = "it comes to rest, confirmed or failed";

///
const STRAYS: Duration = Duration::from_secs(4);

impl State {
    /// Whether nothing of the connection is on the move.
    fn is_settled(&self) -> bool {
        self.mover.end.is_some() || !self.mover.is_moving()
    }

    /// Whether a RST is on its way to where the mover is.
    fn reset_comes(&self) -> bool {
        let to = self.mover.local;
        self.wire
            .segments()
            .any(|(_, segment)| segment == Segment::Reset { to })
    }

    /// Whether an UPDATE from where the mover is no more is on its way.
    fn overtaken_update_comes(&self) -> bool {
        let mut segments = self.wire.segments();
        segments.any(|(_, segment)| {
            matches!(segment, Segment::Update { from, .. } if from != self.mover.local)
        })
    }

    /// Whether the connection is over, or both ends think the same of it.
    fn agrees(&self) -> bool {
        self.mover.end.is_some() || self.correspondent.remote == self.mover.local
    }
}

/// In milliseconds: `hold_time`, the time in which strays may come, and `confirm_time`, one after
/// the other.
fn longest() -> u64 {
    let settings = settings();
    let longest = settings.hold_time + STRAYS + settings.confirm_time;
    u64::try_from(longest.as_millis()).expect("it is short")
}

/// The properties of all models.
pub fn all() -> Vec<Property<Moves>> {
    vec![
        Property::always(AGREEMENT, |_, s: &State| s.mover.is_moving() || s.agrees()),
        Property::always(NO_RESET, |_, s: &State| s.mover.end != Some(End::Reset)),
        Property::always(BOUNDED, |_, s: &State| {
            s.is_settled() || s.now <= s.moved_at + longest()
        }),
        Property::always(DEADLINE, |_, s: &State| {
            !s.mover.stuck && (s.is_settled() || s.mover.deadline().is_some())
        }),
        Property::always(PERSISTENCE, |_, s: &State| {
            s.mover.end != Some(End::Unconfirmed) || s.mover.updates > 1
        }),
        Property::always(RESILIENCE, |m: &Moves, s: &State| {
            m.losses.is_none() || m.legacy || s.mover.end != Some(End::Unconfirmed)
        }),
        Property::always(ORDER, |_, s: &State| !s.correspondent.stepped_back),
        // Time never goes back, so that there are no cycles: what cannot go on is the end.
        Property::always(REST, |m: &Moves, s: &State| {
            let mut actions = Vec::new();
            m.actions(s, &mut actions);
            !actions.is_empty() || (s.is_settled() && s.agrees())
        }),
        Property::eventually("it comes to rest at last", |m: &Moves, s: &State| {
            s.mover.end.is_some() || (s.moves == m.moves && s.is_settled() && s.agrees())
        }),
    ]
}

/// What has to occur in a model like `moves`.
pub fn occurrences(moves: &Moves) -> Vec<Property<Moves>> {
    let mut all = vec![
        sometimes("stable", |_, s| s.moves > 0 && s.mover.flow.is_none()),
        sometimes("pending", |_, s| s.mover.state() == flow::State::Pending),
    ];
    if moves.losses.is_none() {
        all.push(sometimes("given up unconfirmed", |_, s| {
            s.mover.end == Some(End::Unconfirmed)
        }));
    }
    if moves.words > 0 {
        all.push(sometimes("a RST comes for a flow on the move", |_, s| {
            s.mover.is_moving() && s.reset_comes()
        }));
    }
    if moves.words > 0 && !moves.legacy {
        all.push(sometimes(
            "a RST comes for a flow just confirmed",
            |_, s| s.mover.flow.is_some() && !s.mover.is_moving() && s.reset_comes(),
        ));
    }
    if !moves.legacy {
        all.push(sometimes("confirmed elsewhere", |_, s| {
            s.mover.flow.is_none() && s.agrees() && s.mover.local != address(1)
        }));
    }
    if moves.moves > 1 {
        all.push(sometimes("confirmed back home", |_, s| {
            s.moves > 1 && s.mover.flow.is_none() && s.agrees() && s.mover.local == address(1)
        }));
        all.push(sometimes("an UPDATE comes after the next", |_, s| {
            s.agrees() && s.overtaken_update_comes()
        }));
    }
    if moves.gaps {
        all.push(sometimes("suspended", |_, s| {
            s.mover.state() == flow::State::Suspended
        }));
        all.push(sometimes("given up without an address", |_, s| {
            s.mover.end == Some(End::Homeless)
        }));
    }
    all
}

/// As [`Property::sometimes`], with types that closures above need not repeat.
fn sometimes(name: &'static str, condition: fn(&Moves, &State) -> bool) -> Property<Moves> {
    Property::sometimes(name, condition)
}
