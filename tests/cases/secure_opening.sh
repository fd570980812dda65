# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # `within` expands it, each time
# How the secure profile is negotiated when connections are not opened in the usual way, or something on
# the path has its own ideas. Whatever happens, the connection works, at worst as plain TCP.

topology routed mode=secure

# expect plain NAME MOVER, CORRESPONDENT: plain TCP that carries octets; each end's counters are those, and
# nothing is left of the attempt.
expect_plain() {
	local name=$1 mover=${*:2}
	expect flow "$name" carries 64KiB each way unchanged
	expect counters mover "${mover%%,*}, correspondent ${mover#*,}, others 0"
	expect counters mover OpeningNow=0 CapableNow=0, correspondent OpeningNow=0
}

# The router next to the mover drops the first forwarded segment that RULE matches.
drops_first() {
	on west firewall "chain first { type filter hook forward priority 0; $1 numgen inc mod 1000000 0 drop; }"
}

# It takes options of Kind 253 out of the segments that RULE matches.
strips() {
	on west firewall "chain strip { type filter hook forward priority 0; $1 reset tcp option 253; }"
}

SYN='tcp flags & (syn|ack) == syn'
SYN_ACK='tcp flags & (syn|ack) == (syn|ack)'
NO_SYN='tcp flags & (syn|ack) == ack'

describe "data in the SYN (TCP Fast Open without a cookie): agreed on, and it moves"
kernels both
variants plain family=6
case_fast_open() {
	on mover set ipv4/tcp_fastopen 5
	on correspondent set ipv4/tcp_fastopen 1538
	open_flow shell from mover to correspondent --fast-open
	expect flow shell carries 64KiB each way unchanged
	expect counters mover CapableOffered=1 CapableAgreed=1, correspondent CapableAgreed=1, others 0

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect segments --flags S --data --secure capable from mover at least 1
}

describe "a Fast Open cookie beside timestamps leaves no room: neither where it is asked for, nor where it is used"
variants plain family=6
case_fast_open_cookie() {
	on mover set ipv4/tcp_fastopen 1
	on correspondent set ipv4/tcp_fastopen 1026
	open_flow asks from mover to correspondent --fast-open
	expect plain asks CapableOffered=1 CapableDeclined=1, CapableNoRoom=1

	open_flow uses from mover to correspondent --fast-open

	expect plain uses CapableOffered=1 CapableDeclined=1 CapableNoRoom=1, CapableNoRoom=1
	expect segments --flags S --data from mover at least 1
}

describe "SYN cookies: the acceptor remembers nothing of the SYN"
variants plain family=6
case_syn_cookies() {
	on correspondent set ipv4/tcp_syncookies 2
	open_flow shell from mover to correspondent

	expect plain shell CapableOffered=1 CapableDeclined=1,
}

describe "Accurate ECN: its option in the SYN/ACK leaves no room; without that option there is"
variants plain family=6
case_accurate_ecn() {
	on mover set ipv4/tcp_ecn 3
	on correspondent set ipv4/tcp_ecn 3
	open_flow full from mover to correspondent
	expect plain full CapableOffered=1 CapableDeclined=1, CapableNoRoom=1

	on correspondent set ipv4/tcp_ecn_option 0
	open_flow shell from mover to correspondent

	expect flow shell carries 64KiB each way unchanged
	expect counters mover CapableOffered=2 CapableAgreed=1 CapableDeclined=1, \
		correspondent CapableNoRoom=1 CapableAgreed=1, others 0
}

describe "crossed SYNs (simultaneous open)"
topology routed mode=secure delay=6000ms
variants plain family=6
limit 90
case_crossed() {
	# The process that is slower to start has three seconds for it.
	start correspondent tcpc-tool stream connect "$(socket_addr 10.0.1.1):6001" --bind "$(socket_addr 10.0.2.1):6002" \
		--answer --control "$WORK/other" >"$WORK/other.log" 2>&1 &
	start mover tcpc-tool stream connect "$(socket_addr 10.0.2.1):6002" --bind "$(socket_addr 10.0.1.1):6001" \
		--control "$WORK/flow-crossed" >"$WORK/flow-crossed.log" 2>&1 &

	expect flow crossed carries 20000 each way unchanged within 60s
	expect counters mover CapableOffered=1, correspondent CapableOffered=1, others 0
	expect counters mover OpeningNow=0 CapableNow=0, correspondent OpeningNow=0 CapableNow=0
	expect segments --flags SA --sport 6001 from mover at least 1
	expect segments --flags SA --sport 6002 from correspondent at least 1
}

