// SPDX-License-Identifier: GPL-2.0

//! Many measurements as one table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::Result;
use clap::Args;

use super::median;
use super::value;
use crate::out;

/// What hosts and their links may take, besides the path between them.
const ALLOWANCE_US: u64 = 5000;

/// Above the columns of [`row`].
const HEAD: &str = "\
IP   RTT  outage  octets   profile  runs  median    least      most  median   least    most  target  within  met  ordinary
      ms       s                              ms       ms        ms     RTT     RTT     RTT      ms                    ms";

/// Arguments of `table`.
#[derive(Args)]
pub struct Table {
    /// Lines of `measure`; others are passed over.
    runs: PathBuf,
}

/// What was measured together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    family: u64,
    rtt_ms: u64,
    outage_ms: u64,
    mode: String,
}

/// Which octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// To the correspondent.
    Forward,
    /// To the mover.
    Back,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Back => "back",
        }
    }

    /// Half a round trip there; the news has to be there before anything can come back.
    fn target_us(self, rtt_us: u64) -> u64 {
        ALLOWANCE_US
            + match self {
                Self::Forward => rtt_us / 2,
                Self::Back => rtt_us,
            }
    }
}

/// The gaps of a point, in microseconds, in both directions.
#[derive(Default)]
struct Gaps {
    forward: Vec<u64>,
    back: Vec<u64>,
    /// What a record took just before: to the correspondent; there and back.
    ordinary_forward: Vec<u64>,
    ordinary_back: Vec<u64>,
}

/// What a row says of one direction's gaps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Summary {
    runs: usize,
    median: f64,
    least: u64,
    most: u64,
    /// How many are within the target.
    within: usize,
}

impl Summary {
    /// `None` of nothing.
    fn of(gaps: &[u64], target: u64) -> Option<Self> {
        let mut sorted = gaps.to_vec();
        sorted.sort_unstable();
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        Some(Self {
            runs: sorted.len(),
            median: median(&sorted)?,
            least,
            most,
            within: sorted.iter().filter(|gap| **gap <= target).count(),
        })
    }

    /// Whether the target is met: by the median.
    fn is_met(&self, target: u64) -> bool {
        self.median <= target as f64
    }
}

impl Table {
    /// Prints the table.
    ///
    /// # Errors
    ///
    /// A file that is not readable, or a line of `measure` that is not whole.
    pub fn run(&self) -> Result<()> {
        let text =
            fs::read_to_string(&self.runs).with_context(|| self.runs.display().to_string())?;
        out::text(&table(&points(&text)?));
        Ok(())
    }
}

/// The gaps of each point.
fn points(text: &str) -> Result<BTreeMap<Point, Gaps>> {
    let mut points: BTreeMap<Point, Gaps> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("run ")) {
        let number = |name| -> Result<u64> {
            let found = value(line, name).with_context(|| format!("{name} in {line:?}"))?;
            found.parse().with_context(|| line.to_owned())
        };
        let point = Point {
            family: number("family")?,
            rtt_ms: number("rtt_ms")?,
            outage_ms: number("outage_ms")?,
            mode: value(line, "mode").context("mode")?.to_owned(),
        };
        let gaps = points.entry(point).or_default();
        gaps.forward.push(number("forward_us")?);
        gaps.back.push(number("back_us")?);
        let there = number("ordinary_forward_us")?;
        gaps.ordinary_forward.push(there);
        gaps.ordinary_back.push(there + number("ordinary_back_us")?);
    }
    Ok(points)
}

/// The table, two rows a point, the profiles one behind the other.
fn table(points: &BTreeMap<Point, Gaps>) -> String {
    let mut text = format!("{HEAD}\n");
    let (mut met, mut all, mut runs, mut within) = (0, 0, 0, 0);
    for (point, gaps) in points {
        let rtt_us = point.rtt_ms * 1000;
        for (direction, gaps, ordinary) in [
            (Direction::Forward, &gaps.forward, &gaps.ordinary_forward),
            (Direction::Back, &gaps.back, &gaps.ordinary_back),
        ] {
            let target = direction.target_us(rtt_us);
            let Some(summary) = Summary::of(gaps, target) else {
                continue;
            };
            all += 1;
            met += usize::from(summary.is_met(target));
            runs += summary.runs;
            within += summary.within;
            row(&mut text, point, direction, &summary, target, ordinary);
        }
    }
    // Writing to a String cannot fail.
    writeln!(
        text,
        "forward: to the correspondent, target 0.5 RTT + 5 ms; back: to the mover, target 1 RTT + 5 ms\n\
         ordinary: what records took just before the moves, there; there and back\n\
         target met by the median in {met} of {all} rows, by {within} of {runs} gaps"
    )
    .unwrap_or_default();
    text
}

