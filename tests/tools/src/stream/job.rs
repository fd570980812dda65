// SPDX-License-Identifier: GPL-2.0

//! A command that is being obeyed: how it starts, when it is done, what it answers.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;
use std::time::Instant;

use super::command::Command;
use super::connection::Connection;
use super::socket;
use super::table::Table;
use super::traffic::Traffic;

/// A command at work.
pub struct Job {
    command: Command,
    deadline: Option<Instant>,
    started: Option<Instant>,
    before: (u64, u64),
    /// The connections it is about, and how much each must have received.
    goals: Vec<(u64, u64)>,
    lines: String,
}

impl Job {
    /// A command to be obeyed within `limit`.
    pub fn new(command: Command, limit: Option<Duration>) -> Self {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        Self {
            command,
            deadline,
            started: None,
            before: (0, 0),
            goals: Vec::new(),
            lines: String::new(),
        }
    }

    /// Whether the process is to end with this job.
    pub fn is_last(&self) -> bool {
        self.command == Command::Quit
    }

    /// Whether it waits for its end, not for its beginning.
    pub fn is_started(&self) -> bool {
        self.started.is_some()
    }

    /// When to look at it even if nothing has happened.
    pub fn wake_at(&self) -> Option<Instant> {
        match (&self.command, self.started) {
            (Command::Sleep(milliseconds), Some(started)) => {
                started.checked_add(Duration::from_millis(*milliseconds))
            }
            _ => self.deadline,
        }
    }

    /// Goes on with it; the answer when it is done or out of time.
    pub fn poll(&mut self, table: &mut Table) -> Option<String> {
        let now = Instant::now();
        if self.started.is_none() {
            let ready =
                self.command.is_always_possible() || !table.iter().any(Connection::is_opening);
            if ready {
                self.started = Some(now);
                self.before = table.totals();
                self.start(table);
            }
        }
        if self.started.is_some() && self.is_done(table, now) {
            return Some(self.answer(table));
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            let waiting = self
                .goals
                .iter()
                .filter(|goal| !self.reached(table, goal))
                .count();
            let totals = self.moved(table);
            return Some(format!(
                "error UNFINISHED open={} waiting={waiting} {totals}\n",
                table.len()
            ));
        }
        None
    }

    fn start(&mut self, table: &mut Table) {
        match &self.command {
            Command::Abandon => table.abandon(false),
            Command::Reset => table.abandon(true),
            Command::Forget => table.forget(),
            _ => {}
        }
        for connection in table.iter_mut() {
            let received = connection.totals().1;
            let goal = match self.command {
                Command::Exchange(count) => {
                    connection.exchange(count);
                    connection.claim(count)
                }
                Command::Expect(count) => connection.claim(count),
                Command::Progress(count) => received + count,
                _ => 0,
            };
            match self.command {
                Command::Send(count) => connection.send(count),
                Command::Bulk => connection.start(Traffic::Bulk),
                Command::Records { size, interval_ms } => {
                    connection.start(Traffic::records(size, interval_ms));
                }
                Command::Stop => connection.stop(),
                Command::Shutdown => connection.end(true),
                Command::Close => connection.end(false),
                Command::Own => socket::own(connection.stream()),
                Command::Connections => {
                    self.lines.push_str(&connection.describe());
                    self.lines.push('\n');
                }
                _ => {}
            }
            self.goals.push((connection.id, goal));
        }
    }

    fn reached(&self, table: &Table, &(id, goal): &(u64, u64)) -> bool {
        let Some(connection) = table.get(id) else {
            return true;
        };
        match self.command {
            Command::Exchange(_) => !connection.is_awaiting() && connection.totals().1 >= goal,
            Command::Expect(_) | Command::Progress(_) => connection.totals().1 >= goal,
            Command::Stop => !connection.is_awaiting(),
            Command::Send(_) | Command::Shutdown => connection.is_flushed(),
            Command::Close | Command::Wait => false,
            _ => true,
        }
    }

    fn is_done(&self, table: &Table, now: Instant) -> bool {
        match self.command {
            Command::Sleep(_) => self.wake_at().is_none_or(|at| at <= now),
            Command::Wait => table.len() == 0,
            Command::Sockets(count) => {
                let open = table
                    .iter()
                    .filter(|connection| !connection.is_opening())
                    .count();
                open as u64 >= count || !table.failures().is_empty()
            }
            _ => self.goals.iter().all(|goal| self.reached(table, goal)),
        }
    }

    /// `sent= received=` since the start.
    fn moved(&self, table: &Table) -> String {
        let (sent, received) = table.totals();
        format!(
            "sent={} received={}",
            sent - self.before.0,
            received - self.before.1
        )
    }

    fn answer(&self, table: &Table) -> String {
        let mut answer = self.lines.clone();
        let counts = format!(
            "open={} closed={} failed={}",
            table.len(),
            table.closed(),
            table.failures().len()
        );
        let missing = self
            .goals
            .iter()
            .filter(|(id, _)| table.get(*id).is_none())
            .count();
        let nothing = self.goals.is_empty() || missing > 0;
        let text = if let Some((first, which)) = table.failures().first() {
            format!(
                "error {} {counts} errors={} first: {first} {which}",
                first.name(),
                tally(table)
            )
        } else if self.command.needs_connection() && nothing {
            format!("error CLOSED {counts} missing={missing}")
        } else if matches!(
            self.command,
            Command::Status | Command::Wait | Command::Quit
        ) {
            let (sent, received) = table.totals();
            format!("ok {counts} sent={sent} received={received}")
        } else {
            let connections = self.goals.len();
            let taken = self
                .started
                .map_or(0, |started| started.elapsed().as_millis());
            format!(
                "ok {} connections={connections} ms={taken}",
                self.moved(table)
            )
        };
        // Writing to a String cannot fail.
        writeln!(answer, "{text}").unwrap_or_default();
        answer
    }
}

/// `NAME:COUNT,…` of all failures.
fn tally(table: &Table) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (failure, _) in table.failures() {
        *counts.entry(failure.name()).or_default() += 1;
    }
    let words: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{name}:{count}"))
        .collect();
    words.join(",")
}
