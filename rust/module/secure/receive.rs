// SPDX-License-Identifier: GPL-2.0

//! UPDATE, CONFIRM and RESPONSE that came.
//!
//! What is not authentic is counted and left to TCP, which treats it as without the option: so
//! nothing tells whether a token is one.

use super::{
    arrival::{
        carrier_of,
        ends_of,
        ends_sent,
        Arrival, //
    },
    perform::Answer,
    KernelHmac, //
};
use crate::module::namespace::Namespace;
use crate::module::worker::Task;
use crate::net::netfilter::HookState;
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
    Locked,
    OptionOctets,
    SockId,
    TcpSock,
    Tuple, //
};
use crate::proto::addr::Endpoint;
use crate::proto::correspondent::secure::{
    Actions,
    Event, //
};
use crate::proto::flow;
use crate::proto::happening::{
    Happening,
    Reject, //
};
use crate::proto::ids::Epoch;
use crate::proto::option::secure::{
    Confirm,
    Response,
    Secure,
    Update, //
};

impl Namespace {
    /// The UPDATE that a socket at `tuple` sends.
    pub fn make_update(
        &self,
        id: SockId,
        epoch: Epoch,
        retransmission: bool,
        tuple: &Tuple,
    ) -> Option<OptionOctets> {
        let ends = ends_sent(tuple);
        let update = self.connections.with(id, |connection| {
            connection
                .session
                .update(&KernelHmac, epoch, retransmission, &ends)
        })?;
        Some(super::octets(&Secure::Update(update)))
    }

    /// A segment with an option of the profile that is [in order](Namespace::is_in_order), neither
    /// SYN nor SYN/ACK but those of a connection that is there.
    pub fn secure(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        option: Secure,
    ) -> Verdict {
        match option {
            Secure::Update(update) => self.update_received(skb, state, segment, update),
            Secure::Confirm(confirm) => self.confirm_received(skb, state, segment, &confirm),
            Secure::Response(response) => self.response_received(skb, state, segment, response),
            Secure::Echo(echo) => {
                let tuple = segment.as_received();
                let sock = self.sock_at(&skb, state, &tuple).map(|sock| sock.id());
                self.hear_echo(&tuple, sock, echo);
                skb.accept()
            }
            Secure::Keyshare(share) => self.share_received(skb, state, segment, &share),
            Secure::Keyed(keyed) => self.keyed_received(skb, state, segment, &keyed),
            // Not in such a segment, as was seen.
            Secure::Capable(_) => skb.accept(),
        }
    }

    /// What can be seen of a segment before anybody is asked.
    ///
    /// # Errors
    ///
    /// Why the segment is treated as if it were without the option.
    pub fn is_in_order(
        &self,
        skb: &mut SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        option: &Secure,
    ) -> Result<(), Reject> {
        option.is_in_place(carrier_of(segment))?;
        self.is_from_elsewhere(skb, state, segment)
    }

    /// The socket of a 4-tuple, or the one that has lately left it.
    pub(super) fn sock_at(
        &self,
        skb: &SkBuff<'_>,
        state: &HookState<'_>,
        tuple: &Tuple,
    ) -> Option<TcpSock> {
        let interfaces = skb.interfaces(state.family());
        match state.net().find_connection(tuple, interfaces) {
            Found::Sock(sock) => return Some(sock),
            Found::Mini => return None,
            Found::Nothing => {}
        }
        let instead = self.transit.instead_of(tuple)?;
        match state.net().find_connection(&instead, interfaces) {
            Found::Sock(sock) => Some(sock),
            Found::Mini | Found::Nothing => None,
        }
    }

    /// An UPDATE.
    fn update_received(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        update: Update,
    ) -> Verdict {
        let Some((id, old)) = self.connections.find(update.token) else {
            self.count(Reject::SecureUnknownToken);
            return skb.accept();
        };
        let arrival = Arrival::new(segment, skb.octets(), update, old);
        let found = state
            .net()
            .find_connection(&old, skb.interfaces(state.family()));
        let sock = match found {
            Found::Sock(sock) if sock.id() == id && arrival.is_for_it() => sock,
            // On its way out of the table, or between two chains: the UPDATE comes again.
            _ => {
                self.count(Reject::UnknownConnection);
                return skb.accept();
            }
        };
        if let Err(reject) = self.is_authentic(id, &arrival) {
            self.count(reject);
            return skb.accept();
        }
        let Some(mut locked) = sock.try_lock_bh() else {
            // What comes for the new tuple meanwhile goes to the connection.
            self.transit.expect(arrival.new, arrival.old, self.now());
            self.postpone(Task::FollowSecure(sock, arrival));
            return skb.confirm_and_consume();
        };
        let followed = self
            .follow_secure(&mut locked, id, &arrival)
            .map(Answer::new);
        if followed.as_ref().is_ok_and(Answer::is_bounded) {
            self.narrow(&mut locked, id);
        }
        drop(locked);
        match followed {
            Ok(answer) => {
                let verdict = if arrival.syn.is_some() {
                    // TCP has no use for a SYN here.
                    skb.confirm_and_consume()
                } else {
                    // First what the segment acknowledges, so that nothing is resent that has
                    // arrived.
                    skb.deliver(state)
                };
                self.answer_secure(sock, answer);
                verdict
            }
            Err(reject) => {
                self.count(reject);
                if arrival.syn.is_some() {
                    // The peer's own, and no wish to open a connection.
                    return skb.consume();
                }
                skb.accept()
            }
        }
    }

