// SPDX-License-Identifier: GPL-2.0

//! Events: addresses lost, addresses and routes come.
//!
//! Notifications come in the middle of a change, some under locks. So they leave a sign, and the
//! worker looks for itself: whether an address is gone is asked of the kernel, not of the sign.

use crate::module::motion::Motion;
use crate::module::namespace::Namespace;
use crate::net::addr::Standing;
use crate::net::notifier::{
    DeviceGone,
    Listener, //
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
use crate::proto::flow::{
    Event,
    Flow,
    State, //
};
use crate::proto::happening::Happening;
use crate::proto::time::Instant;
use core::net::IpAddr;
use core::time::Duration;
use kernel::prelude::*;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// How many lost addresses are remembered; more than that, and every connection is looked at.
const ADDRESSES: usize = 32;
/// How often suspended flows are tried after a sign. IPv6 tells of a route just before it is there
/// (`fib6_add_rt2node()`, net/ipv6/ip6_fib.c), so that the first look can be too early.
const LOOKS: u32 = 4;
/// When they are tried again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// When connections that were just being made as the address went are looked for.
const AGAIN: Duration = Duration::from_millis(100);
/// When connections are looked for again that there was no memory for.
const WITH_MEMORY: Duration = Duration::from_secs(1);

/// An address that may be lost, and when to look.
#[derive(Clone, Copy)]
struct Suspect {
    address: IpAddr,
    at: Instant,
    /// Whether an interface without carrier does not have it any more.
    carrier_matters: bool,
    /// Whether it is looked for once more after this.
    again: bool,
}

/// Signs of change.
///
/// # Context
///
/// Any.
#[pin_data]
pub struct Signs {
    /// Something came: how often suspended flows are still to be tried.
    came: Atomic<u32>,
    #[pin]
    lost: SpinLockBh<Lost>,
}

/// Addresses that may be lost.
struct Lost {
    suspects: [Option<Suspect>; ADDRESSES],
    /// There were more: any address may be.
    overflow: bool,
}

impl Signs {
    /// None.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            came: Atomic::new(0),
            lost <- spinlock_bh!(
                Lost { suspects: [None; ADDRESSES], overflow: false },
                "tcp_continuity_signs"
            ),
        })
    }

    /// Remembers a suspect.
    fn suspect(&self, suspect: Suspect) {
        let mut lost = self.lost.lock();
        match lost.suspects.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(suspect),
            None => lost.overflow = true,
        }
    }

    /// Remembers that any address may be lost.
    fn suspect_all(&self) {
        self.lost.lock().overflow = true;
    }

    /// Takes the suspects that are due, and says whether there were too many to remember.
    fn due(&self, now: Instant) -> ([Option<Suspect>; ADDRESSES], bool) {
        let mut due = [None; ADDRESSES];
        let mut lost = self.lost.lock();
        for (place, due) in lost.suspects.iter_mut().zip(&mut due) {
            if place.is_some_and(|suspect| suspect.at.as_millis() <= now.as_millis()) {
                *due = place.take();
            }
        }
        let overflow = core::mem::take(&mut lost.overflow);
        (due, overflow)
    }

    /// When the next suspect is to be looked at.
    pub fn deadline(&self) -> Option<Instant> {
        let lost = self.lost.lock();
        let first = lost.suspects.iter().flatten().map(|suspect| suspect.at);
        first.min_by_key(|at| at.as_millis())
    }
}

impl Listener for Namespace {
    fn address_gone(&self, address: IpAddr) {
        self.suspect(address, false, Duration::ZERO);
    }

    fn device_gone(&self, address: IpAddr, why: DeviceGone) {
        match why {
            DeviceGone::Down => self.suspect(address, false, Duration::ZERO),
            DeviceGone::NoCarrier => {
                let patience = self.control.settings().carrier_delay;
                self.suspect(address, true, patience);
            }
        }
    }

    fn something_came(&self) {
        // Noted even if nothing is suspended: the worker may be about to suspend something because
        // of what it saw just before this.
        self.signs.came.store(LOOKS, Relaxed);
        if !self.is_ending() && self.motions.any_suspended() {
            self.work().schedule(Duration::ZERO);
        }
    }
}

impl Namespace {
    /// Notes that `address` may be lost, to be looked at in `delay`.
    fn suspect(&self, address: IpAddr, carrier_matters: bool, delay: Duration) {
        // The address notifiers are the module's, not the namespace's.
        if self.is_off() || self.is_ending() || address.is_loopback() {
            return;
        }
        self.signs.suspect(Suspect {
            address,
            at: self.now().after(delay),
            carrier_matters,
            again: true,
        });
        self.work().schedule(delay);
    }

