# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The secure profile: negotiated when the connection is opened, authenticated, through NAT.

topology routed mode=secure

# expect secured NAME from OLD to NEW [busy]: as `expect moved`, with an authentic CONFIRM and a validated path.
expect_secured() {
	local name=$1 old=$3 new=$5 words=${6:-usual} count=${FLOW_COUNT[$1]}
	expect flow "$name" between "$new" and 10.0.2.1 on both within 10s
	expect flow "$name" carries 64KiB each way unchanged
	expect counters mover "CapableOffered=$count CapableAgreed=$count Moved=$count UpdateSent=$count \
			Confirmed=$count ResponseSent=$count+ $words," \
		correspondent "CapableAgreed=$count Rebound=$count ConfirmSent=$count+ PathValidated=$count \
			ConfirmRetransmitted=any $words, others 0"
	expect segments --secure update --option-only --from "$(addr "$new")" from mover at least "$count"
	expect segments --secure confirm --to "$(addr "$new")" from mover at least "$count"
	expect segments --secure response --option-only --from "$(addr "$new")" from mover at least "$count"
	expect no old source "$old" from mover
}

describe "both ends agree when it is opened, on 16 octets of SYN and SYN/ACK each, and an echo; on new keys soon after; unasked"
topology routed mode=default
kernels both
variants plain family=6 family=mapped
case_negotiated() {
	on mover ethtool -K net0 tx off >/dev/null
	on correspondent ethtool -K net0 tx off >/dev/null
	open_flow shell from mover to correspondent

	expect flow shell carries 64KiB each way unchanged
	expect counters mover CapableOffered=1 CapableAgreed=1 KeyshareSent=1 KeyshareRetransmitted=any KeyedSent=1+ KeysExchanged=1 Deferred=any, \
		correspondent CapableAgreed=1 KeyshareSent=1 KeyshareRetransmitted=any KeyedSent=1+ KeysExchanged=1 Deferred=any, others 0 within 10s
	expect checksums right on mover
	expect checksums right on correspondent
	expect segments --flags S --secure capable from mover exactly 2
	expect segments --secure echo --option-only from mover at least 1
}

describe "an idle connection is renumbered: UPDATE, CONFIRM, RESPONSE"
topology routed mode=secure
kernels both
variants plain rough family=6 family=mapped rough,family=6
case_renumbered() {
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect secured shell from 10.0.1.1 to 10.0.1.9
}

describe "full speed both ways while the mover is renumbered"
topology routed mode=secure snap=160
kernels both
variants plain rough family=6
case_bulk() {
	open_flow bulk from mover to correspondent
	flow bulk bulk
	expect flow bulk moves octets

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow bulk between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow bulk moves octets within 20s
	flow bulk stop
	expect counters mover Moved=1 Confirmed=1, correspondent Rebound=1+ PathValidated=1+
}

# Connections and TSvals of segments that the mover received, "PORT TSVAL", in their order.
clocks_of() {
	tcpc-tool decode "$WORK/mover.pcap" --json --sport 5000 "$@" |
		sed -n 's/.*"dport":\([0-9]*\),.*"tsval":\([0-9]*\),.*/\1 \2/p'
}

describe "the UPDATE acknowledges some, and more waits to be sent: what the mover lacks takes the new path first"
topology routed mode=secure
variants delay=800ms delay=800ms,family=6
case_oldest_first() {
	local ip=ip router lacked first
	[ "${OPT[family]}" != 6 ] || ip=ip6
	gateway_to router 10.0.2.254
	# Two segments in flight, for want of a larger window.
	ip -n correspondent "$INET" route change default via "$router" dev net0 initcwnd 2
	SERVE_WORDS=--nodelay open_flow shell from mover to correspondent
	quiet 1s
	# One of the segments in flight arrives. That it did is not heard of.
	on west firewall "chain cut { type filter hook forward priority 0;
		$ip saddr $(addr 10.0.1.1) drop;
		$ip daddr $(addr 10.0.1.1) meta length > 300 numgen inc mod 1000000 != 0 drop; }"

	for _ in 1 2 3 4; do server correspondent send 600; done
	quiet 0.5s
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	on west passes
	expect flow shell carries 64KiB each way unchanged within 60s
	capture_stop
	lacked=$(tcpc-tool decode "$WORK/mover.pcap" --secure update --json | sed -n '1s/.*"ack":\([0-9]*\),.*/\1/p')
	first=$(tcpc-tool decode "$WORK/mover.pcap" --data --to "$(addr 10.0.1.9)" --json | sed -n '1s/.*"seq":\([0-9]*\),.*/\1/p')
	[ -n "$lacked" ] || fail "an UPDATE" "none"
	[ "$first" = "$lacked" ] || fail "the first octet on the new path is $lacked" "$first"
}

