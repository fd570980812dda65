// SPDX-License-Identifier: GPL-2.0

//! The secure profile: a mover, a correspondent, the protocol's own code, and an attacker who sees all
//! of it, and drops, doubles, delays, reorders and sends again what it likes, from where it is or in
//! anybody's name; but has no key.

pub mod correspondent;
pub mod fault;
pub mod mover;
pub mod properties;
pub mod wire;

use correspondent::Correspondent;
use fault::Fault;
use mover::Mover;
use stateright::Model;
use stateright::Property;
use std::time::Duration;
use tcp_continuity::proto::option::secure::Secure;
use tcp_continuity::proto::settings::Settings;
use tcpc_fuzz::secure::sessions;
use wire::Place;
use wire::Segment;
use wire::Wire;

/// When the connection is first looked at, in milliseconds.
const BEGIN: u64 = 1_000;

/// A connection whose mover changes its address, and how much happens to it at most.
#[derive(Clone, Copy, Debug)]
pub struct Attacked {
    /// How often the mover's address changes.
    pub moves: u8,
    /// How many segments the attacker sends.
    pub attacks: u8,
    /// How often the mover sends data of its own accord.
    pub words: u8,
    /// How many segments the network, or the attacker, loses, if that is limited.
    pub losses: Option<u8>,
    /// Whether the attacker forwards to the mover what was sent to itself, as a router would.
    pub forwards: bool,
    /// How many segments are on their way at most.
    pub room: usize,
    /// What is done wrong.
    pub fault: Option<Fault>,
}

/// The two hosts, the network, and what the attacker has seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Milliseconds.
    pub now: u64,
    /// The mover.
    pub mover: Mover,
    /// The correspondent.
    pub correspondent: Correspondent,
    /// The network.
    pub wire: Wire,
    moved_at: u64,
    moves: u8,
    attacks: u8,
    words: u8,
}

/// Something that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happens {
    /// The mover gets its next address.
    Moves,
    /// A segment arrives.
    Arrives((u64, Segment)),
    /// The attacker sends something that it has seen.
    Attacks(Segment),
    /// The mover's deadline has come.
    MoverDeadline,
    /// The correspondent's deadline has come.
    CorrespondentDeadline,
    /// Time passes until something can come of it.
    Later,
    /// The mover sends data.
    Speaks,
}

/// Short, so that giving up and going back are a part of the model.
pub fn settings() -> Settings {
    Settings {
        confirm_time: Duration::from_secs(50),
        validate_time: Duration::from_secs(4),
        ..Settings::default()
    }
}

impl Attacked {
    /// One move, and one segment of the attacker's.
    pub const fn once() -> Self {
        Self {
            moves: 1,
            attacks: 1,
            words: 0,
            losses: None,
            forwards: false,
            room: 4,
            fault: None,
        }
    }

    /// What the attacker can send: an UPDATE or RESPONSE that it has seen, from where it is and from
    /// where it came; back to its sender; one that it has made up; data in its own name.
    fn attacks(&self, state: &State, actions: &mut Vec<Happens>) {
        if state.attacks >= self.attacks {
            return;
        }
        for seen in state.wire.seen() {
            let from_here = Segment {
                from: Place::ATTACKER,
                ..seen
            };
            let back = Segment {
                from: seen.to,
                to: seen.from,
                ..seen
            };
            let to_the_mover = matches!(seen.option, Some(Secure::Confirm(_)));
            if !to_the_mover {
                actions.extend([seen, from_here, back].map(Happens::Attacks));
                let forged = from_here.forged(self.fault);
                actions.extend(forged.map(Happens::Attacks));
            } else if self.forwards && seen.to == Place::ATTACKER {
                let to = state.mover.local;
                actions.push(Happens::Attacks(Segment { to, ..seen }));
            }
        }
        let data = Segment {
            from: Place::ATTACKER,
            to: Place::CORRESPONDENT,
            option: None,
        };
        actions.push(Happens::Attacks(data));
    }

    /// The next point in time at which anything changes by itself.
    fn later(&self, state: &State) -> Option<u64> {
        let times = [
            state.mover.deadline(),
            state.correspondent.deadline(),
            state.wire.deadline(),
        ];
        times.into_iter().flatten().min()
    }
}

impl Model for Attacked {
    type State = State;
    type Action = Happens;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            now: BEGIN,
            mover: Mover::new(self.fault),
            correspondent: Correspondent::new(self.fault),
            wire: Wire::new(self.room),
            moved_at: 0,
            moves: 0,
            attacks: 0,
            words: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Happens>) {
        if state.mover.ended {
            return;
        }
        let is_due = |at: Option<u64>| at.is_some_and(|at| at <= state.now);
        if is_due(state.mover.deadline()) {
            actions.push(Happens::MoverDeadline);
        } else if is_due(state.correspondent.deadline()) {
            actions.push(Happens::CorrespondentDeadline);
        } else if self.later(state).is_some() {
            actions.push(Happens::Later);
        }
        actions.extend(state.wire.segments().map(Happens::Arrives));
        if state.moves < self.moves && (state.moves == 0 || state.now >= state.moved_at + 1_000) {
            actions.push(Happens::Moves);
        }
        self.attacks(state, actions);
        if state.words < self.words {
            actions.push(Happens::Speaks);
        }
    }

    fn next_state(&self, last: &State, action: Happens) -> Option<State> {
        let mut state = last.clone();
        let State {
            now,
            mover,
            correspondent,
            wire,
            ..
        } = &mut state;
        match action {
            Happens::Moves => {
                mover.change_address(*now, wire);
                state.moved_at = state.now;
                state.moves += 1;
            }
            Happens::Arrives(item) => {
                wire.take(item);
                mover.receive(*now, item.1, wire);
                correspondent.receive(*now, item.1, wire);
            }
            Happens::Attacks(segment) => {
                // It need not wait for anybody.
                mover.receive(*now, segment, wire);
                correspondent.receive(*now, segment, wire);
                state.attacks += 1;
            }
            Happens::MoverDeadline => mover.meet_deadline(*now, wire),
            Happens::CorrespondentDeadline => correspondent.meet_deadline(*now, wire),
            Happens::Later => {
                state.now = self.later(last)?;
                state.wire.expire(state.now);
            }
            Happens::Speaks => {
                mover.speak(*now, wire);
                state.words += 1;
            }
        }
        let allowed = self.losses.is_none_or(|most| state.wire.lost <= most);
        // An attack that changes nothing is none.
        let idle = state.mover == last.mover
            && state.correspondent == last.correspondent
            && state.wire == last.wire
            && state.now == last.now;
        (allowed && !idle).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}

/// The sessions of the two ends as they are after the handshake: mover, correspondent.
fn fresh() -> (
    tcp_continuity::proto::session::Session,
    tcp_continuity::proto::session::Session,
) {
    sessions(true)
}
