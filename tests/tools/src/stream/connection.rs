// SPDX-License-Identifier: GPL-2.0

//! One connection: a socket and its two directions.

use std::collections::VecDeque;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpStream;
use std::time::Instant;

use nix::errno::Errno;

use super::direction::Inbound;
use super::direction::Outbound;
use super::direction::Seen;
use super::failure::Failure;
use super::frame::Frame;
use super::log::Log;
use super::socket;
use super::traffic::Traffic;
use super::traffic::BULK;
use crate::clock::now_us;
use crate::hex;
use crate::random::mix;

/// The life of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Client: not connected yet. Server: no `Hello` yet.
    Opening,
    Open,
    Closed,
}

/// A `Report` to come.
struct Awaited {
    /// What it must say.
    received: u64,
    /// Whether all that came before it belongs to the command that asked for it.
    claim: bool,
}

/// A connection.
pub struct Connection {
    /// Its number in this process.
    pub id: u64,
    stream: TcpStream,
    client: bool,
    out: Outbound,
    inbound: Inbound,
    stage: Stage,
    traffic: Traffic,
    fin_sent: bool,
    fin_seen: bool,
    claimed: u64,
    awaited: VecDeque<Awaited>,
    names: (String, String),
    seen: Vec<Seen>,
}

fn client_seed(seed: u64) -> u64 {
    mix(seed ^ 0x636c)
}

fn server_seed(seed: u64) -> u64 {
    mix(seed ^ 0x7372)
}

impl Connection {
    /// The end that connects; both directions follow from `seed`.
    pub fn client(id: u64, stream: TcpStream, seed: u64) -> Self {
        let mut out = Outbound::new(client_seed(seed));
        out.push(Frame::Hello { seed });
        Self::new(id, stream, true, out, Inbound::new(Some(server_seed(seed))))
    }

    /// The end that was connected to.
    pub fn server(id: u64, stream: TcpStream) -> Self {
        Self::new(id, stream, false, Outbound::new(0), Inbound::new(None))
    }

    fn new(id: u64, stream: TcpStream, client: bool, out: Outbound, inbound: Inbound) -> Self {
        let names = socket::names(&stream);
        Self {
            id,
            stream,
            client,
            out,
            inbound,
            stage: Stage::Opening,
            traffic: Traffic::Quiet,
            fin_sent: false,
            fin_seen: false,
            claimed: 0,
            awaited: VecDeque::new(),
            names,
            seen: Vec::new(),
        }
    }

    /// The socket, for epoll.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Whether commands must wait for it.
    pub fn is_opening(&self) -> bool {
        self.stage == Stage::Opening
    }

    /// Whether both directions have ended in order.
    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Octets of the pattern queued and received.
    pub fn totals(&self) -> (u64, u64) {
        (self.out.promised(), self.inbound.position())
    }

    /// Octets received when all that is `count` octets above what earlier commands claimed.
    pub fn claim(&mut self, count: u64) -> u64 {
        self.claimed += count;
        self.claimed
    }

    /// All that has come so far belongs to commands that are done.
    fn claim_all(&mut self) {
        self.claimed = self.inbound.position();
    }

