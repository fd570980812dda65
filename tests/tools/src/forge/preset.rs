// SPDX-License-Identifier: GPL-2.0

//! The ways a blind attacker, or a broken host, gets an ADDRESS UPDATE wrong.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use clap::ValueEnum;

use super::segment::padded;
use super::segment::update;
use super::segment::Segment;
use super::segment::OPTION_SPACE;
use crate::random::Random;

/// What is wrong with a segment; the rest of it is as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// Sequence number at least 2^28 from --seq.
    WrongSeq,
    /// Acknowledgement number at least 2^28 from --ack.
    WrongAck,
    /// Checksum wrong.
    WrongChecksum,
    /// One port or both wrong.
    WrongPorts,
    /// Source 255.255.255.255 (IPv6 has none: multicast).
    BroadcastSource,
    /// A multicast source.
    MulticastSource,
    /// A loopback source.
    LoopbackSource,
    /// The option ends before its own or the right length.
    Truncated,
    /// The option is longer than it can be.
    Oversized,
    /// The option twice or more in one segment, with equal or different old addresses.
    Repeated,
    /// An old address that no connection has.
    WrongOld,
    /// SYN, FIN, RST, or no ACK, or with data, all at a wrong sequence number.
    WrongFlags,
    /// All of these in turn.
    All,
}

/// Those that `all` goes through.
const EACH: [Preset; 12] = [
    Preset::WrongSeq,
    Preset::WrongAck,
    Preset::WrongChecksum,
    Preset::WrongPorts,
    Preset::BroadcastSource,
    Preset::MulticastSource,
    Preset::LoopbackSource,
    Preset::Truncated,
    Preset::Oversized,
    Preset::Repeated,
    Preset::WrongOld,
    Preset::WrongFlags,
];

/// A number at least 2^28 from `right`, either way round.
fn far_from(right: u32, random: &mut Random) -> u32 {
    right.wrapping_add(random.within(1 << 28, u32::MAX - (1 << 28)))
}

/// A port that is not `right`.
fn other_port(right: u16, random: &mut Random) -> u16 {
    right.wrapping_add(random.within(1, 0xffff) as u16)
}

impl Preset {
    /// Spoils `segment`, the `index`-th in a row.
    pub fn apply(
        self,
        index: u64,
        segment: &mut Segment,
        kind: u8,
        old: IpAddr,
        random: &mut Random,
    ) {
        match self {
            Self::All => {
                let which = (index % EACH.len() as u64) as usize;
                let index = index / EACH.len() as u64;
                EACH[which].apply(index, segment, kind, old, random);
            }
            Self::WrongSeq => segment.seq = far_from(segment.seq, random),
            Self::WrongAck => segment.ack = far_from(segment.ack, random),
            Self::WrongChecksum => segment.spoil = random.within(1, 0xfffe) as u16,
            Self::WrongPorts => {
                if index % 3 != 1 {
                    segment.sport = other_port(segment.sport, random);
                }
                if index % 3 != 0 {
                    segment.dport = other_port(segment.dport, random);
                }
            }
            Self::BroadcastSource => {
                segment.from = match segment.from {
                    IpAddr::V4(_) => Ipv4Addr::BROADCAST.into(),
                    IpAddr::V6(_) => multicast(segment.from, random),
                };
            }
            Self::MulticastSource => segment.from = multicast(segment.from, random),
            Self::LoopbackSource => {
                segment.from = match segment.from {
                    IpAddr::V4(_) => Ipv4Addr::from(random.within(0x7f00_0001, 0x7fff_fffe)).into(),
                    IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
                };
            }
            Self::Truncated => segment.options = truncated(index, kind, old),
            Self::Oversized => segment.options = oversized(index, kind, old, random),
            Self::Repeated => segment.options = repeated(index, kind, old),
            Self::WrongOld => segment.options = padded(&[update(kind, None, unlike(old, random))]),
            Self::WrongFlags => {
                let flags = ["SA", "FA", "RA", "S", "", "PA", "SFRPAU", "R"];
                segment.flags = flags[(index % flags.len() as u64) as usize].into();
                segment.seq = far_from(segment.seq, random);
                if segment.flags == "PA" {
                    segment.payload = vec![b'x'; random.within(1, 100) as usize];
                }
            }
        }
    }
}

fn multicast(like: IpAddr, random: &mut Random) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::from(random.within(0xe000_0001, 0xefff_ffff)).into(),
        IpAddr::V6(_) => {
            let low = u128::from(random.next());
            Ipv6Addr::from((0xff0e_u128 << 112) | low).into()
        }
    }
}

