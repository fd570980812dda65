// SPDX-License-Identifier: GPL-2.0

//! The network, of which the attacker sees everything.

use super::fault::Fault;
use super::fresh;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use tcp_continuity::proto::addr::Endpoint;
use tcp_continuity::proto::crypto::Ends;
use tcp_continuity::proto::option::secure::Secure;
use tcpc_fuzz::secure::Toy;

/// How long the network keeps a segment at most, in milliseconds.
const LIFETIME: u64 = 2_000;
/// How many of the latest segments the attacker remembers of those that are of use to it.
const SEEN: usize = 3;

/// Where somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(pub u8);

impl Place {
    /// The correspondent.
    pub const CORRESPONDENT: Self = Self(200);
    /// The attacker.
    pub const ATTACKER: Self = Self(99);

    /// Its address and port.
    pub const fn endpoint(self) -> Endpoint {
        Endpoint {
            address: IpAddr::V4(Ipv4Addr::new(10, 0, self.0, 1)),
            port: 40_000,
        }
    }

    /// From the address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self(v4.octets()[2]),
            IpAddr::V6(_) => unreachable!("there is none"),
        }
    }
}

/// A segment; without an option it is data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Its source.
    pub from: Place,
    /// Its destination.
    pub to: Place,
    /// What it carries.
    pub option: Option<Secure>,
}

impl Segment {
    /// Octets with its IP header.
    pub fn octets(&self) -> u32 {
        if self.option.is_some() {
            100
        } else {
            600
        }
    }

    /// Source and destination.
    pub fn ends(&self) -> Ends {
        Ends {
            source: self.from.endpoint(),
            destination: self.to.endpoint(),
        }
    }

    /// What somebody without the key makes of an UPDATE: another with the next epoch and a MAC that is a
    /// guess, or the right one where the key is known.
    pub fn forged(self, fault: Option<Fault>) -> Option<Self> {
        let Some(Secure::Update(update)) = self.option else {
            return None;
        };
        let epoch = update.epoch.next()?;
        let (mut mover, _) = fresh();
        let mut forged = mover.update(&Toy, epoch, false, &self.ends());
        if fault != Some(Fault::KeyIsKnown) {
            forged.mac.0[0] ^= 1;
        }
        let option = Some(Secure::Update(forged));
        Some(Self { option, ..self })
    }

    /// Something by which segments can be put in order.
    fn key(&self) -> (Place, Place, u8, u32, u8) {
        let (kind, epoch, octet) = match self.option {
            None => (0, 0, 0),
            Some(Secure::Update(update)) => (1, update.epoch.get(), update.mac.0[0]),
            Some(Secure::Confirm(confirm)) => (2, confirm.epoch.get(), confirm.challenge.0[0]),
            Some(Secure::Response(response)) => (3, response.epoch.get(), response.mac.0[0]),
            Some(Secure::Capable(_) | Secure::Echo(_) | Secure::Keyshare(_) | Secure::Keyed(_)) => {
                (4, 0, 0)
            }
        };
        (self.from, self.to, kind, epoch, octet)
    }
}

/// The segments on their way, each with the time it was sent, in order; and what the attacker keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wire {
    room: usize,
    segments: Vec<(u64, Segment)>,
    seen: Vec<Segment>,
    /// How many were lost.
    pub lost: u8,
}

impl Wire {
    /// With nothing on its way.
    pub fn new(room: usize) -> Self {
        Self {
            room,
            segments: Vec::new(),
            seen: Vec::new(),
            lost: 0,
        }
    }

    /// Sends a segment. What has no room is lost.
    pub fn send(&mut self, now: u64, segment: Segment) {
        if segment.option.is_some() && !self.seen.contains(&segment) {
            self.seen.push(segment);
            if self.seen.len() > SEEN {
                self.seen.remove(0);
            }
        }
        let item = (now, segment);
        if segment.to == Place::ATTACKER || self.segments.contains(&item) {
            return;
        }
        if self.segments.len() == self.room {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        self.segments.push(item);
        self.segments
            .sort_unstable_by_key(|(sent, segment)| (*sent, segment.key()));
    }

    /// What the attacker can send again.
    pub fn seen(&self) -> impl Iterator<Item = Segment> + '_ {
        self.seen.iter().copied()
    }

    /// The segments on their way.
    pub fn segments(&self) -> impl Iterator<Item = (u64, Segment)> + '_ {
        self.segments.iter().copied()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// A segment is not on its way any more.
    pub fn take(&mut self, item: (u64, Segment)) {
        self.segments.retain(|other| *other != item);
    }

    /// When the first of them has been on its way for too long.
    pub fn deadline(&self) -> Option<u64> {
        self.segments.iter().map(|(sent, _)| sent + LIFETIME).min()
    }

    /// Drops what has been on its way for too long: what was lost is what never arrives.
    pub fn expire(&mut self, now: u64) {
        let before = self.segments.len();
        self.segments.retain(|(sent, _)| sent + LIFETIME > now);
        let lost = u8::try_from(before - self.segments.len()).unwrap_or(u8::MAX);
        self.lost = self.lost.saturating_add(lost);
    }
}
