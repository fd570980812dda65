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

# An address of a host as a socket of this run names it: v4-mapped with family=mapped.
socket_addr() {
	local address
	address=$(addr "$1")
	case ${OPT[family]} in
	mapped) echo "[::ffff:$address]" ;;
	6) echo "[$address]" ;;
	*) echo "$address" ;;
	esac
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
	start "$from" tcpc-tool stream connect "$(socket_addr "$at"):$port" --connections "$count" \
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

# Both ends of a TCP socket a line, "LOCAL REMOTE STATE", v4-mapped addresses as IPv4 ones.
sockets_on() {
	in_host "$1" ss -Htan | awk '{
		text = $4 " " $5 " " $1
		gsub(/\[::ffff:/, "[", text); gsub(/%[^: ]*/, "", text); gsub(/[][]/, "", text)
		print text
	}'
}

# Whether COUNT sockets of a server port are on HOST between two addresses and none between others; those
# that are only being opened are of somebody else.
sockets_are() {
	local host=$1 local=$2 remote=$3 port=$4 count=$5 side=$6
	sockets_on "$host" | awk -v l="$local" -v r="$remote" -v p="$port" -v n="$count" -v side="$side" '
		$3 == "LISTEN" || $3 == "SYN-RECV" || $3 == "TIME-WAIT" { next }
		{
			lp = rp = $1; sub(/.*:/, "", lp); la = $1; sub(/:[0-9]*$/, "", la)
			rp = $2; sub(/.*:/, "", rp); ra = $2; sub(/:[0-9]*$/, "", ra)
			if ((side == "client" && rp != p) || (side == "server" && lp != p)) next
			if (la == l && ra == r) good++; else { bad++; if (bad < 4) print host, $0 }
		}
		END { print good + 0 " right, " bad + 0 " others"; exit !(good == n && !bad) }'
}
