# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# No address, or no answer: how long a connection is kept, and how it ends.

topology routed snap=160

describe "no address for a while with data under way: it goes on by itself when one comes"
variants plain rough,family=6
case_resumes_by_event() {
	open_flow bulk from mover to correspondent
	flow bulk bulk

	on mover lose net0 10.0.1.1/24
	expect motion on mover 1 suspended
	quiet 4s
	on mover gain net0 10.0.1.9/24
	on mover route net0 10.0.1.9/24

	# Nobody looks at the clock for that.
	expect motion on mover 0 suspended within 1s
	expect flow bulk moves octets within 10s
	expect flow bulk between 10.0.1.9 and 10.0.2.1 on both within 5s
	flow bulk stop
}

describe "an address, and a route a while after it: the route is the event"
variants plain family=6
case_route_is_the_event() {
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24
	# IPv6 routes stay when an address goes, and would do with another interface's.
	[ "${OPT[family]}" != 6 ] || on mover unroute
	on mover gain net1 10.0.3.9/24
	quiet 1s
	expect motion on mover 1 suspended
	on mover route net1 10.0.3.9/24

	expect moved shell from 10.0.1.1 to 10.0.3.9
}

describe "no address within hold_time: ETIMEDOUT"
kernels both
variants plain family=6
case_hold_time() {
	on mover set tcp_continuity/hold_time 3
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24

	expect motion on mover 1 suspended
	expect flow shell fails with ETIMEDOUT within 15s
	expect counters mover Suspended=1 HoldExpired=1 Deferred=any SourceDropped=any, correspondent, others 0
	expect motion on mover 0 suspended
}

describe "no answer within confirm_time: ETIMEDOUT"
kernels both
variants plain family=6
case_confirm_time() {
	on mover set tcp_continuity/confirm_time 4
	open_flow shell from mover to correspondent

	on west blocks mid
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect motion on mover 1 pending
	expect flow shell fails with ETIMEDOUT within 15s
	expect counters mover Moved=1 UpdateSent=1 UpdateRetransmitted=1+ GaveUp=1 usual, \
		correspondent Rebound=1 usual, others 0
}

describe "nothing to send and no address: an idle connection is kept beyond its user timeout"
variants plain
case_user_timeout_idle() {
	open_flow shell from mover to correspondent --user-timeout 1000

	on mover lose net0 10.0.1.1/24
	expect motion on mover 1 suspended
	quiet 3s
	on mover gain net0 10.0.1.9/24
	on mover route net0 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "data written after the address went: the application's user timeout counts for it"
variants plain family=6
case_user_timeout_late() {
	open_flow shell from mover to correspondent --user-timeout $((4000 * SCALE))

	on mover lose net0 10.0.1.1/24
	expect motion on mover 1 suspended
	quiet $((5 * SCALE))s
	expect motion on mover 1 suspended
	flow shell send 10K

	expect flow shell fails with ETIMEDOUT within 12s
	expect counters mover Suspended=1 HoldExpired=1 Deferred=any SourceDropped=any, correspondent, others 0
}

describe "away for longer than TCP itself would try (tcp_retries2): kept all the same"
variants plain family=6
limit 90
case_outlives_retries() {
	on mover set ipv4/tcp_retries2 3
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24
	expect motion on mover 1 suspended
	flow shell send 10K
	quiet 12s
	on mover gain net0 10.0.1.9/24
	on mover route net0 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
}

describe "an idle connection has moved; long after that, data meets an outage: it has all of TCP's patience"
kernels both
variants plain family=6
case_patience_afterwards() {
	on mover set ipv4/tcp_retries2 4
	open_flow shell from mover to correspondent
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	# Longer than TCP tries in all, which is 6.2 s.
	quiet 7s

	on west blocks mover0
	flow shell send 10K
	# For two retransmissions.
	quiet 1.2s
	on west passes

	expect flow shell carries 64KiB each way unchanged
}
