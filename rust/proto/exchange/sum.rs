// SPDX-License-Identifier: GPL-2.0

//! What a key exchange computes, and from what.

use crate::proto::crypto::Secret;
use crate::proto::crypto::X25519;
use crate::proto::ids::PublicValue;
use crate::proto::option::secure::Half;
use crate::proto::option::secure::Part;

/// What has come of the peer's public value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gathered([Option<Half>; 2]);

impl Gathered {
    /// A half has come. The first of each counts: an end has one value for a connection.
    pub(super) fn add(&mut self, part: Part, half: Half) {
        let [first, last] = &mut self.0;
        let place = match part {
            Part::First => first,
            Part::Last => last,
        };
        place.get_or_insert(half);
    }

    /// The value, if all of it has come.
    pub(super) fn whole(&self) -> Option<PublicValue> {
        let [Some(first), Some(last)] = self.0 else {
            return None;
        };
        let mut octets = first.into_iter().chain(last);
        Some(PublicValue(core::array::from_fn(|_| {
            octets.next().unwrap_or_default()
        })))
    }
}

/// Something to compute, for which the exchange waits.
#[derive(Debug)]
pub struct Sum {
    /// Our value and what it is of, if there are any yet.
    pub(super) own: Option<(Secret, PublicValue)>,
    /// The peer's value, if it has come.
    pub(super) theirs: Option<PublicValue>,
}

/// What was computed.
#[derive(Debug)]
pub enum Computed {
    /// A public value of our own.
    Public {
        /// What it is of.
        secret: Secret,
        /// The value.
        ours: PublicValue,
    },
    /// What both ends share.
    Shared {
        /// Our public value.
        ours: PublicValue,
        /// The peer's.
        theirs: PublicValue,
        /// What they share, `None` if it is nothing.
        shared: Option<Secret>,
    },
}

impl Sum {
    /// Computes it. `fresh` is asked for 32 random octets that were never used.
    pub fn compute(self, x25519: &impl X25519, fresh: impl FnOnce() -> Secret) -> Computed {
        let (secret, ours) = self.own.unwrap_or_else(|| {
            let secret = fresh();
            let ours = x25519.public(&secret);
            (secret, ours)
        });
        match self.theirs {
            None => Computed::Public { secret, ours },
            Some(theirs) => Computed::Shared {
                ours,
                theirs,
                shared: x25519.shared(&secret, &theirs),
            },
        }
    }
}
