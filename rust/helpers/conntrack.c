// SPDX-License-Identifier: GPL-2.0
/*
 * Static inlines and macros for rust/net/conntrack.rs: entries of connection tracking, without
 * wanting that module.
 */
#include <linux/module.h>
#include <linux/netfilter.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "conntrack.h"

/* symbol_get() compares types: what it gives is what the compiler knows the function to be. */
tcpc_ct_alloc_t tcpc_ct_get_alloc(void)
{
	return symbol_get(nf_conntrack_alloc);
}

tcpc_ct_find_t tcpc_ct_get_find(void)
{
	return symbol_get(nf_conntrack_find_get);
}

tcpc_ct_free_t tcpc_ct_get_free(void)
{
	return symbol_get(nf_conntrack_free);
}

tcpc_ct_insert_t tcpc_ct_get_insert(void)
{
	return symbol_get(nf_conntrack_hash_check_insert);
}

void tcpc_ct_put_alloc(void)
{
	symbol_put(nf_conntrack_alloc);
}

void tcpc_ct_put_find(void)
{
	symbol_put(nf_conntrack_find_get);
}

void tcpc_ct_put_free(void)
{
	symbol_put(nf_conntrack_free);
}

void tcpc_ct_put_insert(void)
{
	symbol_put(nf_conntrack_hash_check_insert);
}

/*
 * A connection that was picked up, as tcp_new(), net/netfilter/nf_conntrack_proto_tcp.c, has it, and
 * was answered; with the marks of the one it was. No NAT: a null binding needs no extension, and
 * IPS_SRC_NAT_DONE would have nf_conntrack_free() take it out of a list it is not in. A state of
 * five is TCP_NONE_SET of that file: no segment was seen.
 */
void tcpc_ct_begin(struct nf_conn *ct, const struct nf_conn *old, u32 lifetime)
{
	const u8 flags = IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_BE_LIBERAL;

#ifdef CONFIG_NF_CONNTRACK_MARK
	ct->mark = READ_ONCE(old->mark);
#endif
#ifdef CONFIG_NF_CONNTRACK_SECMARK
	ct->secmark = old->secmark;
#endif
	ct->proto.tcp.state = TCP_CONNTRACK_ESTABLISHED;
	ct->proto.tcp.last_index = 5;
	ct->proto.tcp.seen[IP_CT_DIR_ORIGINAL].flags = flags;
	ct->proto.tcp.seen[IP_CT_DIR_REPLY].flags = flags;
	WRITE_ONCE(ct->timeout, nfct_time_stamp + lifetime);
	ct->status |= IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_FIXED_TIMEOUT;
}

void tcpc_ct_fill_tuple(struct nf_conntrack_tuple *tuple, const union nf_inet_addr *source,
			__be16 source_port, const union nf_inet_addr *destination,
			__be16 destination_port, u16 family, u8 dir)
{
	memset(tuple, 0, sizeof(*tuple));
	tuple->src.u3 = *source;
	tuple->src.u.tcp.port = source_port;
	tuple->src.l3num = family;
	tuple->dst.u3 = *destination;
	tuple->dst.u.tcp.port = destination_port;
	tuple->dst.protonum = IPPROTO_TCP;
	tuple->dst.dir = dir;
}

/* Answered, and not translated. It may be over: a RST that TCP was kept from ends it for conntrack. */
bool tcpc_ct_is_answered(const struct nf_conn *ct)
{
	const u8 state = READ_ONCE(ct->proto.tcp.state);
	const unsigned long status = READ_ONCE(ct->status);

	return status & IPS_SEEN_REPLY && !(status & (IPS_DYING | IPS_NAT_MASK)) &&
	       state >= TCP_CONNTRACK_SYN_RECV && state <= TCP_CONNTRACK_CLOSE;
}

bool tcpc_ct_is_there(void)
{
	return rcu_access_pointer(nf_ct_hook);
}

/* From now on it lives as long as others. */
void tcpc_ct_keep(struct nf_conn *ct)
{
	clear_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status);
}

gfp_t tcpc_gfp_atomic(void)
{
	return GFP_ATOMIC;
}

struct nf_conn *tcpc_ct_of(const struct nf_conntrack_tuple_hash *hash)
{
	return nf_ct_tuplehash_to_ctrack(hash);
}

/* Not nf_ct_put(), which wants the module. */
void tcpc_ct_put(struct nf_conn *ct)
{
	nf_conntrack_put(&ct->ct_general);
}

const struct nf_conntrack_zone *tcpc_ct_zone(void)
{
	return &nf_ct_zone_dflt;
}
