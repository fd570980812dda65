// SPDX-License-Identifier: GPL-2.0

//! One direction sends, the other receives, with every kind of damage between them.

use super::*;

fn everything(outbound: &mut Outbound) -> Vec<u8> {
    let mut wire = Vec::new();
    loop {
        let count = outbound.pending().len().min(1000);
        if count == 0 {
            return wire;
        }
        wire.extend_from_slice(&outbound.pending()[..count]);
        outbound.advance(count);
    }
}

fn sample() -> Vec<u8> {
    let mut outbound = Outbound::new(5);
    outbound.push(Frame::Data { count: 3000 });
    outbound.push(Frame::Request { count: 9 });
    outbound.push(Frame::Data { count: 200_000 });
    outbound.push(Frame::End { hold: true });
    everything(&mut outbound)
}

fn receive(wire: &[u8], piece: usize) -> (Inbound, Result<Vec<Frame>, Failure>) {
    let mut inbound = Inbound::new(Some(5));
    let mut seen = Vec::new();
    for octets in wire.chunks(piece) {
        if let Err(failure) = inbound.feed(octets, |seed| seed, &mut seen) {
            return (inbound, Err(failure));
        }
    }
    (
        inbound,
        Ok(seen.into_iter().map(|seen| seen.frame).collect()),
    )
}

#[test]
fn what_is_sent_arrives_in_any_pieces() {
    let wire = sample();
    for piece in [1, 7, 1448, 1 << 20] {
        let (inbound, seen) = receive(&wire, piece);
        let frames = seen.unwrap();
        assert!(inbound.has_ended());
        assert_eq!(inbound.position(), 203_000);
        assert_eq!(frames.last(), Some(&Frame::End { hold: true }));
        assert!(frames.contains(&Frame::Request { count: 9 }));
        let data = frames
            .iter()
            .filter(|frame| matches!(frame, Frame::Data { .. }))
            .count();
        assert_eq!(data, 2);
    }
}

/// A report of what had come before it was asked for must not count what was read with it.
#[test]
fn frames_know_what_came_before_their_end() {
    let mut outbound = Outbound::new(5);
    outbound.push(Frame::Data { count: 100 });
    outbound.push(Frame::Request { count: 9 });
    outbound.push(Frame::Data { count: 50 });
    let wire = everything(&mut outbound);
    let mut seen = Vec::new();
    let fed = Inbound::new(Some(5)).feed(&wire, |seed| seed, &mut seen);
    assert_eq!(fed, Ok(()));
    let positions: Vec<u64> = seen.iter().map(|seen| seen.position).collect();
    assert_eq!(positions, [100, 100, 150]);
}

#[test]
fn one_wrong_octet_is_always_seen() {
    let wire = sample();
    for index in (0..wire.len())
        .step_by(2503)
        .chain(wire.len() - 40..wire.len())
    {
        let mut damaged = wire.clone();
        damaged[index] ^= 0x10;
        let (_, result) = receive(&damaged, 4096);
        assert!(result.is_err(), "octet {index}");
    }
}

#[test]
fn lost_and_repeated_octets_are_seen() {
    let wire = sample();
    let lost = [&wire[..5000], &wire[6448..]].concat();
    assert!(matches!(
        receive(&lost, 1448).1,
        Err(Failure::WrongOctet(_))
    ));
    let repeated = [&wire[..6448], &wire[5000..]].concat();
    assert!(matches!(
        receive(&repeated, 1448).1,
        Err(Failure::WrongOctet(_))
    ));
    let cut = receive(&wire[..wire.len() - 1], 1448).0;
    assert!(!cut.has_ended());
    let more = [&wire[..], b"x"].concat();
    assert!(matches!(receive(&more, 1448).1, Err(Failure::AfterEnd)));
}

#[test]
fn digests_agree() {
    let mut outbound = Outbound::new(5);
    outbound.push(Frame::Data { count: 100_000 });
    let (inbound, _) = receive(&everything(&mut outbound), 999);
    assert_eq!(inbound.digest(), outbound.digest());
    assert!(outbound.is_idle());
}
