/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bindgen reads: the kernel's networking headers and the prototypes of our helpers. Which
 * names of it become bindings is said in bindgen_parameters.
 */
#include <crypto/curve25519.h>
#include <crypto/sha2.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/notifier.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/skbuff.h>
#include <linux/sysctl.h>
#include <linux/tcp.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/fib_notifier.h>
#include <net/inet6_hashtables.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/ip6_route.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/route.h>
#include <net/tcp.h>

#include "helpers/conntrack.h"
#include "helpers/layout.h"
#include "helpers/packet.h"
#include "helpers/sock.h"
#include "helpers/system.h"
#include "helpers/tcp.h"
