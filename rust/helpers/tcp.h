/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPC_HELPERS_TCP_H
#define TCPC_HELPERS_TCP_H

#include <net/inet_hashtables.h>
#include <net/tcp.h>

u32 tcpc_tcp_base_rto_us(const struct tcp_sock *tp);
u32 tcpc_tcp_clock(const struct tcp_sock *tp);
void tcpc_tcp_defer(struct sock *sk, int bit);
void tcpc_tcp_expire_timer(struct sock *sk, u8 event);
void tcpc_tcp_forget_rtt(struct tcp_sock *tp);
bool tcpc_tcp_has_timestamps(const struct tcp_sock *tp);
bool tcpc_tcp_has_unacknowledged(const struct sock *sk);
bool tcpc_tcp_is_about_to_end(const struct sock *sk);
bool tcpc_tcp_is_unanswered(const struct sock *sk);
bool tcpc_tcp_is_waiting(const struct sock *sk);
void tcpc_tcp_mstamp_refresh(struct tcp_sock *tp);
void tcpc_tcp_raise_to_initial_window(struct sock *sk);
void tcpc_tcp_rearm(struct sock *sk);
struct sk_buff *tcpc_tcp_make_segment(struct sock *sk, const u8 *header, unsigned int len);
u32 tcpc_tcp_receive_window(const struct tcp_sock *tp);
void tcpc_tcp_refresh_patience(struct sock *sk);
void tcpc_tcp_reinit_congestion(struct sock *sk);
u32 tcpc_tcp_rto_max(const struct sock *sk);
bool tcpc_tcp_send_head_is_blocked(const struct sock *sk);
u32 tcpc_tcp_route_advmss(const struct sock *sk);
void tcpc_tcp_set_initial_window(struct sock *sk);
void tcpc_tcp_set_window_clamp(struct tcp_sock *tp, u32 clamp);
void tcpc_tcp_stop_timer(struct sock *sk);
void tcpc_tcp_sync_mss_to_route(struct sock *sk);
u32 tcpc_tcp_tried_ms(const struct sock *sk);
void tcpc_tcp_try_on(struct sock *sk);

#endif
