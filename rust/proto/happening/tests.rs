// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use std::collections::HashSet;

#[test]
fn everything_counted_has_a_place_and_a_name_of_its_own() {
    let names: HashSet<_> = rows().map(|row| row.name).collect();
    assert_eq!(names.len(), COUNT);
    for (index, counted) in ALL.into_iter().enumerate() {
        assert_eq!(counted.index(), index);
    }
}

#[test]
fn no_variant_is_missing_from_the_table() {
    // The last of each: a variant added behind it, and not to the table, moves it on.
    assert_eq!(
        ALL.iter()
            .filter(|c| matches!(c, Counted::Reject(_)))
            .count(),
        Reject::SecureBadShare as usize + 1
    );
    assert_eq!(
        ALL.iter()
            .filter(|c| matches!(c, Counted::Happening(_)))
            .count(),
        Happening::Outlasted as usize + 1
    );
}
