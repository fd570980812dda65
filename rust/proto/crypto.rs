// SPDX-License-Identifier: GPL-2.0

//! Keys of a connection, tokens, and what the MAC of each segment is over.
//!
//! The primitives, HMAC-SHA-256 (RFC 2104, FIPS 180-4) and X25519 (RFC 7748), come from outside: the
//! kernel has them, and cargo's tests have others.

use crate::proto::addr::Endpoint;
use crate::proto::ids::Challenge;
use crate::proto::ids::Epoch;
use crate::proto::ids::Mac;
use crate::proto::ids::Nonce;
use crate::proto::ids::PublicValue;
use crate::proto::ids::Token;
use crate::proto::option::secure::Capable;
use crate::proto::option::secure::Half;
use crate::proto::option::secure::Part;
use crate::proto::option::secure::Subtype;
use crate::proto::option::secure::UpdateFlags;
use crate::proto::option::secure::VERSION;
use core::fmt;
use core::hint::black_box;
use core::net::IpAddr;
use core::sync::atomic::compiler_fence;
use core::sync::atomic::Ordering;

/// Octets of a key, and of a whole HMAC.
pub const KEY: usize = 32;

const LABEL_ROOT: &[u8] = b"tcp_continuity 1 root";
const LABEL_EXCHANGE: &[u8] = b"tcp_continuity 1 ecdh";
const LABEL_KEY: &[u8] = b"tcp_continuity 1 key";
const LABEL_TOKEN: &[u8] = b"tcp_continuity 1 token";

/// Who can make an HMAC-SHA-256.
pub trait Hmac {
    /// That of `parts`, one behind the other, with `key`.
    fn hmac(&self, key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY];
}

/// Who can do X25519. Each call takes long enough not to be made with a lock held.
pub trait X25519 {
    /// The public value of a secret one, which is any 32 octets.
    fn public(&self, secret: &Secret) -> PublicValue;

    /// What the owners of both share; `None` if it is all zero, which whoever chose `theirs` has
    /// brought about (RFC 7748, section 6.1).
    fn shared(&self, secret: &Secret, theirs: &PublicValue) -> Option<Secret>;
}

/// A key. It is not shown, not compared, copied by [`Secret::duplicate`] only, and overwritten when it
/// is dropped, as far as safe Rust reaches: where one was moved from, the compiler may have left
/// octets of it.
pub struct Secret([u8; KEY]);

impl Secret {
    /// From its octets.
    pub const fn new(octets: [u8; KEY]) -> Self {
        Self(octets)
    }

    /// Its octets, for a primitive.
    pub const fn octets(&self) -> &[u8; KEY] {
        &self.0
    }

    /// The same key at another place.
    pub fn duplicate(&self) -> Self {
        Self(self.0)
    }

    /// Of a pre-shared key: one of nothing but zeros is what is used where there is none.
    ///
    /// # Errors
    ///
    /// It is that.
    pub fn pre_shared(octets: [u8; KEY]) -> Result<Self, NoKey> {
        let key = Self(octets);
        if equal(&key.0, &NO_PSK.0) {
            Err(NoKey)
        } else {
            Ok(key)
        }
    }
}

impl Secret {
    /// Of a pre-shared key, from 64 hexadecimal digits. `None` if it is none.
    pub fn parse(digits: &str) -> Option<Self> {
        // Filled where it stays.
        let mut key = Self([0; KEY]);
        let mut rest = digits.as_bytes();
        for octet in &mut key.0 {
            let ([high, low], behind) = rest.split_first_chunk()?;
            let value = |digit: &u8| char::from(*digit).to_digit(16);
            let both = value(high)?.wrapping_shl(4) | value(low)?;
            *octet = u8::try_from(both).ok()?;
            rest = behind;
        }
        (rest.is_empty() && !equal(&key.0, &NO_PSK.0)).then_some(key)
    }
}

/// Not a key that protects anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

/// What stands for the pre-shared key where there is none, and what tokens are made with.
static NO_PSK: Secret = Secret([0; KEY]);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0 = [0; KEY];
        // The octets are looked at, for all the compiler knows, so that they have to be there.
        black_box(&mut self.0);
        compiler_fence(Ordering::SeqCst);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Whether two strings of octets are the same, in a time that depends on nothing but their length.
pub fn equal<const N: usize>(one: &[u8; N], other: &[u8; N]) -> bool {
    let difference = one.iter().zip(other).fold(0, |seen, (a, b)| {
        // Hidden, so that nothing is made of it that ends early.
        black_box(seen | (a ^ b))
    });
    difference == 0
}

/// The token of the end that entered a connection with `nonce`.
pub fn token(hmac: &impl Hmac, nonce: Nonce) -> Token {
    let whole = hmac.hmac(&NO_PSK.0, &[LABEL_TOKEN, &nonce.0]);
    Token::new(u32::from_be_bytes(truncate(&whole)))
}

/// An end of a connection, named after what it was when the connection was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that sent the SYN.
    Client,
    /// The one that answered it.
    Server,
}

impl Side {
    /// The other one.
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// As it goes into the derivation of a key.
    const fn octet(self) -> u8 {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

/// The keys of a connection.
#[derive(Debug)]
pub struct Keys {
    client: Secret,
    server: Secret,
}

/// Where the mover is, and the peer, as the mover has them; what the MAC of an UPDATE is over if
/// nothing on the way rewrites addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    /// Source of the UPDATE.
    pub source: Endpoint,
    /// Its destination.
    pub destination: Endpoint,
}

/// What the keys of a connection come from.
#[derive(Debug)]
pub struct Root(Secret);

impl Root {
    /// From what both ends said as the connection was opened, and the key both have, if they do.
    pub fn of_handshake(
        hmac: &impl Hmac,
        psk: Option<&Secret>,
        client: &Capable,
        server: &Capable,
    ) -> Self {
        let psk = psk.unwrap_or(&NO_PSK);
        let parts: [&[u8]; 4] = [
            LABEL_ROOT,
            &[VERSION],
            &client.contents(),
            &server.contents(),
        ];
        Self(Secret(hmac.hmac(&psk.0, &parts)))
    }

