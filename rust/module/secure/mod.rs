// SPDX-License-Identifier: GPL-2.0

//! The secure profile's side of the glue.
//!
//! | file | what |
//! | --- | --- |
//! | `half_open.rs` | connections that are being opened |
//! | `psk.rs` | pre-shared keys, as the administrator writes them |
//! | `opening.rs` | CAPABLE: put into segments, and taken out of them |
//! | `echo.rs` | the same of ECHO |
//! | `connections.rs` | connections that have the profile, by socket and by token |
//! | `conntrack.rs` | has connection tracking know of moves, for the sake of firewalls here |
//! | `arrival.rs` | what is known of a segment before anybody is asked |
//! | `receive.rs` | UPDATE, CONFIRM and RESPONSE that came |
//! | `exchange.rs` | KEYSHARE and KEYED: what came, what is computed for it, what is sent |
//! | `deadlines.rs` | what is to be done about connections as time goes on |
//! | `perform.rs` | what the correspondent's state machine answers, carried out |
//! | `ask.rs` | asking the peer whether it is there: after RSTs, after silence |
//! | `budget.rs` | what goes to a path that is not validated, and what comes from it |
//! | `destinations.rs` | what all connections together may send to an address that is not |

mod arrival;
mod ask;
mod budget;
pub mod connections;
mod conntrack;
mod deadlines;
pub mod destinations;
mod echo;
mod exchange;
pub mod half_open;
mod opening;
mod perform;
pub mod psk;
mod receive;

pub use arrival::Arrival;
pub use ask::Guarded;
pub use perform::Answer;

use crate::net::crypto;
use crate::net::sock::OptionOctets;
use crate::proto::crypto::{
    Hmac,
    Secret,
    KEY,
    X25519, //
};
use crate::proto::ids::{
    Challenge,
    Nonce,
    PublicValue, //
};
use crate::proto::known_answers;
use crate::proto::option::secure::Secure;
use crate::proto::option::SPACE;
use kernel::prelude::*;

/// The kernel's HMAC-SHA-256.
pub struct KernelHmac;

impl Hmac for KernelHmac {
    fn hmac(&self, key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY] {
        crypto::hmac_sha256(key, parts)
    }
}

/// The kernel's X25519. It takes time: process context, no lock held.
pub struct KernelX25519;

impl X25519 for KernelX25519 {
    fn public(&self, secret: &Secret) -> PublicValue {
        PublicValue(crypto::x25519_public(secret.octets()))
    }

    fn shared(&self, secret: &Secret, theirs: &PublicValue) -> Option<Secret> {
        let shared = crypto::x25519(secret.octets(), &theirs.0)?;
        Some(Secret::new(*shared.octets()))
    }
}

/// Refuses to go on with a library that computes something else than protocol.rst says.
///
/// # Context
///
/// Process context.
///
/// # Errors
///
/// `EBADMSG`, with one line that says so.
pub fn check() -> Result {
    known_answers::check(&KernelHmac, &KernelX25519).map_err(|wrong| {
        pr_err!("{} gives a wrong answer: not loaded\n", wrong.0);
        EBADMSG
    })
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
