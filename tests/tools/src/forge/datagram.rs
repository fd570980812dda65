// SPDX-License-Identifier: GPL-2.0

//! A captured TCP datagram, as octets that can be changed and made consistent again.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use super::segment::OPTION_SPACE;

/// Octets of the TCP header before its options.
pub const TCP: usize = 20;
/// Where the checksum is in it.
const CHECKSUM: usize = 16;
/// Protocol number of TCP.
const TCP_NUMBER: u8 = 6;

/// A whole datagram: IPv4 without options or IPv6 without extension headers, TCP, data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    octets: Vec<u8>,
    /// Where TCP begins.
    tcp: usize,
}

impl Datagram {
    /// From its octets; `None` if it is anything else, or not whole.
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let (tcp, length) = match octets.first()? {
            0x45 => {
                let fragment = u16::from_be_bytes(octets.get(6..8)?.try_into().ok()?);
                if octets.get(9) != Some(&TCP_NUMBER) || fragment & 0x3fff != 0 {
                    return None;
                }
                (20, usize::from(word(octets, 2)?))
            }
            0x60..=0x6f if octets.get(6) == Some(&TCP_NUMBER) => {
                (40, 40 + usize::from(word(octets, 4)?))
            }
            _ => return None,
        };
        // What is behind it is padding of the link's.
        let octets = octets.get(..length)?.to_vec();
        let this = Self { octets, tcp };
        let header = this.header_length();
        let fits = this.octets.len() >= tcp + TCP && header >= TCP && tcp + header <= length;
        fits.then_some(this)
    }

    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The same, to be changed anyhow. [`mend`](Self::mend) makes it consistent.
    pub fn tcp_mut(&mut self) -> &mut [u8] {
        &mut self.octets[self.tcp..]
    }

    /// From the TCP header on.
    pub fn tcp(&self) -> &[u8] {
        &self.octets[self.tcp..]
    }

    /// Whether it is IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.tcp == 20
    }

    /// Octets of the TCP header, as its data offset has it.
    fn header_length(&self) -> usize {
        self.tcp()
            .get(12)
            .map_or(0, |octet| usize::from(octet >> 4) * 4)
    }

    /// Its option octets.
    pub fn options(&self) -> &[u8] {
        &self.tcp()[TCP..self.header_length()]
    }

    /// Where the option of the secure profile is in the TCP header: Kind, Length, experiment.
    pub fn our_option(&self) -> Option<std::ops::Range<usize>> {
        let options = self.options();
        let at = options
            .windows(4)
            .position(|octets| matches!(octets, [253, _, 0xf7, 0xc5]))?;
        let end = at + usize::from(options[at + 1]);
        (end <= options.len()).then_some(TCP + at..TCP + end)
    }

    /// IP source.
    pub fn source(&self) -> IpAddr {
        self.address(0)
    }

    /// IP destination.
    pub fn destination(&self) -> IpAddr {
        self.address(1)
    }

    fn place(&self, which: usize) -> std::ops::Range<usize> {
        let (start, length) = if self.is_ipv4() { (12, 4) } else { (8, 16) };
        let start = start + which * length;
        start..start + length
    }

    fn address(&self, which: usize) -> IpAddr {
        let octets = &self.octets[self.place(which)];
        if let Ok(v4) = <[u8; 4]>::try_from(octets) {
            return Ipv4Addr::from(v4).into();
        }
        let v6: [u8; 16] = octets.try_into().unwrap_or_default();
        Ipv6Addr::from(v6).into()
    }

    fn set_address(&mut self, which: usize, address: IpAddr) {
        let place = self.place(which);
        match address {
            IpAddr::V4(v4) if self.is_ipv4() => self.octets[place].copy_from_slice(&v4.octets()),
            IpAddr::V6(v6) if !self.is_ipv4() => self.octets[place].copy_from_slice(&v6.octets()),
            // Of the other family: it has no place here.
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
    }

    /// Another source; port 0 leaves the port.
    pub fn set_source(&mut self, address: IpAddr, port: u16) {
        self.set_address(0, address);
        self.set_port(0, port);
    }

    /// Another destination; port 0 leaves the port.
    pub fn set_destination(&mut self, address: IpAddr, port: u16) {
        self.set_address(1, address);
        self.set_port(2, port);
    }

    fn set_port(&mut self, at: usize, port: u16) {
        if port != 0 {
            self.tcp_mut()[at..at + 2].copy_from_slice(&port.to_be_bytes());
        }
    }

    /// Source and destination change places.
    pub fn reflect(&mut self) {
        let (source, destination) = (self.source(), self.destination());
        self.set_source(destination, 0);
        self.set_destination(source, 0);
        let tcp = self.tcp_mut();
        let (from, to) = tcp.split_at_mut(2);
        from.swap_with_slice(&mut to[..2]);
    }

    /// Adds to the sequence number.
    pub fn add_to_seq(&mut self, difference: u32) {
        self.add_at(4, difference);
    }

    /// Adds to the acknowledgement number.
    pub fn add_to_ack(&mut self, difference: u32) {
        self.add_at(8, difference);
    }

    fn add_at(&mut self, at: usize, difference: u32) {
        let place = &mut self.tcp_mut()[at..at + 4];
        let number = u32::from_be_bytes([place[0], place[1], place[2], place[3]]);
        place.copy_from_slice(&number.wrapping_add(difference).to_be_bytes());
    }

    /// Other options, of which 40 octets count, filled up with End of Option List; and other data.
    pub fn set_contents(&mut self, options: &[u8], data: &[u8]) {
        let mut options = options[..options.len().min(OPTION_SPACE)].to_vec();
        options.resize(options.len().next_multiple_of(4), 0);
        self.octets.truncate(self.tcp + TCP);
        self.octets.extend_from_slice(&options);
        self.octets.extend_from_slice(data);
        let words = (TCP + options.len()) / 4;
        let offset = &mut self.tcp_mut()[12];
        *offset = ((words as u8) << 4) | (*offset & 0x0f);
    }

    /// Makes the lengths and the checksum right.
    pub fn mend(&mut self) {
        let total = self.octets.len();
        let (at, length) = if self.is_ipv4() {
            (2, total)
        } else {
            (4, total - 40)
        };
        self.octets[at..at + 2].copy_from_slice(&(length as u16).to_be_bytes());
        let checksum = self.tcp + CHECKSUM;
        self.octets[checksum..checksum + 2].fill(0);
        let sum = !self.sum();
        self.octets[checksum..checksum + 2].copy_from_slice(&sum.to_be_bytes());
    }

    /// Makes the checksum wrong, if it is right, by `by`, which is neither 0 nor 0xffff.
    pub fn spoil(&mut self, by: u16) {
        let place = &mut self.tcp_mut()[CHECKSUM..CHECKSUM + 2];
        let sum = u16::from_be_bytes([place[0], place[1]]) ^ by;
        place.copy_from_slice(&sum.to_be_bytes());
    }

    /// The one's complement sum over pseudo-header and segment (RFC 1071).
    fn sum(&self) -> u16 {
        let mut total = u64::from(TCP_NUMBER) + self.tcp().len() as u64;
        let mut add = |octets: &[u8]| {
            for pair in octets.chunks(2) {
                total += (u64::from(pair[0]) << 8) | u64::from(pair.get(1).copied().unwrap_or(0));
            }
        };
        add(&self.octets[self.place(0)]);
        add(&self.octets[self.place(1)]);
        add(self.tcp());
        while total > 0xffff {
            total = (total & 0xffff) + (total >> 16);
        }
        total as u16
    }
}

