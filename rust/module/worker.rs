// SPDX-License-Identifier: GPL-2.0

//! Events: time; and whatever had to wait for process context.
//!
//! A namespace has one work item. Each run does all there is to do and asks for the next when the
//! earliest deadline is due.

use crate::module::correspond::{
    self,
    Candidate, //
};
use crate::module::namespace::Namespace;
use crate::module::secure::{
    Answer,
    Arrival, //
};
use crate::net::sock::{
    Locked,
    TcpSock,
    Tuple, //
};
use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use crate::net::work::Worker;
use crate::proto::correspondent::Judgement;
use crate::proto::exchange;
use crate::proto::flow::{
    Event,
    Flow, //
};
use crate::proto::happening::Happening;
use crate::proto::ids::Epoch;
use crate::proto::option::secure::Secure;
use core::time::Duration;
use kernel::alloc::flags::GFP_ATOMIC;
use kernel::prelude::*;

/// How many tasks wait at most. What finds no place comes again: updates are retransmitted.
const TASKS: usize = 4096;

/// How long a connection on the move is kept when no process has it any more: what TCP itself gives
/// orphans, about (`tcp_orphan_retries`, Documentation/networking/ip-sysctl.rst).
const ORPHAN: Duration = Duration::from_secs(100);

/// What found its socket owned by a process, or locked by whoever saw it.
pub enum Task {
    /// An UPDATE to judge and to follow.
    Follow(TcpSock, Candidate),
    /// An UPDATE followed, to be answered.
    Answer(TcpSock, Judgement),
    /// A confirmed flow, to resend what was lost on the way to the confirmation.
    Restart(TcpSock),
    /// An UPDATE of the secure profile to judge and to follow.
    FollowSecure(TcpSock, Arrival),
    /// What the correspondent's state machine has answered.
    AnswerSecure(TcpSock, Answer),
    /// An option to send.
    Respond(TcpSock, Secure),
    /// An UPDATE to send, of an epoch, perhaps a retransmission.
    Update(TcpSock, Epoch, bool),
    /// Something to send for a key exchange.
    Exchange(TcpSock, exchange::Action),
    /// A peer to ask whether it is there.
    Ask(TcpSock),
    /// A connection whose peer does not answer, seen while its lock was held.
    Silence(TcpSock),
}

/// The tasks of a namespace.
///
/// # Context
///
/// Any but hard interrupts.
#[pin_data]
pub struct Postponed {
    #[pin]
    tasks: SpinLockBh<KVec<Task>>,
}

impl Postponed {
    /// None.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            tasks <- spinlock_bh!(KVec::new(), "tcp_continuity_tasks"),
        })
    }

    /// Adds a task if there is room.
    fn push(&self, task: Task) -> bool {
        let mut tasks = self.tasks.lock();
        tasks.len() < TASKS && tasks.push(task, GFP_ATOMIC).is_ok()
    }

    /// Takes all tasks.
    fn take(&self) -> KVec<Task> {
        core::mem::take(&mut *self.tasks.lock())
    }

    /// Forgets all tasks.
    pub fn clear(&self) {
        drop(self.take());
    }
}

impl Namespace {
    /// Has the worker do `task` as soon as it can. Whether it will.
    pub fn postpone(&self, task: Task) -> bool {
        if self.is_ending() {
            return false;
        }
        let taken = self.postponed.push(task);
        if taken {
            self.count(Happening::Deferred);
            self.work_now();
        } else {
            self.count(Happening::NoMemory);
        }
        taken
    }

    /// As [`Namespace::postpone`], where that is not counted.
    pub fn postpone_quietly(&self, task: Task) {
        if !self.is_ending() && self.postponed.push(task) {
            self.work_now();
        }
    }

    /// Has the worker resend what the flow of `tuple` has outstanding.
    pub fn postpone_restart(&self, tuple: &Tuple) {
        if let Some(sock) = self.motions.with(tuple, |motion| motion.sock.clone()) {
            self.postpone(Task::Restart(sock));
        }
    }

    /// Has the worker send an UPDATE of the flow of `tuple`.
    pub fn postpone_update(&self, tuple: &Tuple, epoch: Epoch, retransmission: bool) {
        if let Some(sock) = self.motions.with(tuple, |motion| motion.sock.clone()) {
            self.postpone(Task::Update(sock, epoch, retransmission));
        }
    }

