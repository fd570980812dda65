// SPDX-License-Identifier: GPL-2.0

//! The options of the secure profile: kind, length, experiment, version and subtype, contents.
//!
//! ```text
//! +--------+--------+--------+--------+-----+-----+--- ... ---+
//! |  253   | Length |      ExID       | ver | sub |  contents |
//! +--------+--------+--------+--------+-----+-----+--- ... ---+
//! ```

use crate::proto::happening::Reject;
use crate::proto::ids::Challenge;
use crate::proto::ids::Epoch;
use crate::proto::ids::KeyId;
use crate::proto::ids::Mac;
use crate::proto::ids::Nonce;
use crate::proto::ids::Token;
use crate::proto::option::Options;
use crate::proto::option::NOP;
use crate::proto::option::SPACE;

pub use exchange::Half;
pub use exchange::Keyed;
pub use exchange::Keyshare;
pub use exchange::Part;

mod exchange;

/// The kind: the first of those for experiments (RFC 4727).
pub const KIND: u8 = 253;
/// Which experiment (RFC 6994); not registered. No IPv4 host has an address that begins with these
/// octets, and no IPv6 host yet, so that this is never an OLD ADDRESS of the classic profile.
pub const EXID: [u8; 2] = [0xf7, 0xc5];
/// The version there is.
pub const VERSION: u8 = 1;
/// Octets before the contents.
const HEAD: usize = 5;

/// What kind of an option of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subtype {
    /// "I can."
    Capable,
    /// "I know that you can."
    Echo,
    /// "I am where this comes from."
    Update,
    /// "I know. Are you really there?"
    Confirm,
    /// "I am."
    Response,
    /// "This is half of my public value."
    Keyshare,
    /// "I have the new keys."
    Keyed,
}

impl Subtype {
    const ALL: [Self; 7] = [
        Self::Capable,
        Self::Echo,
        Self::Update,
        Self::Confirm,
        Self::Response,
        Self::Keyshare,
        Self::Keyed,
    ];

    /// The octet behind the experiment: the version in the upper half, then the subtype.
    pub const fn octet(self) -> u8 {
        let subtype = match self {
            Self::Capable => 1,
            Self::Echo => 2,
            Self::Update => 3,
            Self::Confirm => 4,
            Self::Response => 5,
            Self::Keyshare => 6,
            Self::Keyed => 7,
        };
        (VERSION << 4) | subtype
    }

    /// From that octet.
    fn parse(octet: u8) -> Result<Self, Reject> {
        if octet >> 4 != VERSION {
            return Err(Reject::SecureBadVersion);
        }
        let known = Self::ALL.into_iter().find(|known| known.octet() == octet);
        known.ok_or(Reject::SecureBadSubtype)
    }
}

/// CAPABLE, in SYN and SYN/ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Capable {
    /// All eight, with those that have no meaning yet: the keys depend on them.
    pub flags: u8,
    /// The pre-shared key that is to be used.
    pub key_id: Option<KeyId>,
    /// The sender's.
    pub nonce: Nonce,
}

impl Capable {
    /// Flag: addresses of this connection may be rewritten on the way.
    pub const NAT: u8 = 1;

    /// Whether the sender has it that addresses may be rewritten.
    pub const fn nat(&self) -> bool {
        self.flags & Self::NAT != 0
    }

    /// Flags, key, nonce, as on the wire.
    pub const fn contents(&self) -> [u8; 10] {
        let [a, b, c, d, e, f, g, h] = self.nonce.0;
        let key_id = KeyId::octet(self.key_id);
        [self.flags, key_id, a, b, c, d, e, f, g, h]
    }
}

/// ECHO, in the client's first acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Echo {
    /// See `Keys::echo`.
    pub mac: Mac<4>,
}

/// The flags of an UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpdateFlags {
    /// Addresses may be rewritten on the way: the MAC is not over them.
    pub nat: bool,
}

impl UpdateFlags {
    /// As on the wire.
    pub fn octet(self) -> u8 {
        u8::from(self.nat)
    }

    /// From the wire. What the others mean is not known, so what they ask for cannot be done.
    fn parse(octet: u8) -> Result<Self, Reject> {
        match octet {
            0 => Ok(Self { nat: false }),
            1 => Ok(Self { nat: true }),
            _ => Err(Reject::SecureBadFlags),
        }
    }
}

/// UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Update {
    /// The flags.
    pub flags: UpdateFlags,
    /// Which of the mover's.
    pub epoch: Epoch,
    /// The correspondent's: for which connection.
    pub token: Token,
    /// See `Keys::update`.
    pub mac: Mac<12>,
}

/// CONFIRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Confirm {
    /// That of the UPDATE that was followed.
    pub epoch: Epoch,
    /// What the mover is to answer.
    pub challenge: Challenge,
    /// See `Keys::confirm`.
    pub mac: Mac<8>,
}

/// RESPONSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Response {
    /// That of the CONFIRM.
    pub epoch: Epoch,
    /// See `Keys::response`.
    pub mac: Mac<12>,
}

/// An option of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Secure {
    /// CAPABLE.
    Capable(Capable),
    /// ECHO.
    Echo(Echo),
    /// UPDATE.
    Update(Update),
    /// CONFIRM.
    Confirm(Confirm),
    /// RESPONSE.
    Response(Response),
    /// KEYSHARE.
    Keyshare(Keyshare),
    /// KEYED.
    Keyed(Keyed),
}

/// What kind of a segment an option is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// SYN without ACK.
    Syn,
    /// SYN and ACK.
    SynAck,
    /// ACK, no SYN, FIN or RST, no payload.
    OptionOnly,
    /// Any other.
    Other,
}

/// Whether an option, given what lies behind its kind and length, is of this profile: then it is
/// none of the classic profile, should both have one kind.
pub fn is_ours(kind: u8, data: &[u8]) -> bool {
    kind == KIND && data.starts_with(&EXID)
}

impl Secure {
    /// The option of the profile among the option octets of a segment, `None` if there is none.
    ///
    /// # Errors
    ///
    /// There is one that cannot be understood, or two, or one in a list that is broken.
    pub fn find(options: &[u8]) -> Result<Option<Self>, Reject> {
        let mut found = None;
        for item in Options::new(options) {
            let item = match item {
                Ok(item) => item,
                Err(broken) if found.is_some() || is_ours(broken.kind, broken.data) => {
                    return Err(Reject::SecureTruncated);
                }
                // Somebody else's broken list: TCP's affair.
                Err(_) => return Ok(None),
            };
            if !is_ours(item.kind, item.data) {
                continue;
            }
            if found.is_some() {
                return Err(Reject::SecureRepeatedOption);
            }
            found = Some(Self::parse(item.data)?);
        }
        Ok(found)
    }

    /// From the octets behind kind and length, the experiment's first.
    fn parse(data: &[u8]) -> Result<Self, Reject> {
        let (head, contents) = data
            .split_first_chunk::<3>()
            .ok_or(Reject::SecureBadLength)?;
        let [_, _, subtype] = *head;
        match Subtype::parse(subtype)? {
            Subtype::Capable => {
                let [flags, key_id, nonce @ ..] = sized::<10>(contents)?;
                Ok(Self::Capable(Capable {
                    flags,
                    key_id: KeyId::from_octet(key_id),
                    nonce: Nonce(nonce),
                }))
            }
            Subtype::Echo => Ok(Self::Echo(Echo {
                mac: Mac(sized(contents)?),
            })),
            Subtype::Update => {
                let [flags, a, b, c, d, e, f, g, h, mac @ ..] = sized::<21>(contents)?;
                Ok(Self::Update(Update {
                    flags: UpdateFlags::parse(flags)?,
                    epoch: epoch([a, b, c, d]),
                    token: Token::new(u32::from_be_bytes([e, f, g, h])),
                    mac: Mac(mac),
                }))
            }
            Subtype::Confirm => {
                let [flags, a, b, c, d, rest @ ..] = sized::<21>(contents)?;
                let [e, f, g, h, i, j, k, l, mac @ ..] = rest;
                no_flags(flags)?;
                Ok(Self::Confirm(Confirm {
                    epoch: epoch([a, b, c, d]),
                    challenge: Challenge([e, f, g, h, i, j, k, l]),
                    mac: Mac(mac),
                }))
            }
            Subtype::Response => {
                let [flags, a, b, c, d, mac @ ..] = sized::<17>(contents)?;
                no_flags(flags)?;
                Ok(Self::Response(Response {
                    epoch: epoch([a, b, c, d]),
                    mac: Mac(mac),
                }))
            }
            Subtype::Keyshare => Ok(Self::Keyshare(Keyshare::parse(contents)?)),
            Subtype::Keyed => Ok(Self::Keyed(Keyed::parse(contents)?)),
        }
    }

