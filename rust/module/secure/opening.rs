// SPDX-License-Identifier: GPL-2.0

//! CAPABLE: put into the segments that open a connection, and taken out of them.
//!
//! All of it is on the side: whatever is missing, full or strange, TCP opens the connection as it
//! always did, and the connection is plain TCP.

use super::connections::Connection;
use super::half_open::{
    Answered,
    Asked,
    Opened, //
};
use super::KernelHmac;
use crate::module::namespace::Namespace;
use crate::net::segment::{
    self,
    Peek,
    Segment, //
};
use crate::net::skb::{
    Opener,
    SkBuff, //
};
use crate::net::sock::SockId;
use crate::net::sockstate::{
    self,
    Changing,
    Watcher, //
};
use crate::proto::crypto;
use crate::proto::handshake::{
    Client,
    Offer,
    Server, //
};
use crate::proto::happening::{
    Happening,
    Reject, //
};
use crate::proto::ids::Nonce;
use crate::proto::option::secure::{
    Capable,
    Carrier,
    Secure, //
};
use crate::proto::option::{
    Options,
    SPACE, //
};
use crate::proto::seq::SeqNum;
use crate::proto::session::Session;
use core::time::Duration;
use kernel::prelude::EEXIST;

/// Options of connections that are left alone: MD5 and AO signatures (RFC 2385, RFC 5925),
/// Multipath TCP (RFC 8684), and 254, where SMC is.
const OTHERS: [u8; 4] = [19, 29, 30, 254];
/// How long a client's acknowledgements carry ECHOs at most.
const ECHOING: Duration = Duration::from_secs(10);
/// Octets that a SYN carries at most.
const MOST_DATA: u32 = 65_535;
/// How often a nonce is drawn until its token is free. One in a hundred tables of a million
/// connections needs a second.
const DRAWS: usize = 4;

impl Namespace {
    /// A SYN or SYN/ACK is about to leave.
    pub fn opening_sent(&self, skb: &mut SkBuff<'_>, peek: &Peek) {
        let Some(segment) = skb.segment(peek) else {
            return;
        };
        let left_alone = segment.source.is_loopback()
            || has_options_of_others(segment.options())
            // Inside of a VRF a segment comes by twice.
            || !matches!(Secure::find(segment.options()), Ok(None));
        if left_alone {
            return;
        }
        match skb.opener() {
            Opener::Here {
                sock,
                retransmission: false,
            } => self.offer(skb, &segment, sock),
            Opener::Request { .. } | Opener::FastOpen { .. } => self.answer_offer(skb, &segment),
            Opener::Here { .. } | Opener::Both | Opener::Nobody => {}
        }
    }

    /// Offers the profile in a first SYN.
    fn offer(&self, skb: &mut SkBuff<'_>, segment: &Segment, sock: SockId) {
        if !self.half_open.has_room_to_open() {
            self.count(Happening::CapableFull);
            return;
        }
        let Some(nonce) = self.draw_nonce() else {
            return;
        };
        let Some(keys) = self.keys_for(segment.as_sent().remote) else {
            return;
        };
        let mut client = Client::new(nonce, true, &keys);
        let Some(offer) = self.carry(skb, segment, client.syn(room_of(segment))) else {
            return;
        };
        self.count(offer);
        let first = SeqNum::new(segment.seq).plus(1);
        let payload = u32::try_from(segment.payload).unwrap_or(0);
        let opened = Opened {
            sock,
            client,
            keys,
            acks: (first, first.plus(payload)),
            answered: None,
        };
        if self
            .half_open
            .open(segment.as_sent(), opened, self.now())
            .is_err()
        {
            // The answer will be one that nobody asked for.
            self.count(Happening::NoMemory);
            return;
        }
        self.work_within(ECHOING);
    }

