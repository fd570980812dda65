// SPDX-License-Identifier: GPL-2.0

//! Capture files, pcap and pcapng, as a sequence of IP datagrams.

use std::fs::File;
use std::path::Path;

use anyhow::anyhow;
use anyhow::Context;
use anyhow::Result;
use pcap_parser::create_reader;
use pcap_parser::Block;
use pcap_parser::PcapBlockOwned;
use pcap_parser::PcapError;

/// Largest block expected: 256 KiB of packet and its header.
const BUFFER: usize = 512 * 1024;

const LINK_NULL: i32 = 0;
const LINK_ETHERNET: i32 = 1;
const LINK_RAW: i32 = 101;
const LINK_COOKED: i32 = 113;
const LINK_IPV4: i32 = 228;
const LINK_IPV6: i32 = 229;
const LINK_COOKED_2: i32 = 276;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_VLAN: [u16; 2] = [0x8100, 0x88a8];

/// Calls `each` with the time (microseconds since 1970) and octets of every IP datagram; whether
/// the octets are all there is the third argument.
///
/// # Errors
///
/// The file is not readable, or not a capture.
pub fn read(path: &Path, mut each: impl FnMut(u64, &[u8], bool)) -> Result<()> {
    let name = || path.display().to_string();
    let file = File::open(path).with_context(name)?;
    let mut reader = create_reader(BUFFER, file)
        .map_err(|error| anyhow!("{}: not a capture: {error:?}", path.display()))?;
    let mut links = Links::default();
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                if let Some((time, data, whole, link)) = links.block(&block) {
                    if let Some(datagram) = datagram(link, data) {
                        each(time, datagram, whole);
                    }
                }
                reader.consume(offset);
                continue;
            }
            // tcpdump that was killed leaves half a record: what is before it is good.
            Err(PcapError::Eof | PcapError::UnexpectedEof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => {}
            Err(error) => return Err(anyhow!("{}: {error:?}", path.display())),
        }
        if reader.reader_exhausted() {
            return Ok(());
        }
        reader
            .refill()
            .map_err(|error| anyhow!("{}: {error:?}", path.display()))?;
    }
}

/// What the headers of a capture said so far.
#[derive(Default)]
struct Links {
    /// Link type and units a second, an interface each; pcap has one.
    interfaces: Vec<(i32, u64)>,
}

impl Links {
    /// Time, octets, completeness and link type, if the block is a packet.
    fn block<'a>(&mut self, block: &'a PcapBlockOwned<'_>) -> Option<(u64, &'a [u8], bool, i32)> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let units = if header.is_nanosecond_precision() {
                    1_000_000_000
                } else {
                    1_000_000
                };
                self.interfaces = vec![(header.network.0, units)];
                None
            }
            PcapBlockOwned::Legacy(packet) => {
                let (link, units) = *self.interfaces.first()?;
                let part = u64::from(packet.ts_usec) * 1_000_000 / units;
                let time = u64::from(packet.ts_sec) * 1_000_000 + part;
                Some((time, packet.data, packet.caplen == packet.origlen, link))
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                None
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                let units = interface.ts_resolution().unwrap_or(1_000_000);
                self.interfaces.push((interface.linktype.0, units));
                None
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let (link, units) = *self.interfaces.get(packet.if_id as usize)?;
                let ticks = (u128::from(packet.ts_high) << 32) | u128::from(packet.ts_low);
                let time = ticks * 1_000_000 / u128::from(units.max(1));
                let data = packet.data.get(..packet.caplen as usize)?;
                Some((time as u64, data, packet.caplen == packet.origlen, link))
            }
            PcapBlockOwned::NG(_) => None,
        }
    }
}

/// The IP datagram in a frame; `None` if it carries something else.
fn datagram(link: i32, frame: &[u8]) -> Option<&[u8]> {
    let kind_at = |at: usize| Some(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?));
    let (kind, start) = match link {
        LINK_RAW | LINK_IPV4 | LINK_IPV6 => return Some(frame),
        LINK_NULL => return frame.get(4..),
        LINK_ETHERNET => {
            let mut at = 12;
            while ETHERTYPE_VLAN.contains(&kind_at(at)?) {
                at += 4;
            }
            (kind_at(at)?, at + 2)
        }
        LINK_COOKED => (kind_at(14)?, 16),
        LINK_COOKED_2 => (kind_at(0)?, 20),
        _ => return None,
    };
    matches!(kind, ETHERTYPE_IPV4 | ETHERTYPE_IPV6)
        .then(|| frame.get(start..))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_headers_are_taken_off() {
        let ip = [0x45, 1, 2, 3];
        let ethernet = [&[0; 12][..], &[8, 0], &ip].concat();
        assert_eq!(datagram(LINK_ETHERNET, &ethernet), Some(&ip[..]));
        let vlan = [&[0; 12][..], &[0x81, 0, 0, 7, 0x86, 0xdd], &ip].concat();
        assert_eq!(datagram(LINK_ETHERNET, &vlan), Some(&ip[..]));
        let cooked = [&[0; 14][..], &[8, 0], &ip].concat();
        assert_eq!(datagram(LINK_COOKED, &cooked), Some(&ip[..]));
        let cooked = [&[0x86, 0xdd][..], &[0; 18], &ip].concat();
        assert_eq!(datagram(LINK_COOKED_2, &cooked), Some(&ip[..]));
        assert_eq!(datagram(LINK_RAW, &ip), Some(&ip[..]));
        let arp = [&[0; 12][..], &[8, 6], &ip].concat();
        assert_eq!(datagram(LINK_ETHERNET, &arp), None);
        for length in 0..14 {
            assert_eq!(datagram(LINK_ETHERNET, &ethernet[..length]), None);
        }
    }
}
