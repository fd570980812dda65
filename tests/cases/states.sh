# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Connections that are being closed, or are not accepted yet, move like others.

topology routed

describe "FIN_WAIT2 at the mover, CLOSE_WAIT at the correspondent"
variants plain rough,family=6
case_fin_wait2() {
	open_flow shell from mover to correspondent
	flow shell shutdown
	expect flow shell state FIN-WAIT-2 on mover
	expect flow shell state CLOSE-WAIT on correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	server correspondent send 64K
	flow shell expect 64K
	server correspondent close
	flow shell wait
}

describe "CLOSE_WAIT at the mover, FIN_WAIT2 at the correspondent"
variants plain rough,family=6
case_close_wait() {
	open_flow shell from mover to correspondent
	server correspondent shutdown
	expect flow shell state CLOSE-WAIT on mover

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	flow shell send 64K
	server correspondent expect 64K
	flow shell close
}

describe "FIN_WAIT1: the FIN was lost, and is sent again from the new address"
kernels both
variants plain family=6
case_fin_wait1() {
	open_flow shell from mover to correspondent
	on west blocks mover0
	flow shell abandon
	expect flow shell state FIN-WAIT-1 on mover

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	on west passes

	expect ended FIN-WAIT-1 on mover, ESTAB on correspondent
	expect counters mover Moved=1, correspondent Rebound=1
}

describe "LAST_ACK: the second FIN was lost, and is sent again from the new address"
variants plain family=6
case_last_ack() {
	open_flow shell from mover to correspondent
	server correspondent shutdown
	expect flow shell state CLOSE-WAIT on mover
	on west blocks mover0
	flow shell abandon
	expect flow shell state LAST-ACK on mover

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	on west passes

	expect ended LAST-ACK on mover, FIN-WAIT-2 on correspondent
	expect counters mover Moved=1, correspondent Rebound=1
}

describe "CLOSING: both closed at once, and the mover's FIN was lost"
variants plain family=6
case_closing() {
	open_flow shell from mover to correspondent
	on west blocks mover0
	flow shell abandon
	expect flow shell state FIN-WAIT-1 on mover
	server correspondent abandon
	expect flow shell state CLOSING on mover

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	on west passes

	expect ended CLOSING on mover, FIN-WAIT-1 on correspondent
	expect counters mover Moved=1, correspondent Rebound=1
}

describe "a connection that the server has not accepted yet, while its peer moves"
variants plain rough,family=6
case_unaccepted_peer_moves() {
	open_flow first from mover to correspondent
	kill -STOP "${SERVER_PID[correspondent]}"
	begin_flow second from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	within 10s motion_is mover 0 pending || fail "both connections are confirmed" "$SEEN"
	kill -CONT "${SERVER_PID[correspondent]}"

	expect flow second carries 64KiB each way unchanged
	expect flow first carries 64KiB each way unchanged
	expect counters mover Moved=2 UpdateSent=2 Confirmed=2 usual, correspondent Rebound=2 usual, others 0
}

describe "a connection that the server has not accepted yet, while the server moves"
kernels both
variants plain rough,family=6
case_unaccepted_server_moves() {
	open_flow first from mover to correspondent
	kill -STOP "${SERVER_PID[correspondent]}"
	begin_flow second from mover to correspondent

	on correspondent renumber net0 10.0.2.1/24 10.0.2.9/24
	within 10s motion_is correspondent 0 pending || fail "both connections are confirmed" "$SEEN"
	kill -CONT "${SERVER_PID[correspondent]}"

	expect flow second carries 64KiB each way unchanged
	expect flow first carries 64KiB each way unchanged
	expect counters correspondent Moved=2 UpdateSent=2 Confirmed=2 usual, mover Rebound=2 usual, others 0
}
