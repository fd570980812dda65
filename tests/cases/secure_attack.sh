# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # another program expands it
# Who has no key, and what it can do: look on, replay, change, get ahead, redirect, flood. Segments are real
# ones, from captures or from the path (tcpc-tool forge replay, relay).

topology routed mode=secure attacker

# With --seq-plus -1000 a RST, FIN or SYN that a changed bit makes is none that TCP believes.

# A connection whose mover has moved, and is not heard: its UPDATEs are captured, and do not arrive.
begin_unheard_move() {
	open_flow "$1" from mover to correspondent "${@:2}"
	on west blocks mover0
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters mover "UpdateSent=${FLOW_COUNT[$1]}" within 20s
	capture_stop
}

describe "every bit of UPDATE, CONFIRM and RESPONSE changed: none of them is followed, whatever it is; then the real ones"
kernels both
variants plain family=6
limit 90
case_flips() {
	on correspondent set tcp_continuity/validate_time 60
	begin_unheard_move shell
	on east blocks corr0
	capture_start correspondent

	replay attacker mover --secure update --last --flip option --as-source "$(addr 10.0.5.66)"
	expect flow shell between 10.0.1.1 and 10.0.2.1 on correspondent
	expect counters correspondent Rebound=0 CapableAgreed=1 SecureUnknownToken=32 SecureBadFlags=7 \
		SecureBadVersion=4 SecureBadMac=120+ SecureTruncated=1+ SecureBadLength=1+, mover Confirmed=0
	replay attacker mover --secure update --last --flip rest --seq-plus -1000
	expect flow shell between 10.0.1.9 and 10.0.2.1 on correspondent
	expect counters correspondent Rebound=1 ConfirmSent=1 PathValidated=0

	capture_stop
	capture_start mover
	replay attacker correspondent --secure confirm --last --flip option
	expect counters mover Confirmed=0 ResponseSent=0 SecureBadMac=120+
	replay attacker correspondent --secure confirm --last --flip rest --seq-plus -1000
	# Not of the mover's last UPDATE, it does not confirm; it is answered.
	expect counters mover ResponseSent=1+ Confirmed=0

	capture_stop
	replay attacker mover --secure response --last --flip option
	expect counters correspondent PathValidated=0
	replay attacker mover --secure response --last --flip rest --seq-plus -1000
	expect counters correspondent PathValidated=1 Rebound=1

	on east passes
	on west passes
	expect counters mover Confirmed=1 within 20s
	expect flow shell carries 64KiB each way unchanged
}

describe "every bit of CAPABLE and ECHO changed on the way: plain TCP, and never does the acceptor believe"
kernels both
variants plain family=6
limit 120
case_flips_in_handshake() {
	local part drop count
	while read -r part count drop; do
		on west firewall "chain hold { type filter hook forward priority 0; $drop drop; }"
		# shellcheck disable=SC2086 # words on purpose
		case $part in
		syn) relay west --flags S --dport 5000 --flip-option ;;
		syn_ack) relay west --flags S --sport 5000 --flip-option ;;
		echo) relay west --secure echo --flip-option ;;
		esac
		open_flow "$part" from mover to correspondent connections="$count"
		expect flow "$part" carries 300 each way unchanged
		expect counters correspondent CapableAgreed=0 Rebound=0
		stop_relay west
		on west firewall off
		flow "$part" close
	done <<-EOF
		syn 120 tcp flags & (syn|ack) == syn
		syn_ack 120 tcp flags & (syn|ack) == (syn|ack)
		echo 30 tcp flags & (syn|ack) == ack tcp option 253 exists
	EOF
	expect counters correspondent SecureBadMac=100+
}

describe "recorded UPDATEs again: later, from elsewhere, back to the sender, to another host, after another move"
kernels both
variants plain family=6
case_replayed() {
	on west set tcp_continuity/mode secure
	open_flow shell from mover to correspondent
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell carries 64KiB each way unchanged
	expect counters correspondent Rebound=1 PathValidated=1
	capture_stop

	replay attacker mover --secure update
	replay attacker mover --secure update --as-source "$(addr 10.0.5.66)"
	expect counters correspondent Rebound=1 SecureOldEpoch=2+
	replay attacker mover --secure update --reflect
	expect counters mover SecureUnknownToken=1+ Rebound=0
	replay attacker mover --secure update --as-destination "$(addr 10.0.9.1)"
	expect counters west SecureUnknownToken=1+
	replay attacker mover --secure response --as-source "$(addr 10.0.5.66)"
	replay attacker mover --secure echo --as-source "$(addr 10.0.5.66)"
	replay attacker mover --secure confirm
	on mover renumber net0 10.0.1.9/24 10.0.1.11/24
	expect flow shell carries 64KiB each way unchanged
	replay attacker mover --secure update --as-source "$(addr 10.0.5.66)"

	expect flow shell between 10.0.1.11 and 10.0.2.1 on both
	expect flow shell carries 64KiB each way unchanged
	expect counters correspondent Rebound=2 CapableAgreed=1, mover Moved=2 Confirmed=2 Rebound=0
}

