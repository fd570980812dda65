/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPC_HELPERS_SOCK_H
#define TCPC_HELPERS_SOCK_H

#include <net/inet_hashtables.h>
#include <net/tcp.h>

void tcpc___sk_del_bind_node(struct sock *sk);
void tcpc_bh_lock_sock_nested(struct sock *sk);
void tcpc_bh_unlock_sock(struct sock *sk);
void tcpc_bind2_add_owner(struct inet_bind2_bucket *tb2, struct sock *sk);
struct inet_bind2_bucket *tcpc_bind2_first(struct inet_bind_hashbucket *head);
struct sock *tcpc_bind2_first_owner(struct inet_bind2_bucket *tb2);
void tcpc_bind2_init(struct inet_bind2_bucket *tb2, struct inet_bind_hashbucket *head,
		     const struct sock *sk);
bool tcpc_bind2_matches(const struct inet_bind2_bucket *tb2, const struct sock *sk);
struct inet_bind2_bucket *tcpc_bind2_next(struct inet_bind2_bucket *tb2);
struct sock *tcpc_bind2_next_owner(struct sock *sk);
void tcpc_bind2_unlink(struct inet_bind2_bucket *tb2);
bool tcpc_ehash_bucket_is_empty(const struct inet_ehash_bucket *bucket);
void tcpc_ehash_enter(struct sock *sk, u32 hash);
struct sock *tcpc_ehash_first(const struct inet_ehash_bucket *bucket);
void tcpc_ehash_leave(struct sock *sk);
void tcpc_ehash_lock_bh(const struct inet_hashinfo *table, u32 slot);
bool tcpc_ehash_matches(const struct sock *sk, const struct sock *other, u32 hash,
			const struct in6_addr *local, const struct in6_addr *remote, __be16 dport);
struct sock *tcpc_ehash_next(const struct sock *sk);
void tcpc_ehash_unlock_bh(const struct inet_hashinfo *table, u32 slot);
void *tcpc_kmem_cache_alloc_atomic(struct kmem_cache *cache);
bool tcpc_lock_sock_fast(struct sock *sk);
struct inet_hashinfo *tcpc_net_hashinfo(const struct net *net);
struct inet_bind_hashbucket *tcpc_sk_bhash2_head(const struct sock *sk);
struct inet_bind_hashbucket *tcpc_sk_bhash_head(const struct sock *sk);
struct kmem_cache *tcpc_sk_bind2_cache(const struct sock *sk);
int tcpc_sk_bound_dev_if(const struct sock *sk);
void tcpc_sk_clear_soft_error(struct sock *sk);
__be32 tcpc_sk_daddr(const struct sock *sk);
__be16 tcpc_sk_dport(const struct sock *sk);
struct inet_ehash_bucket *tcpc_sk_ehash_bucket(const struct sock *sk, u32 hash);
spinlock_t *tcpc_sk_ehash_lockp(const struct sock *sk, u32 hash);
u32 tcpc_sk_ehashfn(const struct sock *sk, const struct in6_addr *local,
		    const struct in6_addr *remote, __be16 dport);
u8 tcpc_sk_exchange_txrehash(struct sock *sk, u8 mode);
void tcpc_sk_forget_path(struct sock *sk);
bool tcpc_sk_fullsock(const struct sock *sk);
u32 tcpc_sk_hash(const struct sock *sk);
bool tcpc_sk_hashed(const struct sock *sk);
bool tcpc_sk_hold_not_zero(struct sock *sk);
bool tcpc_sk_is_closed(const struct sock *sk);
bool tcpc_sk_is_connect_bind(const struct sock *sk);
bool tcpc_sk_is_full_of(const struct sock *sk, const struct net *net);
bool tcpc_sk_is_movable(const struct sock *sk);
bool tcpc_sk_has_no_keys(const struct sock *sk);
bool tcpc_sk_has_no_source_route(const struct sock *sk);
bool tcpc_sk_is_ordinary(const struct sock *sk);
bool tcpc_sk_is_orphan(const struct sock *sk);
bool tcpc_sk_is_request(const struct sock *sk);
bool tcpc_sk_is_v6(const struct sock *sk);
u16 tcpc_sk_num(const struct sock *sk);
__be32 tcpc_sk_rcv_saddr(const struct sock *sk);
void tcpc_sk_release_cb(struct sock *sk);
void tcpc_sk_set_local(struct sock *sk, const struct in6_addr *local);
void tcpc_sk_set_remote(struct sock *sk, const struct in6_addr *remote, __be16 dport);
struct in6_addr tcpc_sk_v6_daddr(const struct sock *sk);
struct in6_addr tcpc_sk_v6_rcv_saddr(const struct sock *sk);
void tcpc_sock_hold(struct sock *sk);
struct net *tcpc_sock_held_net(const struct sock *sk);
struct net *tcpc_sock_net(const struct sock *sk);
bool tcpc_sock_owned_by_user(const struct sock *sk);
void tcpc_sock_put(struct sock *sk);
void tcpc_bind_lock(struct inet_bind_hashbucket *head);
void tcpc_bind_unlock(struct inet_bind_hashbucket *head);
void tcpc_spin_lock(spinlock_t *lock);
void tcpc_spin_lock_nested(spinlock_t *lock);
void tcpc_spin_unlock(spinlock_t *lock);
void tcpc_unlock_sock_fast(struct sock *sk, bool slow);

#endif
