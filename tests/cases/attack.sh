# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Forged updates. The classic profile authenticates nothing, but a blind attacker must fail.

topology routed attacker

describe "an attacker who knows all numbers succeeds: the forged segments of the cases below are real ones"
kernels both
variants plain family=6
case_all_known() {
	open_flow shell from mover to correspondent
	local words
	words=$(next_segment_of mover 10.0.1.1)

	# shellcheck disable=SC2086 # words on purpose
	forge attacker --from "$(addr 10.0.5.66)" --old "$(addr 10.0.1.1)" $words

	# It is with the attacker, whose host knows nothing of it and may have ended it by now.
	expect counters correspondent Rebound=1
}
describe "a hundred thousand blind updates, wrong in every way: nothing moves, little is logged"
kernels both
variants plain family=6
limit 200
case_blind() {
	local count=100000 port
	[ "$FLAVOUR" = stock ] || count=500
	open_flow shell from mover to correspondent
	port=$(ports_of shell)
	capture_stop

	forge attacker --from "$(addr 10.0.5.66)" --sport "$port" --dport 5000 --old "$(addr 10.0.1.1)" \
		--random --preset all --count "$count"

	expect untouched shell
	expect silence
	on correspondent cat /proc/net/tcp_continuity_stat | awk '/^Update[A-Z]/ && !/UpdateSent|UpdateRetr/ { n += $2 }
		END { exit !(n >= '$((count / 4))') }' ||
		fail "a quarter of the updates at least are counted as rejected" "$(in_host correspondent grep -v ' 0$' /proc/net/tcp_continuity_stat)"
}

describe "right numbers, one thing wrong: each is rejected under its own name"
kernels both
variants plain family=6
case_each_rejected() {
	local words from old
	open_flow shell from mover to correspondent
	words=$(next_segment_of mover 10.0.1.1)
	from=$(addr 10.0.5.66) old=$(addr 10.0.1.1)

	# shellcheck disable=SC2086 # words on purpose
	{
		forge attacker --from "$from" --old "$old" $words --bad-checksum
		forge attacker --from "$from" --old "$old" $words --length 7
		forge attacker --from "$from" --old "$old" $words --payload 10
		forge attacker --from "$from" --old "$old" $words --flags RA
		forge attacker --from "$from" --old "$old" $words --preset wrong-seq
		forge attacker --from "$from" --old "$old" $words --preset wrong-ack
		forge attacker --from "$from" --old "$old" $words --preset wrong-ports --count 3
		forge attacker --from "$from" --old "$old" $words --preset wrong-old
		forge attacker --from "$from" --old "$old" $words --preset truncated --count 40
		forge attacker --from "$from" --old "$old" $words --preset oversized --count 40
		forge attacker --from "$from" --old "$old" $words --preset repeated --count 12
	}

	expect untouched shell
	expect counters correspondent UpdateBadChecksum=1+ UpdateBadLength=1+ UpdateNotOptionOnly=2+ \
		UpdateSequenceOutside=1+ UpdateAckOutside=1+ UpdateUnknownConnection=1+ \
		UpdateTruncated=1+ UpdateRepeatedOption=1+ RstSuppressed=any \
		UpdateTimestampMissing=any UpdateTimestampOld=any UpdateOldAddressInvalid=any UpdateFamilyMismatch=any, others 0
}

describe "new addresses that no host elsewhere has: broadcast, multicast, loopback, the victim's own"
kernels both
variants plain family=6
case_bad_sources() {
	local words preset
	open_flow shell from mover to correspondent
	words=$(next_segment_of mover 10.0.1.1)

	# shellcheck disable=SC2086 # words on purpose
	for preset in broadcast-source multicast-source loopback-source; do
		forge attacker --from "$(addr 10.0.5.66)" --old "$(addr 10.0.1.1)" $words --preset "$preset" --count 20
	done
	# shellcheck disable=SC2086 # words on purpose
	forge attacker --from "$(addr 10.0.2.1)" --old "$(addr 10.0.1.1)" $words

	expect untouched shell
}

describe "an update recorded from a move and sent again when its old address is the connection's again: nothing moves"
kernels both
variants plain family=6
case_replayed() {
	open_flow shell from mover to correspondent
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell carries 64KiB each way unchanged
	on mover renumber net0 10.0.1.9/24 10.0.1.1/24
	expect flow shell between 10.0.1.1 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	capture_stop

	replay attacker mover --updates --old "$(addr 10.0.1.1)" --count 10
	replay attacker mover --updates --old "$(addr 10.0.1.1)" --as-source "$(addr 10.0.5.66)" --count 10

	expect counters correspondent Rebound=2 UpdateSequenceOutside=20
	expect flow shell between 10.0.1.1 and 10.0.2.1 on both
	expect flow shell carries 64KiB each way unchanged
}

describe "a RST with an ADDRESS UPDATE is a RST: a flow on the move does not believe it"
kernels both
variants plain family=6
case_reset_with_update() {
	local words
	open_flow shell from mover to correspondent
	words=$(next_segment_of correspondent 10.0.2.1)
	words=${words/--to $(addr 10.0.1.1)/--to $(addr 10.0.1.9)}
	on west blocks mover0
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect motion on mover 1 pending

	# shellcheck disable=SC2086 # words on purpose
	forge attacker --from "$(addr 10.0.2.1)" --old "$(addr 10.0.2.1)" $words --flags RA

	expect counters mover UpdateNotOptionOnly=1 RstIgnored=1
	on west passes
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 20s
	expect flow shell carries 64KiB each way unchanged
}
