// SPDX-License-Identifier: GPL-2.0

use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

#[test]
fn the_first_move_is_confirmed_by_any_segment() {
    for clock in [None, Some(7)] {
        let proof = Proof::of_move(false, at(100), clock);
        assert!(proof.is_given(at(100), None));
        assert_eq!(proof.possible_from(at(100)), at(100));
    }
}

#[test]
fn a_further_move_is_confirmed_by_an_echo_of_its_time() {
    // Across the clock's end, too.
    for clock in [1_000, u32::MAX, 0] {
        let proof = Proof::of_move(true, at(100), Some(clock));
        assert!(!proof.is_given(at(9_999), Some(clock.wrapping_sub(1))));
        assert!(proof.is_given(at(100), Some(clock)));
        assert!(proof.is_given(at(100), Some(clock.wrapping_add(1))));
        assert!(!proof.is_given(at(9_999), None));
        assert_eq!(proof.possible_from(at(100)), at(100));
    }
}

#[test]
fn without_timestamps_a_further_move_is_confirmed_when_strays_are_gone() {
    let proof = Proof::of_move(true, at(100), None);
    assert!(!proof.is_given(at(4_099), Some(5)));
    assert!(proof.is_given(at(4_100), None));
    assert_eq!(proof.possible_from(at(100)), at(4_100));
}
