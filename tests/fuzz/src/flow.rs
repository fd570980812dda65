// SPDX-License-Identifier: GPL-2.0

//! A flow that is told whatever can be told, in any order.
//!
//! Input: `hold_time` and `confirm_time` in seconds, then events of three octets: what, an argument,
//! and how much time goes by before it, in units of 100 ms. Deadlines that come in that time are met
//! first, and a rebind that was asked for is answered by the next event's argument, as the module
//! does it.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::time::Duration;
use tcp_continuity::proto::flow::Action;
use tcp_continuity::proto::flow::Actions;
use tcp_continuity::proto::flow::Event;
use tcp_continuity::proto::flow::Flow;
use tcp_continuity::proto::flow::RebindError;
use tcp_continuity::proto::flow::State;
use tcp_continuity::proto::flow::Waiting;
use tcp_continuity::proto::settings::Settings;
use tcp_continuity::proto::time::Instant;

/// A unit of time in the input, in milliseconds.
const UNIT: u64 = 100;
///
const STRAYS: Duration = Duration::from_secs(4);
/// Two seconds after a confirmation.
const SETTLING: Duration = Duration::from_secs(2);

/// The target.
pub fn run(input: &[u8]) {
    let [hold, confirm, events @ ..] = input else {
        return;
    };
    let mut driver = Driver::new(*hold, *confirm);
    for event in events.chunks_exact(3) {
        if driver.is_over {
            return;
        }
        driver.step(event[0], event[1], event[2]);
    }
    driver.leave_alone();
}

/// What is around a flow, and what is known of it without looking inside.
struct Driver {
    flow: Flow,
    settings: Settings,
    now: u64,
    /// The address that the socket has.
    local: IpAddr,
    /// Where the flow was last confirmed.
    confirmed: IpAddr,
    /// Whether an UPDATE was sent since.
    is_told: bool,
    is_over: bool,
}

impl Driver {
    fn new(hold: u8, confirm: u8) -> Self {
        let seconds = |octet: u8| Duration::from_secs(u64::from(octet) + 1);
        let local = host(0);
        Self {
            flow: Flow::new(local, Instant::from_millis(0)),
            settings: Settings {
                hold_time: seconds(hold),
                confirm_time: seconds(confirm),
                ..Settings::default()
            },
            now: 0,
            local,
            confirmed: local,
            is_told: false,
            is_over: false,
        }
    }

    /// Lets time pass, and tells the flow one thing.
    fn step(&mut self, what: u8, argument: u8, pause: u8) {
        self.pass(u64::from(pause) * UNIT);
        if self.is_over {
            return;
        }
        let rto = Duration::from_millis(u64::from(argument) * 20);
        let srtt = rto / 4;
        let new = (argument & 1 == 0).then(|| host((argument >> 1) & 7));
        let clock = (what & 0x10 == 0).then(|| self.clock());
        let event = match what & 0x0f {
            0..=3 => Event::AddressLost {
                new,
                rto,
                srtt,
                clock,
            },
            4..=7 => Event::AddressAppeared {
                new,
                rto,
                srtt,
                clock,
            },
            8 => Event::Segment {
                rst: true,
                acceptable: argument & 1 == 0,
                echo: None,
            },
            9 | 10 => Event::Segment {
                rst: false,
                acceptable: argument & 1 == 0,
                echo: clock.map(|clock| clock.wrapping_sub(u32::from(argument >> 1))),
            },
            // None of these comes unasked for; if it did, nothing should happen.
            11 => Event::Rebound,
            12 => Event::RebindFailed(RebindError::TupleTaken),
            13 => Event::RebindFailed(RebindError::NoMemory),
            14 => Event::RebindFailed(RebindError::Gone),
            15 if what & 0x20 != 0 => Event::Held(Waiting {
                limit: (what & 0x40 != 0).then_some(rto),
                unacknowledged: what & 0x80 != 0,
            }),
            _ => Event::Deadline,
        };
        self.tell(event, argument >> 4);
    }

