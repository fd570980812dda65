# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Moves through firewalls that track connections: on the way, where one that has not seen a SYN lets
# nothing through, and on the hosts, where what is established is all that may come and go.
#
# Variants: at=HOST or at=both is where the firewall is, mover=HOST who moves, nat=west that west
# translates, loose=0 that no connection is picked up in its middle (nf_conntrack_tcp_loose).

# Which of two hosts the firewall is on in this run.
firewalls_of() {
	case ${OPT[at]} in
	both) echo "$@" ;;
	*) echo "${OPT[at]}" ;;
	esac
}

strictly() {
	on "$1" set netfilter/nf_conntrack_tcp_loose "${OPT[loose]:-0}"
	on "$1" set netfilter/nf_conntrack_tcp_be_liberal 0
}

# A router that wants to see every connection from its SYN on, and every segment in the window.
host_wants_syn() {
	on "$1" firewall 'chain forward { type filter hook forward priority 0;
		ct state invalid counter drop
		tcp flags & (syn | ack) != syn ct state new counter drop
	}'
	strictly "$1"
}

# A host lets out and in what is established, and nothing else, but for those it has as yet.
host_closes() {
	on "$1" firewall 'chain in { type filter hook input priority 0; policy drop;
		meta l4proto ipv6-icmp accept
		ct state established,related accept
	}
	chain out { type filter hook output priority 0; policy drop;
		meta l4proto ipv6-icmp accept
		ct state established,related accept
	}'
}

# It knows of its connections.
host_tracks() {
	on "$1" firewall 'chain track { type filter hook input priority -1; ct state new accept; }'
	strictly "$1"
}

# How many hold the module, where it is one.
users_of_conntrack() { cat /sys/module/nf_conntrack/refcnt 2>/dev/null || echo 'built in'; }

# The one that moves in this run, to its address NUMBER.
somebody_moves() {
	local from=$1 to=$2
	if [ "${OPT[mover]:-mover}" = mover ]; then
		on mover renumber net0 "10.0.1.$from/24" "10.0.1.$to/24"
	else
		on correspondent renumber net0 "10.0.2.$from/24" "10.0.2.$to/24"
	fi
}

expect_moved_on() {
	local number=$1 end=both
	[ -z "${OPT[nat]:-}" ] || end=mover
	if [ "${OPT[mover]:-mover}" = mover ]; then
		expect flow bulk between "10.0.1.$number" and 10.0.2.1 on "$end" within 15s
	else
		expect flow bulk between 10.0.1.1 and "10.0.2.$number" on "$end" within 15s
	fi
	expect flow bulk moves octets within 20s
}

# What the one that moves and the other must have counted.
expect_counted() {
	local one=${OPT[mover]:-mover} other=correspondent
	[ "$one" = mover ] || other=mover
	expect counters "$one" "$1," "$other" "$2" within 15s
}

describe "routers that track windows and want a SYN: they get one, and bulk data goes on both ways"
topology routed mode=secure snap=160
kernels both
variants at=both,nat=west at=west at=east,delay=40ms at=both,family=6 at=both,mover=correspondent at=west,nat=west,delay=40ms
case_on_the_way() {
	local router
	for router in $(firewalls_of west east); do
		on "$router" wants_syn
	done
	[ -z "${OPT[nat]:-}" ] ||
		on west firewall 'chain nat { type nat hook postrouting priority 100; oifname "mid" masquerade; }'
	open_flow bulk from mover to correspondent
	flow bulk bulk
	expect flow bulk moves octets

	somebody_moves 1 9
	expect moved_on 9
	somebody_moves 9 10
	expect moved_on 10

	flow bulk stop
	expect counted "Moved=2 Confirmed=2 UpdateOnSyn=2+" "Rebound=2+ PathValidated=1+"
}

describe "host firewalls: what is established may come and go, and still does after a move"
kernels both
variants at=both at=correspondent,loose=1 at=mover at=both,mover=correspondent,loose=1 at=both,family=6 at=correspondent,mover=correspondent
exclusive
case_on_the_hosts() {
	local host users
	for host in $(firewalls_of mover correspondent); do
		on "$host" tracks
	done
	open_flow bulk from mover to correspondent
	for host in $(firewalls_of mover correspondent); do
		on "$host" closes
	done
	users=$(users_of_conntrack)
	flow bulk bulk
	expect flow bulk moves octets

	somebody_moves 1 9
	expect moved_on 9
	somebody_moves 9 10
	expect moved_on 10

	expect counted "Moved=2 Confirmed=2" "Rebound=2+ PathValidated=1+"
	[ "$(users_of_conntrack)" = "$users" ] ||
		fail "as many users of nf_conntrack as before, $users" "$(users_of_conntrack)"
	rmmod tcp_continuity
	expect flow bulk moves octets
	flow bulk stop
}

describe "a host firewall, and answers that arrive after fifteen seconds only: the peer has validate_time, at the firewall as well"
topology routed mode=secure
variants plain
limit 90
case_validated_late() {
	on correspondent set tcp_continuity/validate_time 30
	on correspondent tracks
	open_flow shell from mover to correspondent
	on correspondent closes
	on west blocks mid

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters correspondent Rebound=1 within 5s
	quiet 15s
	on west passes

	expect counters correspondent PathValidated=1 PathReturned=0 within 20s
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both
	expect flow shell carries 64KiB each way unchanged
}

describe "a host firewall that forbids the new address: the connection does not go on there"
variants plain family=6
case_forbidden() {
	on correspondent tracks
	open_flow shell from mover to correspondent
	on correspondent closes
	on correspondent firewall "chain forbid { type filter hook input priority -1;
		ip saddr 10.0.1.9 drop; ip6 saddr fd00:1::9 drop; }"

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect counters mover UpdateOnSyn=3+ Confirmed=0, correspondent Rebound=0 within 10s
	on mover renumber net0 10.0.1.9/24 10.0.1.10/24
	expect flow shell between 10.0.1.10 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect counters correspondent Rebound=1 PathValidated=1
}

describe "a SYN with a wrong MAC is plain TCP's: nothing moves, until a right one comes"
topology routed mode=secure
variants plain family=6
case_wrong_mac() {
	open_flow shell from mover to correspondent
	on west wants_syn
	# The last octets of 60, which are the last of the MAC; checksums are not computed yet.
	# What is not on a SYN is authentic, and would be let through once the listener has answered the SYN.
	on west firewall 'chain mangle { type filter hook forward priority -160;
		tcp flags & (syn | ack) == syn @th,464,16 set 0x5555
		tcp flags & syn == 0 tcp option 253 exists drop; }'

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters mover UpdateOnSyn=2+, correspondent SecureBadMac=2+ Rebound=0 within 10s
	on west nft delete chain inet test mangle

	# What the wrong ones left at the router and at the listener is not in the way of the next one.
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 20s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=1 Confirmed=1, correspondent Rebound=1 PathValidated=1
}

describe "an idle connection, and what it takes on the wire: SYN, SYN/ACK, ACK"
variants plain family=6
case_on_the_wire() {
	on mover ethtool -K net0 tx off >/dev/null
	on correspondent ethtool -K net0 tx off >/dev/null
	on west wants_syn
	open_flow shell from mover to correspondent

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
	expect segments --flags S --secure update --from "$(addr 10.0.1.9)" from mover at least 1
	expect segments --flags SA --secure confirm --to "$(addr 10.0.1.9)" from mover at least 1
	expect segments --secure response --option-only from mover at least 1
	expect checksums right on mover
	expect checksums right on correspondent
}
