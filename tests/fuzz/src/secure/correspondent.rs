// SPDX-License-Identifier: GPL-2.0

//! The correspondent's state machine, told whatever can be told, in any order, by a peer that has the
//! keys, and by others.
//!
//! Input: `validate_time` in seconds, then events of three octets: what, an argument, and how much time
//! goes by before it, in units of 100 ms. Deadlines that come in that time are met first.

use super::sessions;
use super::Toy;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::time::Duration;
use tcp_continuity::proto::addr::Endpoint;
use tcp_continuity::proto::correspondent::secure::Action;
use tcp_continuity::proto::correspondent::secure::Actions;
use tcp_continuity::proto::correspondent::secure::Correspondent;
use tcp_continuity::proto::correspondent::secure::Event;
use tcp_continuity::proto::crypto::Ends;
use tcp_continuity::proto::flow::RebindError;
use tcp_continuity::proto::happening::Reject;
use tcp_continuity::proto::ids::Challenge;
use tcp_continuity::proto::ids::Epoch;
use tcp_continuity::proto::option::secure::Response;
use tcp_continuity::proto::option::secure::Update;
use tcp_continuity::proto::path::Syn;
use tcp_continuity::proto::seq::SeqNum;
use tcp_continuity::proto::session::Session;
use tcp_continuity::proto::settings::Settings;
use tcp_continuity::proto::time::Instant;

/// A unit of time in the input, in milliseconds.
const UNIT: u64 = 100;
/// A full segment, an UPDATE, and a CONFIRM.
const SEGMENT: u32 = 1_500;
const UPDATE: u32 = 80;
const CONFIRM: u32 = 100;
/// How often a connection gives a whole segment for nothing (S-40).
const GRACE: u64 = 10_000;
/// Rounds of deadlines after which nothing more may come.
const ROUNDS: u32 = 1_000;

/// The target.
pub fn run(input: &[u8]) {
    let [validate, events @ ..] = input else {
        return;
    };
    let mut driver = Driver::new(*validate);
    for event in events.chunks_exact(3) {
        driver.step(event[0], event[1], event[2]);
    }
    driver.leave_alone();
}

/// What is around the machine, and what is known of it without looking inside.
struct Driver {
    machine: Correspondent,
    mover: Session,
    session: Session,
    settings: Settings,
    now: u64,
    /// Where the socket is.
    remote: Endpoint,
    /// The last epoch that the mover has used, and the last CONFIRM it could have got.
    epoch: u32,
    asked: Option<(Epoch, Challenge)>,
    /// UPDATEs that were said.
    said: Vec<(Update, Endpoint)>,
    /// Octets each path has given since it was last validated, or the UPDATE; and has got.
    ledger: Vec<Account>,
    challenges: u8,
}

/// What came from a path that is not validated, and what went there.
struct Account {
    remote: Endpoint,
    since: u64,
    received: u64,
    sent: u64,
}

impl Driver {
    fn new(validate: u8) -> Self {
        let (mover, session) = sessions(true);
        let remote = host(0);
        Self {
            machine: Correspondent::new(remote),
            mover,
            session,
            settings: Settings {
                validate_time: Duration::from_secs(u64::from(validate % 60) + 1),
                ..Settings::default()
            },
            now: 0,
            remote,
            epoch: 0,
            asked: None,
            said: Vec::new(),
            ledger: Vec::new(),
            challenges: 0,
        }
    }

    /// Lets time pass, and tells the machine one thing.
    fn step(&mut self, what: u8, argument: u8, pause: u8) {
        self.pass(u64::from(pause) * UNIT);
        let outcome = what >> 6;
        let source = host(argument & 7);
        match what & 0x0f {
            0..=3 => self.update(source, outcome),
            4 => self.replay(source, argument >> 3, outcome),
            5 => self.forge(source, argument),
            6 | 7 => self.answer(source, argument >> 3, outcome),
            8..=10 => {
                let octets = 52 + u32::from(argument >> 3) * 40;
                self.received(source, octets, outcome);
            }
            11..=13 => self.send(u32::from(argument) * 8),
            // None of these comes unasked for; if it did, nothing should happen.
            14 => self.unasked(Event::Rebound),
            _ => self.unasked(Event::RebindFailed(RebindError::TupleTaken)),
        }
    }

    /// The mover says that it is at `source`.
    fn update(&mut self, source: Endpoint, outcome: u8) {
        self.epoch += 1;
        let epoch = Epoch::new(self.epoch);
        let update = self.mover.update(&Toy, epoch, false, &ends(source));
        self.said.push((update, source));
        let followed = self.hear(update, source, outcome);
        if outcome == 0 && is_host(source) {
            assert!(followed.is_ok(), "{followed:?}");
            assert_eq!(self.machine.remote(), source);
        }
    }

