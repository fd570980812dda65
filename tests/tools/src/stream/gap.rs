// SPDX-License-Identifier: GPL-2.0

//! The silence in a log of arrivals around given instants.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use anyhow::Context;
use anyhow::Result;
use clap::Args;

use crate::exit;
use crate::out;

/// Arguments of `gap`.
#[derive(Args)]
pub struct Gap {
    /// Log of the end that receives (`serve --log`, `connect --log`).
    log: PathBuf,
    /// An instant, CLOCK_MONOTONIC in microseconds (`tcpc-tool stream now`); may be repeated.
    #[arg(long, value_name = "US")]
    mark: Vec<u64>,
    /// Take the instants from this file instead (of `stream watch`, or a log with `mark` lines);
    /// may be the log itself.
    #[arg(long, value_name = "FILE", conflicts_with = "mark")]
    marks: Option<PathBuf>,
    /// With --marks: only lines that begin with this word (newaddr, newroute, mark, …).
    #[arg(long, value_name = "WORD", default_value = "mark")]
    event: String,
    /// With --marks: only lines that contain this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    matching: String,
    /// Only this connection of the log.
    #[arg(long, value_name = "ID")]
    connection: Option<u64>,
    /// Exit code 1 if octets came again later than this after an instant.
    #[arg(long, value_name = "US")]
    at_most: Option<u64>,
}

/// The silence that belongs to one instant.
#[derive(Debug, PartialEq, Eq)]
struct Silence {
    mark: u64,
    /// From the last arrival before to the first after the silence.
    largest: u64,
    /// From the mark to the end of the silence.
    resumed: u64,
    /// From the mark to the first arrival after it, which may have been under way before.
    first: u64,
}

impl Gap {
    /// Prints a line for each instant, and their median, smallest and largest.
    ///
    /// # Errors
    ///
    /// A file that is not readable, or not a log.
    pub fn run(&self) -> Result<ExitCode> {
        let read =
            |path: &PathBuf| fs::read_to_string(path).with_context(|| path.display().to_string());
        let arrivals = arrivals(&read(&self.log)?, self.connection)?;
        let marks = match &self.marks {
            Some(path) => marks(&read(path)?, &self.event, &self.matching)?,
            None => self.mark.clone(),
        };
        if marks.is_empty() {
            bail!("no instant given or found");
        }
        let mut resumed = Vec::new();
        let mut good = true;
        for (index, &mark) in marks.iter().enumerate() {
            let next = marks.get(index + 1).copied().unwrap_or(u64::MAX);
            match silence(&arrivals, mark, next) {
                Some(silence) => {
                    out::line(format_args!(
                        "gap mark={} resumed_us={} largest_us={} first_us={}",
                        silence.mark, silence.resumed, silence.largest, silence.first
                    ));
                    good &= self.at_most.is_none_or(|limit| silence.resumed <= limit);
                    resumed.push(silence.resumed);
                }
                None => {
                    out::line(format_args!("gap mark={mark} never"));
                    good = false;
                }
            }
        }
        resumed.sort_unstable();
        let word = if good { "ok" } else { "error GAP" };
        match resumed[..] {
            [smallest, ..] => out::line(format_args!(
                "{word} runs={} median_us={} min_us={smallest} max_us={}",
                marks.len(),
                resumed[resumed.len() / 2],
                resumed[resumed.len() - 1]
            )),
            [] => out::line(format_args!("{word} runs={}", marks.len())),
        }
        Ok(exit::of_failures(usize::from(!good)))
    }
}

/// The times of the `rx` lines.
fn arrivals(log: &str, connection: Option<u64>) -> Result<Vec<u64>> {
    let mut times = Vec::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["rx", time, id, ..] = words[..] {
            if connection.is_none_or(|wanted| id.parse() == Ok(wanted)) {
                times.push(time.parse().with_context(|| line.to_owned())?);
            }
        }
    }
    Ok(times)
}

/// The times of the lines that begin with `event` and contain `matching`.
fn marks(log: &str, event: &str, matching: &str) -> Result<Vec<u64>> {
    let mut times = Vec::new();
    for line in log.lines().filter(|line| line.contains(matching)) {
        let mut words = line.split(' ');
        if words.next() == Some(event) {
            let time = words.next().unwrap_or_default();
            times.push(time.parse().with_context(|| line.to_owned())?);
        }
    }
    Ok(times)
}

/// The largest silence that ends between `mark` and `next`. It may have begun before the mark:
/// an outage does.
fn silence(arrivals: &[u64], mark: u64, next: u64) -> Option<Silence> {
    let first = arrivals.iter().copied().find(|time| *time >= mark)?;
    let pairs = arrivals.iter().zip(arrivals.iter().skip(1));
    let inside = pairs.filter(|(_, end)| **end >= mark && **end < next);
    let (begin, end) = inside.max_by_key(|(begin, end)| *end - *begin)?;
    Some(Silence {
        mark,
        largest: end - begin,
        resumed: end - mark,
        first: first - mark,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "rx 100 2 0 10\nrx 200 2 10 10\nmark 450 moved a\nrx 460 2 20 10\n\
                       rx 900 2 30 10\nrx 910 3 0 10\nmark 1000 moved b\nrx 1500 2 40 10\n";

    #[test]
    fn the_largest_silence_counts_not_the_first_arrival() {
        let times = arrivals(LOG, Some(2)).unwrap();
        assert_eq!(times, [100, 200, 460, 900, 1500]);
        let found = silence(&times, 450, 1000);
        assert_eq!(
            found,
            Some(Silence {
                mark: 450,
                largest: 440,
                resumed: 450,
                first: 10
            })
        );
        let found = silence(&times, 1000, u64::MAX);
        assert_eq!(
            found,
            Some(Silence {
                mark: 1000,
                largest: 600,
                resumed: 500,
                first: 500
            })
        );
        assert_eq!(silence(&times, 1501, u64::MAX), None);
    }

    #[test]
    fn marks_by_word_and_text() {
        assert_eq!(marks(LOG, "mark", "").unwrap(), [450, 1000]);
        assert_eq!(marks(LOG, "mark", "moved b").unwrap(), [1000]);
        assert!(marks(LOG, "newaddr", "").unwrap().is_empty());
    }
}