describe "the first SYN is lost: the second is without the option"
topology routed mode=secure
variants plain family=6
case_syn_lost() {
	drops_first "$SYN"
	open_flow shell from mover to correspondent

	expect plain shell CapableOffered=1 CapableDeclined=1,
}

describe "the first SYN/ACK is lost: the second is without the option"
variants plain family=6
case_syn_ack_lost() {
	drops_first "$SYN_ACK"
	open_flow shell from mover to correspondent

	expect plain shell CapableOffered=1 CapableDeclined=1,
}

describe "the SYN is sent again before its answer comes: the answer counts"
topology routed mode=secure delay=2400ms
variants plain family=6
case_syn_ack_late() {
	open_flow shell from mover to correspondent

	expect counters mover CapableOffered=1 CapableAgreed=1, correspondent CapableAgreed=1, others 0
	expect segments --flags S --to "$(addr 10.0.2.1)" from mover at least 2
}

describe "every segment comes twice"
topology routed mode=secure
kernels both
variants plain family=6
case_doubled() {
	tc -n west qdisc replace dev mid root netem duplicate 100%
	tc -n east qdisc replace dev mid root netem duplicate 100%
	open_flow shell from mover to correspondent

	# The second SYN/ACK may find the connection open: then nobody has asked for it.
	expect flow shell carries 64KiB each way unchanged
	expect counters mover CapableOffered=1 CapableAgreed=1 SecureUnasked=any, correspondent CapableAgreed=1, others 0
}

describe "the option is taken out of the SYN"
variants plain family=6
case_stripped_syn() {
	strips "$SYN"
	open_flow shell from mover to correspondent

	expect plain shell CapableOffered=1 CapableDeclined=1,
}

describe "the option is taken out of the SYN/ACK"
variants plain family=6
case_stripped_syn_ack() {
	strips "$SYN_ACK"
	open_flow shell from mover to correspondent

	expect plain shell CapableOffered=1 CapableDeclined=1,
}

describe "the option is taken out of acknowledgements: the acceptor knows nothing, until an UPDATE gets through"
variants plain family=6
case_stripped_later() {
	strips "$NO_SYN"
	open_flow shell from mover to correspondent
	expect flow shell carries 64KiB each way unchanged
	expect counters mover CapableOffered=1 CapableAgreed=1, correspondent, others 0
	on west firewall off

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 Confirmed=1, correspondent CapableAgreed=1 Rebound=1 PathValidated=1
}

describe "the SYN/ACK comes with the option of the SYN"
variants plain family=6
case_reflected() {
	on west firewall "chain hold { type filter hook forward priority 0; $SYN_ACK drop; }"
	relay west --flags SA --reflect-option
	open_flow shell from mover to correspondent

	expect plain shell CapableOffered=1 SecureReflected=1,
}

describe "a SYN proxy on the path"
variants plain family=6
case_syn_proxy() {
	on west set netfilter/nf_conntrack_tcp_loose 0
	on west firewall 'chain early { type filter hook prerouting priority -300; tcp dport 5000 tcp flags syn notrack; }
		chain proxy { type filter hook forward priority 0;
			tcp dport 5000 ct state invalid,untracked synproxy mss 1440 wscale 7 timestamp sack-perm
			ct state invalid drop; }'
	open_flow shell from mover to correspondent

	expect plain shell CapableOffered=1 CapableDeclined=1,
}

describe "the profile is switched on between a SYN and its answer, at either end"
variants plain family=6
case_switched_on_between() {
	local switcher
	on mover set tcp_continuity/mode off
	on correspondent set tcp_continuity/mode off
	drops_first "$SYN_ACK"
	switch_on_between &
	switcher=$!
	open_flow shell from mover to correspondent
	wait $switcher

	expect plain shell ,
}

# The mode goes to secure at both ends while a SYN/ACK is lost.
switch_on_between() {
	within 10s eval '[ -n "$(in_host correspondent ss -Htn state syn-recv)" ]' || fail "a SYN that was answered" "$SEEN"
	on mover set tcp_continuity/mode secure
	on correspondent set tcp_continuity/mode secure
}
