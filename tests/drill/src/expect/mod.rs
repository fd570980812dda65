// SPDX-License-Identifier: GPL-2.0

//! Whether a segment is the one that the script expects.

use crate::connection::Numbers;
use crate::script::{Ecn, Tcp, TcpOption};
use crate::trouble::{Outcome, Trouble};

#[cfg(test)]
mod tests;

/// How far timestamps may be off: microseconds of a tick, and of tolerance.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    /// Microseconds of a tick.
    pub length: i64,
    /// Microseconds of tolerance.
    pub tolerance: i64,
}

/// A segment of the kernel in the script's numbers.
#[derive(Debug)]
pub struct Seen {
    /// The segment.
    pub tcp: Tcp,
    /// The octet of the IP header that the ECN bits are part of.
    pub tos: u8,
    /// Whether the payload is zeros only.
    pub zeros: bool,
}

/// Compares what the kernel has sent with what the script says, and learns its timestamp.
///
/// # Errors
///
/// What is different.
pub fn compare(
    want: &Tcp,
    ecn: Ecn,
    seen: &Seen,
    numbers: &mut Numbers,
    ticks: Option<Ticks>,
) -> Outcome<()> {
    let got = &seen.tcp;
    let stamps = learn_timestamp(want, got, numbers);
    let different = if !ecn_matches(ecn, seen.tos) {
        "ECN bits"
    } else if want.flags.bits != got.flags.bits {
        "flags"
    } else if want.sequence != got.sequence {
        "sequence number"
    } else if want.length != got.length {
        "length"
    } else if want.ack != got.ack {
        "acknowledgment number"
    } else if want.window.is_some() && want.window != got.window {
        "window"
    } else if want.urgent != got.urgent {
        "urgent pointer"
    } else if !options_match(want, got) {
        "options"
    } else if !seen.zeros {
        "payload, which is not zeros"
    } else if !timestamp_in_time(stamps, ticks) {
        return timestamp_off(want, stamps);
    } else {
        return Ok(());
    };
    let shown = Tcp {
        window: want.window.and(got.window),
        flags: crate::script::Flags {
            counter: want.flags.counter,
            ..got.flags
        },
        ..got.clone()
    };
    let ecn_seen = match ecn {
        Ecn::Any => Ecn::Any,
        Ecn::Octet(_) => Ecn::Octet(seen.tos),
        _ => Ecn::Is(seen.tos & 3),
    };
    Err(Trouble::failed(
        format_args!("the segment `{ecn}{want}`"),
        format_args!("`{ecn_seen}{shown}`, different in {different}"),
    ))
}

fn ecn_matches(want: Ecn, tos: u8) -> bool {
    match want {
        Ecn::Any => true,
        Ecn::Is(bits) => tos & 3 == bits,
        Ecn::Capable => matches!(tos & 3, 1 | 2),
        Ecn::Octet(octet) => tos == octet,
    }
}

/// The timestamp's value the script says, and the one the kernel's clock makes of it.
fn learn_timestamp(want: &Tcp, got: &Tcp, numbers: &mut Numbers) -> Option<(u32, u32)> {
    let (script, live) = (timestamp(want)?, timestamp(got)?);
    Some((script, numbers.stamp(script, live)))
}

fn timestamp(tcp: &Tcp) -> Option<u32> {
    tcp.options
        .iter()
        .flatten()
        .find_map(|option| match option {
            TcpOption::Timestamp(value, _) => Some(*value),
            _ => None,
        })
}

/// The same options in the same order. Values of timestamps are judged by themselves.
fn options_match(want: &Tcp, got: &Tcp) -> bool {
    let (Some(want), Some(got)) = (&want.options, &got.options) else {
        return true;
    };
    want.len() == got.len()
        && want.iter().zip(got).all(|pair| match pair {
            (TcpOption::Timestamp(_, want), TcpOption::Timestamp(_, got)) => want == got,
            (want, got) => want == got,
        })
}

fn timestamp_in_time(stamps: Option<(u32, u32)>, ticks: Option<Ticks>) -> bool {
    match (stamps, ticks) {
        (Some((script, live)), Some(ticks)) => {
            let off = i64::from(live.wrapping_sub(script) as i32).abs();
            off * ticks.length <= ticks.tolerance
        }
        _ => true,
    }
}

fn timestamp_off(want: &Tcp, stamps: Option<(u32, u32)>) -> Outcome<()> {
    let (script, live) = stamps.unwrap_or_default();
    Err(Trouble::failed(
        format_args!("the timestamp {script} in `{want}`"),
        format_args!("{live}, too far from it"),
    ))
}
