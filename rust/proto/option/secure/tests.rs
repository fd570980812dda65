// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::crypto::tests::hex;
use crate::proto::crypto::tests::octets;
use crate::proto::option::classic::AddressUpdate;
use crate::proto::option::classic::Kind;
use proptest::prelude::*;
use std::format;
use std::string::String;
use std::string::ToString;
use std::vec::Vec;

const VECTORS: &str = include_str!("../../../../Documentation/vectors/secure-options.txt");

/// As the vectors have it.
fn described(found: Result<Option<Secure>, Reject>) -> String {
    match found {
        Ok(None) => "none".to_string(),
        Err(reject) => reject.name().to_string(),
        Ok(Some(Secure::Capable(c))) => format!(
            "capable flags={} key={} nonce={}",
            c.flags,
            KeyId::octet(c.key_id),
            hex(&c.nonce.0)
        ),
        Ok(Some(Secure::Echo(e))) => format!("echo mac={}", hex(&e.mac.0)),
        Ok(Some(Secure::Update(u))) => format!(
            "update nat={} epoch={} token={:08x} mac={}",
            u8::from(u.flags.nat),
            u.epoch.get(),
            u.token.get(),
            hex(&u.mac.0)
        ),
        Ok(Some(Secure::Confirm(c))) => format!(
            "confirm epoch={} challenge={} mac={}",
            c.epoch.get(),
            hex(&c.challenge.0),
            hex(&c.mac.0)
        ),
        Ok(Some(Secure::Response(r))) => {
            format!("response epoch={} mac={}", r.epoch.get(), hex(&r.mac.0))
        }
        Ok(Some(Secure::Keyshare(k))) => format!(
            "keyshare part={} half={} mac={}",
            k.part.octet(),
            hex(&k.half),
            hex(&k.mac.0)
        ),
        Ok(Some(Secure::Keyed(k))) => format!("keyed mac={}", hex(&k.mac.0)),
    }
}

/// The octets of a line, and the rest of it.
fn vectors() -> impl Iterator<Item = (Vec<u8>, String)> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let is_hex = |word: &&str| word.chars().all(|c| c.is_ascii_hexdigit());
        let words: Vec<&str> = line.split_whitespace().collect();
        let split = words.iter().take_while(|word| is_hex(word)).count();
        (octets(&words[..split].concat()), words[split..].join(" "))
    })
}

#[test]
fn vectors_are_found_or_rejected_for_the_reason_given() {
    for (octets, expected) in vectors() {
        assert_eq!(described(Secure::find(&octets)), expected, "{octets:02x?}");
    }
    assert!(vectors().count() > 40);
}

#[test]
fn vectors_of_one_option_are_what_is_emitted() {
    let mut seen = 0;
    for (octets, _) in vectors() {
        let Ok(Some(option)) = Secure::find(&octets) else {
            continue;
        };
        let mut own = [0xff; SPACE];
        let len = option.emit(&mut own);
        assert!(octets.ends_with(&own[..len]), "{octets:02x?}");
        assert_eq!(len % 4, 0);
        seen += 1;
    }
    assert!(seen > 10);
}

#[test]
fn sizes_are_those_that_fit_beside_what_else_there_is() {
    let mac = Mac([0; 12]);
    let epoch = Epoch::new(1);
    let capable = Capable {
        flags: 0,
        key_id: None,
        nonce: Nonce([0; 8]),
    };
    let update = Update {
        flags: UpdateFlags { nat: false },
        epoch,
        token: Token::new(0),
        mac,
    };
    let confirm = Confirm {
        epoch,
        challenge: Challenge([0; 8]),
        mac: Mac([0; 8]),
    };
    let share = Keyshare {
        part: Part::First,
        half: [0; 16],
        mac: Mac([0; 6]),
    };
    for (option, len) in [
        (Secure::Capable(capable), CAPABLE_SPACE),
        (Secure::Echo(Echo { mac: Mac([0; 4]) }), 12),
        (Secure::Update(update), 28),
        (Secure::Confirm(confirm), 28),
        (Secure::Response(Response { epoch, mac }), 24),
        (Secure::Keyshare(share), 28),
        (Secure::Keyed(Keyed { mac }), 20),
    ] {
        assert_eq!(option.emit(&mut [0; SPACE]), len);
    }
}

