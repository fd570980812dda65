// SPDX-License-Identifier: GPL-2.0

//! Socket buffers as a netfilter hook sees them.
//!
//! A hook owns the buffer it is given for the time of its call and must say what becomes of it.
//! [`SkBuff`] is that ownership: each way to say it takes the `SkBuff` by value and gives the
//! [`Verdict`], so a buffer cannot be used after it was consumed, nor consumed twice.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)

use crate::bindings;
use crate::net::netfilter::HookState;
use crate::net::segment::Family;
use crate::net::sock::{
    SockId,
    TcpSock, //
};
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::types::NotThreadSafe;

/// What a hook decided, made only by the methods of [`SkBuff`] that give the buffer up.
#[must_use]
pub struct Verdict(pub(super) u32);

/// A socket buffer in the hands of a netfilter hook.
///
/// # Invariants
///
/// `ptr` is a valid `struct sk_buff` that is not shared (`ip_rcv_core()` does `skb_share_check()`,
/// and an outgoing segment has just been made), whose `data` is at its network header, and that
/// nobody else uses until the hook has returned its verdict.
pub struct SkBuff<'a> {
    pub(super) ptr: NonNull<bindings::sk_buff>,
    _hook: PhantomData<&'a mut bindings::sk_buff>,
    _not_send: NotThreadSafe,
}

/// Who opens the connection that an outgoing SYN or SYN/ACK is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// This host. The segment is a SYN.
    Here {
        /// The connection's socket.
        sock: SockId,
        /// Whether it was sent before.
        retransmission: bool,
    },
    /// The peer, whose SYN a request socket stands for. The segment is a SYN/ACK.
    Request {
        /// How often it was sent again, before this time. The first retransmission is counted
        /// after it was sent, so for that it is still zero.
        retransmitted: u8,
    },
    /// The peer, with data in its SYN (RFC 7413): there is a socket already. The segment is the
    /// first SYN/ACK; further ones are those of a [`Opener::Request`].
    FastOpen {
        /// The connection's socket.
        sock: SockId,
    },
    /// Both at once (RFC 9293, section 3.5). The segment is a SYN/ACK.
    Both,
    /// Nothing here remembers the connection: the segment is a SYN/ACK with a cookie (RFC 4987,
    /// section 3.6), or no handshake's at all.
    Nobody,
}

