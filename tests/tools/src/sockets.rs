// SPDX-License-Identifier: GPL-2.0

//! The TCP sockets of a host, as the kernel lists them in `/proc/net/tcp` and `tcp6`: one program
//! where a shell would start four, which is what a test on an emulated machine spends its time on.

use std::fs::File;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::Result;
use clap::Args;
use clap::Subcommand;
use nix::sched::setns;
use nix::sched::CloneFlags;
use procfs::net::tcp;
use procfs::net::tcp6;
use procfs::net::TcpNetEntry;
use procfs::net::TcpState;
use procfs::ProcError;

use crate::exit;
use crate::out;

/// Arguments of `sockets`.
#[derive(Args)]
pub struct Sockets {
    /// The network namespace to look into (/run/netns/NAME); without it, this one.
    #[arg(long, value_name = "FILE")]
    net: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Prints `LOCAL REMOTE STATE` of each.
    List,
    /// Whether so many connections are between two addresses, and none between others. What only
    /// listens, is being opened or waits for its end is of somebody else.
    Between {
        /// The near address.
        near: IpAddr,
        /// The far address.
        far: IpAddr,
        #[command(flatten)]
        end: End,
        /// How many.
        #[arg(long)]
        count: usize,
    },
    /// Whether so many are in a state. Others of that port are shown.
    State {
        /// The state, in ss(8)'s word.
        state: String,
        /// The port, at either end.
        #[arg(long)]
        port: u16,
        /// How many.
        #[arg(long)]
        count: usize,
    },
}

/// Which connections: by the server's port.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct End {
    /// Those whose remote port is this one.
    #[arg(long, value_name = "PORT")]
    client_of: Option<u16>,
    /// Those whose local port is this one.
    #[arg(long, value_name = "PORT")]
    server_at: Option<u16>,
}

impl Sockets {
    /// Lists them, or judges: then those that are right are counted, others shown.
    ///
    /// # Errors
    ///
    /// There is no such namespace, or the lists cannot be read.
    pub fn run(&self) -> Result<ExitCode> {
        if let Some(file) = &self.net {
            let namespace = File::open(file).with_context(|| file.display().to_string())?;
            setns(namespace, CloneFlags::CLONE_NEWNET).context("setns")?;
        }
        let mut all = tcp().context("/proc/net/tcp")?;
        match tcp6() {
            // There is none without IPv6.
            Err(ProcError::NotFound(_)) => {}
            entries => all.extend(entries.context("/proc/net/tcp6")?),
        }
        let all: Vec<Entry> = all.iter().map(Entry::from).collect();
        Ok(match &self.what {
            What::List => {
                out::text(&all.iter().map(Entry::line).collect::<String>());
                ExitCode::SUCCESS
            }
            What::Between {
                near,
                far,
                end,
                count,
            } => {
                let chosen = |entry: &&Entry| entry.is_connection() && end.chooses(entry);
                let right = |entry: &Entry| entry.local.ip() == *near && entry.remote.ip() == *far;
                let (good, others) = told_apart(all.iter().filter(chosen), right);
                verdict(good == *count && others == 0)
            }
            What::State { state, port, count } => {
                let chosen = |entry: &&Entry| entry.has_port(*port) && entry.state != "LISTEN";
                let right = |entry: &Entry| entry.state == state;
                let (good, _) = told_apart(all.iter().filter(chosen), right);
                verdict(good == *count)
            }
        })
    }
}

impl End {
    fn chooses(&self, entry: &Entry) -> bool {
        self.client_of
            .is_none_or(|port| entry.remote.port() == port)
            && self.server_at.is_none_or(|port| entry.local.port() == port)
    }
}

