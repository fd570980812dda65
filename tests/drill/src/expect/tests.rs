// SPDX-License-Identifier: GPL-2.0

use super::{compare, Seen, Ticks};
use crate::connection::Numbers;
use crate::script::{parse, Action, Body, Ecn, Tcp};
use crate::trouble::Trouble;

fn tcp(text: &str) -> Tcp {
    let mut script = parse(&format!("0 > {text}")).unwrap();
    match script.events.remove(0).action {
        Action::Packet(packet) => match packet.body {
            Body::Tcp(tcp) => tcp,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn seen(text: &str) -> Seen {
    let mut tcp = tcp(text);
    tcp.window = tcp.window.or(Some(1));
    Seen {
        tcp,
        tos: 0,
        zeros: true,
    }
}

fn verdict(want: &str, got: &str) -> Result<(), Trouble> {
    compare(
        &tcp(want),
        Ecn::Any,
        &seen(got),
        &mut Numbers::default(),
        None,
    )
}

#[test]
fn the_same_is_the_same() {
    for text in [
        "S 0:0(0) <mss 1460,nop,wscale 8>",
        "P.5 1:11(10) ack 1 win 9",
        "R 1:1(0)",
    ] {
        assert_eq!(verdict(text, text), Ok(()), "{text}");
    }
}

#[test]
fn each_difference_is_noticed() {
    let want = "PU. 1:11(10) ack 1 win 9 urg 3 <nop,nop,TS val 1 ecr 2>";
    for (got, what) in [
        (
            "U. 1:11(10) ack 1 win 9 urg 3 <nop,nop,TS val 1 ecr 2>",
            "flags",
        ),
        (
            "PUE. 1:11(10) ack 1 win 9 urg 3 <nop,nop,TS val 1 ecr 2>",
            "flags",
        ),
        (
            "PU. 2:12(10) ack 1 win 9 urg 3 <nop,nop,TS val 1 ecr 2>",
            "sequence",
        ),
        (
            "PU. 1:12(11) ack 1 win 9 urg 3 <nop,nop,TS val 1 ecr 2>",
            "length",
        ),
        (
            "PU. 1:11(10) ack 2 win 9 urg 3 <nop,nop,TS val 1 ecr 2>",
            "acknowledgment",
        ),
        (
            "PU. 1:11(10) ack 1 win 8 urg 3 <nop,nop,TS val 1 ecr 2>",
            "window",
        ),
        (
            "PU. 1:11(10) ack 1 win 9 urg 4 <nop,nop,TS val 1 ecr 2>",
            "urgent",
        ),
        (
            "PU. 1:11(10) ack 1 win 9 urg 3 <nop,nop,TS val 1 ecr 3>",
            "options",
        ),
        (
            "PU. 1:11(10) ack 1 win 9 urg 3 <nop,TS val 1 ecr 2,nop>",
            "options",
        ),
        ("PU. 1:11(10) ack 1 win 9 urg 3", "options"),
        (
            "PU. 1:11(10) ack 1 win 9 urg 3 <nop,nop,TS val 1 ecr 2,mss 5>",
            "options",
        ),
    ] {
        match verdict(want, got) {
            Err(Trouble::Failed { observed, .. }) => {
                assert!(
                    observed.contains(&format!("different in {what}")),
                    "{got}: {observed}"
                );
            }
            other => panic!("{got}: {other:?}"),
        }
    }
}

#[test]
fn what_the_script_leaves_open_is_open() {
    assert_eq!(verdict(". 1:1(0) ack 1", ". 1:1(0) ack 1 win 77"), Ok(()));
    assert_eq!(
        verdict(". 1:1(0) ack 1 <...>", ". 1:1(0) ack 1 <mss 5>"),
        Ok(())
    );
}

#[test]
fn ecn_bits_and_payload_count() {
    let (want, mut got) = (tcp(". 1:2(1) ack 1"), seen(". 1:2(1) ack 1"));
    let mut numbers = Numbers::default();
    for (ecn, tos, good) in [
        (Ecn::Any, 2, true),
        (Ecn::Is(2), 2, true),
        (Ecn::Is(2), 0xe2, true),
        (Ecn::Is(0), 2, false),
        (Ecn::Capable, 1, true),
        (Ecn::Capable, 3, false),
        (Ecn::Octet(0xe2), 0xe2, true),
        (Ecn::Octet(2), 0xe2, false),
    ] {
        got.tos = tos;
        let verdict = compare(&want, ecn, &got, &mut numbers, None);
        assert_eq!(verdict.is_ok(), good, "{ecn:?} {tos:#x}");
    }
    got.zeros = false;
    assert!(compare(&want, Ecn::Any, &got, &mut numbers, None).is_err());
}

#[test]
fn timestamps_count_if_they_shall() {
    let ticks = Some(Ticks {
        length: 1000,
        tolerance: 4000,
    });
    let mut numbers = Numbers::default();
    let mut judge = |want: &str, got: &str, ticks| {
        compare(&tcp(want), Ecn::Any, &seen(got), &mut numbers, ticks).is_ok()
    };
    let stamped = |value| format!(". 1:1(0) ack 1 <nop,nop,TS val {value} ecr 5>");
    assert!(judge(&stamped(100), &stamped(7_000_100), ticks));
    assert!(judge(&stamped(200), &stamped(7_000_204), ticks));
    assert!(!judge(&stamped(300), &stamped(7_000_305), ticks));
    assert!(judge(&stamped(300), &stamped(7_000_999), None));
}
