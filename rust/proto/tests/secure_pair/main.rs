// SPDX-License-Identifier: GPL-2.0

//! Two hosts of the secure profile on a wire that loses, duplicates and reorders, and an attacker
//! beside it: open, move, confirm, validate. Time is virtual, and all chance comes from a seed.

mod exchange;
mod host;
mod probes;
mod wire;
mod world;

use host::State;
use proptest::prelude::*;
use tcp_continuity::proto::addr::Endpoint;
use tcp_continuity::proto::happening::{Happening, Reject};
use tcp_continuity::proto::option::secure::{Carrier, Secure};
use wire::{Firewall, Segment, Wire};
use world::{World, CLIENT, SERVER};

/// An address of the client's: 10.0.1.x, with the port it opened the connection from.
fn home(number: u8) -> Endpoint {
    host::endpoint([10, 0, 1, number], host::CLIENT_PORT)
}

/// Two hosts with a connection that both know to be of the profile.
fn connected(wire: Wire) -> World {
    let mut world = World::new(wire, home(1));
    world.open();
    world.run_until(2_000);
    assert!(world.hosts[CLIENT].is_capable() && world.hosts[SERVER].is_capable());
    world
}

/// How often an UPDATE was sent, and how often on a SYN.
fn updates(world: &World) -> (usize, usize) {
    let on = |segment: &Segment| match Secure::find(&segment.options) {
        Ok(Some(Secure::Update(_))) => Some(segment.carrier),
        _ => None,
    };
    let carriers: Vec<_> = world.wire.seen.iter().filter_map(on).collect();
    let syns = carriers.iter().filter(|it| **it == Carrier::Syn).count();
    (carriers.len(), syns)
}

/// The last segment that carried an UPDATE.
fn last_update(world: &World) -> Segment {
    let is_update =
        |segment: &&Segment| matches!(Secure::find(&segment.options), Ok(Some(Secure::Update(_))));
    world
        .wire
        .seen
        .iter()
        .rev()
        .find(is_update)
        .expect("an UPDATE")
        .clone()
}

#[test]
fn a_move_takes_one_round_trip_and_the_path_another() {
    let mut world = connected(Wire::calm(20));
    let now = world.now;
    world.change_address(CLIENT, home(9));
    // Half a round trip, and the correspondent sends to the new address.
    world.run_until(now + 20);
    assert_eq!(world.hosts[SERVER].remote(), home(9));
    assert!(world.hosts[SERVER].budget().is_some());
    // One, and the mover is confirmed; a half more, and the path is validated.
    world.run_until(now + 40);
    assert_eq!(world.hosts[CLIENT].state(), State::Stable);
    world.run_until(now + 60);
    assert_eq!(world.hosts[SERVER].budget(), None);
    for (host, what, times) in [
        (CLIENT, Happening::Moved, 1),
        (CLIENT, Happening::Confirmed, 1),
        (SERVER, Happening::CapableAgreed, 1),
        (SERVER, Happening::Rebound, 1),
        (SERVER, Happening::PathValidated, 1),
    ] {
        assert_eq!(world.hosts[host].count(what), times, "{what:?}");
    }
    assert!(world.hosts.iter().all(|host| host.rejects.is_empty()));
}

#[test]
fn either_end_moves_and_both_in_turn() {
    let mut world = connected(Wire::calm(20));
    for number in 2..40 {
        let server = host::endpoint([10, 0, 2, number], host::SERVER_PORT);
        world.change_address(CLIENT, home(number));
        world.run_until(world.now + 500);
        world.change_address(SERVER, server);
        world.run_until(world.now + 500);
        assert_eq!(world.hosts[SERVER].remote(), home(number));
        assert_eq!(world.hosts[CLIENT].remote(), server);
    }
    assert!(world.hosts.iter().all(|host| host.rejects.is_empty()));
    assert!(world.hosts.iter().all(|host| host.budget().is_none()));
}

#[test]
fn through_what_wants_a_syn_it_takes_one_and_a_half_round_trips_more() {
    let mut world = World::new(Wire::calm(50), home(1));
    world.wire.firewall = Some(Firewall::default());
    world.open();
    world.run_until(2_000);
    let now = world.now;
    world.change_address(CLIENT, home(9));
    // The UPDATE, and after one and a half of what was measured, the same on a SYN.
    world.run_until(now + 149);
    assert_eq!(updates(&world), (1, 0));
    world.run_until(now + 150);
    assert_eq!(updates(&world), (3, 1));
    world.run_until(now + 250);
    assert_eq!(world.hosts[CLIENT].state(), State::Stable);
    assert_eq!(world.hosts[SERVER].remote(), home(9));
    world.run_until(now + 300);
    assert_eq!(world.hosts[SERVER].budget(), None);
    // The next time with both at once: half a round trip.
    let now = world.now + 3_000;
    world.run_until(now);
    world.change_address(CLIENT, home(10));
    world.run_until(now + 50);
    assert_eq!(world.hosts[SERVER].remote(), home(10));
    world.run_until(now + 150);
    assert_eq!(world.hosts[SERVER].budget(), None);
    // And where nothing wants one, only this once.
    world.wire.firewall = None;
    world.run_until(world.now + 3_000);
    let (_, syns) = updates(&world);
    world.change_address(CLIENT, home(11));
    world.run_until(world.now + 3_000);
    world.change_address(CLIENT, home(12));
    world.run_until(world.now + 3_000);
    assert_eq!(updates(&world).1, syns + 1);
    assert!(world.hosts.iter().all(|host| host.budget().is_none()));
}

