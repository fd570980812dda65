# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # another shell expands it
# Hosts are network namespaces: what can be done on one. `on HOST WORD …` does a word of this file
# (as host_WORD, with the host first) or any command.
#
# Addresses are written as IPv4. With family=6 10.0.A.B[/24] means fd00:A::B[/64], so that a case is
# read once and run in both families.

# An address as the family of this run has it, in a variable: `addr_to NAME 10.0.1.1`.
addr_to() {
	local _text=$2 _part
	if [ "${OPT[family]}" = 6 ] && [[ $_text == 10.0.* ]]; then
		IFS=. read -ra _part <<<"${_text%/*}"
		_text=fd00:${_part[2]}::${_part[3]}
		[ "$2" = "${2%/*}" ] || _text=$_text/64
	fi
	printf -v "$1" %s "$_text"
}

# The same on standard output.
addr() {
	local text
	addr_to text "$1"
	echo "$text"
}

# The router of an address's network, in a variable.
gateway_to() {
	local address=${2%/*}
	addr_to "$1" "${address%.*}.254"
}

# ip(8)'s family word for this run, and what an address is added with. Again, where a variant has changed it.
set_family() {
	INET=-4 NODAD=''
	[ "${OPT[family]}" != 6 ] || INET=-6 NODAD=nodad
}
set_family

in_host() {
	local host=$1
	shift
	nsenter --net="/run/netns/$host" -- "$@"
}

# For what is to run in the background, in whose end nobody stumbles.
start() {
	trap - ERR
	exec nsenter --net="/run/netns/$1" -- "${@:2}" 3>&-
}

on() {
	local host=$1 word=$2
	shift 2
	if declare -F "host_$word" >/dev/null; then
		"host_$word" "$host" "$@"
	else
		in_host "$host" "$word" "$@"
	fi
}

# A value below /proc/sys/net.
host_set() {
	local host=$1 value=$3
	in_host "$host" sh -c 'echo "$2" >"/proc/sys/net/$1"' set "$2" "$value"
}

host_show() { in_host "$1" cat "/proc/sys/net/$2"; }

host_gain() {
	local address
	addr_to address "$3"
	# shellcheck disable=SC2086 # a word or none
	ip -n "$1" $INET address add "$address" dev "$2" $NODAD
}

host_lose() {
	local address
	addr_to address "$3"
	ip -n "$1" "$INET" address del "$address" dev "$2"
}

# The default route by the router of ADDRESS's network.
host_route() {
	local router
	gateway_to router "$3"
	ip -n "$1" "$INET" route replace default via "$router" dev "$2"
}

host_unroute() { ip -n "$1" "$INET" route del default; }

# As a DHCP client does it: the old one goes, the new one comes, then the route. One batch, since a
# process for each step would be an outage that is not meant.
host_renumber() {
	local host=$1 device=$2 old new router
	addr_to old "$3"
	addr_to new "$4"
	gateway_to router "$4"
	ip -n "$host" "$INET" -batch - <<-EOF
		address del $old dev $device
		address add $new dev $device $NODAD
		${ROUTER_OF_MOVER:+neighbour replace $router lladdr $ROUTER_OF_MOVER dev $device nud permanent}
		route replace default via $router dev $device
	EOF
}

host_up() { ip -n "$1" link set "$2" up; }
host_down() { ip -n "$1" link set "$2" down; }

# The carrier of a link goes and comes: its other end is taken down.
host_unplug() { ip -n "${PEER_OF[$1:$2]%%:*}" link set "${PEER_OF[$1:$2]#*:}" down; }
host_plug() { ip -n "${PEER_OF[$1:$2]%%:*}" link set "${PEER_OF[$1:$2]#*:}" up; }

# Rules of its own for a host (the inside of an nft table), until `off`.
host_firewall() {
	local host=$1
	shift
	if [ "$*" = off ]; then
		in_host "$host" nft flush ruleset
	else
		in_host "$host" nft -f - <<<"table inet test {"$'\n'"$*"$'\n'"}"
	fi
}

# A router drops the TCP segments that come in from a device; `on ROUTER passes` ends it.
host_blocks() {
	on "$1" firewall "chain blocked { type filter hook forward priority 0; iifname \"$2\" meta l4proto tcp drop; }"
}
host_passes() { on "$1" firewall off; }

quiet() { pause "${1%s}"; }
