// SPDX-License-Identifier: GPL-2.0

//! Reading a locked TCP socket.
//!
//! C header: [`include/linux/tcp.h`](srctree/include/linux/tcp.h)

use super::{
    Locked,
    TcpSock, //
};
use crate::bindings;
use core::mem::offset_of;
use core::time::Duration;

/// Where a connection stands in sequence space (RFC 9293, section 3.3.1); what a received segment
/// is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// The next sequence number expected.
    pub rcv_nxt: u32,
    /// The window still open to the peer, in octets.
    pub rcv_wnd: u32,
    /// The oldest octet not yet acknowledged.
    pub snd_una: u32,
    /// The next sequence number to send.
    pub snd_nxt: u32,
    /// The largest window the peer ever offered, in octets (RFC 5961, section 5.2).
    pub max_window: u32,
    /// The peer's last timestamp (RFC 7323, section 4.3), `None` on connections without.
    pub ts_recent: Option<u32>,
}

impl Locked<'_> {
    /// Whether the connection is one that an address change can concern: data may still flow in a
    /// direction, and the socket is one that can be rebound. Everything else is left alone.
    pub fn is_movable(&self) -> bool {
        // SAFETY: The helper tests the state and members that say what the socket is for: MPTCP,
        // MD5 or AO keys, repair, transparent proxying, source routes, offload that owns the hash.
        unsafe { bindings::tcpc_sk_is_movable(self.as_ptr()) }
    }

    /// Whether the connection is over, or its socket was used for another.
    pub fn is_closed(&self) -> bool {
        // SAFETY: The helper reads a member of the socket.
        unsafe { bindings::tcpc_sk_is_closed(self.as_ptr()) }
    }

    /// Whether no process has the socket any more.
    pub fn is_orphan(&self) -> bool {
        // SAFETY: The helper reads a flag of the socket.
        unsafe { bindings::tcpc_sk_is_orphan(self.as_ptr()) }
    }

    /// The connection's sequence numbers.
    pub fn numbers(&self) -> Numbers {
        // SAFETY: `self` holds the lock that guards them.
        let tp = unsafe { &*self.tcp() };
        Numbers {
            rcv_nxt: tp.rcv_nxt,
            // SAFETY: `tcp_receive_window()` computes on members of `tp`.
            rcv_wnd: unsafe { bindings::tcpc_tcp_receive_window(tp) },
            snd_una: tp.snd_una,
            snd_nxt: tp.snd_nxt,
            max_window: tp.max_window,
            // SAFETY: The helper reads a bit field of `tp`.
            ts_recent: unsafe { bindings::tcpc_tcp_has_timestamps(tp) }
                .then_some(tp.rx_opt.ts_recent),
        }
    }

    /// The retransmission timeout without its backoff: what the path took, as last measured.
    pub fn rto(&self) -> Duration {
        // SAFETY: `__tcp_set_rto()` computes on members of the socket; jiffies.
        let micros = unsafe { bindings::tcpc_tcp_base_rto_us(self.tcp()) };
        Duration::from_micros(u64::from(micros))
    }

    /// The smoothed round-trip time, zero if there is no measurement.
    pub fn srtt(&self) -> Duration {
        // SAFETY: `self` holds the lock that guards it.
        let eighths = unsafe { (*self.tcp()).srtt_us };
        Duration::from_micros(u64::from(eighths / 8))
    }

    /// The timestamp that a segment sent now would have at least (TSval), `None` on connections
    /// without.
    pub fn clock(&self) -> Option<u32> {
        let tp = self.tcp().cast_const();
        // SAFETY: The helper reads bit fields of `tp`, which `self` keeps.
        if !unsafe { bindings::tcpc_tcp_has_timestamps(tp) } {
            return None;
        }
        // SAFETY: The helper reads the clock, and members of `tp` that the lock guards.
        Some(unsafe { bindings::tcpc_tcp_clock(tp) })
    }

    /// The application's own limit on how long data may wait for an acknowledgement
    /// (TCP_USER_TIMEOUT, RFC 5482), if it has set one.
    pub fn user_timeout(&self) -> Option<Duration> {
        // SAFETY: `self` holds the lock that guards it.
        let millis = unsafe { (*self.icsk()).icsk_user_timeout };
        (millis != 0).then(|| Duration::from_millis(u64::from(millis)))
    }

    /// The length of a full segment, with its headers, on the path there is.
    pub fn segment_octets(&self) -> u32 {
        // SAFETY: `self` holds the lock that guards it.
        let tp = unsafe { &*self.tcp() };
        let network = if self.is_v6() { 40 } else { 20 };
        tp.mss_cache
            .saturating_add(u32::from(tp.tcp_header_len))
            .saturating_add(network)
    }

    /// Octets that were sent and not acknowledged, as far as they are full segments.
    pub fn in_flight_octets(&self) -> u32 {
        // SAFETY: `self` holds the lock that guards it.
        let tp = unsafe { &*self.tcp() };
        tp.packets_out.saturating_mul(tp.mss_cache)
    }

    /// Whether data waits for an acknowledgement, or to be sent at all.
    pub fn has_unacknowledged(&self) -> bool {
        // SAFETY: The helper reads members of the socket.
        unsafe { bindings::tcpc_tcp_has_unacknowledged(self.as_ptr()) }
    }
}

impl TcpSock {
    /// As [`Locked::rto`], read without the lock.
    pub fn rto_unlocked(&self) -> Duration {
        let tp: *const bindings::tcp_sock = self.sk.as_ptr().cast_const().cast();
        // SAFETY: `__tcp_set_rto()` computes on two members of the socket, which our reference
        // keeps; `tcp_get_info()` (net/ipv4/tcp.c) reads them without the lock, too.
        let micros = unsafe { bindings::tcpc_tcp_base_rto_us(tp) };
        Duration::from_micros(u64::from(micros))
    }

    /// The connection's sequence numbers as they are just now, read without the lock: each is
    /// right, but they need not be of one moment. Good for telling a stranger's segment from the
    /// peer's.
    pub fn numbers_unlocked(&self) -> Numbers {
        let tp: *const bindings::tcp_sock = self.sk.as_ptr().cast_const().cast();
        let read = |field: *const u32| {
            // SAFETY: A member of the socket, which our reference keeps; `tcp_get_info()`
            // (net/ipv4/tcp.c) reads them without the lock, too.
            unsafe { field.read_volatile() }
        };
        let member = |offset: usize| tp.wrapping_byte_add(offset).cast::<u32>();
        let [rcv_nxt, rcv_wnd, snd_una, snd_nxt, max_window, ts_recent] = [
            offset_of!(bindings::tcp_sock, rcv_nxt),
            offset_of!(bindings::tcp_sock, rcv_wnd),
            offset_of!(bindings::tcp_sock, snd_una),
            offset_of!(bindings::tcp_sock, snd_nxt),
            offset_of!(bindings::tcp_sock, max_window),
            offset_of!(bindings::tcp_sock, rx_opt.ts_recent),
        ]
        .map(|offset| read(member(offset)));
        Numbers {
            rcv_nxt,
            rcv_wnd,
            snd_una,
            snd_nxt,
            max_window,
            // SAFETY: As above; whether there are timestamps never changes.
            ts_recent: unsafe { bindings::tcpc_tcp_has_timestamps(tp) }.then_some(ts_recent),
        }
    }
}
