// SPDX-License-Identifier: GPL-2.0
/*
 * Static inlines and macros for rust/net/sock: sockets, their locks, and the hashes they are in.
 */
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/inet_timewait_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/rps.h>
#include <net/tcp.h>

#include "sock.h"

void tcpc___sk_del_bind_node(struct sock *sk)
{
	__sk_del_bind_node(sk);
}

void tcpc_bh_lock_sock_nested(struct sock *sk)
{
	bh_lock_sock_nested(sk);
}

void tcpc_bh_unlock_sock(struct sock *sk)
{
	bh_unlock_sock(sk);
}

void tcpc_bind2_add_owner(struct inet_bind2_bucket *tb2, struct sock *sk)
{
	sk_add_bind_node(sk, &tb2->owners);
}

struct inet_bind2_bucket *tcpc_bind2_first(struct inet_bind_hashbucket *head)
{
	return hlist_entry_safe(head->chain.first, struct inet_bind2_bucket, node);
}

struct sock *tcpc_bind2_first_owner(struct inet_bind2_bucket *tb2)
{
	return hlist_entry_safe(tb2->owners.first, struct sock, sk_bind_node);
}

/* inet_bind2_bucket_init() and what __inet_bhash2_update_saddr() adds, net/ipv4/inet_hashtables.c */
void tcpc_bind2_init(struct inet_bind2_bucket *tb2, struct inet_bind_hashbucket *head,
		     const struct sock *sk)
{
	struct inet_bind_bucket *tb = inet_csk(sk)->icsk_bind_hash;
	bool v6 = sk->sk_family == AF_INET6;

	write_pnet(&tb2->ib_net, sock_net(sk));
	tb2->l3mdev = tb->l3mdev;
	tb2->port = tb->port;
	tb2->addr_type = v6 ? ipv6_addr_type(&sk->sk_v6_rcv_saddr) : IPV6_ADDR_MAPPED;
	tb2->v6_rcv_saddr = sk->sk_v6_rcv_saddr;
	tb2->fastreuse = sk->sk_userlocks & SOCK_CONNECT_BIND ? -1 : 0;
	tb2->fastreuseport = tb2->fastreuse;
	INIT_HLIST_HEAD(&tb2->owners);
	hlist_add_head(&tb2->node, &head->chain);
	hlist_add_head(&tb2->bhash_node, &tb->bhash2);
}

/* inet_bind2_bucket_match(), net/ipv4/inet_hashtables.c */
bool tcpc_bind2_matches(const struct inet_bind2_bucket *tb2, const struct sock *sk)
{
	return net_eq(ib2_net(tb2), sock_net(sk)) && tb2->port == inet_sk(sk)->inet_num &&
	       tb2->l3mdev == inet_csk(sk)->icsk_bind_hash->l3mdev &&
	       (sk->sk_family == AF_INET6 ?
		ipv6_addr_equal(&tb2->v6_rcv_saddr, &sk->sk_v6_rcv_saddr) :
		tb2->addr_type == IPV6_ADDR_MAPPED && tb2->rcv_saddr == sk->sk_rcv_saddr);
}

struct inet_bind2_bucket *tcpc_bind2_next(struct inet_bind2_bucket *tb2)
{
	return hlist_entry_safe(tb2->node.next, struct inet_bind2_bucket, node);
}

struct sock *tcpc_bind2_next_owner(struct sock *sk)
{
	return hlist_entry_safe(sk->sk_bind_node.next, struct sock, sk_bind_node);
}

void tcpc_bind2_unlink(struct inet_bind2_bucket *tb2)
{
	__hlist_del(&tb2->node);
	__hlist_del(&tb2->bhash_node);
}

bool tcpc_ehash_bucket_is_empty(const struct inet_ehash_bucket *bucket)
{
	return hlist_nulls_empty(&bucket->chain);
}

void tcpc_ehash_enter(struct sock *sk, u32 hash)
{
	sk->sk_hash = hash;
	__sk_nulls_add_node_rcu(sk, &inet_ehash_bucket(tcp_get_hashinfo(sk), hash)->chain);
}

