// SPDX-License-Identifier: GPL-2.0

//! A connection of the secure profile: its keys and tokens, and what is made and checked with them.
//!
//! Nothing of it is changed by a segment that is not authentic.

use crate::proto::crypto;
use crate::proto::crypto::Ends;
use crate::proto::crypto::Hmac;
use crate::proto::crypto::Keys;
use crate::proto::crypto::Root;
use crate::proto::crypto::Side;
use crate::proto::exchange::Exchange;
use crate::proto::happening::Happening;
use crate::proto::happening::Reject;
use crate::proto::ids::Challenge;
use crate::proto::ids::Epoch;
use crate::proto::ids::Token;
use crate::proto::option::secure::Capable;
use crate::proto::option::secure::Confirm;
use crate::proto::option::secure::Echo;
use crate::proto::option::secure::Response;
use crate::proto::option::secure::Update;
use crate::proto::option::secure::UpdateFlags;

pub use rekeying::Strength;

mod rekeying;

/// In how many of its first acknowledgements a client says ECHO: any one will do.
const ECHOES: u8 = 4;

/// What an end knows of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Belief {
    /// The server's: it has sent CAPABLE. Whether that arrived it does not know.
    Offered,
    /// Both ends have both CAPABLEs.
    Capable {
        /// The client's: how many ECHOs are still to be sent.
        echoes: u8,
    },
}

/// The epochs of the UPDATEs that were sent from the address this end has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Used {
    first: Epoch,
    last: Epoch,
}

/// A connection of the profile, at one of its ends.
#[derive(Debug)]
pub struct Session {
    side: Side,
    /// Those that this end signs with.
    keys: Keys,
    exchange: Exchange,
    ours: Token,
    theirs: Token,
    nat: bool,
    has_psk: bool,
    belief: Belief,
    used: Used,
    news: Option<Happening>,
    /// Whether the last address it had was confirmed on a SYN/ACK, and the first epoch from there.
    syn: bool,
    confirmed: Epoch,
}

impl Session {
    /// Of the end that is `side`, has sent the CAPABLE `ours` and got `theirs`.
    pub fn new(hmac: &impl Hmac, side: Side, root: Root, ours: &Capable, theirs: &Capable) -> Self {
        let belief = match side {
            Side::Client => Belief::Capable { echoes: ECHOES },
            Side::Server => Belief::Offered,
        };
        let answer = match side {
            Side::Client => theirs,
            Side::Server => ours,
        };
        Self {
            side,
            keys: root.keys(hmac),
            exchange: Exchange::new(side, root),
            ours: crypto::token(hmac, ours.nonce),
            theirs: crypto::token(hmac, theirs.nonce),
            nat: ours.nat() && theirs.nat(),
            has_psk: answer.key_id.is_some(),
            belief,
            used: Used {
                first: Epoch::NONE,
                last: Epoch::NONE,
            },
            news: None,
            syn: false,
            confirmed: Epoch::NONE,
        }
    }

    /// Whether it is the end that answered the SYN.
    fn is_server(&self) -> bool {
        self.side == Side::Server
    }

    /// What this end knows the connection by: UPDATEs for it carry this.
    pub fn token(&self) -> Token {
        self.ours
    }

    /// Whether the peer is known to have the profile: only then may this end move.
    pub fn is_capable(&self) -> bool {
        matches!(self.belief, Belief::Capable { .. })
    }

    /// The epoch of the last UPDATE of this end.
    pub fn last_epoch(&self) -> Epoch {
        self.used.last
    }

    /// Whether the last UPDATE of this end that was confirmed was on a SYN: so may the next have to
    /// be.
    pub fn wants_syn(&self) -> bool {
        self.syn
    }

    /// An UPDATE of this end was confirmed, on a SYN/ACK or not. What comes first from an address
    /// counts.
    pub fn confirmed_on(&mut self, syn: bool) {
        if self.confirmed != self.used.first {
            self.confirmed = self.used.first;
            self.syn = syn;
        }
    }

    /// The ECHO that the acknowledgement about to be sent carries, if it is to carry one.
    pub fn echo(&mut self, hmac: &impl Hmac) -> Option<Echo> {
        match (self.side, self.belief) {
            (Side::Client, Belief::Capable { echoes }) => {
                let echoes = echoes.checked_sub(1)?;
                self.belief = Belief::Capable { echoes };
                let mac = self.keys.echo(hmac, self.theirs);
                Some(Echo { mac })
            }
            (Side::Server, _) | (_, Belief::Offered) => None,
        }
    }

