// SPDX-License-Identifier: GPL-2.0

//! `tcpc-tool decode`: captures, listed, counted and judged.
//!
//! ```sh
//! tcpc-tool decode net0.pcap --updates                     # a line each UPDATE, then totals
//! tcpc-tool decode net0.pcap --updates --from 10.0.1.9 --at-least 1
//! tcpc-tool decode net0.pcap --from 10.0.1.1 --after first-update --at-most 0
//! tcpc-tool decode net0.pcap --flags R --count
//! tcpc-tool decode net0.pcap --check --at-least 1          # every checksum
//! tcpc-tool decode net0.pcap --from 10.0.1.9 --after first-update --first-new-octet
//! tcpc-tool decode net0.pcap --data --from 10.0.1.1 --json | tail -1
//! ```
//!
//! Captures are pcap or pcapng, of Ethernet, Linux cooked (`tcpdump -i any`), raw or loopback
//! links. A veth leaves checksums to be filled in by a device that is never there, so `--check`
//! needs `ethtool -K DEVICE tx off` at the sending ends (and `rx off` does no harm). A capture with
//! `-i any` on a host that forwards holds each segment twice.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use anyhow::Result;
use clap::Args;

use filter::Filter;
use progress::Progress;
use segment::Checksum;
use segment::Content;
use segment::Segment;
use segment::Update;

use crate::exit;
use crate::out;

pub mod capture;
pub mod filter;
mod format;
mod progress;
pub mod segment;

/// Read captures: list, count and judge segments.
///
/// --check needs `ethtool -K DEVICE tx off` where the capture was made: a veth does not fill in
/// checksums by itself.
#[derive(Args)]
pub struct Decode {
    /// The captures, pcap or pcapng.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    filter: Filter,
    /// The Kind of ADDRESS UPDATE.
    #[arg(long, default_value_t = 253)]
    kind: u8,
    /// An object a line instead of text, and no totals.
    #[arg(long)]
    json: bool,
    /// Nothing but the number of segments that match.
    #[arg(long, conflicts_with = "json")]
    count: bool,
    /// Nothing but totals.
    #[arg(long, short, conflicts_with_all = ["json", "count"])]
    quiet: bool,
    /// Nothing but arguments for `forge update`: ports, numbers and timestamps of the segment that
    /// would follow the last match.
    #[arg(long, conflicts_with_all = ["json", "count", "quiet"])]
    forge_args: bool,
    /// Exit code 1 if the checksum of a matching segment is wrong.
    #[arg(long)]
    check: bool,
    /// What is counted, and judged by the following, is not segments but their octets, with the IP
    /// header.
    #[arg(long)]
    octets: bool,
    /// Exit code 1 if fewer match.
    #[arg(long, value_name = "N")]
    at_least: Option<usize>,
    /// Exit code 1 if more match.
    #[arg(long, value_name = "N")]
    at_most: Option<usize>,
    /// Exit code 1 unless so many match.
    #[arg(long, value_name = "N")]
    exactly: Option<usize>,
    /// Print the microseconds from --after to the first matching segment that continues its
    /// direction of a connection with octets not seen before; exit code 1 if there is none.
    #[arg(long, requires = "after")]
    first_new_octet: bool,
}

/// All segments of a capture.
#[derive(Default)]
struct Capture {
    segments: Vec<Segment>,
    broken: usize,
    other: usize,
}

impl Decode {
    /// Does it; with several files the worst exit code counts.
    ///
    /// # Errors
    ///
    /// A file that is no capture.
    pub fn run(self) -> Result<ExitCode> {
        let mut good = true;
        for file in &self.files {
            let mut capture = Capture::default();
            let mut number = 0;
            capture::read(file, |time, datagram, whole| {
                number += 1;
                match Segment::read(number, time, datagram, whole, self.kind) {
                    Content::Segment(segment) => capture.segments.push(*segment),
                    Content::Broken => capture.broken += 1,
                    Content::Other => capture.other += 1,
                }
            })?;
            good &= self.judge(&capture)?;
        }
        Ok(exit::of_failures(usize::from(!good)))
    }

    fn judge(&self, capture: &Capture) -> Result<bool> {
        let segments = &capture.segments;
        let concerned = || {
            segments
                .iter()
                .filter(|segment| self.filter.concerns(segment))
        };
        let [after, before] = [self.filter.after, self.filter.before]
            .map(|when| when.map(|when| when.find(concerned())));
        let (Some(after), before) = (after.unwrap_or(Some((0, 0))), before.unwrap_or(None)) else {
            out::line(format_args!("error NOTFOUND no UPDATE to be later than"));
            return Ok(false);
        };
        if self.filter.before.is_some() && before.is_none() {
            out::line(format_args!("error NOTFOUND no UPDATE to be earlier than"));
            return Ok(false);
        }
        let inside = |segment: &Segment| {
            segment.number > after.1 && before.is_none_or(|(_, number)| segment.number < number)
        };
        let mut progress = Progress::default();
        let mut matched = Vec::new();
        let mut first_new = None;
        for segment in segments {
            let new = progress.is_new(segment);
            if inside(segment) && self.filter.passes(segment) {
                matched.push(segment);
                if new && first_new.is_none() {
                    first_new = Some(segment.time.saturating_sub(after.0));
                }
            }
        }
        if self.first_new_octet {
            return Ok(match first_new {
                Some(microseconds) => {
                    out::line(format_args!("ok new_octet_us={microseconds}"));
                    true
                }
                None => {
                    out::line(format_args!("error NEVER no new octet"));
                    false
                }
            });
        }
        self.report(capture, &matched)
    }

    fn report(&self, capture: &Capture, matched: &[&Segment]) -> Result<bool> {
        let wrong = matched
            .iter()
            .filter(|segment| segment.checksum == Checksum::Wrong)
            .count();
        let count = if self.octets {
            matched.iter().map(|segment| segment.octets()).sum()
        } else {
            matched.len()
        };
        let good = !(self.check && wrong > 0)
            && self.at_least.is_none_or(|least| count >= least)
            && self.at_most.is_none_or(|most| count <= most)
            && self.exactly.is_none_or(|exactly| count == exactly);
        if self.exactly.is_some() && (self.at_least.is_some() || self.at_most.is_some()) {
            bail!("--exactly says it all");
        }
        if self.json {
            matched
                .iter()
                .for_each(|segment| out::line(format_args!("{}", format::json(segment))));
        } else if self.forge_args {
            let Some(last) = matched.last() else {
                return Ok(false);
            };
            out::line(format_args!("{}", format::forge(last)));
        } else if self.count {
            out::line(format_args!("{count}"));
        } else {
            if !self.quiet {
                matched
                    .iter()
                    .for_each(|segment| out::line(format_args!("{}", format::text(segment))));
            }
            out::line(format_args!(
                "{} matched={count} wrong_checksums={wrong} {}",
                if good { "ok" } else { "error UNEXPECTED" },
                totals(capture)
            ));
        }
        Ok(good)
    }
}

/// What there is in the whole capture.
fn totals(capture: &Capture) -> String {
    let count = |has: fn(&Segment) -> bool| capture.segments.iter().filter(|one| has(one)).count();
    format!(
        "segments={} updates={} malformed={} resets={} broken={} other={}",
        capture.segments.len(),
        count(filter::has_update),
        count(|one| one
            .updates
            .iter()
            .any(|update| matches!(update, Update::Malformed(_)))),
        count(|one| one.flags.contains('R')),
        capture.broken,
        capture.other
    )
}