describe "more connections than a new address gets segments for: those that get none send as soon as it is validated"
topology routed mode=secure snap=160
variants plain family=6
case_no_credit() {
	local count=40 late
	open_flow many from mover to correspondent connections=$count
	on west blocks mid
	server correspondent send 1K

	on mover lose net0 10.0.1.1/24
	on west passes
	on mover gain net0 10.0.1.9/24
	on mover route net0 10.0.1.9/24

	expect flow many between 10.0.1.9 and 10.0.2.1 on both within 10s
	flow many expect 1K
	expect flow many carries 1KiB each way unchanged
	expect counters mover Moved=$count Confirmed=$count, \
		correspondent Rebound=$count PathValidated=$count BudgetDropped=8+
	# The clock is the correspondent's, in milliseconds. Its retransmission timer runs a second after it followed.
	capture_stop
	clocks_of --secure confirm >"$WORK/confirms"
	clocks_of --data --to "$(addr 10.0.1.9)" >"$WORK/data"
	# So many at once may be too much for tcpdump.
	late=$(awk 'FNR == NR { if (!($1 in at)) at[$1] = $2; next }
		$1 in at && !($1 in seen) { seen[$1]; n++; if ($2 - at[$1] >= 900) print $1, $2 - at[$1] }
		END { if (n < 20) print n + 0, "seen" }' "$WORK/confirms" "$WORK/data")
	[ -z "$late" ] || fail "no connection waits for its retransmission timer" "$late"
}

describe "the end that accepted is renumbered"
topology routed mode=secure
variants plain family=6
case_acceptor_moves() {
	open_flow shell from mover to correspondent

	on correspondent renumber net0 10.0.2.1/24 10.0.2.9/24

	expect flow shell between 10.0.1.1 and 10.0.2.9 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters correspondent Moved=1 Confirmed=1, mover Rebound=1 PathValidated=1
}

describe "there and back, and on: every move an epoch, and no second validation of a path that is known"
variants plain family=6
case_back_again() {
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell carries 64KiB each way unchanged
	expect motion on mover 0 pending
	on mover renumber net0 10.0.1.9/24 10.0.1.1/24
	expect flow shell carries 64KiB each way unchanged

	expect flow shell between 10.0.1.1 and 10.0.2.1 on both
	expect counters mover Moved=2 Confirmed=2, correspondent Rebound=2 PathValidated=1 PathKnown=1
}

describe "the mover is behind NAT, and its address changes: the peer sees another port, too"
variants plain
case_behind_nat() {
	on west firewall 'chain nat { type nat hook postrouting priority 100; oifname "mid" masquerade random; }'
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell carries 64KiB each way unchanged
	expect flow shell between 10.0.1.9 and 10.0.2.1 on mover
	expect counters mover Moved=1 Confirmed=1, correspondent Rebound=1 PathValidated=1
}

describe "a peer that does not have the profile: plain TCP, and nothing moves"
topology routed mode=secure legacy=correspondent
variants plain family=6
case_declined() {
	open_flow shell from mover to correspondent --user-timeout 3000
	expect flow shell carries 64KiB each way unchanged
	expect counters mover CapableOffered=1 CapableDeclined=1, correspondent, others 0

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	flow_does shell "send 1K" || true

	expect flow shell fails with E within 30s
	expect counters mover CapableOffered=1 CapableDeclined=1 Ineligible=1+, correspondent, others 0
}

describe "answers do not arrive: the correspondent goes back to the path it had, and on when they do again"
topology routed mode=secure
variants plain
limit 90
case_not_validated() {
	on correspondent set tcp_continuity/validate_time 2
	open_flow shell from mover to correspondent
	on west blocks mid

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect counters correspondent PathReturned=1+ within 15s
	on west passes
	expect flow shell carries 64KiB each way unchanged within 40s
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect counters correspondent PathValidated=1 within 10s
}

describe "a path that lapsed is heard of again while a process owns the socket: it is taken all the same"
topology routed mode=secure
variants plain
limit 90
exclusive
case_lapsed_and_owned() {
	on correspondent set tcp_continuity/validate_time 2
	open_flow shell from mover to correspondent
	# As in hardship/owned_socket.
	printf '#!/bin/sh\nsleep %d\n' $((3 * SCALE)) >/tmp/slow
	chmod +x /tmp/slow
	echo /tmp/slow >/proc/sys/kernel/modprobe
	on west blocks mid
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters correspondent PathReturned=1+ within 15s

	server correspondent own &
	quiet 1s
	flow shell send 1K
	quiet $((3 * SCALE))s
	on west passes

	expect flow shell carries 64KiB each way unchanged within 40s
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	echo /sbin/modprobe >/proc/sys/kernel/modprobe
}

describe "an UPDATE and one on a SYN arrive, and the first is answered first: one more is sent at once (S-77)"
topology routed mode=secure
variants plain
case_answered_before_the_syn() {
	open_flow shell from mover to correspondent
	on west firewall 'chain first { type filter hook forward priority 0;
		ip saddr 10.0.1.9 tcp option 253 exists numgen inc mod 1000000 0 drop; }'

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect counters mover UpdateOnSyn=1+ Confirmed=1, correspondent Rebound=1 within 10s
	expect flow shell carries 64KiB each way unchanged
	# 1 was lost; 2 and, on a SYN, 3 arrived.
	capture_stop
	tcpc-tool decode "$WORK/mover.pcap" --secure update >"$WORK/updates"
	grep -q 'UPDATE epoch=4 ' "$WORK/updates" || fail "an UPDATE with epoch 4" "$(cat "$WORK/updates")"
}

describe "ten thousand short connections leave nothing behind, and begin no exchange of keys"
topology routed mode=secure keyshare=60000 uncaptured
limit 240
case_nothing_left() {
	# On a slow machine a FIN may come twice, and find no room for TIME_WAIT, but a RST.
	local rounds=20 i
	for ((i = 0; i < rounds; i++)); do
		open_flow "many$i" from mover to correspondent connections=500
		flow "many$i" close
	done
	expect counters mover "CapableOffered=$((rounds * 500)) CapableAgreed=$((rounds * 500))," \
		correspondent "CapableAgreed=$((rounds * 500)) SecureNotCapable=any RstIgnored=any ProbeSent=any Deferred=any, others 0"
	expect counters mover OpeningNow=0 CapableNow=0, correspondent OpeningNow=0 CapableNow=0 within 10s
}