    /// Whether the other end still owes a `Report`.
    pub fn is_awaiting(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Whether the kernel has taken all there was to send.
    pub fn is_flushed(&self) -> bool {
        self.out.is_idle()
    }

    /// Whether there is something to write.
    pub fn wants_write(&mut self) -> bool {
        self.stage != Stage::Closed
            && ((self.client && self.is_opening())
                || (matches!(self.traffic, Traffic::Bulk) && !self.out.has_ended())
                || !self.out.pending().is_empty())
    }

    /// Whether something may still be read.
    pub fn wants_read(&self) -> bool {
        !self.fin_seen && self.stage != Stage::Closed
    }

    /// Queues octets.
    pub fn send(&mut self, count: u64) {
        self.out.push(Frame::Data { count });
    }

    /// Queues octets and asks for as many.
    pub fn exchange(&mut self, count: u64) {
        self.send(count);
        self.out.push(Frame::Request { count });
        self.awaited.push_back(Awaited {
            received: self.out.promised(),
            claim: false,
        });
    }

    /// Begins traffic at both ends.
    pub fn start(&mut self, traffic: Traffic) {
        self.traffic = traffic;
        if let Some(frame) = traffic.beginning() {
            self.out.push(frame);
        }
    }

    /// Ends traffic at both ends.
    pub fn stop(&mut self) {
        self.out.push(self.traffic.ending());
        self.traffic = Traffic::Quiet;
        self.awaited.push_back(Awaited {
            received: self.out.promised(),
            claim: true,
        });
    }

    /// Ends the direction to the other end; with `hold` that end keeps its own open.
    pub fn end(&mut self, hold: bool) {
        self.traffic = Traffic::Quiet;
        self.out.push(Frame::End { hold });
    }

    /// When a record is due next.
    pub fn deadline(&self) -> Option<Instant> {
        self.traffic.deadline()
    }

    /// Queues the records that are due.
    ///
    /// # Errors
    ///
    /// The log cannot be written.
    pub fn tick(&mut self, now: Instant, log: &mut Log) -> io::Result<()> {
        while let Some(count) = self.traffic.due(now) {
            self.send(count);
            log.sent(self.id, self.out.promised(), count)?;
        }
        Ok(())
    }

    /// Reads once, at most `buffer`, and checks what came.
    ///
    /// # Errors
    ///
    /// Why the connection is of no use any more.
    pub fn read(&mut self, buffer: &mut [u8], log: &mut Log) -> Result<(), Failure> {
        if self.client && self.is_opening() {
            return Ok(());
        }
        let count = match self.stream.read(buffer) {
            Ok(0) => return self.fin(),
            Ok(count) => count,
            Err(error) if is_passing(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        // What the check takes, of all that was read, is no part of the way here.
        let time = now_us();
        let mut seen = std::mem::take(&mut self.seen);
        let result = self.inbound.feed(&buffer[..count], client_seed, &mut seen);
        let handled = seen
            .drain(..)
            .try_for_each(|seen| self.handle(&seen, time, log));
        self.seen = seen;
        result.and(handled)
    }

    fn fin(&mut self) -> Result<(), Failure> {
        if !self.inbound.has_ended() {
            return Err(Failure::EarlyEnd);
        }
        self.fin_seen = true;
        self.finish();
        Ok(())
    }

    fn handle(&mut self, seen: &Seen, time: u64, log: &mut Log) -> Result<(), Failure> {
        let received = seen.position;
        match seen.frame {
            Frame::Hello { .. } if self.client => {
                return Err(Failure::WrongFrame { position: received })
            }
            Frame::Hello { seed } => {
                self.out = Outbound::new(server_seed(seed));
                self.stage = Stage::Open;
            }
            Frame::Data { count } => {
                log.received(time, self.id, received, count)?;
            }
            Frame::Request { count } => {
                self.send(count);
                self.report(received);
            }
            Frame::Bulk { on: true } => self.traffic = Traffic::Bulk,
            Frame::Records {
                on: true,
                size,
                interval_ms,
            } => {
                self.traffic = Traffic::records(size, interval_ms);
            }
            Frame::Bulk { on: false } | Frame::Records { on: false, .. } => {
                self.traffic = Traffic::Quiet;
                self.report(received);
            }
            Frame::Report { received } => {
                let awaited = self.awaited.pop_front().ok_or(Failure::WrongReport)?;
                if awaited.received != received {
                    return Err(Failure::WrongReport);
                }
                if awaited.claim {
                    self.claim_all();
                }
            }
            Frame::End { hold } => {
                if !hold {
                    self.end(false);
                }
            }
        }
        Ok(())
    }

    fn report(&mut self, received: u64) {
        self.claim_all();
        self.out.push(Frame::Report { received });
    }

    /// Completes connect(), if that is what the socket became writable for, and writes what it
    /// takes, up to a few chunks.
    ///
    /// # Errors
    ///
    /// Why the connection is of no use any more.
    pub fn write(&mut self) -> Result<(), Failure> {
        if self.client && self.is_opening() {
            if let Some(error) = self.stream.take_error()? {
                return Err(error.into());
            }
            if self.stream.peer_addr().is_err() && !socket::waits_for_data(&self.stream) {
                return Ok(());
            }
            self.names = socket::names(&self.stream);
            self.stage = Stage::Open;
        }
        for _ in 0..4 {
            if matches!(self.traffic, Traffic::Bulk) && self.out.is_idle() {
                self.out.push(Frame::Data { count: BULK });
            }
            let pending = self.out.pending();
            if pending.is_empty() {
                break;
            }
            match self.stream.write(pending) {
                Ok(count) => self.out.advance(count),
                Err(error) if is_passing(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        if self.out.has_ended() && self.out.is_idle() && !self.fin_sent {
            self.fin_sent = true;
            self.stream.shutdown(Shutdown::Write)?;
            self.finish();
        }
        Ok(())
    }

    fn finish(&mut self) {
        if self.fin_sent && self.fin_seen {
            self.stage = Stage::Closed;
        }
    }

    /// The error epoll spoke of.
    ///
    /// # Errors
    ///
    /// SO_ERROR, if it is set.
    pub fn take_error(&self) -> Result<(), Failure> {
        match self.stream.take_error()? {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// What to say of a socket that hung up without an error and without having been closed.
    pub fn hung_up(&self) -> Failure {
        Failure::Errno(Errno::ENOTCONN)
    }

    /// `id= local= remote=`, as the kernel has the addresses now, or had them last.
    pub fn describe(&mut self) -> String {
        let (local, remote) = socket::names(&self.stream);
        for (kept, now) in [(&mut self.names.0, local), (&mut self.names.1, remote)] {
            if now != "-" {
                *kept = now;
            }
        }
        format!(
            "id={} local={} remote={}",
            self.id, self.names.0, self.names.1
        )
    }

    /// `sent= received= sent_sha256= received_sha256=`.
    pub fn summary(&self) -> String {
        let (sent, received) = self.totals();
        format!(
            "sent={sent} received={received} sent_sha256={} received_sha256={}",
            hex::encode(&self.out.digest()),
            hex::encode(&self.inbound.digest())
        )
    }
}

/// Whether the call is just to be made again later.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