#[test]
fn every_option_has_its_place() {
    use Carrier::{OptionOnly, Other, Syn, SynAck};
    let all = [Syn, SynAck, OptionOnly, Other];
    for (octets, described) in vectors() {
        let Ok(Some(option)) = Secure::find(&octets) else {
            continue;
        };
        let places: Vec<Carrier> = all
            .into_iter()
            .filter(|carrier| option.is_in_place(*carrier).is_ok())
            .collect();
        let right: &[Carrier] = match described.split_whitespace().next() {
            Some("capable") => &[Syn, SynAck],
            Some("update") => &[Syn, OptionOnly],
            Some("confirm") => &[SynAck, OptionOnly],
            _ => &[OptionOnly],
        };
        assert_eq!(places, right);
    }
}

#[test]
fn the_classic_profile_takes_none_of_them_for_its_own() {
    for (octets, _) in vectors() {
        if matches!(Secure::find(&octets), Ok(None)) {
            continue;
        }
        for is_ipv6 in [false, true] {
            let found = AddressUpdate::find(Kind::default(), &octets, is_ipv6);
            // One is of both: "fd" and no more, behind an option of ours.
            let broken = octets.ends_with(&[KIND]);
            assert!(found == Ok(None) || broken, "{octets:02x?} {found:?}");
        }
    }
}

pub fn any_option() -> impl Strategy<Value = Secure> {
    let epoch = || any::<u32>().prop_map(Epoch::new);
    prop_oneof![
        any::<(u8, u8, [u8; 8])>().prop_map(|(flags, key_id, nonce)| Secure::Capable(Capable {
            flags,
            key_id: KeyId::from_octet(key_id),
            nonce: Nonce(nonce),
        })),
        any::<[u8; 4]>().prop_map(|mac| Secure::Echo(Echo { mac: Mac(mac) })),
        (any::<bool>(), epoch(), any::<u32>(), any::<[u8; 12]>()).prop_map(
            |(nat, epoch, token, mac)| Secure::Update(Update {
                flags: UpdateFlags { nat },
                epoch,
                token: Token::new(token),
                mac: Mac(mac),
            })
        ),
        (epoch(), any::<[u8; 8]>(), any::<[u8; 8]>()).prop_map(|(epoch, challenge, mac)| {
            Secure::Confirm(Confirm {
                epoch,
                challenge: Challenge(challenge),
                mac: Mac(mac),
            })
        }),
        (epoch(), any::<[u8; 12]>()).prop_map(|(epoch, mac)| {
            Secure::Response(Response {
                epoch,
                mac: Mac(mac),
            })
        }),
        (any::<bool>(), any::<Half>(), any::<[u8; 6]>()).prop_map(|(last, half, mac)| {
            Secure::Keyshare(Keyshare {
                part: if last { Part::Last } else { Part::First },
                half,
                mac: Mac(mac),
            })
        }),
        any::<[u8; 12]>().prop_map(|mac| Secure::Keyed(Keyed { mac: Mac(mac) })),
    ]
}

proptest! {
    #[test]
    fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..=64)) {
        let _ = Secure::find(&octets);
    }

    /// The same, with octets that get further.
    #[test]
    fn no_octets_behind_a_head_panic(
        length: u8, octet: u8, octets in prop::collection::vec(any::<u8>(), 0..=40),
    ) {
        let mut all = std::vec![KIND, length, EXID[0], EXID[1], octet];
        all.extend(octets);
        let _ = Secure::find(&all);
    }

    #[test]
    fn what_is_emitted_is_found(option in any_option(), nops in 0usize..4, other: u8) {
        let mut own = [0xff; SPACE];
        let len = option.emit(&mut own);
        prop_assert_eq!(Secure::find(&own[..len]), Ok(Some(option)));
        // Anywhere among others.
        let mut octets = std::vec![NOP; nops];
        octets.extend([8, 10, 0, 0, 0, 1, 0, 0, 0, other]);
        octets.extend(&own[..len]);
        octets.extend([4, 2]);
        prop_assert_eq!(Secure::find(&octets), Ok(Some(option)));
    }

    /// No bit is without meaning.
    #[test]
    fn a_flipped_bit_is_seen(option in any_option(), bit in 0usize..SPACE * 8) {
        let mut own = [0; SPACE];
        let len = option.emit(&mut own);
        let bit = bit % (len * 8);
        own[bit / 8] ^= 1 << (bit % 8);
        // Padding is no part of it: what is in front may even be the end of the list.
        prop_assume!(own[..len].iter().position(|o| *o == KIND).is_none_or(|at| bit / 8 >= at));
        prop_assert_ne!(Secure::find(&own[..len]), Ok(Some(option)));
    }
}