describe "an attacker on the path has its copy of each UPDATE arrive first, and no answer: the mover's next is followed"
topology routed mode=secure attacker snap=160
kernels both
variants plain family=6
limit 90
case_copy_first() {
	open_flow shell from mover to correspondent
	mute_victim
	on west firewall 'chain hold { type filter hook forward priority 0; iifname "mover0" tcp option 253 exists drop; }'
	relay west --secure update --copy-as "$(addr 10.0.5.66)" --delay 200

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell between 10.0.5.66 and 10.0.2.1 on correspondent within 10s
	expect counters mover Confirmed=0, correspondent SecureOldEpoch=1+ within 5s
	stop_relay west
	on west passes

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 20s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Confirmed=1, correspondent PathValidated=1
	victim_got_little 1
}

describe "somebody has asked for a connection from where the mover goes to: no more than a SYN is in nobody's way"
topology routed mode=secure attacker
kernels both
variants plain family=6
case_half_open_in_the_way() {
	open_flow shell from mover to correspondent
	capture_stop
	replay attacker mover --flags S --as-source "$(addr 10.0.1.9)"
	expect requests on correspondent 1

	on mover renumber net0 10.0.1.1/24 10.0.1.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect requests on correspondent 0
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Confirmed=1, correspondent Rebound=1 UpdateTupleTaken=0
}

describe "a peer names somebody else, and sends on from where it was: the victim gets what S-40 says"
topology routed mode=secure attacker snap=160
kernels both
variants plain family=6
limit 90
case_redirected() {
	open_flow shell from mover to correspondent
	flow shell bulk
	expect flow shell moves octets
	redirect

	# What comes from where the peer was is led to the connection, and has to be acknowledged.
	replay west mover --option-only --from "$(addr 10.0.1.1)" --last --seq-plus 20000 --payload 1 --count 500
	quiet 2s

	victim_got_little 1
}

describe "a thousand connections with data to send name one victim: they get to it what S-40 says"
topology routed mode=secure attacker snap=160
kernels both
variants plain family=6
limit 240
case_redirected_by_many() {
	local count=1000
	# It takes them minutes; a hundred are above all limits, too.
	[ "$FLAVOUR" = stock ] || count=100
	open_flow shell from mover to correspondent connections=$count
	on west blocks mover0
	server correspondent send 10K
	redirect
	quiet 2s

	victim_got_little $count
}

# The victim, 10.0.5.66, has nothing to say, not even RST.
mute_victim() {
	on attacker firewall 'chain mute { type filter hook output priority 0; meta l4proto tcp drop; }'
	now
	BEGUN=$NOW
}

# The mover moves, and its UPDATEs come from the victim.
redirect() {
	mute_victim
	on west blocks mover0
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters mover "UpdateSent=${FLOW_COUNT[shell]}" within 20s
	capture_stop
	capture_start correspondent
	replay west mover --secure update --as-source "$(addr 10.0.5.66)"
	expect counters correspondent "Rebound=${FLOW_COUNT[shell]}+"
}

# Three times what came in its name; besides a whole segment for each connection, but for no more than 32,
# in 10 s each.
victim_got_little() {
	local count=$1 got spent spans
	capture_stop
	now
	spans=$(((NOW - BEGUN) / 10000 + 1))
	[ "$count" -le 32 ] || count=32
	got=$(segments correspondent --octets --to "$(addr 10.0.5.66)")
	spent=$(segments correspondent --octets --from "$(addr 10.0.5.66)")
	[[ $got -gt 0 && $got -le $((3 * spent + spans * count * 1600)) ]] ||
		fail "at most three times $spent octets and $spans times $count segments with CONFIRMs to the victim" "$got octets"
}