/// How many are right, and how many are not, of which the first are shown.
fn told_apart<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    right: impl Fn(&Entry) -> bool,
) -> (usize, usize) {
    const SHOWN: usize = 3;
    let (good, others): (Vec<_>, Vec<_>) = entries.partition(|entry| right(entry));
    for entry in others.iter().take(SHOWN) {
        out::text(&entry.line());
    }
    out::line(format_args!(
        "{} right, {} others",
        good.len(),
        others.len()
    ));
    (good.len(), others.len())
}

fn verdict(as_expected: bool) -> ExitCode {
    exit::of_failures(usize::from(!as_expected))
}

/// A socket: addresses that are IPv4 ones behind an IPv6 socket are told as such.
struct Entry {
    local: SocketAddr,
    remote: SocketAddr,
    state: &'static str,
}

impl From<&TcpNetEntry> for Entry {
    fn from(entry: &TcpNetEntry) -> Self {
        let plain =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        Self {
            local: plain(entry.local_address),
            remote: plain(entry.remote_address),
            state: word_of(&entry.state),
        }
    }
}

impl Entry {
    /// `LOCAL REMOTE STATE`, IPv6 addresses without brackets.
    fn line(&self) -> String {
        let end = |end: SocketAddr| format!("{}:{}", end.ip(), end.port());
        format!("{} {} {}\n", end(self.local), end(self.remote), self.state)
    }

    fn is_connection(&self) -> bool {
        !matches!(self.state, "LISTEN" | "SYN-RECV" | "TIME-WAIT")
    }

    fn has_port(&self, port: u16) -> bool {
        self.local.port() == port || self.remote.port() == port
    }
}

/// ss(8)'s word for a state.
fn word_of(state: &TcpState) -> &'static str {
    match state {
        TcpState::Established => "ESTAB",
        TcpState::SynSent => "SYN-SENT",
        TcpState::SynRecv | TcpState::NewSynRecv => "SYN-RECV",
        TcpState::FinWait1 => "FIN-WAIT-1",
        TcpState::FinWait2 => "FIN-WAIT-2",
        TcpState::TimeWait => "TIME-WAIT",
        TcpState::Close => "UNCONN",
        TcpState::CloseWait => "CLOSE-WAIT",
        TcpState::LastAck => "LAST-ACK",
        TcpState::Listen => "LISTEN",
        TcpState::Closing => "CLOSING",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(local: &str, remote: &str, state: &'static str) -> Entry {
        Entry {
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            state,
        }
    }

    #[test]
    fn who_only_waits_for_its_end_is_no_connection() {
        for state in ["LISTEN", "SYN-RECV", "TIME-WAIT"] {
            assert!(!entry("10.0.1.9:40000", "10.0.2.1:5000", state).is_connection());
        }
        assert!(entry("10.0.1.9:40000", "10.0.2.1:5000", "CLOSE-WAIT").is_connection());
    }

    #[test]
    fn one_elsewhere_is_told_apart() {
        let here = entry("10.0.1.9:40000", "10.0.2.1:5000", "ESTAB");
        let there = entry("10.0.1.1:40001", "10.0.2.1:5000", "ESTAB");
        let right = |entry: &Entry| entry.local.ip() == here.local.ip();

        assert_eq!(told_apart([&here, &there].into_iter(), right), (1, 1));
    }

    #[test]
    fn a_server_port_is_the_remote_one_of_a_client() {
        let client = entry("10.0.1.9:40000", "10.0.2.1:5000", "ESTAB");
        let server = entry("10.0.2.1:5000", "10.0.1.9:40000", "ESTAB");
        let of_clients = End {
            client_of: Some(5000),
            server_at: None,
        };

        assert!(of_clients.chooses(&client));
        assert!(!of_clients.chooses(&server));
    }

    #[test]
    fn ipv6_is_told_as_elsewhere_in_the_tests() {
        let line = entry("[fd00:1::9]:40000", "[fd00:2::1]:5000", "FIN-WAIT-2").line();

        assert_eq!(line, "fd00:1::9:40000 fd00:2::1:5000 FIN-WAIT-2\n");
    }
}