/// Two octets at `at`.
fn word(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::forge::segment::Segment;

    /// A segment with an option of eight octets.
    pub fn sample(from: &str, to: &str) -> Datagram {
        let segment = Segment {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            sport: 40_000,
            dport: 22,
            seq: 7,
            ack: 9,
            flags: "A".into(),
            window: 512,
            options: vec![1, 1, 253, 6, 10, 0, 1, 1],
            payload: b"data".to_vec(),
            spoil: 0,
        };
        Datagram::parse(&segment.datagram().unwrap()).unwrap()
    }

    const BOTH: [(&str, &str); 2] = [("10.0.1.9", "10.0.2.1"), ("fd00::9", "fd00::2")];

    #[test]
    fn what_is_parsed_is_as_it_was() {
        for (from, to) in BOTH {
            let datagram = sample(from, to);
            assert_eq!(datagram.source(), from.parse::<IpAddr>().unwrap());
            assert_eq!(datagram.destination(), to.parse::<IpAddr>().unwrap());
            assert_eq!(datagram.options(), [1, 1, 253, 6, 10, 0, 1, 1]);
            assert_eq!(datagram.sum(), 0xffff);
            let mut mended = datagram.clone();
            mended.mend();
            assert_eq!(mended, datagram);
            mended.spoil(1);
            assert_ne!(mended.sum(), 0xffff);
        }
    }

    #[test]
    fn what_was_changed_is_mended() {
        for (from, to) in BOTH {
            let mut datagram = sample(from, to);
            datagram.reflect();
            datagram.add_to_seq(1);
            datagram.set_contents(&[1, 2, 3, 4, 5], b"more data");
            datagram.mend();
            assert_eq!(datagram.source(), to.parse::<IpAddr>().unwrap());
            assert_eq!(datagram.tcp()[..8], [0, 22, 156, 64, 0, 0, 0, 8]);
            assert_eq!(datagram.options(), [1, 2, 3, 4, 5, 0, 0, 0]);
            assert_eq!(datagram.sum(), 0xffff);
            let again = Datagram::parse(datagram.octets()).unwrap();
            assert_eq!(again, datagram);
            datagram.set_source(from.parse().unwrap(), 77);
            assert_eq!(datagram.tcp()[..2], [0, 77]);
        }
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for (from, to) in BOTH {
            let octets = sample(from, to).octets;
            for length in 0..octets.len() {
                assert_eq!(Datagram::parse(&octets[..length]), None, "{length}");
            }
            let padded = [&octets[..], &[0; 6]].concat();
            assert_eq!(Datagram::parse(&padded).unwrap().octets, octets);
        }
    }
}
