// SPDX-License-Identifier: GPL-2.0

//! What arguments mean.

use super::request::Buffer;
use crate::script::{Call, Field, Value};
use crate::symbols;
use crate::trouble::{Outcome, Trouble};

/// The arguments of a call.
pub struct Arguments<'a>(pub &'a Call);

impl<'a> Arguments<'a> {
    /// The argument at an index.
    pub fn at(&self, index: usize) -> Outcome<&'a Value> {
        self.0
            .arguments
            .get(index)
            .ok_or_else(|| self.odd("too few arguments"))
    }

    /// Trouble with the call's form.
    pub fn odd(&self, what: &str) -> Trouble {
        Trouble::unsupported(format_args!("{}() with {what}", self.0.name))
    }

    /// Trouble unless there are so many.
    pub fn count(&self, count: usize) -> Outcome<()> {
        if self.0.arguments.len() == count {
            return Ok(());
        }
        Err(self.odd(&format!("{} arguments", self.0.arguments.len())))
    }

    /// A number.
    pub fn number<T: TryFrom<i64>>(&self, index: usize) -> Outcome<T> {
        self.narrow(number(self.at(index)?)?)
    }

    /// The number in `[number]`.
    pub fn bracketed<T: TryFrom<i64>>(&self, index: usize) -> Outcome<T> {
        match self.at(index)? {
            Value::List(values) if values.len() == 1 => self.narrow(number(&values[0])?),
            _ => Err(self.odd(&format!("argument {index} not in brackets"))),
        }
    }

    fn narrow<T: TryFrom<i64>>(&self, number: i64) -> Outcome<T> {
        T::try_from(number).map_err(|_| self.odd(&format!("{number}, which is out of range")))
    }

    /// `...` or NULL for a buffer, and its length at the next index.
    pub fn buffer(&self, index: usize) -> Outcome<Buffer> {
        let null = match self.at(index)? {
            Value::Dots => false,
            value if number(value)? == 0 => true,
            _ => return Err(self.odd("a buffer that is neither ... nor NULL")),
        };
        Ok(Buffer {
            null,
            length: self.number(index + 1)?,
        })
    }

    /// The members of a structure.
    pub fn fields(&self, index: usize) -> Outcome<Fields<'a>> {
        match self.at(index)? {
            Value::Fields(fields) => Ok(Fields(fields)),
            _ => Err(self.odd("an argument that is no structure")),
        }
    }
}

/// The members of a structure.
pub struct Fields<'a>(pub &'a [Field]);

impl<'a> Fields<'a> {
    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.0
            .iter()
            .find(|field| field.name == name)
            .map(|field| &field.value)
    }

    /// The number that is the member of this name.
    pub fn number(&self, name: &str) -> Outcome<i64> {
        match self.get(name) {
            Some(value) => number(value),
            None => Err(Trouble::unsupported(format_args!(
                "a structure without {name}"
            ))),
        }
    }

    /// Trouble if there are members of other names.
    pub fn only(&self, names: &[&str]) -> Outcome<()> {
        match self.0.iter().find(|field| !names.contains(&&*field.name)) {
            Some(field) => Err(Trouble::unsupported(format_args!(
                "the member {}",
                field.name
            ))),
            None => Ok(()),
        }
    }
}

/// The number that a value is.
pub fn number(value: &Value) -> Outcome<i64> {
    match value {
        Value::Integer(number) => Ok(*number),
        Value::Name(name) => symbols::lookup(name)
            .ok_or_else(|| Trouble::unsupported(format_args!("the constant {name}"))),
        Value::Or(values) => values
            .iter()
            .try_fold(0, |all, value| Ok(all | number(value)?)),
        other => Err(Trouble::unsupported(format_args!("{other:?} as a number"))),
    }
}