describe "RSTs with right numbers, for a flow on the move and for the address it has left, are not believed"
topology routed mode=secure attacker
kernels both
variants plain family=6
case_reset() {
	begin_unheard_move shell
	capture_start mover
	replay attacker correspondent --from "$(addr 10.0.2.1)" --as-destination "$(addr 10.0.1.9)" --last --rst
	expect counters mover RstIgnored=1
	on west passes
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 20s
	expect flow shell carries 64KiB each way unchanged
	capture_stop

	replay attacker mover --from "$(addr 10.0.1.9)" --last --as-source "$(addr 10.0.1.1)" --rst

	expect counters correspondent RstIgnored=1
	expect flow shell carries 64KiB each way unchanged
}

# RSTs with right numbers for both ends of a flow, from what was captured last.
reset_both() {
	capture_stop
	replay attacker correspondent --from "$(addr 10.0.2.1)" --last --rst
	replay attacker mover --from "$(addr 10.0.1.1)" --last --rst
}

describe "RSTs for connections of which one end has closed, or both one after the other: they end as if none had come"
kernels both
variants plain family=6
case_reset_while_closing() {
	open_flow shell from mover to correspondent
	flow shell shutdown
	expect flow shell state FIN-WAIT-2 on mover
	expect flow shell state CLOSE-WAIT on correspondent

	reset_both

	expect counters mover RstIgnored=1 RstBelieved=0, correspondent RstIgnored=1 RstBelieved=0
	server correspondent send 64K
	flow shell expect 64K
	server correspondent close
	flow shell wait
}

describe "a RST in FIN-WAIT-1, and one in CLOSING: the FIN is sent again, and both ends are done"
kernels both
variants plain family=6
case_reset_in_fin_wait1() {
	open_flow shell from mover to correspondent
	# So that what was captured last has the number that is next.
	flow shell send 1K
	server correspondent expect 1K
	# However slow this is, the peer has time to contradict.
	on mover set tcp_continuity/rst_guard 60000
	on west blocks mover0
	flow shell abandon
	expect flow shell state FIN-WAIT-1 on mover
	capture_stop

	replay attacker correspondent --from "$(addr 10.0.2.1)" --last --rst
	expect counters mover RstIgnored=1
	expect flow shell state FIN-WAIT-1 on mover
	server correspondent abandon
	expect flow shell state CLOSING on mover
	replay attacker correspondent --from "$(addr 10.0.2.1)" --last --rst
	expect counters mover RstIgnored=2 RstBelieved=0
	expect flow shell state CLOSING on mover
	on west passes

	expect ended CLOSING on mover, FIN-WAIT-1 on correspondent
}

describe "a RST in LAST-ACK: the FIN is sent again, and both ends are done"
kernels both
variants plain family=6
case_reset_in_last_ack() {
	open_flow shell from mover to correspondent
	server correspondent shutdown
	expect flow shell state CLOSE-WAIT on mover
	on west blocks mover0
	flow shell abandon
	expect flow shell state LAST-ACK on mover
	capture_stop

	replay attacker correspondent --from "$(addr 10.0.2.1)" --last --rst
	expect counters mover RstIgnored=1 RstBelieved=0
	expect flow shell state LAST-ACK on mover
	on west passes

	expect ended LAST-ACK on mover, FIN-WAIT-2 on correspondent
}

describe "a RST that carries an option of ours, or comes in fragments, is a RST like others: the peer is asked"
kernels both
variants plain family=6
case_reset_dressed_up() {
	open_flow shell from mover to correspondent
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect counters correspondent PathValidated=1 within 10s
	# For a moment after a move none is believed anyway.
	quiet 3s
	capture_stop

	replay attacker mover --secure update --last --rst
	expect counters correspondent SecureMisplaced=1 RstIgnored=1
	replay attacker mover --secure update --last --rst --wrap fragments
	expect counters correspondent RstIgnored=2
	replay attacker mover --secure update --last --rst --wrap reserved
	expect counters correspondent RstIgnored=3

	expect flow shell carries 64KiB each way unchanged
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both
	expect counters correspondent RstBelieved=0
}

describe "an offer whose connection never came to be is no offer of the next one's from there, which makes none"
kernels both
variants plain family=6
case_stale_offer() {
	open_flow first from mover to correspondent
	capture_stop
	replay attacker mover --flags S --secure capable --dport 5000 --last --as-source "$(socket_addr 10.0.1.1):45000"
	expect counters correspondent OpeningNow=1 CapableNow=1
	expect requests on correspondent 0
	on mover set tcp_continuity/mode off

	open_flow second from mover to correspondent --bind "$(socket_addr 10.0.1.1):45000"

	expect flow second carries 64KiB each way unchanged
	expect counters correspondent OpeningNow=0 CapableNow=1
}