    /// Answers an offer in a first SYN/ACK.
    fn answer_offer(&self, skb: &mut SkBuff<'_>, segment: &Segment) {
        let tuple = segment.as_sent();
        let Some(asked) = self.half_open.asked(&tuple) else {
            return;
        };
        // Another SYN of the same client may have come since, or one with data (RFC 7413).
        let first = asked.syn.plus(1);
        if !SeqNum::new(segment.ack).is_within(first, first.plus(MOST_DATA)) {
            return;
        }
        if !self.half_open.has_room_to_answer() {
            self.count(Happening::CapableFull);
            return;
        }
        let Some(nonce) = self.draw_nonce() else {
            return;
        };
        let Some(keys) = self.keys_for(tuple.remote) else {
            return;
        };
        let mut server = match Server::new(asked.theirs, nonce, true, &keys) {
            Ok(server) => server,
            Err(reject) => return self.count(reject),
        };
        let offer = server.syn_ack(room_of(segment));
        let answered = Answered {
            server,
            keys,
            syn: asked.syn,
            echo: None,
        };
        // It has its place before the option has, so that of answers to copies of a SYN, which may be made on
        // two processors at once, one alone carries a nonce.
        match self.half_open.answer(tuple, answered, self.now()) {
            Ok(()) => {}
            Err(EEXIST) => return,
            Err(_) => return self.count(Happening::NoMemory),
        }
        if self.carry(skb, segment, offer).is_none() {
            drop(self.half_open.take_answered(&tuple));
            return;
        }
        self.work_within(ECHOING);
    }

    /// Puts what the handshake says into the segment. What is to be counted, if it is there.
    fn carry(&self, skb: &mut SkBuff<'_>, segment: &Segment, offer: Offer) -> Option<Happening> {
        let capable = match offer {
            Offer::Carry(capable) => capable,
            Offer::NoRoom => {
                self.count(Happening::CapableNoRoom);
                return None;
            }
            Offer::Plain => return None,
        };
        let option = super::octets(&Secure::Capable(capable));
        if skb.append_option(segment, option.as_slice()).is_err() {
            self.count(Happening::CapableNoRoom);
            return None;
        }
        Some(Happening::CapableOffered)
    }

    /// A nonce whose token is no other connection's.
    fn draw_nonce(&self) -> Option<Nonce> {
        let mut draws = core::iter::repeat_with(super::nonce).take(DRAWS);
        draws.find(|nonce| self.connections.is_free(crypto::token(&KernelHmac, *nonce)))
    }

    /// A SYN or SYN/ACK came, with an option of the profile or without.
    pub fn opening_received(
        &self,
        skb: &mut SkBuff<'_>,
        segment: &Segment,
        option: Option<Secure>,
    ) {
        let carrier = if segment.has(segment::ACK) {
            Carrier::SynAck
        } else {
            Carrier::Syn
        };
        let capable = match option {
            None => None,
            Some(Secure::Capable(capable)) => Some(capable),
            Some(other) => {
                if let Err(reject) = other.is_in_place(carrier) {
                    self.count(reject);
                }
                return;
            }
        };
        if capable.is_none() && self.half_open.is_empty() {
            return;
        }
        if capable.is_some() && !skb.checksum_is_right(segment.family(), segment.offset) {
            return self.count(Reject::BadChecksum);
        }
        match carrier {
            Carrier::SynAck => self.hear_answer(segment, capable.as_ref()),
            _ => self.hear_offer(segment, capable),
        }
    }

    /// A SYN came.
    fn hear_offer(&self, segment: &Segment, capable: Option<Capable>) {
        let (tuple, syn) = (segment.as_received(), SeqNum::new(segment.seq));
        let crossed = self
            .half_open
            .with_opened(&tuple, |opened| opened.client.crossed());
        if crossed.is_some() {
            return;
        }
        let known = self.half_open.with_answered(&tuple, |answered| {
            (answered.syn == syn).then(|| answered.server.syn(capable.as_ref()))
        });
        match (known.flatten(), capable) {
            (Some(Ok(())), _) | (None, None) => {}
            (Some(Err(reject)), _) => self.count(reject),
            (None, Some(theirs)) => {
                // One that was there before: the connection it was for is not opened any more.
                drop(self.half_open.take_answered(&tuple));
                self.half_open.ask(Asked { tuple, syn, theirs });
            }
        }
    }

