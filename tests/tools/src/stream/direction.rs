// SPDX-License-Identifier: GPL-2.0

//! The two directions of a connection, without input or output: what is to be written next, and
//! whether what was read is right.

use std::collections::VecDeque;

use sha2::Digest;
use sha2::Sha256;

use super::failure::Failure;
use super::frame::Frame;
use super::frame::DIGEST;
use super::frame::HEADER;
use super::pattern::Pattern;

/// Octets kept ready for the socket; more is made only when these are gone.
const CHUNK: usize = 64 * 1024;

/// What is to be sent, in order.
enum Item {
    Frame(Frame),
    /// Octets of the pattern still to come of a `Data` frame.
    Pattern(u64),
}

/// The sending direction.
pub struct Outbound {
    pattern: Pattern,
    position: u64,
    promised: u64,
    digest: Sha256,
    queue: VecDeque<Item>,
    ready: Vec<u8>,
    written: usize,
    ended: bool,
}

impl Outbound {
    /// A direction whose octets follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            pattern: Pattern::new(seed),
            position: 0,
            promised: 0,
            digest: Sha256::new(),
            queue: VecDeque::new(),
            ready: Vec::new(),
            written: 0,
            ended: false,
        }
    }

    /// Queues a frame; `Data` brings its octets. Nothing can follow an `End`.
    pub fn push(&mut self, frame: Frame) {
        if self.ended {
            return;
        }
        self.ended = matches!(frame, Frame::End { .. });
        if let Frame::Data { count } = frame {
            self.promised += count;
        }
        self.queue.push_back(Item::Frame(frame));
    }

    /// The octets to write now; empty when there is nothing to send.
    pub fn pending(&mut self) -> &[u8] {
        if self.written == self.ready.len() {
            self.ready.clear();
            self.written = 0;
            self.fill();
        }
        &self.ready[self.written..]
    }

    /// The socket has taken `count` of the octets of [`Self::pending`].
    pub fn advance(&mut self, count: usize) {
        self.written += count;
        if self.written == self.ready.len() && self.queue.is_empty() {
            // An idle connection keeps no buffer: there may be a thousand.
            self.ready = Vec::new();
            self.written = 0;
        }
    }

    /// Whether all that was queued has been taken by the socket.
    pub fn is_idle(&self) -> bool {
        self.written == self.ready.len() && self.queue.is_empty()
    }

    /// Whether an `End` was queued.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Octets of the pattern queued so far, including those not yet written.
    pub fn promised(&self) -> u64 {
        self.promised
    }

    /// SHA-256 of all made so far.
    pub fn digest(&self) -> [u8; DIGEST] {
        self.digest.clone().finalize().into()
    }

    fn fill(&mut self) {
        while self.ready.len() < CHUNK {
            let Some(item) = self.queue.pop_front() else {
                break;
            };
            let start = self.ready.len();
            match item {
                Item::Frame(frame) => {
                    self.ready.extend_from_slice(&frame.emit(self.position));
                    match frame {
                        Frame::Data { count } => self.queue.push_front(Item::Pattern(count)),
                        Frame::End { .. } => {
                            self.digest.update(&self.ready[start..]);
                            let digest = self.digest();
                            self.ready.extend_from_slice(&digest);
                            continue;
                        }
                        _ => {}
                    }
                }
                Item::Pattern(count) => {
                    let now = count.min((CHUNK - start) as u64);
                    self.pattern
                        .append(self.position, now as usize, &mut self.ready);
                    self.position += now;
                    if now < count {
                        self.queue.push_front(Item::Pattern(count - now));
                    }
                }
            }
            self.digest.update(&self.ready[start..]);
        }
    }
}

/// What the receiving direction is in the middle of.
enum Inside {
    Header,
    Pattern(u64),
    Digest,
}

/// A frame that has come whole.
pub struct Seen {
    /// The frame.
    pub frame: Frame,
    /// Octets of the pattern that came up to its end; more may have been read with it.
    pub position: u64,
}

