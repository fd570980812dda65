// SPDX-License-Identifier: GPL-2.0

//! How a connection comes to be one of the secure profile, as it is opened.
//!
//! ```text
//!     client                                    server
//!     Fresh                                     (no state)
//!       | SYN, CAPABLE (flags, key id, nonce)      |
//!     Offered ---------------------------------->  Server
//!       |      SYN/ACK, CAPABLE (…, nonce)         |
//!     Agreed  <----------------------------------  |
//!       | ACK, ECHO                                |
//!       |  --------------------------------------> capable
//! ```
//!
//! The option is in the first SYN and the first SYN/ACK only: what is retransmitted goes without,
//! so that whatever drops segments with options unknown to it costs a round, not the connection.
//! Only what TCP would believe is to be fed in here: a SYN/ACK whose acknowledgement is of our SYN.

use crate::proto::crypto::Hmac;
use crate::proto::crypto::Root;
use crate::proto::crypto::Side;
use crate::proto::happening::Happening;
use crate::proto::happening::Reject;
use crate::proto::ids::KeyId;
use crate::proto::ids::Nonce;
use crate::proto::keyring::Keyring;
use crate::proto::option::secure::Capable;
use crate::proto::option::secure::CAPABLE_SPACE;
use crate::proto::session::Session;

/// What a SYN or SYN/ACK carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The option.
    Carry(Capable),
    /// Nothing.
    Plain,
    /// Nothing: the other options have taken the room. The connection will be plain TCP.
    NoRoom,
}

/// The end that opens the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    ours: Capable,
    phase: Phase,
}

/// How far a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Nothing was sent.
    Fresh,
    /// The SYN had CAPABLE.
    Offered,
    /// So had the SYN/ACK.
    Agreed(Capable),
    /// It will be plain TCP.
    Plain,
}

impl Client {
    /// With a nonce whose token is no other connection's. `nat` says that addresses may be
    /// rewritten on the way.
    pub fn new(nonce: Nonce, nat: bool, keys: &Keyring) -> Self {
        let ours = capable(nonce, nat, keys.used());
        let unable = keys.is_required() && ours.key_id.is_none();
        let phase = if unable { Phase::Plain } else { Phase::Fresh };
        Self { ours, phase }
    }

    /// What the SYN that is about to be sent carries, given the octets left for options.
    pub fn syn(&mut self, room: usize) -> Offer {
        if self.phase != Phase::Fresh {
            // S-9: a retransmission.
            return Offer::Plain;
        }
        if room < CAPABLE_SPACE {
            self.phase = Phase::Plain;
            return Offer::NoRoom;
        }
        self.phase = Phase::Offered;
        Offer::Carry(self.ours)
    }

    /// A SYN without ACK came: both ends are opening the connection, and neither is the server.
    pub fn crossed(&mut self) {
        self.phase = Phase::Plain;
    }

    /// A SYN/ACK came, with or without CAPABLE. What is to be counted.
    ///
    /// # Errors
    ///
    /// Its CAPABLE is not an answer to ours. The connection is plain TCP, unless it is agreed on.
    pub fn syn_ack(
        &mut self,
        theirs: Option<&Capable>,
        keys: &Keyring,
    ) -> Result<Option<Happening>, Reject> {
        match (self.phase, theirs) {
            (Phase::Agreed(_) | Phase::Plain | Phase::Fresh, None) => Ok(None),
            (Phase::Agreed(first), Some(theirs)) => {
                if first == *theirs {
                    Ok(None)
                } else {
                    Err(Reject::SecureCapableChanged)
                }
            }
            (Phase::Fresh | Phase::Plain, Some(_)) => Err(Reject::SecureUnasked),
            (Phase::Offered, None) => {
                self.phase = Phase::Plain;
                Ok(Some(Happening::CapableDeclined))
            }
            (Phase::Offered, Some(theirs)) => {
                self.phase = Phase::Plain;
                self.acceptable(theirs, keys)?;
                self.phase = Phase::Agreed(*theirs);
                Ok(Some(Happening::CapableAgreed))
            }
        }
    }