    /// Has the worker run within `delay`.
    pub fn work_within(&self, delay: Duration) {
        self.work().schedule(delay);
    }

    /// Has the worker run at once.
    pub fn work_now(&self) {
        self.work().schedule(Duration::ZERO);
    }

    /// Has the worker run when something is to be done about a connection of the secure profile.
    pub fn work_by_deadline(&self) {
        if let Some(at) = self.connections.deadline() {
            self.work().schedule(at.since(self.now()));
        }
    }

    /// One run of the worker. Process context, may sleep.
    pub fn work_once(&self) {
        if self.is_off() || self.is_ending() {
            return;
        }
        for task in self.postponed.take() {
            self.perform_task(task);
        }
        self.look_into_signs();
        self.meet_deadlines();
        self.meet_connections();
        let now = self.now();
        let deadlines = [
            self.connections.deadline(),
            self.half_open.expire(now),
            self.motions.deadline(),
            self.signs.deadline(),
            self.transit.expire(now),
        ];
        if let Some(next) = deadlines
            .into_iter()
            .flatten()
            .min_by_key(|at| at.as_millis())
        {
            self.work().schedule(next.since(now));
        }
    }

    /// Does what had to wait for a socket's owner.
    fn perform_task(&self, task: Task) {
        match task {
            Task::Follow(sock, candidate) => {
                let followed = self.follow(sock.lock(), &candidate);
                match followed {
                    Ok(judgement) => correspond::answer_locked(sock.lock(), judgement),
                    Err(reject) => self.count(reject),
                }
            }
            Task::Answer(sock, judgement) => correspond::answer_locked(sock.lock(), judgement),
            // An error is that the connection is over, or TCP's to deal with.
            Task::Restart(sock) => drop(sock.lock().restart_path()),
            Task::FollowSecure(sock, arrival) => self.follow_now(&sock, &arrival),
            Task::AnswerSecure(sock, answer) => self.carry_out(sock.lock(), sock.id(), answer),
            Task::Exchange(sock, action) => self.step(&mut sock.lock(), sock.id(), action),
            Task::Update(sock, epoch, retransmission) => {
                self.send_secure_update(&mut sock.lock(), sock.id(), epoch, retransmission, false);
            }
            Task::Respond(sock, option) => {
                self.send_response(&mut sock.lock(), option);
            }
            Task::Ask(sock) => self.ask_now(&sock),
            Task::Silence(sock) => self.meet_silence(&sock),
        }
    }

    /// Calls every flow whose deadline has come.
    fn meet_deadlines(&self) {
        let now = self.now();
        let is_due = |flow: &Flow| {
            flow.deadline()
                .is_some_and(|deadline| deadline.as_millis() <= now.as_millis())
        };
        let mut after = None;
        let mut any = false;
        while let Some((tuple, sock)) = self.motions.next(after.as_ref(), is_due) {
            after = Some(tuple);
            any = true;
            let mut locked = sock.lock();
            if locked.is_closed() || locked.tuple() != tuple {
                self.feed_closed(locked, &tuple);
            } else if self.is_left_behind(&locked, &tuple) {
                // Its last data has had its time: TCP gives it up by its own rules.
                locked.unpark();
                self.feed_closed(locked, &tuple);
            } else {
                self.feed(&sock, locked, Event::Deadline);
            }
        }
        if any && self.motions.any_suspended() {
            // Should a sign have been missed, or memory have been short.
            self.retry_suspended();
        }
    }

    /// Whether a connection that no process has any more has been on the move for long. It would
    /// keep its namespace from ending.
    fn is_left_behind(&self, locked: &Locked<'_>, tuple: &Tuple) -> bool {
        let age = self
            .motions
            .with(tuple, |motion| self.now().since(motion.flow.since()));
        locked.is_orphan() && age.is_some_and(|age| age >= ORPHAN)
    }

    /// Forgets the flow of a socket that was closed.
    pub fn feed_closed(&self, locked: Locked<'_>, tuple: &Tuple) {
        drop(locked);
        drop(self.motions.remove(tuple));
    }
}
