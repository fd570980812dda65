// SPDX-License-Identifier: GPL-2.0

//! The descriptors of a script, and the connection under test.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::request::{Descriptor, Peer};
use crate::config::{Config, PORT};
use crate::connection::{Connection, Stage};
use crate::trouble::{Outcome, Trouble};

/// The first port of the end that scripts play, where that is a client.
const FIRST_PORT: u16 = 40001;

/// The descriptors of a script, and its connections.
pub struct Sockets {
    /// How the script is run.
    pub config: Config,
    open: HashMap<i64, Descriptor>,
    connections: Vec<Connection>,
    under_test: Option<usize>,
    next_port: u16,
}

impl Sockets {
    /// None yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            open: HashMap::new(),
            connections: Vec::new(),
            under_test: None,
            next_port: FIRST_PORT,
        }
    }

    /// The descriptor that the script calls `fd`.
    pub fn descriptor(&self, fd: i64) -> Outcome<Descriptor> {
        self.open
            .get(&fd)
            .cloned()
            .ok_or_else(|| Trouble::unsupported(format_args!("the descriptor {fd}, not opened")))
    }

    /// A new descriptor, which the script calls `fd`.
    pub fn opened(&mut self, fd: i64, descriptor: OwnedFd) -> Outcome<Descriptor> {
        let descriptor = Arc::new(descriptor);
        match self.open.insert(fd, descriptor.clone()) {
            None => Ok(descriptor),
            Some(_) => Err(Trouble::unsupported(format_args!(
                "the descriptor {fd}, opened twice"
            ))),
        }
    }

    /// The script closes `fd`.
    pub fn closed(&mut self, fd: i64) -> Outcome<Descriptor> {
        let descriptor = self.descriptor(fd)?;
        self.open.remove(&fd);
        for connection in &mut self.connections {
            if connection.script_fd == Some(fd) {
                connection.script_fd = None;
                connection.fd = None;
            }
        }
        Ok(descriptor)
    }

    /// A new socket, which is under test from now on.
    pub fn created(&mut self, fd: i64, descriptor: OwnedFd) -> Outcome<()> {
        let descriptor = self.opened(fd, descriptor)?;
        let mut connection = Connection::new(Stage::New);
        connection.script_fd = Some(fd);
        connection.fd = Some(descriptor);
        self.test(connection);
        Ok(())
    }

    /// The script's `fd` listens.
    pub fn listens(&mut self, fd: i64) {
        if let Some(connection) = self.connection(fd) {
            connection.stage = Stage::Listening;
        }
    }

    /// The script's `fd` is told to connect; tells where that goes.
    pub fn connects(&mut self, fd: i64, peer: Peer) -> Peer {
        let remote = SocketAddr::new(self.config.remote(), PORT);
        if let Some(connection) = self.connection(fd) {
            match (peer, connection.stage) {
                (Peer::Unspecified, _) => connection.stage = Stage::New,
                (Peer::Address(_), Stage::New) => {
                    connection.stage = Stage::Connecting;
                    connection.remote = Some(remote);
                    connection.local = None;
                }
                _ => {}
            }
        }
        peer
    }

    /// The newest connection that could be is accepted as `fd`. Scripts accept another as the same
    /// `fd` without closing the first, which then stays as it is.
    pub fn accepted(&mut self, fd: i64, descriptor: OwnedFd) -> Outcome<()> {
        let descriptor = Arc::new(descriptor);
        self.open.insert(fd, descriptor.clone());
        let connection = self
            .connections
            .iter_mut()
            .rev()
            .find(|one| matches!(one.stage, Stage::SynAckSent | Stage::Acknowledged))
            .ok_or_else(|| Trouble::failed("no connection to accept", "one"))?;
        connection.script_fd = Some(fd);
        connection.fd = Some(descriptor);
        Ok(())
    }

    /// The connection under test that a segment to the kernel belongs to: a new one, if the
    /// socket under test listens.
    pub fn for_injection(&mut self, sequence: u32) -> &mut Connection {
        let listens = match self.under_test {
            None => true,
            Some(index) => self.connections[index].stage == Stage::Listening,
        };
        if listens {
            let mut connection = Connection::new(Stage::Received);
            connection.local = Some(SocketAddr::new(self.config.local(), PORT));
            connection.remote = Some(SocketAddr::new(self.config.remote(), self.next_port));
            connection.numbers.remote_isn = sequence;
            self.next_port += 1;
            self.test(connection);
        }
        let index = self.under_test.unwrap_or_default();
        &mut self.connections[index]
    }

    /// The connection under test.
    pub fn under_test(&mut self) -> Outcome<&mut Connection> {
        match self.under_test {
            Some(index) => Ok(&mut self.connections[index]),
            None => Err(Trouble::unsupported("a packet before any socket")),
        }
    }

    fn test(&mut self, connection: Connection) {
        self.under_test = Some(self.connections.len());
        self.connections.push(connection);
    }

    fn connection(&mut self, fd: i64) -> Option<&mut Connection> {
        self.connections
            .iter_mut()
            .rev()
            .find(|connection| connection.script_fd == Some(fd))
    }
}
