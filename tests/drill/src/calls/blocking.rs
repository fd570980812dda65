// SPDX-License-Identifier: GPL-2.0

//! Calls that block while the script goes on: one at a time, in a thread of its own.

use std::fs;
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::perform::perform;
use super::request::{Reply, Request};
use crate::clock;
use crate::script::Call;
use crate::trouble::{Outcome, Trouble};

/// How long the next call waits for the one that blocks.
const PATIENCE: Duration = Duration::from_secs(1);

/// A call that was begun.
pub struct Started {
    /// The call.
    pub call: Call,
    /// The line it is on.
    pub line: usize,
    /// When it was due, in microseconds since the script's beginning.
    pub from: i64,
    /// When it shall return, likewise.
    pub to: i64,
}

/// A call that is over.
pub struct Done {
    /// What was begun.
    pub started: Started,
    /// How it ended.
    pub reply: Reply,
    /// When, by the machine's clock.
    pub at: i64,
}

/// The thread.
pub struct Blocking {
    requests: Sender<Request>,
    replies: Receiver<(Reply, i64)>,
    thread: libc::pid_t,
    running: Option<Started>,
}

impl Blocking {
    /// A thread that waits for calls.
    pub fn new() -> Self {
        let (requests, todo) = channel::<Request>();
        let (done, replies) = channel();
        let (name, names) = channel();
        thread::spawn(move || {
            let _ = name.send(nix::unistd::gettid().as_raw());
            for request in todo {
                let reply = perform(request);
                if done.send((reply, clock::now())).is_err() {
                    return;
                }
            }
        });
        Self {
            requests,
            replies,
            // The thread says its name before anything else.
            thread: names.recv().unwrap_or_default(),
            running: None,
        }
    }

    /// Begins a call, and comes back when it blocks or is over.
    pub fn begin(&mut self, started: Started, request: Request) -> Outcome<Option<Done>> {
        self.running = Some(started);
        if self.requests.send(request).is_err() {
            return Err(Trouble::unsupported("a call after the thread's end"));
        }
        loop {
            if let Some(done) = self.poll() {
                return Ok(Some(done));
            }
            thread::yield_now();
            if self.sleeps() {
                return Ok(None);
            }
        }
    }

    /// The call that was begun, if it is over.
    pub fn poll(&mut self) -> Option<Done> {
        self.running.as_ref()?;
        let (reply, at) = self.replies.try_recv().ok()?;
        self.done(reply, at)
    }

    /// The call that was begun, which is waited for.
    pub fn wait(&mut self) -> Outcome<Option<Done>> {
        let Some(started) = &self.running else {
            return Ok(None);
        };
        match self.replies.recv_timeout(PATIENCE) {
            Ok((reply, at)) => Ok(self.done(reply, at)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Err(Trouble::failed(
                    format_args!("{}() in line {} returns", started.call.name, started.line),
                    "it still blocks",
                ))
            }
        }
    }

    fn done(&mut self, reply: Reply, at: i64) -> Option<Done> {
        self.running
            .take()
            .map(|started| Done { started, reply, at })
    }

    /// Whether the thread sleeps, as proc(5) tells: the letter after the name in parentheses.
    fn sleeps(&self) -> bool {
        let path = format!("/proc/self/task/{}/stat", self.thread);
        fs::read_to_string(path).is_ok_and(|text| {
            let state = text.rsplit_once(") ").map(|(_, rest)| rest);
            state.is_some_and(|rest| rest.starts_with('S'))
        })
    }
}
