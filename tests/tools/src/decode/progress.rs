// SPDX-License-Identifier: GPL-2.0

//! The first octets a direction of a connection carries that it has not carried before.

use std::collections::HashMap;

use super::segment::Segment;

/// How far each direction has come, as seen in the capture. A direction is known by its ports
/// alone: the addresses are what changes.
#[derive(Default)]
pub struct Progress {
    directions: HashMap<(u16, u16), Direction>,
}

struct Direction {
    /// The next sequence number in order.
    next: u32,
    /// What came beyond a gap: first number and the one after the last.
    beyond: Vec<(u32, u32)>,
}

impl Progress {
    /// Takes the next segment; whether it brings octets that are new, without a gap before them.
    pub fn is_new(&mut self, segment: &Segment) -> bool {
        if segment.flags.contains('R') {
            return false;
        }
        let key = (segment.from.port(), segment.to.port());
        let end = segment.seq.wrapping_add(segment.space());
        match self.directions.get_mut(&key) {
            Some(direction) if !segment.flags.contains('S') => {
                direction.take(segment.seq, end) && segment.length > 0
            }
            _ => {
                self.directions.insert(
                    key,
                    Direction {
                        next: end,
                        beyond: Vec::new(),
                    },
                );
                segment.length > 0
            }
        }
    }
}

impl Direction {
    fn take(&mut self, seq: u32, end: u32) -> bool {
        if !after(end, self.next) {
            return false;
        }
        if after(seq, self.next) {
            self.beyond.push((seq, end));
            return false;
        }
        self.next = end;
        while let Some(index) = self
            .beyond
            .iter()
            .position(|(seq, _)| !after(*seq, self.next))
        {
            let (_, end) = self.beyond.swap_remove(index);
            if after(end, self.next) {
                self.next = end;
            }
        }
        true
    }
}

/// Whether sequence number `a` comes after `b` (RFC 9293, section 3.4).
fn after(a: u32, b: u32) -> bool {
    let distance = a.wrapping_sub(b);
    distance != 0 && distance < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_octets_in_order_count() {
        let mut direction = Direction {
            next: u32::MAX - 99,
            beyond: Vec::new(),
        };
        assert!(
            direction.take(u32::MAX - 99, 0),
            "new, up to the end of the numbers"
        );
        assert!(!direction.take(u32::MAX - 99, 0), "a repetition");
        assert!(!direction.take(200, 300), "beyond a gap");
        assert!(!direction.take(0, 0), "nothing");
        assert!(direction.take(u32::MAX - 49, 100), "half old, half new");
        assert!(direction.take(100, 200), "the gap is closed");
        assert!(!direction.take(200, 300), "known from beyond the gap");
        assert!(direction.take(300, 301), "new again");
    }
}
