// SPDX-License-Identifier: GPL-2.0

//! The correspondent: its state machine and session as they are in the module, and books on what came
//! from the attacker's address, and what went there.

use super::fault::Fault;
use super::fresh;
use super::mover::RTO;
use super::settings;
use super::wire::Place;
use super::wire::Segment;
use super::wire::Wire;
use tcp_continuity::proto::correspondent::secure;
use tcp_continuity::proto::correspondent::secure::Action;
use tcp_continuity::proto::correspondent::secure::Actions;
use tcp_continuity::proto::correspondent::secure::Event;
use tcp_continuity::proto::ids::Challenge;
use tcp_continuity::proto::ids::Epoch;
use tcp_continuity::proto::option::secure::Secure;
use tcp_continuity::proto::time::Instant;
use tcpc_fuzz::secure::Toy;

/// A full segment.
pub const SEGMENT: u32 = 1_500;
/// What may be sent to a new path for nothing (S-40): that, and a CONFIRM of so many octets at most.
pub const FLOOR: u32 = SEGMENT + 100;

/// The connection as the correspondent's host has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Correspondent {
    machine: secure::Correspondent,
    /// Since when it is where the attacker is, if it is.
    pub strayed: Option<u64>,
    /// Octets that came from the attacker's address, and that were sent there.
    pub books: (u32, u32),
    /// When the first was sent there.
    pub first: Option<u64>,
    fault: Option<Fault>,
}

impl Correspondent {
    /// With the mover at its first address.
    pub fn new(fault: Option<Fault>) -> Self {
        Self {
            machine: secure::Correspondent::new(Place(1).endpoint()),
            strayed: None,
            books: (0, 0),
            first: None,
            fault,
        }
    }

    /// Where the mover is thought to be.
    pub fn remote(&self) -> Place {
        Place::of(self.machine.remote().address)
    }

    /// Where it was thought to be, and did not answer: a word from there, and it is again.
    pub fn lapsed(&self) -> Option<Place> {
        self.machine.lapsed().map(|path| Place::of(path.address))
    }

    /// Whether the path is validated.
    pub fn is_sure(&self) -> bool {
        self.machine.budget().is_none()
    }

    /// The last epoch that was followed.
    pub fn followed(&self) -> Epoch {
        self.machine.followed()
    }

    /// When the state machine wants to be called.
    pub fn deadline(&self) -> Option<u64> {
        match self.fault {
            Some(Fault::Stays) => None,
            _ => self.machine.deadline().map(Instant::as_millis),
        }
    }

    /// That time has come.
    pub fn meet_deadline(&mut self, now: u64, wire: &mut Wire) {
        self.tell(now, Event::Deadline, wire);
    }

    /// A segment of the mover's, or of somebody in its name.
    pub fn receive(&mut self, now: u64, segment: Segment, wire: &mut Wire) {
        if segment.to != Place::CORRESPONDENT {
            return;
        }
        if segment.from == Place::ATTACKER {
            self.books.0 += segment.octets();
        }
        let source = segment.from.endpoint();
        let is_ours = source == self.machine.remote() || Some(source) == self.machine.lapsed();
        match segment.option {
            Some(Secure::Update(update)) => {
                let octet = u8::try_from(update.epoch.get()).unwrap_or(u8::MAX);
                let event = Event::Update {
                    update,
                    ends: segment.ends(),
                    octets: segment.octets(),
                    challenge: Challenge([octet ^ segment.from.0; 8]),
                    rto: RTO,
                    segment: SEGMENT,
                    unanswered: false,
                    syn: None,
                };
                self.tell(now, event, wire);
            }
            Some(Secure::Response(response)) => {
                self.tell(now, Event::Response { response, source }, wire);
            }
            None if is_ours => {
                let octets = segment.octets();
                self.tell(now, Event::Received { source, octets }, wire);
                self.validate_by_data(now, segment, wire);
            }
            Some(_) | None => {}
        }
    }

    fn validate_by_data(&mut self, now: u64, segment: Segment, wire: &mut Wire) {
        if self.fault != Some(Fault::ValidatesByData) || self.is_sure() {
            return;
        }
        let octet = u8::try_from(self.followed().get()).unwrap_or(u8::MAX);
        let challenge = Challenge([octet ^ segment.from.0; 8]);
        let (mut mover, session) = fresh();
        mover.update(&Toy, self.followed(), false, &segment.ends());
        let confirm = session.confirm(&Toy, self.followed(), challenge);
        if let Ok(response) = mover.answer(&Toy, &confirm) {
            let source = segment.from.endpoint();
            self.tell(now, Event::Response { response, source }, wire);
        }
    }

    /// Tells the machine, and does what it says.
    fn tell(&mut self, now: u64, event: Event, wire: &mut Wire) {
        let (_, mut session) = fresh();
        let at = Instant::from_millis(now);
        let told = self
            .machine
            .handle(at, &settings(), &mut session, &Toy, event);
        if let Ok(actions) = told {
            self.perform(now, actions, wire);
        }
        self.keep_watch(now);
    }

    fn perform(&mut self, now: u64, actions: Actions, wire: &mut Wire) {
        for action in actions {
            match action {
                Action::Rebind { .. } | Action::ReturnTo { .. } => {
                    self.tell(now, Event::Rebound, wire);
                }
                Action::SendConfirm {
                    epoch, challenge, ..
                } => {
                    let (_, session) = fresh();
                    let confirm = session.confirm(&Toy, epoch, challenge);
                    let segment = Segment {
                        from: Place::CORRESPONDENT,
                        to: self.remote(),
                        option: Some(Secure::Confirm(confirm)),
                    };
                    wire.send(now, segment);
                    self.sent(now, segment.octets());
                }
                // There is always more to send.
                Action::RestartPath | Action::Budget(_) => self.send_what_may_be(now),
                Action::LiftBudget | Action::Count(_) => {}
            }
        }
    }

    /// TCP sends as much as it may; of what goes to a validated path there is no end.
    fn send_what_may_be(&mut self, now: u64) {
        if let Some(budget) = self.machine.budget() {
            let freely = self.fault == Some(Fault::SpendsFreely);
            let octets = if freely { 10 * SEGMENT } else { budget };
            self.sent(now, octets);
        }
    }

    fn sent(&mut self, now: u64, octets: u32) {
        if self.remote() == Place::ATTACKER && octets > 0 {
            self.books.1 += octets;
            self.first.get_or_insert(now);
        }
        if !self.is_sure() {
            let (_, mut session) = fresh();
            let at = Instant::from_millis(now);
            let event = Event::Sent { octets };
            let told = self
                .machine
                .handle(at, &settings(), &mut session, &Toy, event);
            assert_eq!(told.map(|actions| actions.into_iter().count()), Ok(0));
        }
    }

    fn keep_watch(&mut self, now: u64) {
        self.strayed = if self.remote() == Place::ATTACKER {
            self.strayed.or(Some(now))
        } else {
            None
        };
    }
}
