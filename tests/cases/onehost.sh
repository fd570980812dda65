# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # `within` expands it, each time
# Both ends of a connection live on one host.

describe "both ends in one namespace: the client's address goes, another one is there"
topology single uncaptured
kernels both
variants plain family=6
case_same_namespace() {
	open_flow shell from mover to mover at 10.0.2.1 --bind "$(socket_addr 10.0.1.1):0"

	on mover gain net0 10.0.1.9/24
	on mover set ipv4/conf/net0/promote_secondaries 1
	on mover lose net0 10.0.1.1/24

	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 Confirmed=1
	within 3s eval '! sockets_on mover list | grep -v LISTEN | grep -F "$(addr 10.0.1.1):"' ||
		fail "no socket has the old address" "$SEEN"
}

describe "both ends in one namespace: the server's address goes, another one is there"
variants plain family=6
case_same_namespace_server() {
	open_flow shell from mover to mover at 10.0.2.1 --bind "$(socket_addr 10.0.1.1):0"

	on mover set ipv4/conf/net1/promote_secondaries 1
	on mover gain net1 10.0.2.9/24
	on mover lose net1 10.0.2.1/24

	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 Confirmed=1
}

describe "two namespaces of one host on one cable, without a router"
topology joined
variants plain family=6
case_two_namespaces() {
	open_flow shell from mover to correspondent at 10.0.1.2

	on mover lose net0 10.0.1.1/24
	on mover gain net0 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.1.2 on both within 5s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 usual, correspondent Rebound=1 usual, others 0
}
