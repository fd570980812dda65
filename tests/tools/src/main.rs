// SPDX-License-Identifier: GPL-2.0

//! `tcpc-tool`: the host side of the tests. `stream` makes traffic of which every octet is
//! checked, `forge` sends raw segments as an attacker would, `decode` judges captures, `sockets`
//! the kernel's tables, `bench` measures.
//!
//! Results are lines on stdout that a shell can compare; exit codes are in [`exit`].

#![deny(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

mod bench;
mod clock;
mod decode;
mod exit;
mod forge;
mod hex;
mod out;
mod random;
mod sockets;
mod stream;

/// Host tool of the tcp_continuity tests.
///
/// Exit codes: 0 as expected; 1 a connection failed or an expectation was not met; 2 wrong use, or
/// trouble the test is not about; 3 not finished in time.
#[derive(Parser)]
#[command(version)]
enum Cli {
    /// Traffic of which every octet is checked.
    #[command(subcommand)]
    Stream(stream::Stream),
    /// Raw segments, as an attacker or a stranger would send them (needs CAP_NET_RAW).
    #[command(subcommand)]
    Forge(forge::Forge),
    /// Read captures: list, count and judge segments.
    Decode(decode::Decode),
    /// TCP sockets of a host: list and judge.
    Sockets(sockets::Sockets),
    /// How long a connection stands still when its mover is renumbered.
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let result = match Cli::parse() {
        Cli::Stream(stream) => stream.run(),
        Cli::Forge(forge) => forge.run(),
        Cli::Decode(decode) => decode.run(),
        Cli::Sockets(sockets) => sockets.run(),
        Cli::Bench(bench) => bench.run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("tcpc-tool: {error:#}");
        exit::wrong_use()
    })
}
