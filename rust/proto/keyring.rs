// SPDX-License-Identifier: GPL-2.0

//! The pre-shared keys for a peer, and how they are rolled over.

use crate::proto::crypto::Secret;
use crate::proto::ids::KeyId;

/// A change that cannot be made, given the keys there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There are two others.
    Full,
    /// Two keys would have one id.
    SameId,
    /// There is no such key.
    Unknown,
}

/// A key and what it is known by.
pub type Named = (KeyId, Secret);

/// The pre-shared keys for a peer. Two are valid at a time: a new one is first made known to every
/// host, then used by every host, then the old one goes.
#[derive(Debug)]
pub struct Keyring {
    used: Option<Named>,
    known: Option<Named>,
    required: bool,
}

impl Keyring {
    /// No key, and none required.
    pub const EMPTY: Self = Self {
        used: None,
        known: None,
        required: false,
    };

    /// `used` is what our own connections ask for; `known` is accepted as well. If a key is
    /// `required`, a connection without one is plain TCP.
    ///
    /// # Errors
    ///
    /// They have the same id.
    pub fn new(used: Option<Named>, known: Option<Named>, required: bool) -> Result<Self, Refused> {
        if used.is_some() && id_of(&used) == id_of(&known) {
            return Err(Refused::SameId);
        }
        Ok(Self {
            used,
            known,
            required,
        })
    }

    /// The same keys, with another rule on them.
    pub fn requiring(&self, required: bool) -> Self {
        Self {
            used: duplicate(&self.used),
            known: duplicate(&self.known),
            required,
        }
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.used.is_none() && self.known.is_none()
    }

    /// The same rule, with other keys.
    ///
    /// # Errors
    ///
    /// They have the same id.
    pub fn replaced(&self, used: Option<Named>, known: Option<Named>) -> Result<Self, Refused> {
        Self::new(used, known, self.required)
    }

    /// With `key` as the one that is used; the one that was, is still known.
    ///
    /// # Errors
    ///
    /// There are two others.
    pub fn using(&self, key: Named) -> Result<Self, Refused> {
        let others = [&self.used, &self.known];
        let mut others = others
            .into_iter()
            .flatten()
            .filter(|(id, _)| *id != key.0)
            .map(|(id, secret)| (*id, secret.duplicate()));
        let known = others.next();
        if others.next().is_some() {
            return Err(Refused::Full);
        }
        self.replaced(Some(key), known)
    }

    /// With `key` as the one that is known.
    ///
    /// # Errors
    ///
    /// There are two others.
    pub fn accepting(&self, key: Named) -> Result<Self, Refused> {
        let is_other = |one: &Option<Named>| one.as_ref().is_some_and(|(id, _)| *id != key.0);
        if is_other(&self.known) {
            return Err(Refused::Full);
        }
        let used = if is_other(&self.used) {
            duplicate(&self.used)
        } else {
            None
        };
        self.replaced(used, Some(key))
    }

    /// Without the key of that id.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn without(&self, id: KeyId) -> Result<Self, Refused> {
        self.key(id).ok_or(Refused::Unknown)?;
        let left = |one: &Option<Named>| duplicate(one).filter(|(one, _)| *one != id);
        self.replaced(left(&self.used), left(&self.known))
    }

    /// Whether a connection without a key is plain TCP.
    pub const fn is_required(&self) -> bool {
        self.required
    }

    /// The id of the key to ask for.
    pub fn used(&self) -> Option<KeyId> {
        self.used.as_ref().map(|(id, _)| *id)
    }

    /// The key of that id.
    pub fn key(&self, id: KeyId) -> Option<&Secret> {
        let keys = self.used.iter().chain(&self.known);
        let mut keys = keys.filter(|(known, _)| *known == id);
        keys.next().map(|(_, key)| key)
    }

    /// The key that both ends have agreed on; whether there was none, or it is gone.
    pub fn agreed(&self, id: Option<KeyId>) -> Option<Option<&Secret>> {
        match id {
            None => Some(None),
            Some(id) => self.key(id).map(Some),
        }
    }
}

/// The id of a key, if it is one.
fn id_of(key: &Option<Named>) -> Option<KeyId> {
    key.as_ref().map(|(id, _)| *id)
}

/// The same key at another place.
fn duplicate(key: &Option<Named>) -> Option<Named> {
    key.as_ref().map(|(id, secret)| (*id, secret.duplicate()))
}
