// SPDX-License-Identifier: GPL-2.0

//! What a mover's state machine answers, carried out on its socket: the one place where an
//! [`Action`] becomes calls into [`crate::net`].

use crate::module::namespace::Namespace;
use crate::net::sock::{
    Change,
    Locked,
    OptionOctets,
    RetupleError,
    SockId,
    TcpSock,
    Tuple, //
};
use crate::proto::flow::{
    Action,
    Actions,
    Event,
    RebindError,
    Waiting, //
};
use crate::proto::happening::Happening;
use crate::proto::ids::Epoch;
use crate::proto::option::classic::AddressUpdate;
use core::net::IpAddr;
use kernel::prelude::*;

impl Namespace {
    /// Feeds an event to the flow of a locked socket, and carries out what it answers.
    ///
    /// # Context
    ///
    /// Process context, no lock held but that of `locked`, which is released.
    pub fn feed(&self, sock: &TcpSock, mut locked: Locked<'_>, event: Event) {
        let mut tuple = locked.tuple();
        let settings = self.control.settings();
        let mut event = Some(event);
        let mut end = End::default();
        // Some answers have a result that the machine wants to hear of at once.
        while let Some(next) = event.take() {
            let now = self.now();
            let Some(actions) = self.motions.handle(&tuple, now, &settings, next) else {
                return;
            };
            for action in actions {
                match action {
                    Action::Rebind { local } => {
                        let old = tuple;
                        event = Some(self.rebind(&mut locked, &mut tuple, local));
                        if tuple != old {
                            self.connections.rekey(sock.id(), tuple);
                            self.tell_conntrack_of_own(sock.id(), &old, &tuple);
                        }
                    }
                    Action::SendUpdate {
                        old,
                        retransmission,
                    } => self.send_update(&mut locked, old, retransmission),
                    Action::SolicitAck => {
                        if locked.solicit_ack() {
                            self.count(Happening::AckSolicited);
                        }
                    }
                    // Without a route TCP's own timers try again.
                    Action::RestartPath => drop(locked.restart_path()),
                    Action::Park => {
                        locked.park();
                        event = Some(Event::Held(waiting(&locked)));
                    }
                    Action::Hold => {
                        locked.hold();
                        event = Some(Event::Held(waiting(&locked)));
                    }
                    Action::Unpark => locked.unpark(),
                    Action::Abort => end.abort = true,
                    Action::Forget => end.forget = true,
                    Action::Count(what) => self.count(what),
                    Action::SendSecureUpdate {
                        epoch,
                        retransmission,
                        syn,
                    } => {
                        self.send_secure_update(&mut locked, sock.id(), epoch, retransmission, syn)
                    }
                    // There is no segment here.
                    Action::IgnoreSegment => {}
                }
            }
        }
        drop(locked);
        self.end(sock, &tuple, &end);
    }

    /// What an answer to a segment asks for besides the segment: counts, an UPDATE, the end of a
    /// flow.
    pub fn note(&self, tuple: &Tuple, actions: Actions) {
        for action in actions {
            match action {
                Action::Count(what) => self.count(what),
                Action::Forget => drop(self.motions.remove(tuple)),
                Action::RestartPath => self.postpone_restart(tuple),
                // The answer to a CONFIRM (S-77).
                Action::SendSecureUpdate {
                    epoch,
                    retransmission,
                    syn: false,
                } => self.postpone_update(tuple, epoch, retransmission),
                Action::IgnoreSegment
                | Action::Rebind { .. }
                | Action::SendUpdate { .. }
                | Action::SendSecureUpdate { syn: true, .. }
                | Action::SolicitAck
                | Action::Park
                | Action::Hold
                | Action::Unpark
                | Action::Abort => {}
            }
        }
    }

    /// Gives the socket a new local address, and its flow the tuple that goes with it.
    fn rebind(&self, locked: &mut Locked<'_>, tuple: &mut Tuple, local: IpAddr) -> Event {
        let old = *tuple;
        let new = Tuple { local, ..old };
        self.transit.begin(old, new, self.now());
        let done = locked.retuple(Change::Local(local));
        self.transit.finish(&old, &new, done.is_ok());
        match done {
            Ok(()) => {
                self.motions.rekey(&old, new);
                *tuple = new;
                Event::Rebound
            }
            Err(error) => Event::RebindFailed(match error {
                RetupleError::Taken => RebindError::TupleTaken,
                RetupleError::NoMemory => RebindError::NoMemory,
                RetupleError::Gone => RebindError::Gone,
            }),
        }
    }

    /// Sends an ADDRESS UPDATE that names `old`.
    fn send_update(&self, locked: &mut Locked<'_>, old: IpAddr, retransmission: bool) {
        let mut octets = [0; 40];
        let len = AddressUpdate { old }.emit(self.control.kind(), &mut octets);
        if locked.send_option(&self.emission, OptionOctets::new(octets, len)) {
            self.count(update_sent(retransmission));
        }
    }

    /// Sends an UPDATE of the secure profile.
    pub fn send_secure_update(
        &self,
        locked: &mut Locked<'_>,
        id: SockId,
        epoch: Epoch,
        retransmission: bool,
        syn: bool,
    ) {
        if let Some(option) = self.make_update(id, epoch, retransmission, &locked.tuple()) {
            if syn {
                if locked.send_opening(None, &option).is_some() {
                    self.count(Happening::UpdateOnSyn);
                }
            } else if locked.send_option(&self.emission, option) {
                self.count(update_sent(retransmission));
            }
        }
    }

    /// The end of a flow, when no lock is held any more.
    fn end(&self, sock: &TcpSock, tuple: &Tuple, end: &End) {
        if end.forget {
            drop(self.motions.remove(tuple));
        }
        if end.abort {
            sock.abort(ETIMEDOUT);
        }
    }
}

/// What is counted when an UPDATE was sent.
fn update_sent(retransmission: bool) -> Happening {
    if retransmission {
        Happening::UpdateRetransmitted
    } else {
        Happening::UpdateSent
    }
}

/// What the application waits for, and how long it will.
fn waiting(locked: &Locked<'_>) -> Waiting {
    Waiting {
        limit: locked.user_timeout(),
        unacknowledged: locked.has_unacknowledged(),
    }
}

/// What is left to do when the socket's lock has been released.
#[derive(Default)]
struct End {
    forget: bool,
    abort: bool,
}
