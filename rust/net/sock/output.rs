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

/// The option that the next acknowledgement of one socket is to carry, between the call that makes
/// TCP send it and the hook that meets it. There is room for one: whoever sends is one at a time.
///
/// # Context
///
/// Any but hard interrupts.
#[pin_data]
pub struct Emission {
    /// Whether something waits, so that all other segments pass by with a load and a compare.
    waiting: Atomic<u32>,
    #[pin]
    option: SpinLockBh<Option<(SockId, OptionOctets)>>,
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
            option <- spinlock_bh!(None, "tcp_continuity_emission"),
        })
    }

    /// Whether an option waits for a segment.
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Relaxed) != 0
    }

    /// The option that the segment now sent by `sender` is to carry, given out once.
    pub fn take(&self, sender: SockId) -> Option<OptionOctets> {
        let mut slot = self.option.lock();
        match *slot {
            Some((sock, option)) if sock == sender => {
                *slot = None;
                self.waiting.store(0, Relaxed);
                Some(option)
            }
            _ => None,
        }
    }

    /// Leaves an option for the next segment of `sender`.
    pub fn put(&self, sender: SockId, option: OptionOctets) {
        *self.option.lock() = Some((sender, option));
        self.waiting.store(1, Relaxed);
    }
}

impl Locked<'_> {
    /// Sends an acknowledgement that carries `option` in the place of all its other options but
    /// timestamps. Whether it left: without a route, or without memory, it does not.
    ///
    /// The way from here to the hook is one call on this CPU.
    pub fn send_option(&mut self, emission: &Emission, option: OptionOctets) -> bool {
        let id = self.sock.id();
        emission.put(id, option);
        self.send_ack();
        emission.take(id).is_none()
    }
}
