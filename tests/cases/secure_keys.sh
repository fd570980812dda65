# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Keys of the secure profile: the exchange of connections that live, and pre-shared keys.

K1=$(printf '11%.0s' {1..32}) K2=$(printf '22%.0s' {1..32}) K3=$(printf '33%.0s' {1..32})

strengths_are() {
	local host=$1 word=$2 count=$3
	in_host "$host" cat /proc/net/tcp_continuity_capable |
		awk -v w="$word" -v n="$count" 'NR > 1 { print; if ($3 == w) good++ } END { exit good + 0 != n }'
}

# expect strength WORD of COUNT on HOST|both [within 5s]: so many connections are that strong.
expect_strength() {
	local word=$1 count=$3 where=$5 host
	span_of 5s "$@"
	for host in mover correspondent; do
		[ "$where" = both ] || [ "$where" = "$host" ] || continue
		within "$SPAN" strengths_are "$host" "$word" "$count" ||
			fail "$count connections of strength $word on $host within $SPAN" "${SEEN:-none}"
	done
}

counted() { in_host "$1" grep -q "^$2 [1-9]" /proc/net/tcp_continuity_stat; }

topology routed mode=secure keyshare=500

describe "a connection that lives gets keys that nobody has seen: two segments each way and one more"
kernels both
variants plain family=6 family=mapped
case_exchanged() {
	open_flow shell from mover to correspondent

	expect strength ecdh of 1 on both within 15s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover CapableOffered=1 CapableAgreed=1 KeyshareSent=1 KeyedSent=1 KeysExchanged=1 Deferred=any, \
		correspondent CapableAgreed=1 KeyshareSent=1 KeyedSent=1 KeysExchanged=1 Deferred=any, others 0
	expect segments --secure keyshare --option-only from mover exactly 4
	expect segments --secure keyed --option-only from mover exactly 2
}

describe "moves of either end before the exchange and after it"
variants plain rough family=6
limit 90
case_moves_around_it() {
	open_flow shell from mover to correspondent
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell carries 64KiB each way unchanged
	expect strength ecdh of 1 on both within 60s

	on mover renumber net0 10.0.1.9/24 10.0.1.10/24
	expect flow shell between 10.0.1.10 and 10.0.2.1 on both within 20s
	expect flow shell carries 64KiB each way unchanged
	expect motion on mover 0 pending within 20s
	on correspondent renumber net0 10.0.2.1/24 10.0.2.9/24

	expect flow shell between 10.0.1.10 and 10.0.2.9 on both within 20s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover KeysExchanged=1 Moved=2 Confirmed=2, \
		correspondent KeysExchanged=1 Moved=1 Confirmed=1 within 10s
}

describe "the acceptor moves and is not validated yet: the client keeps what it may send there for CONFIRM"
topology routed mode=secure keyshare=8000
variants plain
case_waits_for_the_path() {
	on correspondent set tcp_continuity/validate_time 60
	open_flow shell from correspondent to mover
	on west blocks mid
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect counters correspondent Rebound=1 within 5s
	quiet 10s
	expect counters correspondent KeyshareSent=0 PathValidated=0
	on west passes

	expect strength ecdh of 1 on both within 60s
	expect flow shell carries 64KiB each way unchanged
	expect counters mover KeysExchanged=1, correspondent PathValidated=1 KeysExchanged=1 within 10s
}

topology routed mode=secure keyshare=500

describe "the mover moves while its public value is on the way, the peer while the answer is"
variants delay=1500ms
kernels both
limit 120
case_moves_in_the_middle() {
	open_flow shell from mover to correspondent
	within 10s counted mover KeyshareSent || fail "KEYSHARE is sent" "$(on mover cat /proc/net/tcp_continuity_stat)"
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 20s
	within 20s counted correspondent KeyshareSent || fail "KEYSHARE is answered" "$(on correspondent cat /proc/net/tcp_continuity_stat)"
	on correspondent renumber net0 10.0.2.1/24 10.0.2.9/24

	expect flow shell between 10.0.1.9 and 10.0.2.9 on both within 30s
	expect strength ecdh of 1 on both within 60s
	expect flow shell carries 64KiB each way unchanged within 60s
}

describe "a peer that does not answer, or has it switched off: a few segments, and as strong as before"
case_unanswered() {
	on correspondent set tcp_continuity/keyshare_after 0
	open_flow shell from mover to correspondent

	expect counters mover CapableOffered=1 CapableAgreed=1 KeyshareSent=1 KeyshareRetransmitted=5 \
			KeyshareUnanswered=1, \
		correspondent CapableAgreed=1 SecureUnexpectedShare=12, others 0 within 40s
	expect strength handshake of 1 on both
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow shell between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow shell carries 64KiB each way unchanged
}

describe "a thousand connections exchange keys at the same time, and move"
topology routed mode=secure keyshare=500 uncaptured
limit 180
case_thousand() {
	open_flow many from mover to correspondent connections=1000
	expect strength ecdh of 1000 on both within 90s
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow many between 10.0.1.9 and 10.0.2.1 on both within 60s
	expect flow many carries 1KiB each way unchanged
	flow many close
	expect counters mover CapableNow=0 within 20s
}

topology routed mode=secure

describe "a pre-shared key that both have, that one has, that one has to have"
kernels both
case_psk() {
	open_flow none from mover to correspondent port=5001
	on mover set tcp_continuity/psk "7 $K1"
	open_flow alone from mover to correspondent port=5002
	expect strength handshake of 2 on both
	on correspondent set tcp_continuity/psk "7 $K1"
	on correspondent set tcp_continuity/psk_required 1
	open_flow both from mover to correspondent port=5003
	expect strength psk of 1 on both
	on mover set tcp_continuity/psk none
	open_flow refused from mover to correspondent port=5004
	expect counters mover CapableAgreed=3 CapableDeclined=1, correspondent CapableAgreed=3 SecureKeyRequired=1
	# As if it had not been asked for: TCP goes on.
	expect flow refused carries 1KiB each way unchanged
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	expect flow both between 10.0.1.9 and 10.0.2.1 on both within 10s
	expect flow both carries 64KiB each way unchanged
}