    /// Something that it said comes again, from anywhere.
    fn replay(&mut self, source: Endpoint, which: u8, outcome: u8) {
        if self.said.is_empty() {
            return;
        }
        let (update, _) = self.said[usize::from(which) % self.said.len()];
        let (before, followed) = (self.machine, self.machine.followed());
        let heard = self.hear(update, source, outcome);
        if update.epoch <= followed {
            assert!(heard.is_err(), "S-31");
            assert_eq!(self.machine, before);
        }
    }

    /// Somebody without a key says that the mover is at `source`.
    fn forge(&mut self, source: Endpoint, how: u8) {
        let epoch = Epoch::new(self.epoch + 1 + u32::from(how & 1));
        let mut update = self.mover.update(&Toy, epoch, true, &ends(source));
        update.mac.0[usize::from(how) % 12] ^= 1 << (how % 8);
        let before = self.machine;
        assert!(self.hear(update, source, 0).is_err());
        assert_eq!(
            self.machine, before,
            "it was changed by what is not authentic"
        );
    }

    fn hear(&mut self, update: Update, source: Endpoint, outcome: u8) -> Result<(), Reject> {
        self.challenges = self.challenges.wrapping_add(1);
        let before = self.machine.followed();
        let event = Event::Update {
            update,
            ends: ends(source),
            octets: UPDATE,
            challenge: Challenge([self.challenges; 8]),
            rto: Duration::from_millis(400),
            segment: SEGMENT,
            unanswered: outcome == 3,
            syn: (outcome == 2).then_some(Syn {
                ack: SeqNum::new(1),
                expects: SeqNum::new(1),
            }),
        };
        let told = self.tell(event);
        let after = self.machine.followed();
        assert!(after >= before, "epochs go back");
        let actions = told?;
        // On the books before anything is sent there.
        self.open_account(source);
        self.credit(source, UPDATE);
        self.perform(actions, outcome);
        Ok(())
    }

    /// The mover answers the last CONFIRM, from anywhere, perhaps not rightly.
    fn answer(&mut self, source: Endpoint, how: u8, outcome: u8) {
        let Some((epoch, challenge)) = self.asked else {
            return;
        };
        let confirm = self.session.confirm(&Toy, epoch, challenge);
        let Ok(mut response) = self.mover.answer(&Toy, &confirm) else {
            return;
        };
        let right = how & 3 != 3;
        if !right {
            response.mac.0[usize::from(how) % 12] ^= 1;
        }
        self.respond(response, source, right, outcome);
    }

    fn respond(&mut self, response: Response, source: Endpoint, right: bool, outcome: u8) {
        let before = self.machine;
        match self.tell(Event::Response { response, source }) {
            Ok(actions) => {
                assert!(right, "a RESPONSE with a wrong MAC counts");
                self.perform(actions, outcome);
                if self.machine.remote() == source && outcome == 0 {
                    assert_eq!(self.machine.budget(), None, "it was answered");
                }
            }
            Err(_) => assert_eq!(self.machine, before),
        }
    }

    fn received(&mut self, source: Endpoint, octets: u32, outcome: u8) {
        // What comes from elsewhere is none of the connection's.
        if source != self.remote && Some(source) != self.machine.lapsed() {
            return;
        }
        self.credit(source, octets);
        if let Ok(actions) = self.tell(Event::Received { source, octets }) {
            self.perform(actions, outcome);
        }
    }

    /// TCP has something to send; more than the budget does not leave.
    fn send(&mut self, octets: u32) {
        let octets = match self.machine.budget() {
            Some(budget) => octets.min(budget),
            None => octets,
        };
        self.sent(octets);
    }

    fn sent(&mut self, octets: u32) {
        if self.machine.budget().is_none() {
            return;
        }
        let remote = self.remote;
        if let Some(account) = self.account(remote) {
            account.sent += u64::from(octets);
        }
        let actions = self.tell(Event::Sent { octets });
        assert_eq!(actions.map(|actions| actions.into_iter().count()), Ok(0));
        self.audit();
    }

    fn unasked(&mut self, event: Event) {
        let before = self.machine;
        let actions = self.tell(event);
        assert_eq!(actions.map(|actions| actions.into_iter().count()), Ok(0));
        assert_eq!(self.machine, before);
    }

