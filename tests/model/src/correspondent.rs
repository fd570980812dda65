// SPDX-License-Identifier: GPL-2.0

//! The correspondent: [`judge`] as it is in the module, with as much of TCP around it as matters.

use crate::fault::Fault;
use crate::wire::Segment;
use crate::wire::Wire;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::time::Duration;
use tcp_continuity::proto::correspondent;
use tcp_continuity::proto::correspondent::judge;
use tcp_continuity::proto::correspondent::Judgement;
use tcp_continuity::proto::correspondent::Known;
use tcp_continuity::proto::correspondent::View;
use tcp_continuity::proto::happening::Reject;
use tcp_continuity::proto::option::classic::AddressUpdate;
use tcp_continuity::proto::option::classic::Kind;
use tcp_continuity::proto::seq::SeqNum;

/// The correspondent's own address.
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 200, 1));
/// The first sequence number of the mover's data: near the end, so that the numbers wrap.
pub const FIRST: SeqNum = SeqNum::new(u32::MAX);
/// The next sequence number of the correspondent's: what it sends does not matter here.
pub const NEXT: SeqNum = SeqNum::new(5_000);
/// The window of either end.
pub const WINDOW: u32 = 1_000;
/// How long a 4-tuple that was left is remembered, in milliseconds.
const LEFT: u64 = 60_000;

/// The connection as the correspondent's host has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Correspondent {
    /// Where the mover is thought to be.
    pub remote: IpAddr,
    /// RCV.NXT, counted from the beginning. Everything is acknowledged at once.
    pub received: u32,
    /// TS.Recent, on a connection with timestamps.
    pub ts_recent: Option<u32>,
    /// Addresses the connection has left, and when.
    pub left: Vec<(IpAddr, u64)>,
    /// Whether it is without the module.
    pub legacy: bool,
    /// When the last UPDATE followed was sent, if that is watched.
    pub newest: Option<u64>,
    /// Whether one was followed that was sent before the last.
    pub stepped_back: bool,
    /// What it does wrong.
    pub fault: Option<Fault>,
}

impl Correspondent {
    /// With a mover at `remote`.
    pub fn new(remote: IpAddr, ts_recent: Option<u32>) -> Self {
        Self {
            remote,
            received: 0,
            ts_recent,
            left: Vec::new(),
            legacy: false,
            newest: None,
            stepped_back: false,
            fault: None,
        }
    }

    /// Sends something on the connection.
    pub fn speak(&self, now: u64, wire: &mut Wire) {
        let segment = Segment::Answer {
            to: self.remote,
            ack: self.received,
            echo: self.ts_recent,
        };
        wire.send(now, segment);
    }

    /// A segment of the mover's.
    pub fn receive(&mut self, now: u64, (sent, segment): (u64, Segment), wire: &mut Wire) {
        match segment {
            Segment::Data { from, seq, value } => {
                self.receive_plain(now, from, seq, value, true, wire);
            }
            Segment::Update {
                from,
                seq,
                value,
                option,
            } => {
                let followed = AddressUpdate::find(Kind::default(), &option, from.is_ipv6())
                    .and_then(|update| match update {
                        Some(update) if !self.legacy => self.follow(now, from, seq, value, update),
                        _ => Ok(None),
                    });
                // What became of the option does not keep TCP from the acknowledgement it is in.
                self.receive_plain(now, from, seq, value, false, wire);
                if let Ok(Some(judgement)) = followed {
                    self.watch(sent, judgement);
                    self.answer(now, judgement, wire);
                }
            }
            Segment::Solicitation { from } if self.knows(now, from) => self.speak(now, wire),
            Segment::Solicitation { from } => wire.send(now, Segment::Reset { to: from }),
            Segment::Answer { .. } | Segment::Reset { .. } => {}
        }
    }

    /// What TCP does (RFC 9293, section 3.10.7.4; RFC 7323, section 5), and what the module does
    /// for 4-tuples that were left.
    fn receive_plain(
        &mut self,
        now: u64,
        from: IpAddr,
        seq: u32,
        value: Option<u32>,
        data: bool,
        wire: &mut Wire,
    ) {
        if !self.knows(now, from) {
            wire.send(now, Segment::Reset { to: from });
            return;
        }
        let stale = self.ts_recent.is_some_and(|recent| value < Some(recent));
        if !stale && seq <= self.received {
            self.ts_recent = self.ts_recent.and(value);
        }
        if !stale && data && seq == self.received {
            self.received += 1;
        }
        if stale || data {
            self.speak(now, wire);
        }
    }

    /// A segment with an UPDATE, as `rust/module/correspond.rs` has it.
    fn follow(
        &mut self,
        now: u64,
        from: IpAddr,
        seq: u32,
        value: Option<u32>,
        update: AddressUpdate,
    ) -> Result<Option<Judgement>, Reject> {
        let view = self.view(now, from, value);
        let known = if self.remote == update.old {
            Known::Old(view)
        } else if self.remote == from {
            Known::New(view)
        } else {
            return Err(Reject::UnknownConnection);
        };
        let segment = correspondent::Segment {
            source: from,
            destination: ADDRESS,
            seq: FIRST.plus(seq),
            ack: NEXT,
            timestamp: value,
            update,
        };
        let judgement = judge(&segment, &known)?;
        if let Judgement::Rebind { remote } = judgement {
            self.left.retain(|(address, _)| *address != remote);
            self.left.push((self.remote, now));
            self.remote = remote;
        }
        Ok(Some(judgement))
    }

    fn watch(&mut self, sent: u64, judgement: Judgement) {
        if let (Some(newest), Judgement::Rebind { .. }) = (self.newest, judgement) {
            self.stepped_back |= sent < newest;
            self.newest = Some(sent);
        }
    }

    fn answer(&self, now: u64, judgement: Judgement, wire: &mut Wire) {
        if judgement != Judgement::Answer || self.fault != Some(Fault::AnswersOnce) {
            self.speak(now, wire);
        }
    }

    /// Whether what comes from an address is the connection's.
    fn knows(&self, now: u64, from: IpAddr) -> bool {
        from == self.remote || self.left_ago(now, from).is_some()
    }

    fn left_ago(&self, now: u64, address: IpAddr) -> Option<u64> {
        let (_, at) = self.left.iter().find(|(left, _)| *left == address)?;
        (now - at < LEFT).then_some(now - at)
    }

    fn view(&self, now: u64, from: IpAddr, value: Option<u32>) -> View {
        let ts_recent = match self.fault {
            Some(Fault::IgnoresTimestamps) => value.map(|value| value.wrapping_sub(1)),
            _ => self.ts_recent,
        };
        let left_ago = match self.fault {
            Some(Fault::FollowsToWhatItLeft) => None,
            _ => self.left_ago(now, from),
        };
        View {
            rcv_nxt: FIRST.plus(self.received),
            rcv_wnd: WINDOW,
            snd_una: NEXT,
            snd_nxt: NEXT,
            max_window: WINDOW,
            ts_recent,
            left_ago: left_ago.map(Duration::from_millis),
        }
    }
}
