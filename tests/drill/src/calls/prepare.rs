// SPDX-License-Identifier: GPL-2.0

//! From what a script says to what is asked of the kernel.

use std::net::SocketAddr;

use super::arguments::{number, Arguments, Fields};
use super::message;
use super::request::{Descriptor, Peer, Request};
use super::sockets::Sockets;
use crate::config::PORT;
use crate::script::{Call, Value};
use crate::trouble::Outcome;

/// The request that a call is. What the kernel may do at once, such as sending a SYN, is known to
/// `sockets` before.
///
/// # Errors
///
/// The call or one of its arguments is not known.
pub fn prepare(call: &Call, sockets: &mut Sockets) -> Outcome<Request> {
    let arguments = Arguments(call);
    arguments.count(match &*call.name {
        "epoll_create" | "pipe" | "close" => 1,
        "listen" | "shutdown" | "open" => 2,
        "fcntl" => call.arguments.len().clamp(2, 3),
        "send" | "recv" | "epoll_ctl" | "epoll_wait" | "sendfile" => 4,
        "setsockopt" | "getsockopt" => 5,
        "sendto" | "recvfrom" | "splice" => 6,
        _ => 3,
    })?;
    Ok(match &*call.name {
        "socket" => Request::Socket {
            domain: match arguments.at(0)? {
                Value::Dots => sockets.config.domain(),
                value => number(value)? as i32,
            },
            kind: arguments.number(1)?,
            protocol: arguments.number(2)?,
        },
        "bind" => Request::Bind {
            fd: fd(&arguments, 0, sockets)?,
            address: SocketAddr::new(sockets.config.in_socket(sockets.config.local()), PORT),
        },
        "listen" => Request::Listen {
            fd: fd(&arguments, 0, sockets)?,
            backlog: arguments.number(1)?,
        },
        "accept" => Request::Accept {
            fd: fd(&arguments, 0, sockets)?,
        },
        "connect" => Request::Connect {
            fd: fd(&arguments, 0, sockets)?,
            peer: peer(&arguments, 1, sockets)?,
        },
        "read" => Request::Read {
            fd: fd(&arguments, 0, sockets)?,
            buffer: arguments.buffer(1)?,
        },
        "recv" | "recvfrom" => Request::Receive {
            fd: fd(&arguments, 0, sockets)?,
            buffer: arguments.buffer(1)?,
            flags: arguments.number(3)?,
            from: call.name == "recvfrom",
        },
        "recvmsg" => receive_message(&arguments, fd(&arguments, 0, sockets)?)?,
        "write" => Request::Write {
            fd: fd(&arguments, 0, sockets)?,
            buffer: arguments.buffer(1)?,
        },
        "send" => Request::Send {
            fd: fd(&arguments, 0, sockets)?,
            buffer: arguments.buffer(1)?,
            flags: arguments.number(3)?,
            peer: None,
        },
        "sendto" => Request::Send {
            fd: fd(&arguments, 0, sockets)?,
            buffer: arguments.buffer(1)?,
            flags: arguments.number(3)?,
            peer: Some(address(&arguments, 4, sockets)?),
        },
        "sendmsg" => send_message(&arguments, fd(&arguments, 0, sockets)?, sockets)?,
        "close" => Request::Close {
            fd: sockets.closed(arguments.number(0)?)?,
        },
        "shutdown" => Request::Shutdown {
            fd: fd(&arguments, 0, sockets)?,
            how: arguments.number(1)?,
        },
        "setsockopt" => set_option(&arguments, fd(&arguments, 0, sockets)?)?,
        "getsockopt" => Request::GetOption {
            fd: fd(&arguments, 0, sockets)?,
            level: arguments.number(1)?,
            name: arguments.number(2)?,
            length: arguments.bracketed(4)?,
        },
        "fcntl" => control(&arguments, fd(&arguments, 0, sockets)?)?,
        "ioctl" if arguments.number::<i64>(1)? == libc::FIONREAD as i64 => Request::Readable {
            fd: fd(&arguments, 0, sockets)?,
        },
        "poll" => poll(&arguments, sockets)?,
        "epoll_create" => Request::EpollCreate,
        "epoll_ctl" => {
            let (events, data) = event(&arguments.fields(3)?)?;
            Request::EpollControl {
                epoll: fd(&arguments, 0, sockets)?,
                operation: arguments.number(1)?,
                fd: fd(&arguments, 2, sockets)?,
                events,
                data,
            }
        }
        "epoll_wait" => Request::EpollWait {
            epoll: fd(&arguments, 0, sockets)?,
            room: arguments.number(2)?,
            timeout: arguments.number(3)?,
        },
        "pipe" => Request::Pipe,
        "splice" => {
            for offset in [1, 3] {
                if arguments.number::<i64>(offset)? != 0 {
                    return Err(arguments.odd("an offset"));
                }
            }
            Request::Splice {
                from: fd(&arguments, 0, sockets)?,
                to: fd(&arguments, 2, sockets)?,
                length: arguments.number(4)?,
                flags: arguments.number(5)?,
            }
        }
        "open" => Request::Open {
            path: match arguments.at(0)? {
                Value::Text(path) => String::from_utf8_lossy(path).into_owned(),
                _ => return Err(arguments.odd("a path that is no text")),
            },
            flags: arguments.number(1)?,
        },
        "sendfile" => Request::SendFile {
            to: fd(&arguments, 0, sockets)?,
            from: fd(&arguments, 1, sockets)?,
            offset: arguments.bracketed(2)?,
            length: arguments.number(3)?,
        },
        _ => return Err(arguments.odd("these arguments, which is not known")),
    })
}

