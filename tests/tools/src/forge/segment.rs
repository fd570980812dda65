// SPDX-License-Identifier: GPL-2.0

//! A segment to be forged: everything in it, and how it becomes octets.

use std::net::IpAddr;

use anyhow::bail;
use anyhow::Result;
use etherparse::IpNumber;
use etherparse::Ipv4Header;
use etherparse::Ipv6FlowLabel;
use etherparse::Ipv6Header;
use etherparse::TcpHeader;

/// Most octets of options a header can have.
pub const OPTION_SPACE: usize = 40;
/// NOP, used for padding before options.
const NOP: u8 = 1;

/// The contents of a segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// IP source.
    pub from: IpAddr,
    /// IP destination.
    pub to: IpAddr,
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Letters of `FSRPAUEC`.
    pub flags: String,
    /// Window, not scaled.
    pub window: u16,
    /// Options as they are; at most 40 octets, filled up with End of Option List.
    pub options: Vec<u8>,
    /// Data.
    pub payload: Vec<u8>,
    /// What the checksum is to be wrong by (XOR); 0 is right.
    pub spoil: u16,
}

impl Segment {
    /// The datagram, IP header included.
    ///
    /// # Errors
    ///
    /// Addresses of two families, too many octets.
    pub fn datagram(&self) -> Result<Vec<u8>> {
        let mut tcp = TcpHeader::new(self.sport, self.dport, self.seq, self.window);
        tcp.acknowledgment_number = self.ack;
        for letter in self.flags.chars() {
            match letter.to_ascii_uppercase() {
                'F' => tcp.fin = true,
                'S' => tcp.syn = true,
                'R' => tcp.rst = true,
                'P' => tcp.psh = true,
                'A' => tcp.ack = true,
                'U' => tcp.urg = true,
                'E' => tcp.ece = true,
                'C' => tcp.cwr = true,
                _ => bail!("no such flag: {letter}"),
            }
        }
        tcp.set_options_raw(&self.options)?;
        let length = tcp.header_len() + self.payload.len();
        let mut datagram = Vec::with_capacity(40 + length);
        let checksum = match (self.from, self.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let (from, to) = (from.octets(), to.octets());
                let ip = Ipv4Header::new(u16::try_from(length)?, 64, IpNumber::TCP, from, to)?;
                ip.write(&mut datagram)?;
                tcp.calc_checksum_ipv4_raw(from, to, &self.payload)?
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let ip = Ipv6Header {
                    traffic_class: 0,
                    flow_label: Ipv6FlowLabel::ZERO,
                    payload_length: u16::try_from(length)?,
                    next_header: IpNumber::TCP,
                    hop_limit: 64,
                    source: from.octets(),
                    destination: to.octets(),
                };
                ip.write(&mut datagram)?;
                tcp.calc_checksum_ipv6_raw(from.octets(), to.octets(), &self.payload)?
            }
            _ => bail!("{} and {} are of two families", self.from, self.to),
        };
        tcp.checksum = checksum ^ self.spoil;
        tcp.write(&mut datagram)?;
        datagram.extend_from_slice(&self.payload);
        Ok(datagram)
    }
}

/// ADDRESS UPDATE: Kind, Length, old address; `length` can lie.
pub fn update(kind: u8, length: Option<u8>, old: IpAddr) -> Vec<u8> {
    let address = match old {
        IpAddr::V4(old) => old.octets().to_vec(),
        IpAddr::V6(old) => old.octets().to_vec(),
    };
    let right = if address.len() == 4 { 6 } else { 18 };
    [&[kind, length.unwrap_or(right)][..], &address[..]].concat()
}

/// Options on 32-bit boundaries: NOPs come before each.
pub fn padded(options: &[Vec<u8>]) -> Vec<u8> {
    let mut padded = Vec::new();
    for option in options {
        padded.resize(padded.len() + option.len().wrapping_neg() % 4, NOP);
        padded.extend_from_slice(option);
    }
    padded
}

/// The timestamps option.
pub fn timestamps(value: u32, echo: u32) -> Vec<u8> {
    [&[8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds up 16-bit words as RFC 1071 does.
    fn folded(parts: &[&[u8]]) -> u16 {
        let octets = parts.concat();
        let sum: u32 = octets
            .chunks(2)
            .map(|pair| (u32::from(pair[0]) << 8) | u32::from(*pair.get(1).unwrap_or(&0)))
            .sum();
        let once = (sum & 0xffff) + (sum >> 16);
        ((once & 0xffff) + (once >> 16)) as u16
    }

    fn sample(from: &str, to: &str, old: &str) -> Segment {
        Segment {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            sport: 40000,
            dport: 22,
            seq: 0x0102_0304,
            ack: 0x0506_0708,
            flags: "A".into(),
            window: 512,
            options: padded(&[timestamps(1, 2), update(253, None, old.parse().unwrap())]),
            payload: Vec::new(),
            spoil: 0,
        }
    }

    #[test]
    fn ipv4_octets() {
        let datagram = sample("10.0.1.9", "10.0.2.1", "10.0.1.1")
            .datagram()
            .unwrap();
        assert_eq!(datagram.len(), 20 + 20 + 12 + 8);
        assert_eq!(datagram[12..20], [10, 0, 1, 9, 10, 0, 2, 1]);
        assert_eq!(datagram[20..24], [0x9c, 0x40, 0, 22]);
        assert_eq!(datagram[32], 0xa0, "data offset of 40 octets");
        assert_eq!(datagram[40..52], [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
        assert_eq!(datagram[52..], [1, 1, 253, 6, 10, 0, 1, 1]);
        let pseudo = [0, 6, 0, 40];
        assert_eq!(
            folded(&[&datagram[12..20], &pseudo, &datagram[20..]]),
            0xffff
        );
    }

    #[test]
    fn ipv6_octets_and_a_spoilt_checksum() {
        let mut segment = sample("fd00::9", "fd00::2", "fd00::1");
        let datagram = segment.datagram().unwrap();
        assert_eq!(datagram.len(), 40 + 20 + 12 + 20);
        assert_eq!(datagram[72..76], [1, 1, 253, 18]);
        let pseudo = [0, 6, 0, 52];
        assert_eq!(
            folded(&[&datagram[8..40], &pseudo, &datagram[40..]]),
            0xffff
        );
        segment.spoil = 1;
        let datagram = segment.datagram().unwrap();
        assert_ne!(
            folded(&[&datagram[8..40], &pseudo, &datagram[40..]]),
            0xffff
        );
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(sample("10.0.0.1", "fd00::1", "10.0.0.1")
            .datagram()
            .is_err());
        let mut segment = sample("10.0.0.1", "10.0.0.2", "10.0.0.3");
        segment.flags = "AX".into();
        assert!(segment.datagram().is_err());
        segment.flags = "A".into();
        segment.options = vec![0; OPTION_SPACE + 1];
        assert!(segment.datagram().is_err());
    }
}
