// SPDX-License-Identifier: GPL-2.0

//! TCP options: `<mss 1000,sackOK,nop,wscale 7>`.

use std::ops::Range;

use winnow::combinator::{alt, delimited, fail, opt, preceded, repeat, separated};
use winnow::{Parser, Result};

use super::lexeme::{keyword, mark, octets, unsigned, word};
use super::TcpOption;

/// The options of a segment; `None` if any will do.
pub fn options(input: &mut &str) -> Result<Option<Vec<TcpOption>>> {
    delimited(
        mark("<"),
        alt((
            mark("...").value(None),
            separated(0.., option, mark(",")).map(Some),
        )),
        mark(">"),
    )
    .parse_next(input)
}

fn option(input: &mut &str) -> Result<TcpOption> {
    Ok(match word(input)? {
        "nop" => TcpOption::Nop,
        "eol" => TcpOption::End,
        "sackOK" => TcpOption::SackPermitted,
        "mss" => TcpOption::Mss(small(input)?),
        "wscale" => TcpOption::WindowScale(small(input)?),
        "sack" => TcpOption::Sack(repeat(1.., block).parse_next(input)?),
        "TS" => timestamp(input)?,
        "FO" => TcpOption::FastOpen(cookie(input)?),
        "FOEXP" => TcpOption::FastOpenExperimental(cookie(input)?),
        "md5" => TcpOption::Md5(octets(input)?),
        "ECN" => accurate_ecn(input)?,
        _ => return fail.parse_next(input),
    })
}

fn cookie(input: &mut &str) -> Result<String> {
    Ok(opt(word).parse_next(input)?.unwrap_or_default().to_owned())
}

fn small<T: TryFrom<u32>>(input: &mut &str) -> Result<T> {
    unsigned
        .verify_map(|number| T::try_from(number).ok())
        .parse_next(input)
}

fn block(input: &mut &str) -> Result<Range<u32>> {
    (unsigned, preceded(mark(":"), unsigned))
        .map(|(left, right)| left..right)
        .parse_next(input)
}

fn timestamp(input: &mut &str) -> Result<TcpOption> {
    (
        preceded(keyword("val"), unsigned),
        preceded(keyword("ecr"), unsigned),
    )
        .map(|(value, echo)| TcpOption::Timestamp(value, echo))
        .parse_next(input)
}

/// The counters stand in one of two orders, of which the last may be missing.
fn accurate_ecn(input: &mut &str) -> Result<TcpOption> {
    let counters: Vec<(&str, u32)> = repeat(0..=3, (word, unsigned)).parse_next(input)?;
    let names: Vec<&str> = counters.iter().map(|(name, _)| *name).collect();
    let ect1_first = ["e1b", "ceb", "e0b"].starts_with(&names);
    if !ect1_first && !["e0b", "ceb", "e1b"].starts_with(&names) {
        return fail.parse_next(input);
    }
    Ok(TcpOption::AccEcn {
        ect1_first,
        counters: counters.into_iter().map(|(_, count)| count).collect(),
    })
}
