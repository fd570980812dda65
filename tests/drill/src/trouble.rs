// SPDX-License-Identifier: GPL-2.0

//! Why a script did not pass.

use std::fmt::Display;

/// Why a script did not pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// Something is not as the script says.
    Failed {
        /// What it should be.
        expected: String,
        /// What it is.
        observed: String,
    },
    /// The script uses something that this interpreter does not know.
    Unsupported(String),
}

/// A result that may be trouble.
pub type Outcome<T> = Result<T, Trouble>;

impl Trouble {
    /// Something is not as the script says.
    pub fn failed(expected: impl Display, observed: impl Display) -> Self {
        Self::Failed {
            expected: expected.to_string(),
            observed: observed.to_string(),
        }
    }

    /// The interpreter does not know this.
    pub fn unsupported(what: impl Display) -> Self {
        Self::Unsupported(what.to_string())
    }
}

/// Trouble unless two things are the same.
pub fn same<T: PartialEq + Display>(what: &str, expected: T, observed: T) -> Outcome<()> {
    if expected == observed {
        Ok(())
    } else {
        Err(Trouble::failed(
            format_args!("{what} {expected}"),
            format_args!("{what} {observed}"),
        ))
    }
}
