// SPDX-License-Identifier: GPL-2.0

//! Whether bindgen and the C compiler agree on the structures that Rust reads by itself.
//!
//! bindgen goes by libclang, the kernel may be built by gcc, and neither knows of the other's
//! options. A disagreement would be found as corrupted memory, so it is looked for at load. (That
//! Rust agrees with libclang is asserted in the bindings themselves, when the module is built.)

use crate::bindings;
use core::mem::{
    offset_of,
    size_of, //
};
use kernel::error::{
    code,
    Result, //
};
use kernel::prelude::*;

/// As bindgen has it, in the order of rust/helpers/layout.c.
const LAYOUT: [usize; bindings::TCPC_LAYOUT as usize] = [
    size_of::<bindings::sk_buff>(),
    offset_of!(bindings::sk_buff, len),
    offset_of!(bindings::sk_buff, data),
    size_of::<bindings::inet_connection_sock>(),
    offset_of!(bindings::inet_connection_sock, icsk_bind2_hash),
    offset_of!(bindings::inet_connection_sock, icsk_rto),
    offset_of!(bindings::inet_connection_sock, icsk_af_ops),
    offset_of!(bindings::inet_connection_sock, icsk_user_timeout),
    offset_of!(bindings::tcp_sock, max_window),
    offset_of!(bindings::tcp_sock, tcp_wstamp_ns),
    offset_of!(bindings::tcp_sock, rcv_nxt),
    offset_of!(bindings::tcp_sock, snd_una),
    offset_of!(bindings::tcp_sock, rx_opt.ts_recent),
    offset_of!(bindings::tcp_sock, rack.rtt_us),
    offset_of!(bindings::tcp_sock, undo_marker),
    offset_of!(bindings::tcp_sock, snd_ssthresh),
    offset_of!(bindings::inet_bind2_bucket, fastreuse),
    size_of::<bindings::inet_hashinfo>(),
    offset_of!(bindings::inet_hashinfo, ehash_mask),
    size_of::<bindings::nf_hook_ops>(),
    size_of::<bindings::nf_hook_state>(),
    size_of::<bindings::ctl_table>(),
    size_of::<bindings::pernet_operations>(),
    size_of::<bindings::delayed_work>(),
    size_of::<bindings::notifier_block>(),
    offset_of!(bindings::in_ifaddr, ifa_local),
    offset_of!(bindings::inet6_ifaddr, addr),
    size_of::<bindings::hmac_sha256_ctx>(),
];

/// Refuses to go on where the two disagree.
///
/// # Errors
///
/// `EINVAL`, with one line that says where.
pub fn check() -> Result {
    // SAFETY: A constant array of the helpers, of this length.
    let compiled = unsafe { bindings::tcpc_layout };
    for (index, (ours, theirs)) in LAYOUT.into_iter().zip(compiled).enumerate() {
        if ours != theirs as usize {
            pr_err!(
                "layout {} is {} to bindgen and {} to the compiler: not loaded\n",
                index,
                ours,
                theirs
            );
            return Err(code::EINVAL);
        }
    }
    Ok(())
}
