# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Lost updates and answers, resets, firewalls, owned sockets, taken 4-tuples.

topology routed

describe "the UPDATE is lost: it is sent again"
variants plain rough,family=6
case_update_lost() {
	open_flow shell from mover to correspondent
	on west blocks mover0

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters mover UpdateRetransmitted=1+ within 5s
	on west passes

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 UpdateRetransmitted=1+ busy, \
		correspondent Rebound=1 busy, others 0
}

describe "the answer is lost: the UPDATE comes again, and is answered again"
variants plain rough,family=6
case_answer_lost() {
	open_flow shell from mover to correspondent
	on west blocks mid

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters correspondent Rebound=1 Repeated=1+ within 8s
	expect motion on mover 1 pending
	on west passes

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 UpdateRetransmitted=1+ busy, \
		correspondent Rebound=1 Repeated=1+ busy, others 0
}

describe "a RST that answers the UPDATE is not believed; the UPDATE is sent on"
kernels both
variants plain rough,family=6
case_rst_not_believed() {
	on correspondent set tcp_continuity/mode off
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters mover RstIgnored=1+ within 8s
	expect segments --flags R from correspondent at least 1
	on correspondent set tcp_continuity/mode classic

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 RstIgnored=1+ busy, \
		correspondent Rebound=1 busy, others 0
}

describe "a firewall with connection tracking on the correspondent, which accepts its service port"
variants plain rough,family=6
case_firewall_at_server() {
	on correspondent firewall 'chain in { type filter hook input priority 0; policy drop;
		ct state established,related accept; tcp dport 5000 accept; meta l4proto { icmp, ipv6-icmp } accept; }
		chain out { type filter hook output priority 0; policy drop;
		ct state established,related accept; meta l4proto { icmp, ipv6-icmp } accept; }'
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "a firewall with connection tracking on the mover, which lets in answers only"
variants plain rough,family=6
case_firewall_at_client() {
	on mover firewall 'chain in { type filter hook input priority 0; policy drop;
		ct state established,related accept; meta l4proto { icmp, ipv6-icmp } accept; }'
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "the UPDATE arrives while a process owns the socket: it is followed all the same"
kernels both
variants plain family=6
exclusive
case_owned_socket() {
	open_flow shell from mover to correspondent
	# The kernel runs it, to which a test's own mounts are not visible.
	printf '#!/bin/sh\nsleep %d\n' $((2 * SCALE)) >/tmp/slow
	chmod +x /tmp/slow
	echo /tmp/slow >/proc/sys/kernel/modprobe
	server correspondent own &
	quiet 1s

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 15s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 busy, \
		correspondent Rebound=1 Deferred=1+ busy, others 0
	echo /sbin/modprobe >/proc/sys/kernel/modprobe
}

describe "the new addresses and ports are another connection's at the mover: only that move fails"
kernels both
variants plain family=6
case_taken_at_mover() {
	on mover set ipv4/conf/net0/promote_secondaries 1
	on mover gain net0 10.0.1.9/24
	open_flow moves from mover to correspondent --bind "$(socket_addr 10.0.1.1):40000"
	open_flow stays from mover to correspondent --bind "$(socket_addr 10.0.1.9):40000"

	on mover lose net0 10.0.1.1/24
	on mover route net0 10.0.1.9/24

	expect counters mover MoveTupleTaken=1 SourceDropped=any Deferred=any Suspended=any, correspondent, others 0 within 5s
	expect flow stays carries 64KiB each way unchanged
	expect flow moves fails with ETIMEDOUT within 15s
	expect flow stays between 10.0.1.9 and 10.0.2.1 on mover
}

describe "the new addresses and ports are another connection's at the correspondent: the move is refused"
kernels both
variants plain family=6
case_taken_at_correspondent() {
	on mover set tcp_continuity/confirm_time $((4 * SCALE))
	on mover set ipv4/conf/net0/promote_secondaries 1
	on mover gain net0 10.0.1.9/24
	open_flow moves from mover to correspondent --bind "$(socket_addr 10.0.1.1):40000"
	open_flow stale from mover to correspondent --bind "$(socket_addr 10.0.1.9):40000"
	on west blocks mover0
	in_host mover ss -K src "$(socket_addr 10.0.1.9):40000" >/dev/null
	flow_does stale status || true
	quiet 1s

	on mover lose net0 10.0.1.1/24
	on mover route net0 10.0.1.9/24
	on west passes

	expect counters correspondent UpdateTupleTaken=1+ Rebound=0 within 8s
	expect flow moves fails with ETIMEDOUT within 20s
}

describe "ten busy connections move ten times, looked up on every processor: nobody sends a RST"
topology routed snap=160
variants plain family=6
limit 100
case_never_a_reset() {
	local i old=1 moves=11
	# Each flow on a processor of its own all the way, so that nothing overtakes its UPDATE: a RST
	# could come only of a look-up while the socket is between two chains.
	spread mover west east correspondent
	know_router
	# TCP looks up by itself then, a little later, and finds the listener if that is the moment.
	on correspondent set ipv4/tcp_early_demux 0
	open_flow bulk from mover to correspondent connections=10
	flow bulk bulk

	for ((i = 2; i <= moves; i++)); do
		on mover renumber net0 "10.0.1.$old/24" "10.0.1.$i/24"
		old=$i
		expect flow bulk between "10.0.1.$i" and 10.0.2.1 on both within 20s
		# Else the next UPDATE may name an address that the peer has left.
		expect motion on mover 0 pending within 10s
	done

	flow bulk stop
	expect segments --flags R from correspondent exactly 0
	expect segments --flags R from mover exactly 0
}
