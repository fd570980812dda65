// SPDX-License-Identifier: GPL-2.0

//! The octets of a stream: pseudo-random, known to both ends, addressable by position.
//!
//! Octet `n` depends on the seed and `n` only, so a receiver can check any octet without keeping
//! what came before, and an octet that was lost, repeated or moved is seen at once.

use crate::random::mix;
use crate::random::STEP;

/// Octets made by one step of the generator.
const WORD: u64 = 8;

/// The octets of one direction of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    seed: u64,
}

/// An octet that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Position in the stream, from 0.
    pub position: u64,
    /// What should have come.
    pub expected: u8,
    /// What came.
    pub found: u8,
}

impl Pattern {
    /// The octets that follow from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed: mix(seed) }
    }

    /// Eight octets beginning at `word * 8`.
    const fn word(self, word: u64) -> [u8; 8] {
        mix(self.seed.wrapping_add(word.wrapping_mul(STEP))).to_le_bytes()
    }

    /// Appends the `count` octets from `position` on to `out`.
    pub fn append(self, position: u64, count: usize, out: &mut Vec<u8>) {
        out.reserve(count);
        let end = position + count as u64;
        let mut at = position;
        while at < end {
            let word = self.word(at / WORD);
            let first = (at % WORD) as usize;
            let last = (WORD.min(end - (at - at % WORD))) as usize;
            out.extend_from_slice(&word[first..last]);
            at += (last - first) as u64;
        }
    }

    /// Compares `octets` with what belongs at `position`.
    ///
    /// # Errors
    ///
    /// The first octet that differs.
    pub fn check(self, position: u64, octets: &[u8]) -> Result<(), Mismatch> {
        let mut at = position;
        let mut rest = octets;
        while !rest.is_empty() {
            let word = self.word(at / WORD);
            let expected = &word[(at % WORD) as usize..];
            let count = expected.len().min(rest.len());
            if rest[..count] != expected[..count] {
                return Err(first_difference(at, &expected[..count], &rest[..count]));
            }
            rest = &rest[count..];
            at += count as u64;
        }
        Ok(())
    }
}

/// The first place where two slices of equal length, known to differ, differ.
fn first_difference(position: u64, expected: &[u8], found: &[u8]) -> Mismatch {
    let index = expected
        .iter()
        .zip(found)
        .position(|(a, b)| a != b)
        .unwrap_or(0);
    Mismatch {
        position: position + index as u64,
        expected: expected[index],
        found: found[index],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_whole() {
        let pattern = Pattern::new(7);
        let mut whole = Vec::new();
        pattern.append(0, 1000, &mut whole);
        let mut pieces = Vec::new();
        for size in [1usize, 2, 3, 5, 7, 8, 9, 100, 365, 500] {
            pattern.append(pieces.len() as u64, size, &mut pieces);
        }
        assert_eq!(pieces, whole);
    }

    #[test]
    fn check_accepts_any_cut_and_names_the_wrong_octet() {
        let pattern = Pattern::new(7);
        let mut whole = Vec::new();
        pattern.append(0, 100, &mut whole);
        for cut in 0..100 {
            assert_eq!(pattern.check(cut as u64, &whole[cut..]), Ok(()));
        }
        let right = whole[42];
        whole[42] ^= 1;
        let wrong = Mismatch {
            position: 42,
            expected: right,
            found: right ^ 1,
        };
        assert_eq!(pattern.check(0, &whole), Err(wrong));
        assert_eq!(pattern.check(41, &whole[41..]), Err(wrong));
        assert_eq!(pattern.check(43, &whole[43..]), Ok(()));
    }

    #[test]
    fn seeds_and_positions_differ() {
        let mut first = Vec::new();
        Pattern::new(1).append(0, 64, &mut first);
        assert!(Pattern::new(2).check(0, &first).is_err());
        assert!(Pattern::new(1).check(1, &first).is_err());
    }
}
