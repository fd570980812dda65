# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# More than one move, and moves of either end.

topology routed

describe "there and back: A, B, A"
variants plain rough,family=6
case_back_again() {
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell carries 64KiB each way unchanged
	on mover renumber net0 10.0.1.9/24 10.0.1.1/24

	expect flow shell between 10.0.1.1 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=2 UpdateSent=2 Confirmed=2 usual, correspondent Rebound=2 usual, others 0
}

describe "three moves within a moment, without waiting for any answer"
variants plain rough,family=6
case_in_a_row() {
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.7/24
	on mover renumber net0 10.0.1.7/24 10.0.1.8/24
	on mover renumber net0 10.0.1.8/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 20s
	expect flow shell carries 64KiB each way unchanged
	expect motion on mover 0 pending
}

describe "the correspondent moves: who accepted a connection may move as well"
variants plain rough family=6 family=mapped
case_acceptor_moves() {
	open_flow shell from mover to correspondent

	on correspondent renumber net0 10.0.2.1/24 10.0.2.9/24

	expect flow shell between 10.0.1.1 and 10.0.2.9 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters correspondent Moved=1 UpdateSent=1 Confirmed=1 usual, mover Rebound=1 usual, others 0
}

describe "one end moves, then the other, then the first again"
kernels both
variants plain rough,family=6
case_in_turn() {
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell carries 1KiB each way unchanged
	on correspondent renumber net0 10.0.2.1/24 10.0.2.9/24
	expect flow shell carries 1KiB each way unchanged
	on mover renumber net0 10.0.1.9/24 10.0.1.10/24

	expect flow shell between 10.0.1.10 and 10.0.2.9 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=2 UpdateSent=2 Confirmed=2 Rebound=1 usual, \
		correspondent Moved=1 UpdateSent=1 Confirmed=1 Rebound=2 usual, others 0
}
