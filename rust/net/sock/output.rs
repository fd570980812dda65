// SPDX-License-Identifier: GPL-2.0

//! Sending an option-only segment of a live connection.
//!
//! TCP makes the segment: an acknowledgement like any other, with its sequence numbers, window,
//! timestamps, mark and route. On its way out, at `LOCAL_OUT`, it meets the option, which waits
//! for just this segment in an [`Emission`].

use super::{
    Locked,
    SockId, //
};
use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use kernel::prelude::*;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// How many senders there may be at once: whoever sends holds its processor meanwhile.
const SENDERS: usize = 64;

/// The options that the next acknowledgements of some sockets are to carry, each between the call
/// that makes TCP send it and the hook that meets it.
///
/// # Context
///
/// Any but hard interrupts.
#[pin_data]
pub struct Emission {
    /// Whether something waits, so that all other segments pass by with a load and a compare.
    waiting: Atomic<u32>,
    #[pin]
    options: SpinLockBh<[Option<(SockId, OptionOctets)>; SENDERS]>,
}

/// Option octets, padded to a multiple of four, at most 40.
#[derive(Clone, Copy)]
pub struct OptionOctets {
    octets: [u8; 40],
    len: usize,
}

impl OptionOctets {
    /// The first `len` of `octets`.
    pub fn new(octets: [u8; 40], len: usize) -> Self {
        Self {
            octets,
            len: len.min(40),
        }
    }

    /// The octets.
    pub fn as_slice(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or(&[])
    }
}

impl Emission {
    /// With nothing waiting.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            waiting: Atomic::new(0),
            options <- spinlock_bh!([None; SENDERS], "tcp_continuity_emission"),
        })
    }

    /// Whether an option waits for a segment.
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Relaxed) != 0
    }

    /// The option that the segment now sent by `sender` is to carry, given out once.
    pub fn take(&self, sender: SockId) -> Option<OptionOctets> {
        let mut options = self.options.lock();
        let is_its = |place: &&mut Option<(SockId, OptionOctets)>| {
            place.is_some_and(|(sock, _)| sock == sender)
        };
        let (_, option) = options.iter_mut().find(is_its)?.take()?;
        self.waiting.fetch_sub(1, Relaxed);
        Some(option)
    }

    /// How many octets the option has that the segment now sent by `sender` is to carry.
    pub fn octets_for(&self, sender: SockId) -> usize {
        let options = self.options.lock();
        let mut waiting = options.iter().flatten();
        let found = waiting.find(|(sock, _)| *sock == sender);
        found.map_or(0, |(_, option)| option.as_slice().len())
    }

    /// Leaves an option for the next segment of `sender`. Whether there was room.
    pub fn put(&self, sender: SockId, option: OptionOctets) -> bool {
        let mut options = self.options.lock();
        let Some(place) = options.iter_mut().find(|place| place.is_none()) else {
            return false;
        };
        *place = Some((sender, option));
        self.waiting.add(1, Relaxed);
        true
    }
}

impl Locked<'_> {
    /// Sends an acknowledgement that carries `option` in the place of all its other options but
    /// timestamps. Whether it left: without a route, or without memory, it does not.
    ///
    /// The way from here to the hook is one call on this CPU.
    pub fn send_option(&mut self, emission: &Emission, option: OptionOctets) -> bool {
        let id = self.sock.id();
        if !emission.put(id, option) {
            return false;
        }
        self.send_ack();
        emission.take(id).is_none()
    }
}
