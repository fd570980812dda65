// SPDX-License-Identifier: GPL-2.0

//! TCP options (RFC 9293, section 3.1).

pub mod classic;
pub mod secure;

use crate::proto::happening::Reject;

/// Octets a TCP header has for options.
pub const SPACE: usize = 40;

/// End of option list.
const END: u8 = 0;
/// No operation.
const NOP: u8 = 1;
/// Timestamps (RFC 7323, section 3.2).
const TIMESTAMPS: u8 = 8;

/// An option as it lies in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// The kind.
    pub kind: u8,
    /// What follows kind and length.
    pub data: &'a [u8],
}

/// Why a walk ended before the octets did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken<'a> {
    /// The kind of the option that cannot be read.
    pub kind: u8,
    /// What there is behind its kind and length.
    pub data: &'a [u8],
    /// What is wrong with it.
    pub reject: Reject,
}

/// A walk over option octets.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    /// Over `octets`, those of a header beyond its first 20.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<Item<'a>, Broken<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (&kind, behind) = self.rest.split_first()?;
            match kind {
                END => {
                    self.rest = &[];
                    return None;
                }
                NOP => self.rest = behind,
                _ => {
                    let item = self.item(kind, behind);
                    if item.is_err() {
                        self.rest = &[];
                    }
                    let data = behind.get(1..).unwrap_or_default();
                    return Some(item.map_err(|reject| Broken { kind, data, reject }));
                }
            }
        }
    }
}

impl<'a> Options<'a> {
    /// The option of `kind` whose length octet and data begin `behind`.
    fn item(&mut self, kind: u8, behind: &'a [u8]) -> Result<Item<'a>, Reject> {
        let (&length, behind) = behind.split_first().ok_or(Reject::Truncated)?;
        // The length counts kind and length as well.
        let data = usize::from(length)
            .checked_sub(2)
            .ok_or(Reject::BadLength)?;
        let (data, rest) = behind.split_at_checked(data).ok_or(Reject::Truncated)?;
        self.rest = rest;
        Ok(Item { kind, data })
    }
}

/// A timestamps option (RFC 7323, section 3.2), in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamps {
    /// TSval.
    pub value: u32,
    /// TSecr.
    pub echo: u32,
}

/// The timestamps among `options`, if they are there and well formed.
pub fn timestamps(options: &[u8]) -> Option<Timestamps> {
    let data = timestamps_data(options)?;
    let (value, echo) = data.split_first_chunk::<4>()?;
    Some(Timestamps {
        value: u32::from_be_bytes(*value),
        echo: u32::from_be_bytes(*echo.first_chunk::<4>()?),
    })
}

/// The timestamps among `options` as Linux writes them: two NOPs, then the option.
pub fn aligned_timestamps(options: &[u8]) -> Option<[u8; 12]> {
    let data = timestamps_data(options)?;
    let mut out = [NOP, NOP, TIMESTAMPS, 10, 0, 0, 0, 0, 0, 0, 0, 0];
    out.last_chunk_mut::<8>()?.copy_from_slice(data);
    Some(out)
}

/// The eight octets of the timestamps option.
fn timestamps_data(options: &[u8]) -> Option<&[u8; 8]> {
    let item = Options::new(options)
        .map_while(Result::ok)
        .find(|item| item.kind == TIMESTAMPS)?;
    item.data.try_into().ok()
}