    /// Which it is.
    pub const fn subtype(&self) -> Subtype {
        match self {
            Self::Capable(_) => Subtype::Capable,
            Self::Echo(_) => Subtype::Echo,
            Self::Update(_) => Subtype::Update,
            Self::Confirm(_) => Subtype::Confirm,
            Self::Response(_) => Subtype::Response,
            Self::Keyshare(_) => Subtype::Keyshare,
            Self::Keyed(_) => Subtype::Keyed,
        }
    }

    /// Whether it is about a connection that is there, if it is on a SYN.
    pub const fn is_for_established(&self) -> bool {
        matches!(self, Self::Update(_) | Self::Confirm(_))
    }

    /// Whether the option may be in a segment of that kind.
    ///
    /// # Errors
    ///
    /// It may not.
    pub fn is_in_place(&self, carrier: Carrier) -> Result<(), Reject> {
        let right = match self {
            Self::Capable(_) => matches!(carrier, Carrier::Syn | Carrier::SynAck),
            Self::Update(_) => matches!(carrier, Carrier::Syn | Carrier::OptionOnly),
            Self::Confirm(_) => matches!(carrier, Carrier::SynAck | Carrier::OptionOnly),
            Self::Echo(_) | Self::Response(_) | Self::Keyshare(_) | Self::Keyed(_) => {
                carrier == Carrier::OptionOnly
            }
        };
        if right {
            Ok(())
        } else {
            Err(Reject::SecureMisplaced)
        }
    }

    /// Writes the option, padded with NOPs in front to a multiple of four octets. How many it is.
    pub fn emit(&self, out: &mut [u8; SPACE]) -> usize {
        let subtype = self.subtype();
        match self {
            Self::Capable(capable) => write(out, subtype, &[&capable.contents()]),
            Self::Echo(echo) => write(out, subtype, &[&echo.mac.0]),
            Self::Update(update) => {
                let epoch = update.epoch.get().to_be_bytes();
                let token = update.token.get().to_be_bytes();
                let flags = [update.flags.octet()];
                write(out, subtype, &[&flags, &epoch, &token, &update.mac.0])
            }
            Self::Confirm(confirm) => {
                let epoch = confirm.epoch.get().to_be_bytes();
                let parts: [&[u8]; 4] = [&[0], &epoch, &confirm.challenge.0, &confirm.mac.0];
                write(out, subtype, &parts)
            }
            Self::Response(response) => {
                let epoch = response.epoch.get().to_be_bytes();
                write(out, subtype, &[&[0], &epoch, &response.mac.0])
            }
            Self::Keyshare(share) => {
                let part = [share.part.octet()];
                write(out, subtype, &[&part, &share.half, &share.mac.0])
            }
            Self::Keyed(keyed) => write(out, subtype, &[&[0], &keyed.mac.0]),
        }
    }
}

/// Octets that a CAPABLE takes, padded.
pub const CAPABLE_SPACE: usize = 16;

/// The contents, if there are as many octets as there have to be.
fn sized<const N: usize>(contents: &[u8]) -> Result<[u8; N], Reject> {
    contents.try_into().map_err(|_| Reject::SecureBadLength)
}

/// An epoch from the wire.
fn epoch(octets: [u8; 4]) -> Epoch {
    Epoch::new(u32::from_be_bytes(octets))
}

/// Where flags have no meaning yet.
fn no_flags(octet: u8) -> Result<(), Reject> {
    if octet == 0 {
        Ok(())
    } else {
        Err(Reject::SecureBadFlags)
    }
}

/// Padding, head, then `parts`.
fn write(out: &mut [u8; SPACE], subtype: Subtype, parts: &[&[u8]]) -> usize {
    let contents = parts
        .iter()
        .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    let len = HEAD.saturating_add(contents);
    let padded = len.next_multiple_of(4);
    let [exid_high, exid_low] = EXID;
    let length = u8::try_from(len).unwrap_or(u8::MAX);
    let head = [KIND, length, exid_high, exid_low, subtype.octet()];
    let octets = core::iter::repeat_n(NOP, padded.saturating_sub(len))
        .chain(head)
        .chain(parts.iter().flat_map(|part| part.iter().copied()));
    for (place, octet) in out.iter_mut().zip(octets) {
        *place = octet;
    }
    padded
}

#[cfg(test)]
mod tests;
