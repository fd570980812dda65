// SPDX-License-Identifier: GPL-2.0

//! Asking the other end whether it is there, and RSTs.

use super::{Host, Sha256, State, RTO};
use crate::wire::Segment;
use tcp_continuity::proto::crypto::Ends;
use tcp_continuity::proto::flow::Event;
use tcp_continuity::proto::option::secure::{Carrier, Secure};
use tcp_continuity::proto::probe::{Action, Event as ProbeEvent, Probe};
use tcp_continuity::proto::seq::SeqNum;
use tcp_continuity::proto::time::Instant;

impl Host {
    /// What TCP answers to what is of no connection.
    pub(super) fn send_rst(&mut self, to: &Segment) {
        self.out.push(Segment {
            source: self.local,
            destination: to.source,
            carrier: Carrier::Other,
            rst: true,
            options: Vec::new(),
            octets: 40,
        });
    }

    pub(super) fn receive_rst(&mut self, now: u64, segment: &Segment) {
        if segment.source != self.remote() || self.is_gone {
            return;
        }
        if self.state() != State::Stable {
            let event = Event::Segment {
                rst: true,
                acceptable: false,
                echo: None,
            };
            return self.tell_flow(now, event);
        }
        if self.budget().is_some() {
            return;
        }
        let guarded = self.is_capable() && self.tell_probe(now, ProbeEvent::Rst { rto: RTO });
        self.is_gone |= !guarded;
    }

    /// Tells the machine that asks, and does what it says. Whether a RST is ignored.
    pub(super) fn tell_probe(&mut self, now: u64, event: ProbeEvent) -> bool {
        let mut ignored = false;
        let at = Instant::from_millis(now);
        for action in self.probe.handle(at, &self.settings, event) {
            match action {
                Action::Ask => self.ask(now),
                Action::IgnoreSegment => ignored = true,
                Action::RestartPath => self.burst(),
                Action::Count(what) => self.counts.push(what),
            }
        }
        ignored
    }

    /// Asks the peer whether it is there, unless it is being told where this end is.
    fn ask(&mut self, now: u64) {
        let ends = Ends {
            source: self.local,
            destination: self.remote(),
        };
        let session = self.session.as_mut().expect("of the profile");
        let trial = self.machine.budget().is_some();
        if trial || self.flow.is_some_and(|flow| flow.state() != State::Stable) {
            return self.probe = Probe::new();
        }
        let update = session.probe(&Sha256, &ends).expect("another");
        if let Some(flow) = &mut self.flow {
            flow.used(update.epoch);
        }
        self.send_option(Carrier::OptionOnly, &Secure::Update(update));
        let event = ProbeEvent::Asked {
            epoch: update.epoch,
            acknowledged: SeqNum::new(self.heard),
        };
        self.tell_probe(now, event);
    }
}
