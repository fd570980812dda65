// SPDX-License-Identifier: GPL-2.0

//! What the correspondent's state machine answers, carried out.

use super::connections::Connection;
use super::KernelHmac;
use crate::module::namespace::Namespace;
use crate::module::worker::Task;
use crate::net::sock::{
    Change,
    Locked,
    RetupleError,
    SockId,
    TcpSock,
    Tuple, //
};
use crate::proto::addr::Endpoint;
use crate::proto::correspondent::secure::{
    Action,
    Actions,
    Event, //
};
use crate::proto::flow::RebindError;
use crate::proto::happening::{
    Happening,
    Reject, //
};
use crate::proto::ids::{
    Challenge,
    Epoch, //
};
use crate::proto::option::secure::Secure;
use crate::proto::path::Syn;

/// What is to be done to a connection whose socket may have an owner just now.
#[derive(Clone, Copy)]
pub struct Answer {
    actions: Actions,
}

impl Answer {
    /// What the state machine said.
    pub fn new(actions: Actions) -> Self {
        Self { actions }
    }

    /// Whether the socket is to have another remote end.
    pub fn rebinds(&self) -> bool {
        self.actions
            .into_iter()
            .any(|action| matches!(action, Action::Rebind { .. } | Action::ReturnTo { .. }))
    }

    /// Whether the connection is to start over with a budget, which comes first.
    pub fn is_bounded(&self) -> bool {
        let mut actions = self.actions.into_iter();
        actions.any(|action| matches!(action, Action::Budget(_)))
            && actions.any(|action| matches!(action, Action::RestartPath))
    }
}

impl Namespace {
    /// Feeds an event to the correspondent's state machine of a connection.
    ///
    /// # Errors
    ///
    /// Why the segment it is about is ignored.
    pub fn tell_peer(&self, sock: SockId, event: Event) -> Result<Actions, Reject> {
        let (now, settings) = (self.now(), self.control.settings());
        let told = self.with_connection(sock, |connection| {
            connection
                .peer
                .handle(now, &settings, &mut connection.session, &KernelHmac, event)
        });
        told.unwrap_or(Err(Reject::SecureNotCapable))
    }

    /// Looks at the connection of a socket, or changes it, if it has the profile; and counts what its
    /// session has to say besides.
    pub(super) fn with_connection<R>(
        &self,
        sock: SockId,
        act: impl FnOnce(&mut Connection) -> R,
    ) -> Option<R> {
        let (result, news) = self.connections.with(sock, |connection| {
            let result = act(connection);
            (result, connection.session.take_news())
        })?;
        if let Some(news) = news {
            self.count(news);
        }
        Some(result)
    }

    /// Gives the socket the remote end it is to have, if that is what `actions` say. What is to be
    /// done then.
    ///
    /// # Errors
    ///
    /// It could not have it.
    pub fn settle(
        &self,
        locked: &mut Locked<'_>,
        id: SockId,
        actions: Actions,
    ) -> Result<Actions, Reject> {
        let wanted = actions.into_iter().find_map(|action| match action {
            Action::Rebind { remote } | Action::ReturnTo { remote } => Some(remote),
            _ => None,
        });
        let Some(remote) = wanted else {
            return Ok(actions);
        };
        let event = match self.rebind_remote(locked, id, remote) {
            Ok(()) => Event::Rebound,
            Err(error) => Event::RebindFailed(error),
        };
        self.tell_peer(id, event)
    }

    /// Gives the socket another remote end.
    fn rebind_remote(
        &self,
        locked: &mut Locked<'_>,
        id: SockId,
        remote: Endpoint,
    ) -> Result<(), RebindError> {
        let old = locked.tuple();
        let new = Tuple {
            remote: remote.address,
            remote_port: remote.port,
            ..old
        };
        self.transit.begin(old, new, self.now());
        let done = locked.retuple(Change::RemoteWithPort(remote.address, remote.port));
        self.transit.finish(&old, &new, done.is_ok());
        done.map_err(|error| match error {
            RetupleError::Taken => RebindError::TupleTaken,
            RetupleError::NoMemory => RebindError::NoMemory,
            RetupleError::Gone => RebindError::Gone,
        })?;
        self.motions.rekey(&old, new);
        self.connections.rekey(id, new);
        Ok(())
    }

    /// Does what is left to do, at once, or as soon as the socket's owner has gone.
    pub fn answer_secure(&self, sock: TcpSock, answer: Answer) {
        let id = sock.id();
        if let Some(locked) = sock.try_lock_bh() {
            self.carry_out(locked, id, answer);
            return;
        }
        if !self.postpone(Task::AnswerSecure(sock, answer)) && answer.rebinds() {
            // The machine waits for word of it, and follows nobody meanwhile.
            let never = Event::RebindFailed(RebindError::NoMemory);
            self.tell_peer(id, never).ok();
        }
    }

    /// Does what is left to do.
    pub fn carry_out(&self, mut locked: Locked<'_>, id: SockId, answer: Answer) {
        let Ok(actions) = self.settle(&mut locked, id, answer.actions) else {
            return;
        };
        let (mut budget, mut begun) = (None, false);
        for action in actions {
            match action {
                Action::Budget(octets) => budget = Some(octets),
                Action::SendConfirm {
                    epoch,
                    challenge,
                    syn,
                    retransmission,
                } => {
                    begun |= !retransmission;
                    if self.send_confirm(&mut locked, id, (epoch, challenge), syn) {
                        self.count(if retransmission {
                            Happening::ConfirmRetransmitted
                        } else {
                            Happening::ConfirmSent
                        });
                    }
                }
                Action::RestartPath => self.restart(&mut locked, id, budget.take()),
                Action::LiftBudget => self.lift_budget(&mut locked, id),
                Action::Count(what) => {
                    self.count(what);
                    if matches!(what, Happening::PathValidated | Happening::PathKnown) {
                        self.home.net().keep_tracked(&locked.tuple());
                    }
                }
                // Settled.
                Action::Rebind { .. } | Action::ReturnTo { .. } => {}
            }
        }
        if let Some(octets) = budget {
            self.raise_budget(&mut locked, octets);
        }
        drop(locked);
        if begun {
            // There is a deadline that the worker does not know of.
            self.work_now();
        }
    }

    /// Sends a CONFIRM, on a SYN/ACK if it has a SYN to acknowledge. Whether it left.
    fn send_confirm(
        &self,
        locked: &mut Locked<'_>,
        id: SockId,
        (epoch, challenge): (Epoch, Challenge),
        syn: Option<Syn>,
    ) -> bool {
        // Handshakes are not looked at on their way out, so that the budget is asked here.
        let confirm = self.connections.with(id, |connection| {
            let within = syn.is_none() || connection.peer.may_send_confirm();
            within.then(|| connection.session.confirm(&KernelHmac, epoch, challenge))
        });
        let confirm = confirm.flatten();
        let Some(confirm) = confirm else {
            return false;
        };
        let option = super::octets(&Secure::Confirm(confirm));
        let Some(syn) = syn else {
            return locked.send_option(&self.emission, option);
        };
        let sent = locked.send_opening(Some((syn.ack.get(), syn.expects.get())), &option);
        if let Some(octets) = sent {
            self.tell_peer(id, Event::Sent { octets }).ok();
        }
        sent.is_some()
    }
}