    /// From this one, and what only the ends have: whoever does not have either does not have it.
    pub fn exchanged(
        &self,
        hmac: &impl Hmac,
        shared: &Secret,
        client: &PublicValue,
        server: &PublicValue,
    ) -> Self {
        let parts: [&[u8]; 4] = [LABEL_EXCHANGE, &shared.0, &client.0, &server.0];
        Self(Secret(hmac.hmac(&self.0 .0, &parts)))
    }

    /// The keys that come from it.
    pub fn keys(&self, hmac: &impl Hmac) -> Keys {
        let of = |side: Side| Secret(hmac.hmac(&self.0 .0, &[LABEL_KEY, &[side.octet()]]));
        Keys {
            client: of(Side::Client),
            server: of(Side::Server),
        }
    }
}

impl Keys {
    /// The MAC of an ECHO: that the client has the server's CAPABLE, and its keys.
    pub fn echo(&self, hmac: &impl Hmac, to: Token) -> Mac<4> {
        let head = head(Subtype::Echo, 0, Epoch::NONE, to);
        self.mac(hmac, Side::Client, &[&head])
    }

    /// The MAC of an UPDATE. Over `ends` unless they may be rewritten.
    pub fn update(
        &self,
        hmac: &impl Hmac,
        from: Side,
        flags: UpdateFlags,
        epoch: Epoch,
        to: Token,
        ends: &Ends,
    ) -> Mac<12> {
        let head = head(Subtype::Update, flags.octet(), epoch, to);
        if flags.nat {
            return self.mac(hmac, from, &[&head]);
        }
        let mut source = [0; ENDPOINT];
        let mut destination = [0; ENDPOINT];
        let source = endpoint(&ends.source, &mut source);
        let destination = endpoint(&ends.destination, &mut destination);
        self.mac(hmac, from, &[&head, source, destination])
    }

    /// The MAC of a CONFIRM.
    pub fn confirm(
        &self,
        hmac: &impl Hmac,
        from: Side,
        epoch: Epoch,
        to: Token,
        challenge: Challenge,
    ) -> Mac<8> {
        let head = head(Subtype::Confirm, 0, epoch, to);
        self.mac(hmac, from, &[&head, &challenge.0])
    }

    /// The MAC of a RESPONSE.
    pub fn response(
        &self,
        hmac: &impl Hmac,
        from: Side,
        epoch: Epoch,
        to: Token,
        challenge: Challenge,
    ) -> Mac<12> {
        let head = head(Subtype::Response, 0, epoch, to);
        self.mac(hmac, from, &[&head, &challenge.0])
    }

    /// The MAC of a KEYSHARE: one half of a public value.
    pub fn keyshare(
        &self,
        hmac: &impl Hmac,
        from: Side,
        part: Part,
        to: Token,
        half: &Half,
    ) -> Mac<6> {
        let head = head(Subtype::Keyshare, part.octet(), Epoch::NONE, to);
        self.mac(hmac, from, &[&head, half])
    }

    /// The MAC of a KEYED: that the sender has these keys, which both public values went into.
    pub fn keyed(&self, hmac: &impl Hmac, from: Side, to: Token) -> Mac<12> {
        let head = head(Subtype::Keyed, 0, Epoch::NONE, to);
        self.mac(hmac, from, &[&head])
    }

    /// The first octets of the HMAC with the key for what `from` sends.
    fn mac<const N: usize>(&self, hmac: &impl Hmac, from: Side, parts: &[&[u8]]) -> Mac<N> {
        let key = match from {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        let whole = hmac.hmac(&key.0, parts);
        Mac(truncate(&whole))
    }
}

/// What the MACs of all subtypes begin with: subtype (with the version), flags, epoch, and the
/// token of the receiver.
fn head(subtype: Subtype, flags: u8, epoch: Epoch, to: Token) -> [u8; 10] {
    let [a, b, c, d] = epoch.get().to_be_bytes();
    let [e, f, g, h] = to.get().to_be_bytes();
    [subtype.octet(), flags, a, b, c, d, e, f, g, h]
}

/// Octets of the longest endpoint.
const ENDPOINT: usize = 19;

/// An address and port as they go into a MAC: 4 or 6, the address, the port.
fn endpoint<'a>(of: &Endpoint, out: &'a mut [u8; ENDPOINT]) -> &'a [u8] {
    let [high, low] = of.port.to_be_bytes();
    match of.address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            out.first_chunk_mut::<7>().map_or(&[], |place| {
                *place = [4, a, b, c, d, high, low];
                place
            })
        }
        IpAddr::V6(v6) => {
            let mut octets = [6].into_iter().chain(v6.octets()).chain([high, low]);
            out.fill_with(|| octets.next().unwrap_or(0));
            out
        }
    }
}

/// The first octets.
fn truncate<const N: usize>(whole: &[u8; KEY]) -> [u8; N] {
    // N is at most 12 everywhere in this file: there are that many.
    whole.first_chunk::<N>().copied().unwrap_or([0; N])
}

#[cfg(test)]
pub(crate) mod tests;
