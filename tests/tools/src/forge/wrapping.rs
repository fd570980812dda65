// SPDX-License-Identifier: GPL-2.0

//! How a segment is packed: in fragments, behind IP options, behind extension headers.

use clap::ValueEnum;

use super::datagram::Datagram;

/// Octets of data in each fragment but the last.
const FRAGMENT: usize = 24;
/// An identification that no other datagram of a test has.
const IDENTIFICATION: u16 = 0x7c9c;
/// NOPs and End of Options List (RFC 791): they mean nothing, and are there.
const IPV4_OPTIONS: [u8; 8] = [1, 1, 1, 1, 1, 1, 1, 0];
/// PadN of six octets (RFC 8200), behind a next header and a length.
const PAD: [u8; 6] = [1, 4, 0, 0, 0, 0];
/// Destination options: unlike hop-by-hop ones, routers have no business with them.
const DESTINATION_OPTIONS: u8 = 60;
const FRAGMENT_HEADER: u8 = 44;

/// What is around a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wrapping {
    /// An IP header and nothing else.
    Plain,
    /// Fragments, in order.
    Fragments,
    /// Fragments, the last first.
    FragmentsBackwards,
    /// IPv4: options. IPv6: destination options.
    Options,
    /// IPv6: the header of a fragment, with reserved bits set, before all of it. IPv4: nothing.
    Reserved,
}

impl Wrapping {
    /// The datagrams to send.
    pub fn wrap(self, datagram: &Datagram) -> Vec<Vec<u8>> {
        match self {
            Self::Plain => vec![datagram.octets().to_vec()],
            Self::Options => vec![with_options(datagram)],
            Self::Reserved => vec![with_reserved_bits(datagram)],
            Self::Fragments => fragments(datagram),
            Self::FragmentsBackwards => {
                let mut all = fragments(datagram);
                all.reverse();
                all
            }
        }
    }
}

/// IP header and what follows it.
fn split(datagram: &Datagram) -> (&[u8], &[u8]) {
    let at = datagram.octets().len() - datagram.tcp().len();
    datagram.octets().split_at(at)
}

/// The kernel fills in total length and checksum of IPv4 headers (raw(7)).
fn with_options(datagram: &Datagram) -> Vec<u8> {
    let (header, rest) = split(datagram);
    let mut header = header.to_vec();
    if datagram.is_ipv4() {
        let words = (header.len() + IPV4_OPTIONS.len()) / 4;
        header[0] = 0x40 | words as u8;
        return [&header[..], &IPV4_OPTIONS, rest].concat();
    }
    let extension = [&[header[6], 0][..], &PAD].concat();
    header[6] = DESTINATION_OPTIONS;
    set_payload_length(&mut header, extension.len() + rest.len());
    [&header[..], &extension, rest].concat()
}

/// A fragment that is all of the datagram (RFC 6946), with bits that receivers ignore (RFC 8200).
fn with_reserved_bits(datagram: &Datagram) -> Vec<u8> {
    let (header, rest) = split(datagram);
    if datagram.is_ipv4() {
        return datagram.octets().to_vec();
    }
    let mut header = header.to_vec();
    let extension = [
        &[header[6], 0, 0, 6][..],
        &u32::from(IDENTIFICATION).to_be_bytes(),
    ]
    .concat();
    header[6] = FRAGMENT_HEADER;
    set_payload_length(&mut header, extension.len() + rest.len());
    [&header[..], &extension, rest].concat()
}

fn fragments(datagram: &Datagram) -> Vec<Vec<u8>> {
    let (header, rest) = split(datagram);
    let pieces = rest.chunks(FRAGMENT);
    let count = pieces.len();
    let fragment = |(index, piece): (usize, &[u8])| {
        let offset = (index * FRAGMENT / 8) as u16;
        let more = index + 1 < count;
        let mut header = header.to_vec();
        if datagram.is_ipv4() {
            header[4..6].copy_from_slice(&IDENTIFICATION.to_be_bytes());
            let word = offset | if more { 0x2000 } else { 0 };
            header[6..8].copy_from_slice(&word.to_be_bytes());
            return [&header[..], piece].concat();
        }
        let word = (offset << 3) | u16::from(more);
        let extension = [
            &[header[6], 0][..],
            &word.to_be_bytes(),
            &u32::from(IDENTIFICATION).to_be_bytes(),
        ]
        .concat();
        header[6] = FRAGMENT_HEADER;
        set_payload_length(&mut header, extension.len() + piece.len());
        [&header[..], &extension, piece].concat()
    };
    pieces.enumerate().map(fragment).collect()
}

fn set_payload_length(header: &mut [u8], length: usize) {
    header[4..6].copy_from_slice(&(length as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::datagram::tests::sample;
    use super::*;

    #[test]
    fn fragments_make_up_the_segment() {
        for (from, to, header) in [("10.0.1.9", "10.0.2.1", 20), ("fd00::9", "fd00::2", 48)] {
            let datagram = sample(from, to);
            let all = Wrapping::Fragments.wrap(&datagram);
            assert!(all.len() > 1);
            let whole: Vec<u8> = all
                .iter()
                .flat_map(|one| one[header..].iter().copied())
                .collect();
            assert_eq!(whole, datagram.tcp());
            let mut backwards = Wrapping::FragmentsBackwards.wrap(&datagram);
            backwards.reverse();
            assert_eq!(backwards, all);
        }
    }

    #[test]
    fn options_are_between_header_and_segment() {
        for (from, to, at) in [("10.0.1.9", "10.0.2.1", 28), ("fd00::9", "fd00::2", 48)] {
            let datagram = sample(from, to);
            let wrapped = Wrapping::Options.wrap(&datagram);
            assert_eq!(wrapped[0][at..], *datagram.tcp());
        }
    }

    #[test]
    fn reserved_bits_are_in_a_header_of_ipv6() {
        let datagram = sample("10.0.1.9", "10.0.2.1");
        assert_eq!(Wrapping::Reserved.wrap(&datagram)[0], datagram.octets());
        let datagram = sample("fd00::9", "fd00::2");
        let wrapped = &Wrapping::Reserved.wrap(&datagram)[0];
        assert_eq!((wrapped[6], wrapped[40], wrapped[43]), (44, 6, 6));
        assert_eq!(wrapped[48..], *datagram.tcp());
    }
}
