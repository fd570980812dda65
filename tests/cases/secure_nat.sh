# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # awk expands it
# NAT that forgets, restarts, or has another address; peers that are away, or gone; strangers' RSTs.

topology routed mode=secure

# The router of the mover's networks translates what leaves, to a port that nobody can guess. What comes
# in for nothing it knows it drops, as such routers do.
translate() {
	on west firewall 'chain nat { type nat hook postrouting priority 100; oifname "mid" '"${1:-masquerade random}"'; }
		chain in { type filter hook input priority 0; iifname "mid" meta l4proto tcp drop; }'
}

# Not known to it any more: what the mover sends next gets another port.
forget_connections() { in_host west conntrack -F >/dev/null 2>&1; }

# No RST leaves a host.
mute_resets() {
	on "$1" firewall 'chain out { type filter hook output priority 0; tcp flags & rst == rst drop; }'
}

describe "NAT restarts while all is idle, then the mover speaks: the peer's RST makes it ask, and both go on"
variants plain
case_restarts_mover_speaks() {
	translate
	open_flow shell from mover to correspondent
	forget_connections

	expect flow shell carries 64KiB each way unchanged within 5s
	expect counters mover RstIgnored=1+ ProbeSent=1+ ProbeAnswered=1 RstBelieved=0, \
		correspondent Rebound=1 PathValidated=1
}

describe "NAT restarts, and nothing tells the mover: the second timeout makes it ask"
variants plain
case_restarts_unseen() {
	translate
	open_flow shell from mover to correspondent
	mute_resets correspondent
	forget_connections

	expect flow shell carries 64KiB each way unchanged within 10s
	expect counters mover RstIgnored=0 ProbeSent=1+ ProbeAnswered=1, correspondent Rebound=1 PathValidated=1
}

describe "NAT restarts, the correspondent speaks into the void, then the mover speaks"
variants plain
case_restarts_correspondent_speaks() {
	translate
	open_flow shell from mover to correspondent
	forget_connections
	server correspondent send 10K
	expect counters correspondent ProbeSent=1+ within 10s

	flow shell send 1K

	expect counters correspondent Rebound=1 PathValidated=1 within 5s
	expect flow shell carries 64KiB each way unchanged
}

describe "NAT gets another address, and the mover notices nothing"
variants plain
case_other_address() {
	ip -n west address add 10.0.9.11/24 dev mid
	ip -n west address add 10.0.9.12/24 dev mid
	translate 'snat ip to 10.0.9.11'
	open_flow shell from mover to correspondent
	on west firewall off
	translate 'snat ip to 10.0.9.12'
	forget_connections

	expect flow shell carries 64KiB each way unchanged within 5s
	expect flow shell between 10.0.9.12 and 10.0.2.1 on correspondent
	expect counters mover ProbeAnswered=1 Moved=0, correspondent Rebound=1 PathValidated=1
}

describe "the mover goes from one NAT to another"
variants plain
case_from_nat_to_nat() {
	ip -n west address add 10.0.9.11/24 dev mid
	ip -n west address add 10.0.9.13/24 dev mid
	on west firewall 'chain nat { type nat hook postrouting priority 100;
		ip saddr 10.0.1.0/24 snat ip to 10.0.9.11; ip saddr 10.0.3.0/24 snat ip to 10.0.9.13; }'
	open_flow shell from mover to correspondent
	expect flow shell between 10.0.9.11 and 10.0.2.1 on correspondent

	on mover lose net0 10.0.1.1/24
	on mover gain net1 10.0.3.9/24
	on mover route net1 10.0.3.9/24

	expect flow shell carries 64KiB each way unchanged
	expect flow shell between 10.0.9.13 and 10.0.2.1 on correspondent
	expect counters mover Moved=1 Confirmed=1, correspondent Rebound=1 PathValidated=1
}

describe "the correspondent is behind NAT with a port that leads to it: the mover is renumbered"
variants plain
case_static_mapping() {
	on east firewall 'chain nat { type nat hook prerouting priority -100;
		ip daddr 10.0.9.2 tcp dport 5000 dnat ip to 10.0.2.1; }'
	open_flow shell from mover to correspondent at 10.0.9.2

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell carries 64KiB each way unchanged
	expect flow shell between 10.0.1.9 and 10.0.2.1 on correspondent
	expect counters mover Moved=1 Confirmed=1, correspondent Rebound=1 PathValidated=1
}

