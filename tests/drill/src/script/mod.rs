// SPDX-License-Identifier: GPL-2.0

//! A script as it is written: what happens, and when.

use std::ops::Range;

mod call;
mod define;
mod event;
pub mod lexeme;
mod options;
mod packet;
mod show;
#[cfg(test)]
mod tests;
mod value;

pub use define::define;
pub use event::parse;

/// A whole script.
#[derive(Debug, Default, PartialEq)]
pub struct Script {
    /// Lines `--name=value` or `--name` at its beginning.
    pub settings: Vec<(String, Option<String>)>,
    /// The shell command that prepares the machine.
    pub init: Option<Command>,
    /// What happens, in order.
    pub events: Vec<Event>,
    /// The shell command that runs when all is over, pass or fail.
    pub cleanup: Option<Command>,
}

/// A shell command and the line it begins at.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// For `sh -c`.
    pub text: String,
    /// Of the script, from 1.
    pub line: usize,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Of the script, from 1.
    pub line: usize,
    /// When.
    pub time: Time,
    /// What.
    pub action: Action,
}

/// When something happens, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Since the script's beginning.
    Absolute(i64),
    /// Since the event before.
    Relative(i64),
    /// Whenever.
    Any,
    /// Between two times since the script's beginning.
    AbsoluteRange(i64, i64),
    /// Between two times since the event before.
    RelativeRange(i64, i64),
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A packet is injected (`<`) or awaited (`>`).
    Packet(Packet),
    /// A system call is made.
    Call(Call),
    /// A shell command runs.
    Command(String),
    /// Code is run that judges the connection.
    Code(String),
}

/// Which way a packet goes, seen from the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `<`: the script sends it.
    In,
    /// `>`: the kernel sends it.
    Out,
}

/// What a packet says of the IP header's ECN bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecn {
    /// Nothing.
    Any,
    /// Exactly these two bits.
    Is(u8),
    /// ECT(0) or ECT(1).
    Capable,
    /// The whole octet that the ECN bits are part of.
    Octet(u8),
}

/// A packet.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// Which way it goes.
    pub direction: Direction,
    /// The ECN bits.
    pub ecn: Ecn,
    /// What is in it.
    pub body: Body,
}

/// What a packet carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A segment.
    Tcp(Tcp),
    /// An ICMP error about a segment.
    Icmp(Icmp),
}

/// A segment, in the script's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// The flags' letters or digit.
    pub flags: Flags,
    /// First sequence number.
    pub sequence: u32,
    /// Octets of payload, all of them zero.
    pub length: u16,
    /// Acknowledgment number.
    pub ack: u32,
    /// Window field, if the script says one.
    pub window: Option<u16>,
    /// Urgent pointer.
    pub urgent: u16,
    /// `None` is `<...>`: any options.
    pub options: Option<Vec<TcpOption>>,
}

/// The flags of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The low nine bits of the flag field: AE is 0x100, FIN is 1.
    pub bits: u16,
    /// Whether AE, CWR and ECE were written as the digit of the ACE counter.
    pub counter: bool,
}

/// A TCP option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcpOption {
    /// End of the list.
    End,
    /// Padding.
    Nop,
    /// Maximum segment size.
    Mss(u16),
    /// Window scale.
    WindowScale(u8),
    /// Selective acknowledgments are welcome.
    SackPermitted,
    /// Selectively acknowledged ranges.
    Sack(Vec<Range<u32>>),
    /// Timestamp value and echo reply.
    Timestamp(u32, u32),
    /// Fast Open: a cookie in hexadecimal, or a name defined as one; empty asks for one.
    FastOpen(String),
    /// The same in its experimental form.
    FastOpenExperimental(String),
    /// MD5 digest.
    Md5(Vec<u8>),
    /// Accurate ECN counters; `ect1_first` chooses the option's kind and the counters' order.
    AccEcn {
        /// Whether the ECT(1) counter is the first.
        ect1_first: bool,
        /// The counters that are there.
        counters: Vec<u32>,
    },
    /// An option of another kind, which no script can name.
    Other(u8, Vec<u8>),
}

/// An ICMP error that quotes a segment of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Name of the type.
    pub kind: String,
    /// Name of the code, if there is one.
    pub code: Option<String>,
    /// MTU of the next hop.
    pub mtu: Option<u32>,
    /// The quoted sequence number.
    pub sequence: u32,
    /// The quoted segment's octets of payload.
    pub length: u16,
}

/// A system call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Value>,
    /// What it shall return.
    pub result: Value,
    /// The name of the error, if the script says one.
    pub errno: Option<String>,
    /// A call that blocks returns at this time, in microseconds, of the same base as the event's.
    pub end: Option<i64>,
}

/// An argument of a system call.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `...`: what the interpreter fills in.
    Dots,
    /// A number.
    Integer(i64),
    /// A constant's name.
    Name(String),
    /// Octets in double quotes.
    Text(Vec<u8>),
    /// `a | b`.
    Or(Vec<Value>),
    /// `[a, b]`.
    List(Vec<Value>),
    /// `{a, b}`.
    Tuple(Vec<Value>),
    /// `{name=value, name(count)=value}`.
    Fields(Vec<Field>),
}

/// A member of a structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it is.
    pub value: Value,
}
