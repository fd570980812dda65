// SPDX-License-Identifier: GPL-2.0

//! Going on at once on a new path, and waiting while there is none.
//!
//! None of TCP's own functions for it is exported. What can be reached is what
//! `tcp_release_cb()` (net/ipv4/tcp_output.c) does for a timer or a transmission that came while a
//! process owned the socket: mark it as such, and call it. That runs the retransmission timer's
//! handler and the transmit queue in this very call.
//!
//! C headers: [`include/net/tcp.h`](srctree/include/net/tcp.h),
//! [`include/linux/tcp.h`](srctree/include/linux/tcp.h)

use super::Locked;
use crate::bindings;
use crate::net::time;
use core::time::Duration;
use kernel::error::{
    code,
    to_result,
    Result, //
};

/// `TCP_TIMEOUT_INIT` (include/net/tcp.h): the retransmission timeout of a path without a
/// measurement (RFC 6298, section 2.1).
const INITIAL_RTO: Duration = Duration::from_secs(1);
/// `TCP_INFINITE_SSTHRESH` (include/net/tcp.h).
const INFINITE_SSTHRESH: u32 = 0x7fff_ffff;

/// The limit of a connection's congestion window (`snd_cwnd_clamp`, in segments), kept while a
/// budget stands in its place.
#[derive(Clone, Copy, Debug)]
pub struct WindowClamp(u32);