#[test]
fn behind_a_nat_the_correspondent_sees_another_address_and_port() {
    let mut world = World::new(Wire::calm(20), host::endpoint([192, 168, 1, 5], 40_000));
    world.wire.nat(host::endpoint([198, 51, 100, 1], 50_001));
    world.open();
    world.run_until(2_000);
    assert_eq!(
        world.hosts[SERVER].remote(),
        host::endpoint([198, 51, 100, 1], 50_001)
    );
    // Another network, where the host gets another private address, and the NAT another port.
    world.wire.nat(host::endpoint([203, 0, 113, 7], 61_234));
    world.change_address(CLIENT, host::endpoint([192, 168, 77, 20], 40_000));
    world.run_until(world.now + 60);
    assert_eq!(
        world.hosts[SERVER].remote(),
        host::endpoint([203, 0, 113, 7], 61_234)
    );
    // And one that gives it the same private address.
    world.wire.nat(host::endpoint([203, 0, 113, 200], 1_025));
    world.lose_address(CLIENT);
    world.run_until(world.now + 100);
    world.regain_address(CLIENT);
    world.run_until(world.now + 60);
    assert_eq!(
        world.hosts[SERVER].remote(),
        host::endpoint([203, 0, 113, 200], 1_025)
    );
    assert_eq!(world.hosts[SERVER].budget(), None);
    assert_eq!(world.hosts[CLIENT].state(), State::Stable);
}

#[test]
fn what_strips_options_leaves_plain_tcp() {
    for stripped in [Carrier::Syn, Carrier::SynAck, Carrier::OptionOnly] {
        let mut world = World::new(Wire::calm(20), home(1));
        world.wire.strip = Some(stripped);
        world.open();
        world.run_until(2_000);
        assert!(!world.hosts[SERVER].is_capable(), "{stripped:?}");
        assert!(world.hosts.iter().all(|host| host.is_established()));
        let believes = stripped == Carrier::OptionOnly;
        assert_eq!(world.hosts[CLIENT].is_capable(), believes, "{stripped:?}");
        assert!(world.hosts.iter().all(|host| host.rejects.is_empty()));
    }
}

#[test]
fn what_drops_segments_with_options_costs_a_round() {
    for dropped in [Carrier::Syn, Carrier::SynAck] {
        let mut world = World::new(Wire::calm(20), home(1));
        world.wire.drop_with_options = Some(dropped);
        world.open();
        world.run_until(3_000);
        assert!(world.hosts.iter().all(|host| host.is_established()));
        assert!(!world.hosts[SERVER].is_capable(), "{dropped:?}");
    }
}

#[test]
fn what_reflects_options_is_noticed() {
    let mut world = World::new(Wire::calm(20), home(1));
    world.wire.reflect = true;
    world.open();
    world.run_until(2_000);
    assert!(!world.hosts[CLIENT].is_capable() && !world.hosts[SERVER].is_capable());
    assert!(world.hosts.iter().all(|host| host.is_established()));
    assert_eq!(world.hosts[CLIENT].rejects, [Reject::SecureReflected]);
}

#[test]
fn replayed_updates_move_nothing() {
    let mut world = connected(Wire::calm(20));
    world.change_address(CLIENT, home(9));
    world.run_until(world.now + 200);
    let first = last_update(&world);
    world.change_address(CLIENT, home(10));
    world.run_until(world.now + 200);
    let second = last_update(&world);
    for captured in [first, second] {
        for from in [home(9), home(66)] {
            let replay = Segment {
                source: from,
                ..captured.clone()
            };
            world.wire.inject(world.now, replay);
            world.run_until(world.now + 200);
            assert_eq!(world.hosts[SERVER].remote(), home(10));
        }
    }
    assert_eq!(world.hosts[SERVER].rejects, [Reject::SecureOldEpoch; 4]);
}

#[test]
fn reflected_and_crossed_updates_move_nothing() {
    let mut world = connected(Wire::calm(20));
    world.change_address(CLIENT, home(9));
    world.run_until(world.now + 200);
    let captured = last_update(&world);
    // Back to whom it came from, and to a host with another connection.
    let reflected = Segment {
        source: home(66),
        destination: home(9),
        ..captured.clone()
    };
    world.wire.inject(world.now, reflected);
    let mut other = World::with_seed(Wire::calm(20), home(1), 77);
    other.open();
    other.run_until(2_000);
    other.wire.inject(other.now, captured);
    for world in [&mut world, &mut other] {
        world.run_until(world.now + 200);
    }
    assert_eq!(world.hosts[CLIENT].rejects, [Reject::SecureUnknownToken]);
    assert_eq!(other.hosts[SERVER].rejects, [Reject::SecureUnknownToken]);
    assert_eq!(other.hosts[SERVER].remote(), home(1));
}

