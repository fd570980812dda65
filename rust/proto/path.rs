// SPDX-License-Identifier: GPL-2.0

//! Where a peer is, how sure that is, and how much may be sent there (RFC 9000, sections 8 and 9.3).

use crate::proto::addr::Endpoint;
use crate::proto::ids::Challenge;
use crate::proto::ids::Epoch;
use crate::proto::seq::SeqNum;
use crate::proto::time::Backoff;
use crate::proto::time::Instant;
use core::time::Duration;

/// How many octets may be sent for each that came (RFC 9000, section 8.1).
const FACTOR: u32 = 3;
/// How many paths are remembered.
const PATHS: usize = 4;
/// How long a path that was left needs no new validation.
const RECENT: Duration = Duration::from_secs(180);

/// Octets that came from an address which is not validated, and that were sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credit {
    received: u32,
    sent: u32,
    floor: u32,
}

impl Credit {
    /// After `received` octets. `floor` octets may be sent whatever came.
    pub const fn new(received: u32, floor: u32) -> Self {
        Self {
            received,
            sent: 0,
            floor,
        }
    }

    /// Octets came.
    pub fn receive(&mut self, octets: u32) {
        self.received = self.received.saturating_add(octets);
    }

    /// Octets were sent.
    pub fn send(&mut self, octets: u32) {
        self.sent = self.sent.saturating_add(octets);
    }

    /// How many more may be sent.
    pub fn remaining(&self) -> u32 {
        let earned = self.received.saturating_mul(FACTOR);
        earned.max(self.floor).saturating_sub(self.sent)
    }
}

/// A SYN that a SYN/ACK is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Syn {
    /// The number that acknowledges it.
    pub ack: SeqNum,
    /// Its field for an acknowledgement number, which has no meaning to TCP: what the mover expects
    /// next. Not authentic.
    pub expects: SeqNum,
}

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// The peer is there.
    Validated,
    /// The peer says it is there.
    Unvalidated(Trial),
}

/// What goes on until a path is validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trial {
    /// How much may be sent.
    pub credit: Credit,
    /// When the challenge is repeated.
    pub retry: Instant,
    /// How long it then waits.
    pub backoff: Backoff,
    /// When it is given up.
    pub until: Instant,
    /// The last path that was validated: there the connection goes back to.
    pub former: Endpoint,
}

/// A path to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// Where it ends.
    pub remote: Endpoint,
    /// The first of the epochs in which the peer said that it is there.
    pub since: Epoch,
    /// What it was asked, if it was.
    pub challenge: Option<Challenge>,
    /// If the peer's last UPDATE from there was on a SYN, that: then something on the path may wait
    /// for a SYN/ACK.
    pub syn: Option<Syn>,
    /// How sure that is.
    pub standing: Standing,
}

impl Path {
    /// A path that needs no validation.
    pub const fn validated(remote: Endpoint, since: Epoch, challenge: Option<Challenge>) -> Self {
        Self {
            remote,
            since,
            challenge,
            syn: None,
            standing: Standing::Validated,
        }
    }

    /// Whether something may be sent there whatever came.
    pub const fn has_floor(&self) -> bool {
        matches!(self.standing, Standing::Unvalidated(trial) if trial.credit.floor > 0)
    }

    /// Where the connection goes back to, should what comes after this path not be validated.
    pub const fn former(&self) -> Endpoint {
        match self.standing {
            Standing::Validated => self.remote,
            Standing::Unvalidated(trial) => trial.former,
        }
    }
}

/// The paths that were left lately, and had been validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recent([Option<(Endpoint, Instant)>; PATHS]);

impl Recent {
    /// None.
    pub const fn new() -> Self {
        Self([None; PATHS])
    }

    /// `remote` is being left. When there is no room the one left first is forgotten.
    pub fn remember(&mut self, remote: Endpoint, now: Instant) {
        let mut kept = [None; PATHS];
        let others = self.0.into_iter().flatten();
        let others = others.filter(|(other, _)| *other != remote);
        let latest_first = core::iter::once((remote, now)).chain(others);
        for (place, path) in kept.iter_mut().zip(latest_first) {
            *place = Some(path);
        }
        self.0 = kept;
    }

    /// Whether `remote` was left lately.
    pub fn knows(&self, remote: Endpoint, now: Instant) -> bool {
        let mut paths = self.0.iter().flatten();
        paths.any(|(path, left)| *path == remote && now.since(*left) < RECENT)
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
