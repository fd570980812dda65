// SPDX-License-Identifier: GPL-2.0

//! A TCP segment's headers, read from a socket buffer.
//!
//! Two levels, for the sake of the segments that have nothing to do with us: [`Peek`] reads the
//! few octets that tell so, [`Segment`] copies everything the protocol may ask for.
//!
//! C header: [`include/uapi/linux/tcp.h`](srctree/include/uapi/linux/tcp.h)

use crate::net::skb::SkBuff;
use crate::net::sock::Tuple;
use core::net::{
    IpAddr,
    Ipv4Addr,
    Ipv6Addr, //
};

/// The IP version of a segment or hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// FIN flag, in the thirteenth octet of the TCP header (RFC 9293, section 3.1).
pub const FIN: u8 = 0x01;
/// SYN flag.
pub const SYN: u8 = 0x02;
/// RST flag.
pub const RST: u8 = 0x04;
/// ACK flag.
pub const ACK: u8 = 0x10;

/// Two NOPs and a timestamps option (RFC 7323, appendix A), as Linux begins the options of nearly
/// every segment.
const ALIGNED_TIMESTAMPS: [u8; 4] = [1, 1, 8, 10];

/// The first look at a segment: what the decision "nothing for us" needs.
#[derive(Clone, Copy)]
pub struct Peek {
    family: Family,
    /// Offset of the TCP header from the network header, in octets.
    offset: usize,
    /// Length of the TCP header, in octets.
    header: usize,
    flags: u8,
    timestamps_first: bool,
}

impl Peek {
    /// Whether the segment carries no option, or timestamps alone.
    pub fn is_plain(&self) -> bool {
        self.header == 20 || (self.header == 32 && self.timestamps_first)
    }

    /// Octets of the IP and TCP headers.
    pub fn headers(&self) -> usize {
        self.offset + self.header
    }

    /// Whether any flag of `mask` is set.
    pub fn has(&self, mask: u8) -> bool {
        self.flags & mask != 0
    }
}

/// The headers of a TCP segment, copied out of its buffer. Integers are in host byte order.
pub struct Segment {
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address.
    pub destination: IpAddr,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// The flags octet: [`FIN`], [`SYN`], [`RST`], [`ACK`] and others.
    pub flags: u8,
    /// Octets behind the TCP header.
    pub payload: usize,
    /// Offset of the TCP header from the network header, in octets.
    pub offset: usize,
    options: [u8; 40],
    options_len: usize,
}

impl Segment {
    /// The option octets: those of the header beyond its first 20, at most 40.
    pub fn options(&self) -> &[u8] {
        self.options.get(..self.options_len).unwrap_or(&[])
    }

    /// The IP version.
    pub fn family(&self) -> Family {
        match self.source {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }

    /// Whether any flag of `mask` is set.
    pub fn has(&self, mask: u8) -> bool {
        self.flags & mask != 0
    }

    /// The connection's addresses and ports as the receiving socket has them.
    pub fn as_received(&self) -> Tuple {
        Tuple {
            local: self.destination,
            local_port: self.destination_port,
            remote: self.source,
            remote_port: self.source_port,
        }
    }

    /// The connection's addresses and ports as the sending socket has them.
    pub fn as_sent(&self) -> Tuple {
        Tuple {
            local: self.source,
            local_port: self.source_port,
            remote: self.destination,
            remote_port: self.destination_port,
        }
    }
}

impl SkBuff<'_> {
    /// The first look at a segment. `None` for what is not TCP, for fragments and for what is too
    /// short: TCP itself will say so.
    pub fn peek(&mut self, family: Family) -> Option<Peek> {
        let (offset, fragment) = self.tcp_offset(family)?;
        (!fragment).then(|| self.peek_at(family, offset)).flatten()
    }

    /// As [`SkBuff::peek`], of the first of several fragments, and of nothing else.
    ///
    /// IPv6 puts fragments together behind `LOCAL_IN`, and what comes of that is not seen there
    /// (`ip6_input_finish()`, net/ipv6/ip6_input.c). The first has the whole TCP header but for
    /// its options (`ipv6frag_thdr_truncated()`, net/ipv6/reassembly.c).
    pub fn peek_fragment(&mut self, family: Family) -> Option<Peek> {
        let (offset, fragment) = self.tcp_offset(family)?;
        fragment.then(|| self.peek_at(family, offset)).flatten()
    }

