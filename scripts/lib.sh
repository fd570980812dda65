# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shell functions that the scripts share. To be sourced.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/tcp_continuity
# What a cold run takes, with room to spare: build root 3, kernel source and output 4, the
# instrumented kernel 4, images and crates 2 (GiB).
NEEDED_GIB=14
# What one stage of it takes at most.
STAGE_GIB=5
export TOP CACHE

# What apt and cargo say when there is no network.
NO_NETWORK='Temporary failure resolving|Could not resolve host|Could not connect to|Network is unreachable'

# Ends with one line that says why.
die() {
	echo "error: $*" >&2
	exit 1
}

case $TOP$CACHE in
*[[:space:]]*) die "the kernel's makefiles want paths without blanks: $TOP, $CACHE" ;;
esac

# Runs a command, its output in a log, with a line when it begins and one when it ends.
step() {
	local what=$1 log start status=0
	shift
	mkdir -p "$CACHE/log"
	log=$CACHE/log/$(tr -cs 'a-zA-Z0-9' - <<<"$what")$$.log
	start=$SECONDS
	echo "… $what" >&2
	# In a process of its own: `set -e` does not count in a function that `||` follows. Not in the
	# background, where it would not be interrupted with the rest.
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1
	status=$?
	set -e
	if [ "$status" -ne 0 ]; then
		if grep -qE "$NO_NETWORK" "$log"; then
			die "no network: $what cannot reach its server; the whole log is $log"
		fi
		tail -n 20 "$log" >&2
		die "$what failed (status $status); the whole log is $log"
	fi
	echo "✓ $what ($((SECONDS - start)) s)" >&2
}

# A key of everything that goes into something: the contents of files, and words.
key() {
	{
		printf '%s\n' "${@:1}"
		local word
		for word in "$@"; do
			[ ! -f "$word" ] || cat "$word"
		done
	} | sed "s#$TOP/##g" | sha256sum | cut -c 1-16
}

# Begins again as root if it is not: the build root is a tree of root's.
as_root() {
	[ "$(id -u)" -ne 0 ] || return 0
	command -v sudo >/dev/null || die "this needs root, and there is no sudo to become it"
	# Whose they are.
	mkdir -p "$TOP/build" "$CACHE"
	exec sudo -E env "XDG_CACHE_HOME=${CACHE%/tcp_continuity}" "HOME=$HOME" "$0" "$@"
}

# No other run in this tree meanwhile: they have folders in common. What a run calls is a part of it.
alone() {
	[ -z "${TCPC_ALONE:-}" ] || return 0
	mkdir -p "$TOP/build"
	exec 7>"$TOP/build/.lock"
	flock -n 7 || die "another run in this tree has not ended"
	export TCPC_ALONE=1
}

# Does one stage of making a folder, unless it was done: the stage gets the folder's name. Results
# stay where they are made, since output folders hold absolute paths; what an interrupted run left
# has no mark, so that it is made again.
stage() {
	local folder=$1 name=$2 what=$3
	shift 3
	if [ -e "$folder/.$name" ]; then
		touch "$folder"
		return 0
	fi
	mkdir -p "$folder"
	exec 9>"$folder/.lock"
	flock -n 9 || { echo "… another run makes: $what" >&2; flock 9; }
	if [ ! -e "$folder/.$name" ]; then
		make_room "$folder"
		step "$what" "$@" "$folder"
		touch "$folder/.$name"
	fi
	exec 9>&-
}

# Kernels move on: what was there instead of a new folder, and was of no use for two weeks, goes.
make_room() {
	local folder=$1 kind free
	kind=${folder##*/}
	find "$CACHE" -mindepth 1 -maxdepth 1 -type d -name "${kind%%-*}-*" -mtime +14 ! -path "$folder" \
		-exec rm -rf --one-file-system {} +
	free=$(free_gib)
	[ "$free" -ge "$STAGE_GIB" ] ||
		die "$STAGE_GIB GiB of disk are needed below $CACHE for ${folder##*/}, $free GiB are free"
}

free_gib() { df --output=avail -BG "$CACHE" | tail -n 1 | tr -dc 0-9; }

# What must be true before anything is downloaded.
check_machine() {
	local free
	[ "$(uname -m)" = x86_64 ] || die "only x86_64 machines are supported, this is $(uname -m)"
	command -v apt-get >/dev/null || die "only Debian 12 and 13 are supported: there is no apt-get"
	mkdir -p "$CACHE"
	free=$(free_gib)
	[ "$free" -ge "$NEEDED_GIB" ] ||
		die "$NEEDED_GIB GiB of disk are needed below $CACHE, $free GiB are free"
}
