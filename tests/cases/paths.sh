# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # `within` expands it, each time
# The new path differs, or TCP's settings do.

topology routed

describe "checksums are right without offload, before, at and after the move, both ways"
variants plain family=6 family=mapped
case_checksums() {
	on mover ethtool -K net0 tx off >/dev/null
	on correspondent ethtool -K net0 tx off >/dev/null
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
	expect checksums right on mover
	expect checksums right on correspondent
}

describe "a path of 600 ms, of which nothing is known yet: its timeout is a second, and what is resent goes there once"
topology routed
variants delay=600ms delay=600ms,family=6
case_unmeasured() {
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24
	flow shell send 600
	on mover gain net0 10.0.1.9/24
	on mover route net0 10.0.1.9/24

	server correspondent expect 600
	quiet 2s
	expect segments --data --from "$(addr 10.0.1.9)" from mover exactly 1
	expect flow shell carries 64KiB each way unchanged within 60s
}

describe "the new link has a small MTU: the segments fit"
topology routed snap=160
variants plain rough,family=6
case_smaller_mtu() {
	ip -n mover link set net1 mtu 1300
	ip -n west link set mover1 mtu 1300
	open_flow bulk from mover to correspondent
	flow bulk bulk
	expect flow bulk moves octets

	on mover lose net0 10.0.1.1/24
	on mover gain net1 10.0.3.9/24
	on mover route net1 10.0.3.9/24

	expect flow bulk between 10.0.3.9 and 10.0.2.1 on both within 10s
	expect flow bulk moves octets within 20s
	flow bulk stop
	expect flow bulk carries 1MiB each way unchanged
}

describe "a router in the new path has a smaller MTU, and says so"
variants plain family=6
case_path_mtu() {
	open_flow bulk from mover to correspondent
	flow bulk bulk
	expect flow bulk moves octets

	on mover lose net0 10.0.1.1/24
	on mover gain net1 10.0.3.9/24
	on mover route net1 10.0.3.9/24
	ip -n west link set mid mtu 1320
	ip -n east link set mid mtu 1320

	expect flow bulk between 10.0.3.9 and 10.0.2.1 on both within 10s
	flow bulk stop
	expect flow bulk carries 1MiB each way unchanged
}

describe "the new path has a larger MTU: segments grow"
topology routed snap=160
variants plain
case_larger_mtu() {
	ip -n mover link set net0 mtu 1000
	ip -n west link set mover0 mtu 1000
	open_flow shell from mover to correspondent

	on mover lose net0 10.0.1.1/24
	on mover gain net1 10.0.3.9/24
	on mover route net1 10.0.3.9/24

	expect flow shell between 10.0.3.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 1MiB each way unchanged
	within 3s eval 'in_host mover ss -Htin dport = :5000 | grep -o "mss:1[0-9]*"' ||
		fail "the mover's MSS is more than 1000" "$(in_host mover ss -Htin dport = :5000)"
}

describe "without timestamps"
topology routed snap=160
variants plain rough,family=6
case_no_timestamps() {
	on mover set ipv4/tcp_timestamps 0
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "without timestamps, at full speed, several times"
variants plain rough
case_no_timestamps_busy() {
	local i old=1
	on mover set ipv4/tcp_timestamps 0
	open_flow bulk from mover to correspondent connections=3
	flow bulk bulk

	for i in 2 3 4 5; do
		on mover renumber net0 "10.0.1.$old/24" "10.0.1.$i/24"
		old=$i
		expect flow bulk between "10.0.1.$i" and 10.0.2.1 on both within 20s
	done

	flow bulk stop
}

describe "without SACK and window scaling"
variants plain
case_plain_options() {
	on mover set ipv4/tcp_sack 0
	on mover set ipv4/tcp_window_scaling 0
	open_flow bulk from mover to correspondent
	flow bulk bulk

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow bulk between 10.0.1.9 and 10.0.2.1 on both within 10s
	flow bulk stop
}

describe "early demux off: segments come without their socket"
variants plain family=6
case_no_early_demux() {
	local host
	for host in mover correspondent; do
		on "$host" set ipv4/ip_early_demux 0
		on "$host" set ipv4/tcp_early_demux 0
	done
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "a connection that began with a SYN cookie"
variants plain family=6
case_syn_cookie() {
	on correspondent set ipv4/tcp_syncookies 2
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect moved shell from 10.0.1.1 to 10.0.1.9
}

describe "a closed window at the mover's peer while the mover moves"
variants plain rough
case_closed_window() {
	open_flow shell from mover to correspondent --send-buffer 65536
	kill -STOP "${SERVER_PID[correspondent]}"
	flow_does shell "send 2M" 2s || true

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	quiet 2s
	kill -CONT "${SERVER_PID[correspondent]}"

	server correspondent expect 2M
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
}
