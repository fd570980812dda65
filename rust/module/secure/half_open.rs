// SPDX-License-Identifier: GPL-2.0

//! Connections that are being opened and may come to have the secure profile.
//!
//! There are so many at most of either kind; beyond that none is offered or answered, and TCP goes on
//! without. They are counted apart, so that a flood of SYNs takes nothing from this host's own
//! connections. A SYN that came gets no memory of its own before TCP answers it.

use crate::net::sock::{
    SockId,
    Tuple, //
};
use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use crate::proto::handshake::{
    Client,
    Server, //
};
use crate::proto::keyring::Keyring;
use crate::proto::option::secure::{
    Capable,
    Echo, //
};
use crate::proto::seq::SeqNum;
use crate::proto::time::Instant;
use core::time::Duration;
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
use kernel::sync::Arc;

/// How many of either kind there are at most.
const LIMIT: u32 = 4_096;
/// How long TCP tries to open a connection, by default: `tcp_syn_retries`, `tcp_synack_retries`
/// (Documentation/networking/ip-sysctl.rst).
const TRIED: Duration = Duration::from_secs(131);
/// How many SYNs that were not answered yet are remembered: TCP answers one before it takes the
/// next on the same processor, so that this is for several of those.
const ASKED: usize = 64;

/// A connection that this host opens.
pub struct Opened {
    /// The socket.
    pub sock: SockId,
    /// How far it is.
    pub client: Client,
    /// The keys it was begun with.
    pub keys: Arc<Keyring>,
    /// The acknowledgement numbers that a SYN/ACK may have: of the SYN alone, or of what it carried
    /// as well (RFC 7413).
    pub acks: (SeqNum, SeqNum),
    /// What the SYN/ACK with CAPABLE had for a sequence number.
    pub answered: Option<SeqNum>,
}

/// A connection that the peer opens.
pub struct Answered {
    /// How far it is.
    pub server: Server,
    /// The keys it was begun with.
    pub keys: Arc<Keyring>,
    /// The sequence number of the SYN.
    pub syn: SeqNum,
    /// The ECHO that has come before there is a socket.
    pub echo: Option<Echo>,
}

/// Either.
enum Opening {
    Here(Opened),
    There(Answered),
}

/// One that has a place.
struct Entry {
    opening: Opening,
    until: Instant,
}

/// A SYN with CAPABLE that TCP is about to answer.
#[derive(Clone, Copy)]
pub struct Asked {
    /// The connection, as this end has it.
    pub tuple: Tuple,
    /// The sequence number of the SYN.
    pub syn: SeqNum,
    /// What it carried.
    pub theirs: Capable,
}

/// The connections of a namespace that are being opened.
///
/// # Context
///
/// Any but hard interrupts. A socket's lock may be held: this lock is inside it.
#[pin_data]
pub struct HalfOpen {
    /// How many this host opens.
    opened: Atomic<u32>,
    /// How many others open.
    answered: Atomic<u32>,
    #[pin]
    tables: SpinLockBh<Tables>,
}

/// What there is.
struct Tables {
    by_tuple: RBTree<Tuple, Entry>,
    /// Those that this host opens.
    by_sock: RBTree<SockId, Tuple>,
    asked: [Option<Asked>; ASKED],
}

