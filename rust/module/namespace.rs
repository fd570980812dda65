// SPDX-License-Identifier: GPL-2.0

//! All state of one network namespace, and the order it is made and undone in.

use crate::module::control::{
    CapableFile,
    Control,
    Directory,
    FlowsFile,
    StatFile, //
};
use crate::module::motion::Motions;
use crate::module::moves::Signs;
use crate::module::secure::connections::Connections;
use crate::module::secure::destinations::Destinations;
use crate::module::secure::half_open::HalfOpen;
use crate::module::secure::psk::Rules;
use crate::module::transit::Transit;
use crate::module::worker::Postponed;
use crate::net::namespace::{
    Home,
    PerNamespace, //
};
use crate::net::netfilter;
use crate::net::notifier;
use crate::net::procfs;
use crate::net::sock::Emission;
use crate::net::sockstate;
use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use crate::net::sysctl;
use crate::net::time;
use crate::net::work::{
    Work,
    Worker, //
};
use crate::proto::happening::Counted;
use crate::proto::settings::Mode;
use crate::proto::time::Instant;
use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use kernel::sync::{
    Arc,
    Mutex, //
};

/// Inbound after the filter (0), security (50) and source NAT (100): what the administrator's
/// rules drop was never there. Before conntrack's helpers (300) and confirmation (the last).
const PRIORITY_IN: i32 = 250;
/// Outbound before everything, conntrack (-200) included: it must see the segment that leaves.
const PRIORITY_OUT: i32 = -220;
/// An authentic UPDATE's connection is to be known to conntrack (-200) before that sees it; what the
/// raw table (-300) keeps from it is kept from this, too.
const PRIORITY_EARLY: i32 = -250;

/// A namespace with the module in it.
#[pin_data]
pub struct Namespace {
    /// The namespace itself.
    pub home: Home,
    /// Settings and counters.
    pub control: Control,
    /// The option waiting for its segment.
    #[pin]
    pub emission: Emission,
    /// Flows on the move.
    #[pin]
    pub motions: Motions,
    /// Tuples lately left.
    #[pin]
    pub transit: Transit,
    /// Connections of the secure profile that are being opened.
    #[pin]
    pub half_open: HalfOpen,
    /// Connections of the secure profile.
    #[pin]
    pub connections: Connections,
    /// The pre-shared keys that connections are begun with.
    #[pin]
    pub rules: SpinLockBh<Arc<Rules>>,
    /// Held by who changes them.
    #[pin]
    pub rules_change: Mutex<()>,
    /// What went to addresses that are not validated.
    #[pin]
    pub destinations: Destinations,
    /// Signs of change that the worker has yet to look into.
    #[pin]
    pub signs: Signs,
    /// What found its socket owned by a process.
    #[pin]
    pub postponed: Postponed,
    #[pin]
    work: Work<Namespace>,
    /// The namespace is ending: nothing new is begun.
    ending: Atomic<u32>,
    #[pin]
    sources: Mutex<Option<Sources>>,
    #[pin]
    files: Mutex<Option<Files>>,
}

/// Where events come from while the mode is on. A namespace whose mode is off has none of it.
struct Sources {
    /// While the mode has the secure profile.
    _sockets: Option<sockstate::Probe<Namespace>>,
    _segments: netfilter::Registration<Namespace>,
    _devices_and_routes: notifier::DevicesAndRoutes<Namespace>,
}

/// The administrator's side, there whatever the mode.
struct Files {
    _capable: procfs::File,
    _flows: procfs::File,
    _stat: procfs::File,
    _settings: sysctl::Registration<Directory>,
}

impl Namespace {
    /// The time by which all deadlines go.
    pub fn now(&self) -> Instant {
        Instant::from_millis(time::monotonic_ms())
    }

    /// Counts something that happened.
    pub fn count(&self, what: impl Into<Counted>) {
        self.control.counters.add(what.into());
    }

    /// Whether the namespace is to be left alone.
    pub fn is_off(&self) -> bool {
        self.control.mode() == Mode::Off
    }

