// SPDX-License-Identifier: GPL-2.0

//! The network between the two hosts: it loses, doubles, delays and reorders.

use std::net::IpAddr;
use std::net::Ipv4Addr;

/// How long the network keeps a segment at most, in milliseconds. Rules that have a time in them
/// (settling, `UpdateJustLeft`) are about networks of this kind.
pub const LIFETIME: u64 = 2_000;

/// The address number `n` of the mover's.
pub fn address(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, n, 1))
}

/// What a segment means to whom it reaches. An octet stands for as much data as one likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// An option-only segment of the mover's.
    Update {
        /// The address it comes from.
        from: IpAddr,
        /// SEG.SEQ, counted from the beginning.
        seq: u32,
        /// TSval.
        value: Option<u32>,
        /// The octets of its ADDRESS UPDATE, as the protocol wrote them.
        option: [u8; 8],
    },
    /// An octet of the mover's.
    Data {
        /// The address it comes from.
        from: IpAddr,
        /// SEG.SEQ, counted from the beginning.
        seq: u32,
        /// TSval.
        value: Option<u32>,
    },
    /// An acknowledgement of the mover's that any TCP answers.
    Solicitation {
        /// The address it comes from.
        from: IpAddr,
    },
    /// Any segment of the correspondent's connection.
    Answer {
        /// The address it goes to.
        to: IpAddr,
        /// SEG.ACK, counted from the beginning.
        ack: u32,
        /// TSecr.
        echo: Option<u32>,
    },
    /// A RST of the correspondent's host, which has found no connection.
    Reset {
        /// The address it goes to.
        to: IpAddr,
    },
}

/// The segments on their way, each with the time it was sent, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wire {
    /// How many there is room for. What comes when it is full is lost.
    room: usize,
    segments: Vec<(u64, Segment)>,
    counts: bool,
    /// How many were lost, if that counts.
    pub lost: u8,
}

impl Wire {
    /// With nothing on its way.
    pub fn new(room: usize, counts: bool) -> Self {
        Self {
            room,
            segments: Vec::new(),
            counts,
            lost: 0,
        }
    }

    /// Sends a segment.
    pub fn send(&mut self, now: u64, segment: Segment) {
        let item = (now, segment);
        if self.segments.contains(&item) {
            return;
        }
        if self.segments.len() == self.room {
            self.lose(1);
            return;
        }
        self.segments.push(item);
        self.segments.sort_unstable();
    }

    fn lose(&mut self, segments: usize) {
        if self.counts {
            let segments = u8::try_from(segments).expect("there is room for few");
            self.lost = self.lost.saturating_add(segments);
        }
    }

    /// The segments on their way.
    pub fn segments(&self) -> impl Iterator<Item = (u64, Segment)> + '_ {
        self.segments.iter().copied()
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
        self.lose(before - self.segments.len());
    }
}
