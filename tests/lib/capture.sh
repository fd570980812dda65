# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Captures: one a host that sends, of all its links. Segments are judged by tcpc-tool decode.

declare -A CAPTURE=()

capture_start() {
	local host
	for host in "$@"; do
		: >"$WORK/tcpdump-$host.err"
		start "$host" tcpdump -i any -n -U --immediate-mode -Z root -B 8192 -s "${OPT[snap]}" -w "$WORK/$host.pcap" tcp \
			2>"$WORK/tcpdump-$host.err" &
		CAPTURE[$host]=$!
	done
	for host in "$@"; do
		within 10s says "$WORK/tcpdump-$host.err" 'listening on' ||
			fail "a capture on $host" "$(cat "$WORK/tcpdump-$host.err")"
	done
}

# Ends the captures, with a moment for what is under way.
capture_stop() {
	local host
	[ "${#CAPTURE[@]}" -gt 0 ] || return 0
	pause 0.1
	for host in "${!CAPTURE[@]}"; do
		kill -INT "${CAPTURE[$host]}" 2>/dev/null || true
		wait "${CAPTURE[$host]}" 2>/dev/null || true
		unset "CAPTURE[$host]"
	done
}

# Segments in the capture of HOST that decode's words choose.
segments() {
	local host=$1
	shift
	capture_stop
	tcpc-tool decode "$WORK/$host.pcap" --count "$@"
}

# What a capture shows, for a failure's report.
segments_shown() {
	local host=$1
	shift
	tcpc-tool decode "$WORK/$host.pcap" "$@" 2>&1 | head -n 12
}
