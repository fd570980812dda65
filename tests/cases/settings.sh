# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# /proc/sys/net/tcp_continuity, each namespace its own.

describe "defaults"
topology joined mode=default uncaptured
case_defaults() {
	expect setting mode is secure on mover
	expect setting classic_kind is 253 on mover
	expect setting hold_time is 3600 on mover
	expect setting confirm_time is 120 on mover
	expect setting carrier_delay is 2000 on mover
	expect setting validate_time is 10 on mover
	expect setting keyshare_after is 3000 on mover
	expect setting rst_guard is 1000 on mover
	expect setting psk_required is 0 on mover
}

describe "a bad value gets EINVAL and changes nothing"
topology joined uncaptured
case_bad_values() {
	local name value
	for value in Secure classic+secure classi 'classic off' Classic 1 ''; do
		expect refused on mover set tcp_continuity/mode "$value"
	done
	# Kinds of others: end, no-operation, MSS, window scale, SACK, timestamps, MD5, AO, MPTCP, Fast Open.
	for value in 0 1 2 3 4 5 8 19 29 30 34 256 -1 253x '253 254' 0x100; do
		expect refused on mover set tcp_continuity/classic_kind "$value"
	done
	for name in hold_time confirm_time; do
		for value in 0 -1 4294967296 99999999 1.5 abc ''; do
			expect refused on mover set "tcp_continuity/$name" "$value"
		done
	done
	for value in 0 61 -1 x; do
		expect refused on mover set tcp_continuity/validate_time "$value"
	done
	for value in -1 60001 ten; do
		expect refused on mover set tcp_continuity/carrier_delay "$value"
	done
	for value in -1 3600001 3s; do
		expect refused on mover set tcp_continuity/keyshare_after "$value"
	done
	for value in -1 60001 1s; do
		expect refused on mover set tcp_continuity/rst_guard "$value"
	done
	for value in -1 2 yes; do
		expect refused on mover set tcp_continuity/psk_required "$value"
	done
	expect setting mode is classic on mover
	expect setting classic_kind is 253 on mover
	expect setting hold_time is 3600 on mover
	expect setting confirm_time is 120 on mover
	expect setting carrier_delay is 2000 on mover
	expect setting validate_time is 10 on mover
}

describe "what one namespace is told, the other does not notice"
topology joined legacy=both uncaptured
case_namespaces() {
	on mover set tcp_continuity/mode classic
	on mover set tcp_continuity/hold_time 7
	on mover set tcp_continuity/classic_kind 254

	expect setting mode is classic on mover
	expect setting hold_time is 7 on mover
	expect setting mode is off on correspondent
	expect setting hold_time is 3600 on correspondent
	expect setting classic_kind is 253 on correspondent
}

describe "moves in one namespace are not counted, listed or felt in another with the same addresses"
topology routed attacker
variants plain
case_isolation() {
	on attacker set tcp_continuity/mode classic
	ip -n attacker address add 10.0.1.1/24 dev lo
	in_host attacker tcpc-tool stream serve --listen 10.0.1.1:7000 --control "$WORK/twin" >"$WORK/twin.log" 2>&1 3>&- &
	within 5s grep -q listening "$WORK/twin.log" || fail "a server" "$(cat "$WORK/twin.log")"
	in_host attacker tcpc-tool stream connect 10.0.1.1:7000 --control "$WORK/flow-twin" >/dev/null 2>&1 3>&- &
	flow twin exchange 1K
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
	expect counters attacker, others 0
	flow twin exchange 1K
	in_host attacker ss -Htn state established | grep -q '10.0.1.1:7000' ||
		fail "the twin keeps its address" "$(in_host attacker ss -Htn)"
}

describe "another kind of the option, the same at both ends"
topology routed
variants plain family=6
case_other_kind() {
	on mover set tcp_continuity/classic_kind 254
	on correspondent set tcp_continuity/classic_kind 254
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 5s
	expect flow shell carries 64KiB each way unchanged
	expect segments --kind 254 with UPDATE from mover at least 1
	expect segments --kind 253 with UPDATE from mover exactly 0
}

describe "different kinds: the peer is as good as legacy"
topology routed
variants plain
case_different_kinds() {
	on mover set tcp_continuity/confirm_time 3
	on correspondent set tcp_continuity/classic_kind 254
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell fails with ETIMEDOUT within 15s
	expect counters correspondent, others 0
}
