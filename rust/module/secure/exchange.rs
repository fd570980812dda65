// SPDX-License-Identifier: GPL-2.0

//! KEYSHARE and KEYED: what came, what is computed for it, and what is sent.
//!
//! Nothing is computed where segments are received, and nothing under a lock.

use super::{
    KernelHmac,
    KernelX25519, //
};
use crate::module::namespace::Namespace;
use crate::module::worker::Task;
use crate::net::crypto;
use crate::net::netfilter::HookState;
use crate::net::segment::Segment;
use crate::net::skb::{
    SkBuff,
    Verdict, //
};
use crate::net::sock::{
    Locked,
    SockId,
    TcpSock, //
};
use crate::proto::crypto::Secret;
use crate::proto::exchange::Action;
use crate::proto::happening::{
    Happening,
    Reject, //
};
use crate::proto::option::secure::{
    Keyed,
    Keyshare,
    Secure, //
};
use crate::proto::session::Session;
use crate::proto::time::Instant;

impl Namespace {
    /// Half of the peer's public value.
    pub(super) fn share_received(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        share: &Keyshare,
    ) -> Verdict {
        let allowed = self.control.settings().keyshare_after.is_some();
        self.exchange_received(skb, state, segment, |session| {
            session.hear_share(&KernelHmac, share, allowed)
        })
    }

    /// The peer has the new keys.
    pub(super) fn keyed_received(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        keyed: &Keyed,
    ) -> Verdict {
        self.exchange_received(skb, state, segment, |session| {
            session.hear_keyed(&KernelHmac, keyed)
        })
    }

    /// Something of a key exchange.
    fn exchange_received(
        &self,
        skb: SkBuff<'_>,
        state: &HookState<'_>,
        segment: &Segment,
        hear: impl FnOnce(&mut Session) -> Result<Option<Action>, Reject>,
    ) -> Verdict {
        let Some(sock) = self.sock_at(&skb, state, &segment.as_received()) else {
            self.count(Reject::UnknownConnection);
            return skb.accept();
        };
        let heard = self.with_connection(sock.id(), |connection| hear(&mut connection.session));
        match heard {
            Some(Ok(Some(Action::Compute))) => self.work_now(),
            Some(Ok(Some(action))) => self.step_soon(sock, action),
            Some(Ok(None)) => {}
            Some(Err(reject)) => self.count(reject),
            None => self.count(Reject::SecureNotCapable),
        }
        skb.accept()
    }

    /// Does what an exchange asks for at once, or as soon as the socket's owner has gone.
    fn step_soon(&self, sock: TcpSock, action: Action) {
        if let Some(mut locked) = sock.try_lock_bh() {
            self.step(&mut locked, sock.id(), action);
            return;
        }
        self.postpone(Task::Exchange(sock, action));
    }

    /// It is time for the next step of a connection's exchange. Process context.
    pub(super) fn meet_exchange(&self, sock: &TcpSock, now: Instant) {
        let id = sock.id();
        let tuple = self.connections.with(id, |connection| connection.tuple);
        let on_the_move = tuple.is_some_and(|tuple| self.is_on_the_move(&tuple));
        let sum = self.connections.with(id, |connection| {
            // On trial what may be sent is needed for more (S-40).
            if on_the_move || connection.is_on_trial() {
                connection.session.put_off_exchange(now);
            }
            connection.session.sum(now)
        });
        let action = match sum.flatten() {
            Some(sum) => {
                let computed = sum.compute(&KernelX25519, || {
                    Secret::new(*crypto::random_secret().octets())
                });
                let rto = sock.lock().rto();
                let now = self.now();
                let taken = self.with_connection(id, |connection| {
                    connection.session.computed(&KernelHmac, now, rto, computed)
                });
                match taken {
                    Some(Ok(action)) => action,
                    Some(Err(reject)) => {
                        self.count(reject);
                        None
                    }
                    None => None,
                }
            }
            None => self
                .connections
                .with(id, |connection| connection.session.meet_exchange(now))
                .flatten(),
        };
        if let Some(action) = action {
            self.step(&mut sock.lock(), id, action);
        }
    }

    /// Does what an exchange asks for.
    pub fn step(&self, locked: &mut Locked<'_>, id: SockId, action: Action) {
        match action {
            Action::Compute => self.work_now(),
            Action::Count(what) => self.count(what),
            Action::SendShares { retransmission } => {
                let shares = self
                    .connections
                    .with(id, |connection| connection.session.shares(&KernelHmac));
                let shares = shares.flatten().into_iter().flatten();
                let sent = shares.fold(false, |sent, share| {
                    self.send_step(locked, &Secure::Keyshare(share)) || sent
                });
                if sent {
                    self.count(if retransmission {
                        Happening::KeyshareRetransmitted
                    } else {
                        Happening::KeyshareSent
                    });
                }
            }
            Action::SendKeyed => {
                let keyed = self
                    .connections
                    .with(id, |connection| connection.session.keyed(&KernelHmac));
                if keyed.is_some_and(|keyed| self.send_step(locked, &Secure::Keyed(keyed))) {
                    self.count(Happening::KeyedSent);
                }
            }
        }
    }

    /// Sends an option of an exchange. Whether it left.
    fn send_step(&self, locked: &mut Locked<'_>, option: &Secure) -> bool {
        locked.is_movable() && locked.send_option(&self.emission, super::octets(option))
    }
}
