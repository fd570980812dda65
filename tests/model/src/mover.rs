// SPDX-License-Identifier: GPL-2.0

//! The mover: [`Flow`] as it is in the module, with what the module and TCP do around it.

use crate::correspondent::FIRST;
use crate::correspondent::NEXT;
use crate::correspondent::WINDOW;
use crate::fault::Fault;
use crate::wire::Segment;
use crate::wire::Wire;
use std::net::IpAddr;
use std::time::Duration;
use tcp_continuity::proto::correspondent;
use tcp_continuity::proto::correspondent::View;
use tcp_continuity::proto::flow::Action;
use tcp_continuity::proto::flow::Event;
use tcp_continuity::proto::flow::Flow;
use tcp_continuity::proto::flow::RebindError;
use tcp_continuity::proto::flow::State;
use tcp_continuity::proto::option::classic::AddressUpdate;
use tcp_continuity::proto::option::classic::Kind;
use tcp_continuity::proto::option::SPACE;
use tcp_continuity::proto::settings::Settings;
use tcp_continuity::proto::time::Instant;

/// The connection's retransmission timeout.
const RTO: Duration = Duration::from_millis(1_000);

/// The connection as the mover's host has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mover {
    /// The address the host has, if any.
    pub has: Option<IpAddr>,
    /// The address the socket has.
    pub local: IpAddr,
    /// The state machine, while the connection is on the move.
    pub flow: Option<Flow>,
    /// Why the connection has ended, if it has.
    pub end: Option<End>,
    /// SND.NXT, counted from the beginning.
    next: u32,
    /// SND.UNA, counted from the beginning.
    una: u32,
    /// How often the host's address has changed.
    changes: u32,
    /// How many UPDATEs have been sent from this address while it was unconfirmed; up to three.
    pub updates: u8,
    /// Whether it was called at a deadline, and wants to be called then still.
    pub stuck: bool,
    /// What the next attempts to rebind end with.
    rebind: Option<RebindError>,
    timestamps: bool,
    fault: Option<Fault>,
}

/// Why a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// It had an address, and was not confirmed there.
    Unconfirmed,
    /// It had none, or could not get it.
    Homeless,
    /// It believed a RST.
    Reset,
}

impl Mover {
    /// At `local`.
    pub fn new(local: IpAddr, timestamps: bool, fault: Option<Fault>) -> Self {
        Self {
            has: Some(local),
            local,
            flow: None,
            end: None,
            next: 0,
            una: 0,
            changes: 0,
            updates: 0,
            stuck: false,
            rebind: None,
            timestamps,
            fault,
        }
    }

    /// What the flow is in the middle of.
    pub fn state(&self) -> State {
        self.flow.as_ref().map_or(State::Stable, Flow::state)
    }

    /// Whether the connection is on the move.
    pub fn is_moving(&self) -> bool {
        matches!(self.state(), State::Suspended | State::Pending)
    }

    /// The host's address changes, or goes. The socket gets it unless there is a reason not to.
    pub fn change_address(
        &mut self,
        now: u64,
        has: Option<IpAddr>,
        rebind: Option<RebindError>,
        wire: &mut Wire,
    ) {
        self.has = has;
        self.changes += 1;
        self.rebind = rebind;
        if self.state() == State::Suspended {
            self.look_again(now, wire);
            return;
        }
        let local = self.local;
        self.flow
            .get_or_insert_with(|| Flow::new(local, Instant::from_millis(now)));
        let event = Event::AddressLost {
            new: has,
            rto: RTO,
            srtt: Duration::ZERO,
            clock: self.clock(now),
        };
        self.feed(now, event, wire);
    }

    /// Tries a suspended flow, as the module does at each sign and at each deadline.
    fn look_again(&mut self, now: u64, wire: &mut Wire) {
        let event = Event::AddressAppeared {
            new: self.has,
            rto: RTO,
            srtt: Duration::ZERO,
            clock: self.clock(now),
        };
        self.feed(now, event, wire);
    }

    /// When the state machine wants to be called.
    pub fn deadline(&self) -> Option<u64> {
        if self.fault == Some(Fault::SleepsOn) {
            return None;
        }
        let deadline = self.flow.as_ref().and_then(Flow::deadline);
        deadline.map(Instant::as_millis)
    }

    /// That time has come.
    pub fn meet_deadline(&mut self, now: u64, wire: &mut Wire) {
        self.rebind = None;
        self.feed(now, Event::Deadline, wire);
        match self.state() {
            State::Suspended => self.look_again(now, wire),
            // TCP's own timer goes off about as often.
            State::Pending => self.resend(now, wire),
            State::Stable | State::Failed => {}
        }
        self.stuck = self.deadline().is_some_and(|at| at <= now);
    }

    /// Data is sent, if the connection has an address.
    pub fn speak(&mut self, now: u64, wire: &mut Wire) {
        self.next += 1;
        self.send_data(now, self.next - 1, wire);
    }

    /// Sends what is outstanding.
    fn resend(&self, now: u64, wire: &mut Wire) {
        for seq in self.una..self.next {
            self.send_data(now, seq, wire);
        }
    }

    fn send_data(&self, now: u64, seq: u32, wire: &mut Wire) {
        if self.has == Some(self.local) && self.end.is_none() {
            let (from, value) = (self.local, self.timestamp(now));
            wire.send(now, Segment::Data { from, seq, value });
        }
    }

