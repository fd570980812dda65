// SPDX-License-Identifier: GPL-2.0

//! The key exchange between the hosts, with moves before, in the middle of it and after.

use crate::host::{self, Sha256, State};
use crate::wire::{Segment, Wire};
use crate::world::{World, CLIENT, SERVER};
use crate::{connected, home};
use core::time::Duration;
use proptest::prelude::*;
use tcp_continuity::proto::addr::Endpoint;
use tcp_continuity::proto::crypto::{token, Ends, Root, Side};
use tcp_continuity::proto::happening::{Happening, Reject};
use tcp_continuity::proto::ids::Epoch;
use tcp_continuity::proto::option::secure::{
    Capable, Carrier, Secure, Subtype, Update, UpdateFlags,
};
use tcp_continuity::proto::option::SPACE;

/// Two hosts that will have an exchange so many milliseconds after the connection was opened.
fn hosts(wire: Wire, seed: u64, after: [u64; 2]) -> World {
    let mut world = World::with_seed(wire, home(1), seed);
    for (host, after) in world.hosts.iter_mut().zip(after) {
        host.settings.keyshare_after = (after != 0).then(|| Duration::from_millis(after));
    }
    world.open();
    world
}

fn have_exchanged(world: &World) -> [bool; 2] {
    [CLIENT, SERVER].map(|who| world.hosts[who].has_exchanged())
}

/// How many segments with an option of that kind there were.
fn sent(world: &World, subtype: Subtype) -> usize {
    let is_it = |segment: &&Segment| matches!(Secure::find(&segment.options), Ok(Some(option)) if option.subtype() == subtype);
    world.wire.seen.iter().filter(is_it).count()
}

/// The UPDATE of one who has seen the handshake, and nothing else it would take.
fn of_who_watched(world: &World, source: Endpoint) -> Segment {
    let mut capables =
        world
            .wire
            .seen
            .iter()
            .filter_map(|segment| match Secure::find(&segment.options) {
                Ok(Some(Secure::Capable(capable))) => Some(capable),
                _ => None,
            });
    let mut next = || -> Capable { capables.next().expect("a CAPABLE") };
    let (client, server) = (next(), next());
    let keys = Root::of_handshake(&Sha256, None, &client, &server).keys(&Sha256);
    let destination = host::endpoint([10, 0, 2, 1], host::SERVER_PORT);
    let ends = Ends {
        source,
        destination,
    };
    let (flags, epoch) = (UpdateFlags { nat: true }, Epoch::new(99));
    let token = token(&Sha256, server.nonce);
    let mac = keys.update(&Sha256, Side::Client, flags, epoch, token, &ends);
    let mut options = [0; SPACE];
    let update = Update {
        flags,
        epoch,
        token,
        mac,
    };
    let len = Secure::Update(update).emit(&mut options);
    Segment {
        source,
        destination,
        carrier: Carrier::OptionOnly,
        rst: false,
        options: options[..len].to_vec(),
        octets: 80,
    }
}

#[test]
fn who_watched_the_handshake_can_do_nothing_after_the_exchange() {
    let mut world = connected(Wire::calm(20));
    let stolen = of_who_watched(&world, home(66));
    world.wire.inject(world.now, stolen);
    world.run_until(world.now + 100);
    // That is what the handshake alone is worth.
    assert_eq!(world.hosts[SERVER].remote(), home(66));

    let mut world = connected(Wire::calm(20));
    world.run_until(5_000);
    assert_eq!(have_exchanged(&world), [true, true]);
    let stolen = of_who_watched(&world, home(66));
    world.wire.inject(world.now, stolen);
    world.run_until(world.now + 100);
    assert_eq!(world.hosts[SERVER].remote(), home(1));
    assert_eq!(world.hosts[SERVER].rejects, [Reject::SecureBadMac]);
}

#[test]
fn it_takes_two_segments_each_way_and_one_more() {
    let mut world = hosts(Wire::calm(20), 1, [3_000; 2]);
    world.run_until(3_000);
    assert_eq!(sent(&world, Subtype::Keyshare), 0);
    world.run_until(10_000);
    assert_eq!(have_exchanged(&world), [true, true]);
    assert_eq!(sent(&world, Subtype::Keyshare), 4);
    assert_eq!(sent(&world, Subtype::Keyed), 2);
    for host in &world.hosts {
        assert!(host.rejects.is_empty());
        assert_eq!(host.count(Happening::KeysExchanged), 1);
    }
}

