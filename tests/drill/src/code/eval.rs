// SPDX-License-Identifier: GPL-2.0

//! What expressions mean.

use super::grammar::Expression;
use super::Names;
use crate::trouble::{Outcome, Trouble};

/// The number that an expression is; true is 1.
pub fn number(expression: &Expression, names: &Names) -> Outcome<i64> {
    match expression {
        Expression::Number(number) => Ok(*number),
        Expression::Text(text) => Err(Trouble::unsupported(format_args!(
            "code: '{text}' as a number"
        ))),
        Expression::Name(name) => names
            .get(name)
            .ok_or_else(|| Trouble::unsupported(format_args!("code: the name {name}"))),
        Expression::Unary(sign, operand) => {
            let value = number(operand, names)?;
            Ok(match *sign {
                "not" => i64::from(value == 0),
                "~" => !value,
                _ => value.wrapping_neg(),
            })
        }
        Expression::Compare(first, rest) => compare(first, rest, names),
        Expression::Binary("or", left, right) => match number(left, names)? {
            0 => number(right, names),
            value => Ok(value),
        },
        Expression::Binary("and", left, right) => match number(left, names)? {
            0 => Ok(0),
            _ => number(right, names),
        },
        Expression::Binary(sign, left, right) => {
            arithmetic(sign, number(left, names)?, number(right, names)?)
        }
    }
}

fn compare(first: &Expression, rest: &[(&str, Expression)], names: &Names) -> Outcome<i64> {
    let mut left = number(first, names)?;
    for (sign, expression) in rest {
        let right = number(expression, names)?;
        let holds = match *sign {
            "==" => left == right,
            "!=" => left != right,
            "<=" => left <= right,
            ">=" => left >= right,
            "<" => left < right,
            _ => left > right,
        };
        if !holds {
            return Ok(0);
        }
        left = right;
    }
    Ok(1)
}

/// Division is rounded down as Python's is.
fn arithmetic(sign: &str, left: i64, right: i64) -> Outcome<i64> {
    let shift = u32::try_from(right).ok();
    match sign {
        "|" => Some(left | right),
        "^" => Some(left ^ right),
        "&" => Some(left & right),
        "<<" => shift.and_then(|shift| left.checked_shl(shift)),
        ">>" => shift.and_then(|shift| left.checked_shr(shift)),
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "//" => left.checked_div_euclid(right).map(|quotient| {
            match right < 0 && quotient * right != left {
                true => quotient - 1,
                false => quotient,
            }
        }),
        _ => left
            .checked_rem(right)
            .map(|rest| match rest != 0 && (rest < 0) != (right < 0) {
                true => rest + right,
                false => rest,
            }),
    }
    .ok_or_else(|| Trouble::unsupported(format_args!("code: {left} {sign} {right}")))
}

/// What an assertion says when it fails: `'srtt=%d us' % tcpi_rtt`, or just a value.
pub fn message(expression: &Expression, names: &Names) -> Outcome<String> {
    match expression {
        Expression::Text(text) => Ok(text.clone()),
        Expression::Binary("%", left, right) => match &**left {
            Expression::Text(text) => {
                Ok(text.replacen("%d", &number(right, names)?.to_string(), 1))
            }
            _ => Ok(number(expression, names)?.to_string()),
        },
        Expression::Name(name) => Ok(format!("{name} {}", number(expression, names)?)),
        _ => Ok(number(expression, names)?.to_string()),
    }
}