/// An address of the same family, all but certainly another one.
fn unlike(old: IpAddr, random: &mut Random) -> IpAddr {
    match old {
        IpAddr::V4(old) => Ipv4Addr::from(u32::from(old) ^ random.within(1, u32::MAX)).into(),
        IpAddr::V6(old) => Ipv6Addr::from(u128::from(old) ^ u128::from(random.next() | 1)).into(),
    }
}

/// Kind alone, lengths 0 and 1, too short, cut off by the end of the header.
fn truncated(index: u64, kind: u8, old: IpAddr) -> Vec<u8> {
    let whole = update(kind, None, old);
    let length = whole.len();
    let pick = (index % (2 * length as u64 - 1)) as usize;
    match pick.checked_sub(length - 1) {
        // The Length octet is too small.
        Some(small) => padded(&[update(kind, Some(small as u8), old)]),
        // The header ends inside the option; the Length octet is right, if it is there.
        None => padded(&[whole[..=pick].to_vec()]),
    }
}

/// A Length octet larger than right, with or without the octets to go with it.
fn oversized(index: u64, kind: u8, old: IpAddr, random: &mut Random) -> Vec<u8> {
    let mut option = update(kind, None, old);
    let right = option.len() as u32;
    if index % 2 == 0 {
        let length = random.within(right + 1, OPTION_SPACE as u32) as usize;
        option.resize(length, 0);
        option[1] = length as u8;
    } else {
        option[1] = random.within(right + 1, 255) as u8;
    }
    // No padding before it: 40 octets may be full.
    option.resize(option.len().next_multiple_of(4), 0);
    option
}

/// Two updates (as many as fit for IPv4), the same or with different old addresses.
fn repeated(index: u64, kind: u8, old: IpAddr) -> Vec<u8> {
    let other = match old {
        IpAddr::V4(old) => Ipv4Addr::from(u32::from(old) ^ 1).into(),
        IpAddr::V6(old) => Ipv6Addr::from(u128::from(old) ^ 1).into(),
    };
    let [same, other] = [old, other].map(|old| update(kind, None, old));
    let mut options = match index % 3 {
        0 => vec![same.clone(), same],
        1 => vec![same, other],
        _ => vec![other, same],
    };
    if old.is_ipv4() && index % 2 == 0 {
        options.push(options[0].clone());
    }
    padded(&options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(old: IpAddr) -> Segment {
        let (from, to) = match old {
            IpAddr::V4(_) => ("10.0.1.9", "10.0.2.1"),
            IpAddr::V6(_) => ("fd00::9", "fd00::2"),
        };
        Segment {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            sport: 40000,
            dport: 22,
            seq: 7,
            ack: 9,
            flags: "A".into(),
            window: 512,
            options: padded(&[update(253, None, old)]),
            payload: Vec::new(),
            spoil: 0,
        }
    }

    /// Whether `options` hold exactly one well-formed update of `old`, and nothing malformed.
    fn is_good(mut options: &[u8], old: IpAddr) -> bool {
        let mut found = 0;
        while let Some((&kind, rest)) = options.split_first() {
            match kind {
                0 => break,
                1 => options = rest,
                _ => {
                    let length = usize::from(*rest.first().unwrap_or(&0));
                    let Some(option) = options.get(..length.max(2)) else {
                        return false;
                    };
                    if kind == 253 && option != update(253, None, old) {
                        return false;
                    }
                    found += 1;
                    options = &options[option.len()..];
                }
            }
        }
        found == 1
    }

    #[test]
    fn every_segment_of_every_preset_is_wrong_somewhere() {
        let mut random = Random::new(1);
        for old in ["10.0.1.1".parse().unwrap(), "fd00::1".parse().unwrap()] {
            for preset in EACH {
                for index in 0..500 {
                    let right = base(old);
                    let mut segment = base(old);
                    preset.apply(index, &mut segment, 253, old, &mut random);
                    let datagram = segment.datagram();
                    assert!(datagram.is_ok(), "{preset:?} {index} {datagram:?}");
                    let far = |a: u32, b: u32| a.wrapping_sub(b).wrapping_add(1 << 28) >= 1 << 29;
                    let wrong = segment.from != right.from
                        || segment.sport != right.sport
                        || segment.dport != right.dport
                        || far(segment.seq, right.seq)
                        || far(segment.ack, right.ack)
                        || segment.spoil != 0
                        || !is_good(&segment.options, old);
                    assert!(wrong, "{preset:?} {index} {segment:?}");
                }
            }
        }
    }

    #[test]
    fn all_goes_through_each_and_repeats_by_seed() {
        let old = "10.0.1.1".parse().unwrap();
        let run = |seed| {
            let mut random = Random::new(seed);
            let segments = (0..48).map(|index| {
                let mut segment = base(old);
                Preset::All.apply(index, &mut segment, 253, old, &mut random);
                segment.datagram().unwrap()
            });
            segments.collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
