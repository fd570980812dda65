# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The interface goes, or loses its carrier; the connection moves to another one.

topology routed

describe "the address goes, and the next one is on another interface"
variants plain rough,family=6
case_other_interface() {
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24
	on mover gain net1 10.0.3.9/24
	on mover route net1 10.0.3.9/24

	expect moved shell from 10.0.1.1 to 10.0.3.9
}

describe "the interface is taken down; another one has an address and gets the default route"
kernels both
variants plain rough,family=6
case_interface_down() {
	open_flow shell from mover to correspondent
	on mover gain net1 10.0.3.9/24

	on mover down net0
	on mover route net1 10.0.3.9/24

	expect moved shell from 10.0.1.1 to 10.0.3.9
}

describe "the carrier is lost for longer than carrier_delay: the connection moves"
variants plain rough,family=6
case_carrier_lost() {
	on mover set tcp_continuity/carrier_delay 300
	open_flow shell from mover to correspondent
	on mover gain net1 10.0.3.9/24

	on mover unplug net0
	on mover route net1 10.0.3.9/24

	expect moved shell from 10.0.1.1 to 10.0.3.9
}

describe "the carrier comes back before carrier_delay is over: nothing moves"
variants plain family=6
case_carrier_blip() {
	on mover set tcp_continuity/carrier_delay 4000
	[ "${OPT[family]}" != 6 ] || on mover set ipv6/conf/net0/keep_addr_on_down 1
	open_flow shell from mover to correspondent
	on mover gain net1 10.0.3.9/24

	on mover unplug net0
	quiet 1s
	on mover plug net0
	on mover route net0 10.0.1.1/24

	expect flow shell carries 64KiB each way unchanged
	quiet 4s
	expect flow shell between 10.0.1.1 and 10.0.2.1 on both
	expect unmoved
}

describe "the interface is deleted under the connection"
variants plain family=6
case_interface_deleted() {
	open_flow shell from mover to correspondent
	on mover gain net1 10.0.3.9/24

	ip -n mover link del net0
	on mover route net1 10.0.3.9/24

	expect moved shell from 10.0.1.1 to 10.0.3.9
}

describe "down and up again with the same address: nothing has moved"
variants plain
case_down_and_up() {
	open_flow shell from mover to correspondent

	on mover down net0
	expect motion on mover 1 suspended
	on mover up net0
	on mover route net0 10.0.1.1/24

	expect flow shell carries 64KiB each way unchanged
	expect flow shell between 10.0.1.1 and 10.0.2.1 on both
	expect counters mover Suspended=1 Resumed=1 usual, correspondent, others 0
}

describe "a VRF: the source is the one that its table has"
variants plain family=6
case_vrf() {
	on mover ip link add red type vrf table 7
	on mover up red
	on mover ip link set net1 master red
	on mover gain net1 10.0.3.9/24
	ip -n mover "$INET" route add default via "$(addr 10.0.3.254)" dev net1 table 7
	open_flow shell from mover to correspondent --device red

	on mover lose net1 10.0.3.9/24
	on mover gain net1 10.0.3.10/24
	ip -n mover "$INET" route replace default via "$(addr 10.0.3.254)" dev net1 table 7

	expect moved shell from 10.0.3.9 to 10.0.3.10
}

describe "a socket bound to its device waits for an address there, and takes no other"
variants plain family=6
case_bound_device() {
	on mover gain net1 10.0.3.9/24
	open_flow shell from mover to correspondent --device net0

	on mover lose net0 10.0.1.1/24
	expect motion on mover 1 suspended
	quiet 1s
	expect motion on mover 1 suspended
	on mover gain net0 10.0.1.9/24
	on mover route net0 10.0.1.9/24

	# With an address and no route yet the kernel takes everything to be on the link.
	expect moved shell from 10.0.1.1 to 10.0.1.9 busy
}
