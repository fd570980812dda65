// SPDX-License-Identifier: GPL-2.0

//! System calls without the script around them.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// A descriptor, kept open as long as a call with it is not over.
pub type Descriptor = Arc<OwnedFd>;

/// Where data goes or comes from: so many octets, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buffer {
    /// Whether the pointer is NULL.
    pub null: bool,
    /// How long it is said to be.
    pub length: usize,
}

/// Whom to connect or send to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Peer {
    /// This address.
    Address(SocketAddr),
    /// `AF_UNSPEC`.
    Unspecified,
}

/// A system call. The members are its arguments, see its manual page.
#[derive(Debug)]
pub enum Request {
    Socket {
        domain: i32,
        kind: i32,
        protocol: i32,
    },
    Bind {
        fd: Descriptor,
        address: SocketAddr,
    },
    Listen {
        fd: Descriptor,
        backlog: i32,
    },
    Accept {
        fd: Descriptor,
    },
    Connect {
        fd: Descriptor,
        peer: Peer,
    },
    Read {
        fd: Descriptor,
        buffer: Buffer,
    },
    Receive {
        fd: Descriptor,
        buffer: Buffer,
        flags: i32,
        from: bool,
    },
    ReceiveMessage {
        fd: Descriptor,
        lengths: Vec<usize>,
        name: bool,
        control: usize,
        flags: i32,
    },
    Write {
        fd: Descriptor,
        buffer: Buffer,
    },
    Send {
        fd: Descriptor,
        buffer: Buffer,
        flags: i32,
        peer: Option<SocketAddr>,
    },
    SendMessage {
        fd: Descriptor,
        lengths: Vec<usize>,
        peer: Option<SocketAddr>,
        flags: i32,
    },
    Close {
        fd: Descriptor,
    },
    Shutdown {
        fd: Descriptor,
        how: i32,
    },
    SetOption {
        fd: Descriptor,
        level: i32,
        name: i32,
        value: Vec<u8>,
        length: usize,
    },
    GetOption {
        fd: Descriptor,
        level: i32,
        name: i32,
        length: usize,
    },
    GetFlags {
        fd: Descriptor,
    },
    SetFlags {
        fd: Descriptor,
        flags: u32,
    },
    Readable {
        fd: Descriptor,
    },
    Poll {
        fds: Vec<(Descriptor, i16)>,
        timeout: i32,
    },
    EpollCreate,
    EpollControl {
        epoll: Descriptor,
        operation: i32,
        fd: Descriptor,
        events: u32,
        data: u64,
    },
    EpollWait {
        epoll: Descriptor,
        room: usize,
        timeout: i32,
    },
    Pipe,
    Splice {
        from: Descriptor,
        to: Descriptor,
        length: usize,
        flags: u32,
    },
    Open {
        path: String,
        flags: u32,
    },
    SendFile {
        to: Descriptor,
        from: Descriptor,
        offset: u64,
        length: usize,
    },
}

/// What a call gives beside its result.
#[derive(Debug, Default)]
pub enum Output {
    /// Nothing.
    #[default]
    Nothing,
    /// New descriptors.
    Descriptors(Vec<OwnedFd>),
    /// The value of an option, or a number.
    Octets(Vec<u8>),
    /// A message's flags and control data.
    Message {
        /// `msg_flags`.
        flags: i32,
        /// `msg_control`, as much as there is.
        control: Vec<u8>,
    },
    /// Events and their data.
    Events(Vec<(u32, u64)>),
    /// `revents`, in order.
    Ready(Vec<i16>),
}

/// How a call ended.
#[derive(Debug)]
pub struct Reply {
    /// The result, or the error.
    pub result: Result<i64, i32>,
    /// What it gives beside.
    pub output: Output,
}