impl HalfOpen {
    /// None.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            opened: Atomic::new(0),
            answered: Atomic::new(0),
            tables <- spinlock_bh!(
                Tables { by_tuple: RBTree::new(), by_sock: RBTree::new(), asked: [None; ASKED] },
                "tcp_continuity_half_open"
            ),
        })
    }

    /// Whether another one that this host opens finds a place.
    pub fn has_room_to_open(&self) -> bool {
        self.opened.load(Relaxed) < LIMIT
    }

    /// Whether another one that a peer opens finds a place.
    pub fn has_room_to_answer(&self) -> bool {
        self.answered.load(Relaxed) < LIMIT
    }

    /// How many there are.
    pub fn current(&self) -> u32 {
        self.opened.load(Relaxed) + self.answered.load(Relaxed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.current() == 0
    }

    /// Adds one that this host opens.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EEXIST`.
    pub fn open(&self, tuple: Tuple, opened: Opened, now: Instant) -> Result {
        let sock = opened.sock;
        let index = RBTreeNode::new(sock, tuple, GFP_ATOMIC)?;
        let entry = Entry {
            opening: Opening::Here(opened),
            until: now.after(TRIED),
        };
        let entry = RBTreeNode::new(tuple, entry, GFP_ATOMIC)?;
        let mut tables = self.tables.lock();
        if tables.by_tuple.get(&tuple).is_some() || tables.by_sock.get(&sock).is_some() {
            return Err(EEXIST);
        }
        tables.by_sock.insert(index);
        tables.by_tuple.insert(entry);
        self.opened.add(1, Relaxed);
        Ok(())
    }

    /// Adds one that the peer opens.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EEXIST`.
    pub fn answer(&self, tuple: Tuple, answered: Answered, now: Instant) -> Result {
        let entry = Entry {
            opening: Opening::There(answered),
            until: now.after(TRIED),
        };
        let entry = RBTreeNode::new(tuple, entry, GFP_ATOMIC)?;
        let mut tables = self.tables.lock();
        if tables.by_tuple.get(&tuple).is_some() {
            return Err(EEXIST);
        }
        tables.by_tuple.insert(entry);
        self.answered.add(1, Relaxed);
        Ok(())
    }

    /// A SYN with CAPABLE came; TCP answers it on this processor if it does.
    pub fn ask(&self, asked: Asked) {
        if let Some(place) = self.tables.lock().asked.get_mut(place_of(&asked.tuple)) {
            *place = Some(asked);
        }
    }

    /// The SYN that is being answered, given out once.
    pub fn asked(&self, tuple: &Tuple) -> Option<Asked> {
        let mut tables = self.tables.lock();
        let place = tables.asked.get_mut(place_of(tuple))?;
        place.take_if(|asked| asked.tuple == *tuple)
    }

    /// Looks at one that this host opens, or changes it.
    pub fn with_opened<R>(&self, tuple: &Tuple, act: impl FnOnce(&mut Opened) -> R) -> Option<R> {
        match &mut self.tables.lock().by_tuple.get_mut(tuple)?.opening {
            Opening::Here(opened) => Some(act(opened)),
            Opening::There(_) => None,
        }
    }

    /// Looks at one that the peer opens, or changes it.
    pub fn with_answered<R>(
        &self,
        tuple: &Tuple,
        act: impl FnOnce(&mut Answered) -> R,
    ) -> Option<R> {
        match &mut self.tables.lock().by_tuple.get_mut(tuple)?.opening {
            Opening::There(answered) => Some(act(answered)),
            Opening::Here(_) => None,
        }
    }

    /// Takes out the one that a socket of this host opens.
    pub fn take_opened(&self, sock: SockId) -> Option<Opened> {
        if self.opened.load(Relaxed) == 0 {
            return None;
        }
        let mut tables = self.tables.lock();
        let tuple = tables.by_sock.remove(&sock)?;
        match self.take(&mut tables, &tuple)? {
            Opening::Here(opened) => Some(opened),
            Opening::There(_) => None,
        }
    }

    /// Takes out the one that the peer opens.
    pub fn take_answered(&self, tuple: &Tuple) -> Option<Answered> {
        if self.answered.load(Relaxed) == 0 {
            return None;
        }
        let mut tables = self.tables.lock();
        if !matches!(tables.by_tuple.get(tuple)?.opening, Opening::There(_)) {
            return None;
        }
        match self.take(&mut tables, tuple)? {
            Opening::There(answered) => Some(answered),
            Opening::Here(_) => None,
        }
    }

    /// Takes the entry of `tuple` out.
    fn take(&self, tables: &mut Tables, tuple: &Tuple) -> Option<Opening> {
        let entry = tables.by_tuple.remove(tuple)?;
        match &entry.opening {
            Opening::Here(_) => self.opened.fetch_sub(1, Relaxed),
            Opening::There(_) => self.answered.fetch_sub(1, Relaxed),
        };
        Some(entry.opening)
    }

    /// Forgets those that TCP has given up. When to call next, if any are left.
    pub fn expire(&self, now: Instant) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        loop {
            let mut tables = self.tables.lock();
            let old = tables.by_tuple.iter().find(|(_, entry)| entry.until <= now);
            let Some(tuple) = old.map(|(tuple, _)| *tuple) else {
                let all = tables.by_tuple.iter().map(|(_, entry)| entry.until);
                return all.min_by_key(|at| at.as_millis());
            };
            if let Some(Opening::Here(opened)) = self.take(&mut tables, &tuple) {
                tables.by_sock.remove(&opened.sock);
            }
        }
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.expire(Instant::from_millis(u64::MAX));
    }
}

/// Where the SYN of a connection is kept.
fn place_of(tuple: &Tuple) -> usize {
    usize::from(tuple.remote_port ^ tuple.local_port) % ASKED
}
