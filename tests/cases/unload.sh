# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # `within` expands it, each time
# The module comes and goes, and namespaces do, at any moment.

reload() {
	local host
	insmod /tcp_continuity.ko
	for host in mover correspondent; do
		on "$host" set tcp_continuity/mode classic
	done
}

describe "unloaded under traffic: connections go on as plain TCP; loaded again, they move"
topology routed snap=160
kernels both
variants plain family=6
exclusive
case_under_traffic() {
	open_flow bulk from mover to correspondent connections=5
	flow bulk bulk
	expect flow bulk moves octets

	rmmod tcp_continuity
	expect flow bulk moves octets
	reload
	expect flow bulk moves octets
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow bulk between 10.0.1.9 and 10.0.2.1 on both within 15s
	expect flow bulk moves octets within 20s
	flow bulk stop
}

describe "unloaded after a move: the moved connections go on"
variants plain family=6
exclusive
case_after_a_move() {
	open_flow shell from mover to correspondent
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s

	rmmod tcp_continuity

	expect flow shell carries 1MiB each way unchanged
	flow shell close
	flow shell wait
}

describe "unloaded while a move waits for its answer, which comes: the connection goes on"
kernels both
variants plain family=6
exclusive
case_while_pending() {
	open_flow shell from mover to correspondent
	on west blocks mid
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect motion on mover 1 pending
	expect counters correspondent Rebound=1 within 5s

	rmmod tcp_continuity
	on west passes

	expect flow shell carries 64KiB each way unchanged
}

describe "unloaded while connections are suspended, with data under way: none hangs for ever"
kernels both
variants plain family=6
exclusive
case_while_suspended() {
	open_flow shell from mover to correspondent
	on mover lose net0 10.0.1.1/24
	expect motion on mover 1 suspended
	flow shell send 10K

	rmmod tcp_continuity
	on mover gain net0 10.0.1.1/24
	on mover route net0 10.0.1.1/24

	server correspondent expect 10K
	expect flow shell carries 64KiB each way unchanged
}

describe "loaded and unloaded twenty times under traffic and moves (three on the instrumented kernel)"
kernels both
variants plain
limit 120
exclusive
case_again_and_again() {
	local i old=1 count=20
	[ "$FLAVOUR" = stock ] || count=3
	open_flow bulk from mover to correspondent connections=5
	flow bulk bulk

	for ((i = 2; i < count + 2; i++)); do
		on mover renumber net0 "10.0.1.$old/24" "10.0.1.$i/24"
		old=$i
		# Either may be first: only a move that both ends have followed is repeated safely.
		expect flow bulk between "10.0.1.$i" and 10.0.2.1 on both within 20s
		within 10s motion_is mover 0 pending || fail "the moves are confirmed" "$SEEN"
		rmmod tcp_continuity
		reload
	done

	expect flow bulk moves octets within 20s
	flow bulk stop
}

describe "a namespace is deleted with moves pending and connections suspended in it"
variants plain family=6
limit 100
exclusive
case_namespace_deleted() {
	# A socket that its process has left keeps its namespace, so it must not be held for long.
	on mover set tcp_continuity/hold_time 5
	open_flow some from mover to correspondent connections=20
	on west blocks mid
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect motion on mover 20 pending
	on mover lose net0 10.0.1.9/24
	expect motion on mover 20 suspended
	capture_stop

	# shellcheck disable=SC2046 # words on purpose
	kill -KILL $(ip netns pids mover)
	ip netns del mover

	# A namespace that is kept by anything keeps its devices, and so the other end of the cable.
	within 40s eval '! ip -n west link show mover0 2>/dev/null' ||
		fail "the namespace's devices go" "$SEEN"
	rmmod tcp_continuity
}

describe "a namespace is deleted with moves pending whose sockets were just reset"
kernels both
variants plain family=6
exclusive
case_namespace_deleted_at_once() {
	open_flow some from mover to correspondent connections=20
	on west blocks mid
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect motion on mover 20 pending
	capture_stop

	flow_does some reset || true
	# shellcheck disable=SC2046 # words on purpose
	kill -KILL $(ip netns pids mover)
	ip netns del mover

	within 20s eval '! ip -n west link show mover0 2>/dev/null' ||
		fail "the namespace's devices go" "$SEEN"
	rmmod tcp_continuity
}
