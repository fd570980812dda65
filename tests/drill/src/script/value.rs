// SPDX-License-Identifier: GPL-2.0

//! Arguments of system calls.

use winnow::combinator::{alt, delimited, opt, preceded, separated};
use winnow::{Parser, Result};

use super::lexeme::{integer, mark, quoted, word};
use super::{Field, Value};

/// A value, or several joined by `|`.
pub fn value(input: &mut &str) -> Result<Value> {
    let mut all: Vec<Value> = separated(1.., single, mark("|")).parse_next(input)?;
    Ok(if all.len() == 1 {
        all.remove(0)
    } else {
        Value::Or(all)
    })
}

/// Values in between of commas.
pub fn values(input: &mut &str) -> Result<Vec<Value>> {
    separated(0.., value, mark(",")).parse_next(input)
}

fn single(input: &mut &str) -> Result<Value> {
    alt((
        mark("...").value(Value::Dots),
        integer.map(Value::Integer),
        word.map(|name| Value::Name(name.to_owned())),
        quoted.map(Value::Text),
        delimited(mark("["), values, mark("]")).map(Value::List),
        fields.map(Value::Fields),
        delimited(mark("{"), values, mark("}")).map(Value::Tuple),
    ))
    .parse_next(input)
}

fn fields(input: &mut &str) -> Result<Vec<Field>> {
    delimited(mark("{"), separated(1.., field, mark(",")), mark("}")).parse_next(input)
}

/// `name=value`; the count in `name(count)=value` repeats what the value says.
fn field(input: &mut &str) -> Result<Field> {
    let name = word.parse_next(input)?.to_owned();
    opt(delimited(mark("("), value, mark(")"))).parse_next(input)?;
    let value = preceded(mark("="), value).parse_next(input)?;
    Ok(Field { name, value })
}
