// SPDX-License-Identifier: GPL-2.0

use super::*;

#[test]
fn before_wraps() {
    assert!(SeqNum::new(1).before(SeqNum::new(2)));
    assert!(!SeqNum::new(2).before(SeqNum::new(2)));
    assert!(SeqNum::new(u32::MAX).before(SeqNum::new(0)));
    assert!(!SeqNum::new(0).before(SeqNum::new(u32::MAX)));
}

#[test]
fn within_holds_its_ends_and_wraps() {
    let (first, last) = (SeqNum::new(u32::MAX - 1), SeqNum::new(3));
    for inside in [u32::MAX - 1, u32::MAX, 0, 3] {
        assert!(SeqNum::new(inside).is_within(first, last), "{inside}");
    }
    for outside in [u32::MAX - 2, 4, 1 << 31] {
        assert!(!SeqNum::new(outside).is_within(first, last), "{outside}");
    }
    assert!(SeqNum::new(7).is_within(SeqNum::new(7), SeqNum::new(7)));
}
