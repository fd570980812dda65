// SPDX-License-Identifier: GPL-2.0
/*
 * Static inlines, macros and bit fields for rust/net/sock/{resume,view}.rs: TCP's own state.
 * All want the socket locked, and bottom halves off.
 */
#include <net/tcp.h>

#include "tcp.h"

/* tcp_init_cwnd(), net/ipv4/tcp_input.c, and no more than the clamp. */
static u32 tcpc_tcp_initial_window(const struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);
	u32 cwnd = dst ? dst_metric(dst, RTAX_INITCWND) : 0;

	return min(cwnd ?: TCP_INIT_CWND, tcp_sk(sk)->snd_cwnd_clamp);
}

u32 tcpc_tcp_base_rto_us(const struct tcp_sock *tp)
{
	return tp->srtt_us ? (tp->srtt_us >> 3) + tp->rttvar_us : USEC_PER_SEC;
}

/* As tcp_established_options(), net/ipv4/tcp_output.c, for a segment sent now. */
u32 tcpc_tcp_clock(const struct tcp_sock *tp)
{
	return tcp_clock_ts(tp->tcp_usec_ts) + tp->tsoffset;
}

void tcpc_tcp_defer(struct sock *sk, int bit)
{
	if (!test_and_set_bit(bit, &sk->sk_tsq_flags))
		sock_hold(sk);
}

void tcpc_tcp_expire_timer(struct sock *sk, u8 event)
{
	smp_store_release(&inet_csk(sk)->icsk_pending, event);
	sk_reset_timer(sk, &sk->tcp_retransmit_timer, jiffies);
}

void tcpc_tcp_forget_rtt(struct tcp_sock *tp)
{
	minmax_reset(&tp->rtt_min, tcp_jiffies32, ~0U);
	tp->rack.reo_wnd_persist = 0;
	tp->rack.dsack_seen = 0;
	tp->tlp_retrans = 0;
	WRITE_ONCE(tp->reordering, READ_ONCE(sock_net((struct sock *)tp)->ipv4.sysctl_tcp_reordering));
}

bool tcpc_tcp_has_timestamps(const struct tcp_sock *tp)
{
	return tp->rx_opt.tstamp_ok && tp->rx_opt.ts_recent_stamp;
}

bool tcpc_tcp_has_unacknowledged(const struct sock *sk)
{
	return !tcp_rtx_and_write_queues_empty(sk);
}

void tcpc_tcp_mstamp_refresh(struct tcp_sock *tp)
{
	tcp_mstamp_refresh_inline(tp);
}

/* A window that was smaller for other reasons than congestion. */
void tcpc_tcp_raise_to_initial_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_snd_cwnd_set(tp, max(tcp_snd_cwnd(tp), tcpc_tcp_initial_window(sk)));
}

void tcpc_tcp_rearm(struct sock *sk)
{
	if (tcp_sk(sk)->packets_out)
		tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, inet_csk(sk)->icsk_rto, false);
	else if (tcp_send_head(sk))
		tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, inet_csk(sk)->icsk_rto, false);
}

u32 tcpc_tcp_receive_window(const struct tcp_sock *tp)
{
	return tcp_receive_window(tp);
}

void tcpc_tcp_refresh_patience(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	icsk->icsk_backoff = 0;
	WRITE_ONCE(icsk->icsk_retransmits, 0);
	WRITE_ONCE(icsk->icsk_probes_out, 0);
	icsk->icsk_probes_tstamp = 0;
	WRITE_ONCE(sk->sk_err_soft, 0);
	tcp_mstamp_refresh_inline(tp);
	tp->retrans_stamp = tcp_time_stamp_ts(tp);
	tp->rcv_tstamp = tcp_jiffies32;
}

void tcpc_tcp_reinit_congestion(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	tcp_sk(sk)->prior_ssthresh = 0;
	if (icsk->icsk_ca_ops->release)
		icsk->icsk_ca_ops->release(sk);
	memset(icsk->icsk_ca_priv, 0, sizeof(icsk->icsk_ca_priv));
	if (icsk->icsk_ca_ops->init)
		icsk->icsk_ca_ops->init(sk);
}

u32 tcpc_tcp_rto_max(const struct sock *sk)
{
	return tcp_rto_max(sk);
}

/* Whether data waits that the peer's window does not let out. */
bool tcpc_tcp_send_head_is_blocked(const struct sock *sk)
{
	const struct sk_buff *head = tcp_send_head(sk);

	return head && !before(TCP_SKB_CB(head)->seq, tcp_wnd_end(tcp_sk(sk)));
}

void tcpc_tcp_set_initial_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->frto = 0;
	tcp_snd_cwnd_set(tp, tcpc_tcp_initial_window(sk));
	tp->snd_cwnd_stamp = tcp_jiffies32;
}

void tcpc_tcp_set_window_clamp(struct tcp_sock *tp, u32 clamp)
{
	tp->snd_cwnd_clamp = clamp;
	tcp_snd_cwnd_set(tp, min(tcp_snd_cwnd(tp), clamp));
}

void tcpc_tcp_stop_timer(struct sock *sk)
{
	smp_store_release(&inet_csk(sk)->icsk_pending, 0);
	sk_stop_timer(sk, &sk->tcp_retransmit_timer);
}

/* tcp_mtup_init(), net/ipv4/tcp_output.c, then the segment size of the route. */
void tcpc_tcp_sync_mss_to_route(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct dst_entry *dst = __sk_dst_get(sk);

	icsk->icsk_mtup.search_high = tcp_sk(sk)->rx_opt.mss_clamp + sizeof(struct tcphdr) +
				      icsk->icsk_af_ops->net_header_len;
	icsk->icsk_mtup.search_low =
		tcp_mss_to_mtu(sk, READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_base_mss));
	icsk->icsk_mtup.probe_size = 0;
	if (dst)
		icsk->icsk_sync_mss(sk, dst_mtu(dst));
}
