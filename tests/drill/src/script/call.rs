// SPDX-License-Identifier: GPL-2.0

//! System calls: `name(arguments) = result ERRNO (note)`.

use winnow::combinator::{delimited, opt, preceded};
use winnow::token::take_until;
use winnow::{Parser, Result};

use super::lexeme::{lexeme, mark, word};
use super::value::{value, values};
use super::Call;

/// A system call that ends at `end`, if it blocks.
pub fn call(input: &mut &str, end: Option<i64>) -> Result<Call> {
    let name = word.parse_next(input)?.to_owned();
    let arguments = delimited(mark("("), values, mark(")")).parse_next(input)?;
    let result = preceded(mark("="), value).parse_next(input)?;
    let errno = opt(word.verify(|name: &str| name.starts_with('E'))).parse_next(input)?;
    opt(lexeme(('(', take_until(0.., ")"), ')').void())).parse_next(input)?;
    Ok(Call {
        name,
        arguments,
        result,
        errno: errno.map(str::to_owned),
        end,
    })
}
