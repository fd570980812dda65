// SPDX-License-Identifier: GPL-2.0

//! 4-tuples that a connection has lately left, or is about to enter, and where it is instead.
//!
//! Segments may still come for the tuple a connection has left, and may already come for the one
//! it is going to have. TCP would find no socket for them and answer with a RST that the other end
//! has to believe. So they are given to the connection, and should a RST be made all the same (by
//! a look-up that fell into the moment between two hash chains), it is not sent.

use crate::net::sock::Tuple;
use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use crate::proto::time::Instant;
use core::time::Duration;
use kernel::alloc::flags::GFP_ATOMIC;
use kernel::prelude::*;
use kernel::rbtree::RBTree;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// How long stragglers are expected on a tuple that was left: the time a segment may live in a
/// network, as Linux has it for TIME_WAIT (`TCP_TIMEWAIT_LEN`).
const LEFT: Duration = Duration::from_secs(60);
/// How long a tuple is held for a connection that is about to enter it.
const ENTERING: Duration = Duration::from_secs(1);
/// Entries of a namespace at most: further moves go without.
const LIMIT: u32 = 65_536;
/// Moves of one connection that a straggler is led through at most.
const HOPS: usize = 8;

/// Where a connection is that is not at the tuple asked for.
#[derive(Clone, Copy)]
struct Entry {
    instead: Tuple,
    /// Whether the tuple was left, or is about to be entered.
    left: bool,
    since: Instant,
    until: Instant,
}

/// The tuples of one namespace.
///
/// # Context
///
/// Any but hard interrupts. A socket's lock may be held: this lock is inside it.
#[pin_data]
pub struct Transit {
    count: Atomic<u32>,
    #[pin]
    table: SpinLockBh<RBTree<Tuple, Entry>>,
}

impl Transit {
    /// An empty table.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            count: Atomic::new(0),
            table <- spinlock_bh!(RBTree::new(), "tcp_continuity_transit"),
        })
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    /// The connection at `at` is about to enter `tuple`.
    pub fn expect(&self, tuple: Tuple, at: Tuple, now: Instant) {
        if self.instead_of(&tuple).is_none() {
            self.lead(tuple, at, now, false);
        }
    }

    /// Leads segments for `tuple` to the connection at `instead` from now on. Without memory, or
    /// room, they are not led: TCP answers as it always did.
    fn lead(&self, tuple: Tuple, instead: Tuple, now: Instant, left: bool) {
        let entry = Entry {
            instead,
            left,
            since: now,
            until: now.after(if left { LEFT } else { ENTERING }),
        };
        let mut table = self.table.lock();
        if let Some(old) = table.get_mut(&tuple) {
            *old = entry;
        } else if self.count.load(Relaxed) < LIMIT
            && table
                .try_create_and_insert(tuple, entry, GFP_ATOMIC)
                .is_ok()
        {
            self.count.add(1, Relaxed);
        }
    }

    /// A connection is about to change from `old` to `new`: from now on both tuples are taken care
    /// of, so that no moment is without.
    pub fn begin(&self, old: Tuple, new: Tuple, now: Instant) {
        self.lead(new, old, now, false);
        self.lead(old, new, now, true);
    }

    /// The change that began has been made, or has failed: one of the tuples is a connection's.
    pub fn finish(&self, old: &Tuple, new: &Tuple, changed: bool) {
        self.end(if changed { new } else { old });
    }

    /// Ends the entry of `tuple`: a connection has it now, or somebody opens one.
    pub fn end(&self, tuple: &Tuple) {
        if self.table.lock().remove(tuple).is_some() {
            self.count.fetch_sub(1, Relaxed);
        }
    }

    /// Where the connection is that has left `tuple`, or is about to enter it.
    pub fn instead_of(&self, tuple: &Tuple) -> Option<Tuple> {
        let table = self.table.lock();
        let mut at = table.get(tuple)?.instead;
        for _ in 0..HOPS {
            match table.get(&at) {
                Some(entry) if entry.instead != *tuple => at = entry.instead,
                _ => break,
            }
        }
        Some(at)
    }

    /// How long ago a connection left `tuple`.
    pub fn left_ago(&self, tuple: &Tuple, now: Instant) -> Option<Duration> {
        let table = self.table.lock();
        let entry = table.get(tuple).filter(|entry| entry.left)?;
        Some(now.since(entry.since))
    }

    /// Drops what has expired. When to call next, if anything is left.
    pub fn expire(&self, now: Instant) -> Option<Instant> {
        let mut after = None;
        let mut first: Option<Instant> = None;
        loop {
            let mut table = self.table.lock();
            let Some((tuple, until)) = next(&mut table, after.as_ref()) else {
                return first;
            };
            if until.as_millis() <= now.as_millis() {
                table.remove(&tuple);
                self.count.fetch_sub(1, Relaxed);
            } else if first.is_none_or(|first| until.as_millis() < first.as_millis()) {
                first = Some(until);
            }
            after = Some(tuple);
        }
    }
}

/// The first entry behind `after`.
fn next(table: &mut RBTree<Tuple, Entry>, after: Option<&Tuple>) -> Option<(Tuple, Instant)> {
    let mut cursor = match after {
        Some(tuple) => table.cursor_lower_bound_mut(tuple)?,
        None => table.cursor_front_mut()?,
    };
    loop {
        let (tuple, entry) = cursor.current();
        if after != Some(tuple) {
            return Some((*tuple, entry.until));
        }
        cursor = cursor.move_next()?;
    }
}