static struct sock *tcpc_nulls_entry(struct hlist_nulls_node *node)
{
	return is_a_nulls(node) ? NULL : hlist_nulls_entry(node, struct sock, sk_nulls_node);
}

struct sock *tcpc_ehash_first(const struct inet_ehash_bucket *bucket)
{
	return tcpc_nulls_entry(bucket->chain.first);
}

void tcpc_ehash_leave(struct sock *sk)
{
	__sk_nulls_del_node_init_rcu(sk);
}

void tcpc_ehash_lock_bh(const struct inet_hashinfo *table, u32 slot)
{
	spin_lock_bh(inet_ehash_lockp((struct inet_hashinfo *)table, slot));
}

static bool tcpc_match4(const struct sock *sk, const struct sock *other,
			const struct in6_addr *local, const struct in6_addr *remote,
			__be16 dport)
{
	const __portpair ports = INET_COMBINED_PORTS(dport, sk->sk_num);
	int dif = sk->sk_bound_dev_if;
	INET_ADDR_COOKIE(cookie, remote->s6_addr32[3], local->s6_addr32[3]);

	return inet_match(sock_net(sk), other, cookie, ports, dif,
			  l3mdev_master_ifindex_by_index(sock_net(sk), dif));
}

static bool tcpc_match6(const struct sock *sk, const struct sock *other,
			const struct in6_addr *local, const struct in6_addr *remote,
			__be16 dport)
{
	const __portpair ports = INET_COMBINED_PORTS(dport, sk->sk_num);
	int dif = sk->sk_bound_dev_if;

	return inet6_match(sock_net(sk), other, remote, local, ports, dif,
			   l3mdev_master_ifindex_by_index(sock_net(sk), dif));
}

/* The test of __inet_check_established() and __inet6_check_established(). */
bool tcpc_ehash_matches(const struct sock *sk, const struct sock *other, u32 hash,
			const struct in6_addr *local, const struct in6_addr *remote, __be16 dport)
{
	return other != sk && other->sk_hash == hash &&
	       (tcpc_sk_is_v6(sk) ? tcpc_match6(sk, other, local, remote, dport) :
		tcpc_match4(sk, other, local, remote, dport));
}

struct sock *tcpc_ehash_next(const struct sock *sk)
{
	return tcpc_nulls_entry(sk->sk_nulls_node.next);
}

void tcpc_ehash_unlock_bh(const struct inet_hashinfo *table, u32 slot)
{
	spin_unlock_bh(inet_ehash_lockp((struct inet_hashinfo *)table, slot));
}

void *tcpc_kmem_cache_alloc_atomic(struct kmem_cache *cache)
{
	return kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);
}

bool tcpc_lock_sock_fast(struct sock *sk)
{
	return lock_sock_fast(sk);
}

struct inet_hashinfo *tcpc_net_hashinfo(const struct net *net)
{
	return net->ipv4.tcp_death_row.hashinfo;
}

struct inet_bind_hashbucket *tcpc_sk_bhash2_head(const struct sock *sk)
{
	return inet_bhashfn_portaddr(tcp_get_hashinfo(sk), sk, sock_net(sk), inet_sk(sk)->inet_num);
}

struct inet_bind_hashbucket *tcpc_sk_bhash_head(const struct sock *sk)
{
	struct inet_hashinfo *table = tcp_get_hashinfo(sk);

	return &table->bhash[inet_bhashfn(sock_net(sk), inet_sk(sk)->inet_num, table->bhash_size)];
}

struct kmem_cache *tcpc_sk_bind2_cache(const struct sock *sk)
{
	return tcp_get_hashinfo(sk)->bind2_bucket_cachep;
}

int tcpc_sk_bound_dev_if(const struct sock *sk)
{
	return sk->sk_bound_dev_if;
}

void tcpc_sk_clear_soft_error(struct sock *sk)
{
	WRITE_ONCE(sk->sk_err_soft, 0);
}

