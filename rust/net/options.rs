// SPDX-License-Identifier: GPL-2.0

//! Changing the TCP options of segments on their way out.
//!
//! TCP has filled and sized the segment; at `LOCAL_OUT` its headers move up into the headroom, and
//! lengths and checksums follow. Only segments whose size nothing depends on are changed: those
//! without payload, and handshakes.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)

use crate::bindings;
use crate::net::segment::{
    Family,
    Segment,
    SYN, //
};
use crate::net::skb::SkBuff;
use kernel::error::{
    code,
    Result, //
};

/// Octets a TCP header has for options.
const MAX_OPTIONS: usize = 40;

impl SkBuff<'_> {
    /// Puts `options` in the place of all TCP options of an outgoing segment without payload.
    ///
    /// The headers move up into the headroom, lengths and checksums follow. `options` is padded
    /// to a multiple of four octets by the caller and at most 40 long.
    ///
    /// # Context
    ///
    /// `LOCAL_OUT`.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the segment has payload, IP options or extension headers, or is not one that local
    /// TCP made; `ENOMEM`; the segment is then as it was.
    pub fn replace_options(&mut self, segment: &Segment, options: &[u8]) -> Result {
        if segment.payload != 0 {
            return Err(code::EINVAL);
        }
        self.rewrite_options(segment, options)
    }

    /// Adds `option` to the TCP options of an outgoing segment without payload, or of a SYN with
    /// any (RFC 7413). It is padded to a multiple of four octets by the caller.
    ///
    /// What `segment` says of options is not true any more after that. Whether the segment has
    /// such an option already is the caller's to look for: inside of a VRF a segment comes to
    /// `LOCAL_OUT` twice.
    ///
    /// # Context
    ///
    /// `LOCAL_OUT`.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are not as many octets left for options; `EINVAL` if the segment is not
    /// one that local TCP made, has payload, IP options or extension headers, or has options that
    /// cannot be added to; `ENOMEM`. The segment is then as it was.
    pub fn append_option(&mut self, segment: &Segment, option: &[u8]) -> Result {
        let given = segment.options();
        if (segment.payload != 0 && !segment.has(SYN)) || !is_open_ended(given) {
            return Err(code::EINVAL);
        }
        let mut all = [0; MAX_OPTIONS];
        let len = given.len() + option.len();
        let all = all.get_mut(..len).ok_or(code::ENOSPC)?;
        let (before, behind) = all.split_at_mut(given.len());
        before.copy_from_slice(given);
        behind.copy_from_slice(option);
        self.rewrite_options(segment, all)
    }

    /// Puts `options` in the place of all TCP options of an outgoing segment.
    ///
    /// Nothing behind the headers is touched: a SYN in flight shares it with the one in the queue
    /// for retransmission.
    fn rewrite_options(&mut self, segment: &Segment, options: &[u8]) -> Result {
        let skb = self.ptr.as_ptr();
        let headers = segment.offset + 20;
        let old = headers + segment.options().len();
        let new = headers + options.len();
        let fits = options.len() <= MAX_OPTIONS && options.len() % 4 == 0;
        // With a source route the destination that the checksum is over is not the one in the header.
        let routed = match segment.family() {
            Family::V4 => segment.offset != 20,
            Family::V6 => segment.offset != 40,
        };
        if !fits || routed || self.is_gso() || self.octets() != old + segment.payload {
            return Err(code::EINVAL);
        }
        // SAFETY: `tcpc_skb_is_partial()` only reads `ip_summed`, `csum_offset`.
        if !unsafe { bindings::tcpc_skb_is_partial(skb) } {
            return Err(code::EINVAL);
        }
        let total = new + segment.payload;
        let mut place = [0u8; 128];
        if headers > place.len() || u16::try_from(total).is_err() {
            return Err(code::EINVAL);
        }
        if !self.pull(old) {
            return Err(code::ENOMEM);
        }
        // SAFETY: `skb_cow_head()` makes headroom and unshares the head; `&mut self` proves that
        // no slice of it is borrowed.
        if unsafe { bindings::tcpc_skb_cow_head(skb, MAX_OPTIONS as u32) } != 0 {
            return Err(code::ENOMEM);
        }
        let (Some(saved), Some(from)) = (place.get_mut(..headers), self.linear().get(..headers))
        else {
            return Err(code::EINVAL);
        };
        saved.copy_from_slice(from);
        if let Some(octet) = saved.get_mut(segment.offset + 12) {
            *octet = (((20 + options.len()) / 4) as u8) << 4 | (*octet & 0x0f);
        }
        let (length, at) = match segment.family() {
            Family::V4 => (total, 2),
            Family::V6 => (total - 40, 4),
        };
        if let Some(field) = saved.get_mut(at..at + 2) {
            field.copy_from_slice(&(length as u16).to_be_bytes());
        }

        // SAFETY: `skb_pull()` of at most `skb_headlen()`: all `old` octets are linear (above).
        unsafe { bindings::tcpc_skb_pull(skb, old as u32) };
        // SAFETY: `skb_push()` of at most the headroom: the `old` octets just pulled, and the 40
        // that `skb_cow_head()` gave; `new` is at most 40 more than `old`.
        let data = unsafe { bindings::tcpc_skb_push(skb, new as u32) };
        // SAFETY: `skb_push()` returned `new` writable octets (the head is unshared), and
        // `saved` is `headers` of them, on the stack.
        unsafe { core::ptr::copy_nonoverlapping(saved.as_ptr(), data.cast(), headers) };
        let behind = data.cast::<u8>().wrapping_add(headers);
        // SAFETY: As above, the rest of the `new` octets.
        unsafe { core::ptr::copy_nonoverlapping(options.as_ptr(), behind, options.len()) };
        // SAFETY: The headers lie at `data` and `segment.offset` behind it, as the two calls say.
        unsafe { bindings::tcpc_skb_set_headers(skb, segment.offset as u32) };
        match segment.family() {
            // SAFETY: The headers are in place; the helper is `ip_send_check()` and
            // `__tcp_v4_send_check()` over them.
            Family::V4 => unsafe { bindings::tcpc_skb_v4_send_check(skb) },
            // SAFETY: As above, `__tcp_v6_send_check()`.
            Family::V6 => unsafe { bindings::tcpc_skb_v6_send_check(skb) },
        }
        Ok(())
    }
}

/// Whether an option put behind `options` would be read: they are well formed, and no end of the
/// list is among them (RFC 9293, section 3.1).
fn is_open_ended(options: &[u8]) -> bool {
    const END: u8 = 0;
    const NOP: u8 = 1;
    let mut rest = options;
    while let Some((&kind, behind)) = rest.split_first() {
        let len = match (kind, behind.first()) {
            (END, _) => return false,
            (NOP, _) => 1,
            (_, Some(&len)) if len >= 2 => usize::from(len),
            _ => return false,
        };
        match rest.get(len..) {
            Some(next) => rest = next,
            None => return false,
        }
    }
    true
}
