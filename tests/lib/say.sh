# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # read in other files
# How a case speaks: lines for people, failures with what was expected and what was seen, skips.
# Descriptor 3 is the results channel.

# A line for people.
say() { printf '# %s\n' "$*" >&3; }

# Ends the case: what was expected, and what was seen (may be many lines).
fail() {
	local line
	say "expected: $1"
	while read -r line; do
		say "observed: $line"
	done <<<"${2:-nothing}"
	trap - ERR
	exit 1
}

# Ends the case: why it cannot be run here.
skip() {
	printf '%s' "$*" >"$WORK/skip"
	trap - ERR
	exit 4
}

# For whatever fails without an expectation: a set-up that did not work, a word used wrongly.
stumble() {
	local status=$? line=$1 command=$2
	say "stumbled in ${BASH_SOURCE[1]##*/}:$line: $command (status $status)"
	[ ! -s "$WORK/err" ] || tail -n 3 "$WORK/err" | sed 's/^/# /' >&3
	exit 1
}

# Words for speed. To start a process is what takes the time of a test, up to a quarter of a second on the instrumented
# kernel, and $(…) starts one: what is called all the time sets a variable instead.

# Milliseconds of now, in $NOW.
now() { NOW=$((${EPOCHREALTIME/./} / 1000)); }

# Seconds in which nothing is done: of a pipe that nobody writes to nothing can be read.
exec {NEVER}<> <(:)
pause() { read -rt "$1" -u "$NEVER" || true; }

# Waits until a command succeeds, `within 3s COMMAND…`; what it said last is left in $SEEN. Slower
# kernels get more time: no test is about speed.
within() {
	local span=${1%s} end
	shift
	now
	end=$((NOW + span * 1000 * SCALE))
	while :; do
		if SEEN=$("$@" 2>&1); then return 0; fi
		now
		[ "$NOW" -lt "$end" ] || return 1
		pause 0.05
	done
}

# Whether a file holds a text.
says() {
	local text
	read -r -d '' text <"$1" || true
	[[ $text == *"$2"* ]]
}

# Octets of 64KiB, 1MiB, 300, in $OCTETS.
octets() {
	case $1 in
	*KiB) OCTETS=$((${1%KiB} * 1024)) ;;
	*MiB) OCTETS=$((${1%MiB} * 1048576)) ;;
	*) OCTETS=$1 ;;
	esac
}
