# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # set in another file
# Attackers: tcpc-tool forge, with what a capture tells of a connection.

# Ports, numbers and timestamps that the mover's next segment would have, as words for forge.
next_segment_of() {
	local words
	capture_stop
	words=$(tcpc-tool decode "$WORK/$1.pcap" --from "$(addr "$2")" --forge-args) ||
		fail "a segment from $2 in the capture" "$words"
	echo "$words"
}

# forge HOST WORDS…: from there, to the correspondent.
forge() {
	local host=$1
	shift
	[[ " $* " == *" --to "* ]] || set -- --to "$(addr 10.0.2.1)" "$@"
	SEEN=$(in_host "$host" tcpc-tool forge update --seed "$SEED" "$@" 2>&1) ||
		fail "forge $*" "$SEEN"
}

# expect untouched NAME: neither end of the flow has moved, and it carries octets.
expect_untouched() {
	expect flow "$1" between 10.0.1.1 and 10.0.2.1 on both
	expect flow "$1" carries 64KiB each way unchanged
	expect counters correspondent Rebound=0 Repeated=0, mover Moved=0
}

# Few lines in the kernel's log, however much was sent.
expect_silence() {
	local lines
	lines=$(kernel_log "$LOGGED" | grep -c tcp_continuity || true)
	[ "$lines" -le 20 ] || fail "at most 20 lines in the kernel's log" "$lines lines"
}

# relay ROUTER WORDS…: what its firewall drops is sent on, changed (tcpc-tool forge relay).
declare -A RELAY=()
relay() {
	local host=$1
	shift
	: >"$WORK/relay-$host.log"
	start "$host" tcpc-tool forge relay "$@" >"$WORK/relay-$host.log" 2>&1 &
	RELAY[$host]=$!
	within 10s says "$WORK/relay-$host.log" listening ||
		fail "a relay on $host" "$(cat "$WORK/relay-$host.log")"
}

stop_relay() {
	kill "${RELAY[$1]}"
	wait "${RELAY[$1]}" 2>/dev/null || true
}

# replay HOST CAPTURE WORDS…: from there, segments that another host has captured, again or changed.
replay() {
	local host=$1 capture=$2
	shift 2
	SEEN=$(in_host "$host" tcpc-tool forge replay "$WORK/$capture.pcap" --seed "$SEED" "$@" 2>&1) ||
		fail "replay $*" "$SEEN"
}
