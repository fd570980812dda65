// SPDX-License-Identifier: GPL-2.0

//! Pre-shared keys, as the administrator writes them.
//!
//! `none`, or `ID KEY`, or `ID KEY ID KEY`: the first is what connections of this host ask for, the
//! second is accepted from others as well. ID is 1 to 255, KEY is 64 hexadecimal digits. All of it
//! is written at once, so that there is no moment with half of it.

use crate::module::namespace::Namespace;
use crate::net::crypto;
use crate::proto::crypto::{
    Secret,
    KEY, //
};
use crate::proto::handshake::Keyring;
use crate::proto::ids::KeyId;
use kernel::prelude::*;
use kernel::sync::Arc;

/// A key and what it is known by.
type Named = (KeyId, Secret);

/// The keys of a namespace as they are written: octets, since a [`Secret`] cannot be copied.
pub struct Written {
    keys: [Option<(KeyId, crypto::Secret<KEY>)>; 2],
}

/// From a line of text.
///
/// # Errors
///
/// `EINVAL`: it is none of the forms.
pub fn parse(text: &str) -> Result<Written> {
    let mut keys = [None, None];
    if text == "none" {
        return Ok(Written { keys });
    }
    let mut words = text.split_ascii_whitespace();
    for place in &mut keys {
        let Some(id) = words.next() else { break };
        *place = Some(key(id, words.next().ok_or(EINVAL)?)?);
    }
    if words.next().is_some() || keys.first().is_none_or(Option::is_none) {
        return Err(EINVAL);
    }
    Ok(Written { keys })
}

/// A key from its two words.
fn key(id: &str, digits: &str) -> Result<(KeyId, crypto::Secret<KEY>)> {
    let id: u8 = id.parse().map_err(|_| EINVAL)?;
    let id = KeyId::from_octet(id).ok_or(EINVAL)?;
    let mut octets = [0; KEY];
    let digits = digits.as_bytes();
    if digits.len() != 2 * KEY {
        return Err(EINVAL);
    }
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16).ok_or(EINVAL)?;
            *octet = *octet << 4 | value as u8;
        }
    }
    Ok((id, crypto::Secret::take(&mut octets)))
}

impl Written {
    /// The keys, the first of which is used.
    fn keyring(&self, required: bool) -> Result<Keyring> {
        let [used, known] = &self.keys;
        let named = |key: &Option<(KeyId, crypto::Secret<KEY>)>| -> Result<Option<Named>> {
            key.as_ref()
                .map(|(id, octets)| {
                    let secret = Secret::pre_shared(*octets.octets()).map_err(|_| EINVAL)?;
                    Ok((*id, secret))
                })
                .transpose()
        };
        Keyring::new(named(used)?, named(known)?, required).map_err(|_| EINVAL)
    }
}

impl Namespace {
    /// Has connections that are begun from now on use other keys, or other rules on keys. Those
    /// that there are keep what they have. Process context.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `ENOMEM`: the keys are as they were.
    pub fn keys_changed(&self, written: Option<Written>) -> Result {
        let mut keys = self.keys.lock();
        let required = self.control.settings().psk_required;
        let new = written.as_ref().unwrap_or(&keys).keyring(required)?;
        let new = Arc::new(new, GFP_KERNEL)?;
        let old = core::mem::replace(&mut *self.keyring.lock(), new);
        drop(old);
        if let Some(written) = written {
            *keys = written;
        }
        Ok(())
    }
}

impl Written {
    /// No key.
    pub const NONE: Self = Self { keys: [None, None] };
}
