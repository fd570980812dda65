// SPDX-License-Identifier: GPL-2.0
/*
 * Static inlines and macros for the rest of rust/net: locks, work, namespaces, notifiers, files,
 * tracepoints, cryptography.
 */
#include <crypto/sha2.h>
#include <crypto/utils.h>
#include <linux/bottom_half.h>
#include <linux/capability.h>
#include <linux/inetdevice.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/seq_file_net.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <trace/events/sock.h>

#include "system.h"

struct workqueue_struct *tcpc_alloc_workqueue(void)
{
	return alloc_workqueue("tcp_continuity", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
}

void tcpc_assert_spin_locked(spinlock_t *lock)
{
	lockdep_assert_held(lock);
}

void tcpc_cond_resched(void)
{
	cond_resched();
}

bool tcpc_crypto_memneq(const void *a, const void *b, size_t size)
{
	return crypto_memneq(a, b, size);
}

struct in_ifaddr *tcpc_first_ifa(const struct net_device *dev)
{
	struct in_device *in_dev = __in_dev_get_rtnl(dev);

	return in_dev ? rtnl_dereference(in_dev->ifa_list) : NULL;
}

struct inet6_ifaddr *tcpc_first_ifp(const struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	return idev ? list_first_entry_or_null(&idev->addr_list, struct inet6_ifaddr, if_list) : NULL;
}

void tcpc_hmac_sha256_update(struct hmac_sha256_ctx *ctx, const u8 *data, size_t len)
{
	hmac_sha256_update(ctx, data, len);
}

struct net *tcpc_ifa_net(const struct in_ifaddr *ifa)
{
	return dev_net(ifa->ifa_dev->dev);
}

struct net *tcpc_ifp_net(const struct inet6_ifaddr *ifp)
{
	return dev_net(ifp->idev->dev);
}

void tcpc_init_delayed_work(struct delayed_work *work, work_func_t func)
{
	INIT_DELAYED_WORK(work, func);
}

u64 tcpc_ktime_get_ms(void)
{
	return ktime_to_ms(ktime_get());
}

void tcpc_local_bh_disable(void)
{
	local_bh_disable();
}

void tcpc_local_bh_enable(void)
{
	local_bh_enable();
}

void tcpc_memzero(void *at, size_t len)
{
	memzero_explicit(at, len);
}

void *tcpc_net_generic(const struct net *net, unsigned int id)
{
	return net_generic(net, id);
}

/* Of whoever calls, over whoever owns the namespace. */
bool tcpc_net_capable(const struct net *net)
{
	return ns_capable(net->user_ns, CAP_NET_ADMIN);
}

struct proc_dir_entry *tcpc_net_proc(const struct net *net)
{
	return net->proc_net;
}

struct in_ifaddr *tcpc_next_ifa(const struct in_ifaddr *ifa)
{
	return rtnl_dereference(ifa->ifa_next);
}

struct inet6_ifaddr *tcpc_next_ifp(struct inet6_ifaddr *ifp)
{
	return list_is_last(&ifp->if_list, &ifp->idev->addr_list) ?
	       NULL : list_next_entry(ifp, if_list);
}

static void tcpc_probe_compare(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "inet_sock_set_state"))
		*(struct tracepoint **)found = tp;
}

/* The tracepoint's own symbol is not exported. */
struct tracepoint *tcpc_probe_find(void)
{
	struct tracepoint *found = NULL;

	if (IS_ENABLED(CONFIG_TRACEPOINTS))
		for_each_kernel_tracepoint(tcpc_probe_compare, &found);
	return found;
}

int tcpc_probe_register(struct tracepoint *tp, tcpc_probe_t probe)
{
	check_trace_callback_type_inet_sock_set_state(probe);
	return IS_ENABLED(CONFIG_TRACEPOINTS) ? tracepoint_probe_register(tp, probe, NULL) : -ENOENT;
}

void tcpc_probe_unregister(struct tracepoint *tp, tcpc_probe_t probe)
{
	if (IS_ENABLED(CONFIG_TRACEPOINTS))
		tracepoint_probe_unregister(tp, probe, NULL);
	tracepoint_synchronize_unregister();
}

int tcpc_random_wait(void *at, size_t len)
{
	return get_random_bytes_wait(at, len);
}

/* The caller keeps others from asking meanwhile. */
void tcpc_schedule_at_most(struct workqueue_struct *queue, struct delayed_work *work,
			   unsigned int millis)
{
	unsigned long delay = msecs_to_jiffies(millis);

	/*
	 * What the work is asked for is there before it is seen to be pending still: with
	 * set_work_pool_and_clear_pending(), kernel/workqueue.c.
	 */
	smp_mb();
	/* Work that is queued already has no timer any more, only an old time in it. */
	if (!delayed_work_pending(work) ||
	    (timer_pending(&work->timer) &&
	     time_before(jiffies + delay, READ_ONCE(work->timer.expires))))
		mod_delayed_work(queue, work, delay);
}

struct net *tcpc_seq_net(struct seq_file *file)
{
	return seq_file_net(file);
}

void tcpc_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

void tcpc_spin_lock_init(spinlock_t *lock, const char *name, struct lock_class_key *key)
{
#ifdef CONFIG_DEBUG_SPINLOCK
	__raw_spin_lock_init(spinlock_check(lock), name, key, LD_WAIT_CONFIG);
#else
	spin_lock_init(lock);
#endif
}

bool tcpc_spin_trylock_bh(spinlock_t *lock)
{
	return spin_trylock_bh(lock);
}

void tcpc_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}