__be32 tcpc_sk_daddr(const struct sock *sk)
{
	return sk->sk_daddr;
}

__be16 tcpc_sk_dport(const struct sock *sk)
{
	return sk->sk_dport;
}

struct inet_ehash_bucket *tcpc_sk_ehash_bucket(const struct sock *sk, u32 hash)
{
	return inet_ehash_bucket(tcp_get_hashinfo(sk), hash);
}

spinlock_t *tcpc_sk_ehash_lockp(const struct sock *sk, u32 hash)
{
	return inet_ehash_lockp(tcp_get_hashinfo(sk), hash);
}

u32 tcpc_sk_ehashfn(const struct sock *sk, const struct in6_addr *local,
		    const struct in6_addr *remote, __be16 dport)
{
	return tcpc_sk_is_v6(sk) ?
	       inet6_ehashfn(sock_net(sk), local, sk->sk_num, remote, dport) :
	       inet_ehashfn(sock_net(sk), local->s6_addr32[3], sk->sk_num,
			    remote->s6_addr32[3], dport);
}

void tcpc_sk_forget_path(struct sock *sk)
{
	__sk_dst_reset(sk);
	dst_release(unrcu_pointer(xchg(&sk->sk_rx_dst, NULL)));
	sock_rps_delete_flow(sk);
	WRITE_ONCE(sk->sk_rxhash, 0);
	sk_set_txhash(sk);
	atomic_set(&inet_sk(sk)->inet_id, get_random_u16());
	WRITE_ONCE(sk->sk_err_soft, 0);
}

/* SO_TXREHASH (SOCK_TXREHASH_DISABLED is 0); what it was. */
u8 tcpc_sk_exchange_txrehash(struct sock *sk, u8 mode)
{
	u8 before = READ_ONCE(sk->sk_txrehash);

	WRITE_ONCE(sk->sk_txrehash, mode);
	return before;
}

bool tcpc_sk_fullsock(const struct sock *sk)
{
	return sk_fullsock(sk);
}

u32 tcpc_sk_hash(const struct sock *sk)
{
	return sk->sk_hash;
}

bool tcpc_sk_hashed(const struct sock *sk)
{
	return sk_hashed(sk);
}

bool tcpc_sk_hold_not_zero(struct sock *sk)
{
	return refcount_inc_not_zero(&sk->sk_refcnt);
}

bool tcpc_sk_is_closed(const struct sock *sk)
{
	return sk->sk_state == TCP_CLOSE;
}

/* sk_is_connect_bind(), net/ipv4/inet_hashtables.c */
bool tcpc_sk_is_connect_bind(const struct sock *sk)
{
	return sk->sk_state == TCP_TIME_WAIT ? inet_twsk(sk)->tw_connect_bind :
	       sk->sk_userlocks & SOCK_CONNECT_BIND;
}

bool tcpc_sk_is_full_of(const struct sock *sk, const struct net *net)
{
	return sk_fullsock(sk) && net_eq(sock_net(sk), net);
}

bool tcpc_sk_is_movable(const struct sock *sk)
{
	return ((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 |
				       TCPF_CLOSE_WAIT | TCPF_CLOSING | TCPF_LAST_ACK)) &&
	       sk_hashed(sk) && tcpc_sk_is_ordinary(sk);
}

bool tcpc_sk_has_no_keys(const struct sock *sk)
{
	return true
#ifdef CONFIG_TCP_MD5SIG
	       && !rcu_access_pointer(tcp_sk(sk)->md5sig_info)
#endif
#ifdef CONFIG_TCP_AO
	       && !rcu_access_pointer(tcp_sk(sk)->ao_info)
#endif
#if IS_ENABLED(CONFIG_SMC)
	       && !tcp_sk(sk)->syn_smc
#endif
	       ;
}

bool tcpc_sk_has_no_source_route(const struct sock *sk)
{
	return !rcu_access_pointer(inet_sk(sk)->inet_opt) &&
	       (sk->sk_family != AF_INET6 || !rcu_access_pointer(inet6_sk(sk)->opt));
}

