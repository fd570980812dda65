// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::ids::KeyId;
use proptest::prelude::*;
use std::format;
use std::string::String;
use std::vec::Vec;

/// Hexadecimal digits of a key all of whose octets are `octet`.
fn digits(octet: u8) -> String {
    format!("{octet:02x}").repeat(32)
}

/// A line with `K1` for the digits of a key, and so on.
fn line(text: &str) -> String {
    (1..=4).fold(String::from(text), |line, n| {
        line.replace(&format!("K{n}"), &digits(n))
    })
}

fn parse(text: &str) -> Result<Change, BadLine> {
    Change::parse(&line(text))
}

/// The ids that a ring uses and accepts.
fn ids(ring: &Keyring) -> (u8, Vec<u8>) {
    let accepted = (1..=255).filter(|octet| {
        let id = KeyId::from_octet(*octet).expect("an id");
        ring.key(id).is_some()
    });
    (KeyId::octet(ring.used()), accepted.collect())
}

/// What a ring is after some lines, or what is wrong with the last.
fn after(lines: &[&str]) -> Result<(u8, Vec<u8>), Refused> {
    let mut ring = Keyring::EMPTY;
    for text in lines {
        ring = parse(text).expect("a line").apply(&ring)?;
    }
    Ok(ids(&ring))
}

#[test]
fn keys_are_set_added_used_and_removed() {
    for (lines, expected) in [
        (&["1 K1"][..], Ok((1, [1].into()))),
        (&["1 K1 2 K2"], Ok((1, [1, 2].into()))),
        (&["1 K1 2 K2", "3 K3"], Ok((3, [3].into()))),
        (&["1 K1 accept"], Ok((0, [1].into()))),
        (&["1 K1 use"], Ok((1, [1].into()))),
        // A roll-over, and none of its steps leaves two hosts without a common key.
        (&["1 K1", "2 K2 accept"], Ok((1, [1, 2].into()))),
        (&["1 K1", "2 K2 accept", "2 K2 use"], Ok((2, [1, 2].into()))),
        (
            &["1 K1", "2 K2 accept", "2 K2 use", "none 1"],
            Ok((2, [2].into())),
        ),
        (&["1 K1", "2 K2 use"], Ok((2, [1, 2].into()))),
        (&["1 K1 2 K2", "3 K3 use"], Err(Refused::Full)),
        (&["1 K1 2 K2", "3 K3 accept"], Err(Refused::Full)),
        (&["1 K1 2 K2", "1 K3 accept"], Err(Refused::Full)),
        (&["1 K1", "1 K3 accept"], Ok((0, [1].into()))),
        (&["1 K1 1 K2"], Err(Refused::SameId)),
        (&["1 K1", "none 2"], Err(Refused::Unknown)),
        (&["1 K1 2 K2", "none 1"], Ok((0, [2].into()))),
        (&["1 K1 2 K2", "none"], Ok((0, [].into()))),
        (&["1 K1 2 K2", "none any"], Ok((0, [].into()))),
        (&["none"], Ok((0, [].into()))),
    ] {
        assert_eq!(after(lines), expected, "{lines:?}");
    }
}

#[test]
fn a_line_says_whom_it_is_for() {
    let v4 = Prefix::parse("10.1.0.0/16").ok();
    let v6 = Prefix::parse("2001:db8::/32").ok();
    assert!(v4.is_some() && v6.is_some());
    for (text, whom) in [
        ("1 K1", Some(None)),
        ("1 K1 any", Some(None)),
        ("1 K1 10.1.0.0/16", Some(v4)),
        ("1 K1 2 K2 10.1.0.0/16", Some(v4)),
        ("  1\tK1   2001:db8::/32  accept ", Some(v6)),
        ("1 K1 any use", Some(None)),
        ("none", None),
        ("none any", Some(None)),
        ("none 10.1.0.0/16", Some(v4)),
        ("none 7 2001:db8::/32", Some(v6)),
    ] {
        let change = parse(text).expect(text);
        assert_eq!(change.whom(), whom, "{text}");
    }
}

#[test]
fn wrong_lines_are_refused() {
    for text in [
        "",
        "K1",
        "1",
        "0 K1",
        "256 K1",
        "-1 K1",
        "+1 K1",
        "1 K1K1",
        "1 00K1",
        "x1 K1",
        "1 K1 2",
        "1 K1 2 K2 3 K3",
        "1 K1 2 K2 use",
        "1 K1 use accept",
        "1 K1 use 10.0.0.0/8",
        "1 K1 10.0.0.0/8 11.0.0.0/8",
        "1 K1 10.0.0.0",
        "1 K1 10.0.0.1/8",
        "1 K1 10.0.0.0/33",
        "1 K1 10.0.0.0/",
        "1 K1 /8",
        "1 K1 2001:db8::1/32",
        "1 K1 ::/129",
        "1 K1 ::ffff:10.0.0.0/104",
        "1 K1 used",
        "none 0",
        "none none",
        "none 1 2",
        "none K1",
        "nothing",
        "1 K1 é",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    // A key of nothing but zeros is none, and digits are hexadecimal.
    assert!(Change::parse(&format!("1 {}", digits(0))).is_err());
    assert!(Change::parse(&format!("1 {}", digits(1).replace("01", "0g"))).is_err());
    assert!(Change::parse(&format!("1 {}", "Ab".repeat(32))).is_ok());
}

#[test]
fn a_change_shows_no_key() {
    let change = parse("1 K1 2 K2 10.0.0.0/8").expect("a line");
    assert!(!format!("{change:?}").contains("01, 1"));
    assert!(format!("{change:?}").contains("Secret"));
}

fn address(v6: bool, bits: u128) -> IpAddr {
    if v6 {
        IpAddr::V6(bits.into())
    } else {
        let bits = u32::try_from(bits >> 96).expect("32 bits");
        IpAddr::V4(bits.into())
    }
}

proptest! {
    #[test]
    fn no_line_panics(text in "\\PC{0,120}") {
        let _ = Change::parse(&text);
    }

    /// The same, with words that get further.
    #[test]
    fn no_words_panic(words in prop::collection::vec(prop::sample::select(&[
        "none", "1", "255", "K1", "any", "use", "accept", "10.0.0.0/8", "::/0", "/", "",
    ][..]), 0..7)) {
        let _ = parse(&words.join(" ")).map(|change| change.apply(&Keyring::EMPTY).map(drop));
    }

    /// Bit by bit.
    #[test]
    fn a_prefix_contains_what_begins_with_it(
        v6: bool, bits: u128, other: u128, length in 0u8..=128, same in 0u32..=128,
    ) {
        let width = if v6 { 128 } else { 32 };
        let length = length.min(width);
        let cut = |bits: u128, length: u8| bits & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
        let network = address(v6, cut(bits, length));
        let mapped = matches!(network, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        prop_assume!(!mapped);
        let prefix = Prefix::parse(&format!("{network}/{length}")).expect("a prefix");
        // As many bits the same as it happens.
        let mixed = bits ^ other.checked_shr(same).unwrap_or(0);
        let expected = cut(bits, length) == cut(mixed, length);
        prop_assert_eq!(prefix.contains(address(v6, mixed)), expected);
        prop_assert!(!prefix.contains(address(!v6, mixed)));
        prop_assert_eq!(prefix.length(), length);
    }
}
