// SPDX-License-Identifier: GPL-2.0

//! Lines to stdout. A reader that has seen enough (`grep -q`, `head`) and gone is no error, and no
//! reason to end a connection that is being tested.

use std::fmt::Arguments;
use std::io;
use std::io::Write;

/// Prints a line at once.
pub fn line(text: Arguments<'_>) {
    writeln!(io::stdout().lock(), "{text}").unwrap_or_default();
}

/// Prints what has its line ends already, in one go.
pub fn text(text: &str) {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .unwrap_or_default();
}
