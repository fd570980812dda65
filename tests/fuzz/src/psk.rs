// SPDX-License-Identifier: GPL-2.0

//! Lines that an administrator writes about pre-shared keys.
//!
//! Input: lines, each tried on what the ones before it have left.

use tcp_continuity::proto::ids::KeyId;
use tcp_continuity::proto::keyring::Keyring;
use tcp_continuity::proto::psk::Change;

/// The target.
pub fn run(input: &[u8]) {
    let Ok(text) = core::str::from_utf8(input) else {
        return;
    };
    let mut ring = Keyring::EMPTY.requiring(true);
    for line in text.lines() {
        let Ok(change) = Change::parse(line) else {
            continue;
        };
        assert!(
            line.contains("none") || line.len() > 64,
            "a key without its digits: {line}"
        );
        let (before, removes) = (ids(&ring), line.trim_start().starts_with("none"));
        match change.apply(&ring) {
            Ok(changed) => ring = changed,
            Err(_) => assert_eq!(ids(&ring), before, "{line}"),
        }
        let after = ids(&ring);
        assert!(after.len() <= 2, "{line}");
        assert!(
            !removes || after.iter().all(|id| before.contains(id)),
            "{line}"
        );
        assert!(ring.is_required(), "{line}");
        assert_eq!(ring.is_empty(), after.is_empty(), "{line}");
        assert!(
            ring.used().is_none_or(|used| after.contains(&used)),
            "{line}"
        );
    }
}

/// The ids of the keys that a ring accepts.
fn ids(ring: &Keyring) -> Vec<KeyId> {
    let all = (1..=255).filter_map(KeyId::from_octet);
    all.filter(|id| ring.key(*id).is_some()).collect()
}