    /// Whether an UPDATE is new and the peer's. Nothing is done for one that is not: no lock of a
    /// socket is taken, and nothing is granted to where it says it comes from.
    pub(super) fn is_authentic(&self, id: SockId, arrival: &Arrival) -> Result<(), Reject> {
        let (update, ends) = (&arrival.update, ends_of(&arrival.new));
        let heard = self.with_connection(id, |connection| {
            // First what costs nothing.
            if update.epoch <= connection.peer.followed() {
                return Err(Reject::SecureOldEpoch);
            }
            connection.session.hear_update(&KernelHmac, update, &ends)
        });
        if let Some(news) = heard.unwrap_or(Err(Reject::SecureUnknownToken))? {
            self.count(news);
        }
        Ok(())
    }

    /// Follows an UPDATE that had to wait for its socket's owner. Process context.
    pub fn follow_now(&self, sock: &TcpSock, arrival: &Arrival) {
        let mut locked = sock.lock();
        match self.follow_secure(&mut locked, sock.id(), arrival) {
            Ok(actions) => self.carry_out(locked, sock.id(), Answer::new(actions)),
            Err(reject) => self.count(reject),
        }
    }

    /// Judges an UPDATE and, where it is authentic and new, rebinds the connection. What is left to
    /// do.
    pub fn follow_secure(
        &self,
        locked: &mut Locked<'_>,
        id: SockId,
        arrival: &Arrival,
    ) -> Result<Actions, Reject> {
        if !locked.is_movable() {
            return Err(Reject::StateIneligible);
        }
        if locked.tuple() != arrival.old {
            // It has moved on since it was looked up. The UPDATE comes again.
            return Err(Reject::UnknownConnection);
        }
        let now = self.now();
        let source = ends_of(&arrival.new).source;
        let gives = self
            .connections
            .with(id, |it| it.peer.gives_a_segment_to(source, now));
        let segment = if gives == Some(true) {
            self.destinations
                .grant(source.address, locked.segment_octets(), now)
        } else {
            0
        };
        let event = Event::Update {
            update: arrival.update,
            ends: ends_of(&arrival.new),
            syn: arrival.syn,
            octets: arrival.octets,
            challenge: super::challenge(),
            rto: locked.rto(),
            segment,
            unanswered: locked.is_unanswered(),
        };
        let actions = self.tell_peer(id, event)?;
        self.settle(locked, id, actions)
    }

    /// A CONFIRM: the peer sends to where we are, and asks whether we get it.
    fn confirm_received(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        confirm: &Confirm,
    ) -> Verdict {
        let tuple = segment.as_received();
        let sock = match state
            .net()
            .find_connection(&tuple, skb.interfaces(state.family()))
        {
            Found::Sock(sock) => sock,
            Found::Mini | Found::Nothing => {
                self.count(Reject::UnknownConnection);
                return skb.accept();
            }
        };
        let syn = segment.has(segment::SYN);
        let answer = self.with_connection(sock.id(), |connection| {
            let response = connection.session.answer(&KernelHmac, confirm)?;
            connection.session.confirmed_on(syn);
            Ok::<_, Reject>(response)
        });
        match answer {
            Some(Ok(response)) => {
                self.home.net().keep_tracked(&tuple);
                self.motion_confirmed(&tuple, confirm, syn);
                let restart = self.is_answered(&sock, confirm.epoch);
                // Before anything is resent: what is on the path may wait for it, and for an ACK.
                self.respond(sock.clone(), Secure::Response(response));
                if syn {
                    // TCP would take it for an attempt to open the connection again.
                    return skb.confirm_and_consume();
                }
                if restart {
                    // First what the segment acknowledges, as for an UPDATE.
                    let verdict = skb.deliver(state);
                    self.resend(sock);
                    return verdict;
                }
            }
            Some(Err(reject)) => self.count(reject),
            None => self.count(Reject::SecureNotCapable),
        }
        skb.accept()
    }

    /// Tells the flow of `tuple`, if it is on the move, that its peer has followed.
    fn motion_confirmed(&self, tuple: &Tuple, confirm: &Confirm, syn: bool) {
        let settings = self.control.settings();
        let event = flow::Event::Confirm {
            epoch: confirm.epoch,
            syn,
        };
        if let Some(actions) = self.motions.handle(tuple, self.now(), &settings, event) {
            self.note(tuple, actions);
        }
    }

    /// Sends an option at once, or as soon as the socket's owner has gone.
    fn respond(&self, sock: TcpSock, option: Secure) {
        if let Some(mut locked) = sock.try_lock_bh() {
            self.send_response(&mut locked, option);
            return;
        }
        self.postpone(Task::Respond(sock, option));
    }

    /// Sends a RESPONSE.
    pub fn send_response(&self, locked: &mut Locked<'_>, option: Secure) {
        if locked.is_movable() && locked.send_option(&self.emission, super::octets(&option)) {
            self.count(Happening::ResponseSent);
        }
    }

    /// A RESPONSE: the peer gets what is sent to where it says it is.
    fn response_received(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        response: Response,
    ) -> Verdict {
        let tuple = segment.as_received();
        let Some(sock) = self.sock_at(&skb, state, &tuple) else {
            self.count(Reject::UnknownConnection);
            return skb.accept();
        };
        let source = Endpoint {
            address: tuple.remote,
            port: tuple.remote_port,
        };
        match self.tell_peer(sock.id(), Event::Response { response, source }) {
            Ok(actions) => self.answer_secure(sock, Answer::new(actions)),
            Err(reject) => self.count(reject),
        }
        skb.accept()
    }
}
