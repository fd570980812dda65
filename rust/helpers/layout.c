// SPDX-License-Identifier: GPL-2.0
/*
 * Where the C compiler has put what Rust reads by itself, to be compared with where bindgen thinks
 * it is. In the order of rust/net/layout.rs.
 */
#include <crypto/sha2.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/notifier.h>
#include <linux/skbuff.h>
#include <linux/sysctl.h>
#include <linux/tcp.h>
#include <linux/workqueue.h>
#include <net/if_inet6.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>

#include "layout.h"

const u32 tcpc_layout[TCPC_LAYOUT] = {
	sizeof(struct sk_buff),
	offsetof(struct sk_buff, len),
	offsetof(struct sk_buff, data),
	sizeof(struct inet_connection_sock),
	offsetof(struct inet_connection_sock, icsk_bind2_hash),
	offsetof(struct inet_connection_sock, icsk_rto),
	offsetof(struct inet_connection_sock, icsk_af_ops),
	offsetof(struct inet_connection_sock, icsk_user_timeout),
	offsetof(struct tcp_sock, max_window),
	offsetof(struct tcp_sock, tcp_wstamp_ns),
	offsetof(struct tcp_sock, rcv_nxt),
	offsetof(struct tcp_sock, snd_una),
	offsetof(struct tcp_sock, rx_opt.ts_recent),
	offsetof(struct tcp_sock, rack.rtt_us),
	offsetof(struct tcp_sock, undo_marker),
	offsetof(struct tcp_sock, snd_ssthresh),
	offsetof(struct inet_bind2_bucket, fastreuse),
	sizeof(struct inet_hashinfo),
	offsetof(struct inet_hashinfo, ehash_mask),
	sizeof(struct nf_hook_ops),
	sizeof(struct nf_hook_state),
	sizeof(struct ctl_table),
	sizeof(struct pernet_operations),
	sizeof(struct delayed_work),
	sizeof(struct notifier_block),
	offsetof(struct in_ifaddr, ifa_local),
	offsetof(struct inet6_ifaddr, addr),
	sizeof(struct hmac_sha256_ctx),
};
