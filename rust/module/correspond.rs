// SPDX-License-Identifier: GPL-2.0

//! The correspondent's side of a move: an ADDRESS UPDATE that may be followed.

use crate::module::namespace::Namespace;
use crate::module::worker::Task;
use crate::net::netfilter::HookState;
use crate::net::segment::Segment;
use crate::net::skb::{
    SkBuff,
    Verdict, //
};
use crate::net::sock::{
    Change,
    Found,
    Locked,
    Numbers,
    RetupleError,
    TcpSock,
    Tuple, //
};
use crate::proto::correspondent::{
    self,
    Judgement,
    Known,
    View, //
};
use crate::proto::flow::Event;
use crate::proto::happening::{
    Happening,
    Reject, //
};
use crate::proto::option;
use crate::proto::option::classic::AddressUpdate;
use crate::proto::seq::SeqNum;
use core::time::Duration;

/// An UPDATE whose connection was found, and what it takes to judge it.
#[derive(Clone, Copy)]
pub struct Candidate {
    segment: correspondent::Segment,
    /// TSecr, if it has timestamps.
    echo: Option<u32>,
    /// The connection's tuple if the update is followed, as seen from here.
    new: Tuple,
    /// Its tuple before.
    old: Tuple,
    /// What was found of it when it came, if it had to wait: what came after it and was led to the
    /// connection meanwhile has made its numbers old.
    judged: Option<Judgement>,
}

impl Namespace {
    /// An UPDATE that is well formed and whose checksum is right.
    pub fn correspond(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        update: AddressUpdate,
    ) -> Verdict {
        let new = segment.as_received();
        let timestamps = option::timestamps(segment.options());
        let candidate = Candidate {
            segment: correspondent::Segment {
                source: segment.source,
                destination: segment.destination,
                seq: SeqNum::new(segment.seq),
                ack: SeqNum::new(segment.ack),
                timestamp: timestamps.map(|t| t.value),
                update,
            },
            echo: timestamps.map(|t| t.echo),
            new,
            old: Tuple {
                remote: update.old,
                ..new
            },
            judged: None,
        };
        let interfaces = skb.interfaces(state.family());
        let net = state.net();
        let found = match net.find_connection(&candidate.old, interfaces) {
            Found::Sock(sock) => Some(sock),
            Found::Mini | Found::Nothing => match net.find_connection(&new, interfaces) {
                Found::Sock(sock) => Some(sock),
                Found::Mini | Found::Nothing => None,
            },
        };
        let Some(sock) = found else {
            self.count(Reject::UnknownConnection);
            return skb.accept();
        };
        if self.connections.is_capable(sock.id()) {
            // It moves for those who prove that they may move it, only.
            self.count(Reject::StateIneligible);
            return skb.accept();
        }
        let Some(locked) = sock.try_lock_bh() else {
            return self.follow_later(skb, sock, candidate);
        };
        let followed = self.follow(locked, &candidate);
        match followed {
            Ok(judgement) => {
                // First what the segment acknowledges, so that nothing is resent that has arrived.
                let verdict = skb.deliver(state);
                self.answer(sock, judgement);
                verdict
            }
            Err(reject) => {
                self.count(reject);
                skb.accept()
            }
        }
    }

    /// Judges an UPDATE whose socket a process owns, and leaves the rest to the worker.
    fn follow_later(&self, skb: SkBuff<'_>, sock: TcpSock, mut candidate: Candidate) -> Verdict {
        let (old, new) = (candidate.old, candidate.new);
        let left_ago = self.transit.left_ago(&new, self.now());
        let view = view(&sock.numbers_unlocked(), left_ago);
        // The tuple is looked at again under the lock.
        match correspondent::judge(&candidate.segment, &Known::Old(view)) {
            Ok(judgement) => candidate.judged = Some(judgement),
            Err(reject) => {
                // Perhaps it has been followed already, and is only to be answered.
                if correspondent::judge(&candidate.segment, &Known::New(view)).is_err() {
                    self.count(reject);
                    return skb.accept();
                }
            }
        }
        // What comes for the new tuple meanwhile goes to the connection, as it does already if the
        // tuple is one it has left.
        self.transit.expect(new, old, self.now());
        self.postpone(Task::Follow(sock, candidate));
        skb.consume()
    }

    /// Judges an UPDATE and, where it says so, rebinds the connection.
    pub fn follow(
        &self,
        mut locked: Locked<'_>,
        candidate: &Candidate,
    ) -> Result<Judgement, Reject> {
        if !locked.is_movable() {
            return Err(Reject::StateIneligible);
        }
        let now = self.now();
        let (old, new) = (candidate.old, candidate.new);
        let view = view(&locked.numbers(), self.transit.left_ago(&new, now));
        let at = locked.tuple();
        let known = if at == old {
            Known::Old(view)
        } else if at == new {
            Known::New(view)
        } else {
            // It has moved on since it was looked up.
            return Err(Reject::UnknownConnection);
        };
        let judgement = match (candidate.judged, known) {
            (Some(judgement), Known::Old(_)) => judgement,
            _ => correspondent::judge(&candidate.segment, &known)?,
        };
        if let Judgement::Rebind { remote } = judgement {
            self.transit.begin(old, new, now);
            let done = locked.retuple(Change::Remote(remote));
            self.transit.finish(&old, &new, done.is_ok());
            if let Err(error) = done {
                return Err(match error {
                    RetupleError::Taken => Reject::TupleTaken,
                    RetupleError::NoMemory | RetupleError::Gone => Reject::StateIneligible,
                });
            }
            self.motions.rekey(&old, new);
            self.count(Happening::Rebound);
        } else {
            self.count(Happening::Repeated);
        }
        // The peer has found us, so our own move, if one is going on, is confirmed as well.
        if !self.motions.is_empty() {
            self.confirmed(&new, candidate.echo);
        }
        Ok(judgement)
    }

    /// Answers a followed UPDATE: an acknowledgement at once, then what is outstanding.
    pub fn answer(&self, sock: TcpSock, judgement: Judgement) {
        let Some(locked) = sock.try_lock_bh() else {
            self.postpone(Task::Answer(sock, judgement));
            return;
        };
        answer_locked(locked, judgement);
    }

    /// Tells the flow of `tuple`, if there is one, that its peer has sent something.
    fn confirmed(&self, tuple: &Tuple, echo: Option<u32>) {
        let event = Event::Segment {
            rst: false,
            acceptable: true,
            echo,
        };
        let settings = self.control.settings();
        if let Some(actions) = self.motions.handle(tuple, self.now(), &settings, event) {
            self.note(tuple, actions);
        }
    }
}

/// See [`Namespace::answer`].
pub fn answer_locked(mut locked: Locked<'_>, judgement: Judgement) {
    if !locked.is_movable() {
        return;
    }
    locked.send_ack();
    if matches!(judgement, Judgement::Rebind { .. }) {
        // Without a route TCP's own timers try again.
        locked.restart_path().ok();
    }
}

/// What the protocol judges a segment by.
pub fn view(numbers: &Numbers, left_ago: Option<Duration>) -> View {
    View {
        rcv_nxt: SeqNum::new(numbers.rcv_nxt),
        rcv_wnd: numbers.rcv_wnd,
        snd_una: SeqNum::new(numbers.snd_una),
        snd_nxt: SeqNum::new(numbers.snd_nxt),
        max_window: numbers.max_window,
        ts_recent: numbers.ts_recent,
        left_ago,
    }
}
