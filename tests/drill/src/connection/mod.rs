// SPDX-License-Identifier: GPL-2.0

//! The connection under test: how its numbers in the script and on the wire belong together.
//!
//! As tcpdump does it, numbers in segments with SYN are absolute, and relative to the SYN's in all
//! others. The kernel chooses its own initial sequence number, so this offset is learnt; the other
//! end's is the script's.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::script::{Tcp, TcpOption};
use crate::trouble::{Outcome, Trouble};
use crate::wire::{options, Segment};

#[cfg(test)]
mod tests;

const SYN: u16 = 0x002;
const ACK: u16 = 0x010;

/// What a connection has come to, as far as a script shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A socket, no more.
    New,
    /// It listens.
    Listening,
    /// It was told to connect.
    Connecting,
    /// The script has its SYN.
    SynSent,
    /// That was acknowledged.
    SynAcked,
    /// The script has sent a segment to a listener.
    Received,
    /// The SYN-ACK was seen.
    SynAckSent,
    /// That was acknowledged.
    Acknowledged,
}

/// A connection, or a socket that may become one.
#[derive(Debug)]
pub struct Connection {
    /// What it has come to.
    pub stage: Stage,
    /// The descriptor in the script.
    pub script_fd: Option<i64>,
    /// The descriptor here.
    pub fd: Option<Arc<OwnedFd>>,
    /// This end, once it is known.
    pub local: Option<SocketAddr>,
    /// The end that the script plays.
    pub remote: Option<SocketAddr>,
    /// How numbers are translated.
    pub numbers: Numbers,
}

impl Connection {
    /// A new socket, or none yet.
    pub fn new(stage: Stage) -> Self {
        Self {
            stage,
            script_fd: None,
            fd: None,
            local: None,
            remote: None,
            numbers: Numbers::default(),
        }
    }

    /// Whether the kernel has sent this segment for the connection. A SYN tells a client's port
    /// and initial sequence number.
    pub fn owns(&mut self, segment: &Segment) -> bool {
        if self.remote != Some(segment.destination) {
            return false;
        }
        if self.local == Some(segment.source) {
            return true;
        }
        let first = self.stage == Stage::SynSent && segment.flags & (SYN | ACK) == SYN;
        if first {
            self.local = Some(segment.source);
            self.numbers.live_isn = segment.sequence;
        }
        first
    }

    /// What the script says of a segment to come, before it comes: it may be a handshake's.
    pub fn awaits(&mut self, tcp: &Tcp) {
        match (self.stage, tcp.flags.bits & (SYN | ACK)) {
            (Stage::Connecting, SYN) => {
                self.stage = Stage::SynSent;
                self.numbers.script_isn = tcp.sequence;
            }
            (Stage::Received, bits) if bits == SYN | ACK => {
                self.numbers.script_isn = tcp.sequence;
            }
            _ => {}
        }
    }

    /// A segment that was awaited has come, where the script says `tcp`.
    pub fn sent(&mut self, tcp: &Tcp, segment: &Segment) {
        if self.stage == Stage::Received && tcp.flags.bits & (SYN | ACK) == SYN | ACK {
            self.stage = Stage::SynAckSent;
            self.numbers.live_isn = segment.sequence;
        }
    }

    /// The script sends a segment.
    pub fn receives(&mut self, tcp: &Tcp) {
        match (self.stage, tcp.flags.bits & (SYN | ACK)) {
            (Stage::SynAckSent, bits) if bits & ACK != 0 => self.stage = Stage::Acknowledged,
            (Stage::SynSent, bits) if bits == SYN | ACK => {
                self.stage = Stage::SynAcked;
                self.numbers.remote_isn = tcp.sequence;
            }
            _ => {}
        }
    }
}

/// How the numbers of the script and of the wire belong together.
#[derive(Debug, Default)]
pub struct Numbers {
    /// The kernel's initial sequence number in the script.
    pub script_isn: u32,
    /// The same on the wire.
    pub live_isn: u32,
    /// The other end's.
    pub remote_isn: u32,
    /// Timestamps that the kernel has sent, by those of the script.
    stamps: HashMap<u32, u32>,
    /// The first of them: the script's and the kernel's.
    first: Option<(u32, u32)>,
}

