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
use crate::proto::probe::Probe;
use crate::proto::session::Session;
use crate::proto::time::Instant;
use core::time::Duration;
use kernel::alloc::flags::GFP_ATOMIC;
use kernel::prelude::*;
use kernel::rbtree::{
    RBTree,
    RBTreeNode,
    RBTreeNodeReservation, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// How often it is noted that a connection's peer does not answer: once for each retransmission.
const NOTED: Duration = Duration::from_millis(100);

/// A connection of the profile.
pub struct Connection {
    /// Its keys, tokens and epochs.
    pub session: Session,
    /// Where its peer is.
    pub peer: Correspondent,
    /// Whether its peer is asked if it is there.
    pub probe: Probe,
    /// The 4-tuple its socket has.
    pub tuple: Tuple,
    /// The interface its socket is bound to, 0 for none.
    pub interface: i32,
    /// The limit of its window that a budget stands for.
    pub clamp: Option<WindowClamp>,
    /// Until when its acknowledgements carry an ECHO.
    echo_until: Option<Instant>,
    /// Nothing is done about it before: its socket could not be found.
    not_before: Option<Instant>,
    /// When it was last noted that its peer does not answer.
    silent: Option<Instant>,
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
            probe: Probe::new(),
            interface,
            clamp: None,
            echo_until,
            not_before: None,
            silent: None,
        }
    }

    /// No ECHO is to follow.
    pub fn end_echo(&mut self) {
        self.echo_until = None;
    }

    /// No ECHO is to follow if their time is over: the flag that there are any costs each segment.
    pub fn end_echo_in_time(&mut self, now: Instant) {
        self.echo_until = self.echo_until.filter(|until| *until > now);
    }

    /// Nothing is to be done about it before `at`.
    pub fn put_off(&mut self, at: Instant) {
        self.not_before = Some(at);
    }

    /// When something is to be done about it.
    fn deadline(&self) -> Option<Instant> {
        let deadlines = [
            self.echo_until,
            self.peer.deadline(),
            self.probe.deadline(),
            self.session.exchange_deadline(),
        ];
        let first = deadlines.into_iter().flatten().min()?;
        Some(self.not_before.map_or(first, |at| at.max(first)))
    }

    /// Its peer does not answer. Whether that is to be looked into.
    pub fn note_silence(&mut self, now: Instant) -> bool {
        let lately = self.silent.is_some_and(|noted| now.since(noted) < NOTED);
        if !lately {
            self.silent = Some(now);
        }
        !lately
    }

    /// Whether its peer is asked if it is there.
    fn is_asking(&self) -> bool {
        self.probe.deadline().is_some()
    }

    /// Whether its next acknowledgement may have to carry an ECHO.
    fn is_echoing(&self) -> bool {
        self.echo_until.is_some()
    }

    /// Whether what comes for it tells something of a path.
    pub fn is_watched(&self) -> bool {
        self.is_on_trial() || self.peer.lapsed().is_some()
    }

    /// Whether it is not known that its peer is where it says it is.
    pub fn is_on_trial(&self) -> bool {
        self.peer.budget().is_some()
    }
}

/// When something is to be done, and about which.
pub type Due = (Instant, SockId);

/// A connection in its table, and its place among those about which something is to be done.
struct Entry {
    connection: Connection,
    /// Its place is that of this time.
    at: Option<Instant>,
    /// It has none: memory for one, so that getting one cannot fail.
    spare: Option<RBTreeNodeReservation<Due, ()>>,
}

impl Entry {
    /// Gives it the place that it should have.
    fn place(&mut self, sock: SockId, by_time: &mut RBTree<Due, ()>) {
        let wanted = self.connection.deadline();
        if wanted == self.at {
            return;
        }
        if let Some(at) = self.at.take() {
            let node = by_time.remove_node(&(at, sock));
            self.spare = node.map(|node| node.into_reservation());
        }
        if let Some((at, spare)) = wanted.zip(self.spare.take_if(|_| wanted.is_some())) {
            by_time.insert(spare.into_node((at, sock), ()));
            self.at = Some(at);
        }
    }
}

/// The connections of a namespace, by socket, by token, and by what is to be done next.
///
/// Keys are overwritten where they lie: a connection is dropped in the memory that it has here.
///
/// # Context
///
/// Any but hard interrupts. A socket's lock may be held: this lock is inside it. It is held for
/// look-ups, never for a walk.
#[pin_data]
pub struct Connections {
    count: Atomic<u32>,
    echoing: Atomic<u32>,
    trials: Atomic<u32>,
    watched: Atomic<u32>,
    asking: Atomic<u32>,
    #[pin]
    tables: SpinLockBh<Tables>,
}

/// All indexes.
struct Tables {
    by_sock: RBTree<SockId, Entry>,
    by_token: RBTree<Token, SockId>,
    by_time: RBTree<Due, ()>,
}

