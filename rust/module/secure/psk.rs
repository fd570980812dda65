// SPDX-License-Identifier: GPL-2.0

//! Pre-shared keys: whose they are, and changing them.
//!
//! What connections are begun with is never changed, only replaced: a look-up takes a reference of it,
//! and a line that cannot be followed has changed nothing. What nobody has a reference of any more is
//! overwritten where it lies.

use crate::module::namespace::Namespace;
use crate::proto::keyring::Keyring;
use crate::proto::psk::{
    Change,
    Whom, //
};
use core::net::IpAddr;
use kernel::prelude::*;
use kernel::sync::Arc;

/// For how many prefixes there may be keys.
const MOST: usize = 256;

/// Which peers have which keys.
pub struct Rules {
    /// By falling length of prefixes; those for everybody else are the last, and always there.
    rules: KVec<(Whom, Arc<Keyring>)>,
}

impl Rules {
    /// No key for anybody, and none required.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn none() -> Result<Self> {
        let mut rules = KVec::new();
        rules.push((None, Arc::new(Keyring::EMPTY, GFP_KERNEL)?), GFP_KERNEL)?;
        Ok(Self { rules })
    }

    /// The keys for a peer: those of the longest prefix that its address has.
    fn of(&self, peer: IpAddr) -> Option<&Arc<Keyring>> {
        let is_its = |whom: &Whom| whom.is_none_or(|prefix| prefix.contains(peer));
        let mut rules = self.rules.iter();
        rules.find(|(whom, _)| is_its(whom)).map(|(_, ring)| ring)
    }

    /// The same, but for those of `whom`.
    ///
    /// # Errors
    ///
    /// `ENOSPC`: there are too many; `ENOMEM`.
    fn with(&self, whom: Whom, ring: Keyring) -> Result<Self> {
        let mut rules = KVec::with_capacity(self.rules.len() + 1, GFP_KERNEL)?;
        let length = |whom: Whom| whom.map(|prefix| prefix.length());
        let is_kept = whom.is_none() || !ring.is_empty();
        let mut new = is_kept
            .then(|| Arc::new(ring, GFP_KERNEL))
            .transpose()?
            .map(|ring| (whom, ring));
        let others = self.rules.iter().filter(|(other, _)| *other != whom);
        for (other, keys) in others {
            if length(*other) < length(whom) {
                if let Some(new) = new.take() {
                    rules.push(new, GFP_KERNEL)?;
                }
            }
            rules.push((*other, keys.clone()), GFP_KERNEL)?;
        }
        if let Some(new) = new {
            rules.push(new, GFP_KERNEL)?;
        }
        // Those for everybody else are no prefix.
        if rules.len() > MOST + 1 {
            return Err(ENOSPC);
        }
        Ok(Self { rules })
    }

    /// The same keys, required or not.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn requiring(&self, required: bool) -> Result<Self> {
        let mut rules = KVec::with_capacity(self.rules.len(), GFP_KERNEL)?;
        for (whom, ring) in &self.rules {
            let ring = Arc::new(ring.requiring(required), GFP_KERNEL)?;
            rules.push((*whom, ring), GFP_KERNEL)?;
        }
        Ok(Self { rules })
    }
}

impl Namespace {
    /// The keys for connections with a peer that are begun now.
    pub fn keys_for(&self, peer: IpAddr) -> Option<Arc<Keyring>> {
        let rules = self.rules.lock().clone();
        rules.of(peer).cloned()
    }

    /// Has connections that are begun from now on use other keys. Those that there are keep what they
    /// have. Process context.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it cannot be done; `ENOSPC`, `ENOMEM`. The keys are as they were.
    pub fn change_keys(&self, change: Change) -> Result {
        let _change = self.rules_change.lock();
        let required = self.control.settings().psk_required;
        let now = self.rules.lock().clone();
        let new = match change.whom() {
            None => Rules::none()?.requiring(required)?,
            Some(whom) => {
                let ring = now.rules.iter().find(|(other, _)| *other == whom);
                let none = Keyring::EMPTY.requiring(required);
                let ring = ring.map_or(&none, |(_, ring)| ring);
                now.with(whom, change.apply(ring).map_err(|_| EINVAL)?)?
            }
        };
        self.replace_rules(new)
    }

    /// Has connections that are begun from now on do without a key, or not, as the settings say. Process
    /// context.
    ///
    /// # Errors
    ///
    /// `ENOMEM`: it is as it was.
    pub fn require_keys(&self) -> Result {
        let _change = self.rules_change.lock();
        let now = self.rules.lock().clone();
        let new = now.requiring(self.control.settings().psk_required)?;
        self.replace_rules(new)
    }

    /// Replaces them.
    fn replace_rules(&self, new: Rules) -> Result {
        let new = Arc::new(new, GFP_KERNEL)?;
        let old = core::mem::replace(&mut *self.rules.lock(), new);
        // What is overwritten and freed with it is not under the lock.
        drop(old);
        Ok(())
    }
}
