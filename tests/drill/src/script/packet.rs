// SPDX-License-Identifier: GPL-2.0

//! Packets: `> [ect0] P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 1 ecr 2>`.

use winnow::combinator::{alt, delimited, opt, preceded};
use winnow::token::take_while;
use winnow::{Parser, Result};

use super::lexeme::{integer, keyword, lexeme, mark, unsigned, word};
use super::options::options;
use super::{Body, Direction, Ecn, Flags, Icmp, Packet, Tcp};

/// A packet of either direction.
pub fn packet(input: &mut &str) -> Result<Packet> {
    let direction = alt((
        mark("<").value(Direction::In),
        mark(">").value(Direction::Out),
    ))
    .parse_next(input)?;
    let ecn = opt(delimited(mark("["), ecn, mark("]")))
        .parse_next(input)?
        .unwrap_or(Ecn::Any);
    let body = alt((icmp.map(Body::Icmp), tcp.map(Body::Tcp))).parse_next(input)?;
    Ok(Packet {
        direction,
        ecn,
        body,
    })
}

fn ecn(input: &mut &str) -> Result<Ecn> {
    alt((
        keyword("noecn").value(Ecn::Is(0)),
        keyword("ect1").value(Ecn::Is(1)),
        keyword("ect0").value(Ecn::Is(2)),
        keyword("ect01").value(Ecn::Capable),
        keyword("ce").value(Ecn::Is(3)),
        preceded(
            keyword("tos"),
            integer.verify_map(|octet| u8::try_from(octet).ok()),
        )
        .map(Ecn::Octet),
    ))
    .parse_next(input)
}

fn tcp(input: &mut &str) -> Result<Tcp> {
    let flags = flags(input)?;
    let (sequence, length) = range(input)?;
    let ack = opt(preceded(keyword("ack"), unsigned)).parse_next(input)?;
    let window = opt(preceded(keyword("win"), short)).parse_next(input)?;
    let urgent = opt(preceded(keyword("urg"), short)).parse_next(input)?;
    let options = opt(options).parse_next(input)?.unwrap_or(Some(Vec::new()));
    Ok(Tcp {
        flags,
        sequence,
        length,
        ack: ack.unwrap_or(0),
        window,
        urgent: urgent.unwrap_or(0),
        options,
    })
}

fn short(input: &mut &str) -> Result<u16> {
    unsigned
        .verify_map(|number| u16::try_from(number).ok())
        .parse_next(input)
}

/// `first:last(length)`, where `last` is the first number that no longer belongs to it.
fn range(input: &mut &str) -> Result<(u32, u16)> {
    (
        unsigned,
        preceded(mark(":"), unsigned),
        delimited(mark("("), short, mark(")")),
    )
        .verify(|(first, last, length)| last.wrapping_sub(*first) == u32::from(*length))
        .map(|(first, _, length)| (first, length))
        .parse_next(input)
}

/// `-`, or letters in any order; instead of E, W and A one digit, the ACE counter.
fn flags(input: &mut &str) -> Result<Flags> {
    lexeme(take_while(1..=9, |c: char| {
        c == '-' || c == '.' || c.is_ascii_alphanumeric()
    }))
    .verify_map(read_flags)
    .parse_next(input)
}

fn read_flags(letters: &str) -> Option<Flags> {
    let mut flags = Flags::default();
    if letters == "-" {
        return Some(flags);
    }
    for letter in letters.chars() {
        flags.bits |= match letter {
            'F' => 0x001,
            'S' => 0x002,
            'R' => 0x004,
            'P' => 0x008,
            '.' => 0x010,
            'U' => 0x020,
            'E' => 0x040,
            'W' => 0x080,
            'A' => 0x100,
            '0'..='7' if !flags.counter => {
                flags.counter = true;
                (letter.to_digit(8)? as u16) << 6
            }
            _ => return None,
        };
    }
    Some(flags)
}

fn icmp(input: &mut &str) -> Result<Icmp> {
    let kind = preceded(keyword("icmp"), word)
        .parse_next(input)?
        .to_owned();
    let code = opt(word.verify(|name: &str| name != "mtu")).parse_next(input)?;
    let mtu = opt(preceded(keyword("mtu"), unsigned)).parse_next(input)?;
    let (sequence, length) = delimited(mark("["), range, mark("]")).parse_next(input)?;
    Ok(Icmp {
        kind,
        code: code.map(str::to_owned),
        mtu,
        sequence,
        length,
    })
}
