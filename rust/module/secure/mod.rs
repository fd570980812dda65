// SPDX-License-Identifier: GPL-2.0

//! The secure profile's side of the glue.
//!
//! | file | what |
//! | --- | --- |
//! | `half_open.rs` | connections that are being opened |
//! | `psk.rs` | pre-shared keys, as the administrator writes them |
//! | `opening.rs` | CAPABLE and ECHO: put into segments, and taken out of them |
//! | `connections.rs` | connections that have the profile, by socket and by token |
//! | `receive.rs` | UPDATE, CONFIRM and RESPONSE that came |
//! | `perform.rs` | what the correspondent's state machine answers, carried out |
//! | `budget.rs` | what goes to a path that is not validated, and what comes from it |
//! | `destinations.rs` | what all connections together may send to an address that is not |

mod budget;
pub mod connections;
pub mod destinations;
pub mod half_open;
mod opening;
mod perform;
pub mod psk;
mod receive;

pub use perform::Answer;
pub use receive::Arrival;

use crate::net::crypto;
use crate::net::sock::OptionOctets;
use crate::proto::crypto::{
    Hmac,
    KEY, //
};
use crate::proto::ids::{
    Challenge,
    Nonce, //
};
use crate::proto::option::secure::Secure;
use crate::proto::option::SPACE;

/// The kernel's HMAC-SHA-256.
pub struct KernelHmac;

impl Hmac for KernelHmac {
    fn hmac(&self, key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY] {
        crypto::hmac_sha256(key, parts)
    }
}

/// A nonce that was never used.
fn nonce() -> Nonce {
    Nonce(crypto::random())
}

/// A challenge that nobody can guess.
fn challenge() -> Challenge {
    Challenge(crypto::random())
}

/// An option as it goes into a segment.
fn octets(option: &Secure) -> OptionOctets {
    let mut octets = [0; SPACE];
    let len = option.emit(&mut octets);
    OptionOctets::new(octets, len)
}
