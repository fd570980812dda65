// SPDX-License-Identifier: GPL-2.0

//! Whether a call ended as the script says, and what follows from it.

use super::arguments::{number, Arguments, Fields};
use super::message;
use super::prepare::event;
use super::request::{Output, Reply};
use super::sockets::Sockets;
use crate::script::{Call, Value};
use crate::symbols;
use crate::trouble::{same, Outcome, Trouble};

/// Compares a reply with what the script says, and keeps new descriptors. `start` is the script's
/// beginning, in microseconds.
///
/// # Errors
///
/// They are different.
pub fn finish(call: &Call, reply: Reply, sockets: &mut Sockets, start: i64) -> Outcome<()> {
    let expected = number(&call.result)?;
    check_result(call, expected, &reply.result)?;
    let arguments = Arguments(call);
    match (&*call.name, reply.output) {
        ("socket", Output::Descriptors(mut new)) => {
            take(&mut new, |fd| sockets.created(expected, fd))
        }
        ("accept", Output::Descriptors(mut new)) => {
            take(&mut new, |fd| sockets.accepted(expected, fd))
        }
        ("pipe", Output::Descriptors(mut new)) => pipe(&arguments, &mut new, sockets),
        (_, Output::Descriptors(mut new)) => {
            take(&mut new, |fd| sockets.opened(expected, fd).map(drop))
        }
        ("listen", _) if expected == 0 => {
            sockets.listens(arguments.number(0)?);
            Ok(())
        }
        ("close", _) => Ok(()),
        ("getsockopt", Output::Octets(octets)) => option(&arguments, &octets),
        ("ioctl", Output::Octets(octets)) => {
            let value = i32::from_ne_bytes(octets.try_into().unwrap_or_default());
            same("the value", arguments.bracketed(2)?, value)
        }
        ("recvmsg", Output::Message { flags, control }) => {
            let fields = arguments.fields(1)?;
            let expected = fields.number("msg_flags")? as i32;
            same("msg_flags", Hex(expected), Hex(flags))?;
            let expected = message::expected(&fields)?;
            message::compare(&expected, &control, start, sockets.config.tolerance)
        }
        ("epoll_wait", Output::Events(events)) => {
            let (flags, data) = event(&arguments.fields(1)?)?;
            let (came, came_data) = events.first().copied().unwrap_or_default();
            same("events", Hex(flags as i32), Hex(came as i32))?;
            same("the events' data", data, came_data)
        }
        ("poll", Output::Ready(ready)) => ready_as_expected(&arguments, &ready),
        _ => Ok(()),
    }
}

#[derive(PartialEq)]
struct Hex(i32);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A call that gives a descriptor shall give any; others, exactly the result.
fn check_result(call: &Call, expected: i64, result: &Result<i64, i32>) -> Outcome<()> {
    let gives_descriptor = ["socket", "accept", "open", "epoll_create"].contains(&&*call.name);
    let agrees = match result {
        Ok(_) if gives_descriptor => expected >= 0,
        Ok(value) => *value == expected,
        Err(errno) => {
            let wanted = match &call.errno {
                Some(name) => Some(number(&Value::Name(name.clone()))?),
                None => None,
            };
            expected == -1 && wanted.is_none_or(|wanted| wanted == i64::from(*errno))
        }
    };
    if agrees {
        return Ok(());
    }
    let name = &call.name;
    let errno = call.errno.as_deref().unwrap_or_default();
    let observed = match result {
        Ok(value) => value.to_string(),
        Err(errno) => format!("-1 {}", symbols::errno_name(*errno)),
    };
    let wanted = format!("{name}() = {expected} {errno}");
    Err(Trouble::failed(wanted.trim_end(), observed))
}

fn take<T>(new: &mut Vec<T>, keep: impl FnOnce(T) -> Outcome<()>) -> Outcome<()> {
    match new.pop() {
        Some(descriptor) => keep(descriptor),
        None => Ok(()),
    }
}

fn pipe(
    arguments: &Arguments<'_>,
    new: &mut Vec<std::os::fd::OwnedFd>,
    sockets: &mut Sockets,
) -> Outcome<()> {
    let Value::List(names) = arguments.at(0)? else {
        return Err(arguments.odd("no list of descriptors"));
    };
    for (name, descriptor) in names.iter().zip(new.drain(..)) {
        sockets.opened(number(name)?, descriptor)?;
    }
    Ok(())
}

fn option(arguments: &Arguments<'_>, octets: &[u8]) -> Outcome<()> {
    same(
        "the option's length",
        arguments.bracketed::<usize>(4)?,
        octets.len(),
    )?;
    match arguments.at(3)? {
        Value::Text(text) if text == octets => Ok(()),
        Value::Text(text) => Err(Trouble::failed(
            format_args!("the option's value {text:02x?}"),
            format_args!("{octets:02x?}"),
        )),
        _ => {
            let expected: i32 = arguments.bracketed(3)?;
            let value = <[u8; 4]>::try_from(octets)
                .map_err(|_| arguments.odd("a number of another length than 4"))?;
            same("the option's value", expected, i32::from_ne_bytes(value))
        }
    }
}

fn ready_as_expected(arguments: &Arguments<'_>, ready: &[i16]) -> Outcome<()> {
    let Value::List(entries) = arguments.at(0)? else {
        return Err(arguments.odd("no list of descriptors"));
    };
    for (entry, came) in entries.iter().zip(ready) {
        if let Value::Fields(fields) = entry {
            let expected = Fields(fields).number("revents")? as i32;
            same("revents", Hex(expected), Hex(i32::from(*came)))?;
        }
    }
    Ok(())
}