    /// A SYN/ACK came.
    fn hear_answer(&self, segment: &Segment, capable: Option<&Capable>) {
        let heard = self
            .half_open
            .with_opened(&segment.as_received(), |opened| {
                let (first, last) = opened.acks;
                if !SeqNum::new(segment.ack).is_within(first, last) {
                    // TCP does not believe it either.
                    return Ok::<_, Reject>(None);
                }
                let heard = opened.client.syn_ack(capable, &opened.keys)?;
                if heard == Some(Happening::CapableAgreed) {
                    opened.answered = Some(SeqNum::new(segment.seq));
                    // It is counted when there is a connection.
                    return Ok(None);
                }
                Ok(heard)
            });
        match heard {
            Some(Ok(Some(what))) => self.count(what),
            Some(Err(reject)) => self.count(reject),
            None if capable.is_some() => self.count(Reject::SecureUnasked),
            Some(Ok(None)) | None => {}
        }
    }

    /// The connection that this host has opened, if both ends have the profile.
    fn opened_here(&self, sock: &Changing<'_>) -> Option<(Session, Option<Happening>)> {
        let opened = self.half_open.take_opened(sock.id())?;
        let answered = opened.answered?;
        // The SYN/ACK that TCP believes is the one that was looked at.
        if SeqNum::new(sock.rcv_nxt()) != answered.plus(1) {
            return None;
        }
        let session = opened.client.session(&KernelHmac, &opened.keys)?;
        Some((session, Some(Happening::CapableAgreed)))
    }

    /// The connection that the peer has opened, if it has offered the profile.
    fn opened_there(&self, sock: &Changing<'_>) -> Option<(Session, Option<Happening>)> {
        let answered = self.half_open.take_answered(&sock.tuple())?;
        // That of another SYN is of a connection that was never opened, and perhaps of somebody else's
        // than this one.
        let first = answered.syn.plus(1);
        if !SeqNum::new(sock.rcv_nxt()).is_within(first, first.plus(MOST_DATA)) {
            return None;
        }
        let mut session = answered.server.session(&KernelHmac, &answered.keys)?;
        let heard = answered
            .echo
            .map(|echo| session.hear_echo(&KernelHmac, &echo));
        match heard {
            Some(Ok(what)) => Some((session, what)),
            Some(Err(reject)) => {
                self.count(reject);
                Some((session, None))
            }
            None => Some((session, None)),
        }
    }
}

impl Watcher for Namespace {
    fn is_watching(&self) -> bool {
        self.control.mode().has_secure()
    }

    fn established(&self, sock: Changing<'_>) {
        let made = match sock.opened() {
            sockstate::Opened::Here => self.opened_here(&sock),
            sockstate::Opened::There => {
                // If both did there is what this end began, which comes to nothing.
                drop(self.half_open.take_opened(sock.id()));
                self.opened_there(&sock)
            }
        };
        let Some((mut session, news)) = made.filter(|_| sock.is_ordinary()) else {
            return;
        };
        if let Some(after) = self.control.settings().keyshare_after {
            session.plan_exchange(self.now().after(after));
        }
        let until = session.is_capable() && sock.opened() == sockstate::Opened::Here;
        let until = until.then(|| self.now().after(ECHOING));
        let connection = Connection::new(session, sock.tuple(), sock.interface(), until);
        match self.connections.insert(sock.id(), connection) {
            Ok(is_first) => {
                news.into_iter().for_each(|news| self.count(news));
                if is_first {
                    // The worker may think that it has more time.
                    self.work_by_deadline();
                }
            }
            Err(_) => self.count(Happening::NoMemory),
        }
    }

    fn closed(&self, id: SockId) {
        drop(self.half_open.take_opened(id));
        self.connections.remove(id);
    }
}

/// Octets left for options.
fn room_of(segment: &Segment) -> usize {
    SPACE.saturating_sub(segment.options().len())
}

/// Whether the connection is one that is left alone, or its options cannot be read.
fn has_options_of_others(options: &[u8]) -> bool {
    Options::new(options).any(|item| item.map_or(true, |item| OTHERS.contains(&item.kind)))
}
