/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPC_HELPERS_PACKET_H
#define TCPC_HELPERS_PACKET_H

#include <net/inet_hashtables.h>
#include <net/tcp.h>

bool tcpc_dst_is_usable(const struct dst_entry *dst);
void tcpc_inet6_sk_init_flowi6(const struct sock *sk, struct flowi6 *fl6);
void tcpc_inet6_interfaces(const struct sk_buff *skb, int *dif, int *sdif);
void tcpc_inet_interfaces(const struct sk_buff *skb, int *dif, int *sdif);
void tcpc_inet_sk_init_flowi4(const struct sock *sk, struct flowi4 *fl4);
struct net_device *tcpc_ipv6_dev_find(struct net *net, const struct in6_addr *addr);
bool tcpc_ipv6_is_joined(const struct net_device *dev, const struct in6_addr *addr);
bool tcpc_is_err(const void *ptr);
bool tcpc_netdev_is(const struct net_device *dev, int ifindex);
bool tcpc_netif_carrier_ok(const struct net_device *dev);
bool tcpc_netif_is_up(const struct net_device *dev);
bool tcpc_pskb_may_pull(struct sk_buff *skb, unsigned int len);
int tcpc_skb_cow_head(struct sk_buff *skb, unsigned int headroom);
bool tcpc_skb_dev_is_loopback(const struct sk_buff *skb);
struct sock *tcpc_skb_full_sk(const struct sk_buff *skb);
unsigned int tcpc_skb_headlen(const struct sk_buff *skb);
u16 tcpc_skb_gso_segs(const struct sk_buff *skb);
bool tcpc_skb_is_fastopen(const struct sk_buff *skb);
bool tcpc_skb_is_gso(const struct sk_buff *skb);
bool tcpc_skb_is_partial(const struct sk_buff *skb);
int tcpc_skb_confirm_conntrack(struct sk_buff *skb);
u8 tcpc_skb_num_retrans(const struct sk_buff *skb);
void tcpc_skb_orphan(struct sk_buff *skb);
void *tcpc_skb_pull(struct sk_buff *skb, unsigned int len);
void *tcpc_skb_push(struct sk_buff *skb, unsigned int len);
void tcpc_skb_set_headers(struct sk_buff *skb, unsigned int transport);
void tcpc_skb_set_sk(struct sk_buff *skb, struct sock *sk);
u8 tcpc_skb_sk_state(const struct sk_buff *skb);
u32 tcpc_skb_total_retrans(const struct sk_buff *skb);
void tcpc_skb_v4_send_check(struct sk_buff *skb);
void tcpc_skb_v6_send_check(struct sk_buff *skb);

#endif
