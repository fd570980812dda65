# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Exact expectations on counters (`Name=2+` is at least 2): what is not named must not have happened. A namespace is new with
# each case, so every count begins at 0. `usual` among a host's words allows what timing decides:
# a segment lost or late, a process that owned a socket, a moment without any address. `busy` allows
# what else comes of segments that overtake each other, as `usual` does where netem sees to that.

USUAL='UpdateRetransmitted=any AckSolicited=any UpdateOnSyn=any Repeated=any Deferred=any SourceDropped=any Suspended=any Resumed=any Steered=any'
BUSY='RstIgnored=any RstSuppressed=any UpdateTimestampOld=any UpdateSequenceOutside=any UpdateJustLeft=any'

# One host's counters against its words; what differs goes to stdout.
counters_differ() {
	local host=$1 others=$2 usual=$USUAL
	shift 2
	[ -z "${OPT[loss]}${OPT[reorder]}" ] || usual="$USUAL $BUSY"
	in_host "$host" cat /proc/net/tcp_continuity_stat | awk -v host="$host" -v others="$others" -v words="$*" \
		-v usual="$usual" -v busy="$USUAL $BUSY" '
		BEGIN {
			sub(/(^| )usual( |$)/, " " usual " ", words)
			sub(/(^| )busy( |$)/, " " busy " ", words)
			count = split(words, list, " ")
			for (i = 1; i <= count; i++) {
				at = index(list[i], "=")
				name = substr(list[i], 1, at - 1)
				# A word of its own beats `usual`.
				if (!(name in wanted) || wanted[name] == "any") wanted[name] = substr(list[i], at + 1)
			}
		}
		{ seen[$1] = $2; if ($2) shown = shown " " $1 "=" $2 }
		END {
			for (name in wanted) {
				value = wanted[name]
				if (!(name in seen)) { print host ": no counter " name; bad = 1 }
				else if (value == "any") continue
				else if (value ~ /\+$/) { if (seen[name] + 0 < value + 0) bad = 1 }
				else if (seen[name] != value) bad = 1
			}
			if (others == "0") for (name in seen) if (seen[name] && !(name in wanted) && name !~ /Now$/) bad = 1
			if (bad || !NR) print host ":" (shown ? shown : " all 0")
		}'
}

# "HOST WORDS" lines: empty output if all agree.
counters_agree() {
	local host words differ=''
	while read -r host words; do
		# shellcheck disable=SC2086 # words on purpose
		differ+=$(counters_differ "$host" "$OTHERS" $words)
	done <<<"$1"
	[ -z "$differ" ] || { echo "$differ"; return 1; }
}

expect_counters() {
	local span text list='' part OTHERS=any
	span=$(span_of 3s "$@")
	text=$*
	text=${text%% within *}
	while read -r part; do
		case $part in
		'') ;;
		others\ 0) OTHERS=0 ;;
		*) list+=${list:+$'\n'}$part ;;
		esac
	done < <(tr ',' '\n' <<<"$text")
	within "$span" counters_agree "$list" || fail "counters $text" "$SEEN"
}
