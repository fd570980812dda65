// SPDX-License-Identifier: GPL-2.0

//! A TCP segment as it was captured.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;

use etherparse::IpNumber;
use etherparse::LaxNetSlice;
use etherparse::LaxSlicedPacket;
use etherparse::TransportSlice;

/// The body of an option or, if it is malformed, its Length octet, if there is one.
type Body<'a> = Result<&'a [u8], Option<u8>>;

/// Lengths of an ADDRESS UPDATE option, and so of its addresses.
const LENGTH_IPV4: usize = 6;
const LENGTH_IPV6: usize = 18;

/// An ADDRESS UPDATE option, or what claims to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// Well-formed; the old address.
    Old(IpAddr),
    /// The Kind is right, the rest is not; its Length octet, if the header does not end before.
    Malformed(Option<u8>),
}

/// What the checksum is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// As it should be.
    Right,
    /// Not as it should be.
    Wrong,
    /// The capture does not hold the whole segment, or it is a fragment.
    Unknown,
}

/// A segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Number of its datagram in the capture, from 1.
    pub number: usize,
    /// Microseconds since 1970.
    pub time: u64,
    /// Source address and port.
    pub from: SocketAddr,
    /// Destination address and port.
    pub to: SocketAddr,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Letters of `SFRPAUEC`, in this order.
    pub flags: String,
    /// Window, not scaled.
    pub window: u16,
    /// Octets of data, as the IP header has it.
    pub length: usize,
    /// Options as they are.
    pub options: Vec<u8>,
    /// Value and echo, if there are timestamps in them.
    pub timestamps: Option<(u32, u32)>,
    /// Every ADDRESS UPDATE in them.
    pub updates: Vec<Update>,
    /// Every option of the secure profile in them.
    pub secure: Vec<Secure>,
    /// Its checksum.
    pub checksum: Checksum,
}

/// An option of the secure profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Secure {
    /// Its name, as the protocol has it.
    pub name: &'static str,
    /// The epoch, where it has one.
    pub epoch: Option<u32>,
}

impl Secure {
    /// From what follows the experiment's octets.
    fn read(rest: &[u8]) -> Self {
        let name = match rest.first() {
            Some(0x11) => "CAPABLE",
            Some(0x12) => "ECHO",
            Some(0x13) => "UPDATE",
            Some(0x14) => "CONFIRM",
            Some(0x15) => "RESPONSE",
            Some(0x16) => "KEYSHARE",
            Some(0x17) => "KEYED",
            _ => "unknown",
        };
        let epoch = rest.get(2..6).and_then(|octets| octets.try_into().ok());
        let has_epoch = matches!(name, "UPDATE" | "CONFIRM" | "RESPONSE");
        Self {
            name,
            epoch: epoch.filter(|_| has_epoch).map(u32::from_be_bytes),
        }
    }
}

/// What a datagram holds.
pub enum Content {
    /// A segment.
    Segment(Box<Segment>),
    /// TCP, but not readable.
    Broken,
    /// Another protocol, or a later fragment.
    Other,
}

impl Segment {
    /// Reads the datagram; `kind` is the Kind of ADDRESS UPDATE, `whole` whether none of it is cut off.
    pub fn read(number: usize, time: u64, datagram: &[u8], whole: bool, kind: u8) -> Content {
        let Ok(packet) = LaxSlicedPacket::from_ip(datagram) else {
            return Content::Broken;
        };
        let (from, to) = match &packet.net {
            Some(LaxNetSlice::Ipv4(ip)) => {
                let header = ip.header();
                let [from, to] = [header.source(), header.destination()].map(Ipv4Addr::from);
                (IpAddr::V4(from), IpAddr::V4(to))
            }
            Some(LaxNetSlice::Ipv6(ip)) => {
                let header = ip.header();
                let [from, to] = [header.source(), header.destination()].map(Ipv6Addr::from);
                (IpAddr::V6(from), IpAddr::V6(to))
            }
            _ => return Content::Other,
        };
        let Some(ip) = packet.ip_payload() else {
            return Content::Other;
        };
        let Some(TransportSlice::Tcp(tcp)) = &packet.transport else {
            let broken = ip.ip_number == IpNumber::TCP && !ip.fragmented;
            return if broken {
                Content::Broken
            } else {
                Content::Other
            };
        };
        let known = whole && !ip.fragmented && !ip.incomplete;
        let checksum = match (known, sum(from, to, tcp.slice())) {
            (false, _) => Checksum::Unknown,
            (true, 0xffff) => Checksum::Right,
            (true, _) => Checksum::Wrong,
        };
        let flags = [
            (tcp.syn(), 'S'),
            (tcp.fin(), 'F'),
            (tcp.rst(), 'R'),
            (tcp.psh(), 'P'),
            (tcp.ack(), 'A'),
            (tcp.urg(), 'U'),
            (tcp.ece(), 'E'),
            (tcp.cwr(), 'C'),
        ];
        Content::Segment(Box::new(Self {
            number,
            time,
            from: SocketAddr::new(from, tcp.source_port()),
            to: SocketAddr::new(to, tcp.destination_port()),
            seq: tcp.sequence_number(),
            ack: tcp.acknowledgment_number(),
            flags: flags
                .iter()
                .filter(|(set, _)| *set)
                .map(|(_, letter)| letter)
                .collect(),
            window: tcp.window_size(),
            length: tcp.payload().len(),
            options: tcp.options().to_vec(),
            timestamps: timestamps(tcp.options()),
            updates: updates(tcp.options(), kind),
            secure: secure(tcp.options()),
            checksum,
        }))
    }