impl SkBuff<'_> {
    /// Wraps the buffer given to a hook.
    ///
    /// # Safety
    ///
    /// `ptr` must fulfil the invariants of [`SkBuff`] until the hook returns.
    pub(super) unsafe fn from_raw(ptr: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: What they ask is what the caller promises.
        Self {
            ptr,
            _hook: PhantomData,
            _not_send: NotThreadSafe,
        }
    }

    /// Lets the stack go on with the buffer.
    pub fn accept(self) -> Verdict {
        Verdict(bindings::NF_ACCEPT)
    }

    /// Frees the buffer quietly: it was for us alone, or must not be seen by anybody.
    ///
    /// `nf_hook_slow()` reports a stolen buffer as success, so a sender does not see an error.
    pub fn consume(self) -> Verdict {
        // SAFETY: `consume_skb()` (net/core/skbuff.c) drops the reference of its caller, which is
        // the hook's, given up here; `NF_STOLEN` tells `nf_hook_slow()` not to touch it again.
        unsafe { bindings::consume_skb(self.ptr.as_ptr()) };
        Verdict(bindings::NF_STOLEN)
    }

    /// Frees the buffer and tells its sender, as a firewall does: `nf_hook_slow()` makes it `EPERM`. TCP
    /// keeps what it holds for a segment of its queue, and takes nothing for sent
    /// (`tcp_retransmit_skb()`, `tcp_write_xmit()`, net/ipv4/tcp_output.c).
    pub fn refuse(self) -> Verdict {
        Verdict(bindings::NF_DROP)
    }

    /// Hands the buffer to the transport at once and returns when that is done with it.
    ///
    /// The rest of the hook's chain is not run. So whoever calls it comes late in the chain, and
    /// can act on what the segment changed in the socket, within the same call.
    ///
    /// # Context
    ///
    /// `LOCAL_IN` only, no socket lock held.
    pub fn deliver(self, state: &HookState<'_>) -> Verdict {
        // The one thing in the rest of the chain that others count on: what conntrack made of the
        // segment stays, and what is sent back belongs to it.
        // SAFETY: `nf_conntrack_confirm()` is called from this hook, too, for a buffer of the
        // hook's own, under the RCU read lock.
        match unsafe { bindings::tcpc_skb_confirm_conntrack(self.ptr.as_ptr()) } as u32 {
            bindings::NF_ACCEPT => {
                state.finish(self.ptr);
                Verdict(bindings::NF_STOLEN)
            }
            bindings::NF_STOLEN => Verdict(bindings::NF_STOLEN),
            _ => self.consume(),
        }
    }

    /// Frees the buffer, as [`SkBuff::consume`], and keeps what conntrack made of the segment: what
    /// is sent back belongs to it.
    ///
    /// # Context
    ///
    /// `LOCAL_IN` only, late in the chain.
    pub fn confirm_and_consume(self) -> Verdict {
        // SAFETY: As in `deliver()`.
        let verdict = unsafe { bindings::tcpc_skb_confirm_conntrack(self.ptr.as_ptr()) } as u32;
        if verdict == bindings::NF_STOLEN {
            return Verdict(verdict);
        }
        self.consume()
    }

    /// Gives the segment to `sock`, whatever its addresses say, and lets the stack go on.
    ///
    /// `inet_steal_sock()` takes the socket of a buffer before it looks any up, and `tcp_v4_rcv()`
    /// does not compare addresses after that.
    ///
    /// # Context
    ///
    /// `LOCAL_IN` only.
    pub fn steer(self, sock: TcpSock) -> Verdict {
        let skb = self.ptr.as_ptr();
        // SAFETY: `skb_orphan()` (include/linux/skbuff.h) needs a buffer nobody else uses, which
        // is the type's invariant.
        unsafe { bindings::tcpc_skb_orphan(skb) };
        // The reference becomes the buffer's; `sock_edemux()` drops it.
        let sk = sock.into_raw();
        // SAFETY: As above. `sock_edemux()` (net/ipv4/inet_hashtables.c), which the helper sets,
        // is the destructor of buffers that own a reference of their socket, as
        // `tcp_v4_early_demux()` makes them.
        unsafe { bindings::tcpc_skb_set_sk(skb, sk.as_ptr()) };
        Verdict(bindings::NF_ACCEPT)
    }

    /// Octets from the network header to the end.
    pub fn octets(&self) -> usize {
        // SAFETY: The type's invariant: valid and ours.
        unsafe { (*self.ptr.as_ptr()).len as usize }
    }

    /// Whether the buffer stands for several segments, still to be cut.
    pub fn is_gso(&self) -> bool {
        // SAFETY: `skb_is_gso()` reads `skb_shinfo()`, valid by the type's invariant.
        unsafe { bindings::tcpc_skb_is_gso(self.ptr.as_ptr()) }
    }

    /// How many segments the buffer stands for, at least one.
    pub fn segments(&self) -> usize {
        // SAFETY: The helper reads `skb_shinfo()`, valid by the type's invariant.
        usize::from(unsafe { bindings::tcpc_skb_gso_segs(self.ptr.as_ptr()) }).max(1)
    }

    /// Whether the segment comes from this very host: it was received by a loopback device.
    pub fn is_looped(&self) -> bool {
        // SAFETY: At `LOCAL_IN` `skb->dev` is the receiving device, alive under the RCU read lock
        // in which hooks run (`nf_hook()`).
        unsafe { bindings::tcpc_skb_dev_is_loopback(self.ptr.as_ptr()) }
    }

    /// The receiving interface for socket look-ups and the port below it when that is a VRF
    /// device: `dif` and `sdif` of `inet_sk_bound_dev_eq()`.
    pub fn interfaces(&self, family: Family) -> (i32, i32) {
        let skb = self.ptr.as_ptr();
        let (mut dif, mut sdif) = (0, 0);
        match family {
            // SAFETY: `inet_iif()` and `inet_sdif()` read `IPCB(skb)`, filled since `ip_rcv()`.
            Family::V4 => unsafe { bindings::tcpc_inet_interfaces(skb, &mut dif, &mut sdif) },
            // SAFETY: `inet6_iif()` and `inet6_sdif()` read `IP6CB(skb)`, filled since `ipv6_rcv()`.
            Family::V6 => unsafe { bindings::tcpc_inet6_interfaces(skb, &mut dif, &mut sdif) },
        }
        (dif, sdif)
    }

    /// The identity of the full TCP socket that sends this segment, `None` for segments that
    /// come from no connection (replies of the control socket, request and time-wait sockets).
    ///
    /// # Context
    ///
    /// `LOCAL_OUT`.
    pub fn sender(&self) -> Option<SockId> {
        // SAFETY: `tcpc_skb_full_sk()` reads `skb->sk`, which the buffer keeps alive.
        let sk = unsafe { bindings::tcpc_skb_full_sk(self.ptr.as_ptr()) };
        NonNull::new(sk).map(SockId::new)
    }

    /// Who opens the connection that a SYN or SYN/ACK is of.
    ///
    /// Of a segment without SYN it tells nothing of use.
    ///
    /// # Context
    ///
    /// `LOCAL_OUT`. The socket may be locked by the caller or not.
    pub fn opener(&self) -> Opener {
        let skb = self.ptr.as_ptr();
        // SAFETY: The helper reads `skb->sk`, which the buffer keeps alive, as far as its kind
        // allows.
        let state = unsafe { bindings::tcpc_skb_sk_state(skb) };
        match (u32::from(state), self.sender()) {
            (bindings::TCP_SYN_SENT, Some(sock)) => Opener::Here {
                sock,
                // SAFETY: A full TCP socket. `__tcp_retransmit_skb()` (net/ipv4/tcp_output.c)
                // counts before it sends.
                retransmission: unsafe { bindings::tcpc_skb_total_retrans(skb) } != 0,
            },
            (bindings::TCP_SYN_RECV, Some(sock)) => {
                // SAFETY: A full TCP socket.
                if unsafe { bindings::tcpc_skb_is_fastopen(skb) } {
                    Opener::FastOpen { sock }
                } else {
                    Opener::Both
                }
            }
            (bindings::TCP_NEW_SYN_RECV, _) => Opener::Request {
                // SAFETY: The state says that it is a request socket.
                retransmitted: unsafe { bindings::tcpc_skb_num_retrans(skb) },
            },
            _ => Opener::Nobody,
        }
    }

    /// The octets that lie in the buffer's linear part, from the network header on.
    pub fn linear(&self) -> &[u8] {
        let skb = self.ptr.as_ptr();
        // SAFETY: The type's invariant: valid and ours.
        let data = unsafe { (*skb).data };
        // SAFETY: `skb_headlen()` only subtracts two fields of `skb`.
        let len = unsafe { bindings::tcpc_skb_headlen(skb) } as usize;
        // SAFETY: `skb_headlen()` octets from `skb->data` are linear (include/linux/skbuff.h).
        // Nobody writes them while `self` is borrowed, since whatever does takes `&mut self`.
        unsafe { core::slice::from_raw_parts(data, len) }
    }

    /// Makes the first `len` octets linear. `false` if there are not as many, or no memory.
    pub fn pull(&mut self, len: usize) -> bool {
        let Ok(len) = u32::try_from(len) else {
            return false;
        };
        // SAFETY: `pskb_may_pull()` may move the head of the buffer; `&mut self` proves that no
        // slice of it is borrowed.
        unsafe { bindings::tcpc_pskb_may_pull(self.ptr.as_ptr(), len) }
    }

    /// The offset of the TCP header of an IPv6 segment, and whether it is in the first of several
    /// fragments; `None` for other fragments and other protocols.
    pub(super) fn skip_extension_headers(&self, next: u8, start: usize) -> Option<(usize, bool)> {
        // Of a fragment header's offset, flags and reserved bits: what `ipv6_frag_rcv()`
        // (net/ipv6/reassembly.c) goes by (`IP6_OFFSET | IP6_MF`).
        const OFFSET: u16 = 0xfff8;
        const MORE: u16 = 1;
        let mut next = next;
        let mut fragment: u16 = 0;
        let start = i32::try_from(start).ok()?;
        // SAFETY: `ipv6_skip_exthdr()` (net/ipv6/exthdrs_core.c) copies what it reads; the two
        // references are valid for its writes.
        let offset = unsafe {
            bindings::ipv6_skip_exthdr(self.ptr.as_ptr(), start, &mut next, &mut fragment)
        };
        let fragment = u16::from_be(fragment);
        if fragment & OFFSET != 0 || u32::from(next) != bindings::IPPROTO_TCP {
            return None;
        }
        Some((usize::try_from(offset).ok()?, fragment & MORE != 0))
    }

    /// Whether the segment's checksum is right; `offset` is that of its TCP header.
    ///
    /// # Context
    ///
    /// `PRE_ROUTING` and `LOCAL_IN`, between which `nf_checksum()` makes no difference.
    pub fn checksum_is_right(&mut self, family: Family, offset: usize) -> bool {
        let skb = self.ptr.as_ptr();
        let hook = bindings::nf_inet_hooks_NF_INET_LOCAL_IN;
        let protocol = bindings::IPPROTO_TCP as u8;
        let Ok(offset) = u32::try_from(offset) else {
            return false;
        };
        let sum = match family {
            // SAFETY: `nf_ip_checksum()` (net/netfilter/utils.c) wants `data` at the IPv4 header,
            // as it is at this hook, and the header linear, as IPv4 made it.
            Family::V4 => unsafe { bindings::nf_ip_checksum(skb, hook, offset, protocol) },
            // SAFETY: As above for `nf_ip6_checksum()` and IPv6.
            Family::V6 => unsafe { bindings::nf_ip6_checksum(skb, hook, offset, protocol) },
        };
        sum == 0
    }
}
