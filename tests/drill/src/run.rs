// SPDX-License-Identifier: GPL-2.0

//! Runs a script, one event after the other.

use std::net::SocketAddr;
use std::path::Path;

use crate::calls::{self, Blocking, Done, Sockets, Started};
use crate::clock::{self, Due};
use crate::code::{self, Names};
use crate::config::Config;
use crate::connection::Connection;
use crate::expect::{self, Seen, Ticks};
use crate::script::{Action, Body, Call, Direction, Ecn, Event, Icmp, Packet, Script, Tcp};
use crate::shell;
use crate::trouble::{Outcome, Trouble};
use crate::tun::Network;
use crate::wire::{self, Segment};

/// How much later than it was due a packet is still waited for, in microseconds.
const PATIENCE: i64 = 2_000_000;

/// Trouble, and the line of the script that it is with.
pub type Located = (usize, Trouble);

/// Runs a script that lies in `folder`. Its last command runs in any case, once the first has.
///
/// # Errors
///
/// The first thing that is not as the script says, or that is not known.
pub fn run(script: &Script, config: Config, folder: &Path) -> Result<(), Located> {
    let network = Network::new(&config).map_err(|trouble| (0, trouble))?;
    let outcome = with_commands(script, config, network, folder);
    shell::tidy();
    outcome
}

fn with_commands(
    script: &Script,
    config: Config,
    network: Network,
    folder: &Path,
) -> Result<(), Located> {
    if let Some(init) = &script.init {
        shell::run(&init.text, folder).map_err(|trouble| (init.line, trouble))?;
    }
    let mut runner = Runner::new(config, network, folder);
    let outcome = runner.all(&script.events);
    if let Some(cleanup) = &script.cleanup {
        let cleaned = shell::run(&cleanup.text, folder);
        return outcome.and(cleaned.map_err(|trouble| (cleanup.line, trouble)));
    }
    outcome
}

/// An event that is over.
#[derive(Clone, Copy)]
struct Last {
    /// When it was due, in microseconds since the script's beginning.
    from: i64,
    /// Whether it was a packet to the kernel.
    injected: bool,
}

struct Runner<'a> {
    sockets: Sockets,
    network: Network,
    folder: &'a Path,
    blocking: Blocking,
    names: Names,
    /// The script's beginning, by the machine's clock.
    start: i64,
    last: Option<Last>,
}

impl<'a> Runner<'a> {
    fn new(config: Config, network: Network, folder: &'a Path) -> Self {
        Self {
            sockets: Sockets::new(config),
            network,
            folder,
            blocking: Blocking::new(),
            names: Names::default(),
            start: clock::beginning(),
            last: None,
        }
    }

    fn all(&mut self, events: &[Event]) -> Result<(), Located> {
        for event in events {
            let done = self.blocking.poll();
            self.returned(done)?;
            self.event(event)?;
        }
        let done = self.blocking.wait();
        self.returned(done.map_err(|trouble| (events.last().map_or(0, |last| last.line), trouble))?)
    }

    fn event(&mut self, event: &Event) -> Result<(), Located> {
        let injected = matches!(
            &event.action,
            Action::Packet(packet) if packet.direction == Direction::In
        );
        // Packets sent one after the other shall not get later and later.
        let base = match self.last {
            None => 0,
            Some(last) if last.injected && injected => last.from,
            Some(_) => clock::now() - self.start,
        };
        let due = Due::new(event.time, base);
        let located = |trouble| (event.line, trouble);
        match &event.action {
            Action::Packet(packet) => self.packet(packet, due).map_err(located)?,
            Action::Call(call) => self.call(call, due, event.line)?,
            Action::Command(text) => {
                self.wait(due, "the command").map_err(located)?;
                shell::run(text, self.folder).map_err(located)?;
            }
            Action::Code(text) => {
                self.wait(due, "the code").map_err(located)?;
                self.code(text).map_err(located)?;
            }
        }
        self.last = Some(Last {
            from: due.from,
            injected,
        });
        Ok(())
    }

    /// Waits until an event is due, and sees that it is not too late. The first cannot be.
    fn wait(&self, due: Due, what: &str) -> Outcome<()> {
        clock::wait_until(self.start + due.from);
        match self.last {
            None => Ok(()),
            Some(last) => self.in_time(due, what, clock::now(), last.from),
        }
    }

    fn in_time(&self, due: Due, what: &str, at: i64, before: i64) -> Outcome<()> {
        due.check(what, at - self.start, before, self.sockets.config.tolerance)
    }

    fn packet(&mut self, packet: &Packet, due: Due) -> Outcome<()> {
        match (packet.direction, &packet.body) {
            (Direction::In, Body::Tcp(tcp)) => {
                self.wait(due, "the segment")?;
                self.inject(tcp, packet.ecn)
            }
            (Direction::In, Body::Icmp(icmp)) => {
                self.wait(due, "the ICMP error")?;
                self.inject_error(icmp)
            }
            (Direction::Out, Body::Tcp(tcp)) => self.expect(tcp, packet.ecn, due),
            (Direction::Out, Body::Icmp(_)) => Err(Trouble::unsupported("ICMP from the kernel")),
        }
    }

    fn inject(&mut self, tcp: &Tcp, ecn: Ecn) -> Outcome<()> {
        let mss = self.sockets.config.mss;
        let connection = self.sockets.for_injection(tcp.sequence);
        connection.receives(tcp);
        let (local, remote) = ends(connection)?;
        let tos = match ecn {
            Ecn::Any => 0,
            Ecn::Is(bits) | Ecn::Octet(bits) => bits,
            Ecn::Capable => return Err(Trouble::unsupported("ect01 in an injected segment")),
        };
        let segment = connection.numbers.to_live(tcp, tos, remote, local)?;
        if segment.length + segment.options.len() > 65_000 {
            return Err(Trouble::unsupported("a segment longer than a packet"));
        }
        self.network.inject(&segment.encode(), mss)
    }

