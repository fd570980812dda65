// SPDX-License-Identifier: GPL-2.0

//! Numbers that look random and follow from a seed: whatever fails can be had again.

/// The finishing step of splitmix64: every bit of the result depends on every bit of `value`.
pub const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The step of splitmix64.
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of numbers (splitmix64).
pub struct Random(u64);

impl Random {
    /// The numbers that follow from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// The next number of `first..=last`.
    pub fn within(&mut self, first: u32, last: u32) -> u32 {
        let count = u64::from(last - first) + 1;
        first + (self.next() % count) as u32
    }
}
