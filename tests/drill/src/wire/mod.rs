// SPDX-License-Identifier: GPL-2.0

//! Packets as octets.

mod checksum;
mod icmp;
pub mod options;
mod segment;
#[cfg(test)]
mod tests;

pub use icmp::quoting;
pub use segment::Segment;