    fn inject_error(&mut self, icmp: &Icmp) -> Outcome<()> {
        let connection = self.sockets.under_test()?;
        let (local, remote) = ends(connection)?;
        let offset = connection.numbers.local_offset(false);
        let sequence = icmp.sequence.wrapping_add(offset);
        let packet = wire::quoting(icmp, remote, local, sequence)?;
        self.network.inject(&packet, None)
    }

    /// Waits for a segment, and judges it. It is looked for at once, so that it cannot be early
    /// without being noticed.
    fn expect(&mut self, tcp: &Tcp, ecn: Ecn, due: Due) -> Outcome<()> {
        self.sockets.under_test()?.awaits(tcp);
        let deadline = if due.any {
            i64::MAX
        } else {
            clock::now().max(self.start + due.to) + PATIENCE
        };
        let (at, segment) = self.whole(deadline, tcp, ecn)?;
        let tolerance = self.sockets.config.tolerance;
        let ticks = self.sockets.config.tick.map(|length| Ticks {
            length,
            tolerance: tolerance.max(clock::in_proportion(due.from)),
        });
        let connection = self.sockets.under_test()?;
        let seen = Seen {
            tcp: connection.numbers.to_script(&segment)?,
            tos: segment.tos,
            zeros: segment.zeros,
        };
        expect::compare(tcp, ecn, &seen, &mut connection.numbers, ticks)?;
        let before = self.last.map_or(due.from, |last| last.from);
        self.in_time(due, &format!("the segment `{ecn}{tcp}`"), at, before)
    }

    /// The next segment of the connection under test, put together of several if one is shorter
    /// than the script's.
    fn whole(&mut self, deadline: i64, tcp: &Tcp, ecn: Ecn) -> Outcome<(i64, Segment)> {
        let wanted = usize::from(tcp.length);
        let (mut at, mut whole) = self.next(deadline, tcp, ecn)?;
        self.sockets.under_test()?.sent(tcp, &whole);
        let mut piece = whole.length;
        while whole.length < wanted {
            let (later, next) = self.next(deadline, tcp, ecn)?;
            whole.append(&next, piece, wanted).map_err(|different| {
                Trouble::failed(
                    format_args!("the segment `{ecn}{tcp}`, whole or in equal pieces"),
                    format_args!(
                        "one of {piece} octets, then one of {} octets with another {different}",
                        next.length
                    ),
                )
            })?;
            (at, piece) = (later, next.length);
        }
        Ok((at, whole))
    }

    /// The next segment of the connection under test.
    fn next(&mut self, deadline: i64, tcp: &Tcp, ecn: Ecn) -> Outcome<(i64, Segment)> {
        let local = self.sockets.config.local();
        while let Some((at, packet)) = self.network.next(local, deadline) {
            if let Some(segment) = Segment::decode(&packet) {
                if self.sockets.under_test()?.owns(&segment) {
                    return Ok((at, segment));
                }
            }
        }
        Err(Trouble::failed(
            format_args!("the segment `{ecn}{tcp}`"),
            "none",
        ))
    }

    fn call(&mut self, call: &Call, due: Due, line: usize) -> Result<(), Located> {
        let located = |trouble| (line, trouble);
        let done = self.blocking.wait().map_err(located)?;
        self.returned(done)?;
        self.wait(due, &format!("{}()", call.name))
            .map_err(located)?;
        let request = calls::prepare(call, &mut self.sockets).map_err(located)?;
        if let Some(end) = call.end {
            let started = Started {
                call: call.clone(),
                line,
                from: due.from,
                to: due.offset + end,
            };
            let done = self.blocking.begin(started, request).map_err(located)?;
            return self.returned(done);
        }
        let reply = calls::perform(request);
        calls::finish(call, reply, &mut self.sockets, self.start).map_err(located)
    }

    /// A call that blocked is over, if one is.
    fn returned(&mut self, done: Option<Done>) -> Result<(), Located> {
        let Some(Done { started, reply, at }) = done else {
            return Ok(());
        };
        let located = |trouble| (started.line, trouble);
        calls::finish(&started.call, reply, &mut self.sockets, self.start).map_err(located)?;
        let due = Due {
            from: started.to,
            to: started.to,
            any: false,
            offset: 0,
        };
        let what = format!("the return of {}()", started.call.name);
        self.in_time(due, &what, at, started.from).map_err(located)
    }

    fn code(&mut self, text: &str) -> Outcome<()> {
        /// More than `struct tcp_info` has in any kernel.
        const ROOM: usize = 1024;
        let connection = self.sockets.under_test()?;
        let fd = connection
            .fd
            .as_ref()
            .ok_or_else(|| Trouble::unsupported("code about a connection without a socket"))?;
        let get = |level, name| {
            calls::option_octets(fd, level, name, ROOM)
                .map_err(|error| Trouble::failed("facts of the connection", error))
        };
        let tcp = get(libc::SOL_TCP, libc::TCP_INFO)?;
        let memory = get(libc::SOL_SOCKET, libc::SO_MEMINFO)?;
        self.names.learn(code::tcp_facts(&tcp));
        self.names.learn(code::memory_facts(&memory));
        code::run(text, &mut self.names)
    }
}

/// This end and the other of a connection.
fn ends(connection: &Connection) -> Outcome<(SocketAddr, SocketAddr)> {
    match (connection.local, connection.remote) {
        (Some(local), Some(remote)) => Ok((local, remote)),
        _ => Err(Trouble::unsupported(
            "a packet to a connection that does not exist yet",
        )),
    }
}
