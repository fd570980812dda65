// SPDX-License-Identifier: GPL-2.0

//! When octets came again after a renumbering.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::bail;
use anyhow::Context;
use anyhow::Result;
use clap::Args;

use super::median;
use super::value;
use crate::out;

/// Arguments of `measure`.
#[derive(Args)]
pub struct Measure {
    /// 4 or 6.
    #[arg(long)]
    family: u8,
    /// The mode of both hosts: classic or secure.
    #[arg(long)]
    mode: String,
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
    lost: u64,
    usable: u64,
    returned: u64,
}

impl Measure {
    /// Prints `run family= mode= rtt_ms= outage_ms= forward_us= back_us= call_us= ordinary_forward_us=
    /// ordinary_back_us=`: from the moment when address and route were usable to the first new record
    /// at the correspondent (`forward`) and at the mover (`back`), how long the call was that put
    /// the route in, and how long records were under way in the second before (their median).
    ///
    /// # Errors
    ///
    /// No new octet has come, or one sooner than the path lets it.
    pub fn run(&self) -> Result<()> {
        let moved = moved(&read(&self.moved)?)?;
        let rtt = self.rtt_ms * 1000;
        let mover = Log::parse(&read(&self.mover)?)?;
        let correspondent = Log::parse(&read(&self.correspondent)?)?;
        let forward = first(&correspondent.received, moved, rtt)
            .context("no new octet has come to the correspondent")?;
        let back =
            first(&mover.received, moved, rtt).context("no new octet has come to the mover")?;
        if back < rtt {
            bail!("octets came back after {back} us over a path of {rtt} us: it has no such delay");
        }
        let before = |from: &Log, to: &Log| {
            ordinary(from, to, moved.lost).context("no records before the move")
        };
        out::line(format_args!(
            "run family={} mode={} rtt_ms={} outage_ms={} forward_us={forward} back_us={back} call_us={} \
             ordinary_forward_us={:.0} ordinary_back_us={:.0}",
            self.family,
            self.mode,
            self.rtt_ms,
            moved.outage_ms,
            moved.returned - moved.usable,
            before(&mover, &correspondent)?,
            before(&correspondent, &mover)?
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
        lost: number("lost")?,
        usable: number("usable")?,
        returned: number("returned")?,
    })
}

/// A record: when it was sent or had arrived, and where in the stream it ends.
type Record = (u64, u64);

/// What one end's `--log` says.
struct Log {
    sent: Vec<Record>,
    received: Vec<Record>,
}

impl Log {
    fn parse(text: &str) -> Result<Self> {
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        // The end of a log that is being written may be half a line.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let (records, time, position) = match words[..] {
                ["tx", time, _, position, _] => (&mut sent, time, position),
                ["rx", time, _, position, _] => (&mut received, time, position),
                _ => bail!("no line of a log: {line:?}"),
            };
            records.push((time.parse()?, position.parse()?));
        }
        Ok(Self { sent, received })
    }
}

/// How long records of the second before `end` were under way, from one application to the other.
fn ordinary(from: &Log, to: &Log, end: u64) -> Option<f64> {
    let arrivals: BTreeMap<u64, u64> = to
        .received
        .iter()
        .filter(|(time, _)| *time < end)
        .map(|&(time, position)| (position, time))
        .collect();
    let recent = from.sent.iter().filter(|(time, _)| time + 1_000_000 >= end);
    let delays: Vec<u64> = recent
        .filter_map(|(time, position)| arrivals.get(position)?.checked_sub(*time))
        .collect();
    median(&delays)
}

/// From the moment of usability to the first record that was carried by a segment sent after it.
///
/// Such a one takes half a round trip at least, over a path that delays each segment by just that.
/// What was under way when the old address went has arrived by then, since an outage is longer than
/// it takes a host to read a segment, so that it cannot be taken for new.
fn first(received: &[Record], moved: Moved, rtt: u64) -> Option<u64> {
    let earliest = moved.usable + rtt / 2;
    let (first, _) = received.iter().find(|(time, _)| *time >= earliest)?;
    Some(first - moved.usable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_under_way_is_not_new() {
        let log = "rx 100 2 100 100\ntx 120 2 100 100\nrx 5000 2 200 100\nrx 10999 2 300 100\n\
                   rx 13000 2 400 100\n";
        let arrivals = Log::parse(log).unwrap().received;
        assert_eq!(
            arrivals,
            [(100, 100), (5000, 200), (10999, 300), (13000, 400)]
        );
        let moved = Moved {
            outage_ms: 100,
            lost: 900,
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
            lost: 1,
            usable: 100_002,
            returned: 100_400,
        };
        assert_eq!(moved(line).unwrap(), expected);
        assert!(moved("").is_err());
        assert!(moved("moved outage_ms=100 lost=1 usable=x returned=1").is_err());
    }

    #[test]
    fn records_before_the_loss_are_ordinary() {
        let from = "tx 1000 2 100 100\ntx 2000 2 200 100\ntx 3000 2 300 100\ntx 4000 2 400 100\n";
        let to = "rx 3010 2 100 100\nrx 4050 2 200 100\nrx 5020 2 300 100\nrx 9000 2 400 100\n";
        let (from, to) = (Log::parse(from).unwrap(), Log::parse(to).unwrap());
        assert_eq!(ordinary(&from, &to, 6000), Some(2020.0));
        assert_eq!(ordinary(&from, &to, 3000), None);
        assert_eq!(ordinary(&from, &to, 2_000_000), None);
    }

    #[test]
    fn lines_that_belong_to_no_log_are_refused() {
        assert!(Log::parse("rx 1 2 3\n").is_err());
        assert!(Log::parse("rx x 2 3 4\n").is_err());
        let half = Log::parse("rx 1 2 3 4\nrx 2 2").unwrap();
        assert_eq!(half.received, [(1, 3)]);
        assert!(Log::parse("").unwrap().received.is_empty());
    }
}
