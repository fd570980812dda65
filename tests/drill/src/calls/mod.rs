// SPDX-License-Identifier: GPL-2.0

//! System calls of scripts: arguments become a [request](request::Request), which is performed,
//! here or in a thread of its own, and answers with a [reply](request::Reply), which is compared
//! with what the script says.

mod arguments;
mod blocking;
mod data;
mod finish;
mod message;
mod perform;
mod prepare;
mod request;
mod sockets;
#[cfg(test)]
mod tests;

pub use blocking::{Blocking, Done, Started};
pub use finish::finish;
pub use perform::{option_octets, perform};
pub use prepare::prepare;
pub use sockets::Sockets;
