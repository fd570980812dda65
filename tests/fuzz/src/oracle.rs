// SPDX-License-Identifier: GPL-2.0

//! The ADDRESS UPDATE among option octets, found as naively as can be: by index, from the rules of
//! protocol.rst, with nothing of the protocol's code but the names of its errors.

use tcp_continuity::proto::happening::Reject;

/// OLD ADDRESS, if there is an ADDRESS UPDATE of `kind`.
///
/// # Errors
///
/// Why it cannot be followed.
pub fn find(kind: u8, octets: &[u8], is_ipv6: bool) -> Result<Option<Vec<u8>>, Reject> {
    let mut found = None;
    let mut at = 0;
    while at < octets.len() && octets[at] != 0 {
        if octets[at] == 1 {
            at += 1;
            continue;
        }
        let ours = octets[at] == kind;
        let length = match length(&octets[at..]) {
            Ok(length) => length,
            Err(reject) if ours || found.is_some() => return Err(reject),
            Err(_) => return Ok(None),
        };
        if ours && found.is_some() {
            return Err(Reject::RepeatedOption);
        }
        if ours {
            found = Some(old_address(&octets[at + 2..at + length], is_ipv6)?);
        }
        at += length;
    }
    Ok(found)
}

/// TSval and TSecr of the first timestamps option, if it and all before it are well formed.
pub fn timestamps(octets: &[u8]) -> Option<[u8; 8]> {
    let mut at = 0;
    while at < octets.len() && octets[at] != 0 {
        if octets[at] == 1 {
            at += 1;
            continue;
        }
        let length = length(&octets[at..]).ok()?;
        if octets[at] == 8 {
            return octets[at + 2..at + length].try_into().ok();
        }
        at += length;
    }
    None
}

/// The length of the option that `octets` begin with.
fn length(octets: &[u8]) -> Result<usize, Reject> {
    match octets {
        [_, 0 | 1, ..] => Err(Reject::BadLength),
        [_, length, ..] if usize::from(*length) <= octets.len() => Ok(usize::from(*length)),
        _ => Err(Reject::Truncated),
    }
}

fn old_address(octets: &[u8], is_ipv6: bool) -> Result<Vec<u8>, Reject> {
    match (octets.len(), is_ipv6) {
        (4, false) | (16, true) => {}
        (4, true) | (16, false) => return Err(Reject::FamilyMismatch),
        _ => return Err(Reject::BadLength),
    }
    if can_be_a_host(octets) {
        Ok(octets.to_vec())
    } else {
        Err(Reject::OldAddressInvalid)
    }
}

///
fn can_be_a_host(octets: &[u8]) -> bool {
    if octets.len() == 4 {
        return octets[0] != 0 && octets[0] != 127 && octets[0] < 224;
    }
    let compatible = octets[..12] == [0; 12];
    let mapped = octets[..12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];
    !compatible && !mapped && octets[0] != 255
}
