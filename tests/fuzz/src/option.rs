// SPDX-License-Identifier: GPL-2.0

//! Option octets.
//!
//! Input: the kind that is looked for; an octet whose lowest bit says IPv6; the options.

use crate::oracle;
use std::net::IpAddr;
use tcp_continuity::proto::option::aligned_timestamps;
use tcp_continuity::proto::option::classic::AddressUpdate;
use tcp_continuity::proto::option::classic::Kind;
use tcp_continuity::proto::option::timestamps;
use tcp_continuity::proto::option::Options;
use tcp_continuity::proto::option::SPACE;

/// The target.
pub fn run(input: &[u8]) {
    let [number, family, octets @ ..] = input else {
        return;
    };
    walk_stays_inside(octets);
    timestamps_agree(octets);
    if let Ok(kind) = Kind::new(*number) {
        update_agrees(kind, *number, family % 2 == 1, octets);
    }
}

/// Items lie behind one another in the octets, and a broken one is the last.
fn walk_stays_inside(octets: &[u8]) {
    let mut broken = false;
    let mut sum = 0;
    for item in Options::new(octets) {
        assert!(!broken, "the walk goes on behind what is broken");
        match item {
            Ok(item) => sum += item.data.len() + 2,
            Err(_) => broken = true,
        }
    }
    assert!(sum <= octets.len(), "{sum} octets of {}", octets.len());
}

fn timestamps_agree(octets: &[u8]) {
    let expected = oracle::timestamps(octets);
    let found = timestamps(octets).map(|t| {
        let [a, b, c, d] = t.value.to_be_bytes();
        let [e, f, g, h] = t.echo.to_be_bytes();
        [a, b, c, d, e, f, g, h]
    });
    assert_eq!(found, expected);
    let aligned = aligned_timestamps(octets);
    assert_eq!(aligned.is_some(), expected.is_some());
    if let Some(aligned) = aligned {
        assert_eq!(aligned[..4], [1, 1, 8, 10]);
        assert_eq!(timestamps(&aligned), timestamps(octets));
    }
}

fn update_agrees(kind: Kind, number: u8, is_ipv6: bool, octets: &[u8]) {
    let found = AddressUpdate::find(kind, octets, is_ipv6);
    let old = found.map(|found| found.map(|update| address_octets(update.old)));
    assert_eq!(old, oracle::find(number, octets, is_ipv6));
    if let Ok(Some(update)) = found {
        assert_eq!(update.old.is_ipv6(), is_ipv6);
        round_trip(kind, update);
    }
}

/// What was found is found again when it is written, alone and behind timestamps.
fn round_trip(kind: Kind, update: AddressUpdate) {
    let is_ipv6 = update.old.is_ipv6();
    let mut out = [0xff; SPACE];
    let len = update.emit(kind, &mut out);
    assert_eq!(len % 4, 0);
    assert!(len + 12 <= SPACE, "no room for timestamps beside it");
    assert!(
        out[len..].iter().all(|octet| *octet == 0xff),
        "it writes more than it says"
    );
    let written = &out[..len];
    assert_eq!(
        AddressUpdate::find(kind, written, is_ipv6),
        Ok(Some(update))
    );
    let beside = [&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2][..], written].concat();
    assert_eq!(
        AddressUpdate::find(kind, &beside, is_ipv6),
        Ok(Some(update))
    );
}

fn address_octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}
