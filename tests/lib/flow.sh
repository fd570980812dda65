# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # set and read in other files
# Connections: tcpc-tool makes them, and checks every octet. A flow is one or many connections from
# one process, named by the case; its server is one process a host.

declare -A SERVER_PID=() FLOW_FROM=() FLOW_TO=() FLOW_PORT=() FLOW_COUNT=()

# A server on a host, for all flows to it.
serve() {
	local host=$1 port=$2 listen='[::]'
	shift 2
	[ ! -e "$WORK/server-$host-$port" ] || return 0
	start "$host" tcpc-tool stream serve --listen "$listen:$port" --control "$WORK/server-$host-$port" \
		"$@" >"$WORK/server-$host-$port.log" 2>&1 &
	SERVER_PID[$host]=$!
	within 10s test -S "$WORK/server-$host-$port" ||
		fail "a server on $host" "$(cat "$WORK/server-$host-$port.log")"
}

# An address of a host as a socket of this run names it, in a variable: v4-mapped with family=mapped.
socket_addr_to() {
	local _address
	addr_to _address "$2"
	case ${OPT[family]} in
	mapped) _address="[::ffff:$_address]" ;;
	6) _address="[$_address]" ;;
	esac
	printf -v "$1" %s "$_address"
}

# The same on standard output.
socket_addr() {
	local address
	socket_addr_to address "$1"
	echo "$address"
}

# open_flow NAME from HOST to HOST [at ADDRESS] [port=N] [connections=N] [tcpc-tool words…]
open_flow() {
	begin_flow "$@"
	flow_does "$1" "exchange 100" 20s || fail "flow $1 carries 100 octets at first" "$SEEN"
	if [ -n "${OPT[loss]}" ] && negotiates; then impair; fi
}

# As open_flow, without a word from the server, which may not have accepted yet.
begin_flow() {
	local name=$1 from=$3 to=$5 at='' port=5000 count=1
	shift 5
	case $to in
	correspondent) at=10.0.2.1 ;;
	mover) at=10.0.1.1 ;;
	esac
	if [ "${1:-}" = at ]; then
		at=$2
		shift 2
	fi
	while :; do
		case ${1:-} in
		port=*) port=${1#*=} ;;
		connections=*) count=${1#*=} ;;
		*) break ;;
		esac
		shift
	done
	# shellcheck disable=SC2086 # words on purpose
	serve "$to" "$port" ${SERVE_WORDS:-}
	FLOW_FROM[$name]=$from FLOW_TO[$name]=$to FLOW_PORT[$name]=$port FLOW_COUNT[$name]=$count
	socket_addr_to at "$at"
	start "$from" tcpc-tool stream connect "$at:$port" --connections "$count" \
		--seed "$SEED" --control "$WORK/flow-$name" "$@" >"$WORK/flow-$name.log" 2>&1 &
	flow_does "$name" "sockets $count" 20s || fail "flow $name opens" "$SEEN"
}

# A command to a flow's process: its answer is left in $SEEN, its status is ours.
flow_does() {
	local name=$1 command=$2 span=${3:-10s}
	span=$((${span%s} * SCALE))
	SEEN=$(tcpc-tool stream ctl --timeout "$span" "$WORK/flow-$name" "$command" 2>&1)
}

# As flow_does, and it must succeed: `flow NAME COMMAND…` (see tcpc-tool stream ctl --help).
flow() {
	local name=$1
	shift
	flow_does "$name" "$*" 30s || fail "flow $name: $*" "$SEEN"
}

# The same for the server's side of it.
server() {
	local host=$1
	shift
	SEEN=$(tcpc-tool stream ctl --timeout $((20 * SCALE)) "$WORK/server-$host-5000" "$@" 2>&1) ||
		fail "server on $host: $*" "$SEEN"
}

# Local ports of a flow's connections, at the end that opened them.
ports_of() {
	tcpc-tool stream ctl "$WORK/flow-$1" connections | sed -n 's/.*local=[^ ]*:\([0-9]*\) .*/\1/p'
}

# The TCP sockets of a host: tcpc-tool's `sockets`, which tells v4-mapped addresses as IPv4 ones.
sockets_on() { tcpc-tool sockets --net "/run/netns/$1" "${@:2}"; }
