/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPC_HELPERS_CONNTRACK_H
#define TCPC_HELPERS_CONNTRACK_H

#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_tuple.h>
#include <net/netfilter/nf_conntrack_zones.h>

/* Functions of nf_conntrack.ko, as long as a reference of that module is held. */
typedef struct nf_conn *(*tcpc_ct_alloc_t)(struct net *net, const struct nf_conntrack_zone *zone,
					   const struct nf_conntrack_tuple *orig,
					   const struct nf_conntrack_tuple *repl, gfp_t gfp);
typedef struct nf_conntrack_tuple_hash *(*tcpc_ct_find_t)(struct net *net,
							  const struct nf_conntrack_zone *zone,
							  const struct nf_conntrack_tuple *tuple);
typedef void (*tcpc_ct_free_t)(struct nf_conn *ct);
typedef int (*tcpc_ct_insert_t)(struct nf_conn *ct);

tcpc_ct_alloc_t tcpc_ct_get_alloc(void);
tcpc_ct_find_t tcpc_ct_get_find(void);
tcpc_ct_free_t tcpc_ct_get_free(void);
tcpc_ct_insert_t tcpc_ct_get_insert(void);
void tcpc_ct_put_alloc(void);
void tcpc_ct_put_find(void);
void tcpc_ct_put_free(void);
void tcpc_ct_put_insert(void);

void tcpc_ct_begin(struct nf_conn *ct, const struct nf_conn *old, u32 lifetime);
void tcpc_ct_fill_tuple(struct nf_conntrack_tuple *tuple, const union nf_inet_addr *source,
			__be16 source_port, const union nf_inet_addr *destination,
			__be16 destination_port, u16 family, u8 dir);
bool tcpc_ct_is_answered(const struct nf_conn *ct);
bool tcpc_ct_is_there(void);
gfp_t tcpc_gfp_atomic(void);
void tcpc_ct_keep(struct nf_conn *ct);
struct nf_conn *tcpc_ct_of(const struct nf_conntrack_tuple_hash *hash);
void tcpc_ct_put(struct nf_conn *ct);
const struct nf_conntrack_zone *tcpc_ct_zone(void);

#endif
