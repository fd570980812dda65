// SPDX-License-Identifier: GPL-2.0

//! All connections of a process: the open ones, and what is remembered of the others.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use anyhow::Result;
use nix::sys::epoll::Epoll;
use nix::sys::epoll::EpollEvent;
use nix::sys::epoll::EpollFlags;

use crate::out;

use super::connection::Connection;
use super::failure::Failure;
use super::log::Log;

/// A connection and what epoll was asked to watch.
struct Entry {
    connection: Connection,
    interest: EpollFlags,
}

/// The connections.
#[derive(Default)]
pub struct Table {
    entries: BTreeMap<u64, Entry>,
    failures: Vec<(Failure, String)>,
    closed: u64,
    gone: (u64, u64),
    buffer: Vec<u8>,
}

impl Table {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            buffer: vec![0; 64 * 1024],
            ..Self::default()
        }
    }

    /// Takes a connection in and has it watched.
    ///
    /// # Errors
    ///
    /// epoll refuses.
    pub fn insert(&mut self, epoll: &Epoll, mut connection: Connection) -> Result<()> {
        let interest = wanted(&mut connection);
        epoll.add(
            connection.stream(),
            EpollEvent::new(interest, connection.id),
        )?;
        self.entries.insert(
            connection.id,
            Entry {
                connection,
                interest,
            },
        );
        Ok(())
    }

    /// The connections that have not ended.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.entries.values_mut().map(|entry| &mut entry.connection)
    }

    /// The connections that have not ended.
    pub fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.entries.values().map(|entry| &entry.connection)
    }

    /// A connection that has not ended.
    pub fn get(&self, id: u64) -> Option<&Connection> {
        self.entries.get(&id).map(|entry| &entry.connection)
    }

    /// How many have not ended.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many have ended in order.
    pub fn closed(&self) -> u64 {
        self.closed
    }

    /// Octets queued and received, all connections together, the ended ones included.
    pub fn totals(&self) -> (u64, u64) {
        self.iter()
            .map(Connection::totals)
            .fold(self.gone, |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// Why connections have failed, in order, and which.
    pub fn failures(&self) -> &[(Failure, String)] {
        &self.failures
    }

    /// Failures so far count no more.
    pub fn forget(&mut self) {
        self.failures.clear();
    }

    /// Drops every connection, whatever its state; with `reset` the other end is told by a RST.
    pub fn abandon(&mut self, reset: bool) {
        for (_, entry) in std::mem::take(&mut self.entries) {
            if reset {
                // A socket that is dead already has nobody to tell.
                socket2::SockRef::from(entry.connection.stream())
                    .set_linger(Some(std::time::Duration::ZERO))
                    .unwrap_or_default();
            }
            self.remember(entry.connection, "abandoned");
        }
    }

    /// Handles what epoll said of one connection.
    pub fn event(&mut self, id: u64, flags: EpollFlags, log: &mut Log) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let connection = &mut entry.connection;
        let opening = connection.is_opening();
        let broken = flags.intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP);
        let mut result = Ok(());
        if flags.contains(EpollFlags::EPOLLOUT) {
            result = connection.write();
        }
        // What came before an error is still read, and judged, first.
        if result.is_ok() && flags.contains(EpollFlags::EPOLLIN) && connection.wants_read() {
            result = connection.read(&mut self.buffer, log);
        } else if result.is_ok() && broken {
            result = connection.take_error();
        }
        let idle = !flags.contains(EpollFlags::EPOLLIN) || !connection.wants_read();
        if result.is_ok() && broken && idle && !connection.is_closed() {
            result = Err(connection.hung_up());
        }
        if opening && !connection.is_opening() && result.is_ok() {
            out::line(format_args!("open {}", connection.describe()));
        }
        if let Err(failure) = result {
            self.fail(id, failure);
        }
    }

    /// Writes what can be written, and tells epoll what each connection waits for.
    ///
    /// # Errors
    ///
    /// epoll refuses.
    pub fn service(&mut self, epoll: &Epoll) -> Result<()> {
        let mut failed = Vec::new();
        let mut closed = Vec::new();
        for (id, entry) in &mut self.entries {
            let connection = &mut entry.connection;
            let blocked = entry.interest.contains(EpollFlags::EPOLLOUT);
            if !blocked && connection.wants_write() {
                if let Err(failure) = connection.write() {
                    failed.push((*id, failure));
                    continue;
                }
            }
            if connection.is_closed() {
                closed.push(*id);
                continue;
            }
            let wanted = wanted(connection);
            if wanted != entry.interest {
                let mut event = EpollEvent::new(wanted, *id);
                epoll.modify(connection.stream().as_fd(), &mut event)?;
                entry.interest = wanted;
            }
        }
        for id in closed {
            if let Some(entry) = self.entries.remove(&id) {
                self.closed += 1;
                self.remember(entry.connection, "closed");
            }
        }
        for (id, failure) in failed {
            self.fail(id, failure);
        }
        Ok(())
    }

    fn fail(&mut self, id: u64, failure: Failure) {
        if let Some(entry) = self.entries.remove(&id) {
            let which = self.remember(entry.connection, &format!("error {failure}"));
            self.failures.push((failure, which));
        }
    }

    fn remember(&mut self, mut connection: Connection, word: &str) -> String {
        let (sent, received) = connection.totals();
        self.gone = (self.gone.0 + sent, self.gone.1 + received);
        let which = connection.describe();
        out::line(format_args!("{word} {which} {}", connection.summary()));
        which
    }
}

fn wanted(connection: &mut Connection) -> EpollFlags {
    let mut flags = EpollFlags::empty();
    flags.set(EpollFlags::EPOLLIN, connection.wants_read());
    flags.set(EpollFlags::EPOLLOUT, connection.wants_write());
    flags
}
