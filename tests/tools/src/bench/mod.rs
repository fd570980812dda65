// SPDX-License-Identifier: GPL-2.0

//! `tcpc-tool bench`: how long a connection stands still when its mover is renumbered.
//!
//! Records go both ways all the time (`stream ctl SOCKET 'records 10 100'`, both ends with
//! `--log`). `renumber` takes the mover's address and route away, waits, and gives it others; it
//! notes the moments. `measure` finds in both logs when octets came again. `table` makes one table
//! of many measurements.
//!
//! ```sh
//! tcpc-tool bench renumber net0 --from 10.0.1.1/24 --to 10.0.1.2/24 --gateway 10.0.1.254 \
//!     --outage-ms 100 --rest-ms 140 >moved                     # in the mover's namespace
//! tcpc-tool bench measure --family 4 --rtt-ms 20 --moved moved \
//!     --correspondent server.log --mover client.log >>runs
//! tcpc-tool bench table runs
//! ```

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

mod measure;
mod renumber;
mod rtnetlink;
mod table;

/// What to do.
#[derive(Subcommand)]
pub enum Bench {
    /// Take an address and the default route away, wait, give others; print when.
    Renumber(renumber::Renumber),
    /// Print how long after a renumbering octets came again, in each direction.
    Measure(measure::Measure),
    /// Print a table of what `measure` has printed.
    Table(table::Table),
}

impl Bench {
    /// Does it.
    ///
    /// # Errors
    ///
    /// The kernel refuses a change; files that are not what they should be; octets that never came.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Self::Renumber(renumber) => renumber.run()?,
            Self::Measure(measure) => measure.run()?,
            Self::Table(table) => table.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The value of `name=` among words `name=value`.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// The median; `None` of nothing.
fn median(values: &[u64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let low = sorted.get(sorted.len().checked_sub(1)? / 2)?;
    let high = sorted.get(sorted.len() / 2)?;
    Some((low + high) as f64 / 2.0)
}
