// SPDX-License-Identifier: GPL-2.0

//! TCP options as octets.

use std::fmt::Write;

use crate::script::lexeme::from_hex;
use crate::script::TcpOption;
use crate::trouble::{Outcome, Trouble};

/// What introduces Fast Open's experimental form (RFC 6994, RFC 7413).
const FAST_OPEN_MAGIC: [u8; 2] = [0xf9, 0x89];

/// The octets of options. Scripts pad by themselves.
pub fn encode(options: &[TcpOption]) -> Outcome<Vec<u8>> {
    let mut octets = Vec::new();
    for option in options {
        let (kind, data) = match option {
            TcpOption::End => {
                octets.push(0);
                continue;
            }
            TcpOption::Nop => {
                octets.push(1);
                continue;
            }
            TcpOption::Mss(size) => (2, size.to_be_bytes().to_vec()),
            TcpOption::WindowScale(shift) => (3, vec![*shift]),
            TcpOption::SackPermitted => (4, Vec::new()),
            TcpOption::Sack(blocks) => (
                5,
                blocks
                    .iter()
                    .flat_map(|block| [block.start, block.end])
                    .flat_map(u32::to_be_bytes)
                    .collect(),
            ),
            TcpOption::Timestamp(value, echo) => {
                (8, [value.to_be_bytes(), echo.to_be_bytes()].concat())
            }
            TcpOption::Md5(digest) => (19, digest.clone()),
            TcpOption::FastOpen(cookie) => (34, cookie_octets(cookie)?),
            TcpOption::FastOpenExperimental(cookie) => (
                254,
                [FAST_OPEN_MAGIC.to_vec(), cookie_octets(cookie)?].concat(),
            ),
            TcpOption::AccEcn {
                ect1_first,
                counters,
            } => (
                if *ect1_first { 174 } else { 172 },
                counters
                    .iter()
                    .flat_map(|count| count.to_be_bytes().into_iter().skip(1))
                    .collect(),
            ),
            TcpOption::Other(kind, data) => (*kind, data.clone()),
        };
        octets.push(kind);
        octets.push(2 + data.len() as u8);
        octets.extend(data);
    }
    if octets.len() % 4 != 0 || octets.len() > 40 {
        return Err(Trouble::unsupported(format_args!(
            "options of {} octets",
            octets.len()
        )));
    }
    Ok(octets)
}

fn cookie_octets(cookie: &str) -> Outcome<Vec<u8>> {
    from_hex(cookie).ok_or_else(|| Trouble::unsupported(format_args!("the cookie {cookie}")))
}

/// The options in octets; `None` if they are malformed.
pub fn decode(mut octets: &[u8]) -> Option<Vec<TcpOption>> {
    let mut options = Vec::new();
    while let [kind, rest @ ..] = octets {
        match kind {
            0 => options.push(TcpOption::End),
            1 => options.push(TcpOption::Nop),
            _ => {
                let data = usize::from(*rest.first()?).checked_sub(2)?;
                let (data, after) = rest.get(1..)?.split_at_checked(data)?;
                options.push(single(*kind, data));
                octets = after;
                continue;
            }
        }
        octets = rest;
    }
    Some(options)
}

fn single(kind: u8, data: &[u8]) -> TcpOption {
    let known = match (kind, data) {
        (2, [high, low]) => Some(TcpOption::Mss(u16::from_be_bytes([*high, *low]))),
        (3, [shift]) => Some(TcpOption::WindowScale(*shift)),
        (4, []) => Some(TcpOption::SackPermitted),
        (5, _) => blocks(data),
        (8, _) => match words(data).as_deref() {
            Some([value, echo]) => Some(TcpOption::Timestamp(*value, *echo)),
            _ => None,
        },
        (19, _) => Some(TcpOption::Md5(data.to_vec())),
        (34, _) => Some(TcpOption::FastOpen(hex(data))),
        (172 | 174, _) if data.len() % 3 == 0 => Some(TcpOption::AccEcn {
            ect1_first: kind == 174,
            counters: data
                .chunks(3)
                .map(|count| u32::from_be_bytes([0, count[0], count[1], count[2]]))
                .collect(),
        }),
        (254, _) => data
            .strip_prefix(&FAST_OPEN_MAGIC)
            .map(|cookie| TcpOption::FastOpenExperimental(hex(cookie))),
        _ => None,
    };
    known.unwrap_or_else(|| TcpOption::Other(kind, data.to_vec()))
}

fn words(data: &[u8]) -> Option<Vec<u32>> {
    data.chunks(4)
        .map(|word| Some(u32::from_be_bytes(word.try_into().ok()?)))
        .collect()
}

fn blocks(data: &[u8]) -> Option<TcpOption> {
    let edges = words(data)?;
    edges
        .chunks(2)
        .map(|edges| match edges {
            [left, right] => Some(*left..*right),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()
        .map(TcpOption::Sack)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut digits, octet| {
        // Writing to a text does not fail.
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}
