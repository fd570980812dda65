// SPDX-License-Identifier: GPL-2.0

//! The loop: one thread, one epoll, any number of connections and commands.

use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use anyhow::Result;
use nix::errno::Errno;
use nix::sys::epoll::Epoll;
use nix::sys::epoll::EpollCreateFlags;
use nix::sys::epoll::EpollEvent;
use nix::sys::epoll::EpollFlags;
use nix::sys::epoll::EpollTimeout;

use super::command::Command;
use super::connection::Connection;
use super::control::Control;
use super::control::Heard;
use super::job::Job;
use super::log::Log;
use super::table::Table;
use crate::exit;
use crate::out;

/// Tokens of epoll: two of our own, then the clients of the control socket and connections, which
/// share one sequence of numbers.
const LISTENER: u64 = 0;
const CONTROL: u64 = 1;
const FIRST: u64 = 2;

/// Who is waiting for a job's answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// A client of the control socket.
    Client(u64),
    /// The command line.
    Script,
}

/// What the loop does after the jobs were looked at.
enum Next {
    /// Look again: a job has started or ended.
    Again,
    /// Wait for something to happen.
    Wait,
    /// End.
    Leave(ExitCode),
}

/// The whole of a `serve` or `connect`.
pub struct Engine {
    epoll: Epoll,
    table: Table,
    log: Log,
    listener: Option<TcpListener>,
    control: Option<Control>,
    jobs: Vec<(Asker, Job)>,
    script: std::vec::IntoIter<Command>,
    limit: Option<Duration>,
    once: bool,
    next: u64,
    accepted: u64,
}

impl Engine {
    /// An engine with nothing to do; `script` is obeyed in order, each command within `limit`.
    ///
    /// # Errors
    ///
    /// The control socket or the log cannot be made.
    pub fn new(
        control: Option<&Path>,
        log: Option<&Path>,
        script: Vec<Command>,
        limit: Option<Duration>,
    ) -> Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let control = control
            .map(|path| Control::listen(path, &epoll, CONTROL))
            .transpose()?;
        Ok(Self {
            epoll,
            table: Table::new(),
            log: Log::create(log)?,
            listener: None,
            control,
            jobs: Vec::new(),
            script: script.into_iter(),
            limit,
            once: false,
            next: FIRST,
            accepted: 0,
        })
    }

    /// Accepts connections; with `once` ends when there were some and all have ended.
    ///
    /// # Errors
    ///
    /// epoll refuses.
    pub fn listen(&mut self, listener: TcpListener, once: bool) -> Result<SocketAddr> {
        let address = listener.local_addr()?;
        self.epoll
            .add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
        self.listener = Some(listener);
        self.once = once;
        Ok(address)
    }

    /// Takes a connecting socket in.
    ///
    /// # Errors
    ///
    /// epoll refuses.
    pub fn connect(&mut self, stream: std::net::TcpStream, seed: u64) -> Result<()> {
        let id = self.number();
        self.table
            .insert(&self.epoll, Connection::client(id, stream, seed))
    }

    /// Adds a connection whose other end connects as well, and begins to speak.
    ///
    /// # Errors
    ///
    /// epoll refuses.
    pub fn answer(&mut self, stream: std::net::TcpStream) -> Result<()> {
        let id = self.number();
        self.table
            .insert(&self.epoll, Connection::server(id, stream))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Runs until told to quit, or until the script has ended where there is no control socket.
    ///
    /// # Errors
    ///
    /// Something the tests are not about: epoll, accept, the log.
    pub fn run(mut self) -> Result<ExitCode> {
        let mut events = vec![EpollEvent::empty(); 256];
        loop {
            // A job that has just started has made something to write, which may be all it wants.
            loop {
                self.table.service(&self.epoll)?;
                match self.jobs()? {
                    Next::Leave(code) => return Ok(code),
                    Next::Again => {}
                    Next::Wait => break,
                }
            }
            if self.once && self.accepted > 0 && self.table.len() == 0 {
                return Ok(exit::of_failures(self.table.failures().len()));
            }
            self.log.flush()?;
            let count = match self.epoll.wait(&mut events, self.timeout()) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(errno) => return Err(errno.into()),
            };
            for event in &events[..count] {
                self.event(event.data(), event.events())?;
            }
            let now = Instant::now();
            for connection in self.table.iter_mut() {
                connection.tick(now, &mut self.log)?;
            }
        }
    }

    fn timeout(&self) -> EpollTimeout {
        let jobs = self.jobs.iter().filter_map(|(_, job)| job.wake_at());
        let records = self.table.iter().filter_map(Connection::deadline);
        let Some(next) = jobs.chain(records).min() else {
            return EpollTimeout::NONE;
        };
        // Rounded up: waking just before the time would be a busy wait.
        let left = next
            .saturating_duration_since(Instant::now())
            .as_micros()
            .div_ceil(1000);
        EpollTimeout::try_from(i32::try_from(left).unwrap_or(i32::MAX)).unwrap_or(EpollTimeout::MAX)
    }

    fn event(&mut self, token: u64, flags: EpollFlags) -> Result<()> {
        match (token, &mut self.control) {
            (LISTENER, _) => self.accept(),
            (CONTROL, Some(control)) => {
                self.next += 1;
                control.accept(&self.epoll, self.next - 1)
            }
            (id, control) => {
                if self.table.get(id).is_some() {
                    self.table.event(id, flags, &mut self.log);
                } else if let Some(control) = control {
                    match control.read(id) {
                        Heard::Nothing => {}
                        Heard::Job(job) => self.jobs.push((Asker::Client(id), job)),
                        Heard::Gone => self.jobs.retain(|(asker, _)| *asker != Asker::Client(id)),
                    }
                }
                Ok(())
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        // A batch, not all: those that are open already want service too.
        for _ in 0..64 {
            let Some(listener) = &self.listener else {
                break;
            };
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    self.accepted += 1;
                    let id = self.number();
                    self.table
                        .insert(&self.epoll, Connection::server(id, stream))?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => out::line(format_args!("accept: {error}")),
            }
        }
        Ok(())
    }

    /// Looks at every job once.
    fn jobs(&mut self) -> Result<Next> {
        if !self.jobs.iter().any(|(asker, _)| *asker == Asker::Script) {
            match self.script.next() {
                Some(command) => self
                    .jobs
                    .push((Asker::Script, Job::new(command, self.limit))),
                None if self.control.is_none() && self.listener.is_none() => {
                    return Ok(Next::Leave(exit::of_failures(self.table.failures().len())));
                }
                None => {}
            }
        }
        let mut next = Next::Wait;
        let mut index = 0;
        while index < self.jobs.len() {
            let (asker, job) = &mut self.jobs[index];
            let asker = *asker;
            let waited = job.is_started();
            let Some(answer) = job.poll(&mut self.table) else {
                if job.is_started() && !waited {
                    next = Next::Again;
                }
                index += 1;
                continue;
            };
            next = Next::Again;
            let last = job.is_last();
            self.jobs.remove(index);
            self.log.flush()?;
            match (asker, &mut self.control) {
                (Asker::Client(id), Some(control)) => control.answer(id, &answer),
                _ => out::text(&answer),
            }
            let script_failed = asker == Asker::Script && !exit::is_ok(&answer);
            if last || (script_failed && self.control.is_none()) {
                return Ok(Next::Leave(exit::of_answer(&answer)));
            }
        }
        Ok(next)
    }
}
