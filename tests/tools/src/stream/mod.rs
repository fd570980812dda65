// SPDX-License-Identifier: GPL-2.0

//! `tcpc-tool stream`: traffic of which every octet is checked.
//!
//! `stream serve` accepts connections and does what their clients ask in band; `stream connect`
//! opens one or many. Both take commands at a control socket (`--control PATH`), so a shell can
//! open connections, let them idle, change an address, and then see whether they still carry
//! octets unchanged:
//!
//! ```sh
//! tcpc-tool stream serve --listen '[::]:5000' &
//! tcpc-tool stream connect 10.0.2.1:5000 --control flow.sock >flow.log &
//! tcpc-tool stream ctl flow.sock 'exchange 4K'     # waits for the socket and the connection
//! …                                                # the address changes
//! tcpc-tool stream ctl flow.sock 'exchange 64K'    # ok sent=65536 received=65536 …
//! tcpc-tool stream ctl flow.sock close && tcpc-tool stream ctl flow.sock quit
//! ```
//!
//! Each direction is pseudo-random octets that follow from a seed, in frames (see [`frame`]); the
//! receiver compares each octet as it comes. At the end both sides print the SHA-256 of what
//! they sent and received, and the receiver checks it against the sender's.
//!
//! An answer is one line, `ok …` or `error NAME …`. NAME is the errno (`ETIMEDOUT`,
//! `ECONNRESET`, …) or `EOF` (FIN without an orderly end), `WRONGOCTET`, `WRONGFRAME`,
//! `WRONGDIGEST`, `AFTEREND`, `WRONGREPORT` (the other end got less or more than was sent),
//! `CLOSED` (nothing is open), `UNFINISHED` (not done within `--timeout`). A failed connection is
//! reported by every later command too, until `forget`.
//!
//! `--log FILE` notes when each record was sent or arrived: `tcpc-tool bench` measures by it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use anyhow::Result;
use clap::Args;
use clap::Subcommand;
use nix::sys::resource::getrlimit;
use nix::sys::resource::setrlimit;
use nix::sys::resource::Resource;

use command::Command;
use engine::Engine;
use socket::SocketOptions;

pub use socket::parse_bind;

use crate::out;
use crate::random::mix;

mod command;
mod connection;
mod control;
mod direction;
mod engine;
mod failure;
mod frame;
mod job;
mod log;
mod md5;
mod pattern;
mod socket;
mod table;
mod traffic;

/// What to do.
#[derive(Subcommand)]
pub enum Stream {
    /// Accept connections and do what their clients ask in band.
    Serve(Serve),
    /// Open one or many connections.
    Connect(Connect),
    /// Give a command to a running serve or connect, print the answer, exit with it.
    #[command(after_help = command::HELP)]
    Ctl(Ctl),
}

/// Options of both ends.
#[derive(Args)]
struct Common {
    /// Take commands here (a UNIX socket); `quit` ends the process.
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Commands to obey in order; their answers go to stdout, the first error ends a process
    /// without --control.
    #[arg(long = "do", value_name = "COMMAND")]
    script: Vec<String>,
    /// Seconds for each command of --do.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    timeout: f64,
    /// Note here when each record was sent and when each arrived.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    #[command(flatten)]
    socket: SocketOptions,
}

impl Common {
    fn engine(&self, mut script: Vec<Command>) -> Result<Engine> {
        // A thousand connections and a few files are more than the usual soft limit.
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        for command in &self.script {
            script.push(Command::parse(command)?);
        }
        let limit = Duration::try_from_secs_f64(self.timeout).context("--timeout")?;
        Engine::new(
            self.control.as_deref(),
            self.log.as_deref(),
            script,
            Some(limit),
        )
    }
}

/// Arguments of `serve`.
#[derive(Args)]
#[command(after_help = command::HELP)]
pub struct Serve {
    /// Where to listen; port 0 takes any, the first line printed says which.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// End when there were connections and all have ended; exit code 1 if one failed.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `connect`.
#[derive(Args)]
#[command(after_help = command::HELP)]
pub struct Connect {
    /// The other end; `[::ffff:10.0.0.1]:80` uses a v4-mapped address.
    #[arg(value_name = "ADDR:PORT")]
    remote: SocketAddr,
    /// Local address; with a port, the ports of several connections count up from it.
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = socket::parse_bind)]
    bind: Option<SocketAddr>,
    /// How many connections.
    #[arg(long, value_name = "N", default_value_t = 1)]
    connections: u16,
    /// Exchange so many octets each way, close, and end: short for --do exchange, close, quit.
    #[arg(long, value_name = "OCTETS", conflicts_with_all = ["script", "control"])]
    each_way: Option<String>,
    /// Let the other end speak first, which connects as well (simultaneous open).
    #[arg(long)]
    answer: bool,
    /// What the octets follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `ctl`.
#[derive(Args)]
pub struct Ctl {
    /// The control socket; waited for.
    socket: PathBuf,
    /// The command.
    #[arg(required = true, trailing_var_arg = true)]
    command: Vec<String>,
    /// Seconds until `error UNFINISHED` and exit code 3.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    timeout: f64,
}

impl Stream {
    /// Does it.
    ///
    /// # Errors
    ///
    /// Anything but the failure of a connection, which is in the exit code.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Connect(connect) => connect.run(),
            Self::Ctl(ctl) => {
                let limit = Duration::try_from_secs_f64(ctl.timeout).context("--timeout")?;
                control::ask(&ctl.socket, limit, &ctl.command.join(" "))
            }
        }
    }
}

impl Serve {
    fn run(self) -> Result<ExitCode> {
        let listener = self.common.socket.listen(self.listen)?;
        let mut engine = self.common.engine(Vec::new())?;
        out::line(format_args!(
            "listening {}",
            engine.listen(listener, self.once)?
        ));
        engine.run()
    }
}

impl Connect {
    fn run(self) -> Result<ExitCode> {
        let script = match &self.each_way {
            Some(octets) => {
                let count = command::parse_count(octets)?;
                vec![Command::Exchange(count), Command::Close, Command::Quit]
            }
            None => Vec::new(),
        };
        let mut engine = self.common.engine(script)?;
        for index in 0..self.connections {
            let local = self.bind.map(|local| socket::nth_local(local, index));
            let stream = self.common.socket.connect(self.remote, local)?;
            if self.answer {
                engine.answer(stream)?;
            } else {
                engine.connect(stream, mix(self.seed ^ (u64::from(index) << 32)))?;
            }
        }
        engine.run()
    }
}