    fn send_update(&mut self, now: u64, old: IpAddr, wire: &mut Wire) {
        let mut octets = [0; SPACE];
        let len = AddressUpdate { old }.emit(Kind::default(), &mut octets);
        let option = octets[..len].try_into().expect("the length for IPv4");
        let segment = Segment::Update {
            from: self.local,
            seq: self.next,
            value: self.timestamp(now),
            option,
        };
        wire.send(now, segment);
    }

    /// A segment of the correspondent's.
    pub fn receive(&mut self, now: u64, segment: Segment, wire: &mut Wire) {
        // For another address than the socket's it is nobody's, or a straggler that is led to the
        // socket behind the state machine's back, without a RST.
        match segment {
            Segment::Answer { to, ack, echo } if self.is_at(to) => {
                self.receive_answer(now, ack, echo, wire);
            }
            Segment::Reset { to } if self.is_at(to) => self.receive_reset(now, wire),
            _ => {}
        }
    }

    fn is_at(&self, address: IpAddr) -> bool {
        self.has == Some(address) && self.local == address && self.end.is_none()
    }

    fn receive_answer(&mut self, now: u64, ack: u32, echo: Option<u32>, wire: &mut Wire) {
        let acceptable = correspondent::is_plausible(NEXT, FIRST.plus(ack), &self.view());
        let echo = match self.fault {
            Some(Fault::TrustsAnySegment) => self.clock(now),
            _ => echo,
        };
        let event = Event::Segment {
            rst: false,
            acceptable,
            echo,
        };
        self.feed(now, event, wire);
        self.una = self.una.max(ack);
    }

    fn receive_reset(&mut self, now: u64, wire: &mut Wire) {
        let event = Event::Segment {
            rst: true,
            acceptable: false,
            echo: None,
        };
        let state = self.state();
        let ignored = self.feed(now, event, wire);
        let believed = match self.fault {
            Some(Fault::BelievesResets) => state == State::Pending,
            Some(Fault::SettlesAtOnce) => state == State::Stable,
            _ => false,
        };
        if !ignored || believed {
            self.end = Some(End::Reset);
            self.flow = None;
        }
    }

    /// Feeds the state machine and does what it says. Whether a segment is to be ignored.
    fn feed(&mut self, now: u64, event: Event, wire: &mut Wire) -> bool {
        let mut next = Some(event);
        let mut ignored = false;
        while let Some(event) = next.take() {
            let Some(flow) = &mut self.flow else {
                return ignored;
            };
            let (at, state) = (Instant::from_millis(now), flow.state());
            let confirmed = flow.old();
            let settings = match self.fault {
                Some(Fault::WaitsLonger) => Settings::default(),
                _ => settings(),
            };
            let actions = flow.handle(at, &settings, event);
            if flow.state() == State::Stable {
                self.updates = 0;
            }
            for action in actions {
                match action {
                    Action::Rebind { local } => {
                        next = Some(self.rebind(local));
                    }
                    Action::SendUpdate {
                        old,
                        retransmission,
                    } => {
                        let omitted = match self.fault {
                            Some(Fault::ForgetsBeliefs) => old != confirmed,
                            Some(Fault::NeverRepeats) => retransmission,
                            _ => false,
                        };
                        if !omitted {
                            self.updates = if retransmission {
                                3.min(self.updates + 1)
                            } else {
                                1
                            };
                            self.send_update(now, old, wire);
                        }
                    }
                    Action::SolicitAck => {
                        let from = self.local;
                        wire.send(now, Segment::Solicitation { from });
                    }
                    Action::SendSecureUpdate { .. } => unreachable!("of the other profile"),
                    Action::RestartPath | Action::Unpark => self.resend(now, wire),
                    Action::Abort => self.end = Some(End::of(state)),
                    Action::Forget => self.flow = None,
                    Action::IgnoreSegment => ignored = true,
                    Action::Park | Action::Hold | Action::Count(_) => {}
                }
            }
        }
        ignored
    }

    fn rebind(&mut self, local: IpAddr) -> Event {
        match self.rebind {
            Some(error) => Event::RebindFailed(error),
            None => {
                self.local = local;
                Event::Rebound
            }
        }
    }

    /// The timestamp clock ticks every millisecond, and no two addresses are had in one.
    fn timestamp(&self, now: u64) -> Option<u32> {
        let ticks = u32::try_from(now).expect("a model does not last so long") + self.changes;
        self.timestamps.then_some(ticks)
    }

    /// What the state machine is told of it.
    fn clock(&self, now: u64) -> Option<u32> {
        match self.fault {
            // Everything echoes this, or later.
            Some(Fault::TrustsAnySegment) => Some(0),
            _ => self.timestamp(now),
        }
    }

    fn view(&self) -> View {
        View {
            rcv_nxt: NEXT,
            rcv_wnd: WINDOW,
            snd_una: FIRST.plus(self.una),
            snd_nxt: FIRST.plus(self.next),
            max_window: WINDOW,
            ts_recent: None,
            left_ago: None,
        }
    }
}

impl End {
    /// Of a flow that is given up in `state`.
    fn of(state: State) -> Self {
        match state {
            State::Pending => Self::Unconfirmed,
            State::Stable | State::Suspended | State::Failed => Self::Homeless,
        }
    }
}

/// Short, so that giving up is part of the model.
pub fn settings() -> Settings {
    Settings {
        hold_time: Duration::from_secs(3),
        confirm_time: Duration::from_secs(5),
        ..Settings::default()
    }
}
