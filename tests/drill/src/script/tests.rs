// SPDX-License-Identifier: GPL-2.0

use std::collections::HashMap;

use proptest::prelude::*;

use super::{define, parse, Action, Body, Direction, Ecn, Event, Script, TcpOption, Time, Value};

fn script(text: &str) -> Script {
    parse(text).unwrap_or_else(|(line, text)| panic!("line {line}: {text}"))
}

fn event(text: &str) -> Event {
    script(text).events.remove(0)
}

fn tcp(text: &str) -> super::Tcp {
    match event(text).action {
        Action::Packet(packet) => match packet.body {
            Body::Tcp(tcp) => tcp,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn call(text: &str) -> super::Call {
    match event(text).action {
        Action::Call(call) => call,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_script_has_settings_commands_and_events() {
    let script = script(
        "// first\n--mss=900\t// why\n--quiet\n\n/* two\nlines */`prepare\nmore`\n\
         0 close(3) = 0 // over\n `late`\n",
    );
    let settings = [
        ("mss".to_owned(), Some("900".to_owned())),
        ("quiet".to_owned(), None),
    ];
    assert_eq!(script.settings, settings);
    let init = script.init.unwrap();
    assert_eq!((&*init.text, init.line), ("prepare\nmore", 6));
    assert_eq!(script.events.len(), 1);
    assert_eq!(script.events[0].line, 8);
    assert_eq!(script.cleanup.unwrap().text, "late");
}

#[test]
fn times_are_absolute_relative_ranges_or_any() {
    for (text, expected) in [
        ("0.5", Time::Absolute(500_000)),
        ("+.002", Time::Relative(2000)),
        ("+1", Time::Relative(1_000_000)),
        ("*", Time::Any),
        ("1~1.5", Time::AbsoluteRange(1_000_000, 1_500_000)),
        ("+.3~+.31", Time::RelativeRange(300_000, 310_000)),
        ("+.02 ~ +2", Time::RelativeRange(20_000, 2_000_000)),
    ] {
        assert_eq!(event(&format!("{text} `true`")).time, expected, "{text}");
    }
}

#[test]
fn calls_that_block_have_an_end() {
    for (text, end) in [
        ("+0...0.2 accept(3, ..., ...) = 4", 200_000),
        ("+.002 ... 1.5 accept(3, ..., ...) = 4", 1_500_000),
        ("0...1 accept(3, ..., ...) = 4", 1_000_000),
    ] {
        assert_eq!(call(text).end, Some(end), "{text}");
    }
    assert_eq!(call("+0 accept(3, ..., ...) = 4").end, None);
}

#[test]
fn flags_are_letters_or_a_counter() {
    for (text, bits, counter) in [
        ("S", 0x002, false),
        ("SEWA", 0x1c2, false),
        ("FPU.", 0x039, false),
        ("R.", 0x014, false),
        ("-", 0, false),
        (".5", 0x150, true),
        ("P.7", 0x1d8, true),
        ("F0.", 0x011, true),
    ] {
        let flags = tcp(&format!("0 > {text} 1:1(0)")).flags;
        assert_eq!((flags.bits, flags.counter), (bits, counter), "{text}");
    }
    assert!(parse("0 > Q. 1:1(0)").is_err());
    assert!(parse("0 > .89 1:1(0)").is_err());
}

#[test]
fn segments_have_numbers_window_and_options() {
    let text = "0 < PU. 7:17(10) ack 3 win 99 urg 5 <mss 1000,nop,TS val 8 ecr 9,sack 1:2 4:6>";
    let tcp = tcp(text);
    assert_eq!((tcp.sequence, tcp.length, tcp.ack), (7, 10, 3));
    assert_eq!((tcp.window, tcp.urgent), (Some(99), 5));
    let options = [
        TcpOption::Mss(1000),
        TcpOption::Nop,
        TcpOption::Timestamp(8, 9),
        TcpOption::Sack(vec![1..2, 4..6]),
    ];
    assert_eq!(tcp.options.as_deref(), Some(&options[..]));
    assert_eq!(super::tests::tcp("0 > . 1:1(0) ack 1 <...>").options, None);
    assert_eq!(
        super::tests::tcp("0 > . 1:1(0) ack 1").options,
        Some(vec![])
    );
}

#[test]
fn a_length_that_is_not_the_numbers_difference_is_refused() {
    assert!(parse("0 > . 1:10(10) ack 1").is_err());
}

#[test]
fn accurate_ecn_counters_have_two_orders() {
    let option = |text: &str| {
        tcp(&format!("0 > . 1:1(0) <ECN {text}>"))
            .options
            .unwrap()
            .remove(0)
    };
    let expected = |ect1_first, counters: &[u32]| TcpOption::AccEcn {
        ect1_first,
        counters: counters.to_vec(),
    };
    assert_eq!(option("e1b 1 ceb 2 e0b 3"), expected(true, &[1, 2, 3]));
    assert_eq!(option("e0b 1 ceb 2"), expected(false, &[1, 2]));
    assert!(parse("0 > . 1:1(0) <ECN ceb 1>").is_err());
}

#[test]
fn packets_have_directions_and_ecn_bits() {
    let packet = |text: &str| match event(text).action {
        Action::Packet(packet) => (packet.direction, packet.ecn),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        packet("0 < [ce] . 1:1(0) win 1"),
        (Direction::In, Ecn::Is(3))
    );
    assert_eq!(
        packet("0 > [ect01] . 1:1(0)"),
        (Direction::Out, Ecn::Capable)
    );
    assert_eq!(packet("0 > . 1:1(0)"), (Direction::Out, Ecn::Any));
}

#[test]
fn icmp_errors_quote_a_segment() {
    let Action::Packet(packet) = event("0 < icmp unreachable frag_needed mtu 900 [1:5(4)]").action
    else {
        panic!("no packet");
    };
    let Body::Icmp(icmp) = packet.body else {
        panic!("no ICMP");
    };
    assert_eq!(
        (&*icmp.kind, icmp.code.as_deref()),
        ("unreachable", Some("frag_needed"))
    );
    assert_eq!((icmp.mtu, icmp.sequence, icmp.length), (Some(900), 1, 4));
}

#[test]
fn arguments_are_of_many_kinds() {
    let call = call(
        r#"0 f(3, ..., A|B, [4, -5], "\x01a\n", {..., 0}, 0x1f, {g(2)=[], h={i=J}}) = -1 EIO (x y)"#,
    );
    let name = |name: &str| Value::Name(name.into());
    assert_eq!(
        call.arguments[..3],
        [
            Value::Integer(3),
            Value::Dots,
            Value::Or(vec![name("A"), name("B")])
        ]
    );
    assert_eq!(
        call.arguments[3],
        Value::List(vec![Value::Integer(4), Value::Integer(-5)])
    );
    assert_eq!(call.arguments[4], Value::Text(b"\x01a\n".to_vec()));
    assert_eq!(
        call.arguments[5],
        Value::Tuple(vec![Value::Dots, Value::Integer(0)])
    );
    assert_eq!(call.arguments[6], Value::Integer(31));
    let Value::Fields(fields) = &call.arguments[7] else {
        panic!("{:?}", call.arguments[7]);
    };
    assert_eq!(fields[0].value, Value::List(vec![]));
    assert!(matches!(&fields[1].value, Value::Fields(inner) if inner[0].value == name("J")));
    assert_eq!(call.result, Value::Integer(-1));
    assert_eq!(call.errno.as_deref(), Some("EIO"));
}

#[test]
fn definitions_are_put_in_everywhere() {
    let mut script = script("0 < S 0:0(0) win 1 <FO COOKIE>\n0 f([{a=LEVEL}], COUNT) = 0");
    let definitions = [("COOKIE", "0a0b"), ("LEVEL", "SOL_IP"), ("COUNT", "7")];
    let definitions: HashMap<_, _> = definitions
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    define(&mut script, &definitions);
    let shown = format!("{script:?}");
    assert!(shown.contains("FastOpen(\"0a0b\")"), "{shown}");
    assert!(shown.contains("Name(\"SOL_IP\")"), "{shown}");
    assert!(shown.contains("Integer(7)"), "{shown}");
}

#[test]
fn what_is_not_understood_has_a_line() {
    assert_eq!(parse("0 f() = 0\n+0 ? x\n"), Err((2, "+0 ? x".to_owned())));
    assert_eq!(
        parse("0 f() = 0\n`a`\n`b`").map_err(|(line, _)| line),
        Err(3)
    );
    assert!(parse("0 f() = 0\n--mss=1").is_err());
}

#[test]
fn segments_are_shown_as_they_are_written() {
    for text in [
        "SEWA 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8>",
        "P.5 1:11(10) ack 1 win 3 <ECN e1b 1 ceb 0,nop,nop,nop,nop>",
        "FU. 1:1(0) ack 4 urg 7",
        ". 1:1(0) ack 1 <...>",
        "- 1:1(0)",
    ] {
        assert_eq!(tcp(&format!("0 > {text}")).to_string(), text);
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "([-+*0-9.:()<>\\[\\]{}=|,`%\"a-zS \n]){0,60}") {
        let _ = parse(&text);
    }
}
