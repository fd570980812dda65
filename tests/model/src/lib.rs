// SPDX-License-Identifier: GPL-2.0

//! A mover and a correspondent, the protocol's own code, and between them a network that loses,
//! doubles, delays and reorders; checked in every order in which things can happen.

pub mod correspondent;
pub mod fault;
pub mod mover;
pub mod properties;
pub mod secure;
pub mod wire;

use correspondent::Correspondent;
use fault::Fault;
use mover::Mover;
use stateright::Model;
use stateright::Property;
use tcp_continuity::proto::flow::RebindError;
use wire::address;
use wire::Segment;
use wire::Wire;

/// When the connection is first looked at, in milliseconds.
const BEGIN: u64 = 1_000;

/// A connection whose mover changes its address, and how much happens to it at most.
#[derive(Clone, Copy, Debug)]
pub struct Moves {
    /// How often the mover's address changes or goes.
    pub moves: u8,
    /// Among how many addresses.
    pub addresses: u8,
    /// Whether the mover can be without one.
    pub gaps: bool,
    /// How many rebinds fail.
    pub failures: u8,
    /// How many segments the network doubles.
    pub doubles: u8,
    /// How often the mover sends data of its own accord.
    pub words: u8,
    /// How often the correspondent does.
    pub replies: u8,
    /// Whether the connection has timestamps.
    pub timestamps: bool,
    /// Whether the correspondent is without the module.
    pub legacy: bool,
    /// How many segments the network holds.
    pub room: usize,
    /// How many segments the network loses, if that is limited.
    pub losses: Option<u8>,
    /// Whether it is watched in which order UPDATEs are followed, which makes more states.
    pub watched: bool,
    /// How long an address stays at least, in milliseconds.
    pub stay: u64,
    /// What is done wrong.
    pub fault: Option<Fault>,
}

/// The two hosts and the network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    now: u64,
    /// The mover.
    pub mover: Mover,
    /// The correspondent.
    pub correspondent: Correspondent,
    /// The network.
    pub wire: Wire,
    moved_at: u64,
    moves: u8,
    failures: u8,
    doubles: u8,
    words: u8,
    replies: u8,
}

/// Something that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happens {
    /// The mover's host has this address now, or none.
    Address {
        /// Its number.
        number: Option<u8>,
        /// Why the socket cannot get it, if it cannot.
        error: Option<RebindError>,
    },
    /// A segment arrives.
    Arrives {
        /// When it was sent, and what it is.
        item: (u64, Segment),
        /// Whether it stays on its way as well.
        doubled: bool,
    },
    /// The mover's deadline has come.
    Deadline,
    /// Time passes until something can come of it.
    Later,
    /// The mover sends data.
    MoverSpeaks,
    /// The correspondent sends data.
    CorrespondentSpeaks,
}

impl Moves {
    /// One move, with timestamps.
    pub const fn once() -> Self {
        Self {
            moves: 1,
            addresses: 2,
            gaps: false,
            failures: 0,
            doubles: 0,
            words: 0,
            replies: 0,
            timestamps: true,
            legacy: false,
            room: 4,
            losses: None,
            watched: false,
            stay: 1_000,
            fault: None,
        }
    }

    /// Two moves, so that it may be back, with timestamps.
    pub const fn there_and_back() -> Self {
        Self {
            moves: 2,
            ..Self::once()
        }
    }

    /// The same without timestamps.
    pub const fn without_timestamps(self) -> Self {
        Self {
            timestamps: false,
            ..self
        }
    }

    /// With one more of everything that the model has any of, if `TCPC_MODEL_LONGER` is set.
    pub fn longer_if_asked(self) -> Self {
        if std::env::var_os("TCPC_MODEL_LONGER").is_none() {
            return self;
        }
        let more = |budget: u8| if budget == 0 { 0 } else { budget + 1 };
        Self {
            moves: more(self.moves),
            doubles: more(self.doubles),
            words: more(self.words),
            replies: more(self.replies),
            ..self
        }
    }

    fn correspondent(&self) -> Correspondent {
        Correspondent {
            legacy: self.legacy,
            newest: self.watched.then_some(0),
            fault: self.fault,
            ..Correspondent::new(address(1), self.timestamps.then_some(1))
        }
    }

    /// Changes of address that can come now.
    fn addresses(&self, state: &State, actions: &mut Vec<Happens>) {
        if state.moves >= self.moves || state.now < state.moved_at + self.stay {
            return;
        }
        // The addresses are alike: the first not used yet stands for all of them.
        for number in 1..=self.addresses.min(state.moves + 2) {
            if state.mover.has == Some(address(number)) {
                continue;
            }
            let number = Some(number);
            let error = None;
            actions.push(Happens::Address { number, error });
            if state.failures < self.failures {
                for error in [RebindError::NoMemory, RebindError::TupleTaken] {
                    let error = Some(error);
                    actions.push(Happens::Address { number, error });
                }
            }
        }
        if self.gaps && state.mover.has.is_some() {
            let (number, error) = (None, None);
            actions.push(Happens::Address { number, error });
        }
    }

    /// The next point in time at which anything changes by itself.
    fn later(&self, state: &State) -> Option<u64> {
        let free = state.moved_at + self.stay;
        let times = [
            state.mover.deadline(),
            state.wire.deadline(),
            (state.moves < self.moves && free > state.now).then_some(free),
        ];
        times.into_iter().flatten().min()
    }
}

impl Model for Moves {
    type State = State;
    type Action = Happens;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            now: BEGIN,
            mover: Mover::new(address(1), self.timestamps, self.fault),
            correspondent: self.correspondent(),
            wire: Wire::new(self.room, self.losses.is_some()),
            moved_at: 0,
            moves: 0,
            failures: 0,
            doubles: 0,
            words: 0,
            replies: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Happens>) {
        if state.mover.end.is_some() {
            return;
        }
        let due = state.mover.deadline().is_some_and(|at| at <= state.now);
        if due {
            actions.push(Happens::Deadline);
        } else if self.later(state).is_some() {
            actions.push(Happens::Later);
        }
        for item in state.wire.segments() {
            let doubled = false;
            actions.push(Happens::Arrives { item, doubled });
            if state.doubles < self.doubles {
                let doubled = true;
                actions.push(Happens::Arrives { item, doubled });
            }
        }
        self.addresses(state, actions);
        if state.words < self.words {
            actions.push(Happens::MoverSpeaks);
        }
        if state.replies < self.replies {
            actions.push(Happens::CorrespondentSpeaks);
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
            Happens::Address { number, error } => {
                mover.change_address(*now, number.map(address), error, wire);
                state.moved_at = state.now;
                state.moves += 1;
                state.failures += u8::from(error.is_some());
            }
            Happens::Arrives { item, doubled } => {
                if !doubled {
                    wire.take(item);
                }
                mover.receive(*now, item.1, wire);
                correspondent.receive(*now, item, wire);
                state.doubles += u8::from(doubled);
            }
            Happens::Deadline => mover.meet_deadline(*now, wire),
            Happens::Later => {
                state.now = self.later(last)?;
                state.wire.expire(state.now);
            }
            Happens::MoverSpeaks => {
                mover.speak(*now, wire);
                state.words += 1;
            }
            Happens::CorrespondentSpeaks => {
                correspondent.speak(*now, wire);
                state.replies += 1;
            }
        }
        let allowed = self.losses.is_none_or(|most| state.wire.lost <= most);
        (allowed && state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = properties::all();
        if self.fault.is_none() {
            all.extend(properties::occurrences(self));
        }
        all
    }
}
