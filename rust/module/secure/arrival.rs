// SPDX-License-Identifier: GPL-2.0

//! What is known of a segment of the profile before anybody is asked.

use crate::net::segment::{
    self,
    Segment, //
};
use crate::net::sock::Tuple;
use crate::proto::addr::Endpoint;
use crate::proto::crypto::Ends;
use crate::proto::option::secure::{
    Carrier,
    Update, //
};
use crate::proto::path::Syn;
use crate::proto::seq::SeqNum;

/// An UPDATE, where it came from, and whose it says it is.
#[derive(Clone, Copy)]
pub struct Arrival {
    /// The option.
    pub(super) update: Update,
    /// The connection's 4-tuple if the UPDATE is followed, as seen from here.
    pub(super) new: Tuple,
    /// The one it has.
    pub(super) old: Tuple,
    /// If it was on a SYN, that.
    pub(super) syn: Option<Syn>,
    /// Its length with its IP header.
    pub(super) octets: u32,
}

impl Arrival {
    /// An UPDATE of so many octets for the connection at `old`.
    pub(super) fn new(segment: &Segment, octets: usize, update: Update, old: Tuple) -> Self {
        let syn = segment.has(segment::SYN);
        Self {
            update,
            new: segment.as_received(),
            old,
            syn: syn.then(|| Syn {
                ack: SeqNum::new(segment.seq).plus(1),
                expects: SeqNum::new(segment.ack),
            }),
            octets: u32::try_from(octets).unwrap_or(u32::MAX),
        }
    }

    /// Whether it came to the connection's address.
    pub(super) fn is_for_it(&self) -> bool {
        (self.new.local, self.new.local_port) == (self.old.local, self.old.local_port)
    }

    /// Whether it came from where the peer is not thought to be.
    pub(super) fn is_a_move(&self) -> bool {
        self.is_for_it() && self.new != self.old
    }
}

/// What kind of a segment it is to options of the profile.
pub(super) fn carrier_of(segment: &Segment) -> Carrier {
    let empty = segment.payload == 0 && !segment.has(segment::FIN | segment::RST);
    match (empty, segment.has(segment::SYN), segment.has(segment::ACK)) {
        (true, true, false) => Carrier::Syn,
        (true, true, true) => Carrier::SynAck,
        (true, false, true) => Carrier::OptionOnly,
        (true, false, false) | (false, _, _) => Carrier::Other,
    }
}

/// Source and destination of a segment, from what it was received for.
pub(super) fn ends_of(tuple: &Tuple) -> Ends {
    Ends {
        source: Endpoint {
            address: tuple.remote,
            port: tuple.remote_port,
        },
        destination: Endpoint {
            address: tuple.local,
            port: tuple.local_port,
        },
    }
}

/// Source and destination of a segment, from what it is sent by.
pub(super) fn ends_sent(tuple: &Tuple) -> Ends {
    let Ends {
        source,
        destination,
    } = ends_of(tuple);
    Ends {
        source: destination,
        destination: source,
    }
}