    /// Feeds the machine.
    fn tell(&mut self, event: Event) -> Result<Actions, Reject> {
        let now = Instant::from_millis(self.now);
        self.machine
            .handle(now, &self.settings, &mut self.session, &Toy, event)
    }

    /// Does what it says. A rebind fails if `outcome` says so.
    fn perform(&mut self, actions: Actions, outcome: u8) {
        let list: Vec<Action> = actions.into_iter().collect();
        assert!(list.len() <= Actions::MOST);
        let rebind = list.iter().find_map(|action| match action {
            Action::Rebind { remote } | Action::ReturnTo { remote } => Some(*remote),
            _ => None,
        });
        if let Some(remote) = rebind {
            let event = match outcome {
                1 => Event::RebindFailed(RebindError::TupleTaken),
                2 => Event::RebindFailed(RebindError::NoMemory),
                _ => {
                    self.remote = remote;
                    Event::Rebound
                }
            };
            if let Ok(actions) = self.tell(event) {
                self.perform(actions, 0);
            }
            assert_eq!(self.machine.remote(), self.remote);
            return;
        }
        for action in list {
            if let Action::SendConfirm {
                epoch, challenge, ..
            } = action
            {
                assert!(epoch <= self.machine.followed());
                self.asked = Some((epoch, challenge));
                self.sent(CONFIRM);
            }
        }
        assert_eq!(self.machine.remote(), self.remote);
        if self.machine.budget().is_none() {
            // Validated: its account is closed.
            let remote = self.remote;
            self.ledger.retain(|account| account.remote != remote);
            assert_eq!(self.machine.deadline(), None);
        } else {
            assert!(
                self.machine.deadline().is_some(),
                "not validated, and no deadline"
            );
        }
    }

    fn account(&mut self, remote: Endpoint) -> Option<&mut Account> {
        self.ledger
            .iter_mut()
            .find(|account| account.remote == remote)
    }

    fn open_account(&mut self, remote: Endpoint) {
        let since = self.now;
        if self.account(remote).is_none() {
            self.ledger.push(Account {
                remote,
                since,
                received: 0,
                sent: 0,
            });
        }
    }

    fn credit(&mut self, remote: Endpoint, octets: u32) {
        if let Some(account) = self.account(remote) {
            account.received += u64::from(octets);
        }
    }

    /// S-40, for all paths of the connection together: a whole segment in 10 s, besides three times what
    /// came from there.
    fn audit(&self) {
        let mut excess = 0;
        for account in &self.ledger {
            excess += account.sent.saturating_sub(3 * account.received);
        }
        let since = self.ledger.iter().map(|account| account.since).min();
        let spans = since.map_or(0, |since| (self.now - since) / GRACE + 1);
        let most = spans * u64::from(SEGMENT + CONFIRM);
        assert!(
            excess <= most,
            "{excess} octets for nothing in {spans} spans"
        );
    }

    /// As much time passes, with its deadlines.
    fn pass(&mut self, millis: u64) {
        let until = self.now + millis;
        let mut rounds = 0;
        while let Some(at) = self.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let actions = self.tell(Event::Deadline).unwrap_or_default();
            self.perform(actions, 0);
            rounds += 1;
            assert!(rounds < ROUNDS, "deadlines without end");
            let later = self.deadline().is_none_or(|next| next > self.now);
            assert!(later, "a deadline that was met is still there");
        }
        self.now = until;
    }

    /// Nothing happens any more but deadlines: it is where somebody was once validated.
    fn leave_alone(&mut self) {
        let longest = 2 * self.settings.validate_time.as_millis();
        self.pass(u64::try_from(longest).expect("it is short"));
        assert_eq!(self.machine.budget(), None, "{:?}", self.machine);
        assert_eq!(self.machine.deadline(), None);
    }

    fn deadline(&self) -> Option<u64> {
        self.machine.deadline().map(Instant::as_millis)
    }
}

/// Five hosts, of which two have two ports each, and one that is none.
fn host(number: u8) -> Endpoint {
    let (last, port) = match number {
        5 => (1, 50_001),
        6 => (2, 50_002),
        _ => (number + 1, 40_000),
    };
    let address = if number == 7 {
        Ipv4Addr::BROADCAST
    } else {
        Ipv4Addr::new(10, 0, 0, last)
    };
    Endpoint {
        address: IpAddr::V4(address),
        port,
    }
}

fn is_host(remote: Endpoint) -> bool {
    remote.address != IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn ends(source: Endpoint) -> Ends {
    let destination = Endpoint {
        address: IpAddr::V4(Ipv4Addr::new(10, 0, 9, 9)),
        port: 22,
    };
    Ends {
        source,
        destination,
    }
}
