// SPDX-License-Identifier: GPL-2.0

//! The mover: `Flow` and `Session` as they are in the module, with what is around them.

use super::fault::Fault;
use super::fresh;
use super::settings;
use super::wire::Place;
use super::wire::Segment;
use super::wire::Wire;
use std::time::Duration;
use tcp_continuity::proto::flow::Action;
use tcp_continuity::proto::flow::Event;
use tcp_continuity::proto::flow::Flow;
use tcp_continuity::proto::flow::State;
use tcp_continuity::proto::ids::Epoch;
use tcp_continuity::proto::option::secure::Confirm;
use tcp_continuity::proto::option::secure::Secure;
use tcp_continuity::proto::session::Session;
use tcp_continuity::proto::time::Instant;
use tcpc_fuzz::secure::Toy;

/// The connection's retransmission timeout.
pub const RTO: Duration = Duration::from_millis(1_000);

/// The connection as the mover's host has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mover {
    /// Where it is.
    pub local: Place,
    /// The state machine, while the connection is on the move.
    pub flow: Option<Flow>,
    /// Whether it was given up.
    pub ended: bool,
    /// The epochs of the first and the last UPDATE from where it is.
    used: (Epoch, Epoch),
    fault: Option<Fault>,
}

impl Mover {
    /// At the first address.
    pub fn new(fault: Option<Fault>) -> Self {
        Self {
            local: Place(1),
            flow: None,
            ended: false,
            used: (Epoch::NONE, Epoch::NONE),
            fault,
        }
    }

    /// What the flow is in the middle of.
    pub fn state(&self) -> State {
        self.flow.as_ref().map_or(State::Stable, Flow::state)
    }

    /// The last epoch that was used.
    pub fn last_epoch(&self) -> Epoch {
        self.used.1
    }

    /// Another address instead of the one it has.
    pub fn change_address(&mut self, now: u64, wire: &mut Wire) {
        let (local, last) = (self.local.endpoint().address, self.used.1);
        let flow = Flow::secure(local, last, false, Instant::from_millis(now));
        self.flow.get_or_insert(flow);
        let event = Event::AddressLost {
            new: Some(Place(self.local.0 + 1).endpoint().address),
            rto: RTO,
            srtt: Duration::ZERO,
            clock: None,
        };
        self.feed(now, event, wire);
    }

    /// When the state machine wants to be called.
    pub fn deadline(&self) -> Option<u64> {
        let deadline = self.flow.as_ref().and_then(Flow::deadline);
        deadline.map(Instant::as_millis)
    }

    /// That time has come.
    pub fn meet_deadline(&mut self, now: u64, wire: &mut Wire) {
        self.feed(now, Event::Deadline, wire);
    }

    /// Sends data.
    pub fn speak(&mut self, now: u64, wire: &mut Wire) {
        self.send(now, None, wire);
    }

    fn send(&self, now: u64, option: Option<Secure>, wire: &mut Wire) {
        let (from, to) = (self.local, Place::CORRESPONDENT);
        wire.send(now, Segment { from, to, option });
    }

    /// A segment of the correspondent's, or of somebody in its name.
    pub fn receive(&mut self, now: u64, segment: Segment, wire: &mut Wire) {
        if segment.to != self.local || segment.from != Place::CORRESPONDENT || self.ended {
            return;
        }
        match segment.option {
            Some(Secure::Confirm(confirm)) => self.confirmed(now, &confirm, wire),
            _ if self.fault == Some(Fault::BelievesAnything) => {
                let epoch = self.used.1;
                self.feed(now, Event::Confirm { epoch, syn: false }, wire);
            }
            Some(_) | None => {}
        }
    }

    fn confirmed(&mut self, now: u64, confirm: &Confirm, wire: &mut Wire) {
        if let Ok(response) = self.session().answer(&Toy, confirm) {
            let epoch = confirm.epoch;
            self.feed(now, Event::Confirm { epoch, syn: false }, wire);
            self.send(now, Some(Secure::Response(response)), wire);
        }
    }

    /// The session, as what was sent has left it.
    fn session(&self) -> Session {
        let (mut session, _) = fresh();
        let (first, last) = self.used;
        let ends = Segment {
            from: self.local,
            to: Place::CORRESPONDENT,
            option: None,
        }
        .ends();
        if last != Epoch::NONE {
            session.update(&Toy, first, false, &ends);
            session.update(&Toy, last, true, &ends);
        }
        session
    }

    /// Feeds the state machine and does what it says.
    fn feed(&mut self, now: u64, event: Event, wire: &mut Wire) {
        let mut next = Some(event);
        while let (Some(event), Some(flow)) = (next.take(), self.flow.as_mut()) {
            for action in flow.handle(Instant::from_millis(now), &settings(), event) {
                match action {
                    Action::Rebind { local } => {
                        self.local = Place::of(local);
                        next = Some(Event::Rebound);
                    }
                    // On this path no SYN arrives; its epoch is used up.
                    Action::SendSecureUpdate {
                        epoch, syn: true, ..
                    } => self.used.1 = epoch,
                    Action::SendSecureUpdate {
                        epoch,
                        retransmission,
                        syn: false,
                    } => self.send_update(now, epoch, retransmission, wire),
                    Action::Forget => {
                        self.ended = self.state() == State::Failed;
                        self.flow = None;
                    }
                    Action::SendUpdate { .. } | Action::SolicitAck => {
                        unreachable!("of the other profile")
                    }
                    Action::RestartPath
                    | Action::Park
                    | Action::Hold
                    | Action::Unpark
                    | Action::Abort
                    | Action::IgnoreSegment
                    | Action::Count(_) => {}
                }
            }
        }
    }

    fn send_update(&mut self, now: u64, epoch: Epoch, retransmission: bool, wire: &mut Wire) {
        let repeats = retransmission && self.fault == Some(Fault::RepeatsEpochs);
        let epoch = if repeats { self.used.0 } else { epoch };
        let first = if retransmission { self.used.0 } else { epoch };
        self.used = (first, epoch.max(self.used.1));
        let (mut session, _) = fresh();
        let ends = Segment {
            from: self.local,
            to: Place::CORRESPONDENT,
            option: None,
        }
        .ends();
        let update = session.update(&Toy, epoch, retransmission, &ends);
        self.send(now, Some(Secure::Update(update)), wire);
    }
}
