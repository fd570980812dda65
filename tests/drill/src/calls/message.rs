// SPDX-License-Identifier: GPL-2.0

//! `struct msghdr`: its parts, and the control messages that a script expects.

use super::arguments::{number, Fields};
use crate::script::Value;
use crate::trouble::{same, Outcome, Trouble};

/// A control message that shall come.
#[derive(Debug, PartialEq)]
pub struct Expected {
    level: i32,
    kind: i32,
    data: Data,
}

/// What is in a control message.
#[derive(Debug, PartialEq)]
enum Data {
    /// An integer.
    Integer(i32),
    /// The beginning of `struct sock_extended_err` (include/uapi/linux/errqueue.h).
    Error([i64; 6]),
    /// A software timestamp, in microseconds since the script's beginning; zero is not compared.
    Timestamp(i64),
}

/// The lengths of the parts of `msg_iov`.
pub fn lengths(fields: &Fields<'_>) -> Outcome<Vec<usize>> {
    let odd = || Trouble::unsupported("msg_iov of another form than [{..., LENGTH}]");
    let Some(Value::List(parts)) = fields.get("msg_iov") else {
        return Err(odd());
    };
    parts
        .iter()
        .map(|part| match part {
            Value::Tuple(pair) => match &pair[..] {
                [Value::Dots, length] => usize::try_from(number(length)?).map_err(|_| odd()),
                _ => Err(odd()),
            },
            _ => Err(odd()),
        })
        .collect()
}

/// The control messages of `msg_control`.
pub fn expected(fields: &Fields<'_>) -> Outcome<Vec<Expected>> {
    match fields.get("msg_control") {
        None => Ok(Vec::new()),
        Some(Value::List(messages)) => messages.iter().map(single).collect(),
        Some(_) => Err(Trouble::unsupported("msg_control that is no list")),
    }
}

fn single(message: &Value) -> Outcome<Expected> {
    let Value::Fields(fields) = message else {
        return Err(Trouble::unsupported(
            "a control message that is no structure",
        ));
    };
    let fields = Fields(fields);
    fields.only(&["cmsg_level", "cmsg_type", "cmsg_data"])?;
    let data = match fields.get("cmsg_data") {
        Some(Value::Fields(inner)) => structure(&Fields(inner))?,
        Some(value) => Data::Integer(number(value)? as i32),
        None => return Err(Trouble::unsupported("a control message without data")),
    };
    Ok(Expected {
        level: fields.number("cmsg_level")? as i32,
        kind: fields.number("cmsg_type")? as i32,
        data,
    })
}

fn structure(fields: &Fields<'_>) -> Outcome<Data> {
    if fields.get("scm_sec").is_some() {
        fields.only(&["scm_sec", "scm_nsec"])?;
        let (seconds, nanoseconds) = (fields.number("scm_sec")?, fields.number("scm_nsec")?);
        return Ok(Data::Timestamp(seconds * 1_000_000 + nanoseconds / 1000));
    }
    let names = [
        "ee_errno",
        "ee_origin",
        "ee_type",
        "ee_code",
        "ee_info",
        "ee_data",
    ];
    fields.only(&names)?;
    let mut values = [0; 6];
    for (value, name) in values.iter_mut().zip(names) {
        *value = fields.number(name)?;
    }
    Ok(Data::Error(values))
}

/// Compares control messages that have come with those that shall. `start` is the script's
/// beginning, times are in microseconds.
///
/// # Errors
///
/// They are different.
pub fn compare(expected: &[Expected], control: &[u8], start: i64, tolerance: i64) -> Outcome<()> {
    let came = split(control);
    same("control messages", expected.len(), came.len())?;
    for (expected, (level, kind, data)) in expected.iter().zip(came) {
        same("cmsg_level", expected.level, level)?;
        same("cmsg_type", expected.kind, kind)?;
        match &expected.data {
            Data::Integer(value) => same("cmsg_data", *value, integer(data, 0) as i32)?,
            Data::Error(values) => error(values, data)?,
            Data::Timestamp(0) => {}
            Data::Timestamp(time) => {
                let micros = long(data, 0) * 1_000_000 + long(data, 8) / 1000 - start;
                if (micros - time).abs() > tolerance {
                    return Err(Trouble::failed(
                        format_args!("a timestamp of {time} us"),
                        format_args!("one of {micros} us"),
                    ));
                }
            }
        }
    }
    Ok(())
}

fn error(values: &[i64; 6], data: &[u8]) -> Outcome<()> {
    let octet = |at: usize| i64::from(data.get(at).copied().unwrap_or(0));
    same("ee_errno", values[0], integer(data, 0))?;
    same("ee_origin", values[1], octet(4))?;
    same("ee_type", values[2], octet(5))?;
    same("ee_code", values[3], octet(6))?;
    same("ee_info", values[4], integer(data, 8))?;
    same("ee_data", values[5], integer(data, 12))
}

/// Level, kind and data of each control message (cmsg(3)).
fn split(mut control: &[u8]) -> Vec<(i32, i32, &[u8])> {
    const HEADER: usize = 16;
    let mut messages = Vec::new();
    while control.len() >= HEADER {
        let length = long(control, 0) as usize;
        let Some(data) = control.get(HEADER..length) else {
            break;
        };
        let (level, kind) = (integer(control, 8), integer(control, 12));
        messages.push((level as i32, kind as i32, data));
        control = control
            .get(length.next_multiple_of(8)..)
            .unwrap_or_default();
    }
    messages
}

fn integer(octets: &[u8], at: usize) -> i64 {
    let four = octets.get(at..at + 4).and_then(|four| four.try_into().ok());
    i64::from(u32::from_ne_bytes(four.unwrap_or_default()))
}

fn long(octets: &[u8], at: usize) -> i64 {
    let eight = octets
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok());
    i64::from_ne_bytes(eight.unwrap_or_default())
}