impl Locked<'_> {
    /// Starts over on the path to the peer's present address: routes, measures anew, forgets the
    /// congestion and the round trips of the path before, and sends up to an initial window of
    /// what is outstanding, from `snd_una` on.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the connection is over. What routing says if there is no route: nothing was
    /// sent then, and TCP's own timers go on.
    pub fn restart_path(&mut self) -> Result {
        self.restart(None)
    }

    /// As [`Locked::restart_path`], with no more in flight than `octets`, or one segment: for a
    /// path of which it is not known yet whether the peer is at its other end (RFC 9000,
    /// section 8). Returns what to give to [`Locked::lift_budget`]; a connection that has a budget
    /// already keeps what the first call returned.
    ///
    /// The limit is a soft one. Each retransmission timeout lets one more segment out
    /// (`tcp_enter_loss()`), and some congestion control programs in BPF heed no clamp. Who wants
    /// a hard one counts at `LOCAL_OUT` ([`SkBuff::octets`], [`SkBuff::sender`]).
    ///
    /// The limit stands also if an error is returned beside it.
    ///
    /// # Errors
    ///
    /// As [`Locked::restart_path`].
    ///
    /// [`SkBuff::octets`]: crate::net::skb::SkBuff::octets
    /// [`SkBuff::sender`]: crate::net::skb::SkBuff::sender
    pub fn restart_path_within(&mut self, octets: u32) -> (WindowClamp, Result) {
        let segments = self.segments_of(octets);
        // Before anything that can fail: without a route TCP tries again by itself.
        let before = self.set_window_clamp(segments);
        (before, self.restart(Some(octets)))
    }

    /// Gives a connection with a budget a larger one, and sends what that lets out. Not more than
    /// an initial window at once: beyond that congestion control must have let it grow.
    pub fn raise_budget(&mut self, octets: u32) {
        let segments = self.segments_of(octets);
        // SAFETY: `self` holds the lock that guards it.
        let now = unsafe { (*self.tcp()).snd_cwnd_clamp };
        if segments > now {
            self.open_budget(segments);
        }
    }

    /// Ends a budget: the path is the peer's. `clamp` is what [`Locked::restart_path_within`] has
    /// returned.
    pub fn lift_budget(&mut self, clamp: WindowClamp) {
        self.open_budget(clamp.0);
    }

    /// Sets another clamp and sends at once, if the connection is one to send on.
    fn open_budget(&mut self, segments: u32) {
        self.set_window_clamp(segments);
        if !self.is_movable() {
            return;
        }
        // SAFETY: The helper sets `snd_cwnd` to what `tcp_init_cwnd()` would have set for the
        // route, the clamp permitting, if it is less; `self` holds the lock that guards it.
        unsafe { bindings::tcpc_tcp_raise_to_initial_window(self.as_ptr()) };
        // SAFETY: As in `restart()`.
        unsafe { bindings::tcpc_tcp_mstamp_refresh(self.tcp()) };
        self.send_window();
    }

    /// How many segments `octets` are, of those the path takes now; never none.
    fn segments_of(&self, octets: u32) -> u32 {
        // SAFETY: `self` holds the lock that guards it.
        let mss = unsafe { (*self.tcp()).mss_cache };
        octets.checked_div(mss).unwrap_or(1).max(1)
    }

    /// Limits the congestion window, and returns what limited it before.
    fn set_window_clamp(&mut self, segments: u32) -> WindowClamp {
        // SAFETY: `self` holds the lock that guards it.
        let before = WindowClamp(unsafe { (*self.tcp()).snd_cwnd_clamp });
        // SAFETY: The helper sets `snd_cwnd_clamp`, and `snd_cwnd` to no more than that; the lock
        // guards both. At least one segment: `tcp_snd_cwnd_set()` warns of none.
        unsafe { bindings::tcpc_tcp_set_window_clamp(self.tcp(), segments) };
        before
    }

    /// Has one segment in flight at most, which changes nothing for what is in flight already. Returns
    /// what to give to [`Locked::lift_budget`], as [`Locked::restart_path_within`] does, which is to
    /// follow.
    pub fn narrow(&mut self) -> WindowClamp {
        self.set_window_clamp(1)
    }

    /// See [`Locked::restart_path`]; `budget` in octets.
    fn restart(&mut self, budget: Option<u32>) -> Result {
        if !self.is_movable() {
            return Err(code::ENOENT);
        }
        // What is resent follows the UPDATE on its way. The timer's handler would give it another
        // hash (`tcp_write_timeout()`, net/ipv4/tcp_timer.c): another flow label, another of
        // several equal routes, another processor; it would overtake, and be answered with RST.
        // SAFETY: The helper exchanges a setting of the socket, whose lock is held.
        let rehash = unsafe { bindings::tcpc_sk_exchange_txrehash(self.as_ptr(), 0) };
        let done = self.start_over(budget);
        // SAFETY: As above.
        unsafe { bindings::tcpc_sk_exchange_txrehash(self.as_ptr(), rehash) };
        done
    }

    /// See [`Locked::restart`].
    fn start_over(&mut self, budget: Option<u32>) -> Result {
        // SAFETY: `tcp_mstamp_refresh_inline()` sets the time that the socket's lock guards. What
        // follows takes it for the time of this event, which came from nowhere TCP knows of.
        unsafe { bindings::tcpc_tcp_mstamp_refresh(self.tcp()) };
        self.reroute()?;
        self.forget_measurements();
        self.refresh_patience();
        self.forget_congestion();
        if let Some(octets) = budget {
            // Anew: the route has another segment size, and some algorithms set a clamp of theirs.
            let segments = self.segments_of(octets);
            self.set_window_clamp(segments);
        }
        if self.resend_first() {
            if self.is_closed() {
                return Err(code::ENOENT);
            }
            self.refresh_patience();
        }
        self.open_initial_window();
        self.send_window();
        self.rearm();
        Ok(())
    }

    /// Stops the retransmission timer, and keeps what might start it again (a write, a close) from
    /// counting towards the connection's end before [`Locked::hold`] is called next.
    pub fn park(&mut self) {
        // SAFETY: The helper clears `icsk_pending` and stops the timer with `sk_stop_timer()`, as
        // the lock's holder may.
        unsafe { bindings::tcpc_tcp_stop_timer(self.as_ptr()) };
        self.hold();
    }

    /// Repeats what [`Locked::park`] did for the connection's patience. To be called more often
    /// than every `TCP_RTO_MAX` (120 s).
    pub fn hold(&mut self) {
        self.refresh_patience();
        // One below the maximum: orphans whose timeout reached it count as dead
        // (`tcp_probe_timer()`, net/ipv4/tcp_timer.c).
        // SAFETY: `tcp_rto_max()` reads a field of the socket.
        let rto = unsafe { bindings::tcpc_tcp_rto_max(self.as_ptr()) } - 1;
        // SAFETY: `self` holds the lock that guards it.
        unsafe { (*self.icsk()).icsk_rto = rto };
    }

    /// Gives a parked connection back to TCP: as [`Locked::restart_path`], and where that cannot
    /// send, with a timer that tries again.
    pub fn unpark(&mut self) {
        if self.restart_path().is_err() && !self.is_closed() {
            // SAFETY: `self` holds the lock that guards it.
            unsafe { (*self.icsk()).icsk_rto = time::jiffies(INITIAL_RTO) };
            self.rearm();
        }
    }

    /// Sends an acknowledgement now.
    pub fn send_ack(&mut self) {
        // SAFETY: As in `restart()`; the timestamp option shows it.
        unsafe { bindings::tcpc_tcp_mstamp_refresh(self.tcp()) };
        // SAFETY: `self` holds the lock that guards it.
        let rcv_nxt = unsafe { (*self.tcp()).rcv_nxt };
        // SAFETY: `__tcp_send_ack()` (net/ipv4/tcp_output.c) wants a locked socket, and bottom
        // halves off as in softirq; it does nothing for a closed one.
        unsafe { bindings::__tcp_send_ack(self.as_ptr(), rcv_nxt, 0) };
    }

    /// Routes, fills the flow that headers are made from, and fits the segment size to the path.
    fn reroute(&mut self) -> Result {
        let sk = self.as_ptr();
        // SAFETY: `self` holds the lock that guards it.
        let operations = unsafe { (*self.icsk()).icsk_af_ops };
        // SAFETY: Every TCP socket has its operations, which never go away.
        let operations = unsafe { &*operations };
        let rebuild = operations.rebuild_header.ok_or(code::EINVAL)?;
        // SAFETY: `inet_sk_rebuild_header()` (net/ipv4/af_inet.c) and its IPv6 counterpart want a
        // locked socket; TCP's retransmission timer calls them, so softirq will do.
        to_result(unsafe { rebuild(sk) })?;
        // SAFETY: The helper resets `sk_err_soft`: an error of the old path must not become the
        // reason of a later timeout (`tcp_write_err()`).
        unsafe { bindings::tcpc_sk_clear_soft_error(sk) };
        // SAFETY: The helper does as `tcp_mtup_init()` (net/ipv4/tcp_output.c) and then calls
        // `icsk_sync_mss()` with the route's MTU; the route was just set.
        unsafe { bindings::tcpc_tcp_sync_mss_to_route(sk) };
        Ok(())
    }

    /// Back to what is known of a path before its first round trip.
    fn forget_measurements(&mut self) {
        // SAFETY: `self` holds the lock that guards it.
        let tp = unsafe { &mut *self.tcp() };
        tp.srtt_us = 0;
        tp.mdev_us = 1_000_000;
        tp.rttvar_us = tp.mdev_us;
        tp.mdev_max_us = 0;
        tp.rtt_seq = tp.snd_nxt;
        // With no round trip time every segment in flight counts as lost, however lately it was
        // sent (`tcp_timeout_mark_lost()`, net/ipv4/tcp_input.c).
        tp.rack.rtt_us = 0;
        tp.rack.reo_wnd_steps = 1;
        tp.reord_seen = 0;
        tp.tlp_high_seq = 0;
        // Pacing of the old path must not delay the first segment on this one.
        tp.tcp_wstamp_ns = 0;
        // SAFETY: The helper resets `rtt_min` and bit fields of `tp`.
        unsafe { bindings::tcpc_tcp_forget_rtt(tp) };
        // SAFETY: `self` holds the lock that guards it.
        unsafe { (*self.icsk()).icsk_rto = time::jiffies(INITIAL_RTO) };
    }

    /// Nothing has failed yet: counters and stamps by which TCP gives a connection up.
    fn refresh_patience(&mut self) {
        // SAFETY: The helper clears `icsk_backoff`, `icsk_retransmits`, `icsk_probes_out`,
        // `icsk_probes_tstamp`, `sk_err_soft`, and sets `rcv_tstamp` to now, and, if anything is in
        // flight, `retrans_stamp`: all that `tcp_write_timeout()`, `tcp_probe_timer()` and
        // `tcp_keepalive_timer()` (net/ipv4/tcp_timer.c) look at; the lock guards them.
        unsafe { bindings::tcpc_tcp_refresh_patience(self.as_ptr()) };
    }

    /// Starts congestion control over, as `tcp_reinit_congestion_control()` does.
    fn forget_congestion(&mut self) {
        // SAFETY: The helper calls the algorithm's `release`, clears its private data, calls its
        // `init`: in the order and under the lock that `tcp_cong.c` does it.
        unsafe { bindings::tcpc_tcp_reinit_congestion(self.as_ptr()) };
    }

    /// Marks all that is in flight as lost and sends the first segment of it, or a window probe.
    /// `false` if nothing waits for an acknowledgement.
    fn resend_first(&mut self) -> bool {
        let sk = self.as_ptr();
        // SAFETY: `self` holds the lock that guards it.
        let in_flight = unsafe { (*self.tcp()).packets_out } != 0;
        // SAFETY: The helper looks at the head of the write queue and the peer's window.
        let blocked = unsafe { bindings::tcpc_tcp_send_head_is_blocked(sk) };
        let event = match (in_flight, blocked) {
            (true, _) => bindings::ICSK_TIME_RETRANS,
            (false, true) => bindings::ICSK_TIME_PROBE0,
            (false, false) => return false,
        };
        // SAFETY: The helper sets `icsk_pending` and lets the timer expire now: the handler goes
        // by both (`tcp_write_timer_handler()`, net/ipv4/tcp_timer.c).
        unsafe { bindings::tcpc_tcp_expire_timer(sk, event as u8) };
        self.run_deferred(bindings::tsq_enum_TCP_WRITE_TIMER_DEFERRED);
        true
    }

    /// What a new path may take (RFC 6928), and none of what the timer's handler thinks was a
    /// timeout: no undo to the old path's window, no F-RTO, which would send new data first.
    fn open_initial_window(&mut self) {
        // SAFETY: `self` holds the lock that guards it.
        let tp = unsafe { &mut *self.tcp() };
        tp.undo_marker = 0;
        tp.undo_retrans = 0;
        tp.prior_ssthresh = 0;
        tp.snd_ssthresh = INFINITE_SSTHRESH;
        tp.snd_cwnd_cnt = 0;
        tp.snd_cwnd_used = 0;
        // SAFETY: The helper clears `frto`, sets `snd_cwnd` as `tcp_init_cwnd()` would for the
        // route, `prior_cwnd` to the same, and `snd_cwnd_stamp` to now.
        unsafe { bindings::tcpc_tcp_set_initial_window(self.as_ptr()) };
        // SAFETY: `self` holds the lock that guards it.
        unsafe { (*self.icsk()).icsk_rto = time::jiffies(INITIAL_RTO) };
    }

    /// Sends what the window allows: first what is lost, then what is new.
    fn send_window(&mut self) {
        self.run_deferred(bindings::tsq_enum_TCP_TSQ_DEFERRED);
    }

    /// Sets the timer for what is in flight or still waits.
    fn rearm(&mut self) {
        // SAFETY: The helper is `tcp_reset_xmit_timer()` with the present timeout for what is in
        // flight, or as a window probe where data waits.
        unsafe { bindings::tcpc_tcp_rearm(self.as_ptr()) };
    }

    /// Has the socket do now what the flag says it put off.
    fn run_deferred(&mut self, flag: u32) {
        // SAFETY: Each flag newly set owns a reference of the socket, which `tcp_release_cb()`
        // drops; the helper does both.
        unsafe { bindings::tcpc_tcp_defer(self.as_ptr(), flag as i32) };
        // SAFETY: `tcp_release_cb()` runs with the socket locked and bottom halves off, as
        // `release_sock()` (net/core/sock.c) calls it.
        unsafe { bindings::tcpc_sk_release_cb(self.as_ptr()) };
    }
}
