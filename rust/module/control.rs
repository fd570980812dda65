// SPDX-License-Identifier: GPL-2.0

//! The administrator's side: settings, counters, and the files that show them.

use crate::module::namespace::Namespace;
use crate::net::procfs;
use crate::net::sock::{
    SockId,
    Tuple, //
};
use crate::net::sysctl::{
    self,
    Text, //
};
use crate::proto::happening::{
    rows,
    Counted,
    COUNT, //
};
use crate::proto::option::classic::Kind;
use crate::proto::psk::Change;
use crate::proto::settings::{
    self,
    Mode,
    Settings, //
};
use core::ffi::CStr;
use core::fmt::Write;
use core::net::IpAddr;
use core::time::Duration;
use kernel::prelude::*;
use kernel::seq_file::SeqFile;
use kernel::seq_print;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use kernel::sync::Arc;

/// Counters of a namespace. What is counted is rare, so that one set for all CPUs will do.
pub struct Counters([Atomic<u64>; COUNT]);

impl Counters {
    /// Counts one.
    pub fn add(&self, what: Counted) {
        if let Some(counter) = self.0.get(what.index()) {
            counter.fetch_add(1u64, Relaxed);
        }
    }

    /// The present value.
    fn get(&self, index: usize) -> u64 {
        self.0.get(index).map_or(0, |counter| counter.load(Relaxed))
    }
}

/// Settings and counters of a namespace.
pub struct Control {
    /// The counters.
    pub counters: Counters,
    mode: Atomic<u32>,
    values: [Atomic<u32>; settings::COUNT],
}

impl Control {
    /// The names of the settings' files: the mode, then the numbers of `proto/settings.rs`.
    pub const NAMES: &'static [&'static CStr] = &[
        c"mode",
        c"classic_kind",
        c"hold_time",
        c"confirm_time",
        c"carrier_delay",
        c"validate_time",
        c"psk_required",
        c"keyshare_after",
        c"rst_guard",
    ];

    /// The names of the files that can be written only.
    pub const SECRETS: &'static [&'static CStr] = &[c"psk"];

    /// With every setting at its default.
    pub fn with_defaults() -> Self {
        Self {
            counters: Counters([const { Atomic::new(0) }; COUNT]),
            mode: Atomic::new(0),
            values: core::array::from_fn(|index| {
                Atomic::new(settings::TABLE.get(index).map_or(0, |row| row.default))
            }),
        }
    }

    /// What the namespace does.
    pub fn mode(&self) -> Mode {
        let index = usize::try_from(self.mode.load(Relaxed)).unwrap_or(0);
        Mode::ALL.get(index).copied().unwrap_or(Mode::Off)
    }

    /// Remembers what the namespace does.
    pub fn set_mode(&self, mode: Mode) {
        let index = Mode::ALL.iter().position(|one| *one == mode).unwrap_or(0);
        self.mode.store(index as u32, Relaxed);
    }

    /// The settings as the protocol takes them.
    pub fn settings(&self) -> Settings {
        let value = |index: usize| {
            self.values
                .get(index)
                .map_or(0, |value| value.load(Relaxed))
        };
        Settings {
            classic_kind: self.kind(),
            hold_time: Duration::from_secs(value(1).into()),
            confirm_time: Duration::from_secs(value(2).into()),
            carrier_delay: Duration::from_millis(value(3).into()),
            validate_time: Duration::from_secs(value(4).into()),
            psk_required: value(5) != 0,
            keyshare_after: settings::unless_zero(value(6)),
            rst_guard: Duration::from_millis(value(7).into()),
        }
    }

    /// The kind of the classic profile's option.
    pub fn kind(&self) -> Kind {
        let kind = self.values.first().map_or(0, |value| value.load(Relaxed));
        u8::try_from(kind)
            .ok()
            .and_then(|kind| Kind::new(kind).ok())
            .unwrap_or_default()
    }

    /// Takes a new value for the `index`th number.
    fn set(&self, index: usize, text: &str) -> Result {
        let row = settings::TABLE.get(index).ok_or(EINVAL)?;
        let new: u32 = text.parse().map_err(|_| EINVAL)?;
        row.check(new).map_err(|_| EINVAL)?;
        let value = self.values.get(index).ok_or(EINVAL)?;
        value.store(new, Relaxed);
        Ok(())
    }
}

