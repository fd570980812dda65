// SPDX-License-Identifier: GPL-2.0

//! Segments in the language of scripts, for messages.

use std::fmt::{Display, Formatter, Result};

use super::{Ecn, Flags, Packet, Tcp, TcpOption};

impl Display for Ecn {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Any => Ok(()),
            Self::Capable => f.write_str("[ect01] "),
            Self::Octet(octet) => write!(f, "[tos {octet:#x}] "),
            Self::Is(bits) => {
                let name = ["noecn", "ect1", "ect0", "ce"][usize::from(bits & 3)];
                write!(f, "[{name}] ")
            }
        }
    }
}

impl Display for Flags {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut letters = String::new();
        for (bit, letter) in [
            (0x001, 'F'),
            (0x002, 'S'),
            (0x004, 'R'),
            (0x008, 'P'),
            (0x020, 'U'),
        ] {
            if self.bits & bit != 0 {
                letters.push(letter);
            }
        }
        if !self.counter {
            for (bit, letter) in [(0x040, 'E'), (0x080, 'W'), (0x100, 'A')] {
                if self.bits & bit != 0 {
                    letters.push(letter);
                }
            }
        }
        if self.bits & 0x010 != 0 {
            letters.push('.');
        }
        if self.counter {
            letters.push_str(&((self.bits >> 6) & 7).to_string());
        }
        if self.bits & 0xe00 != 0 {
            letters.push_str("(reserved)");
        }
        f.write_str(if letters.is_empty() { "-" } else { &letters })
    }
}

impl Display for TcpOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::End => f.write_str("eol"),
            Self::Nop => f.write_str("nop"),
            Self::Mss(size) => write!(f, "mss {size}"),
            Self::WindowScale(shift) => write!(f, "wscale {shift}"),
            Self::SackPermitted => f.write_str("sackOK"),
            Self::Sack(blocks) => {
                f.write_str("sack")?;
                blocks
                    .iter()
                    .try_for_each(|block| write!(f, " {}:{}", block.start, block.end))
            }
            Self::Timestamp(value, echo) => write!(f, "TS val {value} ecr {echo}"),
            Self::FastOpen(cookie) => write!(f, "FO {cookie}"),
            Self::FastOpenExperimental(cookie) => write!(f, "FOEXP {cookie}"),
            Self::Md5(digest) => write!(f, "md5 {digest:02x?}"),
            Self::AccEcn {
                ect1_first,
                counters,
            } => {
                let names = if *ect1_first {
                    ["e1b", "ceb", "e0b"]
                } else {
                    ["e0b", "ceb", "e1b"]
                };
                f.write_str("ECN")?;
                names
                    .iter()
                    .zip(counters)
                    .try_for_each(|(name, count)| write!(f, " {name} {count}"))
            }
            Self::Other(kind, data) => write!(f, "kind {kind} {data:02x?}"),
        }
    }
}

impl Display for Tcp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self {
            flags,
            sequence,
            length,
            ..
        } = self;
        let end = sequence.wrapping_add(u32::from(*length));
        write!(f, "{flags} {sequence}:{end}({length})")?;
        if flags.bits & 0x010 != 0 {
            write!(f, " ack {}", self.ack)?;
        }
        if let Some(window) = self.window {
            write!(f, " win {window}")?;
        }
        if self.urgent != 0 {
            write!(f, " urg {}", self.urgent)?;
        }
        match &self.options {
            None => f.write_str(" <...>"),
            Some(options) if options.is_empty() => Ok(()),
            Some(options) => {
                let options: Vec<String> = options.iter().map(TcpOption::to_string).collect();
                write!(f, " <{}>", options.join(","))
            }
        }
    }
}

impl Display for Packet {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.body {
            super::Body::Tcp(tcp) => write!(f, "{}{tcp}", self.ecn),
            super::Body::Icmp(icmp) => write!(f, "icmp {}", icmp.kind),
        }
    }
}
