// SPDX-License-Identifier: GPL-2.0

//! Segments that TCP itself would not make now: a header and nothing behind it.
//!
//! C header: [`include/net/tcp.h`](srctree/include/net/tcp.h)

use super::Locked;
use crate::bindings;
use crate::net::segment::ACK;
use core::ptr::NonNull;

/// Octets of the header without options.
const HEADER: usize = 20;
/// Octets of a header at most.
pub(super) const MOST: usize = 60;

impl Locked<'_> {
    /// Sends an acknowledgement of what was acknowledged long ago: SEG.SEQ is SND.UNA - 1. Any TCP
    /// answers it with one (RFC 9293, section 3.10.7.4), as `tcp_xmit_probe_skb()`
    /// (net/ipv4/tcp_output.c) has it. Whether it left.
    pub fn solicit_ack(&mut self) -> bool {
        // As `__tcp_send_ack()`, nothing for a connection that is over.
        self.is_movable()
            && self
                .solicitation()
                .and_then(|(header, len)| self.transmit(header.get(..len)?))
                .is_some()
    }

    /// Its header, and how long that is.
    fn solicitation(&self) -> Option<([u8; MOST], usize)> {
        let numbers = self.numbers();
        let timestamps = self.clock().zip(numbers.ts_recent).map(timestamps);
        let options = timestamps.as_ref().map_or(&[][..], |octets| octets);
        // SAFETY: `self` holds the lock that guards it.
        let scale = unsafe { (*self.tcp()).rx_opt.rcv_wscale() };
        let window = u16::try_from(numbers.rcv_wnd >> scale).unwrap_or(u16::MAX);
        self.header(
            [numbers.snd_una.wrapping_sub(1), numbers.rcv_nxt],
            ACK,
            window,
            &[options],
        )
    }

    /// A header with the connection's ports, and how long it is. `next` and `ack` are SEG.SEQ and
    /// SEG.ACK; the options' octets are a multiple of four together.
    pub(super) fn header(
        &self,
        [next, ack]: [u32; 2],
        flags: u8,
        window: u16,
        options: &[&[u8]],
    ) -> Option<([u8; MOST], usize)> {
        let tuple = self.tuple();
        let len = HEADER + options.iter().map(|part| part.len()).sum::<usize>();
        let fixed: [&[u8]; 7] = [
            &tuple.local_port.to_be_bytes(),
            &tuple.remote_port.to_be_bytes(),
            &next.to_be_bytes(),
            &ack.to_be_bytes(),
            &[u8::try_from(len / 4 * 16).ok()?, flags],
            &window.to_be_bytes(),
            // The checksum, which is put in when the addresses are known, and no urgent data.
            &[0; 4],
        ];
        let mut header = [0; MOST];
        let mut at = 0;
        for part in fixed.iter().chain(options) {
            header.get_mut(at..at + part.len())?.copy_from_slice(part);
            at += part.len();
        }
        Some((header, at))
    }

    /// Sends a segment that is a header, of [`MOST`] octets at most, and nothing else. How many octets
    /// with its IP header, if it left.
    pub(super) fn transmit(&mut self, header: &[u8]) -> Option<u32> {
        let len = header.len() as u32;
        // SAFETY: The helper copies the octets of `header`, no more than a TCP header has, for which
        // `MAX_TCP_HEADER` (include/net/tcp.h) has room, and reads the socket, whose lock is held; bottom halves are off.
        let skb = unsafe { bindings::tcpc_tcp_make_segment(self.as_ptr(), header.as_ptr(), len) };
        let skb = NonNull::new(skb)?;
        // SAFETY: `self` holds the lock that guards it.
        let operations = unsafe { (*self.icsk()).icsk_af_ops };
        // SAFETY: Every TCP socket has its operations, which never go away.
        let transmit = unsafe { (*operations).queue_xmit }?;
        // SAFETY: A member of the socket, whose lock is held.
        let flow = unsafe { &raw mut (*self.icsk()).icsk_inet.cork.fl };
        // SAFETY: `ip_queue_xmit()` (net/ipv4/ip_output.c) and `inet6_csk_xmit()` want a locked
        // socket, its flow, and a segment with the transport header at its data, which they take
        // over, as `__tcp_transmit_skb()` gives it to them.
        let sent = unsafe { transmit(self.as_ptr(), skb.as_ptr(), flow) };
        let network = if self.is_v6() { 40 } else { 20 };
        (sent >= 0).then_some(len + network)
    }
}

/// The option, padded as TCP's own segments have it (RFC 7323, appendix A): TSval, TSecr.
fn timestamps((value, echo): (u32, u32)) -> [u8; 12] {
    const NOP: u8 = 1;
    let [v0, v1, v2, v3] = value.to_be_bytes();
    let [e0, e1, e2, e3] = echo.to_be_bytes();
    [NOP, NOP, 8, 10, v0, v1, v2, v3, e0, e1, e2, e3]
}