impl Numbers {
    /// What is added to the kernel's numbers in the script.
    pub fn local_offset(&self, syn: bool) -> u32 {
        if syn {
            self.live_isn.wrapping_sub(self.script_isn)
        } else {
            self.live_isn
        }
    }

    fn remote_offset(&self, syn: bool) -> u32 {
        if syn {
            0
        } else {
            self.remote_isn
        }
    }

    /// The segment to inject for what the script says.
    ///
    /// # Errors
    ///
    /// It echoes a timestamp that the kernel has not sent, or its options cannot be written.
    pub fn to_live(
        &self,
        tcp: &Tcp,
        tos: u8,
        source: SocketAddr,
        destination: SocketAddr,
    ) -> Outcome<Segment> {
        let syn = tcp.flags.bits & SYN != 0;
        let acknowledges = tcp.flags.bits & ACK != 0;
        let offset = self.local_offset(syn);
        let listed = tcp
            .options
            .as_ref()
            .ok_or_else(|| Trouble::unsupported("any options in an injected segment"))?;
        let mut live = Vec::new();
        for option in listed {
            live.push(match option {
                TcpOption::Sack(blocks) => TcpOption::Sack(
                    blocks
                        .iter()
                        .map(|block| {
                            block.start.wrapping_add(offset)..block.end.wrapping_add(offset)
                        })
                        .collect(),
                ),
                TcpOption::Timestamp(value, echo) if acknowledges => {
                    let echo = self.stamps.get(echo).ok_or_else(|| {
                        Trouble::failed(
                            format_args!("a timestamp {echo} from the kernel before this"),
                            "none that the script calls so",
                        )
                    })?;
                    TcpOption::Timestamp(*value, *echo)
                }
                other => other.clone(),
            });
        }
        Ok(Segment {
            source,
            destination,
            tos,
            flags: tcp.flags.bits,
            sequence: tcp.sequence.wrapping_add(self.remote_offset(syn)),
            ack: if acknowledges {
                tcp.ack.wrapping_add(offset)
            } else {
                tcp.ack
            },
            window: tcp
                .window
                .ok_or_else(|| Trouble::unsupported("an injected segment without a window"))?,
            urgent: tcp.urgent,
            options: options::encode(&live)?,
            length: usize::from(tcp.length),
            zeros: true,
        })
    }

    /// What the kernel has sent, in the script's numbers; timestamps stay as they are.
    ///
    /// # Errors
    ///
    /// Its options are malformed.
    pub fn to_script(&self, segment: &Segment) -> Outcome<Tcp> {
        let syn = segment.flags & SYN != 0;
        let offset = self.remote_offset(syn);
        let mut listed = options::decode(&segment.options).ok_or_else(|| {
            Trouble::failed(
                "options that are well formed",
                format_args!("{:02x?}", segment.options),
            )
        })?;
        for option in &mut listed {
            if let TcpOption::Sack(blocks) = option {
                for block in blocks {
                    *block = block.start.wrapping_sub(offset)..block.end.wrapping_sub(offset);
                }
            }
        }
        Ok(Tcp {
            flags: crate::script::Flags {
                bits: segment.flags,
                counter: false,
            },
            sequence: segment.sequence.wrapping_sub(self.local_offset(syn)),
            length: u16::try_from(segment.length).unwrap_or(u16::MAX),
            ack: if segment.flags & ACK != 0 {
                segment.ack.wrapping_sub(offset)
            } else {
                segment.ack
            },
            window: Some(segment.window),
            urgent: segment.urgent,
            options: Some(listed),
        })
    }

    /// Learns that the kernel has sent the timestamp `live` where the script says `script`, and
    /// gives what the kernel's clock makes of it: the script's first timestamp, and the ticks
    /// since.
    pub fn stamp(&mut self, script: u32, live: u32) -> u32 {
        self.stamps.insert(script, live);
        let (first_script, first_live) = *self.first.get_or_insert((script, live));
        first_script.wrapping_add(live.wrapping_sub(first_live))
    }
}
