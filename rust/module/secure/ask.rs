// SPDX-License-Identifier: GPL-2.0

//! Asking a peer whether it is there: after a RST, and when it does not answer TCP.

use super::connections::Connection;
use super::KernelHmac;
use crate::module::namespace::Namespace;
use crate::module::worker::Task;
use crate::net::netfilter::HookState;
use crate::net::segment::Segment;
use crate::net::skb::SkBuff;
use crate::net::sock::{
    Found,
    Locked,
    Numbers,
    SockId,
    TcpSock,
    Tuple, //
};
use crate::proto::flow::State;
use crate::proto::happening::Happening;
use crate::proto::ids::Epoch;
use crate::proto::option::secure::Secure;
use crate::proto::probe::{
    Action,
    Actions,
    Event, //
};
use crate::proto::seq::SeqNum;

/// What becomes of a RST.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Guarded {
    /// It is of no connection that is guarded, or none that TCP would act upon.
    No,
    /// TCP must not see it.
    Ignore,
    /// TCP may believe it.
    Believe,
}

impl Namespace {
    /// A RST came. Whether a connection of the profile is to believe it.
    ///
    /// # Context
    ///
    /// `LOCAL_IN`.
    pub fn guard(
        &self,
        skb: &mut SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        tuple: &Tuple,
    ) -> Guarded {
        if self.control.settings().rst_guard.is_zero() {
            return Guarded::No;
        }
        let interfaces = skb.interfaces(state.family());
        let Found::Sock(sock) = state.net().find_connection(tuple, interfaces) else {
            return Guarded::No;
        };
        let guarded = self.connections.is_capable(sock.id())
            // One on the move believes none anyway, and its UPDATEs ask already.
            && !self.is_on_the_move(tuple)
            && is_effective(segment, &sock.numbers_unlocked())
            && skb.checksum_is_right(state.family(), segment.offset);
        if !guarded {
            return Guarded::No;
        }
        if self.is_on_trial(sock.id()) {
            // There CONFIRMs ask, and without an answer it goes back to where its peer was.
            self.count(Happening::RstIgnored);
            return Guarded::Ignore;
        }
        let rto = sock.rto_unlocked();
        let actions = self.tell_probe(sock.id(), Event::Rst { rto });
        let ignored = |action| matches!(action, Action::IgnoreSegment);
        let verdict = if actions.into_iter().any(ignored) {
            Guarded::Ignore
        } else {
            Guarded::Believe
        };
        self.act(sock, actions);
        verdict
    }

    /// A segment is about to leave whose sender is not answered.
    ///
    /// # Context
    ///
    /// `LOCAL_OUT`: the sender's lock is held.
    pub fn note_silence(&self, skb: &SkBuff<'_>, sender: SockId) {
        let now = self.now();
        let noted = self.connections.with(sender, |connection| {
            connection.session.is_capable() && connection.note_silence(now)
        });
        if noted == Some(true) {
            if let Some(sock) = skb.sender_sock() {
                self.postpone_quietly(Task::Silence(sock));
            }
        }
    }

    /// A connection's peer does not answer. Process context.
    pub fn meet_silence(&self, sock: &TcpSock) {
        let mut locked = sock.lock();
        if !locked.is_movable() || !locked.is_unanswered() || self.is_on_the_move(&locked.tuple()) {
            return;
        }
        // A limit of the application's own is its affair, and what nobody waits for TCP's.
        let ours = locked.user_timeout().is_none() && !locked.is_orphan();
        let limit = self.control.settings().hold_time;
        if ours && locked.has_unacknowledged() && locked.outlast(limit) {
            self.count(Happening::Outlasted);
        }
        if !self.is_on_trial(sock.id()) {
            let rto = locked.rto();
            let actions = self.tell_probe(sock.id(), Event::Silence { rto });
            self.act_locked(&mut locked, sock.id(), actions);
        }
    }

    /// A CONFIRM came, and is authentic. Whether what is outstanding is to be resent.
    pub fn is_answered(&self, sock: &TcpSock, epoch: Epoch) -> bool {
        if !self.connections.any_asking() {
            return false;
        }
        let acknowledged = SeqNum::new(sock.numbers_unlocked().snd_una);
        let event = Event::Confirm {
            epoch,
            acknowledged,
        };
        let mut restart = false;
        for action in self.tell_probe(sock.id(), event) {
            match action {
                Action::Count(what) => self.count(what),
                Action::RestartPath => restart = true,
                Action::Ask | Action::IgnoreSegment => {}
            }
        }
        restart
    }

