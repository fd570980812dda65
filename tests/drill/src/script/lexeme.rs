// SPDX-License-Identifier: GPL-2.0

//! The smallest pieces: blanks and comments, numbers, words, quoted things.

use winnow::ascii::{dec_uint, hex_digit1, multispace1, till_line_ending};
use winnow::combinator::{alt, delimited, opt, preceded, repeat};
use winnow::token::{any, none_of, take_until, take_while};
use winnow::{Parser, Result};

/// Skips blanks, `// …` and `/* … */`.
pub fn blanks(input: &mut &str) -> Result<()> {
    repeat(
        0..,
        alt((
            multispace1.void(),
            ("//", till_line_ending).void(),
            ("/*", take_until(0.., "*/"), "*/").void(),
        )),
    )
    .parse_next(input)
}

/// What `inner` reads, and the blanks after it.
pub fn lexeme<'a, O>(
    mut inner: impl Parser<&'a str, O, winnow::error::ContextError>,
) -> impl Parser<&'a str, O, winnow::error::ContextError> {
    move |input: &mut &'a str| {
        let read = inner.parse_next(input)?;
        blanks(input)?;
        Ok(read)
    }
}

/// A mark such as `,`, and the blanks after it.
pub fn mark<'a>(text: &'static str) -> impl Parser<&'a str, (), winnow::error::ContextError> {
    lexeme(text.void())
}

/// Letters, digits and underscores.
pub fn word<'a>(input: &mut &'a str) -> Result<&'a str> {
    lexeme(take_while(1.., |c: char| {
        c.is_ascii_alphanumeric() || c == '_'
    }))
    .parse_next(input)
}

/// Exactly this word, not the beginning of a longer one.
pub fn keyword<'a>(text: &'static str) -> impl Parser<&'a str, (), winnow::error::ContextError> {
    move |input: &mut &'a str| {
        word.verify(|read: &str| read == text)
            .void()
            .parse_next(input)
    }
}

/// A number without a sign.
pub fn unsigned(input: &mut &str) -> Result<u32> {
    lexeme(dec_uint).parse_next(input)
}

/// A number, decimal or hexadecimal, of which nothing more belongs to a word.
pub fn integer(input: &mut &str) -> Result<i64> {
    let minus = opt('-').parse_next(input)?;
    let size = word
        .verify_map(|digits| match digits.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).ok(),
            None => digits.parse::<i64>().ok(),
        })
        .parse_next(input)?;
    Ok(if minus.is_some() { -size } else { size })
}

/// Octets in hexadecimal.
pub fn octets(input: &mut &str) -> Result<Vec<u8>> {
    lexeme(hex_digit1.verify_map(from_hex)).parse_next(input)
}

/// The octets that hexadecimal digits mean.
pub fn from_hex(digits: &str) -> Option<Vec<u8>> {
    if digits.len() % 2 != 0 {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}

/// Text in double quotes, with the escapes of C that scripts use.
pub fn quoted(input: &mut &str) -> Result<Vec<u8>> {
    let escape = preceded(
        '\\',
        alt((
            preceded(
                'x',
                take_while(1..=2, |c: char| c.is_ascii_hexdigit())
                    .verify_map(|digits| u8::from_str_radix(digits, 16).ok()),
            ),
            'n'.value(b'\n'),
            't'.value(b'\t'),
            '0'.value(0),
            any.verify_map(|c: char| u8::try_from(c).ok()),
        )),
    );
    let plain = none_of(['"', '\\']).verify_map(|c: char| u8::try_from(c).ok());
    lexeme(delimited('"', repeat(0.., alt((escape, plain))), '"')).parse_next(input)
}

/// A shell command in backquotes.
pub fn command(input: &mut &str) -> Result<String> {
    lexeme(delimited('`', take_until(0.., "`"), '`'))
        .map(str::to_owned)
        .parse_next(input)
}

/// Code between `%{` and `}%`.
pub fn code(input: &mut &str) -> Result<String> {
    lexeme(delimited("%{", take_until(0.., "}%"), "}%"))
        .map(str::to_owned)
        .parse_next(input)
}
