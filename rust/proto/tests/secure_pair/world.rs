// SPDX-License-Identifier: GPL-2.0

//! Two hosts, a wire, and the time.

use crate::host::{endpoint, Host, State, SERVER_PORT};
use crate::wire::{Segment, Wire};
use tcp_continuity::proto::addr::Endpoint;

pub const CLIENT: usize = 0;
pub const SERVER: usize = 1;

pub struct World {
    pub now: u64,
    pub hosts: [Host; 2],
    pub wire: Wire,
}

impl World {
    pub fn new(wire: Wire, client: Endpoint) -> Self {
        Self::with_seed(wire, client, 1)
    }

    pub fn with_seed(mut wire: Wire, client: Endpoint, seed: u64) -> Self {
        let server = endpoint([10, 0, 2, 1], SERVER_PORT);
        wire.chance.0 = seed;
        Self {
            now: 0,
            hosts: [
                Host::new(client, server, seed ^ 0x0c),
                Host::new(server, client, seed ^ 0x0500),
            ],
            wire,
        }
    }

    /// The client opens the connection.
    pub fn open(&mut self) {
        self.hosts[CLIENT].open(self.now);
        self.carry();
    }

    /// A host loses its address, and has another at once.
    pub fn change_address(&mut self, who: usize, to: Endpoint) {
        if self.hosts[who].local() != to {
            self.hosts[who].address_lost(self.now, Some(to));
            self.carry();
        }
    }

    /// A host loses its address.
    pub fn lose_address(&mut self, who: usize) {
        self.hosts[who].address_lost(self.now, None);
        self.carry();
    }

    /// It has it again.
    pub fn regain_address(&mut self, who: usize) {
        self.hosts[who].address_back(self.now);
        self.carry();
    }

    /// An UPDATE that a host makes with its keys, from anywhere.
    pub fn forge_update(&mut self, who: usize, source: Endpoint) -> Segment {
        self.hosts[who].forge(source)
    }

    /// Lets time go on.
    pub fn run_until(&mut self, until: u64) {
        loop {
            let hosts = self.hosts.iter().map(Host::deadline);
            let next = hosts.chain(self.wire.next()).min().unwrap_or(u64::MAX);
            if next > until {
                self.now = until;
                return;
            }
            self.now = next.max(self.now);
            while let Some(segment) = self.wire.arrived(self.now) {
                for host in &mut self.hosts {
                    host.receive(self.now, &segment);
                }
                self.carry();
            }
            for host in &mut self.hosts {
                host.wake(self.now);
            }
            self.carry();
        }
    }

    /// Lets time go on until nothing is open any more, or for so long.
    pub fn run_until_settled(&mut self, at_most: u64) {
        let end = self.now + at_most;
        while self.now < end {
            self.run_until(self.now + 1_000);
            let settled = |host: &Host| host.state() == State::Stable && host.budget().is_none();
            let [one, other] = &self.hosts;
            let agreed = one.remote() == other.local() && other.remote() == one.local();
            if agreed && self.hosts.iter().all(settled) {
                return;
            }
        }
    }

    /// Gives to the wire what the hosts have sent.
    fn carry(&mut self) {
        for host in &mut self.hosts {
            for segment in host.out.drain(..) {
                self.wire.send(self.now, segment);
            }
        }
    }
}
