// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::crypto::tests::hex;
use crate::proto::crypto::tests::Dalek;
use crate::proto::crypto::tests::Sha256;
use std::format;

const VECTORS: &str = include_str!("../../../Documentation/vectors/secure-keys.txt");

#[test]
fn they_are_those_of_the_vectors() {
    let contents = |nonce: Nonce| format!("00{KEY_ID:02x}{}", hex(&nonce.0));
    let (client, server) = (contents(CLIENT_NONCE), contents(SERVER_NONCE));
    let psk = hex(&PSK);
    let secrets = format!("{} {}", hex(&CLIENT_SECRET), hex(&SERVER_SECRET));
    let one = hex(&ONE.0);
    for line in [
        format!(
            "token {} = {:08x}",
            hex(&CLIENT_NONCE.0),
            CLIENT_TOKEN.get()
        ),
        format!(
            "token {} = {:08x}",
            hex(&SERVER_NONCE.0),
            SERVER_TOKEN.get()
        ),
        format!("echo {psk} {client} {server} = {}", hex(&ECHO.0)),
        format!(
            "keyed {psk} {client} {server} {secrets} c = {}",
            hex(&KEYED_BY_CLIENT.0)
        ),
        format!(
            "keyed {psk} {client} {server} {secrets} s = {}",
            hex(&KEYED_BY_SERVER.0)
        ),
        format!("{one} = -"),
    ] {
        let found = VECTORS.lines().any(|vector| vector.ends_with(&line));
        assert!(found, "{line}");
    }
}

#[test]
fn right_primitives_pass() {
    assert_eq!(check(&Sha256, &Dalek), Ok(()));
}

/// Primitives with one mistake.
struct Mistaken;

impl Hmac for Mistaken {
    fn hmac(&self, key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY] {
        let mut mac = Sha256.hmac(key, parts);
        mac[0] ^= 1;
        mac
    }
}

impl X25519 for Mistaken {
    fn public(&self, secret: &Secret) -> PublicValue {
        Dalek.public(secret)
    }

    /// Takes points of small order.
    fn shared(&self, secret: &Secret, theirs: &PublicValue) -> Option<Secret> {
        Dalek.shared(secret, theirs).or(Some(Secret::new([0; KEY])))
    }
}

/// One whose results are of somebody else.
struct Fixed;

impl X25519 for Fixed {
    fn public(&self, _: &Secret) -> PublicValue {
        PublicValue([9; 32])
    }

    fn shared(&self, _: &Secret, _: &PublicValue) -> Option<Secret> {
        Some(Secret::new([9; KEY]))
    }
}

#[test]
fn wrong_ones_do_not() {
    assert_eq!(check(&Mistaken, &Dalek), Err(HMAC));
    assert_eq!(check(&Sha256, &Mistaken), Err(CURVE));
    assert_eq!(check(&Sha256, &Fixed), Err(CURVE));
}
