// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::ids::KeyId;
use core::fmt::Write;
use core::net::Ipv4Addr;
use core::net::Ipv6Addr;
use hmac::Mac as _;
use proptest::prelude::*;
use std::collections::HashSet;
use std::format;
use std::string::String;
use std::vec::Vec;

const VECTORS: &str = include_str!("../../../Documentation/vectors/secure-keys.txt");

/// HMAC-SHA-256 by others than us.
#[derive(Clone, Copy, Debug)]
pub struct Sha256;

impl Hmac for Sha256 {
    fn hmac(&self, key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY] {
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).expect("any key");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

/// X25519 by others than us.
#[derive(Clone, Copy, Debug)]
pub struct Dalek;

impl X25519 for Dalek {
    fn public(&self, secret: &Secret) -> PublicValue {
        let secret = x25519_dalek::StaticSecret::from(*secret.octets());
        PublicValue(x25519_dalek::PublicKey::from(&secret).to_bytes())
    }

    fn shared(&self, secret: &Secret, theirs: &PublicValue) -> Option<Secret> {
        let secret = x25519_dalek::StaticSecret::from(*secret.octets());
        let shared = secret.diffie_hellman(&x25519_dalek::PublicKey::from(theirs.0));
        shared
            .was_contributory()
            .then(|| Secret::new(shared.to_bytes()))
    }
}

/// Octets from their hexadecimal.
pub fn octets(hex: &str) -> Vec<u8> {
    let octet = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex");
    (0..hex.len() / 2).map(octet).collect()
}

/// Octets as hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut hex, octet| {
        write!(hex, "{octet:02x}").expect("a string takes all");
        hex
    })
}

fn array<const N: usize>(word: &str) -> [u8; N] {
    octets(word).try_into().expect("so many octets")
}

fn capable(word: &str) -> Capable {
    let [flags, key_id, nonce @ ..] = array::<10>(word);
    Capable {
        flags,
        key_id: KeyId::from_octet(key_id),
        nonce: Nonce(nonce),
    }
}

fn one_end(octets: &[u8]) -> (Endpoint, &[u8]) {
    let (address, rest): (IpAddr, _) = match octets[0] {
        4 => {
            let address: [u8; 4] = octets[1..5].try_into().expect("an address");
            (Ipv4Addr::from(address).into(), &octets[5..])
        }
        _ => {
            let address: [u8; 16] = octets[1..17].try_into().expect("an address");
            (Ipv6Addr::from(address).into(), &octets[17..])
        }
    };
    let port = u16::from_be_bytes([rest[0], rest[1]]);
    (Endpoint { address, port }, &rest[2..])
}

fn anywhere() -> Ends {
    let end = Endpoint {
        address: Ipv4Addr::UNSPECIFIED.into(),
        port: 0,
    };
    Ends {
        source: end,
        destination: end,
    }
}

fn ends(word: &str) -> Ends {
    if word == "-" {
        return anywhere();
    }
    let octets = octets(word);
    let (source, rest) = one_end(&octets);
    let (destination, rest) = one_end(rest);
    assert!(rest.is_empty());
    Ends {
        source,
        destination,
    }
}

fn side(word: &str) -> Side {
    match word {
        "c" => Side::Client,
        _ => Side::Server,
    }
}

fn epoch(word: &str) -> Epoch {
    Epoch::new(u32::from_str_radix(word, 16).expect("hex"))
}

/// What a line of the vectors, but for what is expected, comes to.
fn computed(words: &[&str]) -> String {
    if let ["token", nonce] = words {
        return format!("{:08x}", token(&Sha256, Nonce(array(nonce))).get());
    }
    if let ["x25519", scalar, u] = words {
        let shared = Dalek.shared(&Secret::new(array(scalar)), &PublicValue(array(u)));
        return shared.map_or_else(|| "-".into(), |shared| hex(shared.octets()));
    }
    let [what, psk, c, s, rest @ ..] = words else {
        panic!("{words:?}");
    };
    let psk = (*psk != "-").then(|| Secret::pre_shared(array(psk)).expect("a key"));
    let (client, server) = (capable(c), capable(s));
    let root = Root::of_handshake(&Sha256, psk.as_ref(), &client, &server);
    let keys = root.keys(&Sha256);
    let to = |from: &str| {
        let peer = match side(from) {
            Side::Client => server,
            Side::Server => client,
        };
        token(&Sha256, peer.nonce)
    };
    match (*what, rest) {
        ("echo", []) => hex(&keys.echo(&Sha256, to("c")).0),
        ("update", [from, flags, at, word]) => {
            let flags = UpdateFlags {
                nat: *flags == "01",
            };
            let (from, to) = (side(from), to(from));
            hex(&keys
                .update(&Sha256, from, flags, epoch(at), to, &ends(word))
                .0)
        }
        ("confirm", [from, at, challenge]) => {
            let challenge = Challenge(array(challenge));
            hex(&keys
                .confirm(&Sha256, side(from), epoch(at), to(from), challenge)
                .0)
        }
        ("response", [from, at, challenge]) => {
            let challenge = Challenge(array(challenge));
            hex(&keys
                .response(&Sha256, side(from), epoch(at), to(from), challenge)
                .0)
        }
        ("keyshare", [from, secret]) => {
            let value = Dalek.public(&Secret::new(array(secret)));
            let parts = Part::ALL.map(|part| {
                let half = part.of(&value);
                let mac = keys.keyshare(&Sha256, side(from), part, to(from), &half);
                format!("{} {}", hex(&half), hex(&mac.0))
            });
            parts.join(" ")
        }
        ("keyed", [c, s, from]) => {
            let keys = exchanged(&root, c, s);
            hex(&keys.keyed(&Sha256, side(from), to(from)).0)
        }
        ("exchanged", [c, s, from]) => {
            let (keys, nat) = (exchanged(&root, c, s), UpdateFlags { nat: true });
            let at = Epoch::new(1);
            hex(&keys
                .update(&Sha256, side(from), nat, at, to(from), &anywhere())
                .0)
        }
        _ => panic!("{words:?}"),
    }
}