describe "a flood of SYNs that offer: what is kept is bounded, TCP goes on, and this host's own connections offer still"
kernels both
variants plain family=6
limit 120
case_syn_flood() {
	ip -n east "$INET" route add "$(addr 10.0.77.0/24)" via "$(addr 10.0.5.66)"
	serve correspondent 5001
	open_flow shell from mover to correspondent
	capture_stop

	replay attacker mover --flags S --secure capable --dport 5000 --last --as-source "$(addr 10.0.77.1)" --scatter 4000
	replay attacker mover --flags S --secure capable --dport 5000 --last --as-source "$(addr 10.0.77.1)" --scatter 4000 \
		--as-destination "$(socket_addr 10.0.2.1):5001"
	expect counters correspondent CapableFull=1+
	[ "$(in_host correspondent awk '/OpeningNow/ { print $2 }' /proc/net/tcp_continuity_stat)" -le 4096 ] ||
		fail "at most 4096 half-open connections are remembered" "$(in_host correspondent grep Now /proc/net/tcp_continuity_stat)"

	open_flow during from mover to correspondent
	open_flow back from correspondent to mover
	expect flow during carries 64KiB each way unchanged
	expect flow back carries 64KiB each way unchanged
	expect flow shell carries 64KiB each way unchanged
	expect counters mover CapableAgreed=2 CapableDeclined=1, correspondent CapableOffered=1 CapableAgreed=2
}

describe "UPDATEs in fragments, behind IP options, with wrong checksums and any offload: followed or not, never harmful"
kernels both
variants plain family=6
case_wrapped() {
	local offload
	begin_unheard_move shell
	for offload in "rx "{off,on}" tx "{off,on}" gro "{off,on}; do
		# shellcheck disable=SC2086 # words on purpose
		on correspondent ethtool -K net0 $offload >/dev/null
		replay attacker mover --secure update --option-only --last --bad-checksum --wrap plain
		replay attacker mover --secure update --option-only --last --bad-checksum --wrap options
	done
	expect counters correspondent Rebound=0 UpdateBadChecksum=16
	replay attacker mover --secure update --option-only --last --wrap fragments-backwards
	# Netfilter sees IPv6 fragments before they are put together.
	[ "${OPT[family]}" = 6 ] || expect counters correspondent Rebound=1
	on west passes

	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 20s
	expect flow shell carries 64KiB each way unchanged
	on west blocks mover0
	capture_start mover
	on mover renumber net0 10.0.1.9/24 10.0.1.11/24
	expect counters mover UpdateSent=2 within 10s
	capture_stop
	replay attacker mover --secure update --option-only --last --wrap options
	expect flow shell between 10.0.1.11 and 10.0.2.1 on correspondent within 5s
}

# What chance makes of captured segments, to an address; each process has a seed of its own.
mutations() {
	local to=$1 number=$2 count=$3
	SEED=$((SEED + number)) replay attacker mover --secure any --to "$(addr "$to")" --mutate "$count"
	say "$SEEN"
}

describe "whatever chance makes of segments of live connections: nothing moves, nothing breaks, little is logged"
kernels both
variants plain family=6
# A million take half an hour under emulation.
limit "$([ -z "${TCPC_FUZZ_RUNS:-}" ] && echo 200 || echo 20000)"
case_fuzz() {
	local count=${FUZZ_RUNS:-20000} rejected pid pids=()
	[ -n "${FUZZ_RUNS:-}" ] || [ "$FLAVOUR" = stock ] || count=1000
	open_flow shell from mover to correspondent connections=2
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=2 Confirmed=2, correspondent Rebound=2 PathValidated=2
	capture_stop
	# What was captured is far behind then, so that TCP has nothing to believe.
	expect flow shell carries 2MiB each way unchanged

	# Side by side, so that all processors have some at once.
	mutations 10.0.2.1 0 $((count * 2 / 5)) & pids+=($!)
	mutations 10.0.2.1 1 $((count * 2 / 5)) & pids+=($!)
	mutations 10.0.1.9 2 $((count / 5)) & pids+=($!)
	for pid in "${pids[@]}"; do wait "$pid"; done

	expect silence
	expect flow shell carries 64KiB each way unchanged
	expect counters mover Moved=2 Confirmed=2 Rebound=0, correspondent Rebound=2 Moved=0 PathValidated=2
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both
	rejected=$(in_host correspondent awk '/^(Secure|Update)/ { n += $2 } END { print n }' /proc/net/tcp_continuity_stat)
	[ "$rejected" -ge $((count / 5)) ] ||
		fail "a fifth at least is counted as rejected" "$(in_host correspondent grep -v ' 0$' /proc/net/tcp_continuity_stat)"
}
