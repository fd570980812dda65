/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPC_HELPERS_SYSTEM_H
#define TCPC_HELPERS_SYSTEM_H

#include <crypto/sha2.h>
#include <linux/inetdevice.h>
#include <linux/seq_file.h>
#include <linux/spinlock_types.h>
#include <linux/tracepoint-defs.h>
#include <linux/workqueue.h>
#include <net/if_inet6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

/* A probe of inet_sock_set_state (include/trace/events/sock.h). */
typedef void (*tcpc_probe_t)(void *data, const struct sock *sk, const int old, const int new);

struct workqueue_struct *tcpc_alloc_workqueue(void);
void tcpc_assert_spin_locked(spinlock_t *lock);
void tcpc_cond_resched(void);
bool tcpc_crypto_memneq(const void *a, const void *b, size_t size);
struct in_ifaddr *tcpc_first_ifa(const struct net_device *dev);
struct inet6_ifaddr *tcpc_first_ifp(const struct net_device *dev);
void tcpc_hmac_sha256_update(struct hmac_sha256_ctx *ctx, const u8 *data, size_t len);
struct net *tcpc_ifa_net(const struct in_ifaddr *ifa);
struct net *tcpc_ifp_net(const struct inet6_ifaddr *ifp);
void tcpc_init_delayed_work(struct delayed_work *work, work_func_t func);
u64 tcpc_ktime_get_ms(void);
void tcpc_local_bh_disable(void);
void tcpc_local_bh_enable(void);
void tcpc_memzero(void *at, size_t len);
void *tcpc_net_generic(const struct net *net, unsigned int id);
bool tcpc_net_capable(const struct net *net);
struct proc_dir_entry *tcpc_net_proc(const struct net *net);
struct in_ifaddr *tcpc_next_ifa(const struct in_ifaddr *ifa);
struct inet6_ifaddr *tcpc_next_ifp(struct inet6_ifaddr *ifp);
struct tracepoint *tcpc_probe_find(void);
int tcpc_probe_register(struct tracepoint *tp, tcpc_probe_t probe);
void tcpc_probe_unregister(struct tracepoint *tp, tcpc_probe_t probe);
int tcpc_random_wait(void *at, size_t len);
void tcpc_schedule_at_most(struct workqueue_struct *queue, struct delayed_work *work,
			   unsigned int millis);
struct net *tcpc_seq_net(struct seq_file *file);
void tcpc_spin_lock_bh(spinlock_t *lock);
void tcpc_spin_lock_init(spinlock_t *lock, const char *name, struct lock_class_key *key);
bool tcpc_spin_trylock_bh(spinlock_t *lock);
void tcpc_spin_unlock_bh(spinlock_t *lock);

#endif