    /// Whether the namespace is ending.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Relaxed) != 0
    }

    /// Switches between doing nothing and doing the work. Process context, may sleep.
    pub fn set_mode(self: &Arc<Self>, mode: Mode) -> Result {
        let mut sources = self.sources.lock();
        if self.is_ending() {
            return Err(ENODEV);
        }
        if mode == self.control.mode() {
            return Ok(());
        }
        // First of all, so that the end of the notifiers is not taken for that of devices.
        self.control.set_mode(Mode::Off);
        *sources = None;
        // What was on the move is the stack's own again, and nothing more is begun.
        self.work.cancel();
        self.forget_all();
        if mode != Mode::Off {
            *sources = Some(self.sources(mode)?);
            self.control.set_mode(mode);
        }
        Ok(())
    }

    /// What the mode needs to hear of.
    fn sources(self: &Arc<Self>, mode: Mode) -> Result<Sources> {
        let net = self.home.net();
        let priorities = netfilter::Priorities {
            pre_routing: mode.has_secure().then_some(PRIORITY_EARLY),
            local_in: PRIORITY_IN,
            local_out: PRIORITY_OUT,
        };
        let sockets = mode.has_secure().then(sockstate::Probe::new).transpose()?;
        Ok(Sources {
            _sockets: sockets,
            _segments: netfilter::Registration::new(net, self.clone(), priorities)?,
            _devices_and_routes: notifier::DevicesAndRoutes::new(net, self.clone())?,
        })
    }

    /// Forgets all there is, with every connection the stack's own.
    fn forget_all(&self) {
        self.postponed.clear();
        self.release_all();
        self.end_budgets();
        self.half_open.clear();
        self.connections.clear();
    }

    /// Gives every flow on the move back to the stack, with its timers running.
    fn release_all(&self) {
        while let Some((tuple, sock)) = self.motions.next(None, |_| true) {
            let motion = self.motions.remove(&tuple);
            let mut locked = sock.lock();
            if !locked.is_closed() {
                locked.unpark();
            }
            drop(locked);
            drop(motion);
        }
    }
}

impl Worker for Namespace {
    fn work(&self) -> &Work<Self> {
        &self.work
    }

    fn run(&self) {
        self.work_once();
    }
}

impl PerNamespace for Namespace {
    fn new(home: Home) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            home,
            control: Control::with_defaults(),
            emission <- Emission::init(),
            motions <- Motions::init(),
            transit <- Transit::init(),
            half_open <- HalfOpen::init(),
            connections <- Connections::init(),
            rules <- spinlock_bh!(Arc::new(Rules::none()?, GFP_KERNEL)?, "tcp_continuity_rules"),
            rules_change <- new_mutex!(()),
            destinations <- Destinations::init(),
            signs <- Signs::init(),
            postponed <- Postponed::init(),
            work <- Work::init(),
            ending: Atomic::new(0),
            sources <- new_mutex!(None),
            files <- new_mutex!(None),
        })
    }

    fn start(self: &Arc<Self>) -> Result {
        let net = self.home.net();
        *self.files.lock() = Some(Files {
            _capable: procfs::File::list::<CapableFile>(net, c"tcp_continuity_capable")?,
            _flows: procfs::File::new::<FlowsFile>(net, c"tcp_continuity")?,
            _stat: procfs::File::new::<StatFile>(net, c"tcp_continuity_stat")?,
            _settings: sysctl::Registration::with_secrets(
                net,
                c"net/tcp_continuity",
                Control::NAMES,
                Control::SECRETS,
                Arc::new(Directory(self.clone()), GFP_KERNEL)?,
            )?,
        });
        self.set_mode(Mode::DEFAULT)
    }

    fn stop(&self) {
        // Before the notifiers go: their end is told as the end of all devices.
        self.ending.store(1, Relaxed);
        *self.files.lock() = None;
        *self.sources.lock() = None;
    }

    fn finish(&self) {
        self.forget_all();
    }
}