    /// The TCP header at `offset`.
    fn peek_at(&mut self, family: Family, offset: usize) -> Option<Peek> {
        if self.linear().len() < offset + 20 && !self.pull(offset + 20) {
            return None;
        }
        let tcp = self.linear().get(offset..)?;
        let header = usize::from(*tcp.get(12)? >> 4) * 4;
        if header < 20 {
            return None;
        }
        Some(Peek {
            family,
            offset,
            header,
            flags: *tcp.get(13)?,
            // Options that are not linear yet are just not recognised as plain ones.
            timestamps_first: tcp
                .get(20..24)
                .is_some_and(|word| word == ALIGNED_TIMESTAMPS),
        })
    }

    /// The addresses and ports, as the receiving socket has them, of the segment that `peek` is of.
    pub fn received_tuple(&self, peek: &Peek) -> Option<Tuple> {
        let head = self.linear();
        let (source, destination) = addresses(head, peek.family)?;
        let tcp = head.get(peek.offset..)?;
        Some(Tuple {
            local: destination,
            local_port: u16::from_be_bytes(octets(tcp, 2)?),
            remote: source,
            remote_port: u16::from_be_bytes(octets(tcp, 0)?),
        })
    }

    /// All headers of the segment that `peek` is of.
    pub fn segment(&mut self, peek: &Peek) -> Option<Segment> {
        let end = peek.offset + peek.header;
        if self.linear().len() < end && !self.pull(end) {
            return None;
        }
        let payload = self.octets().checked_sub(end)?;
        let head = self.linear();
        let (source, destination) = addresses(head, peek.family)?;
        let tcp = head.get(peek.offset..end)?;
        let given = tcp.get(20..)?;
        let mut options = [0; 40];
        options.get_mut(..given.len())?.copy_from_slice(given);
        Some(Segment {
            source,
            destination,
            source_port: u16::from_be_bytes(octets(tcp, 0)?),
            destination_port: u16::from_be_bytes(octets(tcp, 2)?),
            seq: u32::from_be_bytes(octets(tcp, 4)?),
            ack: u32::from_be_bytes(octets(tcp, 8)?),
            flags: peek.flags,
            payload,
            offset: peek.offset,
            options,
            options_len: given.len(),
        })
    }

    /// Where the TCP header begins, and whether that is in the first of several fragments.
    fn tcp_offset(&self, family: Family) -> Option<(usize, bool)> {
        const TCP: u8 = 6;
        let head = self.linear();
        match family {
            Family::V4 => {
                // More fragments, or an offset (RFC 791, section 3.1): only conntrack's or IP's
                // own reassembly makes a segment of it again.
                let fragment = u16::from_be_bytes(octets(head, 6)?) & 0x3fff != 0;
                let ihl = usize::from(*head.first()? & 0x0f) * 4;
                (*head.get(9)? == TCP && !fragment && ihl >= 20).then_some((ihl, false))
            }
            Family::V6 => match *head.get(6)? {
                TCP => Some((40, false)),
                next => self.skip_extension_headers(next, 40),
            },
        }
    }
}

/// Source and destination of the IP header that `head` begins with.
fn addresses(head: &[u8], family: Family) -> Option<(IpAddr, IpAddr)> {
    Some(match family {
        Family::V4 => (
            IpAddr::V4(Ipv4Addr::from(octets::<4>(head, 12)?)),
            IpAddr::V4(Ipv4Addr::from(octets::<4>(head, 16)?)),
        ),
        Family::V6 => (
            IpAddr::V6(Ipv6Addr::from(octets::<16>(head, 8)?)),
            IpAddr::V6(Ipv6Addr::from(octets::<16>(head, 24)?)),
        ),
    })
}

/// `N` octets of `of` from `at` on.
fn octets<const N: usize>(of: &[u8], at: usize) -> Option<[u8; N]> {
    of.get(at..)?.first_chunk::<N>().copied()
}
