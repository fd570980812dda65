// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use proptest::prelude::*;
use std::string::String;
use std::string::ToString;
use std::vec::Vec;

const VECTORS: &str = include_str!("../../../../Documentation/vectors/classic-option.txt");

/// Family, octets, and what is expected of them.
fn vectors() -> Vec<(bool, Vec<u8>, String)> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let expected = words.pop().expect("an expectation").to_string();
        let hex: String = words[1..].concat();
        let octets = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16));
        (
            words[0] == "6",
            octets.map(|o| o.expect("hex")).collect(),
            expected,
        )
    };
    lines.map(parse).collect()
}

#[test]
fn vectors_are_found_or_rejected_for_the_reason_given() {
    for (is_ipv6, octets, expected) in vectors() {
        let found = match AddressUpdate::find(Kind::default(), &octets, is_ipv6) {
            Ok(None) => "none".to_string(),
            Ok(Some(update)) => update.old.to_string(),
            Err(reject) => reject.name().to_string(),
        };
        assert_eq!(found, expected, "{octets:02x?}");
    }
}

#[test]
fn what_is_emitted_is_padded_and_found() {
    for (old, len) in [("10.0.1.1", 8), ("fd00:1::1", 20)] {
        let update = AddressUpdate {
            old: old.parse().expect("an address"),
        };
        let mut octets = [0xff; SPACE];
        assert_eq!(update.emit(Kind::default(), &mut octets), len);
        let found = AddressUpdate::find(Kind::default(), &octets[..len], len == 20);
        assert_eq!(found, Ok(Some(update)));
    }
}

#[test]
fn kinds_in_use_are_refused() {
    for kind in [0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34] {
        assert_eq!(Kind::new(kind), Err(InUse));
    }
    assert_eq!(Kind::new(253), Ok(Kind::default()));
    assert!(Kind::new(77).is_ok());
}

proptest! {
    #[test]
    fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..=64), is_ipv6: bool) {
        let _ = AddressUpdate::find(Kind::default(), &octets, is_ipv6);
    }

    #[test]
    fn an_update_is_found_among_other_options(
        before in prop::collection::vec((2u8..=34, prop::collection::vec(any::<u8>(), 0..6)), 0..3),
        nops in 0usize..3,
        host in 1u32..0xffff,
    ) {
        let mut octets: Vec<u8> = Vec::new();
        for (kind, data) in &before {
            octets.push(*kind);
            octets.push(data.len() as u8 + 2);
            octets.extend(data);
        }
        octets.extend(core::iter::repeat_n(1, nops));
        let update = AddressUpdate { old: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + host)) };
        let mut own = [0; SPACE];
        let len = update.emit(Kind::default(), &mut own);
        octets.extend(&own[..len]);
        prop_assert_eq!(AddressUpdate::find(Kind::default(), &octets, false), Ok(Some(update)));
    }
}
