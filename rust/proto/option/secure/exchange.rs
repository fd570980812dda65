// SPDX-License-Identifier: GPL-2.0

//! The options of the key exchange: a public value in two halves, and the proof that its keys are
//! there.

use super::no_flags;
use super::sized;
use crate::proto::happening::Reject;
use crate::proto::ids::Mac;
use crate::proto::ids::PublicValue;

/// Half of a public value: so much has room beside timestamps.
pub type Half = [u8; 16];

/// Which half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The first 16 octets.
    First,
    /// The last.
    Last,
}

impl Part {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::First, Self::Last];

    /// As in the flags.
    pub const fn octet(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Last => 1,
        }
    }

    /// From the flags.
    fn parse(octet: u8) -> Result<Self, Reject> {
        match octet {
            0 => Ok(Self::First),
            1 => Ok(Self::Last),
            _ => Err(Reject::SecureBadFlags),
        }
    }

    /// That part of a value.
    pub fn of(self, value: &PublicValue) -> Half {
        let half = match self {
            Self::First => value.0.first_chunk(),
            Self::Last => value.0.last_chunk(),
        };
        // A value is longer than a half.
        half.copied().unwrap_or_default()
    }
}

/// KEYSHARE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keyshare {
    /// Which half.
    pub part: Part,
    /// The half.
    pub half: Half,
    /// See `Keys::keyshare`.
    pub mac: Mac<6>,
}

impl Keyshare {
    /// From the contents of the option.
    pub(super) fn parse(contents: &[u8]) -> Result<Self, Reject> {
        let [part, rest @ ..] = sized::<23>(contents)?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, mac @ ..] = rest;
        Ok(Self {
            part: Part::parse(part)?,
            half: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p],
            mac: Mac(mac),
        })
    }
}

/// KEYED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keyed {
    /// See `Keys::keyed`.
    pub mac: Mac<12>,
}

impl Keyed {
    /// From the contents of the option.
    pub(super) fn parse(contents: &[u8]) -> Result<Self, Reject> {
        let [flags, mac @ ..] = sized::<13>(contents)?;
        no_flags(flags)?;
        Ok(Self { mac: Mac(mac) })
    }
}