describe "both: a pre-shared key, and an exchange"
topology routed mode=secure keyshare=300
case_psk_and_exchange() {
	on mover set tcp_continuity/psk "200 $K1 any"
	on correspondent set tcp_continuity/psk "200 $K1"
	open_flow shell from mover to correspondent
	expect strength psk+ecdh of 1 on both within 10s
}

topology routed mode=secure

describe "one key after the other, with connections alive all the time, and none without a key"
case_rollover() {
	local host step=0 line
	for host in mover correspondent; do
		on "$host" set tcp_continuity/psk "1 $K1"
		on "$host" set tcp_continuity/psk_required 1
	done
	open_flow flow0 from mover to correspondent port=5000
	for line in "2 $K2 accept" "2 $K2 use" "none 1"; do
		for host in mover correspondent; do
			on "$host" set tcp_continuity/psk "$line"
			step=$((step + 1))
			open_flow "flow$step" from mover to correspondent port=$((5000 + step))
		done
	done
	expect strength psk of 7 on both
	on mover renumber net0 10.0.1.1/24 10.0.1.9/24
	for ((step = 0; step < 7; step++)); do
		expect flow "flow$step" between 10.0.1.9 and 10.0.2.1 on both within 10s
		expect flow "flow$step" carries 1KiB each way unchanged
	done
}

describe "the longest prefix of the peer's address says which key, and no other counts"
variants plain family=6
case_prefixes() {
	local wide=10.0.0.0/8 narrow=10.0.2.0/24 home=10.0.1.0/24
	[ "${OPT[family]}" != 6 ] || wide=fd00::/16 narrow=fd00:2::/64 home=fd00:1::/64
	on mover set tcp_continuity/psk "1 $K1"
	on mover set tcp_continuity/psk "2 $K2 $wide"
	on mover set tcp_continuity/psk "3 $K3 $narrow use"
	on correspondent set tcp_continuity/psk "3 $K3 $home"
	open_flow narrow from mover to correspondent port=5001
	expect strength psk of 1 on both
	# Nobody knows the key of the wide one; then it does.
	on mover set tcp_continuity/psk "none $narrow"
	open_flow wide from mover to correspondent port=5002
	expect strength handshake of 1 on both
	on correspondent set tcp_continuity/psk "2 $K2 $home accept"
	open_flow again from mover to correspondent port=5003
	expect strength psk of 2 on both
	on mover set tcp_continuity/psk none
	open_flow last from mover to correspondent port=5004
	expect strength handshake of 2 on both
}

describe "a wrong line is refused whole; nobody reads a key, and only who owns the network writes one"
case_writes() {
	local line seen many
	on mover set tcp_continuity/psk "1 $K1 2 $K2"
	on correspondent set tcp_continuity/psk "1 $K1"
	for line in "" "1" "1 ${K1}0" "0 $K1" "256 $K1" "1 ${K1/1/g}" "1 ${K1//1/0}" "3 $K3 use" "3 $K3 accept" \
		"1 $K1 1 $K2" "3 $K3 10.0.0.1/8" "3 $K3 10.0.0.0/33" "3 $K3 ::ffff:0.0.0.0/96" "3 $K3 any x" "none 9" "none x" \
		"3 $K3 $(printf 'x%.0s' {1..300})"; do
		expect refused on mover set tcp_continuity/psk "$line"
	done
	open_flow shell from mover to correspondent
	expect strength psk of 1 on both
	# Root may not read; the root of another user namespace, who has the same number, may not write.
	! seen=$(on mover cat /proc/sys/net/tcp_continuity/psk 2>&1) || fail "psk cannot be read" "$seen"
	[[ $seen == *"ermission denied"* ]] || fail "psk cannot be read: EACCES" "$seen"
	! seen=$(in_host mover busybox unshare -U -r sh -c 'echo none >/proc/sys/net/tcp_continuity/psk' 2>&1) ||
		fail "psk cannot be written without CAP_NET_ADMIN" "$seen"
	open_flow second from mover to correspondent port=5001
	expect strength psk of 2 on both
	# The owner of a namespace does what it likes there.
	in_host mover busybox unshare -U -r -n sh -c "echo '1 $K1' >/proc/sys/net/tcp_continuity/psk" ||
		fail "psk can be written in a network of one's own" "it cannot"
	# No more than 256 prefixes.
	for ((many = 0; many < 256; many++)); do
		echo "9 $K3 10.7.$many.0/24"
	done >"$WORK/lines"
	# shellcheck disable=SC2016 # another shell expands it
	in_host mover sh -c 'while read -r line; do echo "$line" >/proc/sys/net/tcp_continuity/psk || exit; done <"$1"' \
		fill "$WORK/lines" || fail "256 prefixes have room" "they have not"
	! seen=$(on mover set tcp_continuity/psk "9 $K3 10.8.0.0/24" 2>&1) || fail "no room for another" "$seen"
	[[ $seen == *"No space"* ]] || fail "no room for another: ENOSPC" "$seen"
	on mover set tcp_continuity/psk "none 10.7.0.0/24"
	on mover set tcp_continuity/psk "9 $K3 10.8.0.0/24"
	[[ $(in_host mover cat /proc/net/tcp_continuity*; dmesg) != *${K1:0:16}* ]] || fail "keys are shown nowhere" "one is"
}
