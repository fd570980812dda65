// SPDX-License-Identifier: GPL-2.0

//! A SYN and a SYN/ACK of a connection that is open already.
//!
//! For firewalls and NATs that track windows and let nothing through of a connection whose SYN they
//! have not seen: what they see has the options that TCP negotiated, and numbers from which
//! everything that TCP itself sends after it lies in the window. The peer's TCP must not see it.
//!
//! C header: [`include/net/tcp.h`](srctree/include/net/tcp.h)

use super::{
    handmade::MOST,
    Locked,
    Numbers,
    OptionOctets, //
};
use crate::bindings;
use crate::net::segment::{
    ACK,
    SYN, //
};

/// Octets of MSS, SACK-permitted and window scale, padded (RFC 9293, RFC 2018, RFC 7323).
const USUAL: usize = 12;

/// What the options of a SYN say of a connection.
struct Negotiated {
    mss: u16,
    sack: bool,
    /// How far its windows are shifted, if windows are at all.
    scale: Option<u8>,
}

impl Locked<'_> {
    /// Sends a SYN, or, to answer one, a SYN/ACK, with what was negotiated when the connection was
    /// opened, and `option`. How many octets with its IP header, if it left. `answered` is the
    /// number that acknowledges the SYN, and what its sender expects next.
    ///
    /// Who tracks windows takes for invalid what is acknowledged before it was seen, and, without
    /// scaled windows, does not learn from what acknowledges something far below. So a SYN stands
    /// before the next number to be sent, beyond which the peer has nothing, and says in the
    /// meaningless field what is expected next; a SYN/ACK stands before that.
    ///
    /// There are no timestamps: no room. `option` is at most 28 octets.
    pub fn send_opening(
        &mut self,
        answered: Option<(u32, u32)>,
        option: &OptionOctets,
    ) -> Option<u32> {
        let (header, len) = self.opening(answered, option.as_slice())?;
        self.transmit(header.get(..len)?)
    }

    /// Its header, and how long that is.
    fn opening(&self, answered: Option<(u32, u32)>, option: &[u8]) -> Option<([u8; MOST], usize)> {
        let numbers = self.numbers();
        let (flags, next, ack) = match answered {
            None => (SYN, numbers.snd_nxt, numbers.rcv_nxt),
            Some((ack, expected)) => (SYN | ACK, numbers.sent(expected), ack),
        };
        // It is never scaled (RFC 7323, section 2.2).
        let window = u16::try_from(numbers.rcv_wnd).unwrap_or(u16::MAX);
        let options: [&[u8]; 2] = [&self.negotiated().octets(), option];
        self.header([next.wrapping_sub(1), ack], flags, window, &options)
    }

    /// What was said when the connection was opened, with the segment size of the route.
    fn negotiated(&self) -> Negotiated {
        // SAFETY: The helper reads the socket's route and a member; the lock is held.
        let mss = unsafe { bindings::tcpc_tcp_route_advmss(self.as_ptr()) };
        // SAFETY: `self` holds the lock that guards it.
        let options = unsafe { &(*self.tcp()).rx_opt };
        Negotiated {
            mss: u16::try_from(mss).unwrap_or(u16::MAX),
            sack: options.sack_ok() != 0,
            scale: (options.wscale_ok() != 0).then(|| options.rcv_wscale() as u8),
        }
    }
}

impl Numbers {
    /// What the peer expects, if that can be; else the next to be sent.
    fn sent(&self, expected: u32) -> u32 {
        let outstanding = self.snd_nxt.wrapping_sub(self.snd_una);
        if expected.wrapping_sub(self.snd_una) <= outstanding {
            expected
        } else {
            self.snd_nxt
        }
    }
}

impl Negotiated {
    /// As in a SYN.
    fn octets(&self) -> [u8; USUAL] {
        const NOP: u8 = 1;
        let [high, low] = self.mss.to_be_bytes();
        let [sack, two] = if self.sack { [4, 2] } else { [NOP; 2] };
        let [kind, three, scale] = self.scale.map_or([NOP; 3], |scale| [3, 3, scale]);
        [
            2, 4, high, low, NOP, NOP, sack, two, NOP, kind, three, scale,
        ]
    }
}
