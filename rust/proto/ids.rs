// SPDX-License-Identifier: GPL-2.0

//! What the secure profile names and proves things with.

use crate::proto::crypto;
use core::hash::Hash;
use core::hash::Hasher;
use core::num::NonZeroU8;

/// 64 random bits with which each end enters a connection. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 8]);

/// 64 random bits that only somebody who gets what is sent to an address can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Challenge(pub [u8; 8]);

/// A public value of X25519 (RFC 7748, section 5), of which each end makes one for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicValue(pub [u8; 32]);

/// What a host knows a connection by, whatever its addresses and ports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u32);

impl Token {
    /// From the number in host byte order.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number in host byte order.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Which pre-shared key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(NonZeroU8);

impl KeyId {
    /// From its octet; 0 means that there is no key.
    pub const fn from_octet(octet: u8) -> Option<Self> {
        match NonZeroU8::new(octet) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// Its octet, 0 for no key.
    pub const fn octet(id: Option<Self>) -> u8 {
        match id {
            Some(id) => id.0.get(),
            None => 0,
        }
    }
}

/// The number of an UPDATE, counted by each end for its own. It only grows, and does not wrap: so,
/// unlike a sequence number, it is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// That of an end that has sent no UPDATE.
    pub const NONE: Self = Self(0);

    /// From the number in host byte order.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number in host byte order.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// That of the next UPDATE, `None` if there can be no other.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// A truncated MAC. Two are compared in a time that does not depend on what is in them.
#[derive(Clone, Copy, Debug)]
pub struct Mac<const N: usize>(pub [u8; N]);

impl<const N: usize> PartialEq for Mac<N> {
    fn eq(&self, other: &Self) -> bool {
        crypto::equal(&self.0, &other.0)
    }
}

impl<const N: usize> Eq for Mac<N> {}

impl<const N: usize> Hash for Mac<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
