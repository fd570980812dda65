// SPDX-License-Identifier: GPL-2.0

//! The whole script: settings, events and their times.

use winnow::ascii::till_line_ending;
use winnow::combinator::{alt, opt, preceded};
use winnow::token::take_while;
use winnow::{Parser, Result};

use super::call::call;
use super::lexeme::{blanks, code, command, lexeme, mark, word};
use super::packet::packet;
use super::{Action, Command, Event, Script, Time};

/// Reads a script.
///
/// # Errors
///
/// The line, from 1, of what is not understood, and the text that is there.
pub fn parse(text: &str) -> std::result::Result<Script, (usize, String)> {
    let mut script = Script::default();
    let mut rest = text;
    // Blanks cannot fail: there may be none.
    let _: Result<()> = blanks(&mut rest);
    while !rest.is_empty() {
        let line = 1 + text[..text.len() - rest.len()].matches('\n').count();
        let before = rest;
        item(&mut rest, line, &mut script).map_err(|_| {
            let excerpt = before.lines().next().unwrap_or_default();
            (line, excerpt.trim().to_owned())
        })?;
    }
    Ok(script)
}

/// Reads one thing at the top level. A command without a time is the first of the script or the
/// last.
fn item(input: &mut &str, line: usize, script: &mut Script) -> Result<()> {
    if script.cleanup.is_some() {
        return winnow::combinator::fail.parse_next(input);
    }
    if let Some(text) = opt(command).parse_next(input)? {
        let command = Some(Command { text, line });
        if script.init.is_none() && script.events.is_empty() {
            script.init = command;
        } else {
            script.cleanup = command;
        }
    } else if script.events.is_empty() && input.starts_with("--") {
        script.settings.push(setting(input)?);
    } else {
        script.events.push(event(input, line)?);
    }
    Ok(())
}

/// `--name=value` or `--name`.
fn setting(input: &mut &str) -> Result<(String, Option<String>)> {
    let name = preceded("--", word).parse_next(input)?.to_owned();
    let value = opt(preceded(
        '=',
        till_line_ending.map(|text: &str| {
            let text = text.split("//").next().unwrap_or_default();
            text.trim().to_owned()
        }),
    ))
    .parse_next(input)?;
    blanks(input)?;
    Ok((name, value))
}

fn event(input: &mut &str, line: usize) -> Result<Event> {
    let time = time(input)?;
    let end = opt(preceded(mark("..."), microseconds)).parse_next(input)?;
    let action = if end.is_some() {
        Action::Call(call(input, end)?)
    } else {
        alt((
            packet.map(Action::Packet),
            command.map(Action::Command),
            code.map(Action::Code),
            |input: &mut &str| call(input, None).map(Action::Call),
        ))
        .parse_next(input)?
    };
    Ok(Event { line, time, action })
}

fn time(input: &mut &str) -> Result<Time> {
    if opt(mark("*")).parse_next(input)?.is_some() {
        return Ok(Time::Any);
    }
    let relative = opt(mark("+")).parse_next(input)?.is_some();
    let start = microseconds(input)?;
    let end = opt(preceded((mark("~"), opt(mark("+"))), microseconds)).parse_next(input)?;
    Ok(match (relative, end) {
        (false, None) => Time::Absolute(start),
        (true, None) => Time::Relative(start),
        (false, Some(end)) => Time::AbsoluteRange(start, end),
        (true, Some(end)) => Time::RelativeRange(start, end),
    })
}

/// Seconds with a point, in microseconds. `0...1` is a number, three points and a number.
fn microseconds(input: &mut &str) -> Result<i64> {
    lexeme((digits, fraction).verify_map(|(whole, part)| {
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let micros: String = part.chars().chain("000000".chars()).take(6).collect();
        format!("0{whole}{micros}").parse().ok()
    }))
    .parse_next(input)
}

fn digits<'a>(input: &mut &'a str) -> Result<&'a str> {
    take_while(0.., |c: char| c.is_ascii_digit()).parse_next(input)
}

fn fraction<'a>(input: &mut &'a str) -> Result<&'a str> {
    if input.starts_with("...") {
        return Ok("");
    }
    Ok(opt(preceded('.', digits))
        .parse_next(input)?
        .unwrap_or_default())
}
