// SPDX-License-Identifier: GPL-2.0

//! Option octets, searched for an option of the secure profile.
//!
//! Input: the options.

use super::oracle;
use tcp_continuity::proto::option::secure::Carrier;
use tcp_continuity::proto::option::secure::Secure;
use tcp_continuity::proto::option::secure::Subtype;
use tcp_continuity::proto::option::SPACE;

/// The target.
pub fn run(octets: &[u8]) {
    let found = Secure::find(octets);
    let expected = oracle::find(octets);
    assert_eq!(found.as_ref().err(), expected.as_ref().err());
    let found = found.ok().flatten();
    let expected = expected.ok().flatten();
    assert_eq!(found.is_some(), expected.is_some());
    if let (Some(found), Some((subtype, contents))) = (found, expected) {
        assert_eq!(found.subtype().octet() & 15, subtype);
        is_written_as_it_was(&found, &contents);
        is_in_its_place_only(&found);
    }
}

/// What was found is found again when it is written, and is the same octets.
fn is_written_as_it_was(found: &Secure, contents: &[u8]) {
    let mut out = [0xff; SPACE];
    let len = found.emit(&mut out);
    assert_eq!(len % 4, 0);
    assert!(len + 12 <= SPACE, "no room for timestamps beside it");
    assert!(
        out[len..].iter().all(|octet| *octet == 0xff),
        "it writes more than it says"
    );
    assert!(out[..len].ends_with(contents), "{out:02x?} {contents:02x?}");
    assert_eq!(Secure::find(&out[..len]), Ok(Some(*found)));
    let beside = [&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2][..], &out[..len]].concat();
    assert_eq!(Secure::find(&beside), Ok(Some(*found)));
}

/// S-4: CAPABLE in segments with SYN, all others in option-only ones; S-71, S-73: UPDATE on a SYN and
/// CONFIRM on a SYN/ACK as well.
fn is_in_its_place_only(found: &Secure) {
    let subtype = found.subtype();
    let capable = subtype == Subtype::Capable;
    for (carrier, right) in [
        (Carrier::Syn, capable || subtype == Subtype::Update),
        (Carrier::SynAck, capable || subtype == Subtype::Confirm),
        (Carrier::OptionOnly, !capable),
        (Carrier::Other, false),
    ] {
        assert_eq!(found.is_in_place(carrier).is_ok(), right, "{carrier:?}");
    }
}