bool tcpc_sk_is_ordinary(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return sk->sk_protocol == IPPROTO_TCP && icsk->icsk_bind_hash && icsk->icsk_bind2_hash &&
	       sk->sk_net_refcnt && sk->sk_prot->unhash == tcp_prot.unhash &&
	       !sk_is_mptcp(sk) && !tp->repair && !rcu_access_pointer(tp->fastopen_rsk) &&
	       !inet_test_bit(TRANSPARENT, sk) && tcpc_sk_has_no_source_route(sk) &&
	       tcpc_sk_has_no_keys(sk);
}

bool tcpc_sk_is_orphan(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DEAD);
}

bool tcpc_sk_is_request(const struct sock *sk)
{
	return inet_sk_state_load(sk) == TCP_NEW_SYN_RECV;
}

bool tcpc_sk_is_v6(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr);
}

u16 tcpc_sk_num(const struct sock *sk)
{
	return sk->sk_num;
}

__be32 tcpc_sk_rcv_saddr(const struct sock *sk)
{
	return sk->sk_rcv_saddr;
}

void tcpc_sk_release_cb(struct sock *sk)
{
	sk->sk_prot->release_cb(sk);
}

static void tcpc_sk_set_local4(struct sock *sk, const struct in6_addr *local)
{
	sk_rcv_saddr_set(sk, local->s6_addr32[3]);
	inet_sk(sk)->inet_saddr = local->s6_addr32[3];
	if (sk->sk_family == AF_INET6)
		inet6_sk(sk)->saddr = *local;
}

static void tcpc_sk_set_local6(struct sock *sk, const struct in6_addr *local)
{
	sk->sk_v6_rcv_saddr = *local;
	inet6_sk(sk)->saddr = *local;
}

void tcpc_sk_set_local(struct sock *sk, const struct in6_addr *local)
{
	tcpc_sk_is_v6(sk) ? tcpc_sk_set_local6(sk, local) : tcpc_sk_set_local4(sk, local);
}

/* Ports are read without the lock, as by net/ipv4/inet_diag.c. */
void tcpc_sk_set_remote(struct sock *sk, const struct in6_addr *remote, __be16 dport)
{
	WRITE_ONCE(sk->sk_dport, dport);
	if (tcpc_sk_is_v6(sk))
		sk->sk_v6_daddr = *remote;
	else
		sk_daddr_set(sk, remote->s6_addr32[3]);
}

struct in6_addr tcpc_sk_v6_daddr(const struct sock *sk)
{
	return sk->sk_v6_daddr;
}

struct in6_addr tcpc_sk_v6_rcv_saddr(const struct sock *sk)
{
	return sk->sk_v6_rcv_saddr;
}

void tcpc_sock_hold(struct sock *sk)
{
	sock_hold(sk);
}

/* A namespace without sockets that hold it may be ending. */
struct net *tcpc_sock_held_net(const struct sock *sk)
{
	return sk_is_tcp(sk) && sk->sk_net_refcnt ? sock_net(sk) : NULL;
}

struct net *tcpc_sock_net(const struct sock *sk)
{
	return sock_net(sk);
}

bool tcpc_sock_owned_by_user(const struct sock *sk)
{
	return sock_owned_by_user(sk);
}

void tcpc_sock_put(struct sock *sk)
{
	sock_put(sk);
}

void tcpc_bind_lock(struct inet_bind_hashbucket *head)
{
	spin_lock(&head->lock);
}

void tcpc_bind_unlock(struct inet_bind_hashbucket *head)
{
	spin_unlock(&head->lock);
}

void tcpc_spin_lock(spinlock_t *lock)
{
	spin_lock(lock);
}

void tcpc_spin_lock_nested(spinlock_t *lock)
{
	spin_lock_nested(lock, SINGLE_DEPTH_NESTING);
}

void tcpc_spin_unlock(spinlock_t *lock)
{
	spin_unlock(lock);
}

void tcpc_unlock_sock_fast(struct sock *sk, bool slow)
{
	unlock_sock_fast(sk, slow);
}
