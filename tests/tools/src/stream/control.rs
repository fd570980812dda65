// SPDX-License-Identifier: GPL-2.0

//! The control socket: a UNIX stream socket, one command a connection, the answer, end.
//!
//! The line is `LIMIT_MS COMMAND`; the answer's last line begins with `ok` or `error`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use anyhow::Result;
use nix::sys::epoll::Epoll;
use nix::sys::epoll::EpollEvent;
use nix::sys::epoll::EpollFlags;

use super::command::Command;
use super::job::Job;
use crate::exit;
use crate::out;

/// Longest command line.
const LONGEST: usize = 1000;

/// One who has asked, or is about to.
struct Client {
    stream: UnixStream,
    line: Vec<u8>,
    asked: bool,
}

/// The listening socket and those who have come.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    clients: BTreeMap<u64, Client>,
}

/// What became of a client that epoll spoke of.
pub enum Heard {
    /// Nothing yet.
    Nothing,
    /// A whole command.
    Job(Job),
    /// It has gone away; its job is not wanted any more.
    Gone,
}

impl Control {
    /// Listens at `path`, in place of whatever an earlier run left there.
    ///
    /// # Errors
    ///
    /// The socket cannot be made there.
    pub fn listen(path: &Path, epoll: &Epoll, token: u64) -> Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| path.display().to_string());
            }
            _ => {}
        }
        let listener = UnixListener::bind(path).with_context(|| path.display().to_string())?;
        listener.set_nonblocking(true)?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, token))?;
        Ok(Self {
            listener,
            path: path.into(),
            clients: BTreeMap::new(),
        })
    }

    /// Lets a client in under the number `id`.
    ///
    /// # Errors
    ///
    /// epoll refuses.
    pub fn accept(&mut self, epoll: &Epoll, id: u64) -> Result<()> {
        // Whoever has gone again before being let in does not matter.
        let Ok((stream, _)) = self.listener.accept() else {
            return Ok(());
        };
        stream.set_nonblocking(true)?;
        epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, id))?;
        self.clients.insert(
            id,
            Client {
                stream,
                line: Vec::new(),
                asked: false,
            },
        );
        Ok(())
    }

    /// Reads what client `id` says.
    pub fn read(&mut self, id: u64) -> Heard {
        let Some(client) = self.clients.get_mut(&id) else {
            return Heard::Nothing;
        };
        let mut octets = [0; LONGEST];
        match client.stream.read(&mut octets) {
            Ok(count) if count > 0 && !client.asked && client.line.len() < LONGEST => {
                client.line.extend_from_slice(&octets[..count]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Heard::Nothing,
            _ => {
                self.clients.remove(&id);
                return Heard::Gone;
            }
        }
        if client.line.last() != Some(&b'\n') {
            return Heard::Nothing;
        }
        client.asked = true;
        match parse(&String::from_utf8_lossy(&client.line)) {
            Ok(job) => Heard::Job(job),
            Err(error) => {
                self.answer(id, &format!("error USAGE {error:#}\n"));
                Heard::Nothing
            }
        }
    }

    /// Answers client `id` and lets it go.
    pub fn answer(&mut self, id: u64, text: &str) {
        if let Some(mut client) = self.clients.remove(&id) {
            let sent = client
                .stream
                .set_nonblocking(false)
                .and_then(|()| client.stream.write_all(text.as_bytes()));
            if let Err(error) = sent {
                out::line(format_args!("control: {error}"));
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // The path may be gone with its folder; then there is nothing to tidy.
        fs::remove_file(&self.path).unwrap_or_default();
    }
}

fn parse(line: &str) -> Result<Job> {
    let (limit, command) = line.trim().split_once(' ').context("LIMIT_MS COMMAND")?;
    let limit = Duration::from_millis(limit.parse().context("LIMIT_MS")?);
    Ok(Job::new(Command::parse(command)?, Some(limit)))
}

/// The asking side: sends one command, prints the answer; the exit code is the answer's.
///
/// # Errors
///
/// Nobody listens at `path` within `limit`, or the process there dies.
pub fn ask(path: &Path, limit: Duration, command: &str) -> Result<ExitCode> {
    Command::parse(command)?;
    let end = Instant::now() + limit;
    let mut stream = loop {
        match UnixStream::connect(path) {
            Ok(stream) => break stream,
            Err(error) if Instant::now() >= end => {
                return Err(error).with_context(|| path.display().to_string());
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    };
    let left = end.saturating_duration_since(Instant::now());
    writeln!(stream, "{} {command}", left.as_millis())?;
    // The other end has its own clock; this limit is for one that does not answer at all.
    stream.set_read_timeout(Some(left + Duration::from_secs(10)))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("no answer")?;
    stream.shutdown(Shutdown::Both).unwrap_or_default();
    out::text(&answer);
    Ok(exit::of_answer(&answer))
}