/// /proc/sys/net/tcp_continuity.
pub struct Directory(pub Arc<Namespace>);

impl sysctl::Settings for Directory {
    fn read(&self, index: usize, out: &mut Text) {
        let written = match index.checked_sub(1) {
            None => write!(out, "{}", self.0.control.mode().word()),
            Some(index) => {
                let value = self.0.control.values.get(index);
                write!(out, "{}", value.map_or(0, |value| value.load(Relaxed)))
            }
        };
        // Every value fits: the longest is a word of twenty letters.
        debug_assert!(written.is_ok());
    }

    fn write(&self, index: usize, text: &str) -> Result {
        match index.checked_sub(1) {
            None => self.0.set_mode(Mode::parse(text).map_err(|_| EINVAL)?),
            Some(index) if index < settings::COUNT => {
                self.0.control.set(index, text)?;
                self.0.require_keys()
            }
            Some(_) => self.0.change_keys(Change::parse(text).map_err(|_| EINVAL)?),
        }
    }
}

/// /proc/net/tcp_continuity: the flows on the move.
pub struct FlowsFile;

impl procfs::Show for FlowsFile {
    type Of = Namespace;

    fn show(of: &Namespace, out: &SeqFile) {
        seq_print!(out, "local remote old state tries age_ms\n");
        let now = of.now();
        let mut after: Option<Tuple> = None;
        while let Some((tuple, sock)) = of.motions.next(after.as_ref(), |_| true) {
            drop(sock);
            let line = of.motions.with(&tuple, |motion| {
                let flow = &motion.flow;
                (
                    flow.state(),
                    flow.old(),
                    flow.tries(),
                    now.since(flow.since()),
                )
            });
            if let Some((state, old, tries, age)) = line {
                endpoint(out, tuple.local, tuple.local_port);
                endpoint(out, tuple.remote, tuple.remote_port);
                let age = age.as_millis();
                seq_print!(out, "{} ", format_args!("{old}"));
                seq_print!(out, "{} {} {}\n", state.word(), tries, age);
            }
            after = Some(tuple);
        }
    }
}

/// An address and port, and a space.
fn endpoint(out: &SeqFile, address: IpAddr, port: u16) {
    match address {
        IpAddr::V4(v4) => seq_print!(out, "{}:{} ", format_args!("{v4}"), port),
        IpAddr::V6(v6) => seq_print!(out, "[{}]:{} ", format_args!("{v6}"), port),
    }
}

/// /proc/net/tcp_continuity_capable: the connections of the secure profile.
pub struct CapableFile;

impl procfs::List for CapableFile {
    type Of = Namespace;

    const HEADER: &'static str = "local remote strength";

    fn find(of: &Namespace, least: usize) -> Option<usize> {
        let found = of.connections.find_from(SockId::from_number(least));
        found.map(SockId::number)
    }

    fn show(of: &Namespace, key: usize, out: &SeqFile) {
        let line = of.connections.with(SockId::from_number(key), |connection| {
            let session = &connection.session;
            let is_capable = session.is_capable();
            is_capable.then(|| (connection.tuple, session.strength()))
        });
        if let Some((tuple, strength)) = line.flatten() {
            endpoint(out, tuple.local, tuple.local_port);
            endpoint(out, tuple.remote, tuple.remote_port);
            seq_print!(out, "{}\n", strength.word());
        }
    }
}

/// /proc/net/tcp_continuity_stat: the counters.
pub struct StatFile;

impl procfs::Show for StatFile {
    type Of = Namespace;

    fn show(of: &Namespace, out: &SeqFile) {
        for (index, row) in rows().enumerate() {
            seq_print!(out, "{} {}\n", row.name, of.control.counters.get(index));
        }
        // What there is just now, which is no counter.
        seq_print!(out, "OpeningNow {}\n", of.half_open.current());
        seq_print!(out, "CapableNow {}\n", of.connections.current());
    }
}
