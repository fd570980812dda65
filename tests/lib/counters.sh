# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Exact expectations on counters (`Name=2+` is at least 2): what is not named must not have happened. A namespace is new with
# each case, so every count begins at 0. `usual` among a host's words allows what timing decides:
# a segment lost or late, a process that owned a socket, a moment without any address. `busy` allows
# what else comes of segments that overtake each other, as `usual` does where netem sees to that.

USUAL='UpdateRetransmitted AckSolicited UpdateOnSyn Repeated Deferred SourceDropped Suspended Resumed Steered'
BUSY='RstIgnored RstSuppressed UpdateTimestampOld UpdateSequenceOutside UpdateJustLeft SecureOldEpoch'

# Whether one host's counters are as its words say; what is not goes to standard output.
counters_are() {
	local host=$1 others=$2 word name value allowed=$USUAL bad='' shown=''
	local -A wanted=() seen=()
	shift 2
	for word in "$@"; do
		case $word in
		usual | busy)
			[ "$word" = usual ] && [ -z "${OPT[loss]}${OPT[reorder]}" ] || allowed="$USUAL $BUSY"
			# A word of its own beats these.
			for name in $allowed; do
				wanted[$name]=${wanted[$name]:-any}
			done
			;;
		*) wanted[${word%%=*}]=${word#*=} ;;
		esac
	done
	while read -r name value; do
		seen[$name]=$value
		[ "$value" = 0 ] || shown+=" $name=$value"
	done < <(in_host "$host" cat /proc/net/tcp_continuity_stat)
	for name in "${!wanted[@]}"; do
		value=${seen[$name]:-}
		case ${wanted[$name]} in
		any) [ -n "$value" ] ;;
		*+) [ "${value:--1}" -ge "${wanted[$name]%+}" ] ;;
		*) [ "$value" = "${wanted[$name]}" ] ;;
		esac || bad+=" $name=${wanted[$name]}"
	done
	if [ "$others" = 0 ]; then
		for name in "${!seen[@]}"; do
			[ "${seen[$name]}" = 0 ] || [ -n "${wanted[$name]:-}" ] || [[ $name = *Now ]] || bad+=" $name=0"
		done
	fi
	[ -n "$bad" ] || [ ${#seen[@]} -eq 0 ] || return 0
	echo "$host: not${bad:- there}, but${shown:- all 0}"
	return 1
}

# Whether all hosts' are, `HOST WORDS` each.
counters_agree() {
	local others=$1 part words status=0
	shift
	for part in "$@"; do
		read -ra words <<<"$part"
		counters_are "${words[0]}" "$others" "${words[@]:1}" || status=1
	done
	return $status
}

expect_counters() {
	local text=$* parts part list=() others=any
	span_of 3s "$@"
	text=${text%% within *}
	IFS=, read -ra parts <<<"$text"
	for part in "${parts[@]}"; do
		case $part in
		*others\ 0) others=0 ;;
		*[![:space:]]*) list+=("$part") ;;
		esac
	done
	# shellcheck disable=SC2153 # SEEN is set by within
	within "$SPAN" counters_agree "$others" "${list[@]}" || fail "counters $text" "$SEEN"
}