/// The keys after an exchange with these secrets of the client's and the server's.
fn exchanged(root: &Root, client: &str, server: &str) -> Keys {
    let [client, server] = [client, server].map(|secret| Secret::new(array(secret)));
    let shared = Dalek.shared(&client, &Dalek.public(&server)).expect("some");
    let [client, server] = [client, server].map(|secret| Dalek.public(&secret));
    root.exchanged(&Sha256, &shared, &client, &server)
        .keys(&Sha256)
}

#[test]
fn vectors_made_elsewhere_come_out_here() {
    let mut seen = HashSet::new();
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let (input, expected) = line.split_once(" = ").expect("an equals sign");
        let words: Vec<&str> = input.split_whitespace().collect();
        assert_eq!(computed(&words), expected, "{line}");
        seen.insert(words[0]);
    }
    assert_eq!(seen.len(), 9);
}

#[test]
fn a_key_of_zeros_is_none() {
    assert!(matches!(Secret::pre_shared([0; KEY]), Err(NoKey)));
    let mut last = [0; KEY];
    last[KEY - 1] = 1;
    assert!(Secret::pre_shared(last).is_ok());
}

#[test]
fn a_secret_shows_nothing() {
    assert_eq!(format!("{:?}", Secret::new([0x5a; KEY])), "Secret");
    let none = Capable {
        flags: 0,
        key_id: None,
        nonce: Nonce([0; 8]),
    };
    let root = Root::of_handshake(&Sha256, None, &none, &none);
    assert_eq!(format!("{root:?}"), "Root(Secret)");
    let keys = root.keys(&Sha256);
    assert_eq!(
        format!("{keys:?}"),
        "Keys { client: Secret, server: Secret }"
    );
}

fn keys(psk: Option<[u8; KEY]>, client: [u8; 10], server: [u8; 10]) -> Keys {
    let psk = psk.map(Secret::new);
    let (client, server) = (capable(&hex(&client)), capable(&hex(&server)));
    Root::of_handshake(&Sha256, psk.as_ref(), &client, &server).keys(&Sha256)
}

#[test]
fn what_one_end_sends_is_nothing_that_the_other_could_have_sent() {
    let keys = keys(None, [1; 10], [2; 10]);
    let (to, at, challenge) = (Token::new(7), Epoch::new(1), Challenge([3; 8]));
    let nat = UpdateFlags { nat: true };
    let macs = [Side::Client, Side::Server].map(|from| {
        [
            keys.update(&Sha256, from, nat, at, to, &anywhere()).0[..8].to_vec(),
            keys.confirm(&Sha256, from, at, to, challenge).0.to_vec(),
            keys.response(&Sha256, from, at, to, challenge).0[..8].to_vec(),
        ]
    });
    let all: HashSet<_> = macs.iter().flatten().collect();
    assert_eq!(all.len(), 6);
}

proptest! {
    #[test]
    fn equal_is_equality(one: [u8; 12], other: [u8; 12], place in 0usize..12, bit in 0u8..8) {
        prop_assert_eq!(equal(&one, &other), one == other);
        prop_assert!(equal(&one, &one));
        let mut flipped = one;
        flipped[place] ^= 1 << bit;
        prop_assert!(!equal(&one, &flipped));
        prop_assert_ne!(Mac(one), Mac(flipped));
    }

    /// Any bit of the key, of either CAPABLE: other keys.
    #[test]
    fn keys_depend_on_all_that_was_said(
        psk: [u8; KEY], client: [u8; 10], server: [u8; 10], bit in 0usize..(KEY + 20) * 8,
    ) {
        let echo = |keys: Keys| {
            let update = keys.update(
                &Sha256, Side::Server, UpdateFlags { nat: true }, Epoch::NONE, Token::new(1), &anywhere(),
            );
            (keys.echo(&Sha256, Token::new(1)), update)
        };
        let before = echo(keys(Some(psk), client, server));
        let (mut psk, mut client, mut server) = (psk, client, server);
        let mut all = psk.iter_mut().chain(&mut client).chain(&mut server);
        *all.nth(bit / 8).expect("an octet") ^= 1 << (bit % 8);
        let after = echo(keys(Some(psk), client, server));
        prop_assert_ne!(before.0, after.0);
        prop_assert_ne!(before.1, after.1);
    }

    /// Any bit of what is shared, or of either value: other keys.
    #[test]
    fn exchanged_keys_depend_on_all_that_was_exchanged(
        shared: [u8; KEY], client: [u8; 32], server: [u8; 32], bit in 0usize..3 * KEY * 8,
    ) {
        let none = capable(&hex(&[0; 10]));
        let root = Root::of_handshake(&Sha256, None, &none, &none);
        let keyed = |all: [[u8; 32]; 3]| {
            let [shared, client, server] = all;
            let (client, server) = (PublicValue(client), PublicValue(server));
            let new = root.exchanged(&Sha256, &Secret::new(shared), &client, &server);
            new.keys(&Sha256).keyed(&Sha256, Side::Client, Token::new(1))
        };
        let mut all = [shared, client, server];
        let before = keyed(all);
        all[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(before, keyed(all));
    }
}
