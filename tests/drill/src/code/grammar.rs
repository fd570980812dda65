// SPDX-License-Identifier: GPL-2.0

//! The grammar of code blocks.

use winnow::ascii::digit1;
use winnow::combinator::{alt, delimited, fail, opt, preceded, repeat};
use winnow::error::ContextError;
use winnow::token::{literal, one_of, take_till, take_while};
use winnow::{Parser, Result};

/// A statement.
#[derive(Debug, PartialEq)]
pub enum Statement {
    /// `name = expression`.
    Assign(String, Expression),
    /// `assert condition, message`.
    Assert {
        /// As it is written.
        text: String,
        /// What must be true.
        condition: Expression,
        /// What to say if it is not.
        message: Option<Expression>,
    },
}

/// An expression.
#[derive(Debug, PartialEq)]
pub enum Expression {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// A name.
    Name(String),
    /// An operator before its operand.
    Unary(&'static str, Box<Expression>),
    /// An operator between two.
    Binary(&'static str, Box<Expression>, Box<Expression>),
    /// `a <= b <= c`: each pair in turn.
    Compare(Box<Expression>, Vec<(&'static str, Expression)>),
}

/// Binary operators from the loosest to the tightest; longer ones of a row first. The comparisons
/// have their place between the second and the third row.
const OPERATORS: [&[&str]; 8] = [
    &["or"],
    &["and"],
    &["|"],
    &["^"],
    &["&"],
    &["<<", ">>"],
    &["+", "-"],
    &["//", "*", "%"],
];
const COMPARISONS: &[&str] = &["==", "!=", "<=", ">=", "<", ">"];

/// Reads a block, or says what is not understood.
pub fn parse(text: &str) -> std::result::Result<Vec<Statement>, String> {
    let joined = text.replace("\\\n", " ");
    let mut statements = Vec::new();
    for line in joined.lines() {
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let before = rest;
            statements.push(statement(&mut rest).map_err(|_| format!("code: {}", before.trim()))?);
            let ended = rest.strip_prefix(';').map(str::trim_start);
            if ended.is_none() && !rest.is_empty() && !rest.starts_with('#') {
                return Err(format!("code: {}", rest.trim()));
            }
            rest = ended.unwrap_or(rest);
        }
    }
    Ok(statements)
}

fn statement(input: &mut &str) -> Result<Statement> {
    if opt(operator("assert")).parse_next(input)?.is_some() {
        let before = *input;
        let condition = expression(input, 0)?;
        let text = before[..before.len() - input.len()].trim().to_owned();
        let message = opt(preceded(operator(","), |input: &mut &str| {
            expression(input, 0)
        }))
        .parse_next(input)?;
        return Ok(Statement::Assert {
            text,
            condition,
            message,
        });
    }
    let name = name(input)?;
    operator("=").parse_next(input)?;
    Ok(Statement::Assign(name, expression(input, 0)?))
}

fn expression(input: &mut &str, level: usize) -> Result<Expression> {
    if level == 2 {
        return comparison(input);
    }
    binary(input, level)
}

fn comparison(input: &mut &str) -> Result<Expression> {
    if opt(operator("not")).parse_next(input)?.is_some() {
        return Ok(Expression::Unary("not", Box::new(comparison(input)?)));
    }
    let first = binary(input, 2)?;
    let mut rest = Vec::new();
    while let Some(sign) = any_of(input, COMPARISONS) {
        rest.push((sign, binary(input, 2)?));
    }
    Ok(if rest.is_empty() {
        first
    } else {
        Expression::Compare(Box::new(first), rest)
    })
}

fn binary(input: &mut &str, level: usize) -> Result<Expression> {
    let Some(operators) = OPERATORS.get(level) else {
        return unary(input);
    };
    let operand = |input: &mut &str| match level {
        1 => comparison(input),
        _ => binary(input, level + 1),
    };
    let mut left = operand(input)?;
    while let Some(sign) = any_of(input, operators) {
        left = Expression::Binary(sign, Box::new(left), Box::new(operand(input)?));
    }
    Ok(left)
}

fn unary(input: &mut &str) -> Result<Expression> {
    if let Some(sign) = any_of(input, &["-", "~"]) {
        return Ok(Expression::Unary(sign, Box::new(unary(input)?)));
    }
    alt((
        delimited(
            operator("("),
            |input: &mut &str| expression(input, 0),
            operator(")"),
        ),
        number.map(Expression::Number),
        quoted.map(Expression::Text),
        name.map(Expression::Name),
    ))
    .parse_next(input)
}

/// The first of these operators that is next.
fn any_of(input: &mut &str, operators: &'static [&'static str]) -> Option<&'static str> {
    operators.iter().copied().find(|sign| {
        // `a < < b` is not `a << b`, and `<` is not the beginning of `<<`.
        let doubled = ["<", ">"].contains(sign) && input.starts_with(&sign.repeat(2));
        !doubled && operator(sign).parse_next(input).is_ok()
    })
}

/// An operator or a keyword, and the blanks after it.
fn operator<'a>(text: &'static str) -> impl Parser<&'a str, (), ContextError> {
    move |input: &mut &'a str| {
        let start = *input;
        literal(text).parse_next(input)?;
        let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let is_word = text.chars().all(char::is_alphabetic);
        let wrong = (is_word && !input.chars().next().is_none_or(ends))
            || (text == "=" && input.starts_with('='));
        if wrong {
            *input = start;
            return fail.parse_next(input);
        }
        *input = input.trim_start();
        Ok(())
    }
}

fn blank<'a, O>(
    inner: impl Parser<&'a str, O, ContextError>,
) -> impl Parser<&'a str, O, ContextError> {
    (inner, take_while(0.., [' ', '\t', '\r'])).map(|(read, _)| read)
}

fn number(input: &mut &str) -> Result<i64> {
    let hexadecimal = preceded("0x", take_while(1.., |c: char| c.is_ascii_hexdigit()))
        .verify_map(|digits| i64::from_str_radix(digits, 16).ok());
    let decimal = digit1.verify_map(|digits: &str| digits.parse().ok());
    blank(alt((hexadecimal, decimal))).parse_next(input)
}

fn quoted(input: &mut &str) -> Result<String> {
    blank(alt((
        delimited('\'', take_till(0.., '\''), '\''),
        delimited('"', take_till(0.., '"'), '"'),
    )))
    .map(str::to_owned)
    .parse_next(input)
}

fn name(input: &mut &str) -> Result<String> {
    let first = one_of(|c: char| c.is_ascii_alphabetic() || c == '_');
    let more =
        repeat::<_, _, (), _, _>(0.., one_of(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    blank((first, more).take())
        .verify(|name: &str| !["and", "or", "not", "assert"].contains(&name))
        .map(str::to_owned)
        .parse_next(input)
}
