# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# In the laptop: how a session's output is watched. Each line of it is kept with the time at which it came.

# Lines as they come, each with its time in microseconds.
stamp() {
	local line
	while IFS= read -r line; do printf '%s %s\n' "${EPOCHREALTIME/./}" "${line%$'\r'}"; done
}

# Ends of a session's output: how many ticks, all there and in order? And the longest wait of all.
# Prints "COUNT BROKEN LONGEST_MS".
judge() {
	awk '/ tick [0-9]+$/ {
		if ($3 != count + 1) broken++
		count = $3
		if (last && $1 - last > longest) longest = $1 - last
		last = $1
	} END { printf "%d %d %d\n", count, broken, longest / 1000 }' "$1"
}

# What a session said around a moment, each line with the seconds from there.
around() {
	awk -v at="$2" '/ tick [0-9]+$/ {
		line = sprintf("%+7.3f s  tick %d", ($1 - at) / 1e6, $3)
		if ($1 <= at) before[n++] = line; else if (m < 5) after[m++] = line
	} END {
		for (i = n > 3 ? n - 3 : 0; i < n; i++) print before[i]
		print "-- the address changes --"
		for (i = 0; i < m; i++) print after[i]
	}' "$1"
}

# The longest wait between two ticks that ended after a moment, in milliseconds.
gap_after() {
	awk -v at="$2" '/ tick [0-9]+$/ {
		if (last && $1 > at && $1 - last > longest) longest = $1 - last
		last = $1
	} END { printf "%d\n", longest / 1000 }' "$1"
}

ticks_of() { grep -c ' tick ' "$1"; }

# Waits until a session has said a number of lines more.
hear() {
	local file=$1 more=$2 limit=$3 before
	before=$(ticks_of "$file")
	for _ in $(seq $((limit * 5))); do
		[ $(($(ticks_of "$file") - before)) -lt "$more" ] || return 0
		sleep 0.2
	done
	return 1
}
