// SPDX-License-Identifier: GPL-2.0

//! A TCP segment in an IP packet. Payload is zeros only: scripts say no more than its length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::checksum;

/// The protocol number of TCP.
const TCP: u8 = 6;

/// A segment and what matters of the IP header.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Who sends it.
    pub source: SocketAddr,
    /// Who gets it.
    pub destination: SocketAddr,
    /// The octet of the IP header that the ECN bits are part of.
    pub tos: u8,
    /// The twelve bits behind the data offset: reserved ones, then AE, CWR, ECE, URG … FIN.
    pub flags: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// Window field.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// The options, padded to a multiple of four octets.
    pub options: Vec<u8>,
    /// Octets of payload.
    pub length: usize,
    /// Whether the payload is zeros only.
    pub zeros: bool,
}

impl Segment {
    /// The packet, with its checksums.
    pub fn encode(&self) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(20 + self.options.len() + self.length);
        tcp.extend(self.source.port().to_be_bytes());
        tcp.extend(self.destination.port().to_be_bytes());
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        let words = (5 + self.options.len() / 4) as u16;
        tcp.extend(((words << 12) | self.flags).to_be_bytes());
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0, 0]);
        tcp.extend(self.urgent.to_be_bytes());
        tcp.extend(&self.options);
        tcp.resize(tcp.len() + self.length, 0);
        let (source, destination) = (self.source.ip(), self.destination.ip());
        let sum = checksum::with_addresses(source, destination, TCP, &tcp);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        let mut packet = ip_header(source, destination, self.tos, TCP, tcp.len());
        packet.extend(tcp);
        packet
    }

    /// The segment in a packet; `None` if it is none, or not whole.
    pub fn decode(packet: &[u8]) -> Option<Self> {
        let (source, destination, tos, tcp) = match packet.first()? >> 4 {
            4 => ipv4(packet)?,
            6 => ipv6(packet)?,
            _ => return None,
        };
        let offset = usize::from(tcp.get(12)? >> 4) * 4;
        let payload = tcp.get(offset..)?;
        Some(Self {
            source: SocketAddr::new(source, short(tcp, 0)?),
            destination: SocketAddr::new(destination, short(tcp, 2)?),
            tos,
            flags: short(tcp, 12)? & 0xfff,
            sequence: long(tcp, 4)?,
            ack: long(tcp, 8)?,
            window: short(tcp, 14)?,
            urgent: short(tcp, 18)?,
            options: tcp.get(20..offset)?.to_vec(),
            length: payload.len(),
            zeros: payload.iter().all(|octet| *octet == 0),
        })
    }
}

impl Segment {
    /// Adds the next segment, where a script has one that the kernel has cut in several. `piece` is
    /// how long the segment before it was.
    ///
    /// # Errors
    ///
    /// It does not go on where this one ends, or is of another kind.
    pub fn append(&mut self, next: &Self, piece: usize, wanted: usize) -> Result<(), &'static str> {
        /// Flags that pieces need not have in common: FIN, PSH and CWR.
        const APART: u16 = 0x089;
        const CWR: u16 = 0x080;
        if next.sequence != self.sequence.wrapping_add(self.length as u32) {
            return Err("sequence number");
        }
        if (next.flags ^ self.flags) & !APART != 0 {
            return Err("flags");
        }
        if (next.ack, next.window, next.urgent) != (self.ack, self.window, self.urgent) {
            return Err("acknowledgment number, window or urgent pointer");
        }
        if next.options.len() != self.options.len() {
            return Err("options");
        }
        if next.length != piece && self.length + next.length < wanted {
            return Err("length");
        }
        *self = Self {
            sequence: self.sequence,
            flags: (next.flags & !CWR) | (self.flags & CWR),
            length: self.length + next.length,
            zeros: self.zeros && next.zeros,
            ..next.clone()
        };
        Ok(())
    }
}

type Parts<'a> = (IpAddr, IpAddr, u8, &'a [u8]);

fn ipv4(packet: &[u8]) -> Option<Parts<'_>> {
    let header = usize::from(packet.first()? & 0xf) * 4;
    if *packet.get(9)? != TCP || checksum::of(packet.get(..header)?) != 0 {
        return None;
    }
    let address = |at: usize| -> Option<IpAddr> {
        let octets: [u8; 4] = packet.get(at..at + 4)?.try_into().ok()?;
        Some(Ipv4Addr::from(octets).into())
    };
    let end = usize::from(short(packet, 2)?);
    Some((
        address(12)?,
        address(16)?,
        packet[1],
        packet.get(header..end)?,
    ))
}

fn ipv6(packet: &[u8]) -> Option<Parts<'_>> {
    if *packet.get(6)? != TCP {
        return None;
    }
    let address = |at: usize| -> Option<IpAddr> {
        let octets: [u8; 16] = packet.get(at..at + 16)?.try_into().ok()?;
        Some(Ipv6Addr::from(octets).into())
    };
    let tos = (short(packet, 0)? >> 4) as u8;
    let end = 40 + usize::from(short(packet, 4)?);
    Some((address(8)?, address(24)?, tos, packet.get(40..end)?))
}

fn short(octets: &[u8], at: usize) -> Option<u16> {
    let two = octets.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(two))
}

fn long(octets: &[u8], at: usize) -> Option<u32> {
    let four = octets.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// An IP header for so many octets of payload. Addresses are of one family.
pub fn ip_header(
    source: IpAddr,
    destination: IpAddr,
    tos: u8,
    protocol: u8,
    payload: usize,
) -> Vec<u8> {
    const TTL: u8 = 255;
    match (source, destination) {
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let mut header = vec![0x60 | (tos >> 4), tos << 4, 0, 0];
            header.extend((payload as u16).to_be_bytes());
            header.extend([protocol, TTL]);
            header.extend(source.octets());
            header.extend(destination.octets());
            header
        }
        _ => {
            let mut header = vec![0x45, tos];
            header.extend((20 + payload as u16).to_be_bytes());
            header.extend([0, 0, 0, 0, TTL, protocol, 0, 0]);
            for address in [source, destination] {
                if let IpAddr::V4(address) = address {
                    header.extend(address.octets());
                }
            }
            let sum = checksum::of(&header);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            header
        }
    }
}
