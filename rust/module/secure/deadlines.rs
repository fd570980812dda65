// SPDX-License-Identifier: GPL-2.0

//! Deadlines of connections: the end of ECHOs, challenges to be repeated, paths to be left, peers to be
//! asked again, steps of key exchanges.
//!
//! What costs time is bounded in each run of the worker, so that connections which lose their
//! address never wait for many that exchange keys.

use super::connections::Due;
use super::perform::Answer;
use crate::module::namespace::Namespace;
use crate::net::sock::{
    Found,
    SockId,
    TcpSock, //
};
use crate::net::sync;
use crate::proto::correspondent::secure::Event;
use crate::proto::time::Instant;
use core::time::Duration;

/// How many steps of key exchanges a run makes: some milliseconds.
const STEPS: usize = 32;
/// When a connection is looked for again whose socket is just between two places.
const AGAIN: Duration = Duration::from_millis(100);

/// What is due.
struct What {
    trial: bool,
    asking: bool,
    exchange: bool,
}

impl Namespace {
    /// Meets the deadlines of connections. Process context.
    pub fn meet_connections(&self) {
        let now = self.now();
        let mut after: Option<Due> = None;
        let mut steps = 0;
        while let Some(due) = self.connections.next_due(after, now) {
            after = Some(due);
            if self.meet_one(due.1, now) {
                steps += 1;
            }
            if steps == STEPS || self.is_off() || self.is_ending() {
                // The rest is due still, so that the next run is at once.
                return;
            }
            sync::cond_resched();
        }
    }

    /// Meets the deadlines of one connection. Whether that took time.
    fn meet_one(&self, id: SockId, now: Instant) -> bool {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let due = self.connections.with(id, |connection| {
            connection.end_echo_in_time(now);
            What {
                trial: is_due(connection.peer.deadline()),
                asking: is_due(connection.probe.deadline()),
                exchange: is_due(connection.session.exchange_deadline()),
            }
        });
        let Some(what) = due.filter(|what| what.trial || what.asking || what.exchange) else {
            return false;
        };
        let Some(sock) = self.sock_of(id) else {
            self.connections
                .with(id, |connection| connection.put_off(now.after(AGAIN)));
            return false;
        };
        if what.trial {
            let locked = sock.lock();
            if let Ok(actions) = self.tell_peer(id, Event::Deadline) {
                self.carry_out(locked, id, Answer::new(actions));
            }
        }
        if what.asking {
            self.meet_asking(&mut sock.lock(), id);
        }
        if what.exchange {
            self.meet_exchange(&sock, now);
        }
        what.exchange
    }

    /// The socket of a connection, if it is at the 4-tuple that is known of it.
    pub(super) fn sock_of(&self, id: SockId) -> Option<TcpSock> {
        let (tuple, interface) = self
            .connections
            .with(id, |connection| (connection.tuple, connection.interface))?;
        match self.home.net().find_connection(&tuple, (interface, 0)) {
            Found::Sock(sock) if sock.id() == id => Some(sock),
            Found::Sock(_) | Found::Mini | Found::Nothing => None,
        }
    }
}