    /// Whether it carries nothing but options: no data, no flag but ACK.
    pub fn is_option_only(&self) -> bool {
        self.length == 0 && self.flags == "A" && !self.options.is_empty()
    }

    /// Octets of the datagram, if its IP header has no options nor extension headers.
    pub fn octets(&self) -> usize {
        let ip = if self.from.is_ipv4() { 20 } else { 40 };
        ip + 20 + self.options.len() + self.length
    }

    /// Octets of sequence space it takes, SYN and FIN included.
    pub fn space(&self) -> u32 {
        let extra = self
            .flags
            .chars()
            .filter(|flag| matches!(flag, 'S' | 'F'))
            .count();
        (self.length + extra) as u32
    }
}

/// Every option of the secure profile: kind 253 and its experiment (RFC 6994).
fn secure(options: &[u8]) -> Vec<Secure> {
    let bodies = walk(options)
        .into_iter()
        .filter_map(|(kind, body)| Some((kind, body.ok()?)));
    bodies
        .filter_map(|(kind, body)| match body {
            [0xf7, 0xc5, rest @ ..] if kind == 253 => Some(Secure::read(rest)),
            _ => None,
        })
        .collect()
}

/// Every option of kind `kind`; a malformed option is the last one seen.
fn updates(options: &[u8], kind: u8) -> Vec<Update> {
    let is_secure = |body: &Body<'_>| body.is_ok_and(|body| body.starts_with(&[0xf7, 0xc5]));
    let of_kind = walk(options)
        .into_iter()
        .filter(|(this, body)| *this == kind && !is_secure(body));
    let judge = |(_, found)| match found {
        Ok(body) => match address(body) {
            Some(old) => Update::Old(old),
            None => Update::Malformed(Some((body.len() + 2) as u8)),
        },
        Err(length) => Update::Malformed(length),
    };
    of_kind.map(judge).collect()
}

/// Value and echo of the first timestamps option.
fn timestamps(options: &[u8]) -> Option<(u32, u32)> {
    let word = |octets: &[u8]| Some(u32::from_be_bytes(octets.try_into().ok()?));
    walk(options)
        .into_iter()
        .find_map(|(kind, found)| match (kind, found) {
            (8, Ok(body)) if body.len() == 8 => Some((word(&body[..4])?, word(&body[4..])?)),
            _ => None,
        })
}

/// Every option, but NOPs: its kind, and its body or, if malformed, its Length octet.
///
/// This is not the module's parser, on purpose: a test that shares the mistakes of what it tests
/// does not see them.
fn walk(mut options: &[u8]) -> Vec<(u8, Body<'_>)> {
    let mut found = Vec::new();
    while let Some((&kind, rest)) = options.split_first() {
        match kind {
            0 => break,
            1 => options = rest,
            _ => {
                let length = rest.first().copied();
                let split = length
                    .filter(|length| *length >= 2)
                    .and_then(|length| options.split_at_checked(length.into()));
                let Some((option, rest)) = split else {
                    found.push((kind, Err(length)));
                    break;
                };
                found.push((kind, Ok(&option[2..])));
                options = rest;
            }
        }
    }
    found
}

fn address(body: &[u8]) -> Option<IpAddr> {
    match body.len() + 2 {
        LENGTH_IPV4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(body).ok()?).into()),
        LENGTH_IPV6 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(body).ok()?).into()),
        _ => None,
    }
}

/// The one's complement sum over pseudo-header and segment: 0xffff if the checksum is right.
fn sum(from: IpAddr, to: IpAddr, segment: &[u8]) -> u16 {
    let mut total = 6 + segment.len() as u64;
    let mut add = |octets: &[u8]| {
        for pair in octets.chunks(2) {
            total += (u64::from(pair[0]) << 8) | u64::from(pair.get(1).copied().unwrap_or(0));
        }
    };
    for address in [from, to] {
        match address {
            IpAddr::V4(address) => add(&address.octets()),
            IpAddr::V6(address) => add(&address.octets()),
        }
    }
    add(segment);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

impl fmt::Display for Update {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Old(address) => write!(out, "{address}"),
            Self::Malformed(_) => out.write_str("malformed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_among_other_options() {
        let old = Update::Old("10.0.1.1".parse().unwrap());
        let update = [253, 6, 10, 0, 1, 1];
        let timestamps = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
        assert_eq!(
            updates(&[&timestamps[..], &[1, 1], &update].concat(), 253),
            [old]
        );
        assert_eq!(updates(&[&update[..], &timestamps].concat(), 253), [old]);
        assert_eq!(updates(&[&update[..], &update].concat(), 253), [old, old]);
        assert_eq!(updates(&[&[0][..], &update].concat(), 253), []);
        assert_eq!(updates(&update, 254), []);
        assert_eq!(super::timestamps(&timestamps), Some((1, 2)));
        assert_eq!(super::timestamps(&update), None);
    }

    #[test]
    fn malformed_updates_are_named_so() {
        for (options, length) in [
            (&[253][..], None),
            (&[253, 0, 1, 2], Some(0)),
            (&[253, 1, 1, 2], Some(1)),
            (&[253, 2], Some(2)),
            (&[253, 5, 10, 0, 1], Some(5)),
            (&[253, 6, 10, 0, 1], Some(6)),
            (&[253, 40, 10, 0, 1], Some(40)),
        ] {
            assert_eq!(
                updates(options, 253),
                [Update::Malformed(length)],
                "{options:?}"
            );
        }
        // A malformed option before it ends the walk.
        assert_eq!(updates(&[8, 0, 253, 6, 10, 0, 1, 1], 253), []);
    }
}
