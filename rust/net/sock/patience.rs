// SPDX-License-Identifier: GPL-2.0

//! How long TCP tries: whether a connection's peer does not answer, and how to go on trying.
//!
//! C header: [`include/net/tcp.h`](srctree/include/net/tcp.h)

use super::{
    Locked,
    TcpSock, //
};
use crate::bindings;
use crate::net::skb::SkBuff;
use core::ptr::NonNull;
use core::time::Duration;

impl SkBuff<'_> {
    /// Whether this segment's sender has retransmitted, or probed a closed window, for the second
    /// time in a row or more, this time counted. `false` for segments that come from no connection.
    ///
    /// # Context
    ///
    /// `LOCAL_OUT`.
    pub fn is_unanswered(&self) -> bool {
        // SAFETY: `tcpc_skb_full_sk()` reads `skb->sk`, which the buffer keeps alive.
        let sk = unsafe { bindings::tcpc_skb_full_sk(self.ptr.as_ptr()) };
        // SAFETY: A full TCP socket; the helper reads three octets of it, which may be changing:
        // any value they had will do.
        !sk.is_null() && unsafe { bindings::tcpc_tcp_is_unanswered(sk) }
    }

    /// The full TCP socket that sends this segment. `None` if there is none, or the socket is about
    /// to be freed.
    ///
    /// # Context
    ///
    /// `LOCAL_OUT`.
    pub fn sender_sock(&self) -> Option<TcpSock> {
        // SAFETY: As above.
        let sk = NonNull::new(unsafe { bindings::tcpc_skb_full_sk(self.ptr.as_ptr()) })?;
        // SAFETY: As above. A buffer keeps its socket's memory, not always a reference
        // (`sk_wmem_alloc`, net/core/sock.c): zero is one whose last was dropped.
        if !unsafe { bindings::tcpc_sk_hold_not_zero(sk.as_ptr()) } {
            return None;
        }
        // SAFETY: A full TCP socket, and the reference was just taken.
        Some(unsafe { TcpSock::from_raw(sk) })
    }
}

impl Locked<'_> {
    /// Whether it has retransmitted, or probed a closed window, twice in a row or more, and was not
    /// answered; whether or not it was told to [try on](Self::outlast).
    pub fn is_unanswered(&self) -> bool {
        // SAFETY: The helper reads members of the socket, whose lock is held.
        unsafe { bindings::tcpc_tcp_is_waiting(self.as_ptr()) }
    }

    /// Has TCP try on, if the next timeout might be its last and it has tried for less than
    /// `limit`. It tries as often as before, and counts from the same beginning. Whether that was
    /// so. To be called after each of its retransmissions.
    ///
    /// It does nothing for a `net.ipv4.tcp_retries2` below 2, with which TCP ends a connection before
    /// it [is unanswered](Self::is_unanswered).
    pub fn outlast(&mut self, limit: Duration) -> bool {
        let sk = self.as_ptr();
        // SAFETY: The helper reads members of the socket, whose lock is held.
        if !unsafe { bindings::tcpc_tcp_is_about_to_end(sk) } {
            return false;
        }
        // SAFETY: As above.
        let tried = Duration::from_millis(unsafe { bindings::tcpc_tcp_tried_ms(sk) }.into());
        if tried >= limit {
            return false;
        }
        // SAFETY: The helper resets what `tcp_write_timeout()`, `tcp_probe_timer()` and
        // `tcp_rtx_probe0_timed_out()` (net/ipv4/tcp_timer.c) go by; the lock guards it.
        unsafe { bindings::tcpc_tcp_try_on(sk) };
        true
    }
}