    /// Whether the server's CAPABLE is one that can answer ours.
    fn acceptable(&self, theirs: &Capable, keys: &Keyring) -> Result<(), Reject> {
        if theirs.nonce == self.ours.nonce {
            return Err(Reject::SecureReflected);
        }
        if theirs.key_id.is_some() && theirs.key_id != self.ours.key_id {
            return Err(Reject::SecureBadKeyId);
        }
        if theirs.key_id.is_none() && keys.is_required() {
            return Err(Reject::SecureKeyRequired);
        }
        Ok(())
    }

    /// The connection, if it is one of the profile. `keys` are those it was begun with.
    pub fn session(&self, hmac: &impl Hmac, keys: &Keyring) -> Option<Session> {
        let Phase::Agreed(theirs) = self.phase else {
            return None;
        };
        let psk = keys.agreed(theirs.key_id)?;
        let root = Root::of_handshake(hmac, psk, &self.ours, &theirs);
        Some(Session::new(hmac, Side::Client, root, &self.ours, &theirs))
    }
}

/// The end that answers, while the connection is half open. There is one only where the SYN had a
/// CAPABLE, and how many there are is bounded: without one, the connection is plain TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    theirs: Capable,
    ours: Capable,
    sent: Sent,
}

/// Whether the SYN/ACK had CAPABLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sent {
    NotYet,
    Yes,
    NoRoom,
}

impl Server {
    /// For a SYN with CAPABLE, with a nonce whose token is no other connection's.
    ///
    /// # Errors
    ///
    /// There has to be a key, and the client asks for none that we have; or our nonce is theirs.
    pub fn new(theirs: Capable, nonce: Nonce, nat: bool, keys: &Keyring) -> Result<Self, Reject> {
        if theirs.nonce == nonce {
            return Err(Reject::SecureReflected);
        }
        let key_id = theirs.key_id.filter(|id| keys.key(*id).is_some());
        if key_id.is_none() && keys.is_required() {
            return Err(Reject::SecureKeyRequired);
        }
        Ok(Self {
            theirs,
            ours: capable(nonce, nat, key_id),
            sent: Sent::NotYet,
        })
    }

    /// Another SYN came for the same connection.
    ///
    /// # Errors
    ///
    /// Its CAPABLE is another. The first counts.
    pub fn syn(&self, theirs: Option<&Capable>) -> Result<(), Reject> {
        match theirs {
            Some(theirs) if *theirs != self.theirs => Err(Reject::SecureCapableChanged),
            Some(_) | None => Ok(()),
        }
    }

    /// What the SYN/ACK that is about to be sent carries, given the octets left for options.
    pub fn syn_ack(&mut self, room: usize) -> Offer {
        if self.sent != Sent::NotYet {
            // S-9: a retransmission.
            return Offer::Plain;
        }
        if room < CAPABLE_SPACE {
            self.sent = Sent::NoRoom;
            return Offer::NoRoom;
        }
        self.sent = Sent::Yes;
        Offer::Carry(self.ours)
    }

    /// The connection, which is not known to be one of the profile before its ECHO came.
    pub fn session(&self, hmac: &impl Hmac, keys: &Keyring) -> Option<Session> {
        if self.sent != Sent::Yes {
            return None;
        }
        let psk = keys.agreed(self.ours.key_id)?;
        let root = Root::of_handshake(hmac, psk, &self.theirs, &self.ours);
        Some(Session::new(
            hmac,
            Side::Server,
            root,
            &self.ours,
            &self.theirs,
        ))
    }
}

/// Our own CAPABLE.
fn capable(nonce: Nonce, nat: bool, key_id: Option<KeyId>) -> Capable {
    Capable {
        flags: if nat { Capable::NAT } else { 0 },
        key_id,
        nonce,
    }
}

#[cfg(test)]
mod tests;
