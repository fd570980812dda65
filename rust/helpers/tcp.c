// SPDX-License-Identifier: GPL-2.0
/*
 * Static inlines, macros and bit fields for rust/net/sock/{resume,view}.rs: TCP's own state.
 * All want the socket locked, and bottom halves off.
 */
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "sock.h"
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

/* tcp_model_timeout(), net/ipv4/tcp_timer.c, with TCP_RTO_MIN: in jiffies. */
static u64 tcpc_tcp_model_timeout(const struct sock *sk, unsigned int boundary)
{
	unsigned int thresh = ilog2(tcp_rto_max(sk) / TCP_RTO_MIN);

	if (boundary <= thresh)
		return ((2ULL << boundary) - 1) * TCP_RTO_MIN;
	return ((2ULL << thresh) - 1) * TCP_RTO_MIN +
	       (u64)(boundary - thresh) * tcp_rto_max(sk);
}

/* tcp_rtx_probe0_timed_out(), net/ipv4/tcp_timer.c: the peer closed its window on what was sent. */
static bool tcpc_tcp_is_shut_out(const struct sock *sk)
{
	return tcp_sk(sk)->packets_out && !tcp_sk(sk)->snd_wnd;
}

/* Whether tcp_retransmit_timer() or tcp_probe_timer() might give up when it is called next. */
bool tcpc_tcp_is_about_to_end(const struct sock *sk)
{
	unsigned int limit = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_retries2);
	const struct inet_connection_sock *icsk = inet_csk(sk);
	/* TCP goes by when the timer runs, which may be later than it was set for. */
	u32 next = icsk->icsk_rto + icsk->icsk_rto / 2;

	if (!tcp_sk(sk)->packets_out)
		return icsk->icsk_probes_out >= limit;
	if (tcpc_tcp_is_shut_out(sk))
		return tcp_jiffies32 - tcp_sk(sk)->rcv_tstamp + next > 2 * tcp_rto_max(sk);
	return msecs_to_jiffies(tcpc_tcp_tried_ms(sk)) + (u64)next >=
	       tcpc_tcp_model_timeout(sk, limit);
}

/*
 * tcp_update_rto_stats() counts before it sends, the backoff grows after that; so for the first
 * retransmission in a row there is no backoff yet. tcpc_tcp_try_on() leaves some.
 */
bool tcpc_tcp_is_unanswered(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	u8 retransmits = READ_ONCE(icsk->icsk_retransmits);

	return retransmits >= 2 || (retransmits && READ_ONCE(icsk->icsk_backoff)) ||
	       READ_ONCE(icsk->icsk_probes_out) >= 2;
}

/* The same between retransmissions, after tcpc_tcp_try_on() as well. */
bool tcpc_tcp_is_waiting(const struct sock *sk)
{
	return tcpc_tcp_is_unanswered(sk) ||
	       (tcpc_tcp_has_unacknowledged(sk) && inet_csk(sk)->icsk_backoff &&
		!inet_csk(sk)->icsk_retransmits);
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

/*
 * As __tcp_transmit_skb(), net/ipv4/tcp_output.c, for a segment that is none of the queue's: the TCP
 * header and nothing behind it. INET_ECN_dontxmit() is for what is no data (RFC 3168, section 6.1.1).
 */
struct sk_buff *tcpc_tcp_make_segment(struct sock *sk, const u8 *header, unsigned int len)
{
	struct sk_buff *skb = alloc_skb(MAX_TCP_HEADER, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	memcpy(skb_push(skb, len), header, len);
	skb_reset_transport_header(skb);
	skb_set_owner_w(skb, sk);
	skb_set_hash_from_sk(skb, sk);
	INET_ECN_dontxmit(sk);
	skb->ip_summed = CHECKSUM_PARTIAL;
	if (tcpc_sk_is_v6(sk))
		__tcp_v6_send_check(skb, &sk->sk_v6_rcv_saddr, &sk->sk_v6_daddr);
	else
		__tcp_v4_send_check(skb, inet_sk(sk)->inet_saddr, inet_sk(sk)->inet_daddr);
	return skb;
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
	/* With nothing in flight nobody would clear it: tcp_retransmit_skb() sets it if it is 0. */
	tp->retrans_stamp = tp->packets_out ? tcp_time_stamp_ts(tp) : 0;
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

/* tcp_advertise_mss(), net/ipv4/tcp_output.c. */
u32 tcpc_tcp_route_advmss(const struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);

	return dst ? tcp_mss_clamp(tcp_sk(sk), dst_metric_advmss(dst)) : tcp_sk(sk)->advmss;
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
	/* A reduction that goes on, as CWR does while nothing is in flight, divides by it (tcp_cwnd_reduction()). */
	tp->prior_cwnd = tcp_snd_cwnd(tp);
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

/* Since the first segment was sent that was not acknowledged, or the first probe of the window. */
u32 tcpc_tcp_tried_ms(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 since;

	if (!tp->packets_out)
		return inet_csk(sk)->icsk_probes_tstamp ?
		       jiffies_to_msecs(tcp_jiffies32 - inet_csk(sk)->icsk_probes_tstamp) : 0;
	if (!tp->retrans_stamp)
		return 0;
	since = tcp_clock_ts(tp->tcp_usec_ts) - tp->retrans_stamp;
	return tp->tcp_usec_ts ? since / USEC_PER_MSEC : since;
}

/* retransmits_timed_out(), net/ipv4/tcp_timer.c, says no while nothing was retransmitted. */
void tcpc_tcp_try_on(struct sock *sk)
{
	WRITE_ONCE(inet_csk(sk)->icsk_retransmits, 0);
	WRITE_ONCE(inet_csk(sk)->icsk_probes_out, 0);
	/* tcp_ld_RTO_revert() may have taken all of it: the next retransmission is none of a new row. */
	WRITE_ONCE(inet_csk(sk)->icsk_backoff, max_t(u8, inet_csk(sk)->icsk_backoff, 1));
	if (tcpc_tcp_is_shut_out(sk))
		tcp_sk(sk)->rcv_tstamp = tcp_jiffies32;
}