#[test]
fn a_copy_that_arrives_first_does_not_keep_the_connection() {
    let mut world = connected(Wire::calm(20));
    world.wire.copy_updates_from = Some(home(66));
    world.change_address(CLIENT, home(9));
    world.run_until(world.now + 100);
    // The copy was first.
    assert_eq!(world.hosts[SERVER].remote(), home(66));
    assert_eq!(world.hosts[CLIENT].state(), State::Pending);
    world.wire.copy_updates_from = None;
    world.run_until(world.now + 2_000);
    assert_eq!(world.hosts[SERVER].remote(), home(9));
    assert_eq!(world.hosts[SERVER].budget(), None);
    assert_eq!(world.hosts[CLIENT].state(), State::Stable);
}

#[test]
fn a_victim_gets_three_times_what_was_sent_in_its_name_and_a_segment() {
    let mut world = connected(Wire::calm(20));
    // The peer itself is the attacker, and has all keys. It names the victim, and says nothing more.
    let victim = home(66);
    let update = world.forge_update(CLIENT, victim);
    world.hosts[CLIENT].fall_silent();
    let spent = u64::from(update.octets);
    world.wire.inject(world.now, update);
    world.run_until(world.now + 60_000);
    let got = world.wire.octets_to(victim);
    assert!(got > 0);
    assert!(got <= 3 * spent + u64::from(host::FLOOR), "{got}");
    // It went back to where the peer really is, and goes on there.
    assert_eq!(world.hosts[SERVER].remote(), home(1));
    assert_eq!(world.hosts[SERVER].count(Happening::PathReturned), 1);
    assert_eq!(world.wire.octets_to(victim), got);
}

#[test]
fn a_victim_named_again_and_again_gets_no_more() {
    let mut world = connected(Wire::calm(20));
    let victim = home(66);
    let (mut spent, begin) = (0, world.now);
    world.hosts[CLIENT].fall_silent();
    for round in 0..200 {
        let port = 1_000 + round % 5;
        let update = world.forge_update(CLIENT, Endpoint { port, ..victim });
        spent += u64::from(update.octets);
        world.wire.inject(world.now, update);
        world.run_until(world.now + 100);
    }
    let graces = (world.now - begin) / 10_000 + 1;
    world.run_until(world.now + 60_000);
    let got = world.wire.octets_to_address(victim.address);
    assert!(got > 0);
    assert!(
        got <= 3 * spent + graces * u64::from(host::FLOOR),
        "{got} {spent}"
    );
    assert_eq!(world.hosts[SERVER].remote(), home(1));
}

#[test]
fn who_has_no_key_moves_nothing() {
    let mut world = connected(Wire::calm(20));
    world.change_address(CLIENT, home(9));
    world.run_until(world.now + 200);
    let captured = last_update(&world);
    let options = captured.options.clone();
    for bit in 0..options.len() * 8 {
        let mut forged = captured.clone();
        forged.source = home(66);
        forged.options[bit / 8] ^= 1 << (bit % 8);
        world.wire.inject(world.now, forged);
    }
    world.run_until(world.now + 1_000);
    assert_eq!(world.hosts[SERVER].remote(), home(9));
    assert_eq!(world.hosts[SERVER].count(Happening::Rebound), 1);
    // All but those that flipped what makes it an option of ours.
    assert!(world.hosts[SERVER].rejects.len() > 8 * 22);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// On whatever wire: both ends find each other again, at the end of any number of moves of
    /// either, if the last was given time; and agree where they are.
    #[test]
    fn whatever_the_wire_does_they_find_each_other(
        seed: u64,
        loss in 0u32..30,
        copies in 0u32..30,
        jitter in 0u64..150,
        firewall: bool,
        moves in prop::collection::vec((0usize..2, 1u8..6, 0u64..3_000), 1..8),
    ) {
        let mut world = World::with_seed(Wire::rough(20, loss, copies, jitter), home(1), seed);
        world.wire.firewall = firewall.then(Firewall::default);
        world.open();
        world.run_until(30_000);
        prop_assume!(world.hosts.iter().all(|host| host.is_capable()));
        for (who, number, pause) in moves {
            let third = if who == CLIENT { 1 } else { 2 };
            let port = world.hosts[who].local().port;
            let to = host::endpoint([10, 0, third, number], port);
            // Two that move at once lose each other: nothing says where either is.
            world.run_until_settled(300_000);
            world.change_address(who, to);
            world.run_until(world.now + pause);
            // The same end may go on at any time.
            let next = host::endpoint([10, 0, third, number % 5 + 1], port);
            world.change_address(who, next);
        }
        world.run_until_settled(300_000);
        for (one, other) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
            prop_assert_eq!(world.hosts[one].state(), State::Stable);
            prop_assert_eq!(world.hosts[one].remote(), world.hosts[other].local());
            prop_assert_eq!(world.hosts[one].budget(), None);
            // The last may have been lost, and the one before it have been confirmed late.
            prop_assert!(world.hosts[one].followed() <= world.hosts[other].last_epoch());
        }
    }
}
