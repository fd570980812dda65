// SPDX-License-Identifier: GPL-2.0

use super::*;

#[test]
fn words_are_modes_and_back() {
    for (mode, classic, secure) in [
        (Mode::Off, false, false),
        (Mode::Classic, true, false),
        (Mode::Secure, false, true),
        (Mode::SecureClassic, true, true),
    ] {
        assert_eq!(Mode::parse(mode.word()), Ok(mode));
        assert_eq!((mode.has_classic(), mode.has_secure()), (classic, secure));
    }
    for word in ["", "on", "Classic", "secure ", "classic+secure", "classic "] {
        assert_eq!(Mode::parse(word), Err(NoSuchMode));
    }
}

#[test]
fn values_out_of_range_are_refused_and_defaults_are_not() {
    for row in TABLE {
        assert_eq!(row.check(row.default), Ok(()), "{}", row.name);
        assert_eq!(
            row.check(row.max.saturating_add(1)),
            Err(BadValue),
            "{}",
            row.name
        );
        assert!(
            row.min == 0 || row.check(row.min - 1).is_err(),
            "{}",
            row.name
        );
    }
    let [kind, ..] = TABLE;
    assert_eq!(kind.check(8), Err(BadValue));
    assert_eq!(kind.check(77), Ok(()));
}
