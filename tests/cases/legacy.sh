# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A peer without the module: the connection dies as it always did, and nothing else happens.

describe "the correspondent is legacy: ETIMEDOUT, and the next connection works"
topology routed legacy=correspondent
variants plain rough,family=6
case_correspondent() {
	on mover set tcp_continuity/confirm_time 4
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell fails with ETIMEDOUT within 20s
	expect counters mover Moved=1 UpdateSent=1 GaveUp=1 RstIgnored=any usual, correspondent, others 0
	open_flow next from mover to correspondent
	expect flow next carries 64KiB each way unchanged
	expect flow next between 10.0.1.9 and 10.0.2.1 on mover
}

describe "the correspondent is legacy and sends at full speed: ETIMEDOUT for the mover all the same"
topology routed legacy=correspondent snap=160
variants plain rough
case_correspondent_busy() {
	on mover set tcp_continuity/confirm_time 4
	open_flow bulk from mover to correspondent
	flow bulk bulk

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow bulk fails with ETIMEDOUT within 20s
	expect counters correspondent, others 0
}

describe "the correspondent is legacy and idle, and never knew that the mover was away: nothing has happened to it"
topology routed legacy=correspondent
variants plain rough family=6
case_back_home() {
	on mover set tcp_continuity/confirm_time 20
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect motion on mover 1 pending
	on mover renumber net0 10.0.1.9/24 10.0.1.1/24

	expect counters mover Moved=2 UpdateSent=2 Confirmed=1 AckSolicited=1+ GaveUp=0 RstIgnored=any usual, correspondent, others 0 within 15s
	expect flow shell carries 64KiB each way unchanged
}

describe "the mover is legacy: nothing of ours happens on either host"
topology routed legacy=mover
variants plain rough,family=6
case_mover() {
	open_flow shell from mover to correspondent --user-timeout 4000

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	flow_does shell "send 1K" || true

	expect flow shell fails with E within 30s
	expect unmoved
	open_flow next from mover to correspondent
	expect flow next carries 64KiB each way unchanged
}

describe "the mode is off at both: nothing of ours happens"
topology routed legacy=both
variants plain family=6
case_switched_off() {
	expect setting mode is off on mover
	open_flow shell from mover to correspondent --user-timeout 3000

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	flow_does shell "send 1K" || true

	expect flow shell fails with E within 30s
	expect unmoved
}

describe "the mode is switched on when the connection is there already: it moves"
topology routed legacy=both
variants plain family=6
case_switched_on_later() {
	open_flow shell from mover to correspondent
	on mover set tcp_continuity/mode classic
	on correspondent set tcp_continuity/mode classic

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "the mode is switched off in the middle of a move: the connection is plain TCP again"
topology routed
variants plain
case_switched_off_midway() {
	open_flow shell from mover to correspondent
	on west blocks mid
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect motion on mover 1 pending

	on mover set tcp_continuity/mode off

	expect motion on mover 0 pending
	on west passes
	expect flow shell carries 64KiB each way unchanged
}
