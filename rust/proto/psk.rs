// SPDX-License-Identifier: GPL-2.0

//! Pre-shared keys: the line that an administrator writes, and what it does to a ring of keys.
//!
//! ```text
//! none [ID] [WHOM]                 all keys go, or those of WHOM, or the one of that ID
//! ID KEY [ID KEY] [WHOM]           WHOM has these and no others; the first is used
//! ID KEY [WHOM] use                this one is used; the one that was, is still accepted
//! ID KEY [WHOM] accept             this one is accepted as well
//! ```
//!
//! WHOM is a prefix of peers' addresses, `ADDRESS/LENGTH`, or `any`, which it is if it is not said:
//! those peers for whom there is no prefix.

use crate::proto::crypto::Secret;
use crate::proto::ids::KeyId;
use crate::proto::keyring::Keyring;
use crate::proto::keyring::Named;
use crate::proto::keyring::Refused;
use core::net::IpAddr;

/// Not a line as above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLine;

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// From `ADDRESS/LENGTH`.
    ///
    /// # Errors
    ///
    /// It is none, or has bits behind its length; or it is of IPv4 addresses in IPv6 ones, which
    /// no peer has: it is `ADDRESS/LENGTH` in IPv4.
    pub fn parse(text: &str) -> Result<Self, BadLine> {
        let (address, length) = text.split_once('/').ok_or(BadLine)?;
        let address: IpAddr = address.parse().map_err(|_| BadLine)?;
        let prefix = Self {
            address,
            length: number(length)?,
        };
        let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        if prefix.length > width(address) || mapped || bits(address) & !prefix.mask() != 0 {
            return Err(BadLine);
        }
        Ok(prefix)
    }

    /// How many bits it has: of two that contain an address, the longer one counts.
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// Whether an address begins with it.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv6() == self.address.is_ipv6()
            && (bits(address) ^ bits(self.address)) & self.mask() == 0
    }

    /// Its bits, as those of the address.
    fn mask(&self) -> u128 {
        let behind = u32::from(width(self.address).saturating_sub(self.length));
        u128::MAX.checked_shl(behind).unwrap_or(0)
    }
}

/// The bits of an address, the last the lowest.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

/// How many bits it has.
const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Whom a key is for: `None` for those for whom there is no prefix.
pub type Whom = Option<Prefix>;

/// What a line asks for.
#[derive(Debug)]
pub enum Change {
    /// All keys go.
    Clear,
    /// Keys of some peers go.
    Remove {
        /// Whose.
        whom: Whom,
        /// Which; all of them.
        id: Option<KeyId>,
    },
    /// Some peers have just these.
    Set {
        /// Who.
        whom: Whom,
        /// The one that is used.
        used: Named,
        /// The other.
        known: Option<Named>,
    },
    /// Some peers have this one, too, and it is used.
    Use {
        /// Who.
        whom: Whom,
        /// The key.
        key: Named,
    },
    /// Some peers have this one, too.
    Accept {
        /// Who.
        whom: Whom,
        /// The key.
        key: Named,
    },
}

impl Change {
    /// From a line.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn parse(line: &str) -> Result<Self, BadLine> {
        let mut words = Words(line);
        let change = if words.take_if("none") {
            Self::parse_none(&mut words)?
        } else {
            Self::parse_keys(&mut words)?
        };
        words.end()?;
        Ok(change)
    }

    /// Behind `none`.
    fn parse_none(words: &mut Words<'_>) -> Result<Self, BadLine> {
        if words.first().is_none() {
            return Ok(Self::Clear);
        }
        let id = if words.first().is_some_and(is_number) {
            Some(id(words.take().ok_or(BadLine)?)?)
        } else {
            None
        };
        let whom = words.whom()?;
        Ok(Self::Remove { whom, id })
    }

    /// Any other.
    fn parse_keys(words: &mut Words<'_>) -> Result<Self, BadLine> {
        let key = words.key()?;
        let known = if words.first().is_some_and(is_number) {
            Some(words.key()?)
        } else {
            None
        };
        let whom = words.whom()?;
        match (words.take(), known) {
            (None, known) => Ok(Self::Set {
                whom,
                used: key,
                known,
            }),
            (Some("use"), None) => Ok(Self::Use { whom, key }),
            (Some("accept"), None) => Ok(Self::Accept { whom, key }),
            (Some(_), _) => Err(BadLine),
        }
    }

    /// Whose keys it is about; `None` if it is about everybody's.
    pub const fn whom(&self) -> Option<Whom> {
        match self {
            Self::Clear => None,
            Self::Remove { whom, .. }
            | Self::Set { whom, .. }
            | Self::Use { whom, .. }
            | Self::Accept { whom, .. } => Some(*whom),
        }
    }

    /// The keys that those it is about have then, given those they have.
    ///
    /// # Errors
    ///
    /// They cannot have them.
    pub fn apply(self, ring: &Keyring) -> Result<Keyring, Refused> {
        match self {
            Self::Clear | Self::Remove { id: None, .. } => ring.replaced(None, None),
            Self::Remove { id: Some(id), .. } => ring.without(id),
            Self::Set { used, known, .. } => ring.replaced(Some(used), known),
            Self::Use { key, .. } => ring.using(key),
            Self::Accept { key, .. } => ring.accepting(key),
        }
    }
}

/// What is left of a line.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    /// The next word.
    fn first(&self) -> Option<&'a str> {
        self.0.split_ascii_whitespace().next()
    }

    /// Takes it.
    fn take(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_ascii_start();
        let end = rest.find(|c: char| c.is_ascii_whitespace());
        let (word, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }

    /// Takes it if it is that word.
    fn take_if(&mut self, word: &str) -> bool {
        self.first() == Some(word) && self.take().is_some()
    }

    /// A key's id and its digits.
    fn key(&mut self) -> Result<Named, BadLine> {
        let id = id(self.take().ok_or(BadLine)?)?;
        let secret = Secret::parse(self.take().ok_or(BadLine)?).ok_or(BadLine)?;
        Ok((id, secret))
    }

    /// Whom it is about, if it is said.
    fn whom(&mut self) -> Result<Whom, BadLine> {
        if self.take_if("any") {
            return Ok(None);
        }
        match self.first() {
            Some(word) if word.contains('/') => {
                self.take();
                Prefix::parse(word).map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }

    /// There must be no more.
    fn end(&self) -> Result<(), BadLine> {
        self.first().map_or(Ok(()), |_| Err(BadLine))
    }
}

/// Whether a word is a number, if perhaps none that means anything.
fn is_number(word: &str) -> bool {
    word.bytes().all(|octet| octet.is_ascii_digit())
}

/// A number of an octet, in digits alone.
fn number(word: &str) -> Result<u8, BadLine> {
    if !is_number(word) {
        return Err(BadLine);
    }
    word.parse().map_err(|_| BadLine)
}

/// The id of a key.
fn id(word: &str) -> Result<KeyId, BadLine> {
    KeyId::from_octet(number(word)?).ok_or(BadLine)
}

#[cfg(test)]
mod tests;
