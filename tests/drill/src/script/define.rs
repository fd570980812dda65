// SPDX-License-Identifier: GPL-2.0

//! Names defined on the command line, put in where scripts use them.

use std::collections::HashMap;

use super::{Action, Body, Script, TcpOption, Value};

/// Puts what names were defined as in their place.
pub fn define(script: &mut Script, definitions: &HashMap<String, String>) {
    for event in &mut script.events {
        match &mut event.action {
            Action::Call(call) => {
                for argument in &mut call.arguments {
                    in_value(argument, definitions);
                }
                in_value(&mut call.result, definitions);
            }
            Action::Packet(packet) => {
                if let Body::Tcp(tcp) = &mut packet.body {
                    for option in tcp.options.iter_mut().flatten() {
                        in_option(option, definitions);
                    }
                }
            }
            Action::Command(_) | Action::Code(_) => {}
        }
    }
}

fn in_option(option: &mut TcpOption, definitions: &HashMap<String, String>) {
    if let TcpOption::FastOpen(cookie) | TcpOption::FastOpenExperimental(cookie) = option {
        if let Some(defined) = definitions.get(cookie) {
            cookie.clone_from(defined);
        }
    }
}

fn in_value(value: &mut Value, definitions: &HashMap<String, String>) {
    match value {
        Value::Name(name) => {
            if let Some(defined) = definitions.get(name) {
                *value = match defined.parse() {
                    Ok(number) => Value::Integer(number),
                    Err(_) => Value::Name(defined.clone()),
                };
            }
        }
        Value::Or(values) | Value::List(values) | Value::Tuple(values) => {
            for value in values {
                in_value(value, definitions);
            }
        }
        Value::Fields(fields) => {
            for field in fields {
                in_value(&mut field.value, definitions);
            }
        }
        Value::Dots | Value::Integer(_) | Value::Text(_) => {}
    }
}
