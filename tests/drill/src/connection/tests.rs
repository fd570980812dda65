// SPDX-License-Identifier: GPL-2.0

use std::net::SocketAddr;
use std::ops::Range;

use super::{Connection, Stage};
use crate::script::{parse, Action, Body, Tcp, TcpOption};
use crate::wire::{options, Segment};

fn tcp(text: &str) -> Tcp {
    let mut script = parse(&format!("0 < {text}")).unwrap();
    match script.events.remove(0).action {
        Action::Packet(packet) => match packet.body {
            Body::Tcp(tcp) => tcp,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn here() -> SocketAddr {
    "192.168.0.1:8080".parse().unwrap()
}

fn there() -> SocketAddr {
    "192.0.2.1:40001".parse().unwrap()
}

fn from_kernel(flags: u16, sequence: u32, ack: u32, listed: &[TcpOption]) -> Segment {
    Segment {
        source: here(),
        destination: there(),
        tos: 0,
        flags,
        sequence,
        ack,
        window: 1,
        urgent: 0,
        options: options::encode(listed).unwrap(),
        length: 0,
        zeros: true,
    }
}

fn sack(block: Range<u32>) -> TcpOption {
    TcpOption::Sack(vec![block])
}

/// A connection that the kernel has accepted, whose initial sequence number is 5000, and that of
/// the other end 700.
fn accepted() -> Connection {
    let mut connection = Connection::new(Stage::Received);
    (connection.local, connection.remote) = (Some(here()), Some(there()));
    connection.numbers.remote_isn = 700;
    let synack = tcp("S. 0:0(0) ack 701 win 1");
    connection.awaits(&synack);
    connection.sent(&synack, &from_kernel(0x012, 5000, 701, &[]));
    connection.receives(&tcp(". 1:1(0) ack 1 win 1"));
    connection
}

#[test]
fn numbers_are_relative_after_the_handshake() {
    let connection = accepted();
    assert_eq!(connection.stage, Stage::Acknowledged);
    let segment = tcp("P. 1:11(10) ack 21 win 9 <nop,nop,sack 31:41>");
    let live = connection
        .numbers
        .to_live(&segment, 0, there(), here())
        .unwrap();
    assert_eq!((live.sequence, live.ack), (701, 5021));
    let listed = options::decode(&live.options).unwrap();
    assert!(listed.contains(&sack(5031..5041)));

    let listed = [TcpOption::Nop, TcpOption::Nop, sack(711..721)];
    let back = connection
        .numbers
        .to_script(&from_kernel(0x010, 5001, 706, &listed))
        .unwrap();
    assert_eq!((back.sequence, back.ack), (1, 6));
    assert!(back.options.unwrap().contains(&sack(11..21)));
}

#[test]
fn numbers_of_a_handshake_are_absolute() {
    let mut connection = Connection::new(Stage::Received);
    connection.numbers.remote_isn = 700;
    let synack = tcp("S. 100:100(0) ack 701 win 1");
    let segment = from_kernel(0x012, 5000, 701, &[]);
    connection.awaits(&synack);
    connection.sent(&synack, &segment);
    let back = connection.numbers.to_script(&segment).unwrap();
    assert_eq!((back.sequence, back.ack), (100, 701));
}

#[test]
fn a_clients_syn_tells_its_port_and_number() {
    let mut connection = Connection::new(Stage::Connecting);
    connection.remote = Some(there());
    let syn = from_kernel(0x002, 9000, 0, &[]);
    assert!(!connection.owns(&syn), "nothing was awaited");
    connection.awaits(&tcp("S 0:0(0) win 1"));
    assert!(connection.owns(&syn));
    assert_eq!(connection.local, Some(here()));
    connection.receives(&tcp("S. 40:40(0) ack 1 win 1"));
    assert_eq!(connection.stage, Stage::SynAcked);
    let back = connection
        .numbers
        .to_script(&from_kernel(0x010, 9001, 41, &[]))
        .unwrap();
    assert_eq!((back.sequence, back.ack), (1, 1));
}

#[test]
fn segments_of_others_are_not_its() {
    let mut connection = accepted();
    let mut other = from_kernel(0x010, 5001, 701, &[]);
    assert!(connection.owns(&other));
    other.destination.set_port(1);
    assert!(!connection.owns(&other));
    other = from_kernel(0x002, 5001, 701, &[]);
    other.source.set_port(1);
    assert!(!connection.owns(&other));
}

#[test]
fn echoed_timestamps_are_those_the_kernel_has_sent() {
    let mut connection = accepted();
    assert_eq!(connection.numbers.stamp(100, 77_000), 100);
    assert_eq!(connection.numbers.stamp(200, 77_110), 210);
    let echo = |value| {
        tcp(&format!(
            ". 1:1(0) ack 1 win 1 <nop,nop,TS val 5 ecr {value}>"
        ))
    };
    let live = |segment: &Tcp| connection.numbers.to_live(segment, 0, there(), here());
    let listed = options::decode(&live(&echo(200)).unwrap().options).unwrap();
    assert!(listed.contains(&TcpOption::Timestamp(5, 77_110)));
    assert!(live(&echo(300)).is_err());
}