/// The receiving direction.
pub struct Inbound {
    pattern: Option<Pattern>,
    position: u64,
    digest: Sha256,
    inside: Inside,
    part: Vec<u8>,
    hold: bool,
    ended: bool,
}

impl Inbound {
    /// A direction whose octets follow from `seed`, or from the seed of a `Hello` to come.
    pub fn new(seed: Option<u64>) -> Self {
        Self {
            pattern: seed.map(Pattern::new),
            position: 0,
            digest: Sha256::new(),
            inside: Inside::Header,
            part: Vec::new(),
            hold: false,
            ended: false,
        }
    }

    /// Octets of the pattern that came and were right.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether a whole and right `End` has come.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// SHA-256 of all that came, without the digest behind `End`.
    pub fn digest(&self) -> [u8; DIGEST] {
        self.digest.clone().finalize().into()
    }

    /// Takes what was read. Frames go to `seen`: `Data` when its last octet was checked, `End`
    /// when its digest was; `derive` makes this direction's seed from that of a `Hello`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong; the direction is of no use afterwards.
    pub fn feed(
        &mut self,
        mut octets: &[u8],
        derive: fn(u64) -> u64,
        seen: &mut Vec<Seen>,
    ) -> Result<(), Failure> {
        while !octets.is_empty() {
            if self.ended {
                return Err(Failure::AfterEnd);
            }
            match self.inside {
                Inside::Header => self.header(&mut octets, derive, seen)?,
                Inside::Pattern(left) => {
                    let count = left.min(octets.len() as u64);
                    let (these, rest) = octets.split_at(count as usize);
                    let pattern = self.pattern.ok_or(Failure::NoHello)?;
                    pattern
                        .check(self.position, these)
                        .map_err(Failure::WrongOctet)?;
                    self.digest.update(these);
                    self.position += count;
                    octets = rest;
                    self.inside = Inside::Pattern(left - count);
                    if left == count {
                        self.inside = Inside::Header;
                        self.saw(Frame::Data { count }, seen);
                    }
                }
                Inside::Digest => {
                    if self.collect(&mut octets, DIGEST) {
                        if self.part[..] != self.digest()[..] {
                            return Err(Failure::WrongDigest);
                        }
                        self.part = Vec::new();
                        self.ended = true;
                        self.saw(Frame::End { hold: self.hold }, seen);
                    }
                }
            }
        }
        Ok(())
    }

    fn saw(&self, frame: Frame, seen: &mut Vec<Seen>) {
        seen.push(Seen {
            frame,
            position: self.position,
        });
    }

    /// Moves octets to `part` until it has `wanted`; whether it has.
    fn collect(&mut self, octets: &mut &[u8], wanted: usize) -> bool {
        let count = (wanted - self.part.len()).min(octets.len());
        let (these, rest) = octets.split_at(count);
        self.part.extend_from_slice(these);
        *octets = rest;
        self.part.len() == wanted
    }

    fn header(
        &mut self,
        octets: &mut &[u8],
        derive: fn(u64) -> u64,
        seen: &mut Vec<Seen>,
    ) -> Result<(), Failure> {
        if !self.collect(octets, HEADER) {
            return Ok(());
        }
        let wrong = Failure::WrongFrame {
            position: self.position,
        };
        let header: [u8; HEADER] = self.part[..].try_into().map_err(|_| wrong)?;
        let (frame, position) = Frame::parse(&header).ok_or(wrong)?;
        if position != self.position {
            return Err(wrong);
        }
        self.digest.update(header);
        self.part.clear();
        match frame {
            Frame::Hello { seed } => {
                self.pattern = Some(Pattern::new(derive(seed)));
                self.saw(frame, seen);
            }
            Frame::Data { count: 0 } => self.saw(frame, seen),
            Frame::Data { count } => self.inside = Inside::Pattern(count),
            Frame::End { hold } => {
                self.hold = hold;
                self.inside = Inside::Digest;
            }
            _ => self.saw(frame, seen),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
