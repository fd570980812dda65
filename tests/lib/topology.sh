# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # another shell expands it
# What the hosts are and how they are joined.
#
# routed:
#            net0 10.0.1.1                                          10.0.2.1 net0
#   mover ──────────────── west ═══════ netem ═══════ east ──────────────── correspondent
#            net1 (10.0.3.x)        10.0.9.1  .2               net1 (10.0.4.x)
#
# Routers are .254. Loss and delay are between the routers only, whose neighbour entries are
# permanent: neighbour discovery never crosses the slow part, and no queue there holds a clone of
# what a host's socket has sent, since a router owns what it forwards.
#
# Variants: loss=10%, delay=80ms (of a round trip), reorder=25%, and `rough`, which is some of each. Where
# ends negotiate, nothing is lost before a flow is open: a SYN that is repeated offers nothing.
# Words after the name: `mode=secure` is another mode than classic, `mode=default` sets none, `legacy=HOST|both`
# switches it off there; `keyshare=500` has connections of that age exchange keys, which those of `mode=secure` do not
# as a rule, so that every segment is one of the test's; `attacker` adds a host with 10.0.5.66 behind east,
# `uncaptured` makes no captures.
#
# joined: mover and correspondent on one cable, 10.0.1.1 and 10.0.1.2.
# single: one host, mover, with 10.0.1.1 and 10.0.2.1 on interfaces of their own.

declare -A PEER_OF=(
	[mover:net0]=west:mover0 [mover:net1]=west:mover1
	[correspondent:net0]=east:corr0 [correspondent:net1]=east:corr1
	[attacker:net0]=east:attacker0
)

# What is made is said to ip(8) in one go for all hosts, and in one for each: every process counts, since the
# instrumented kernel needs a good part of a second to start one.

# One namespace each. What a new one has for settings is said in vm/main.
make_hosts() { printf 'netns add %s\n' "$@"; }

# A cable between "HOST:DEVICE"s of PEER_OF.
make_link() {
	local host=$1 device=$2 other=${PEER_OF[$1:$2]}
	echo "link add $device netns $host type veth peer name ${other#*:} netns ${other%%:*}"
}

# What ip(8) is to do on a host, from standard input, after settings: PATH=VALUE below /proc/sys/net.
# Its path, since ip is a word of the shell, too, which is busybox.
make_host() {
	local host=$1
	shift
	in_host "$host" sh -c '
		for word; do
			for file in /proc/sys/net/${word%=*}; do echo "${word##*=}" >"$file" || exit; done
		done
		exec /usr/bin/ip -batch -' sh "$@"
}

# As make_host, for an end of connections, whose mode is set.
make_end() {
	local host=$1 mode=${OPT[mode]} settings=()
	[[ ${OPT[legacy]} != @("$host"|both) ]] || mode=off
	if [ -z "${ABSENT:-}" ]; then
		[ -e /proc/net/tcp_continuity_stat ] || fail "the module is loaded" "it is not"
		[ "$mode" = default ] || settings+=("tcp_continuity/mode=$mode")
		[[ $mode = @(off|classic|default) ]] || settings+=("tcp_continuity/keyshare_after=${OPT[keyshare]}")
	fi
	make_host "$host" "${settings[@]}"
}

# Whether what a connection can do depends on its SYN.
negotiates() { [[ ${OPT[mode]} != @(off|classic) ]]; }

# Both families on each link, so that both are there whatever the run is about.
addresses() {
	local device=$1 net=$2 number=$3
	echo "address add 10.0.$net.$number/24 dev $device"
	echo "address add fd00:$net::$number/64 dev $device nodad"
}

