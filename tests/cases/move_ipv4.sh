# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# An address goes, by all the ways there are, and another one is there.

topology routed

describe "idle connection: the mover is renumbered on the same link"
kernels both
variants plain loss=10% delay=80ms,reorder=25% family=6 family=mapped
case_idle_renumbered() {
	open_flow shell from mover to correspondent
	quiet 1s

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "the address is deleted, and another one is added a second later"
variants plain rough,family=6
case_delete_then_add() {
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24
	expect motion on mover 1 suspended
	quiet 1s
	on mover gain net0 10.0.1.9/24
	on mover route net0 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "another address is added first, which moves nothing; then the old one is deleted"
variants plain rough,family=6
case_add_then_delete() {
	on mover set ipv4/conf/net0/promote_secondaries 1
	open_flow shell from mover to correspondent

	on mover gain net0 10.0.1.9/24
	expect flow shell carries 1KiB each way unchanged
	expect flow shell between 10.0.1.1 and 10.0.2.1 on both
	expect counters mover, correspondent, others 0
	on mover lose net0 10.0.1.1/24
	on mover route net0 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "the address is replaced by itself with a lifetime, which runs out"
variants plain rough,family=6
case_lifetime_ends() {
	on mover set ipv4/conf/net0/promote_secondaries 1
	open_flow shell from mover to correspondent

	on mover gain net0 10.0.1.9/24
	ip -n mover address replace "$(addr 10.0.1.1/24)" dev net0 valid_lft 2 preferred_lft 2
	expect flow shell between 10.0.1.9 and 10.0.2.1 on mover within 10s
	# In IPv6 the default route stays, but that of the prefix has ended with the lifetime, so that none
	# could be set.
	[ "${OPT[family]}" = 6 ] || on mover route net0 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "an address that is deprecated only, and one that is replaced by itself, move nothing"
variants family=6
case_deprecated_only() {
	on mover gain net0 10.0.1.9/24
	open_flow shell from mover to correspondent --bind "$(socket_addr 10.0.1.1):0"

	ip -n mover address replace "$(addr 10.0.1.1/24)" dev net0 preferred_lft 0
	ip -n mover address replace "$(addr 10.0.1.1/24)" dev net0

	expect flow shell carries 64KiB each way unchanged
	expect flow shell between 10.0.1.1 and 10.0.2.1 on both
	expect unmoved
}

describe "as DHCP does it: everything goes, an address comes, and later a default route"
kernels both
variants plain rough family=6
case_dhcp() {
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24
	[ "${OPT[family]}" != 6 ] || on mover unroute
	expect motion on mover 1 suspended
	on mover gain net0 10.0.1.9/24
	quiet 1s
	expect motion on mover 1 suspended
	on mover route net0 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "the address comes back: nothing has moved"
variants plain rough,family=6
case_same_address_back() {
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24
	expect motion on mover 1 suspended
	on mover gain net0 10.0.1.1/24
	on mover route net0 10.0.1.1/24

	expect flow shell carries 64KiB each way unchanged
	expect flow shell between 10.0.1.1 and 10.0.2.1 on both
	expect counters mover Suspended=1 Resumed=1 usual, correspondent, others 0
}

describe "of two addresses one goes: only its connection moves, to the other"
variants plain rough,family=6
case_several_addresses() {
	on mover set ipv4/conf/net0/promote_secondaries 1
	on mover gain net0 10.0.1.2/24
	open_flow first from mover to correspondent --bind "$(socket_addr 10.0.1.1):0"
	open_flow second from mover to correspondent port=5001 --bind "$(socket_addr 10.0.1.2):0"

	on mover lose net0 10.0.1.2/24

	expect flow second between 10.0.1.1 and 10.0.2.1 on both within 5s
	expect flow first between 10.0.1.1 and 10.0.2.1 on both
	expect flow first carries 64KiB each way unchanged
	expect flow second carries 64KiB each way unchanged
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 usual, correspondent Rebound=1 usual, others 0
}
