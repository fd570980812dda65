// SPDX-License-Identifier: GPL-2.0

//! How much may be sent to one address by all connections of a namespace together, whatever came
//! from there, before it is validated: a thousand connections that are led to one victim must not
//! send a thousand segments there.

use crate::net::sync::{
    spinlock_bh,
    SpinLockBh, //
};
use crate::proto::time::Instant;
use core::net::IpAddr;
use core::time::Duration;
use kernel::prelude::*;

/// How many addresses are remembered. A further one gets nothing for nothing.
const ADDRESSES: usize = 128;
/// How many whole segments an address gets in [`SPAN`].
const SEGMENTS: u32 = 32;
/// For how long they are counted.
const SPAN: Duration = Duration::from_secs(10);

/// What an address got.
#[derive(Clone, Copy)]
struct Given {
    address: IpAddr,
    segments: u32,
    since: Instant,
}

/// The addresses of a namespace that got something lately.
///
/// # Context
///
/// Any but hard interrupts. A socket's lock may be held: this lock is inside it.
#[pin_data]
pub struct Destinations {
    #[pin]
    given: SpinLockBh<[Option<Given>; ADDRESSES]>,
}

impl Destinations {
    /// None.
    pub fn init() -> impl PinInit<Self> {
        pin_init!(Self {
            given <- spinlock_bh!([None; ADDRESSES], "tcp_continuity_destinations"),
        })
    }

    /// How many octets may be sent to `address` whatever came from there: those of a segment, or
    /// none if there was enough.
    pub fn grant(&self, address: IpAddr, segment: u32, now: Instant) -> u32 {
        let mut given = self.given.lock();
        let is_old = |place: &Option<Given>| place.is_none_or(|it| now.since(it.since) >= SPAN);
        let is_it = |place: &Option<Given>| place.is_some_and(|it| it.address == address);
        let place = match given
            .iter()
            .position(|place| is_it(place) && !is_old(place))
        {
            Some(place) => place,
            None => match given.iter().position(is_old) {
                Some(place) => {
                    if let Some(place) = given.get_mut(place) {
                        *place = Some(Given {
                            address,
                            segments: 0,
                            since: now,
                        });
                    }
                    place
                }
                None => return 0,
            },
        };
        match given.get_mut(place) {
            Some(Some(it)) if it.segments < SEGMENTS => {
                it.segments += 1;
                segment
            }
            _ => 0,
        }
    }
}
