// SPDX-License-Identifier: GPL-2.0

//! What is between the hosts.

use core::net::IpAddr;
use tcp_continuity::proto::addr::Endpoint;
use tcp_continuity::proto::option::secure::{Carrier, Secure};

/// A segment on its way.
#[derive(Clone, Debug)]
pub struct Segment {
    pub source: Endpoint,
    pub destination: Endpoint,
    pub carrier: Carrier,
    /// Whether it says that there is no connection.
    pub rst: bool,
    /// Its option octets.
    pub options: Vec<u8>,
    /// Its length with its IP header.
    pub octets: u32,
}

/// Chance from a seed (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// With a chance of so many in a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.next() % 100 < u64::from(percent)
    }
}

/// A wire, with what may be wrong with it and all it has carried.
pub struct Wire {
    delay: u64,
    loss: u32,
    copies: u32,
    jitter: u64,
    pub chance: Chance,
    under_way: Vec<(u64, Segment)>,
    pub seen: Vec<Segment>,
    public: Option<Endpoint>,
    private: Option<Endpoint>,
    /// Takes the options out of such segments.
    pub strip: Option<Carrier>,
    /// Drops such segments if they have options.
    pub drop_with_options: Option<Carrier>,
    /// Lets nothing through between two ends before a SYN, a SYN/ACK and an ACK.
    pub firewall: Option<Firewall>,
    /// Puts the options of the SYN into the SYN/ACK.
    pub reflect: bool,
    /// Sends a copy of each UPDATE, from there, ahead of it.
    pub copy_updates_from: Option<Endpoint>,
}

impl Wire {
    /// Takes so many milliseconds each way.
    pub fn calm(delay: u64) -> Self {
        Self::rough(delay, 0, 0, 0)
    }

    /// Loses and doubles so many of a hundred, and takes up to `jitter` longer.
    pub fn rough(delay: u64, loss: u32, copies: u32, jitter: u64) -> Self {
        Self {
            delay,
            loss,
            copies,
            jitter,
            chance: Chance(0),
            under_way: Vec::new(),
            seen: Vec::new(),
            public: None,
            private: None,
            strip: None,
            drop_with_options: None,
            firewall: None,
            reflect: false,
            copy_updates_from: None,
        }
    }

    /// Translates private sources to `public` from now on.
    pub fn nat(&mut self, public: Endpoint) {
        self.public = Some(public);
        self.private = None;
    }

    /// A host sends a segment.
    pub fn send(&mut self, now: u64, mut segment: Segment) {
        if is_private(segment.source) {
            let Some(public) = self.public else {
                return;
            };
            self.private = Some(segment.source);
            segment.source = public;
        }
        if self.reflect && segment.carrier == Carrier::SynAck {
            let syn = self.seen.iter().find(|seen| seen.carrier == Carrier::Syn);
            segment.options = syn.expect("a SYN").options.clone();
        }
        self.seen.push(segment.clone());
        if self
            .firewall
            .as_mut()
            .is_some_and(|it| !it.passes(&segment))
        {
            return;
        }
        if self.drop_with_options == Some(segment.carrier) && !segment.options.is_empty() {
            return;
        }
        if self.strip == Some(segment.carrier) {
            segment.options.clear();
        }
        let is_update = matches!(Secure::find(&segment.options), Ok(Some(Secure::Update(_))));
        if let (Some(source), true) = (self.copy_updates_from, is_update) {
            self.inject(
                now,
                Segment {
                    source,
                    ..segment.clone()
                },
            );
            return self.under_way.push((now + self.delay + 1, segment));
        }
        let copies = 1 + u32::from(self.chance.percent(self.copies));
        for _ in 0..copies {
            if !self.chance.percent(self.loss) {
                let jitter = self.chance.next() % (self.jitter + 1);
                self.under_way
                    .push((now + self.delay + jitter, segment.clone()));
            }
        }
    }

    /// An attacker sends a segment.
    pub fn inject(&mut self, now: u64, segment: Segment) {
        self.under_way.push((now + self.delay, segment));
    }

    /// When the next segment arrives.
    pub fn next(&self) -> Option<u64> {
        self.under_way.iter().map(|(at, _)| *at).min()
    }

    /// The next segment that has arrived.
    pub fn arrived(&mut self, now: u64) -> Option<Segment> {
        let due = self
            .under_way
            .iter()
            .enumerate()
            .filter(|(_, (at, _))| *at <= now);
        let (first, _) = due.min_by_key(|(_, (at, _))| *at)?;
        let (_, mut segment) = self.under_way.remove(first);
        if Some(segment.destination) == self.public {
            segment.destination = self.private?;
        }
        Some(segment)
    }

    /// How much was sent there by hosts.
    pub fn octets_to(&self, to: Endpoint) -> u64 {
        let to = self.seen.iter().filter(|seen| seen.destination == to);
        to.map(|seen| u64::from(seen.octets)).sum()
    }

    /// How much was sent to any port there by hosts.
    pub fn octets_to_address(&self, to: IpAddr) -> u64 {
        let to = self
            .seen
            .iter()
            .filter(|seen| seen.destination.address == to);
        to.map(|seen| u64::from(seen.octets)).sum()
    }
}

/// Who has opened a connection through it, and how far that is.
#[derive(Default)]
pub struct Firewall(Vec<(Endpoint, Endpoint, Tracked)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tracked {
    SynSent,
    SynReceived,
    Established,
}

impl Firewall {
    /// As `nf_conntrack_tcp_loose=0` and the rule that what is invalid is dropped.
    fn passes(&mut self, segment: &Segment) -> bool {
        let (from, to) = (segment.source, segment.destination);
        let known = self
            .0
            .iter_mut()
            .find(|(a, b, _)| (*a, *b) == (from, to) || (*b, *a) == (from, to));
        let Some((opener, other, tracked)) = known else {
            if segment.carrier == Carrier::Syn {
                self.0.push((from, to, Tracked::SynSent));
            }
            return segment.carrier == Carrier::Syn;
        };
        if segment.carrier == Carrier::Syn && *tracked == Tracked::SynSent {
            // Whoever is the last to try.
            (*opener, *other) = (from, to);
            return true;
        }
        let forth = *opener == from;
        match (segment.carrier, forth, *tracked) {
            (Carrier::Syn, true, _) => true,
            (Carrier::SynAck, false, Tracked::SynSent) => {
                *tracked = Tracked::SynReceived;
                true
            }
            (Carrier::SynAck, false, _) => true,
            (Carrier::Syn, false, _) | (Carrier::SynAck, true, _) => false,
            (_, true, Tracked::SynSent) => false,
            (_, true, _) => {
                *tracked = Tracked::Established;
                true
            }
            // Nobody has said yet that it is no answer.
            (_, false, _) => true,
        }
    }
}

/// Whether an address has to be translated.
fn is_private(end: Endpoint) -> bool {
    matches!(end.address, IpAddr::V4(v4) if v4.octets()[0] == 192 && v4.octets()[1] == 168)
}