fn row(
    text: &mut String,
    point: &Point,
    direction: Direction,
    summary: &Summary,
    target: u64,
    ordinary: &[u64],
) {
    let ms = |us: f64| us / 1000.0;
    let rtt = |us: f64| us / (point.rtt_ms * 1000) as f64;
    let (least, most) = (summary.least as f64, summary.most as f64);
    writeln!(
        text,
        "{:<2} {:>5} {:>7}  {:<8} {:<8} {:>4} {:>7.2} {:>8.2} {:>9.2} {:>7.3} {:>7.3} {:>7.3} {:>7} {:>7}  {:<3} {:>9.2}",
        point.family,
        point.rtt_ms,
        point.outage_ms as f64 / 1000.0,
        direction.name(),
        point.mode,
        summary.runs,
        ms(summary.median),
        ms(least),
        ms(most),
        rtt(summary.median),
        rtt(least),
        rtt(most),
        ms(target as f64),
        format!("{}/{}", summary.within, summary.runs),
        if summary.is_met(target) { "yes" } else { "no" },
        ms(median(ordinary).unwrap_or_default()),
    )
    .unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spread() {
        let odd = Summary::of(&[30, 10, 20], 20).unwrap();
        assert_eq!(
            (odd.median, odd.least, odd.most, odd.within, odd.runs),
            (20.0, 10, 30, 2, 3)
        );
        assert!(odd.is_met(20) && !odd.is_met(19));
        let even = Summary::of(&[4, 1, 3, 2], 0).unwrap();
        assert_eq!((even.median, even.within), (2.5, 0));
        assert_eq!(Summary::of(&[], 0), None);
    }

    #[test]
    fn targets_of_both_directions() {
        assert_eq!(Direction::Forward.target_us(20_000), 15_000);
        assert_eq!(Direction::Back.target_us(20_000), 25_000);
    }

    #[test]
    fn rows_by_family_round_trip_and_outage() {
        let text = "noise\n\
            run family=6 mode=secure rtt_ms=20 outage_ms=100 forward_us=15000 back_us=26000 call_us=1 ordinary_forward_us=10500 ordinary_back_us=10700\n\
            run family=4 mode=classic rtt_ms=100 outage_ms=10000 forward_us=51000 back_us=102000 call_us=1 ordinary_forward_us=10500 ordinary_back_us=10700\n\
            run family=4 mode=classic rtt_ms=20 outage_ms=1000 forward_us=11000 back_us=21000 call_us=1 ordinary_forward_us=10500 ordinary_back_us=10700\n\
            run family=4 mode=classic rtt_ms=20 outage_ms=1000 forward_us=13000 back_us=23000 call_us=1 ordinary_forward_us=10500 ordinary_back_us=10700\n";
        let shown = table(&points(text).unwrap());
        let rows: Vec<Vec<&str>> = shown
            .lines()
            .filter(|line| line.starts_with(['4', '6']))
            .map(|line| line.split_whitespace().collect())
            .collect();
        let expected = [
            "4 20 1 forward classic 2 12.00 11.00 13.00 0.600 0.550 0.650 15 2/2 yes 10.50",
            "4 20 1 back classic 2 22.00 21.00 23.00 1.100 1.050 1.150 25 2/2 yes 21.20",
            "4 100 10 forward classic 1 51.00 51.00 51.00 0.510 0.510 0.510 55 1/1 yes 10.50",
            "4 100 10 back classic 1 102.00 102.00 102.00 1.020 1.020 1.020 105 1/1 yes 21.20",
            "6 20 0.1 forward secure 1 15.00 15.00 15.00 0.750 0.750 0.750 15 1/1 yes 10.50",
            "6 20 0.1 back secure 1 26.00 26.00 26.00 1.300 1.300 1.300 25 0/1 no 21.20",
        ];
        let expected: Vec<Vec<&str>> = expected
            .iter()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows, expected);
        assert!(
            shown.ends_with("in 5 of 6 rows, by 7 of 8 gaps\n"),
            "{shown}"
        );
    }

    #[test]
    fn a_line_that_is_not_whole_is_an_error() {
        assert!(points("run family=4 mode=secure rtt_ms=20 outage_ms=100 forward_us=1").is_err());
        assert!(
            points("run family=4 mode=secure rtt_ms=x outage_ms=1 forward_us=1 back_us=1").is_err()
        );
    }
}
