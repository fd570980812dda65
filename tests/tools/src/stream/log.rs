// SPDX-License-Identifier: GPL-2.0

//! What arrived when: one line a record, on CLOCK_MONOTONIC, which all namespaces of a VM share.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use anyhow::Result;
use nix::time::clock_gettime;
use nix::time::ClockId;

/// CLOCK_MONOTONIC in microseconds.
pub fn now_us() -> u64 {
    // The clock exists on every Linux: the call cannot fail.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .ok()
        .and_then(|time| u64::try_from(time.tv_sec() * 1_000_000 + time.tv_nsec() / 1000).ok())
        .unwrap_or_default()
}

/// A log file, or none.
pub struct Log {
    file: Option<BufWriter<File>>,
}

impl Log {
    /// Creates the file, if one is asked for.
    ///
    /// # Errors
    ///
    /// It cannot be created.
    pub fn create(path: Option<&Path>) -> Result<Self> {
        let file = path
            .map(|path| File::create(path).with_context(|| path.display().to_string()))
            .transpose()?;
        Ok(Self {
            file: file.map(BufWriter::new),
        })
    }

    /// `rx TIME CONNECTION POSITION COUNT`: a record's last octet was read and was right.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn received(&mut self, connection: u64, position: u64, count: u64) -> io::Result<()> {
        match &mut self.file {
            Some(file) => writeln!(file, "rx {} {connection} {position} {count}", now_us()),
            None => Ok(()),
        }
    }

    /// `WORD TIME TEXT`.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn event(&mut self, word: &str, time: u64, text: &str) -> io::Result<()> {
        match &mut self.file {
            Some(file) => writeln!(file, "{word} {time} {text}"),
            None => Ok(()),
        }
    }

    /// Hands everything to the kernel, so that a killed process loses nothing.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}
