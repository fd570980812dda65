// SPDX-License-Identifier: GPL-2.0

//! Fuzz targets. Each is one function over octets that panics where the protocol is wrong.
//!
//! `cargo test` replays `corpus/<target>/`; `tests/fuzz/run` has libFuzzer drive one.

pub mod flow;
pub mod option;
pub mod oracle;
pub mod psk;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder in `corpus/`.
    pub name: &'static str,
    /// What is called.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 3] = [
    Target {
        name: "option",
        run: option::run,
    },
    Target {
        name: "flow",
        run: flow::run,
    },
    Target {
        name: "psk",
        run: psk::run,
    },
];
