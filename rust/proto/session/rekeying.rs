// SPDX-License-Identifier: GPL-2.0

//! A connection whose keys change: the key exchange, with the keys there are.

use super::Session;
use crate::proto::crypto::Hmac;
use crate::proto::crypto::Keys;
use crate::proto::exchange::Action;
use crate::proto::exchange::Computed;
use crate::proto::exchange::Sum;
use crate::proto::happening::Happening;
use crate::proto::happening::Reject;
use crate::proto::ids::Mac;
use crate::proto::option::secure::Keyed;
use crate::proto::option::secure::Keyshare;
use crate::proto::option::secure::Part;
use crate::proto::time::Instant;
use core::time::Duration;

/// What stands between a connection and who would take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Strength {
    /// A pre-shared key went into the keys.
    pub psk: bool,
    /// So did a key exchange, and no others are taken.
    pub ecdh: bool,
}

impl Strength {
    /// As /proc shows it.
    pub const fn word(self) -> &'static str {
        match (self.psk, self.ecdh) {
            (false, false) => "handshake",
            (false, true) => "ecdh",
            (true, false) => "psk",
            (true, true) => "psk+ecdh",
        }
    }
}

impl Session {
    /// How strong its keys are.
    pub fn strength(&self) -> Strength {
        Strength {
            psk: self.has_psk,
            ecdh: self.exchange.is_done(),
        }
    }

    /// A client is to begin the key exchange at that time. A server never begins one.
    pub fn plan_exchange(&mut self, at: Instant) {
        self.exchange.plan(at);
    }

    /// When the key exchange wants to be told that it is time: first with [`sum`](Self::sum), then,
    /// if that is nothing, with [`meet_exchange`](Self::meet_exchange).
    pub fn exchange_deadline(&self) -> Option<Instant> {
        self.exchange.deadline()
    }

    /// The connection is on the move, or its path on trial: what would be sent now for the exchange is not.
    pub fn put_off_exchange(&mut self, now: Instant) {
        self.exchange.put_off(now);
    }

    /// What is to be computed now, given out once. Its result is to be handed in.
    pub fn sum(&mut self, now: Instant) -> Option<Sum> {
        self.exchange.sum(now)
    }

    /// What [`sum`](Self::sum) came to. `rto` is the connection's retransmission timeout, without
    /// backoff.
    ///
    /// # Errors
    ///
    /// The peer's value is none that keys could be made from. The connection stays as it was.
    pub fn computed(
        &mut self,
        hmac: &impl Hmac,
        now: Instant,
        rto: Duration,
        computed: Computed,
    ) -> Result<Option<Action>, Reject> {
        self.exchange
            .computed(hmac, &mut self.keys, now, rto, computed)
    }

    /// Says again what was not answered, or gives up.
    pub fn meet_exchange(&mut self, now: Instant) -> Option<Action> {
        self.exchange.meet(now)
    }

    /// A KEYSHARE came. `allowed` says whether an exchange may be begun.
    ///
    /// # Errors
    ///
    /// Why it is ignored.
    pub fn hear_share(
        &mut self,
        hmac: &impl Hmac,
        share: &Keyshare,
        allowed: bool,
    ) -> Result<Option<Action>, Reject> {
        if !self.exchange.expects_share(allowed) {
            return Err(Reject::SecureUnexpectedShare);
        }
        let (from, to) = (self.side.peer(), self.ours);
        let Keyshare { part, half, mac } = *share;
        self.verify_short(mac, |keys| keys.keyshare(hmac, from, part, to, &half))?;
        self.news = self.news.or(self.believe());
        Ok(self.exchange.hear_share(part, half))
    }

    /// A KEYED came.
    ///
    /// # Errors
    ///
    /// Why it is ignored.
    pub fn hear_keyed(
        &mut self,
        hmac: &impl Hmac,
        keyed: &Keyed,
    ) -> Result<Option<Action>, Reject> {
        if !self.exchange.expects_keyed() {
            return Err(Reject::SecureUnexpectedShare);
        }
        let (from, to) = (self.side.peer(), self.ours);
        self.verify(keyed.mac, |keys| keys.keyed(hmac, from, to))?;
        // With the old keys it would say nothing.
        if !self.exchange.is_done() {
            return Err(Reject::SecureBadMac);
        }
        Ok(self.is_server().then_some(Action::SendKeyed))
    }

    /// Both halves of our public value, while there is one to be sent.
    pub fn shares(&self, hmac: &impl Hmac) -> Option<[Keyshare; 2]> {
        let value = self.exchange.ours()?;
        let (from, to) = (self.side, self.theirs);
        Some(Part::ALL.map(|part| {
            let half = part.of(value);
            let mac = self.keys.keyshare(hmac, from, part, to, &half);
            Keyshare { part, half, mac }
        }))
    }

    /// A KEYED of this end.
    pub fn keyed(&self, hmac: &impl Hmac) -> Keyed {
        let mac = self.keys.keyed(hmac, self.side, self.theirs);
        Keyed { mac }
    }

    /// What is to be counted besides what the calls say, given out once.
    pub fn take_news(&mut self) -> Option<Happening> {
        self.news.take()
    }

    /// Whether a MAC is the peer's, who may be using new keys already, or still the old ones; if it is
    /// of the new ones, the old ones go. `of` makes the one it should be. While there is one pair of
    /// keys only, that is all it costs.
    ///
    /// # Errors
    ///
    /// It is not.
    pub(super) fn verify<const N: usize>(
        &mut self,
        mac: Mac<N>,
        of: impl Fn(&Keys) -> Mac<N>,
    ) -> Result<(), Reject> {
        let agreed = match self.signer(mac, of)? {
            Signer::Ours => self.exchange.heard_with_ours(),
            Signer::Other => self.exchange.heard_with_other(&mut self.keys),
        };
        if agreed {
            self.news = Some(Happening::KeysExchanged);
        }
        Ok(())
    }

    /// As [`verify`](Self::verify), of a MAC too short to end the old keys for.
    ///
    /// # Errors
    ///
    /// It is not the peer's.
    pub(super) fn verify_short<const N: usize>(
        &self,
        mac: Mac<N>,
        of: impl Fn(&Keys) -> Mac<N>,
    ) -> Result<(), Reject> {
        self.signer(mac, of).map(drop)
    }

    /// With which keys a MAC was made.
    fn signer<const N: usize>(
        &self,
        mac: Mac<N>,
        of: impl Fn(&Keys) -> Mac<N>,
    ) -> Result<Signer, Reject> {
        if mac == of(&self.keys) {
            return Ok(Signer::Ours);
        }
        let other = self.exchange.other().filter(|keys| mac == of(keys));
        other.map(|_| Signer::Other).ok_or(Reject::SecureBadMac)
    }
}

/// With which keys something was signed.
enum Signer {
    /// Those that this end signs with.
    Ours,
    /// Those that it only takes.
    Other,
}

#[cfg(test)]
mod tests;
