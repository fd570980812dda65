// SPDX-License-Identifier: GPL-2.0

//! The option of the classic profile: ADDRESS UPDATE.
//!
//! ```text
//! +--------+--------+--------+--- ... ---+
//! |  Kind  | Length |    OLD ADDRESS     |     Length 6 (IPv4) or 18 (IPv6)
//! +--------+--------+--------+--- ... ---+
//! ```

use crate::proto::addr;
use crate::proto::happening::Reject;
use crate::proto::option::secure;
use crate::proto::option::Options;
use crate::proto::option::SPACE;
use core::net::IpAddr;
use core::net::Ipv4Addr;
use core::net::Ipv6Addr;

/// The kind that the option has in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(u8);

impl Kind {
    /// Kinds with a meaning of their own that hosts or middleboxes act on: end, NOP, MSS, window
    /// scale, SACK, timestamps, MD5, AO, MPTCP, Fast Open, TCP-ENO, AccECN.
    const IN_USE: [u8; 16] = [0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 69, 172, 173, 174];

    /// `kind`, if nothing else uses it.
    ///
    /// # Errors
    ///
    /// The kind is in use.
    pub fn new(kind: u8) -> Result<Self, InUse> {
        if Self::IN_USE.contains(&kind) {
            Err(InUse)
        } else {
            Ok(Self(kind))
        }
    }

    /// Whether an option is of this kind, and not one of the secure profile, which may have the
    /// same kind.
    fn has(self, kind: u8, data: &[u8]) -> bool {
        kind == self.0 && !secure::is_ours(kind, data)
    }
}

impl Default for Kind {
    /// The first of those for experiments (RFC 4727).
    fn default() -> Self {
        Self(253)
    }
}

/// Another option has this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InUse;

/// "I was at `old`; I am where this segment comes from."
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressUpdate {
    /// OLD ADDRESS.
    pub old: IpAddr,
}

impl AddressUpdate {
    /// The ADDRESS UPDATE among the option octets of a segment, `None` if there is none.
    ///
    /// # Errors
    ///
    /// There is one that cannot be followed: of a length that is none of the two, or that of the
    /// other family than the segment's; twice; in a list that is broken; or with an OLD ADDRESS
    /// that no host has.
    pub fn find(kind: Kind, options: &[u8], is_ipv6: bool) -> Result<Option<Self>, Reject> {
        let mut found = None;
        for item in Options::new(options) {
            let item = match item {
                Ok(item) => item,
                Err(broken) if found.is_some() || kind.has(broken.kind, broken.data) => {
                    return Err(broken.reject);
                }
                // Somebody else's broken list: TCP's affair.
                Err(_) => return Ok(None),
            };
            if !kind.has(item.kind, item.data) {
                continue;
            }
            if found.is_some() {
                return Err(Reject::RepeatedOption);
            }
            found = Some(Self::parse(item.data, is_ipv6)?);
        }
        Ok(found)
    }

    /// From the octets behind kind and length.
    fn parse(data: &[u8], is_ipv6: bool) -> Result<Self, Reject> {
        let old = if let Ok(v4) = <[u8; 4]>::try_from(data) {
            IpAddr::V4(Ipv4Addr::from(v4))
        } else if let Ok(v6) = <[u8; 16]>::try_from(data) {
            IpAddr::V6(Ipv6Addr::from(v6))
        } else {
            return Err(Reject::BadLength);
        };
        if old.is_ipv6() != is_ipv6 {
            return Err(Reject::FamilyMismatch);
        }
        if !addr::is_unicast(old) {
            return Err(Reject::OldAddressInvalid);
        }
        Ok(Self { old })
    }

    /// Writes the option, padded with NOPs in front to a multiple of four octets. How many it is.
    pub fn emit(&self, kind: Kind, out: &mut [u8; SPACE]) -> usize {
        match self.old {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                let octets = [1, 1, kind.0, 6, a, b, c, d];
                if let Some(place) = out.first_chunk_mut::<8>() {
                    *place = octets;
                }
                octets.len()
            }
            IpAddr::V6(v6) => {
                if let Some(place) = out.first_chunk_mut::<20>() {
                    *place = [0; 20];
                    if let Some(head) = place.first_chunk_mut::<4>() {
                        *head = [1, 1, kind.0, 18];
                    }
                    if let Some(tail) = place.last_chunk_mut::<16>() {
                        *tail = v6.octets();
                    }
                }
                20
            }
        }
    }
}

#[cfg(test)]
mod tests;
