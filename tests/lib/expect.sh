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

# The seconds after `within`, or a default, in $SPAN.
span_of() {
	SPAN=$1
	shift
	while [ $# -gt 1 ]; do
		[ "$1" != within ] || SPAN=$2
		shift
	done
}

expect_flow() {
	local name=$1 word=$2
	shift 2
	"expect_flow_$word" "$name" "$@"
}

expect_flow_between() {
	local name=$1 a b where=$6 host near far end
	addr_to a "$2"
	addr_to b "$4"
	span_of 3s "$@"
	# Of both ends on one host the client is judged, then the server.
	for end in client-of server-at; do
		host=${FLOW_FROM[$name]} near=$a far=$b
		[ $end = client-of ] || host=${FLOW_TO[$name]} near=$b far=$a
		[ "$where" = both ] || [ "$where" = "$host" ] || continue
		within "$SPAN" sockets_on "$host" between "$near" "$far" --$end "${FLOW_PORT[$name]}" \
			--count "${FLOW_COUNT[$name]}" ||
			fail "flow $name between $near and $far on $host within $SPAN" "$SEEN"
	done
}

expect_flow_carries() {
	local name=$1
	octets "$2"
	span_of 30s "$@"
	flow_does "$name" "exchange $OCTETS" "$SPAN" ||
		fail "flow $name carries $2 each way unchanged within $SPAN" "$SEEN"
}

expect_flow_moves() {
	span_of 10s "$@"
	flow_does "$1" "progress 1" "$SPAN" || fail "octets arrive on flow $1 within $SPAN" "$SEEN"
}

expect_flow_fails() {
	local name=$1 why=$3
	span_of 20s "$@"
	flow_does "$name" wait "$SPAN" || true
	[[ $SEEN == *"error $why"* ]] || fail "flow $name fails with $why within $SPAN" "$SEEN"
}

expect_flow_state() {
	local name=$1 state=$2 host=$4
	span_of 5s "$@"
	within "$SPAN" sockets_on "$host" state "$state" --port "${FLOW_PORT[$name]}" --count "${FLOW_COUNT[$name]}" ||
		fail "flow $name in $state on $host within $SPAN" "$SEEN"
}

expect_ended() {
	within 20s sockets_on "${3%,}" state "$1" --port 5000 --count 0 || fail "no socket in $1 on ${3%,}" "$SEEN"
	within 5s sockets_on "$6" state "$4" --port 5000 --count 0 || fail "no socket in $4 on $6" "$SEEN"
}

motion_is() {
	local host=$1 count=$2 state=$3 good=0 line words=()
	while read -r line; do
		echo "$line"
		read -ra words <<<"$line"
		[ "${words[3]}" != "$state" ] || good=$((good + 1))
	done < <(in_host "$host" cat /proc/net/tcp_continuity)
	# Without the module there is not even the heading.
	[ ${#words[@]} -gt 0 ] && [ "$good" = "$count" ]
}

expect_motion() {
	local host=$2 count=$3 state=$4
	span_of 5s "$@"
	within "$SPAN" motion_is "$host" "$count" "$state" ||
		fail "$count flows $state on $host within $SPAN" "${SEEN:-none}"
}

requests_are() { [ "$(sockets_on "$1" list | grep -c 'SYN-RECV$')" = "$2" ]; }

expect_requests() {
	within 3s requests_are "$2" "$3" || fail "$3 requests on $2" "$(sockets_on "$2" list)"
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
	local old
	addr_to old "$3"
	expect_segments --from "$old" --after first-update from "$5" at most 0
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
