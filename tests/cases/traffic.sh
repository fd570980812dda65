# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Moves under traffic, of which every octet is checked at both ends.

describe "full speed both ways while the mover is renumbered"
topology routed snap=160
kernels both
variants plain rough family=6 family=mapped
case_bulk() {
	open_flow bulk from mover to correspondent
	flow bulk bulk
	expect flow bulk moves octets

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow bulk between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow bulk moves octets within 20s
	flow bulk stop
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 busy, \
		correspondent Rebound=1 busy, others 0
	expect no old source 10.0.1.1 from mover
}

describe "full speed both ways while the end that accepted is renumbered"
variants plain rough
case_bulk_acceptor() {
	open_flow bulk from mover to correspondent
	flow bulk bulk
	expect flow bulk moves octets

	on correspondent renumber net0 10.0.2.1/24 10.0.2.9/24

	expect flow bulk between 10.0.1.1 and 10.0.2.9 on both within 10s
	expect flow bulk moves octets within 20s
	flow bulk stop
}

describe "a thousand connections at once (sixty on the instrumented kernel)"
kernels both
variants plain family=6
limit 100
case_thousand() {
	local count=1000
	[ "$FLAVOUR" = stock ] || count=60
	open_flow many from mover to correspondent "connections=$count"

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow many between 10.0.1.9 and 10.0.2.1 on both within 30s
	expect flow many carries 1KiB each way unchanged within 40s
	expect counters mover "Moved=$count UpdateSent=$count Confirmed=$count busy," \
		correspondent "Rebound=$count busy, others 0" within 10s
}

describe "a hundred moves in a row under full traffic (ten on the instrumented kernel)"
kernels both
variants plain rough
limit 250
case_hundred_moves() {
	local count=100 old=1 new i
	[ "$FLAVOUR" = stock ] || count=10
	open_flow bulk from mover to correspondent connections=4
	flow bulk bulk

	for ((i = 0; i < count; i++)); do
		new=$((2 + i % 90))
		on mover renumber net0 "10.0.1.$old/24" "10.0.1.$new/24"
		old=$new
		sleep 0.1
	done

	expect flow bulk between "10.0.1.$old" and 10.0.2.1 on both within 30s
	expect flow bulk moves octets within 20s
	flow bulk stop
	expect flow bulk carries 64KiB each way unchanged
}

describe "both ends move at random under full traffic, one after the other"
variants plain
limit 100
case_both_ends() {
	local i mine=1 theirs=1
	open_flow bulk from mover to correspondent connections=4
	flow bulk bulk

	for i in 2 3 4 5 6; do
		on mover renumber net0 "10.0.1.$mine/24" "10.0.1.$i/24"
		mine=$i
		expect flow bulk between "10.0.1.$i" and "10.0.2.$theirs" on both within 20s
		on correspondent renumber net0 "10.0.2.$theirs/24" "10.0.2.$i/24"
		theirs=$i
		expect flow bulk between "10.0.1.$i" and "10.0.2.$i" on both within 20s
	done

	expect flow bulk moves octets within 20s
	flow bulk stop
}