    /// Looks into the signs. Process context.
    pub fn look_into_signs(&self) {
        let (mut suspects, overflow) = self.signs.due(self.now());
        for place in &mut suspects {
            *place = place.filter(|suspect| self.is_lost(suspect));
        }
        let any = overflow || suspects.iter().any(Option::is_some);
        if any && self.signs.came.load(Relaxed) != 0 {
            // What waits for an address already need not wait for a walk over all connections, too.
            self.retry_suspended();
        }
        let all_moved = !any || self.move_all(&suspects, overflow);
        if overflow && !all_moved {
            self.signs.suspect_all();
            self.work().schedule(WITH_MEMORY);
        }
        for suspect in suspects
            .into_iter()
            .flatten()
            .filter(|suspect| suspect.again || !all_moved)
        {
            let delay = if all_moved { AGAIN } else { WITH_MEMORY };
            self.signs.suspect(Suspect {
                at: self.now().after(delay),
                again: !all_moved,
                ..suspect
            });
        }
        let looks = self.signs.came.xchg(0, Relaxed);
        if looks != 0 {
            self.retry_suspended();
            if looks > 1 && self.motions.any_suspended() {
                // A newer sign counts for more.
                self.signs.came.cmpxchg(0, looks - 1, Relaxed).ok();
                self.work().schedule(LOOK_AGAIN);
            }
        }
    }

    /// Whether this host cannot be reached at the address any more.
    fn is_lost(&self, suspect: &Suspect) -> bool {
        match self.home.net().standing(suspect.address) {
            Standing::Absent | Standing::Down => true,
            Standing::NoCarrier => suspect.carrier_matters,
            Standing::Usable => false,
        }
    }

    /// Moves every connection whose local address is one of those lost. Whether there was memory for
    /// all of them.
    fn move_all(&self, lost: &[Option<Suspect>; ADDRESSES], all: bool) -> bool {
        let mut short = false;
        let net = self.home.net();
        let listed = |address| {
            lost.iter()
                .flatten()
                .any(|suspect| suspect.address == address)
        };
        let visited = net.for_each_connection(
            |local| !local.is_loopback() && (all || listed(local)),
            |sock| {
                let locked = sock.lock();
                let local = locked.tuple().local;
                let gone = listed(local)
                    || matches!(net.standing(local), Standing::Absent | Standing::Down);
                if gone {
                    short |= self.move_one(&sock, locked).is_err();
                }
            },
        );
        if visited.is_err() {
            self.count(Happening::NoMemory);
        }
        visited.is_ok() && !short
    }

    /// Moves one connection whose local address is lost, if it is one that can move.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn move_one(&self, sock: &TcpSock, locked: Locked<'_>) -> Result {
        if !locked.is_movable() {
            self.count(Happening::Ineligible);
            return Ok(());
        }
        let tuple = locked.tuple();
        let event = Event::AddressLost {
            new: self.source_for(&locked, &tuple),
            rto: locked.rto(),
            srtt: locked.srtt(),
            clock: locked.clock(),
        };
        if self.motions.with(&tuple, |_| ()).is_none() {
            let Some(flow) = self.flow_of(sock, tuple.local) else {
                self.count(Happening::Ineligible);
                return Ok(());
            };
            let motion = Motion {
                flow,
                sock: sock.clone(),
            };
            if let Err(error) = self.motions.insert(tuple, motion) {
                self.count(Happening::NoMemory);
                return Err(error);
            }
        }
        self.feed(sock, locked, event);
        Ok(())
    }

    /// A flow of the profile that a connection has, if the mode has it, too.
    fn flow_of(&self, sock: &TcpSock, local: IpAddr) -> Option<Flow> {
        let (mode, now) = (self.control.mode(), self.now());
        let capable = self.connections.with(sock.id(), |connection| {
            let session = &connection.session;
            session
                .is_capable()
                .then(|| (session.last_epoch(), session.wants_syn()))
        });
        match capable.flatten() {
            Some((last, syn)) => Some(Flow::secure(local, last, syn, now)),
            None => mode.has_classic().then(|| Flow::new(local, now)),
        }
    }

    /// The address a connection would get now, if it is one that is there.
    fn source_for(&self, locked: &Locked<'_>, tuple: &Tuple) -> Option<IpAddr> {
        let net = self.home.net();
        let source = locked.select_source()?;
        let usable = net.standing(source) == Standing::Usable && net.is_discoverable(source);
        (usable && source.is_ipv6() == tuple.local.is_ipv6()).then_some(source)
    }

    /// Tries every suspended flow again. Process context.
    pub fn retry_suspended(&self) {
        let mut after = None;
        let suspended = |flow: &Flow| matches!(flow.state(), State::Suspended);
        while let Some((tuple, sock)) = self.motions.next(after.as_ref(), suspended) {
            after = Some(tuple);
            let locked = sock.lock();
            if locked.is_closed() {
                self.feed_closed(locked, &tuple);
                continue;
            }
            let returned = self.home.net().standing(tuple.local) == Standing::Usable;
            let source = self.source_for(&locked, &tuple);
            // The address it has is as good as another if it is there again.
            let new = source.map(|source| if returned { tuple.local } else { source });
            let event = Event::AddressAppeared {
                new,
                rto: locked.rto(),
                srtt: locked.srtt(),
                clock: locked.clock(),
            };
            self.feed(&sock, locked, event);
        }
    }
}
