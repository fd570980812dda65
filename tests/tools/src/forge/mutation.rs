// SPDX-License-Identifier: GPL-2.0

//! What chance makes of captured segments.
//!
//! The connections they are of have to live on, so nothing is sent that TCP itself would have to
//! believe: sequence numbers go back, never on, and what is captured must be behind what the
//! connections have reached since.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use super::datagram::Datagram;
use super::segment::OPTION_SPACE;
use super::wrapping::Wrapping;
use crate::random::Random;

/// SYN, FIN, RST and the like are where this is in the TCP header.
const FLAGS: usize = 13;
const SYN: u8 = 2;
const ACK: u8 = 16;
/// The Kind of the options of the secure profile.
const OURS: u8 = 253;
/// How far back numbers go.
const BACK: u32 = 1 << 20;

/// The datagrams that chance makes of one of `seeds`, and where they are to be sent.
pub fn mutate(seeds: &[Datagram], random: &mut Random) -> Vec<(Vec<u8>, IpAddr)> {
    let mut datagram = pick(seeds, random).clone();
    let mut options = datagram.options().to_vec();
    let mut data = Vec::new();
    for _ in 0..random.within(1, 4) {
        change_options(&mut options, seeds, random);
    }
    if random.within(0, 7) == 0 {
        data = vec![0; random.within(1, 64) as usize];
    }
    datagram.set_contents(&options, &data);
    if random.within(0, 3) == 0 {
        change_header(&mut datagram, random);
    }
    if random.within(0, 7) == 0 {
        change_source(&mut datagram, random);
    }
    datagram.mend();
    if random.within(0, 31) == 0 {
        datagram.spoil(random.within(1, 0xfffe) as u16);
    }
    let to = datagram.destination();
    let wrapping = match random.within(0, 63) {
        0 => Wrapping::Fragments,
        1 => Wrapping::FragmentsBackwards,
        2 => Wrapping::Options,
        _ => Wrapping::Plain,
    };
    let datagrams = wrapping.wrap(&datagram).into_iter();
    datagrams.map(|octets| (octets, to)).collect()
}

fn pick<'a, T>(all: &'a [T], random: &mut Random) -> &'a T {
    &all[random.within(0, all.len() as u32 - 1) as usize]
}

/// Where the option of the profile begins.
fn place_of_ours(options: &[u8]) -> Option<usize> {
    options.iter().position(|octet| *octet == OURS)
}

/// One change of the options.
fn change_options(options: &mut Vec<u8>, seeds: &[Datagram], random: &mut Random) {
    let ours = place_of_ours(options).unwrap_or(0);
    let any = random.within(0, options.len() as u32) as usize;
    let octet = random.next() as u8;
    let mut set = |at: usize, octet: u8| {
        if let Some(place) = options.get_mut(at) {
            *place = octet;
        }
    };
    match random.within(0, 10) {
        0 => set(any, octet),
        1 => set(ours + 1, octet % 48),
        2 => set(ours + 4, 0x10 | (octet % 16)),
        3 => set(ours + 4, octet),
        4 => set(ours + 5, octet),
        5 => set(ours, octet),
        6 => options.truncate(any),
        7 => options.insert(any, octet % 3),
        8 => {
            let other = pick(seeds, random).options();
            options.extend_from_slice(&other[place_of_ours(other).unwrap_or(0)..]);
        }
        9 => {
            let other = pick(seeds, random).options();
            options.splice(ours.., other[place_of_ours(other).unwrap_or(0)..].to_vec());
        }
        _ => {
            if let Some(place) = options.get_mut(any) {
                *place ^= 1 << random.within(0, 7);
            }
        }
    }
    options.truncate(OPTION_SPACE);
}

/// Flags, numbers, window, urgent pointer, data offset.
fn change_header(datagram: &mut Datagram, random: &mut Random) {
    let flags = datagram.tcp()[FLAGS];
    if flags & SYN == 0 {
        datagram.add_to_seq(random.within(0, BACK).wrapping_neg());
        datagram.add_to_ack(random.within(0, BACK).wrapping_neg());
    }
    let octet = random.next() as u8;
    match random.within(0, 5) {
        0 => datagram.tcp_mut()[FLAGS] = octet,
        1 => datagram.tcp_mut()[FLAGS] ^= 1 << (octet % 8),
        2 => datagram.tcp_mut()[FLAGS] = ACK,
        3 => datagram.tcp_mut()[14] = octet,
        4 => datagram.tcp_mut()[18] = octet,
        _ => datagram.tcp_mut()[12] = octet,
    }
}

/// Another port, or any address.
fn change_source(datagram: &mut Datagram, random: &mut Random) {
    let port = random.within(1, 0xffff) as u16;
    let address = match (random.within(0, 1), datagram.source()) {
        (0, address) => address,
        (_, IpAddr::V4(_)) => Ipv4Addr::from(random.next() as u32).into(),
        (_, IpAddr::V6(_)) => {
            let high = u128::from(random.next());
            Ipv6Addr::from((high << 64) | u128::from(random.next())).into()
        }
    };
    datagram.set_source(address, port);
}

#[cfg(test)]
mod tests {
    use super::super::datagram::tests::sample;
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_datagrams() {
        let seeds = [
            sample("10.0.1.9", "10.0.2.1"),
            sample("10.0.2.1", "10.0.1.9"),
        ];
        let run = |seed| {
            let mut random = Random::new(seed);
            let many = (0..2_000).flat_map(|_| mutate(&seeds, &mut random));
            many.collect::<Vec<_>>()
        };
        let (one, other) = (run(1), run(2));
        assert_eq!(one, run(1));
        assert_ne!(one, other);
        let differing = one
            .iter()
            .filter(|(octets, _)| !seeds.iter().any(|seed| seed.octets() == octets.as_slice()));
        assert!(differing.count() > 1_900);
    }
}
