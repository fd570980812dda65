// SPDX-License-Identifier: GPL-2.0

//! Fuzz targets. Each is one function over octets that panics where the protocol is wrong.
//!
//! `cargo test` replays `corpus/<target>/`; `tests/fuzz/run` has libFuzzer drive one.

pub mod flow;
pub mod option;
pub mod oracle;
pub mod psk;
pub mod secure;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder in `corpus/`.
    pub name: &'static str,
    /// What is called.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 7] = [
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
    Target {
        name: "secure_option",
        run: secure::option::run,
    },
    Target {
        name: "secure_handshake",
        run: secure::handshake::run,
    },
    Target {
        name: "secure_session",
        run: secure::session::run,
    },
    Target {
        name: "secure_correspondent",
        run: secure::correspondent::run,
    },
];
