# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The address changes on the same link.

topology routed

describe "idle connection: the mover is renumbered on the same link"
variants plain loss=10% delay=80ms,reorder=25% family=6 family=mapped
case_idle_renumbered() {
	open_flow shell from mover to correspondent
	quiet 1s

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 5s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 usual, \
		correspondent Rebound=1 usual, others 0
	expect segments with UPDATE --option-only --old "$(addr 10.0.1.1)" from mover at least 1
	expect no old source 10.0.1.1 from mover
}
