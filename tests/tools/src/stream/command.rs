// SPDX-License-Identifier: GPL-2.0

//! The words of a control socket. Each applies to every open connection of the process.

use anyhow::bail;
use anyhow::Context;
use anyhow::Result;

/// The commands, for `--help` and for whoever mistypes one.
pub const HELP: &str = "\
Commands (octet counts may end in K or M):
  exchange N        N octets each way on every connection, checked, and confirmed by the other end
  send N            queue N octets; done when the kernel has taken them
  expect N          wait until N octets more than all earlier exchange/expect have arrived
  progress N        wait until N octets more than now have arrived (with bulk, records)
  bulk              both ends send at full speed until `stop`
  records MS SIZE   both ends send SIZE octets every MS milliseconds until `stop`
  stop              end bulk or records; done when both ends have received everything
  shutdown          END and FIN; the other end keeps its direction open until told `close`
  close             END and FIN, and wait for the other end to do the same
  abandon           close() at once, without END; the kernel goes on alone (FIN_WAIT1, LAST_ACK)
  reset             close() with SO_LINGER 0: a RST
  own               keep the sockets owned by this process while the kernel looks for a module
                    (setsockopt TCP_CONGESTION runs /proc/sys/kernel/modprobe under the socket
                    lock: let that be a script that sleeps, and segments go to the backlog)
  wait              wait until every connection has ended
  status            totals; `error` if any connection has failed
  connections       a line each: number, local and remote address as the kernel has them now
  sockets N         wait until N connections are open
  forget            drop the memory of failed connections
  sleep MS          nothing, for a while
  quit              leave, with exit code 0 if no connection has failed";

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Octets each way, confirmed.
    Exchange(u64),
    /// Octets to the other end.
    Send(u64),
    /// Octets from the other end, counted from the last `Exchange` or `Expect`.
    Expect(u64),
    /// Octets from the other end, counted from now.
    Progress(u64),
    /// Full speed both ways.
    Bulk,
    /// Records of `size` octets every `interval_ms`, both ways.
    Records { size: u32, interval_ms: u32 },
    /// The end of `Bulk` and `Records`.
    Stop,
    /// Half-close.
    Shutdown,
    /// Close both directions in order.
    Close,
    /// Close the file, whatever the state.
    Abandon,
    /// Close with a RST.
    Reset,
    /// Hold the socket lock for as long as modprobe takes.
    Own,
    /// Until no connection is open.
    Wait,
    /// Totals.
    Status,
    /// The list of connections.
    Connections,
    /// Until so many connections are open.
    Sockets(u64),
    /// Failures so far count no more.
    Forget,
    /// A pause.
    Sleep(u64),
    /// The end of the process.
    Quit,
}

impl Command {
    /// Reads a command.
    ///
    /// # Errors
    ///
    /// No such command, or not its arguments.
    pub fn parse(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words[..] {
            ["exchange", count] => Self::Exchange(parse_count(count)?),
            ["send", count] => Self::Send(parse_count(count)?),
            ["expect", count] => Self::Expect(parse_count(count)?),
            ["progress", count] => Self::Progress(parse_count(count)?),
            ["bulk"] => Self::Bulk,
            ["records", interval, size] => Self::Records {
                size: u32::try_from(parse_count(size)?)?,
                interval_ms: interval.parse::<u32>().context("MS")?.max(1),
            },
            ["stop"] => Self::Stop,
            ["shutdown"] => Self::Shutdown,
            ["close"] => Self::Close,
            ["abandon"] => Self::Abandon,
            ["reset"] => Self::Reset,
            ["own"] => Self::Own,
            ["wait"] => Self::Wait,
            ["status"] => Self::Status,
            ["connections"] => Self::Connections,
            ["sockets", count] => Self::Sockets(parse_count(count)?),
            ["forget"] => Self::Forget,
            ["sleep", milliseconds] => Self::Sleep(milliseconds.parse().context("MS")?),
            ["quit"] => Self::Quit,
            _ => bail!("no such command: {line:?}\n{HELP}"),
        })
    }

    /// Whether it can be obeyed while connections are still being opened.
    pub fn is_always_possible(&self) -> bool {
        matches!(
            self,
            Self::Status
                | Self::Connections
                | Self::Sockets(_)
                | Self::Forget
                | Self::Sleep(_)
                | Self::Abandon
                | Self::Reset
                | Self::Quit
        )
    }

    /// Whether it makes no sense without an open connection.
    pub fn needs_connection(&self) -> bool {
        matches!(
            self,
            Self::Exchange(_)
                | Self::Send(_)
                | Self::Expect(_)
                | Self::Progress(_)
                | Self::Bulk
                | Self::Records { .. }
                | Self::Stop
                | Self::Shutdown
                | Self::Own
        )
    }
}

/// A number of octets, perhaps in units of 1024 (`K`) or 1048576 (`M`).
///
/// # Errors
///
/// Not a number, or too large.
pub fn parse_count(text: &str) -> Result<u64> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1u64),
    };
    let number: u64 = digits
        .parse()
        .with_context(|| format!("{text:?} is no count"))?;
    number.checked_mul(unit).context("too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_with_and_without_arguments() {
        assert_eq!(
            Command::parse("exchange 64K").unwrap(),
            Command::Exchange(65536)
        );
        assert_eq!(
            Command::parse(" send  1M ").unwrap(),
            Command::Send(1 << 20)
        );
        assert_eq!(
            Command::parse("records 10 100").unwrap(),
            Command::Records {
                size: 100,
                interval_ms: 10
            }
        );
        for wrong in [
            "",
            "exchange",
            "exchange x",
            "exchange 1 2",
            "closes",
            "send -1",
        ] {
            assert!(Command::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn help_names_every_command_that_parses() {
        for line in HELP
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        {
            let name = line.split_whitespace().next().unwrap();
            let tried = ["", " 1", " 1 1"].map(|tail| Command::parse(&format!("{name}{tail}")));
            assert!(tried.iter().any(Result::is_ok), "{name}");
        }
    }
}
