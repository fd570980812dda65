# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Allocations of the module's fail, and those of TCP's within a call of its: TCP goes on, and what should move
# does when there is memory.

topology routed mode=secure uncaptured

FAILSLAB=/sys/kernel/debug/failslab

# So many in a hundred allocations fail of those in whose stack is a function of the module.
allocations_fail() {
	local first last
	[ -e $FAILSLAB/require-start ] || skip "this kernel cannot have allocations fail by their callers"
	first=$(grep -F '[tcp_continuity]' /proc/kallsyms | awk '$2 ~ /^[tT]$/ { print $1 }' | sort | head -n 1)
	last=$(grep -F '[tcp_continuity]' /proc/kallsyms | awk '$2 ~ /^[tT]$/ { print $1 }' | sort | tail -n 1)
	{
		echo 0 >$FAILSLAB/probability
		echo 0 >$FAILSLAB/verbose
		echo N >$FAILSLAB/task-filter
		echo N >$FAILSLAB/ignore-gfp-wait
		echo 32 >$FAILSLAB/stacktrace-depth
		echo "0x$first" >$FAILSLAB/require-start
		echo "0x$last" >$FAILSLAB/require-end
		echo 1 >$FAILSLAB/interval
		echo -1 >$FAILSLAB/times
		echo "$1" >$FAILSLAB/probability
	}
	trap 'echo 0 >$FAILSLAB/probability' EXIT
}

allocations_succeed() { echo 0 >$FAILSLAB/probability; }

describe "no memory while connections are opened: they are plain TCP, and nothing is left of them"
kernels instrumented
variants plain family=6
limit 60
exclusive
case_opening() {
	allocations_fail 40
	open_flow many from mover to correspondent connections=40
	expect flow many carries 1KiB each way unchanged
	allocations_succeed
	expect counters mover NoMemory=1+, correspondent NoMemory=1+

	flow many close

	expect counters mover OpeningNow=0 CapableNow=0, correspondent OpeningNow=0 CapableNow=0 within 10s
}

describe "no memory while connections move and are confirmed: all of them have moved when there is some again"
# Chance decides what fails, and how long that takes: it is run if it is named.
kernels none
variants plain family=6
limit 90
exclusive
case_moving() {
	open_flow many from mover to correspondent connections=20
	expect counters correspondent CapableAgreed=20

	allocations_fail 40
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters mover NoMemory=1+ within 10s
	quiet 5s
	allocations_succeed

	# A path whose validation failed is left, and taken again at the mover's next word (S-46).
	expect flow many carries 1KiB each way unchanged within 60s
	expect flow many between 10.0.1.9 and 10.0.2.1 on both within 30s
}
