// SPDX-License-Identifier: GPL-2.0

//! Why a connection failed, in words a shell can compare.

use std::fmt;
use std::io;

use nix::errno::Errno;

use super::pattern::Mismatch;

/// Why a connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The kernel says so.
    Errno(Errno),
    /// FIN, but no `End` before it.
    EarlyEnd,
    /// An octet of the pattern is not what it should be.
    WrongOctet(Mismatch),
    /// No header where one should be.
    WrongFrame {
        /// Octets of the pattern that were right before it.
        position: u64,
    },
    /// Every octet was right, but the other end says it sent something else.
    WrongDigest,
    /// Octets behind an `End`.
    AfterEnd,
    /// The other end did not receive what was sent.
    WrongReport,
    /// A client that does not begin with `Hello`.
    NoHello,
}

impl Failure {
    /// One word: the errno's name, or a name of ours.
    pub fn name(self) -> String {
        match self {
            Self::Errno(errno) => format!("{errno:?}"),
            Self::EarlyEnd => "EOF".into(),
            Self::WrongOctet(_) => "WRONGOCTET".into(),
            Self::WrongFrame { .. } => "WRONGFRAME".into(),
            Self::WrongDigest => "WRONGDIGEST".into(),
            Self::AfterEnd => "AFTEREND".into(),
            Self::WrongReport => "WRONGREPORT".into(),
            Self::NoHello => "NOHELLO".into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name())?;
        match self {
            Self::WrongOctet(wrong) => write!(
                out,
                " position={} expected={:#04x} found={:#04x}",
                wrong.position, wrong.expected, wrong.found
            ),
            Self::WrongFrame { position } => write!(out, " position={position}"),
            _ => Ok(()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Errno(Errno::from_raw(error.raw_os_error().unwrap_or(0)))
    }
}