/// The descriptor that an argument is.
fn fd(arguments: &Arguments<'_>, index: usize, sockets: &Sockets) -> Outcome<Descriptor> {
    sockets.descriptor(arguments.number(index)?)
}

/// Whom a call connects to, told to the connection before.
fn peer(arguments: &Arguments<'_>, index: usize, sockets: &mut Sockets) -> Outcome<Peer> {
    let peer = match arguments.at(index)? {
        Value::Dots => {
            let config = &sockets.config;
            Peer::Address(SocketAddr::new(config.in_socket(config.remote()), PORT))
        }
        value if number(value)? == i64::from(libc::AF_UNSPEC) => Peer::Unspecified,
        _ => return Err(arguments.odd("an address of another family")),
    };
    Ok(sockets.connects(arguments.number(0)?, peer))
}

fn address(arguments: &Arguments<'_>, index: usize, sockets: &mut Sockets) -> Outcome<SocketAddr> {
    match peer(arguments, index, sockets)? {
        Peer::Address(address) => Ok(address),
        Peer::Unspecified => Err(arguments.odd("an address of no family")),
    }
}

fn send_message(
    arguments: &Arguments<'_>,
    fd: Descriptor,
    sockets: &mut Sockets,
) -> Outcome<Request> {
    let fields = arguments.fields(1)?;
    fields.only(&["msg_name", "msg_iov", "msg_flags"])?;
    if fields.number("msg_flags")? != 0 {
        return Err(arguments.odd("msg_flags, which the kernel ignores"));
    }
    let config = &sockets.config;
    let address = SocketAddr::new(config.in_socket(config.remote()), PORT);
    let peer = fields.get("msg_name").map(|_| address);
    if peer.is_some() {
        sockets.connects(arguments.number(0)?, Peer::Address(address));
    }
    Ok(Request::SendMessage {
        fd,
        lengths: message::lengths(&fields)?,
        peer,
        flags: arguments.number(2)?,
    })
}

fn receive_message(arguments: &Arguments<'_>, fd: Descriptor) -> Outcome<Request> {
    /// Enough for any control data that scripts name.
    const ROOM: usize = 1024;
    let fields = arguments.fields(1)?;
    fields.only(&["msg_name", "msg_iov", "msg_flags", "msg_control"])?;
    // What shall come is looked at before, so that what is not known is said in time.
    let expected = message::expected(&fields)?;
    Ok(Request::ReceiveMessage {
        fd,
        lengths: message::lengths(&fields)?,
        name: fields.get("msg_name").is_some(),
        control: if expected.is_empty() { 0 } else { ROOM },
        flags: arguments.number(2)?,
    })
}

fn set_option(arguments: &Arguments<'_>, fd: Descriptor) -> Outcome<Request> {
    let length: usize = arguments.number(4)?;
    let mut value = match arguments.at(3)? {
        Value::Text(text) => text.clone(),
        Value::List(_) => arguments.bracketed::<i64>(3)?.to_ne_bytes()[..4].to_vec(),
        Value::Fields(_) => {
            let fields = arguments.fields(3)?;
            fields.only(&["onoff", "linger"])?;
            let on = fields.number("onoff")? as i32;
            let time = fields.number("linger")? as i32;
            [on.to_ne_bytes(), time.to_ne_bytes()].concat()
        }
        _ => return Err(arguments.odd("a value of this kind")),
    };
    value.resize(value.len().max(length), 0);
    Ok(Request::SetOption {
        fd,
        level: arguments.number(1)?,
        name: arguments.number(2)?,
        value,
        length,
    })
}

fn control(arguments: &Arguments<'_>, fd: Descriptor) -> Outcome<Request> {
    match arguments.number::<i32>(1)? {
        libc::F_GETFL => Ok(Request::GetFlags { fd }),
        libc::F_SETFL => Ok(Request::SetFlags {
            fd,
            flags: arguments.number(2)?,
        }),
        other => Err(arguments.odd(&format!("the command {other}"))),
    }
}

fn poll(arguments: &Arguments<'_>, sockets: &Sockets) -> Outcome<Request> {
    let Value::List(entries) = arguments.at(0)? else {
        return Err(arguments.odd("no list of descriptors"));
    };
    let mut fds = Vec::new();
    for entry in entries {
        let Value::Fields(fields) = entry else {
            return Err(arguments.odd("no structures in its list"));
        };
        let fields = Fields(fields);
        fields.only(&["fd", "events", "revents"])?;
        fds.push((
            sockets.descriptor(fields.number("fd")?)?,
            fields.number("events")? as i16,
        ));
    }
    Ok(Request::Poll {
        fds,
        timeout: arguments.number(2)?,
    })
}

/// Events and data of `struct epoll_event`.
pub fn event(fields: &Fields<'_>) -> Outcome<(u32, u64)> {
    fields.only(&["events", "fd", "ptr", "u32", "u64"])?;
    let data = fields.0.iter().find(|field| field.name != "events");
    Ok((
        fields.number("events")? as u32,
        match data {
            Some(field) => number(&field.value)? as u64,
            None => 0,
        },
    ))
}