    /// An ECHO came. What is to be counted.
    ///
    /// # Errors
    ///
    /// It is none of this connection's client.
    pub fn hear_echo(
        &mut self,
        hmac: &impl Hmac,
        echo: &Echo,
    ) -> Result<Option<Happening>, Reject> {
        if self.side == Side::Client {
            return Err(Reject::SecureUnasked);
        }
        let to = self.ours;
        self.verify_short(echo.mac, |keys| keys.echo(hmac, to))?;
        Ok(self.believe())
    }

    /// The client has our CAPABLE. What is to be counted.
    fn believe(&mut self) -> Option<Happening> {
        let first = !self.is_capable();
        if first {
            self.belief = Belief::Capable { echoes: 0 };
        }
        first.then_some(Happening::CapableAgreed)
    }

    /// An UPDATE of this end, from where it is to where the peer is. The first from there, or
    /// another because the first was not confirmed.
    pub fn update(
        &mut self,
        hmac: &impl Hmac,
        epoch: Epoch,
        retransmission: bool,
        ends: &Ends,
    ) -> Update {
        if !retransmission {
            self.used.first = epoch;
        }
        // Before sending: an UPDATE that got lost must not share its epoch with the next one.
        self.used.last = self.used.last.max(epoch);
        let flags = UpdateFlags { nat: self.nat };
        let (side, to) = (self.side, self.theirs);
        let mac = self.keys.update(hmac, side, flags, epoch, to, ends);
        Update {
            flags,
            epoch,
            token: self.theirs,
            mac,
        }
    }

    /// An UPDATE from where this end is already: is the peer there? `None` if there can be no other.
    pub fn probe(&mut self, hmac: &impl Hmac, ends: &Ends) -> Option<Update> {
        let epoch = self.used.last.next()?;
        // Answers to those before it, from the same address, count as before.
        Some(self.update(hmac, epoch, true, ends))
    }

    /// Whether an UPDATE is the peer's, and for this connection. If so the peer has the profile,
    /// which is to be counted if it was not known.
    ///
    /// # Errors
    ///
    /// Why it is not.
    pub fn hear_update(
        &mut self,
        hmac: &impl Hmac,
        update: &Update,
        ends: &Ends,
    ) -> Result<Option<Happening>, Reject> {
        if update.token != self.ours {
            return Err(Reject::SecureUnknownToken);
        }
        if update.flags.nat && !self.nat {
            return Err(Reject::SecureNatRefused);
        }
        let (from, to) = (self.side.peer(), self.ours);
        let (flags, epoch) = (update.flags, update.epoch);
        self.verify(update.mac, |keys| {
            keys.update(hmac, from, flags, epoch, to, ends)
        })?;
        Ok(self.believe())
    }

    /// A CONFIRM of this end, for an UPDATE that was followed.
    pub fn confirm(&self, hmac: &impl Hmac, epoch: Epoch, challenge: Challenge) -> Confirm {
        let mac = self
            .keys
            .confirm(hmac, self.side, epoch, self.theirs, challenge);
        Confirm {
            epoch,
            challenge,
            mac,
        }
    }

    /// A CONFIRM came: what answers it. There is no RESPONSE to anything else.
    ///
    /// # Errors
    ///
    /// It is none, or not for where this end is now.
    pub fn answer(&mut self, hmac: &impl Hmac, confirm: &Confirm) -> Result<Response, Reject> {
        let Confirm {
            epoch, challenge, ..
        } = *confirm;
        if self.used.last == Epoch::NONE {
            return Err(Reject::SecureUnasked);
        }
        if epoch < self.used.first {
            return Err(Reject::SecureOldEpoch);
        }
        if epoch > self.used.last {
            return Err(Reject::SecureFutureEpoch);
        }
        let (from, to) = (self.side.peer(), self.ours);
        self.verify(confirm.mac, |keys| {
            keys.confirm(hmac, from, epoch, to, challenge)
        })?;
        let (side, to) = (self.side, self.theirs);
        let mac = self.keys.response(hmac, side, epoch, to, challenge);
        Ok(Response { epoch, mac })
    }

    /// Whether a RESPONSE is the peer's, to `challenge`.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn hear_response(
        &mut self,
        hmac: &impl Hmac,
        response: &Response,
        challenge: Challenge,
    ) -> Result<(), Reject> {
        let (from, to, epoch) = (self.side.peer(), self.ours, response.epoch);
        self.verify(response.mac, |keys| {
            keys.response(hmac, from, epoch, to, challenge)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
