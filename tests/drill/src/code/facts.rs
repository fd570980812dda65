// SPDX-License-Identifier: GPL-2.0

//! What the kernel says of a connection, by the names that code uses.

/// Octets and bits of a member of `struct tcp_info` (include/uapi/linux/tcp.h), in their order.
enum Member {
    /// An unsigned integer of that many octets, aligned to its size.
    Whole(&'static str, usize),
    /// Bit fields that share an integer of that many octets.
    Bits(usize, &'static [(&'static str, u32)]),
}

use Member::{Bits, Whole};

const TCP_INFO: &[Member] = &[
    Whole("tcpi_state", 1),
    Whole("tcpi_ca_state", 1),
    Whole("tcpi_retransmits", 1),
    Whole("tcpi_probes", 1),
    Whole("tcpi_backoff", 1),
    Whole("tcpi_options", 1),
    Bits(1, &[("tcpi_snd_wscale", 4), ("tcpi_rcv_wscale", 4)]),
    Bits(
        1,
        &[
            ("tcpi_delivery_rate_app_limited", 1),
            ("tcpi_fastopen_client_fail", 2),
        ],
    ),
    Whole("tcpi_rto", 4),
    Whole("tcpi_ato", 4),
    Whole("tcpi_snd_mss", 4),
    Whole("tcpi_rcv_mss", 4),
    Whole("tcpi_unacked", 4),
    Whole("tcpi_sacked", 4),
    Whole("tcpi_lost", 4),
    Whole("tcpi_retrans", 4),
    Whole("tcpi_fackets", 4),
    Whole("tcpi_last_data_sent", 4),
    Whole("tcpi_last_ack_sent", 4),
    Whole("tcpi_last_data_recv", 4),
    Whole("tcpi_last_ack_recv", 4),
    Whole("tcpi_pmtu", 4),
    Whole("tcpi_rcv_ssthresh", 4),
    Whole("tcpi_rtt", 4),
    Whole("tcpi_rttvar", 4),
    Whole("tcpi_snd_ssthresh", 4),
    Whole("tcpi_snd_cwnd", 4),
    Whole("tcpi_advmss", 4),
    Whole("tcpi_reordering", 4),
    Whole("tcpi_rcv_rtt", 4),
    Whole("tcpi_rcv_space", 4),
    Whole("tcpi_total_retrans", 4),
    Whole("tcpi_pacing_rate", 8),
    Whole("tcpi_max_pacing_rate", 8),
    Whole("tcpi_bytes_acked", 8),
    Whole("tcpi_bytes_received", 8),
    Whole("tcpi_segs_out", 4),
    Whole("tcpi_segs_in", 4),
    Whole("tcpi_notsent_bytes", 4),
    Whole("tcpi_min_rtt", 4),
    Whole("tcpi_data_segs_in", 4),
    Whole("tcpi_data_segs_out", 4),
    Whole("tcpi_delivery_rate", 8),
    Whole("tcpi_busy_time", 8),
    Whole("tcpi_rwnd_limited", 8),
    Whole("tcpi_sndbuf_limited", 8),
    Whole("tcpi_delivered", 4),
    Whole("tcpi_delivered_ce", 4),
    Whole("tcpi_bytes_sent", 8),
    Whole("tcpi_bytes_retrans", 8),
    Whole("tcpi_dsack_dups", 4),
    Whole("tcpi_reord_seen", 4),
    Whole("tcpi_rcv_ooopack", 4),
    Whole("tcpi_snd_wnd", 4),
    Whole("tcpi_rcv_wnd", 4),
    Whole("tcpi_rehash", 4),
    Whole("tcpi_total_rto", 2),
    Whole("tcpi_total_rto_recoveries", 2),
    Whole("tcpi_total_rto_time", 4),
    Whole("tcpi_received_ce", 4),
    Whole("tcpi_delivered_e1_bytes", 4),
    Whole("tcpi_delivered_e0_bytes", 4),
    Whole("tcpi_delivered_ce_bytes", 4),
    Whole("tcpi_received_e1_bytes", 4),
    Whole("tcpi_received_e0_bytes", 4),
    Whole("tcpi_received_ce_bytes", 4),
    Bits(
        4,
        &[
            ("tcpi_ecn_mode", 2),
            ("tcpi_accecn_opt_seen", 2),
            ("tcpi_accecn_fail_mode", 4),
            ("tcpi_options2", 24),
        ],
    ),
];

/// The indices of `SO_MEMINFO`'s array (include/uapi/linux/sock_diag.h).
const MEMORY: [&str; 9] = [
    "SK_MEMINFO_RMEM_ALLOC",
    "SK_MEMINFO_RCVBUF",
    "SK_MEMINFO_WMEM_ALLOC",
    "SK_MEMINFO_SNDBUF",
    "SK_MEMINFO_FWD_ALLOC",
    "SK_MEMINFO_WMEM_QUEUED",
    "SK_MEMINFO_OPTMEM",
    "SK_MEMINFO_BACKLOG",
    "SK_MEMINFO_DROPS",
];

/// The facts in the octets of a `struct tcp_info`; an older kernel's is shorter, and has fewer.
pub fn tcp_facts(octets: &[u8]) -> Vec<(&'static str, i64)> {
    let mut facts = Vec::new();
    let mut at = 0_usize;
    for member in TCP_INFO {
        let size = match member {
            Whole(_, size) | Bits(size, _) => *size,
        };
        at = at.next_multiple_of(size);
        let Some(value) = octets.get(at..at + size).map(unsigned) else {
            break;
        };
        at += size;
        match member {
            Whole(name, _) => facts.push((*name, value as i64)),
            Bits(_, fields) => {
                let mut rest = value;
                for (name, bits) in *fields {
                    facts.push((*name, (rest & ((1 << bits) - 1)) as i64));
                    rest >>= bits;
                }
            }
        }
    }
    facts
}

/// The facts in the octets of `SO_MEMINFO`.
pub fn memory_facts(octets: &[u8]) -> Vec<(&'static str, i64)> {
    MEMORY
        .into_iter()
        .zip(octets.chunks_exact(4))
        .map(|(name, value)| (name, unsigned(value) as i64))
        .collect()
}

fn unsigned(octets: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[..octets.len()].copy_from_slice(octets);
    u64::from_le_bytes(whole)
}
