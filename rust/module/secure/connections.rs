// SPDX-License-Identifier: GPL-2.0

//! Connections that have the secure profile: keys and where the peer is, from the end of the
//! handshake to the end of the socket.
//!
//! No reference of a socket is kept, which would keep it from ending: an entry goes when the
//! socket is told to close, and whoever acts on a connection looks its socket up by the 4-tuple it
//! has, and compares.

use crate::net::sock::{
    SockId,
    Tuple,
    WindowClamp, //
};
use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use crate::proto::addr::Endpoint;
use crate::proto::correspondent::secure::Correspondent;
use crate::proto::ids::Token;
use crate::proto::session::Session;
use crate::proto::time::Instant;
use kernel::alloc::flags::GFP_ATOMIC;
use kernel::prelude::*;
use kernel::rbtree::{
    RBTree,
    RBTreeNode, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// A connection of the profile.
pub struct Connection {
    /// Its keys, tokens and epochs.
    pub session: Session,
    /// Where its peer is.
    pub peer: Correspondent,
    /// The 4-tuple its socket has.
    pub tuple: Tuple,
    /// The interface its socket is bound to, 0 for none.
    pub interface: i32,
    /// The limit of its window that a budget stands for.
    pub clamp: Option<WindowClamp>,
    /// Until when its acknowledgements carry an ECHO.
    echo_until: Option<Instant>,
}

impl Connection {
    /// That of a socket which has just been established; acknowledgements carry ECHOs until then.
    pub fn new(
        session: Session,
        tuple: Tuple,
        interface: i32,
        echo_until: Option<Instant>,
    ) -> Self {
        Self {
            session,
            peer: Correspondent::new(Endpoint {
                address: tuple.remote,
                port: tuple.remote_port,
            }),
            tuple,
            interface,
            clamp: None,
            echo_until,
        }
    }

    /// No ECHO is to follow.
    pub fn end_echo(&mut self) {
        self.echo_until = None;
    }

    /// Whether its next acknowledgement may have to carry an ECHO.
    fn is_echoing(&self) -> bool {
        self.echo_until.is_some()
    }

    /// Whether what comes for it tells something of a path.
    fn is_watched(&self) -> bool {
        self.is_on_trial() || self.peer.lapsed().is_some()
    }

    /// Whether its path is not validated.
    fn is_on_trial(&self) -> bool {
        self.peer.budget().is_some()
    }
}

/// The connections of a namespace, by socket and by token.
///
/// # Context
///
/// Any but hard interrupts. A socket's lock may be held: this lock is inside it.
#[pin_data]
pub struct Connections {
    count: Atomic<u32>,
    echoing: Atomic<u32>,
    trials: Atomic<u32>,
    watched: Atomic<u32>,
    #[pin]
    tables: SpinLockBh<Tables>,
}

/// Both indexes.
struct Tables {
    by_sock: RBTree<SockId, Connection>,
    by_token: RBTree<Token, SockId>,
}

impl Connections {
    /// None.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            count: Atomic::new(0),
            echoing: Atomic::new(0),
            trials: Atomic::new(0),
            watched: Atomic::new(0),
            tables <- spinlock_bh!(
                Tables { by_sock: RBTree::new(), by_token: RBTree::new() },
                "tcp_continuity_connections"
            ),
        })
    }

    /// How many there are.
    pub fn current(&self) -> u32 {
        self.count.load(Relaxed)
    }

    /// Whether an acknowledgement may have to carry an ECHO.
    pub fn any_echoing(&self) -> bool {
        self.echoing.load(Relaxed) != 0
    }

    /// Whether any path is not validated.
    pub fn any_on_trial(&self) -> bool {
        self.trials.load(Relaxed) != 0
    }

    /// Whether any path is not validated, or was not in time.
    pub fn any_watched(&self) -> bool {
        self.watched.load(Relaxed) != 0
    }

    /// Whether no connection is known by `token`.
    pub fn is_free(&self, token: Token) -> bool {
        self.tables.lock().by_token.get(&token).is_none()
    }

    /// Adds a connection.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EEXIST` if another is known by its token.
    pub fn insert(&self, sock: SockId, connection: Connection) -> Result {
        let token = connection.session.token();
        let echoing = connection.is_echoing();
        let node = RBTreeNode::new(sock, connection, GFP_ATOMIC)?;
        let token_node = RBTreeNode::new(token, sock, GFP_ATOMIC)?;
        let mut tables = self.tables.lock();
        if tables.by_token.get(&token).is_some() || tables.by_sock.get(&sock).is_some() {
            return Err(EEXIST);
        }
        tables.by_token.insert(token_node);
        tables.by_sock.insert(node);
        self.count.add(1, Relaxed);
        recount(&self.echoing, false, echoing);
        Ok(())
    }

    /// Forgets the connection of a socket, and its keys.
    pub fn remove(&self, sock: SockId) {
        let mut tables = self.tables.lock();
        let Some(node) = tables.by_sock.remove_node(&sock) else {
            return;
        };
        let (_, connection) = node.to_key_value();
        let token = tables.by_token.remove_node(&connection.session.token());
        drop(tables);
        drop(token);
        self.count.fetch_sub(1, Relaxed);
        recount(&self.echoing, connection.is_echoing(), false);
        recount(&self.trials, connection.is_on_trial(), false);
        recount(&self.watched, connection.is_watched(), false);
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        loop {
            let first = self
                .tables
                .lock()
                .by_sock
                .iter()
                .next()
                .map(|(sock, _)| *sock);
            match first {
                Some(sock) => self.remove(sock),
                None => return,
            }
        }
    }

    /// Whose token it is, and the 4-tuple of that socket.
    pub fn find(&self, token: Token) -> Option<(SockId, Tuple)> {
        let tables = self.tables.lock();
        let sock = *tables.by_token.get(&token)?;
        Some((sock, tables.by_sock.get(&sock)?.tuple))
    }

    /// Looks at the connection of a socket, or changes it, if it has the profile.
    pub fn with<R>(&self, sock: SockId, act: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        let mut tables = self.tables.lock();
        let connection = tables.by_sock.get_mut(&sock)?;
        let (echoing, trial) = (connection.is_echoing(), connection.is_on_trial());
        let watched = connection.is_watched();
        let result = act(connection);
        recount(&self.echoing, echoing, connection.is_echoing());
        recount(&self.trials, trial, connection.is_on_trial());
        recount(&self.watched, watched, connection.is_watched());
        Some(result)
    }

    /// The socket has another 4-tuple.
    pub fn rekey(&self, sock: SockId, tuple: Tuple) {
        self.with(sock, |connection| connection.tuple = tuple);
    }

    /// Whether a socket's connection has the profile, as both ends know.
    pub fn is_capable(&self, sock: SockId) -> bool {
        self.with(sock, |connection| connection.session.is_capable())
            .unwrap_or(false)
    }

    /// The first connection behind `after` on a path that is not validated, of those whose state
    /// machine's deadline `wanted` accepts.
    pub fn next_on_trial(
        &self,
        after: Option<SockId>,
        wanted: impl Fn(Instant) -> bool,
    ) -> Option<(SockId, Tuple, i32)> {
        let tables = self.tables.lock();
        let mut connections = tables.by_sock.iter();
        connections
            .find(|(sock, connection)| {
                after.is_none_or(|after| **sock > after)
                    && connection.peer.deadline().is_some_and(&wanted)
            })
            .map(|(sock, connection)| (*sock, connection.tuple, connection.interface))
    }

    /// When something is to be done about a connection next: the end of its ECHOs, or its state
    /// machine's deadline.
    pub fn deadline(&self) -> Option<Instant> {
        if !self.any_on_trial() && !self.any_echoing() {
            return None;
        }
        let tables = self.tables.lock();
        let all = tables
            .by_sock
            .iter()
            .flat_map(|(_, connection)| [connection.peer.deadline(), connection.echo_until]);
        all.flatten().min_by_key(|at| at.as_millis())
    }

    /// No more ECHOs where their time is over: the flag that there are any costs each segment.
    pub fn end_echoes(&self, now: Instant) {
        if !self.any_echoing() {
            return;
        }
        let mut tables = self.tables.lock();
        for (_, connection) in tables.by_sock.iter_mut() {
            if connection.echo_until.is_some_and(|until| until <= now) {
                connection.echo_until = None;
                self.echoing.fetch_sub(1, Relaxed);
            }
        }
    }
}

/// Keeps a count of connections of which something is so.
fn recount(counter: &Atomic<u32>, before: bool, after: bool) {
    match (before, after) {
        (false, true) => counter.add(1, Relaxed),
        (true, false) => {
            counter.fetch_sub(1, Relaxed);
        }
        _ => {}
    }
}