    /// Resends what is outstanding at once, or as soon as the socket's owner has gone.
    pub(super) fn resend(&self, sock: TcpSock) {
        if let Some(mut locked) = sock.try_lock_bh() {
            if locked.has_unacknowledged() {
                // An error is that the connection is over, or TCP's to deal with.
                locked.restart_path().ok();
            }
            return;
        }
        self.postpone(Task::Restart(sock));
    }

    /// The deadline of a connection whose peer is asked has come.
    pub(super) fn meet_asking(&self, locked: &mut Locked<'_>, id: SockId) {
        let actions = self.tell_probe(id, Event::Deadline);
        self.act_locked(locked, id, actions);
    }

    /// Asks, as soon as the socket's owner has gone. Process context.
    pub fn ask_now(&self, sock: &TcpSock) {
        self.ask(&mut sock.lock(), sock.id());
    }

    /// Whether the connection of `tuple` has lost its address, or has not been confirmed at another.
    pub(super) fn is_on_the_move(&self, tuple: &Tuple) -> bool {
        let state = self.motions.with(tuple, |motion| motion.flow.state());
        state.is_some_and(|state| state != State::Stable)
    }

    /// Whether it is not known that a connection's peer is where it says it is.
    fn is_on_trial(&self, id: SockId) -> bool {
        let trial = |connection: &mut Connection| connection.is_on_trial();
        self.connections.any_on_trial() && self.connections.with(id, trial) == Some(true)
    }

    /// Feeds an event to the machine that asks.
    fn tell_probe(&self, id: SockId, event: Event) -> Actions {
        let (now, settings) = (self.now(), self.control.settings());
        let told = self.connections.with(id, |connection| {
            connection.probe.handle(now, &settings, event)
        });
        told.unwrap_or_default()
    }

    /// Does what the machine says, at once, or as soon as the socket's owner has gone.
    fn act(&self, sock: TcpSock, actions: Actions) {
        let asks = actions.into_iter().any(|action| action == Action::Ask);
        if !asks {
            self.count_all(actions);
            return;
        }
        if let Some(mut locked) = sock.try_lock_bh() {
            self.act_locked(&mut locked, sock.id(), actions);
            // There is a deadline that the worker does not know of.
            self.work_now();
            return;
        }
        self.count_all(actions);
        self.postpone(Task::Ask(sock));
    }

    /// Does what the machine says.
    fn act_locked(&self, locked: &mut Locked<'_>, id: SockId, actions: Actions) {
        for action in actions {
            match action {
                Action::Ask => self.ask(locked, id),
                // None of these follows a RST, silence or a deadline.
                Action::RestartPath | Action::IgnoreSegment => {}
                Action::Count(what) => self.count(what),
            }
        }
    }

    /// Counts what is to be counted.
    fn count_all(&self, actions: Actions) {
        for action in actions {
            if let Action::Count(what) = action {
                self.count(what);
            }
        }
    }

    /// Asks the peer whether it is there.
    fn ask(&self, locked: &mut Locked<'_>, id: SockId) {
        let tuple = locked.tuple();
        let asked_otherwise = self.is_on_the_move(&tuple) || self.is_on_trial(id);
        if !locked.is_movable() || asked_otherwise {
            return;
        }
        let ends = super::arrival::ends_sent(&tuple);
        let made = self.connections.with(id, |connection| {
            connection.session.probe(&KernelHmac, &ends)
        });
        let Some(update) = made.flatten() else {
            return;
        };
        self.motions.used(&tuple, update.epoch);
        // Before it is sent: on this very host the answer may be here before this returns.
        let event = Event::Asked {
            epoch: update.epoch,
            acknowledged: SeqNum::new(locked.numbers().snd_una),
        };
        self.tell_probe(id, event);
        if locked.send_option(&self.emission, super::octets(&Secure::Update(update))) {
            self.count(Happening::ProbeSent);
        }
    }
}

/// Whether TCP would act on a RST: end the connection, or challenge the sender. What it believes is
/// RCV.NXT, one less after a FIN, or the end of the last data that came (`tcp_validate_incoming()`,
/// net/ipv4/tcp_input.c); RCV.NXT may be on its way there. So all of the window is guarded.
fn is_effective(segment: &Segment, numbers: &Numbers) -> bool {
    let next = SeqNum::new(numbers.rcv_nxt);
    SeqNum::new(segment.seq).is_within(next.minus(1), next.plus(numbers.rcv_wnd))
}