    /// As much time passes, with its deadlines.
    fn pass(&mut self, millis: u64) {
        let until = self.now + millis;
        while let Some(at) = self.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.tell(Event::Deadline, 0);
            if self.is_over {
                return;
            }
            let later = self.deadline().is_none_or(|next| next > self.now);
            assert!(later, "a deadline that was met is still there");
        }
        self.now = until;
    }

    /// Nothing happens any more but deadlines.
    fn leave_alone(&mut self) {
        if self.is_over {
            return;
        }
        let longest = self.settings.hold_time + STRAYS + self.settings.confirm_time + SETTLING;
        self.pass(u64::try_from(longest.as_millis()).expect("it is short"));
        let ended = self.is_over || (self.state() == State::Stable && self.deadline().is_none());
        assert!(ended, "it does not end: {:?}", self.flow);
    }

    fn tell(&mut self, event: Event, outcome: u8) {
        let before = self.state();
        let settling = before == State::Stable && self.deadline().is_some();
        let actions = self.handle(event);
        let list: Vec<Action> = actions.into_iter().collect();
        if let Event::Segment { rst, .. } = event {
            let ignored = list.contains(&Action::IgnoreSegment);
            let moving = matches!(before, State::Suspended | State::Pending);
            assert_eq!(ignored, rst && (moving || settling), "{list:?}");
            assert!(!list.contains(&Action::Abort), "a segment ends it");
            self.is_confirmed_if(before == State::Pending && self.state() == State::Stable);
        } else {
            assert!(!list.contains(&Action::IgnoreSegment));
        }
        self.perform(&list, outcome);
        self.check();
    }

    fn perform(&mut self, actions: &[Action], outcome: u8) {
        let rebind = actions.iter().find_map(|action| match action {
            Action::Rebind { local } => Some(*local),
            _ => None,
        });
        if let Some(to) = rebind {
            assert_eq!(actions.len(), 1, "something is done before the rebind is");
            self.rebind(to, outcome);
            return;
        }
        let olds: Vec<IpAddr> = actions
            .iter()
            .filter_map(|action| match action {
                Action::SendUpdate { old, .. } => Some(*old),
                _ => None,
            })
            .collect();
        self.check_updates(&olds);
        if actions.contains(&Action::Forget) {
            let state = self.state();
            assert!(matches!(state, State::Stable | State::Failed), "{state:?}");
            assert_eq!(self.deadline(), None);
            self.is_over = state == State::Failed;
            // The next move of this connection is another flow.
            self.confirmed = self.local;
            self.is_told = false;
            self.flow = Flow::new(self.local, Instant::from_millis(self.now));
        }
        let aborted = actions.contains(&Action::Abort);
        assert!(!aborted || self.is_over, "aborted, and not forgotten");
    }

    fn rebind(&mut self, to: IpAddr, outcome: u8) {
        let event = match outcome {
            13 => Event::RebindFailed(RebindError::NoMemory),
            14 => Event::RebindFailed(RebindError::TupleTaken),
            15 => Event::RebindFailed(RebindError::Gone),
            _ => {
                self.local = to;
                Event::Rebound
            }
        };
        let actions: Vec<Action> = self.handle(event).into_iter().collect();
        if event == Event::Rebound {
            assert_eq!(self.state(), State::Pending);
        }
        self.perform(&actions, 0);
    }

    /// UPDATEs name each address once, the one last confirmed among them, and never the present one.
    fn check_updates(&mut self, olds: &[IpAddr]) {
        if olds.is_empty() {
            return;
        }
        self.is_told = true;
        assert!(!olds.contains(&self.local), "{olds:?}");
        let named = self.confirmed == self.local || olds.contains(&self.confirmed);
        assert!(named, "{olds:?} without {}", self.confirmed);
        for (n, old) in olds.iter().enumerate() {
            assert!(!olds[..n].contains(old), "twice: {olds:?}");
        }
    }

    fn is_confirmed_if(&mut self, confirmed: bool) {
        if confirmed {
            self.confirmed = self.local;
            self.is_told = false;
        }
    }

    /// What holds between any two events.
    fn check(&self) {
        if self.is_over {
            return;
        }
        let state = self.state();
        assert_eq!(self.flow.old(), self.confirmed);
        match state {
            State::Suspended | State::Pending => assert!(self.deadline().is_some(), "{state:?}"),
            State::Stable => assert!(!self.is_told, "at rest, and the peer was told otherwise"),
            State::Failed => panic!("failed, and not forgotten"),
        }
        assert!(state == State::Pending || self.flow.tries() == 0);
    }

    /// Feeds the flow. No answer may be as long as the list: what has no place in it is lost.
    fn handle(&mut self, event: Event) -> Actions {
        let now = Instant::from_millis(self.now);
        let actions = self.flow.handle(now, &self.settings, event);
        assert!(actions.into_iter().count() < Actions::MOST);
        actions
    }

    fn state(&self) -> State {
        self.flow.state()
    }

    fn deadline(&self) -> Option<u64> {
        self.flow.deadline().map(Instant::as_millis)
    }

    /// Near the end of its numbers, so that it wraps.
    fn clock(&self) -> u32 {
        let millis = self.now & u64::from(u32::MAX);
        u32::try_from(millis)
            .unwrap_or(0)
            .wrapping_add(u32::MAX - 1_000)
    }
}

fn host(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, number + 1))
}
