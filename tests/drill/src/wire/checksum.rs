// SPDX-License-Identifier: GPL-2.0

//! The internet checksum (RFC 1071).

use std::net::IpAddr;

/// The checksum of octets.
pub fn of(octets: &[u8]) -> u16 {
    finish(sum(octets))
}

/// The checksum of what IP carries, with its pseudo header.
pub fn with_addresses(source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> u16 {
    let mut total = sum(payload) + u64::from(protocol) + payload.len() as u64;
    for address in [source, destination] {
        total += match address {
            IpAddr::V4(address) => sum(&address.octets()),
            IpAddr::V6(address) => sum(&address.octets()),
        };
    }
    finish(total)
}

fn sum(octets: &[u8]) -> u64 {
    octets
        .chunks(2)
        .map(|pair| {
            let high = u64::from(pair[0]) << 8;
            high | u64::from(pair.get(1).copied().unwrap_or(0))
        })
        .sum()
}

fn finish(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    !(total as u16)
}
