// SPDX-License-Identifier: GPL-2.0
/*
 * Static inlines and macros for rust/net/{skb,addr,route}.rs: socket buffers, devices, routes.
 */
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/addrconf.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/tcp.h>

#include "packet.h"

bool tcpc_dst_is_usable(const struct dst_entry *dst)
{
	return !dst->error && netif_running(dst_dev(dst)) && netif_carrier_ok(dst_dev(dst));
}

/* inet6_csk_route_socket(), net/ipv6/inet6_connection_sock.c, with no source address. */
void tcpc_inet6_sk_init_flowi6(const struct sock *sk, struct flowi6 *fl6)
{
	fl6->flowi6_proto = sk->sk_protocol;
	fl6->daddr = sk->sk_v6_daddr;
	fl6->flowlabel = inet6_sk(sk)->flow_label;
	fl6->flowi6_oif = sk->sk_bound_dev_if;
	fl6->flowi6_mark = sk->sk_mark;
	fl6->fl6_sport = inet_sk(sk)->inet_sport;
	fl6->fl6_dport = inet_sk(sk)->inet_dport;
	fl6->flowi6_uid = sk_uid(sk);
	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl6));
}

void tcpc_inet6_interfaces(const struct sk_buff *skb, int *dif, int *sdif)
{
	*dif = inet6_iif(skb);
	*sdif = inet6_sdif(skb);
}

void tcpc_inet_interfaces(const struct sk_buff *skb, int *dif, int *sdif)
{
	*dif = inet_iif(skb);
	*sdif = inet_sdif(skb);
}

void tcpc_inet_sk_init_flowi4(const struct sock *sk, struct flowi4 *fl4)
{
	inet_sk_init_flowi4(inet_sk(sk), fl4);
}

struct net_device *tcpc_ipv6_dev_find(struct net *net, const struct in6_addr *addr)
{
	struct net_device *dev;

	for_each_netdev_rcu(net, dev)
		if (ipv6_chk_addr(net, addr, dev, 1))
			return dev;
	return NULL;
}

/* Whether neighbours can find the address: addrconf_join_solict(), net/ipv6/addrconf.c, is over. */
bool tcpc_ipv6_is_joined(const struct net_device *dev, const struct in6_addr *addr)
{
	const struct inet6_dev *idev = __in6_dev_get(dev);
	const struct ifmcaddr6 *mc;
	struct in6_addr group;

	if (dev->flags & (IFF_LOOPBACK | IFF_NOARP))
		return true;
	if (!idev)
		return false;
	addrconf_addr_solict_mult(addr, &group);
	for (mc = rcu_dereference(idev->mc_list); mc; mc = rcu_dereference(mc->next))
		if (ipv6_addr_equal(&mc->mca_addr, &group))
			return true;
	return false;
}

bool tcpc_is_err(const void *ptr)
{
	return IS_ERR(ptr);
}

bool tcpc_netdev_is(const struct net_device *dev, int ifindex)
{
	return dev->ifindex == ifindex || l3mdev_master_ifindex_rcu(dev) == ifindex;
}

bool tcpc_netif_carrier_ok(const struct net_device *dev)
{
	return netif_carrier_ok(dev);
}

bool tcpc_netif_is_up(const struct net_device *dev)
{
	return netif_running(dev);
}

bool tcpc_pskb_may_pull(struct sk_buff *skb, unsigned int len)
{
	return pskb_may_pull(skb, len);
}

int tcpc_skb_cow_head(struct sk_buff *skb, unsigned int headroom)
{
	return skb_cow_head(skb, headroom);
}

bool tcpc_skb_dev_is_loopback(const struct sk_buff *skb)
{
	return skb->dev && skb->dev->flags & IFF_LOOPBACK;
}

/* Nothing is a listener's own: ip_send_unicast_reply() has a RST that one makes look like that. */
struct sock *tcpc_skb_full_sk(const struct sk_buff *skb)
{
	return skb->sk && sk_fullsock(skb->sk) && sk_is_tcp(skb->sk) &&
	       READ_ONCE(skb->sk->sk_state) != TCP_LISTEN ?
	       skb->sk : NULL;
}

/* tcp_set_skb_tso_segs(), net/ipv4/tcp_output.c, has set it before the segment leaves. */
u16 tcpc_skb_gso_segs(const struct sk_buff *skb)
{
	return skb_is_gso(skb) ? skb_shinfo(skb)->gso_segs : 1;
}

unsigned int tcpc_skb_headlen(const struct sk_buff *skb)
{
	return skb_headlen(skb);
}

bool tcpc_skb_is_fastopen(const struct sk_buff *skb)
{
	return rcu_access_pointer(tcp_sk(skb->sk)->fastopen_rsk);
}

bool tcpc_skb_is_gso(const struct sk_buff *skb)
{
	return skb_is_gso(skb);
}

bool tcpc_skb_is_partial(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       skb->csum_offset == offsetof(struct tcphdr, check);
}

/* nf_conntrack_confirm(), without wanting that module: as br_netfilter does. */
int tcpc_skb_confirm_conntrack(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	const struct nf_ct_hook *hook = rcu_dereference(nf_ct_hook);
	const struct nf_conn *ct = nf_ct_get(skb, &info);

	return hook && ct && !nf_ct_is_template(ct) && !nf_ct_is_confirmed(ct) ?
	       hook->confirm(skb) : NF_ACCEPT;
}

/* Of a request socket, whose SYN/ACK the segment is. */
u8 tcpc_skb_num_retrans(const struct sk_buff *skb)
{
	return inet_reqsk(skb->sk)->num_retrans;
}

void tcpc_skb_orphan(struct sk_buff *skb)
{
	skb_orphan(skb);
}

void *tcpc_skb_pull(struct sk_buff *skb, unsigned int len)
{
	return skb_pull(skb, len);
}

void *tcpc_skb_push(struct sk_buff *skb, unsigned int len)
{
	return skb_push(skb, len);
}

void tcpc_skb_set_headers(struct sk_buff *skb, unsigned int transport)
{
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, transport);
}

void tcpc_skb_set_sk(struct sk_buff *skb, struct sock *sk)
{
	skb->sk = sk;
	skb->destructor = sock_edemux;
}

/* Zero, which is no state, without a socket of TCP's. What tells lies in full sockets only. */
u8 tcpc_skb_sk_state(const struct sk_buff *skb)
{
	return skb->sk && (!sk_fullsock(skb->sk) || sk_is_tcp(skb->sk)) ?
	       READ_ONCE(skb->sk->sk_state) : 0;
}

u32 tcpc_skb_total_retrans(const struct sk_buff *skb)
{
	return READ_ONCE(tcp_sk(skb->sk)->total_retrans);
}

/* ip_send_check() and __tcp_v4_send_check(), which counts from the transport header. */
void tcpc_skb_v4_send_check(struct sk_buff *skb)
{
	unsigned int len = skb->len - skb_transport_offset(skb);
	struct tcphdr *th = tcp_hdr(skb);
	struct iphdr *iph = ip_hdr(skb);

	iph->check = 0;
	iph->check = ip_fast_csum((u8 *)iph, iph->ihl);
	th->check = ~tcp_v4_check(len, iph->saddr, iph->daddr, 0);
	skb->csum_start = skb_transport_header(skb) - skb->head;
}

void tcpc_skb_v6_send_check(struct sk_buff *skb)
{
	unsigned int len = skb->len - skb_transport_offset(skb);
	struct tcphdr *th = tcp_hdr(skb);

	th->check = ~tcp_v6_check(len, &ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, 0);
	skb->csum_start = skb_transport_header(skb) - skb->head;
}