describe "the peer's application resets: ECONNRESET, after the guard time"
variants plain family=6
case_honest_reset() {
	open_flow shell from mover to correspondent

	server correspondent reset

	expect flow shell fails with ECONNRESET within 5s
	expect counters mover RstIgnored=1+ RstBelieved=1 ProbeSent=2+ ProbeAnswered=0, \
		correspondent SecureUnknownToken=2+
}

describe "without a guard time a RST is believed at once, and nobody is asked"
variants plain
case_unguarded_reset() {
	on mover set tcp_continuity/rst_guard 0
	open_flow shell from mover to correspondent

	server correspondent reset

	expect flow shell fails with ECONNRESET within 5s
	expect counters mover RstIgnored=0 RstBelieved=0 ProbeSent=0
}

describe "the peer's socket has gone without a word: ECONNRESET when something is sent"
variants plain
case_peer_gone() {
	open_flow shell from mover to correspondent
	on west blocks mid
	in_host correspondent ss -K sport = 5000 >/dev/null
	on west passes

	flow shell send 1K

	expect flow shell fails with ECONNRESET within 8s
	expect counters mover RstIgnored=1+ RstBelieved=1 ProbeSent=2+ ProbeAnswered=0
}

describe "strangers' RSTs with the right numbers, a thousand of them: some questions, and nothing more"
topology routed mode=secure attacker
kernels both
variants plain family=6
case_forged_reset() {
	local words
	open_flow shell from mover to correspondent
	words=$(next_segment_of mover 10.0.1.1)

	# shellcheck disable=SC2086 # words on purpose
	forge attacker --from "$(addr 10.0.1.1)" --old "$(addr 10.0.1.1)" $words --flags R --options-hex '' --count 1000

	expect counters correspondent RstIgnored=1000 RstBelieved=0 ProbeAnswered=1+ within 10s
	expect flow shell carries 64KiB each way unchanged
	expect flow shell between 10.0.1.1 and 10.0.2.1 on both
	[ "$(in_host correspondent awk '/^ProbeSent/ {print $2}' /proc/net/tcp_continuity_stat)" -le $((3 * SCALE)) ] ||
		fail "three questions at most" "$(in_host correspondent grep Probe /proc/net/tcp_continuity_stat)"
}

describe "the peer is away for longer than TCP would try: the connection is kept, and goes on"
topology routed mode=secure
kernels both
variants plain family=6
limit 90
case_outlived() {
	# Six seconds and more than one retransmission, also where a timer runs late.
	on correspondent set ipv4/tcp_retries2 4
	open_flow shell from correspondent to mover
	on mover lose net0 10.0.1.1/24

	flow shell send 10K
	expect counters correspondent Outlasted=1+ ProbeSent=1+ ProbeUnanswered=1+ ProbeAnswered=0 within 40s
	on mover gain net0 10.0.1.1/24
	on mover route net0 10.0.1.1/24

	# Not when TCP's next timeout comes, ten seconds later.
	expect flow shell carries 64KiB each way unchanged within 3s
}

describe "nothing comes from the peer for longer than hold_time: TCP's own limit counts again"
variants plain
limit 90
case_not_outlived() {
	on correspondent set ipv4/tcp_retries2 3
	# Longer than TCP's own limit also where round trips are slow.
	on correspondent set tcp_continuity/hold_time $((5 * SCALE))
	open_flow shell from correspondent to mover
	on west blocks mover0

	flow shell send 10K

	expect counters correspondent Outlasted=1+ within 10s
	expect flow shell fails with ETIMEDOUT within 60s
}

describe "nothing comes from the peer for longer than the application waits: its own limit counts"
variants plain
case_user_timeout() {
	open_flow shell from correspondent to mover --user-timeout $((3000 * SCALE))
	on west blocks mover0

	flow shell send 10K

	expect flow shell fails with ETIMEDOUT within 15s
	expect counters correspondent Outlasted=0
}
