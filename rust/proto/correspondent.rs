// SPDX-License-Identifier: GPL-2.0

//! Whether an UPDATE is followed, in the classic profile; [`secure`] is for the other.
//!
//! The profile has no authentication. What it has is what TCP itself has against blind attackers
//! (RFC 5961) and against old duplicates (RFC 7323, PAWS), applied before anything moves.

pub mod secure;

use crate::proto::addr;
use crate::proto::happening::Reject;
use crate::proto::option::classic::AddressUpdate;
use crate::proto::seq::SeqNum;
use core::net::IpAddr;
use core::time::Duration;

/// A segment that carries an UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// IP source: the address the mover says it has now.
    pub source: IpAddr,
    /// IP destination.
    pub destination: IpAddr,
    /// Sequence number.
    pub seq: SeqNum,
    /// Acknowledgement number.
    pub ack: SeqNum,
    /// TSval, if the segment has timestamps.
    pub timestamp: Option<u32>,
    /// The option.
    pub update: AddressUpdate,
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The next sequence number expected.
    pub rcv_nxt: SeqNum,
    /// The window open to the mover, in octets.
    pub rcv_wnd: u32,
    /// The oldest octet not acknowledged.
    pub snd_una: SeqNum,
    /// The next sequence number to send.
    pub snd_nxt: SeqNum,
    /// The largest window the mover ever offered, in octets.
    pub max_window: u32,
    /// The mover's last timestamp, `None` on connections without.
    pub ts_recent: Option<u32>,
    /// How long ago the connection left the address the segment comes from, if it did lately.
    pub left_ago: Option<Duration>,
}

/// Which connection was found for an UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// One whose peer is at OLD ADDRESS.
    Old(View),
    /// One whose peer is already at the address the segment comes from.
    New(View),
}

/// What is to be done about an UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The peer is at `remote` now: rebind, answer, resend.
    Rebind {
        /// The mover's new address.
        remote: IpAddr,
    },
    /// That is known already, but the answer may have been lost: answer.
    Answer,
}

/// How far before the window a sequence number may lie in a segment that is only answered.
const BEFORE_WINDOW: u32 = 1 << 30;
/// How long an old UPDATE may be on its way: without timestamps it cannot be told from a new one.
const STRAY: Duration = Duration::from_secs(2);

/// Whether the UPDATE is followed.
///
/// Whether the source address is one of this host's is for whoever knows those to ask: it may be,
/// and even be the destination, when both ends of the connection are on one host.
///
/// # Errors
///
/// Why not.
pub fn judge(segment: &Segment, known: &Known) -> Result<Judgement, Reject> {
    addr::peer_address(segment.source)?;
    match known {
        Known::Old(view) => {
            in_window(segment, view)?;
            is_newest(segment, view)?;
            Ok(Judgement::Rebind {
                remote: segment.source,
            })
        }
        Known::New(view) => {
            if !acknowledges(segment.ack, view) {
                return Err(Reject::AckOutside);
            }
            if !is_plausible(segment.seq, segment.ack, view) {
                return Err(Reject::SequenceOutside);
            }
            Ok(Judgement::Answer)
        }
    }
}

/// Whether numbers can be those of the peer: an acknowledgement of what was sent, and a sequence
/// number in the window or before it, as that of a retransmission.
pub fn is_plausible(seq: SeqNum, ack: SeqNum, view: &View) -> bool {
    let first = view.rcv_nxt.minus(BEFORE_WINDOW);
    acknowledges(ack, view) && seq.is_within(first, view.rcv_nxt.plus(view.rcv_wnd))
}

/// RFC 9293, section 3.10.7.4, for a segment without payload; RFC 5961, section 5.2.
fn in_window(segment: &Segment, view: &View) -> Result<(), Reject> {
    let last = view.rcv_nxt.plus(view.rcv_wnd);
    if !segment.seq.is_within(view.rcv_nxt, last) {
        return Err(Reject::SequenceOutside);
    }
    if !acknowledges(segment.ack, view) {
        return Err(Reject::AckOutside);
    }
    Ok(())
}

/// RFC 5961, section 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT.
fn acknowledges(ack: SeqNum, view: &View) -> bool {
    ack.is_within(view.snd_una.minus(view.max_window), view.snd_nxt)
}

/// Whether the segment is no old duplicate (RFC 7323, section 5).
fn is_newest(segment: &Segment, view: &View) -> Result<(), Reject> {
    let may_be_stray = view.left_ago.is_some_and(|ago| ago < STRAY);
    match (view.ts_recent, segment.timestamp) {
        (Some(recent), Some(value)) if SeqNum::new(value).before(SeqNum::new(recent)) => {
            Err(Reject::TimestampOld)
        }
        (Some(_), None) => Err(Reject::TimestampMissing),
        // There and back within a tick of its clock: the mover's next try has a later one.
        (Some(recent), Some(value)) if recent == value && may_be_stray => Err(Reject::JustLeft),
        (None, _) if may_be_stray => Err(Reject::JustLeft),
        (Some(_), Some(_)) | (None, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
