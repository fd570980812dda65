// SPDX-License-Identifier: GPL-2.0

//! TCP sequence numbers.

/// A TCP sequence number, compared modulo 2^32 (RFC 9293, section 3.4); therefore not `Ord`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeqNum(u32);

impl SeqNum {
    /// From the number in host byte order.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number in host byte order.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number `octets` further on.
    pub const fn plus(self, octets: u32) -> Self {
        Self(self.0.wrapping_add(octets))
    }

    /// The number `octets` back.
    pub const fn minus(self, octets: u32) -> Self {
        Self(self.0.wrapping_sub(octets))
    }

    /// Whether `self` comes before `other`. Meaningless for numbers 2^31 octets or more apart.
    pub const fn before(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) >= 1 << 31
    }

    /// Whether `self` is `first`, `last`, or between them, going up from `first`.
    pub const fn is_within(self, first: Self, last: Self) -> bool {
        self.0.wrapping_sub(first.0) <= last.0.wrapping_sub(first.0)
    }
}

#[cfg(test)]
mod tests;
