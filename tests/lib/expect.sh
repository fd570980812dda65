# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # set in another file
# Expectations. Each says, when it fails, what was expected and what was seen.
#
#   expect flow NAME between A and B on both|FROM|TO [within 3s]
#   expect flow NAME carries 64KiB each way unchanged [within 30s]
#   expect flow NAME moves octets [within 10s]           a `bulk` or `records` flow goes on
#   expect flow NAME fails with ETIMEDOUT within 20s
#   expect flow NAME state ESTAB on HOST [within 3s]
#   expect counters HOST Name=1 Other=any Third=2+, HOST …, others 0 [within 3s]
#   expect ended STATE on HOST, STATE on HOST            no socket is left in these
#   expect motion on HOST COUNT pending|suspended [within 3s]
#   expect requests on HOST COUNT                        connections that were asked for by a SYN
#   expect segments [with UPDATE] [WORDS of decode] from HOST at least|at most|exactly N
#   expect no old source ADDRESS from HOST               after the first UPDATE
#   expect checksums right on HOST
#   expect setting NAME is VALUE on HOST
#   expect refused COMMAND…                              EINVAL
#   expect moved NAME from OLD to NEW                    all of a usual move of the mover's

expect() {
	local word=$1
	shift
	"expect_$word" "$@"
}

# The seconds after `within`, or a default.
span_of() {
	local default=$1
	shift
	while [ $# -gt 1 ]; do
		[ "$1" != within ] || { echo "$2"; return 0; }
		shift
	done
	echo "$default"
}

expect_flow() {
	local name=$1 word=$2
	shift 2
	"expect_flow_$word" "$name" "$@"
}

expect_flow_between() {
	local name=$1 a b where=$6 span host
	a=$(addr "$2") b=$(addr "$4")
	span=$(span_of 3s "$@")
	for host in "${FLOW_FROM[$name]}" "${FLOW_TO[$name]}"; do
		[ "$where" = both ] || [ "$where" = "$host" ] || continue
		local near=$a far=$b side=client
		if [ "$host" = "${FLOW_TO[$name]}" ]; then
			near=$b far=$a side=server
		fi
		within "$span" sockets_are "$host" "$near" "$far" "${FLOW_PORT[$name]}" \
			"${FLOW_COUNT[$name]}" "$side" ||
			fail "flow $name between $near and $far on $host within $span" "$SEEN"
	done
}

expect_flow_carries() {
	local name=$1 count span
	count=$(octets "$2")
	span=$(span_of 30s "$@")
	flow_does "$name" "exchange $count" "$span" ||
		fail "flow $name carries $2 each way unchanged within $span" "$SEEN"
}

expect_flow_moves() {
	local name=$1 span
	span=$(span_of 10s "$@")
	flow_does "$name" "progress 1" "$span" || fail "octets arrive on flow $name within $span" "$SEEN"
}

expect_flow_fails() {
	local name=$1 why=$3 span
	span=$(span_of 20s "$@")
	flow_does "$name" wait "$span" || true
	[[ $SEEN == *"error $why"* ]] || fail "flow $name fails with $why within $span" "$SEEN"
}

state_is() {
	local host=$1 state=$2 port=$3 count=$4
	sockets_on "$host" | awk -v s="$state" -v p=":$port" -v n="$count" '
		index($1 " ", p " ") || index($2 " ", p " ") { if ($3 == s) good++; else if ($3 != "LISTEN") print }
		END { exit good != n }'
}

expect_flow_state() {
	local name=$1 state=$2 host=$4 span
	span=$(span_of 5s "$@")
	within "$span" state_is "$host" "$state" "${FLOW_PORT[$name]}" "${FLOW_COUNT[$name]}" ||
		fail "flow $name in $state on $host within $span" "${SEEN:-no such socket}"
}

expect_ended() {
	within 20s state_is "${3%,}" "$1" 5000 0 || fail "no socket in $1 on ${3%,}" "$SEEN"
	within 5s state_is "$6" "$4" 5000 0 || fail "no socket in $4 on $6" "$SEEN"
}

motion_is() {
	local host=$1 count=$2 state=$3
	in_host "$host" cat /proc/net/tcp_continuity |
		awk -v s="$state" -v n="$count" 'NR > 1 { print; if ($4 == s) good++ } END { exit good != n }'
}

expect_motion() {
	local host=$2 count=$3 state=$4 span
	span=$(span_of 5s "$@")
	within "$span" motion_is "$host" "$count" "$state" ||
		fail "$count flows $state on $host within $span" "${SEEN:-none}"
}

requests_are() { [ "$(sockets_on "$1" | grep -c 'SYN-RECV$')" = "$2" ]; }

expect_requests() {
	within 3s requests_are "$2" "$3" || fail "$3 requests on $2" "$(sockets_on "$2")"
}

expect_segments() {
	local words=() host=mover how number shown
	while [ $# -gt 0 ]; do
		case $1 in
		with) words+=(--updates); shift ;;
		from) host=$2; shift ;;
		at) how=$2 number=$3; shift 2 ;;
		exactly) how=exactly number=$2; shift ;;
		*) words+=("$1") ;;
		esac
		shift
	done
	capture_stop
	case $how in
	least) how=--at-least ;;
	most) how=--at-most ;;
	exactly) how=--exactly ;;
	esac
	shown=$(tcpc-tool decode "$WORK/$host.pcap" "${words[@]}" "$how" "$number" 2>&1) ||
		fail "segments ${words[*]} on $host: ${how#--} $number" "$(tail -n 12 <<<"$shown")"
}

expect_no() {
	expect_segments --from "$(addr "$3")" --after first-update from "$5" at most 0
}

# Both directions: what a host has received is judged at its sender.
expect_checksums() {
	expect_segments --check from "$3" at least 1
	[ "$(in_host "$3" nstat -asz TcpInCsumErrors | awk '/InCsum/ {print $2}')" = 0 ] ||
		fail "no wrong checksum received on $3" "$(in_host "$3" nstat -asz TcpInCsumErrors)"
}

expect_setting() {
	local seen
	seen=$(on "$5" show "tcp_continuity/$1")
	[ "$seen" = "$3" ] || fail "$1 is $3 on $5" "$seen"
}

expect_refused() {
	local seen
	! seen=$("$@" 2>&1) || fail "refused: $*" "accepted"
	[[ $seen == *"nvalid argument"* ]] || fail "EINVAL from: $*" "$seen"
}