impl Connections {
    /// None.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            count: Atomic::new(0),
            echoing: Atomic::new(0),
            trials: Atomic::new(0),
            watched: Atomic::new(0),
            asking: Atomic::new(0),
            tables <- spinlock_bh!(
                Tables {
                    by_sock: RBTree::new(), by_token: RBTree::new(), by_time: RBTree::new(),
                },
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

    /// Whether any peer is asked if it is there.
    pub fn any_asking(&self) -> bool {
        self.asking.load(Relaxed) != 0
    }

    /// Whether no connection is known by `token`.
    pub fn is_free(&self, token: Token) -> bool {
        self.tables.lock().by_token.get(&token).is_none()
    }

    /// Adds a connection. Whether something is to be done about it before there is about any other.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EEXIST` if another is known by its token.
    pub fn insert(&self, sock: SockId, connection: Connection) -> Result<bool> {
        let token = connection.session.token();
        let echoing = connection.is_echoing();
        let entry = Entry {
            connection,
            at: None,
            spare: Some(RBTreeNodeReservation::new(GFP_ATOMIC)?),
        };
        let node = RBTreeNode::new(sock, entry, GFP_ATOMIC)?;
        let token_node = RBTreeNode::new(token, sock, GFP_ATOMIC)?;
        let mut guard = self.tables.lock();
        let tables = &mut *guard;
        if tables.by_token.get(&token).is_some() || tables.by_sock.get(&sock).is_some() {
            return Err(EEXIST);
        }
        tables.by_token.insert(token_node);
        tables.by_sock.insert(node);
        if let Some(entry) = tables.by_sock.get_mut(&sock) {
            entry.place(sock, &mut tables.by_time);
        }
        self.count.add(1, Relaxed);
        recount(&self.echoing, false, echoing);
        let first = tables.by_time.keys().next();
        Ok(first.is_some_and(|(_, first)| *first == sock))
    }

    /// Forgets the connection of a socket, and its keys.
    pub fn remove(&self, sock: SockId) {
        let mut guard = self.tables.lock();
        let tables = &mut *guard;
        let Some(Entry { connection, at, .. }) = tables.by_sock.get(&sock) else {
            return;
        };
        let place = at.map(|at| (at, sock));
        let token = connection.session.token();
        recount(&self.echoing, connection.is_echoing(), false);
        recount(&self.trials, connection.is_on_trial(), false);
        recount(&self.watched, connection.is_watched(), false);
        recount(&self.asking, connection.is_asking(), false);
        self.count.fetch_sub(1, Relaxed);
        let place = place.and_then(|place| tables.by_time.remove_node(&place));
        let token = tables.by_token.remove_node(&token);
        let entry = tables.by_sock.remove_node(&sock);
        drop(guard);
        drop((place, token, entry));
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        while let Some(sock) = self.find_from(SockId::from_number(0)) {
            self.remove(sock);
        }
    }

    /// Whose token it is, and the 4-tuple of that socket.
    pub fn find(&self, token: Token) -> Option<(SockId, Tuple)> {
        let tables = self.tables.lock();
        let sock = *tables.by_token.get(&token)?;
        Some((sock, tables.by_sock.get(&sock)?.connection.tuple))
    }

    /// Looks at the connection of a socket, or changes it, if it has the profile.
    pub fn with<R>(&self, sock: SockId, act: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        let mut guard = self.tables.lock();
        let tables = &mut *guard;
        let entry = tables.by_sock.get_mut(&sock)?;
        let connection = &mut entry.connection;
        let (echoing, trial) = (connection.is_echoing(), connection.is_on_trial());
        let (watched, asking) = (connection.is_watched(), connection.is_asking());
        let result = act(connection);
        recount(&self.echoing, echoing, connection.is_echoing());
        recount(&self.trials, trial, connection.is_on_trial());
        recount(&self.watched, watched, connection.is_watched());
        recount(&self.asking, asking, connection.is_asking());
        entry.place(sock, &mut tables.by_time);
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

    /// The first connection whose socket is `least` or behind it, for walks that hold no lock from
    /// one to the next.
    pub fn find_from(&self, least: SockId) -> Option<SockId> {
        let mut tables = self.tables.lock();
        let cursor = tables.by_sock.cursor_lower_bound_mut(&least)?;
        let sock = *cursor.current().0;
        Some(sock)
    }

    /// The first connection behind `after` about which something is to be done by `now`.
    pub fn next_due(&self, after: Option<Due>, now: Instant) -> Option<Due> {
        let mut tables = self.tables.lock();
        let first = (Instant::from_millis(0), SockId::from_number(0));
        let mut cursor = tables
            .by_time
            .cursor_lower_bound_mut(&after.unwrap_or(first))?;
        if after == Some(*cursor.current().0) {
            cursor = cursor.move_next()?;
        }
        let due = *cursor.current().0;
        (due.0 <= now).then_some(due)
    }

    /// When something is to be done about a connection next.
    pub fn deadline(&self) -> Option<Instant> {
        let tables = self.tables.lock();
        let first = tables.by_time.keys().next();
        first.map(|(at, _)| *at)
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
