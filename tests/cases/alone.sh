# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # `within` expands it, each time
# What is left alone.

topology routed

describe "a listening socket with the old address stays as it is"
variants plain family=6
case_listener() {
	in_host mover tcpc-tool stream serve --listen "$(socket_addr 10.0.1.1):6000" >"$WORK/listener.log" 2>&1 3>&- &
	within 5s grep -q listening "$WORK/listener.log" || fail "a listener" "$(cat "$WORK/listener.log")"

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	quiet 1s

	in_host mover ss -Htln | grep -qF "$(socket_addr 10.0.1.1):6000" ||
		fail "the listener on the old address" "$(in_host mover ss -Htln)"
	expect counters mover, correspondent, others 0
}

describe "a connection over loopback addresses stays when one of them goes"
variants plain
case_loopback() {
	ip -n mover address add 127.0.0.2/8 dev lo
	open_flow shell from mover to mover at 127.0.0.1 --bind 127.0.0.2:0
	on mover set ipv4/conf/lo/promote_secondaries 1

	ip -n mover address del 127.0.0.2/8 dev lo
	quiet 1s

	expect counters mover, others 0
	[ -n "$(in_host mover ss -Htn src 127.0.0.2)" ] ||
		fail "the connection with its addresses" "$(in_host mover ss -Htn)"
}

describe "a connection that is being opened (SYN_SENT) is not moved"
variants plain family=6
case_syn_sent() {
	on west blocks mid
	begin_silently
	expect_syn_sent 10.0.1.1

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	quiet 1s

	expect counters mover Moved=0 Suspended=0 UpdateSent=0
	expect motion on mover 0 pending
}

# A connection that gets no answer.
begin_silently() {
	in_host mover tcpc-tool stream connect "$(socket_addr 10.0.2.1):5000" --control "$WORK/flow-silent" \
		>"$WORK/silent.log" 2>&1 3>&- &
}

expect_syn_sent() {
	within 5s eval '[ -n "$(in_host mover ss -Htn state syn-sent)" ]' || fail "a socket in SYN_SENT" "$SEEN"
}

describe "a connection in TIME_WAIT is not moved"
variants plain family=6
case_time_wait() {
	open_flow shell from mover to correspondent
	flow shell close
	flow shell wait
	within 5s eval '[ -n "$(in_host mover ss -Htn state time-wait)$(in_host correspondent ss -Htn state time-wait)" ]' ||
		fail "a socket in TIME_WAIT" "$(in_host mover ss -Htan)"

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	quiet 1s

	expect unmoved
}

describe "a socket with a TCP-MD5 key is left alone"
variants plain
case_md5() {
	SERVE_WORDS='--md5 secret' open_flow shell from mover to correspondent --md5 secret

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	quiet 1s

	expect counters mover Moved=0 UpdateSent=0 Ineligible=any SourceDropped=any
	expect counters correspondent, others 0
	expect segments with UPDATE from mover exactly 0
}

describe "a Multipath TCP connection is left alone"
variants plain
case_mptcp() {
	SERVE_WORDS='--mptcp' open_flow shell from mover to correspondent --mptcp

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	quiet 1s

	expect counters mover Moved=0 UpdateSent=0 Ineligible=any SourceDropped=any
	expect counters correspondent, others 0
	expect segments with UPDATE from mover exactly 0
}

topology routed snap=160

describe "connections to and from other addresses of the host are not touched by a move"
variants plain family=6
case_bystander() {
	on mover gain net1 10.0.3.9/24
	ip -n mover "$INET" route add "$(addr 10.0.4.0)/$([ "${OPT[family]}" = 6 ] && echo 64 || echo 24)" \
		via "$(addr 10.0.3.254)" dev net1
	on correspondent gain net1 10.0.4.1/24
	open_flow bystander from mover to correspondent at 10.0.4.1 port=5001 --bind "$(socket_addr 10.0.3.9):0"
	flow bystander bulk
	open_flow shell from mover to correspondent

	# First the new address: without one on this link that of the other would do.
	on mover set ipv4/conf/net0/promote_secondaries 1
	on mover gain net0 10.0.1.9/24
	on mover lose net0 10.0.1.1/24
	on mover route net0 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 5s
	expect flow bystander moves octets
	expect flow bystander between 10.0.3.9 and 10.0.4.1 on both
	flow bystander stop
	expect counters mover Moved=1 UpdateSent=1 Confirmed=1 usual, correspondent Rebound=1 usual, others 0
}