#[test]
fn a_peer_without_it_costs_a_few_segments() {
    for after in [[3_000, 0], [0, 3_000]] {
        let mut world = hosts(Wire::calm(20), 1, after);
        world.run_until(100_000);
        assert_eq!(have_exchanged(&world), [false, false]);
        let shares = if after[CLIENT] == 0 { 0 } else { 12 };
        assert_eq!(sent(&world, Subtype::Keyshare), shares);
        assert_eq!(sent(&world, Subtype::Keyed), 0);
        assert_eq!(
            world.hosts[SERVER].rejects,
            vec![Reject::SecureUnexpectedShare; shares]
        );
        world.change_address(CLIENT, home(9));
        world.run_until(world.now + 1_000);
        assert_eq!(world.hosts[SERVER].remote(), home(9));
    }
}

#[test]
fn an_end_that_is_away_waits_until_it_is_back() {
    let mut world = hosts(Wire::calm(20), 1, [3_000; 2]);
    world.run_until(2_900);
    world.lose_address(CLIENT);
    world.run_until(200_000);
    assert_eq!(sent(&world, Subtype::Keyshare), 0);
    world.regain_address(CLIENT);
    world.run_until(world.now + 5_000);
    assert_eq!(have_exchanged(&world), [true, true]);
}

/// Each way to fall into the exchange with a move, to the millisecond.
#[test]
fn a_move_at_any_moment_of_the_exchange() {
    for who in [CLIENT, SERVER] {
        for at in 2_950..3_250 {
            let mut world = hosts(Wire::calm(20), at, [3_000; 2]);
            world.run_until(at);
            let third = if who == CLIENT { 1 } else { 2 };
            let port = world.hosts[who].local().port;
            world.change_address(who, host::endpoint([10, 0, third, 9], port));
            world.run_until_settled(60_000);
            world.run_until(world.now + 70_000);
            let case = format!("{who} moves at {at}");
            assert_eq!(have_exchanged(&world), [true, true], "{case}");
            for (one, other) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
                assert_eq!(world.hosts[one].state(), State::Stable, "{case}");
                let there = world.hosts[other].local();
                assert_eq!(world.hosts[one].remote(), there, "{case}");
                assert_eq!(world.hosts[one].budget(), None, "{case}");
                // Nothing overtakes anything here: so nothing is signed with keys that the other
                // end does not have yet, or has no more.
                assert_eq!(world.hosts[one].rejects, [], "{case}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// On whatever wire, with moves of either end at any time: the ends find each other, and have
    /// exchanged keys both, or neither because the client has given up.
    #[test]
    fn whatever_happens_both_have_new_keys_or_neither(
        seed: u64,
        after in 2_000u64..20_000,
        loss in 0u32..30,
        copies in 0u32..30,
        jitter in 0u64..150,
        moves in prop::collection::vec((0usize..2, 1u8..6, 0u64..3_000), 0..8),
    ) {
        let mut world = hosts(Wire::rough(20, loss, copies, jitter), seed, [after; 2]);
        world.run_until(2_000);
        prop_assume!(world.hosts.iter().all(|host| host.is_capable()));
        for (who, number, pause) in moves {
            let third = if who == CLIENT { 1 } else { 2 };
            let port = world.hosts[who].local().port;
            world.run_until_settled(300_000);
            world.change_address(who, host::endpoint([10, 0, third, number], port));
            world.run_until(world.now + pause);
        }
        world.run_until_settled(300_000);
        world.run_until(world.now + 900_000);
        let unanswered = world.hosts[CLIENT].count(Happening::KeyshareUnanswered);
        prop_assert_eq!(have_exchanged(&world), [unanswered == 0; 2]);
        // And with the keys they have now either moves once more.
        for (who, third) in [(CLIENT, 1), (SERVER, 2)] {
            let port = world.hosts[who].local().port;
            world.change_address(who, host::endpoint([10, 0, third, 77], port));
            world.run_until_settled(300_000);
        }
        for (one, other) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
            prop_assert_eq!(world.hosts[one].state(), State::Stable);
            prop_assert_eq!(world.hosts[one].remote(), world.hosts[other].local());
        }
    }
}
