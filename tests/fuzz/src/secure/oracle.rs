// SPDX-License-Identifier: GPL-2.0

//! The option of the secure profile, found as naively as can be, by index, from the rules S-1, S-2,
//! S-4 and those of the key exchange, with nothing of the protocol's code but the names of its errors.

use tcp_continuity::proto::happening::Reject;

/// Subtypes, their octets of contents, and whether the first of these are flags that have to have a
/// meaning, and which have.
const SUBTYPES: [(u8, usize, Option<u8>); 7] = [
    (1, 10, None),
    (2, 4, None),
    (3, 21, Some(1)),
    (4, 21, Some(0)),
    (5, 17, Some(0)),
    (6, 23, Some(1)),
    (7, 13, Some(0)),
];

/// Subtype and contents.
pub type Found = (u8, Vec<u8>);

/// The option, if there is one.
///
/// # Errors
///
/// What is wrong with it.
pub fn find(octets: &[u8]) -> Result<Option<Found>, Reject> {
    let mut found = None;
    let mut at = 0;
    while at < octets.len() && octets[at] != 0 {
        if octets[at] == 1 {
            at += 1;
            continue;
        }
        let ours =
            octets[at] == 253 && octets.len() >= at + 4 && octets[at + 2..at + 4] == [0xf7, 0xc5];
        let length = octets.get(at + 1).map_or(0, |length| usize::from(*length));
        if length < 2 || at + length > octets.len() {
            return if ours || found.is_some() {
                Err(Reject::SecureTruncated)
            } else {
                Ok(None)
            };
        }
        // With a length of less than four the experiment is not a part of it.
        if ours && length >= 4 {
            if found.is_some() {
                return Err(Reject::SecureRepeatedOption);
            }
            found = Some(contents(&octets[at + 4..at + length])?);
        }
        at += length;
    }
    Ok(found)
}

/// From the octets behind the experiment.
fn contents(octets: &[u8]) -> Result<Found, Reject> {
    let Some((head, contents)) = octets.split_first() else {
        return Err(Reject::SecureBadLength);
    };
    if head >> 4 != 1 {
        return Err(Reject::SecureBadVersion);
    }
    let subtype = head & 15;
    let Some((_, length, flags)) = SUBTYPES.into_iter().find(|known| known.0 == subtype) else {
        return Err(Reject::SecureBadSubtype);
    };
    if contents.len() != length {
        return Err(Reject::SecureBadLength);
    }
    match flags {
        Some(known) if contents[0] & !known != 0 => Err(Reject::SecureBadFlags),
        Some(_) | None => Ok((subtype, contents.to_vec())),
    }
}
