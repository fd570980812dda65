// SPDX-License-Identifier: GPL-2.0

//! The frames in which a stream is sent: 24 octets of header, then perhaps a body.
//!
//! | octets | meaning |
//! | --- | --- |
//! | 0-1 | `TC` |
//! | 2 | kind |
//! | 3 | flag (0 or 1) |
//! | 4-7 | check over the other octets |
//! | 8-15 | value, its meaning depends on the kind |
//! | 16-23 | octets of the pattern sent before this frame in this direction |
//!
//! Numbers are big-endian. `Data` is followed by `value` octets of the pattern, `End` by the
//! SHA-256 of everything sent before it in this direction, its own header included.

use crate::random::mix;

/// Octets of a header.
pub const HEADER: usize = 24;
/// Octets of the digest behind `End`.
pub const DIGEST: usize = 32;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// First frame of a client: the seed both directions follow from.
    Hello { seed: u64 },
    /// That many octets of the pattern follow.
    Data { count: u64 },
    /// Send me that many octets, then a `Report`.
    Request { count: u64 },
    /// So many octets of the pattern have arrived here and were right.
    Report { received: u64 },
    /// Send at full speed (`on`), or stop that and send a `Report`.
    Bulk { on: bool },
    /// Send records of `size` octets every `interval_ms`, or stop (`on` false) and `Report`.
    Records {
        on: bool,
        size: u32,
        interval_ms: u32,
    },
    /// Nothing follows in this direction; a digest of 32 octets, then FIN. With `hold` the
    /// other direction stays open until its sender is told to end it.
    End { hold: bool },
}

impl Frame {
    /// The header, for a frame with `position` octets of the pattern before it.
    pub fn emit(self, position: u64) -> [u8; HEADER] {
        let (kind, flag, value) = match self {
            Self::Hello { seed } => (1, false, seed),
            Self::Data { count } => (2, false, count),
            Self::Request { count } => (3, false, count),
            Self::Report { received } => (4, false, received),
            Self::Bulk { on } => (5, on, 0),
            Self::Records {
                on,
                size,
                interval_ms,
            } => (6, on, (u64::from(size) << 32) | u64::from(interval_ms)),
            Self::End { hold } => (7, hold, DIGEST as u64),
        };
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&[b'T', b'C', kind, u8::from(flag)]);
        header[8..16].copy_from_slice(&value.to_be_bytes());
        header[16..].copy_from_slice(&position.to_be_bytes());
        let check = check(kind, flag, value, position);
        header[4..8].copy_from_slice(&check.to_be_bytes());
        header
    }

    /// The frame and the position in a header; `None` if it is no header.
    pub fn parse(header: &[u8; HEADER]) -> Option<(Self, u64)> {
        let word = |at: usize| {
            header[at..at + 8]
                .iter()
                .fold(0u64, |word, octet| (word << 8) | u64::from(*octet))
        };
        let (kind, flag, value, position) = (header[2], header[3] == 1, word(8), word(16));
        let expected = [b'T', b'C', kind, u8::from(flag)];
        let sum = (word(0) & 0xffff_ffff) as u32;
        if header[..4] != expected || sum != check(kind, flag, value, position) {
            return None;
        }
        let frame = match kind {
            1 => Self::Hello { seed: value },
            2 => Self::Data { count: value },
            3 => Self::Request { count: value },
            4 => Self::Report { received: value },
            5 => Self::Bulk { on: flag },
            6 => {
                let (size, interval_ms) = ((value >> 32) as u32, value as u32);
                Self::Records {
                    on: flag,
                    size,
                    interval_ms,
                }
            }
            7 => Self::End { hold: flag },
            _ => return None,
        };
        Some((frame, position))
    }
}

/// 32 bits that depend on every field of a header.
fn check(kind: u8, flag: bool, value: u64, position: u64) -> u32 {
    (mix(mix(value ^ (u64::from(kind) << 56) ^ (u64::from(flag) << 48)) ^ position) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Frame; 9] = [
        Frame::Hello { seed: u64::MAX },
        Frame::Data { count: 65536 },
        Frame::Request { count: 1 },
        Frame::Report { received: 1 << 40 },
        Frame::Bulk { on: true },
        Frame::Bulk { on: false },
        Frame::Records {
            on: true,
            size: 64,
            interval_ms: 10,
        },
        Frame::End { hold: true },
        Frame::End { hold: false },
    ];

    #[test]
    fn emit_then_parse() {
        for frame in ALL {
            assert_eq!(Frame::parse(&frame.emit(77)), Some((frame, 77)));
        }
    }

    #[test]
    fn any_wrong_octet_is_refused() {
        for frame in ALL {
            let header = frame.emit(0x0102_0304_0506);
            for index in 0..HEADER {
                let mut wrong = header;
                wrong[index] ^= 0x41;
                assert_eq!(Frame::parse(&wrong), None, "{frame:?} octet {index}");
            }
        }
    }
}
