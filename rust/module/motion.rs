// SPDX-License-Identifier: GPL-2.0

//! The flows of a namespace that are on the move: suspended, or waiting for a confirmation.
//!
//! A connection has an entry from the loss of its address until its peer has confirmed the new
//! one, or it has failed. So the table is empty nearly always, and a segment finds that out with
//! one load.

use crate::net::sock::{
    TcpSock,
    Tuple, //
};
use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use crate::proto::flow::{
    Actions,
    Event,
    Flow,
    State, //
};
use crate::proto::ids::Epoch;
use crate::proto::settings::Settings;
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

/// A flow on the move and the socket it is of.
///
/// The reference keeps the socket's memory, and its namespace, for as long as the flow is in the
/// table, which the state machine bounds.
pub struct Motion {
    /// The state machine.
    pub flow: Flow,
    /// The socket.
    pub sock: TcpSock,
}

/// The table, by the 4-tuple each socket has at present.
///
/// # Context
///
/// Any but hard interrupts. A socket's lock may be held: this lock is inside it.
#[pin_data]
pub struct Motions {
    count: Atomic<u32>,
    suspended: Atomic<u32>,
    /// A flow is taken out of its entry only to be put into another at once.
    #[pin]
    table: SpinLockBh<RBTree<Tuple, Option<Motion>>>,
}

impl Motions {
    /// An empty table.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            count: Atomic::new(0),
            suspended: Atomic::new(0),
            table <- spinlock_bh!(RBTree::new(), "tcp_continuity_motions"),
        })
    }

    /// Whether no flow is on the move.
    pub fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    /// Whether any flow is suspended.
    pub fn any_suspended(&self) -> bool {
        self.suspended.load(Relaxed) != 0
    }

    /// Adds a flow, unless its tuple has one.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EEXIST`.
    pub fn insert(&self, tuple: Tuple, motion: Motion) -> Result {
        let node = RBTreeNode::new(tuple, Some(motion), GFP_ATOMIC)?;
        let mut table = self.table.lock();
        if table.get(&tuple).is_some() {
            return Err(EEXIST);
        }
        table.insert(node);
        self.count.add(1, Relaxed);
        Ok(())
    }

    /// Takes a flow out. To be dropped when no lock is held.
    pub fn remove(&self, tuple: &Tuple) -> Option<Motion> {
        let mut table = self.table.lock();
        let node = table.remove_node(tuple)?;
        drop(table);
        let motion = node.to_key_value().1?;
        self.count.fetch_sub(1, Relaxed);
        self.count_suspended(is_suspended(&motion.flow), false);
        Some(motion)
    }

    /// Gives a flow the tuple its socket has got.
    pub fn rekey(&self, old: &Tuple, new: Tuple) {
        let mut table = self.table.lock();
        let Some(motion) = table.get_mut(old).and_then(Option::take) else {
            return;
        };
        // No allocation, so that it cannot fail: the node's own memory is used again.
        if let Some(node) = table.remove_node(old) {
            table.insert(node.into_reservation().into_node(new, Some(motion)));
        }
    }

    /// Feeds an event to the flow of `tuple`, if there is one.
    pub fn handle(
        &self,
        tuple: &Tuple,
        now: Instant,
        settings: &Settings,
        event: Event,
    ) -> Option<Actions> {
        let mut table = self.table.lock();
        let flow = &mut table.get_mut(tuple)?.as_mut()?.flow;
        let before = is_suspended(flow);
        let actions = flow.handle(now, settings, event);
        self.count_suspended(before, is_suspended(flow));
        Some(actions)
    }

    /// An UPDATE with `epoch` was sent from `tuple` that is none of its flow's, if there is one.
    pub fn used(&self, tuple: &Tuple, epoch: Epoch) {
        if let Some(motion) = self.table.lock().get_mut(tuple).and_then(Option::as_mut) {
            motion.flow.used(epoch);
        }
    }

    /// Looks at the flow of `tuple`, if there is one.
    pub fn with<R>(&self, tuple: &Tuple, look: impl FnOnce(&Motion) -> R) -> Option<R> {
        self.table.lock().get(tuple)?.as_ref().map(look)
    }

    /// The first flow behind `after` that `wanted` accepts, for walks that let go of the lock
    /// between one flow and the next.
    pub fn next(
        &self,
        after: Option<&Tuple>,
        mut wanted: impl FnMut(&Flow) -> bool,
    ) -> Option<(Tuple, TcpSock)> {
        let mut table = self.table.lock();
        let mut cursor = match after {
            Some(tuple) => table.cursor_lower_bound_mut(tuple)?,
            None => table.cursor_front_mut()?,
        };
        loop {
            let (tuple, motion) = cursor.current();
            if let Some(motion) = motion.as_ref().filter(|_| after != Some(tuple)) {
                if wanted(&motion.flow) {
                    return Some((*tuple, motion.sock.clone()));
                }
            }
            cursor = cursor.move_next()?;
        }
    }

    /// When the first of the flows wants to be called.
    pub fn deadline(&self) -> Option<Instant> {
        let table = self.table.lock();
        let first = table
            .values()
            .flatten()
            .filter_map(|motion| motion.flow.deadline());
        first.min_by_key(|deadline| deadline.as_millis())
    }

    /// Keeps the count of suspended flows, which segments look at, in step with the table.
    fn count_suspended(&self, before: bool, after: bool) {
        match (before, after) {
            (false, true) => self.suspended.add(1, Relaxed),
            (true, false) => {
                self.suspended.fetch_sub(1, Relaxed);
            }
            _ => {}
        }
    }
}

/// Whether the flow has no address to send from.
fn is_suspended(flow: &Flow) -> bool {
    matches!(flow.state(), State::Suspended)
}
