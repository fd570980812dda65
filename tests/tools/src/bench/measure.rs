// SPDX-License-Identifier: GPL-2.0

//! When octets came again after a renumbering.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::bail;
use anyhow::Context;
use anyhow::Result;
use clap::Args;

use super::value;
use crate::out;

/// Arguments of `measure`.
#[derive(Args)]
pub struct Measure {
    /// 4 or 6.
    #[arg(long)]
    family: u8,
    /// The round trip of the path.
    #[arg(long, value_name = "MS")]
    rtt_ms: u64,
    /// What `renumber` has printed, once.
    #[arg(long, value_name = "FILE")]
    moved: PathBuf,
    /// `--log` of the correspondent.
    #[arg(long, value_name = "FILE")]
    correspondent: PathBuf,
    /// `--log` of the mover.
    #[arg(long, value_name = "FILE")]
    mover: PathBuf,
}

/// What `renumber` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moved {
    outage_ms: u64,
    usable: u64,
    returned: u64,
}

impl Measure {
    /// Prints `run family= rtt_ms= outage_ms= forward_us= back_us= call_us=`: from the moment when
    /// address and route were usable to the first new record at the correspondent (`forward`) and
    /// at the mover (`back`), and how long the call was that put the route in.
    ///
    /// # Errors
    ///
    /// No new octet has come, or one sooner than the path lets it.
    pub fn run(&self) -> Result<()> {
        let moved = moved(&read(&self.moved)?)?;
        let rtt = self.rtt_ms * 1000;
        let forward = first(&arrivals(&read(&self.correspondent)?)?, moved, rtt)
            .context("no new octet has come to the correspondent")?;
        let back = first(&arrivals(&read(&self.mover)?)?, moved, rtt)
            .context("no new octet has come to the mover")?;
        if back < rtt {
            bail!("octets came back after {back} us over a path of {rtt} us: it has no such delay");
        }
        out::line(format_args!(
            "run family={} rtt_ms={} outage_ms={} forward_us={forward} back_us={back} call_us={}",
            self.family,
            self.rtt_ms,
            moved.outage_ms,
            moved.returned - moved.usable
        ));
        Ok(())
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The last line that `renumber` has printed.
fn moved(text: &str) -> Result<Moved> {
    let line = text.lines().last().context("nothing was moved")?;
    let number = |name| -> Result<u64> {
        let found = value(line, name).with_context(|| format!("{name} in {line:?}"))?;
        Ok(found.parse()?)
    };
    Ok(Moved {
        outage_ms: number("outage_ms")?,
        usable: number("usable")?,
        returned: number("returned")?,
    })
}

/// The times of a log's records.
fn arrivals(log: &str) -> Result<Vec<u64>> {
    let mut times = Vec::new();
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix("rx ") {
            let time = rest.split(' ').next().unwrap_or_default();
            times.push(time.parse().with_context(|| line.to_owned())?);
        }
    }
    Ok(times)
}

/// From the moment of usability to the first record that was carried by a segment sent after it.
///
/// Such a one takes half a round trip at least, over a path that delays each segment by just that.
/// What was under way when the old address went has arrived by then, since an outage is longer than
/// it takes a host to read a segment, so that it cannot be taken for new.
fn first(arrivals: &[u64], moved: Moved, rtt: u64) -> Option<u64> {
    let earliest = moved.usable + rtt / 2;
    let first = arrivals.iter().find(|time| **time >= earliest)?;
    Some(first - moved.usable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_under_way_is_not_new() {
        let log = "rx 100 2 0 100\nmark 120 x\nrx 5000 2 0 100\nrx 10999 2 0 100\nrx 13000 2 0 1\n";
        let arrivals = arrivals(log).unwrap();
        assert_eq!(arrivals, [100, 5000, 10999, 13000]);
        let moved = Moved {
            outage_ms: 100,
            usable: 1000,
            returned: 1200,
        };
        assert_eq!(first(&arrivals, moved, 20_000), Some(12_000));
        assert_eq!(first(&arrivals, moved, 40_000), None);
    }

    #[test]
    fn what_renumber_prints_is_read() {
        let line = "moved outage_ms=100 lost=1 usable=100002 returned=100400\n";
        let expected = Moved {
            outage_ms: 100,
            usable: 100_002,
            returned: 100_400,
        };
        assert_eq!(moved(line).unwrap(), expected);
        assert!(moved("").is_err());
        assert!(moved("moved outage_ms=100 lost=1 usable=x returned=1").is_err());
    }
}
