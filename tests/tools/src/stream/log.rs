// SPDX-License-Identifier: GPL-2.0

//! What was sent and what arrived when: one line a record, on CLOCK_MONOTONIC, which all namespaces of a VM share.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use anyhow::Result;

use crate::clock::now_us;

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

    /// `tx TIME CONNECTION POSITION COUNT`: a record was handed over that ends there.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn sent(&mut self, connection: u64, position: u64, count: u64) -> io::Result<()> {
        self.record("tx", now_us(), connection, position, count)
    }

    /// `rx TIME CONNECTION POSITION COUNT`: a record's last octet was read at that time and was right.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn received(
        &mut self,
        time: u64,
        connection: u64,
        position: u64,
        count: u64,
    ) -> io::Result<()> {
        self.record("rx", time, connection, position, count)
    }

    fn record(
        &mut self,
        word: &str,
        time: u64,
        connection: u64,
        position: u64,
        count: u64,
    ) -> io::Result<()> {
        match &mut self.file {
            Some(file) => writeln!(file, "{word} {time} {connection} {position} {count}"),
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
