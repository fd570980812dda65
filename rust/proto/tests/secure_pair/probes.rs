// SPDX-License-Identifier: GPL-2.0

//! What a host does not see: a NAT that forgets it, strangers' RSTs, a peer that is away, or gone.

use crate::host::{endpoint, CLIENT_PORT, SERVER_PORT};
use crate::wire::{Segment, Wire};
use crate::world::{World, CLIENT, SERVER};
use crate::{connected, home, State};
use tcp_continuity::proto::addr::Endpoint;
use tcp_continuity::proto::happening::Happening;
use tcp_continuity::proto::option::secure::Carrier;

/// The NAT's address and port.
fn public(port: u16) -> Endpoint {
    endpoint([198, 51, 100, 1], port)
}

/// Two hosts, the client behind a NAT.
fn behind_nat() -> World {
    let mut world = World::new(Wire::calm(20), endpoint([192, 168, 1, 5], CLIENT_PORT));
    world.wire.nat(public(50_001));
    world.open();
    world.run_until(2_000);
    assert!(world.hosts.iter().all(|host| host.is_capable()));
    world
}

/// A RST to a host, as if its peer had sent it.
fn rst_to(world: &World, who: usize) -> Segment {
    Segment {
        source: world.hosts[who].remote(),
        destination: world.hosts[who].local(),
        carrier: Carrier::Other,
        rst: true,
        options: Vec::new(),
        octets: 40,
    }
}

fn is_alive(world: &World) -> bool {
    world.hosts.iter().all(|host| !host.is_gone)
}

#[test]
fn a_nat_that_forgets_costs_two_round_trips() {
    let mut world = behind_nat();
    // Just before the client speaks: what it says comes from a port that the server does not know.
    world.run_until(2_990);
    world.wire.nat(public(61_234));
    world.run_until(3_000);
    let spoken = world.now;
    // The RST, and the question; half a round trip more, and the answer.
    world.run_until(spoken + 60);
    assert_eq!(world.hosts[SERVER].remote(), public(61_234));
    assert!(world.hosts[CLIENT].count(Happening::RstIgnored) > 0);
    world.run_until(spoken + 100);
    assert_eq!(world.hosts[CLIENT].count(Happening::ProbeAnswered), 1);
    assert_eq!(world.hosts[SERVER].budget(), None);
    world.run_until(10_000);
    assert!(is_alive(&world));
}

#[test]
fn a_nat_that_changes_while_segments_to_it_are_lost() {
    let mut world = behind_nat();
    // The server speaks into the void, and asks there, for as long as the client says nothing.
    for round in 0..20 {
        world.wire.nat(public(52_000 + round));
        world.run_until(world.now + 3_000);
        assert_eq!(world.hosts[SERVER].remote(), public(52_000 + round));
    }
    assert!(is_alive(&world));
}

#[test]
fn forged_rsts_end_nothing_and_bring_a_question_each_second() {
    let mut world = connected(Wire::calm(20));
    for who in [CLIENT, SERVER] {
        let before = world.wire.seen.len();
        for _ in 0..1_000 {
            let rst = rst_to(&world, who);
            world.wire.inject(world.now, rst);
            world.run_until(world.now + 10);
        }
        assert!(is_alive(&world));
        assert!(world.hosts[who].count(Happening::RstIgnored) >= 999);
        assert!(world.hosts[who].count(Happening::ProbeAnswered) <= 11);
        // What both say of themselves; for each question three segments, and a window resent.
        assert!(world.wire.seen.len() - before < 4 * 10 + (3 + 10) * 11 + 10);
    }
}

#[test]
fn a_peer_that_is_gone_ends_the_connection_after_the_guard_time() {
    for who in [CLIENT, SERVER] {
        let mut world = connected(Wire::calm(20));
        let other = 1 - who;
        world.hosts[other].is_gone = true;
        let rst = rst_to(&world, who);
        world.wire.inject(world.now, rst);
        let came = world.now + 20;
        world.run_until(came + 1_000);
        assert!(!world.hosts[who].is_gone);
        world.run_until(came + 1_000 + 40);
        assert!(world.hosts[who].is_gone);
        assert_eq!(world.hosts[who].count(Happening::RstBelieved), 1);
    }
}

#[test]
fn a_peer_that_only_cannot_be_reached_is_waited_for() {
    let mut world = connected(Wire::calm(20));
    world.lose_address(CLIENT);
    world.run_until(world.now + 600_000);
    assert!(world.hosts[SERVER].count(Happening::ProbeUnanswered) > 0);
    world.regain_address(CLIENT);
    world.run_until(world.now + 1_000);
    assert!(is_alive(&world));
    assert_eq!(world.hosts[CLIENT].state(), State::Stable);
    assert_eq!(world.hosts[SERVER].budget(), None);
}

#[test]
fn both_move_within_a_round_trip_one_after_the_other() {
    let server = endpoint([10, 0, 2, 9], SERVER_PORT);
    let mut world = connected(Wire::calm(20));
    world.change_address(CLIENT, home(9));
    // It has followed, and its answer is on its way.
    world.run_until(world.now + 21);
    world.change_address(SERVER, server);
    world.run_until(world.now + 2_000);
    assert_eq!(world.hosts[SERVER].remote(), home(9));
    assert_eq!(world.hosts[CLIENT].remote(), server);
    assert!(world.hosts.iter().all(|host| host.state() == State::Stable));
    assert!(world.hosts.iter().all(|host| host.budget().is_none()));
    assert!(is_alive(&world));
}

#[test]
fn both_move_at_once_and_one_comes_back() {
    let mut world = connected(Wire::calm(20));
    let was = world.hosts[SERVER].local();
    world.change_address(CLIENT, home(9));
    world.change_address(SERVER, endpoint([10, 0, 2, 9], SERVER_PORT));
    world.run_until(world.now + 30_000);
    // Neither can know where the other is.
    assert!(world
        .hosts
        .iter()
        .all(|host| host.state() == State::Pending));
    world.change_address(SERVER, was);
    world.run_until(world.now + 20_000);
    assert_eq!(world.hosts[SERVER].remote(), home(9));
    assert_eq!(world.hosts[CLIENT].remote(), was);
    assert!(world.hosts.iter().all(|host| host.state() == State::Stable));
    assert!(is_alive(&world));
}
