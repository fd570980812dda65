# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every move of the mover's must come to, whatever caused it.

# expect moved NAME from OLD to NEW [busy]: both ends' sockets, octets both ways, exact counters, the
# option on the wire, and nothing from the old address any more.
expect_moved() {
	local name=$1 old=$3 new=$5 words=${6:-usual} count=${FLOW_COUNT[$1]} from to
	addr_to from "$old"
	addr_to to "$new"
	expect flow "$name" between "$new" and 10.0.2.1 on both within 10s
	expect flow "$name" carries 64KiB each way unchanged
	expect counters mover "Moved=$count UpdateSent=$count Confirmed=$count $words," \
		correspondent "Rebound=$count $words, others 0"
	expect segments with UPDATE --option-only --old "$from" --from "$to" \
		from mover at least "$count"
	expect no old source "$old" from mover
}

# expect unmoved: the module did nothing at all, on either side.
expect_unmoved() {
	expect counters mover, correspondent, others 0
	expect segments with UPDATE from mover exactly 0
}