topology_routed() {
	{
		make_hosts mover west east correspondent
		make_link mover net0
		make_link mover net1
		make_link correspondent net0
		make_link correspondent net1
		echo "link add mid netns west address 02:00:00:00:09:01 type veth peer name mid address 02:00:00:00:09:02 netns east"
	} | ip -batch -
	{
		echo "link set lo up"
		addresses net0 1 1
		echo "link set net0 up"
		echo "link set net1 up"
		echo "route add default via 10.0.1.254"
		echo "route add default via fd00:1::254"
	} | make_end mover
	{
		echo "link set lo up"
		addresses net0 2 1
		echo "link set net0 up"
		echo "link set net1 up"
		echo "route add default via 10.0.2.254"
		echo "route add default via fd00:2::254"
	} | make_end correspondent
	make_router west 1 2 "mover0 1" "mover1 3"
	make_router east 2 1 "corr0 2" "corr1 4"
	if [ -z "${OPT[loss]}" ] || ! negotiates; then impair; fi
	[[ " $* " != *" attacker "* ]] || make_attacker
}

topology_joined() {
	{
		make_hosts mover correspondent
		echo "link add net0 netns mover type veth peer name net0 netns correspondent"
	} | ip -batch -
	{ addresses net0 1 1; echo "link set lo up"; echo "link set net0 up"; } | make_end mover
	{ addresses net0 1 2; echo "link set lo up"; echo "link set net0 up"; } | make_end correspondent
}

topology_single() {
	make_hosts mover | ip -batch -
	{
		echo "link set lo up"
		echo "link add net0 type dummy"
		echo "link add net1 type dummy"
		addresses net0 1 1
		addresses net1 2 1
		echo "link set net0 up"
		echo "link set net1 up"
	} | make_end mover
}

# HOST, its number and the other's on the middle link, "DEVICE NET" of its networks.
make_router() {
	local host=$1 own=$2 other=$3 word net
	shift 3
	# A cable that is pulled out takes no address from a router.
	{
		addresses mid 9 "$own"
		echo "link set mid up"
		echo "neighbour add 10.0.9.$other lladdr 02:00:00:00:09:0$other dev mid"
		echo "neighbour add fd00:9::$other lladdr 02:00:00:00:09:0$other dev mid"
		echo "route add default via 10.0.9.$other"
		echo "route add default via fd00:9::$other"
		for word in "$@"; do
			net=${word#* }
			addresses "${word% *}" "$net" 254
			echo "link set ${word% *} up"
		done
	} | make_host "$host" ipv4/ip_forward=1 ipv6/conf/all/forwarding=1 'ipv6/conf/*/keep_addr_on_down=1'
}

# loss=10%, delay=80ms (of a round trip), reorder=25%: on the middle link, both directions.
impair() {
	local words='' half
	half=${OPT[delay]%ms}
	[ -z "$half" ] || words="delay $((half / 2))ms"
	[ -z "${OPT[loss]}" ] || words="$words loss ${OPT[loss]}"
	[ -z "${OPT[reorder]}" ] || words="${words:-delay 10ms} reorder ${OPT[reorder]}"
	[ -n "$words" ] || return 0
	# shellcheck disable=SC2086 # words on purpose
	{
		tc -n west qdisc replace dev mid root netem limit 10000 $words
		tc -n east qdisc replace dev mid root netem limit 10000 $words
	}
}

# The mover's router is known to it, so that nothing has to wait for neighbour discovery: what waits
# is overtaken by what is sent as the answer comes (neigh_update(), net/core/neighbour.c).
# shellcheck disable=SC2034 # read in host.sh
know_router() {
	ROUTER_OF_MOVER=$(ip -n west -o link show mover0 | sed -n 's#.*link/ether \([^ ]*\) .*#\1#p')
}

# Received segments of these hosts go to one processor a flow (receive packet steering).
spread() {
	local host
	for host in "$@"; do
		ip netns exec "$host" sh -c 'for i in /sys/class/net/*/queues/rx-*/rps_cpus; do echo 3 >"$i"; done'
	done
}

make_attacker() {
	{ make_hosts attacker; make_link attacker net0; } | ip -batch -
	{ addresses net0 5 66; echo "link set lo up"; echo "link set net0 up"
		echo "route add default via 10.0.5.254"; } | ip -n attacker -batch -
	{ addresses attacker0 5 254; echo "link set attacker0 up"; } | ip -n east -batch -
	ip -n attacker route add default via fd00:5::254
}
