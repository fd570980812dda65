// SPDX-License-Identifier: GPL-2.0

//! Code blocks: the part of Python that scripts judge connections with.
//!
//! Assertions and assignments; integers, texts only as messages. What is not understood is said to
//! be so before anything of the block counts.

use std::collections::HashMap;

mod eval;
mod facts;
mod grammar;
#[cfg(test)]
mod tests;

pub use facts::{memory_facts, tcp_facts};

use crate::symbols;
use crate::trouble::{Outcome, Trouble};
use grammar::Statement;

/// What code knows: the facts of the connection, and what it assigned itself.
#[derive(Default)]
pub struct Names {
    values: HashMap<String, i64>,
}

impl Names {
    /// Learns facts, in place of those of the same names.
    pub fn learn(&mut self, facts: impl IntoIterator<Item = (&'static str, i64)>) {
        for (name, value) in facts {
            self.values.insert(name.to_owned(), value);
        }
    }

    /// The value of a name.
    fn get(&self, name: &str) -> Option<i64> {
        self.values
            .get(name)
            .copied()
            .or_else(|| symbols::lookup(name))
    }
}

/// Runs a block.
pub fn run(text: &str, names: &mut Names) -> Outcome<()> {
    for statement in grammar::parse(text).map_err(Trouble::Unsupported)? {
        match statement {
            Statement::Assign(name, expression) => {
                let value = eval::number(&expression, names)?;
                names.values.insert(name, value);
            }
            Statement::Assert {
                text,
                condition,
                message,
            } => {
                if eval::number(&condition, names)? == 0 {
                    let observed = match &message {
                        Some(message) => eval::message(message, names)?,
                        None => "it is not so".to_owned(),
                    };
                    return Err(Trouble::failed(text, observed));
                }
            }
        }
    }
    Ok(())
}
