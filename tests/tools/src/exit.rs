// SPDX-License-Identifier: GPL-2.0

//! Exit codes: 0 as expected, 1 a connection failed or an expectation was not met, 2 wrong use or
//! something the test is not about, 3 not finished in time.

use std::process::ExitCode;

/// The code for the answer of a command: its last line says which.
pub fn of_answer(answer: &str) -> ExitCode {
    let last = answer.lines().last().unwrap_or_default();
    match last.split_whitespace().collect::<Vec<_>>()[..] {
        ["ok", ..] => ExitCode::SUCCESS,
        ["error", "UNFINISHED", ..] => ExitCode::from(3),
        ["error", "USAGE", ..] => wrong_use(),
        _ => ExitCode::from(1),
    }
}

/// Whether an answer is a success.
pub fn is_ok(answer: &str) -> bool {
    answer
        .lines()
        .last()
        .is_some_and(|line| line.starts_with("ok"))
}

/// The code after so many failures.
pub fn of_failures(count: usize) -> ExitCode {
    ExitCode::from(u8::from(count > 0))
}

/// The code for wrong use.
pub fn wrong_use() -> ExitCode {
    ExitCode::from(2)
}
