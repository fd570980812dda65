// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use core::net::Ipv4Addr;
use proptest::prelude::*;

fn end(number: u8) -> Endpoint {
    Endpoint {
        address: Ipv4Addr::new(10, 0, 0, number).into(),
        port: 22,
    }
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

#[test]
fn three_octets_for_each_that_came_and_never_less_than_the_floor() {
    let mut credit = Credit::new(80, 0);
    assert_eq!(credit.remaining(), 240);
    credit.send(80);
    assert_eq!(credit.remaining(), 160);
    credit.receive(1000);
    assert_eq!(credit.remaining(), 3160);
    credit.send(5000);
    assert_eq!(credit.remaining(), 0);

    let mut credit = Credit::new(80, 1500);
    assert_eq!(credit.remaining(), 1500);
    credit.send(1500);
    credit.receive(420);
    assert_eq!(credit.remaining(), 0);
    credit.receive(1);
    assert_eq!(credit.remaining(), 3);
}

#[test]
fn four_paths_are_known_for_three_minutes() {
    let mut recent = Recent::new();
    for number in 1..=5 {
        recent.remember(end(number), at(number.into()));
    }
    assert!(!recent.knows(end(1), at(6)));
    assert!((2..=5).all(|number| recent.knows(end(number), at(6))));
    assert!(recent.knows(end(2), at(181)));
    assert!(!recent.knows(end(2), at(182)));
    // Left again, it is there once, and the newest.
    recent.remember(end(2), at(100));
    recent.remember(end(6), at(101));
    assert!(!recent.knows(end(3), at(102)));
    assert!(recent.knows(end(2), at(102)));
    let port = Endpoint { port: 23, ..end(2) };
    assert!(!recent.knows(port, at(102)));
}

proptest! {
    #[test]
    fn whatever_comes_and_goes_no_more_is_sent_than_may_be(
        floor in 0u32..2000, steps in prop::collection::vec((any::<bool>(), 0u32..3000), 0..50),
    ) {
        let mut credit = Credit::new(0, floor);
        let (mut received, mut sent) = (0, 0);
        for (comes, octets) in steps {
            if comes {
                credit.receive(octets);
                received += octets;
            } else {
                let octets = octets.min(credit.remaining());
                credit.send(octets);
                sent += octets;
            }
            prop_assert!(sent <= (3 * received).max(floor));
            prop_assert_eq!(credit.remaining(), (3 * received).max(floor) - sent);
        }
    }
}
