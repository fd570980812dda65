// SPDX-License-Identifier: GPL-2.0

//! Known answers: whether primitives come to the keys and MACs of Documentation/vectors.
//!
//! The way of a whole connection, from the handshake's keys to those of the exchange. Few enough to
//! be tried each time the module is loaded; a test sees to it that they are in the vectors.

use crate::proto::crypto;
use crate::proto::crypto::Hmac;
use crate::proto::crypto::Root;
use crate::proto::crypto::Secret;
use crate::proto::crypto::Side;
use crate::proto::crypto::KEY;
use crate::proto::crypto::X25519;
use crate::proto::ids::KeyId;
use crate::proto::ids::Mac;
use crate::proto::ids::Nonce;
use crate::proto::ids::PublicValue;
use crate::proto::ids::Token;
use crate::proto::option::secure::Capable;

/// The primitive that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong(pub &'static str);

const HMAC: Wrong = Wrong("HMAC-SHA256");
const CURVE: Wrong = Wrong("X25519");

/// Octets that follow one another.
const fn from(first: u8) -> [u8; KEY] {
    let mut octets = [0; KEY];
    let mut rest: &mut [u8] = &mut octets;
    let mut next = first;
    while let [octet, behind @ ..] = rest {
        *octet = next;
        next = next.wrapping_add(1);
        rest = behind;
    }
    octets
}

const PSK: [u8; KEY] = from(0x40);
const CLIENT_SECRET: [u8; KEY] = from(0xa0);
const SERVER_SECRET: [u8; KEY] = from(0x11);
const CLIENT_NONCE: Nonce = Nonce([0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18]);
const SERVER_NONCE: Nonce = Nonce([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
const KEY_ID: u8 = 7;
const CLIENT_TOKEN: Token = Token::new(0xab82_b0d8);
const SERVER_TOKEN: Token = Token::new(0xfa49_6bb7);
const ECHO: Mac<4> = Mac([0x35, 0xe8, 0x9d, 0x22]);
const KEYED_BY_CLIENT: Mac<12> = Mac([
    0x96, 0x43, 0xad, 0x06, 0x69, 0x0b, 0x64, 0xa6, 0xbe, 0xe5, 0xd0, 0x24,
]);
const KEYED_BY_SERVER: Mac<12> = Mac([
    0x91, 0x0b, 0xfe, 0x44, 0x74, 0x4e, 0x9d, 0x01, 0x1b, 0x34, 0xdf, 0x33,
]);
/// A point of small order (RFC 7748, section 7).
const ONE: PublicValue = {
    let mut octets = [0; KEY];
    let [first, ..] = &mut octets;
    *first = 1;
    PublicValue(octets)
};

/// Whether the primitives come to them.
///
/// # Errors
///
/// One of them does not.
pub fn check(hmac: &impl Hmac, x25519: &impl X25519) -> Result<(), Wrong> {
    let capable = |nonce| Capable {
        flags: 0,
        key_id: KeyId::from_octet(KEY_ID),
        nonce,
    };
    let (client, server) = (capable(CLIENT_NONCE), capable(SERVER_NONCE));
    let tokens = [CLIENT_NONCE, SERVER_NONCE].map(|nonce| crypto::token(hmac, nonce));
    let root = Root::of_handshake(hmac, Some(&Secret::new(PSK)), &client, &server);
    let right =
        tokens == [CLIENT_TOKEN, SERVER_TOKEN] && root.keys(hmac).echo(hmac, SERVER_TOKEN) == ECHO;
    right.then_some(()).ok_or(HMAC)?;

    let (client, server) = (Secret::new(CLIENT_SECRET), Secret::new(SERVER_SECRET));
    let (ours, theirs) = (x25519.public(&client), x25519.public(&server));
    for shared in [
        x25519.shared(&client, &theirs),
        x25519.shared(&server, &ours),
    ] {
        let shared = shared.ok_or(CURVE)?;
        let keys = root.exchanged(hmac, &shared, &ours, &theirs).keys(hmac);
        let right = keys.keyed(hmac, Side::Client, SERVER_TOKEN) == KEYED_BY_CLIENT
            && keys.keyed(hmac, Side::Server, CLIENT_TOKEN) == KEYED_BY_SERVER;
        right.then_some(()).ok_or(CURVE)?;
    }
    match x25519.shared(&client, &ONE) {
        None => Ok(()),
        Some(_) => Err(CURVE),
    }
}

#[cfg(test)]
mod tests;
