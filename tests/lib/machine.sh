# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# On the outside: runs tests in a machine, and in another one if that dies. Booting is slow under
# emulation, so all tests share a machine.

# "NAME LIMIT [exclusive]" of the tests on a kernel that names choose; a test that is named runs anywhere. With
# EXACT a name is no beginning of others.
choose() {
	local flavour=$1 test limit where more name
	shift
	list_tests "$TOP/tests/cases" | while read -r test limit where more; do
		[[ $more = exclusive* ]] || more=''
		more=${more:+ exclusive}
		if [ $# -eq 0 ]; then
			[[ ,$where, != *,"$flavour",* ]] || echo "$test $limit$more"
			continue
		fi
		for name in "$@"; do
			# shellcheck disable=SC2053 # a pattern on purpose
			if [[ $test == $name || (-z $EXACT && $name != *[*?[]* && $test == $name/*) ]]; then
				[[ $name != "$test" && ,$where, != *,"$flavour",* ]] || echo "$test $limit$more"
				break
			fi
		done
	done
}

# What the machine gets beside its image. How much slower the instrumented kernel is was measured. Both get more
# time than they need alone: the processors may have other work.
#
# A test is one process after the other, and waits now and then: one alone leaves half of two processors idle, but
# on the instrumented kernel, whose checks have locks of their own, for which several would wait.
make_overlay() {
	local flavour=$1 overlay=$2 scale=2 at_a_time=3
	[ "$flavour" = stock ] || scale=6 at_a_time=1
	rm -rf "$overlay"
	mkdir -p "$overlay"/{tests,usr/bin,modules}
	cp "$TOP/tests/vm/main" "$overlay/main"
	cp "$TOP/tests/vm/modules.txt" "$overlay/modules/order"
	cp -a "$TOP/tests/lib" "$TOP/tests/cases" "$overlay/tests/"
	cp "$("$TOP/scripts/tools")" "$overlay/usr/bin/tcpc-tool" || return 1
	printf 'SCALE=%d AT_A_TIME=%d SEED=%d ABSENT=%s FLAVOUR=%s FUZZ_RUNS=%s\n' "$scale" \
		"${TCPC_AT_A_TIME:-$at_a_time}" "$SEED" "$ABSENT" "$flavour" "${TCPC_FUZZ_RUNS:-}" \
		>"$overlay/tests/settings"
	[ -n "$ABSENT" ] || "$TOP/scripts/in-root" strip --strip-debug -o "$overlay/tcp_continuity.ko" \
		"$("$TOP/scripts/module" "$flavour")"
}

# Keeps of a failed test what there is: its folder from the machine, the console, how to repeat it.
keep_artifacts() {
	local flavour=$1 out=$2 name=$3 place=$TOP/build/artifacts/$4 folder
	folder=$place$name
	mkdir -p "$folder"
	[ ! -s "$out/artifacts.tar" ] ||
		tar -C "$place" --ignore-zeros -xf "$out/artifacts.tar" "./$name" 2>/dev/null || true
	cp "$out/console.log" "$folder/console.log" 2>/dev/null || true
	[ "$name" != kernel ] || return 0
	# One of several times is the same test.
	printf '#!/bin/sh\n# Runs just this test again.\nexec "%s/tests/run" -e -k %s -s %s %s"%s"\n' \
		"$TOP" "$flavour" "$SEED" "${ABSENT:+-a }" "${name%[,/]time=*}" >"$folder/again.sh"
	chmod +x "$folder/again.sh"
}

# Follows the results of a machine as they come: "VERDICT NAME MORE" lines with PREFIX before the names,
# and those for people. What is done goes to the file DONE, a name a line.
follow() {
	local flavour=$1 prefix=$2 out=$3 done=$4 word rest name time why failed=()
	local -A current=()
	while read -r word rest; do
		case $word in
		begin) current[$rest]=1 ;;
		'#') echo "# $rest" ;;
		pass | fail | skip)
			read -r name time why <<<"$rest"
			unset "current[$name]"
			echo "$name" >>"$done"
			[ "$word" != fail ] || failed+=("$name")
			[ "$word" = skip ] || why="$time ms"
			echo "$word $prefix$name $why"
			;;
		esac
	done
	if [ ${#current[@]} -gt 0 ]; then
		echo "# the machine died in ${!current[*]}"
		tail -n 40 "$out/console.log" | tr -d '\r' | sed 's/^/# console: /'
		for name in "${!current[@]}"; do
			echo "$name" >>"$done"
			failed+=("$name")
			echo "fail $prefix$name the machine died"
		done
	fi
	for name in "${failed[@]}"; do
		keep_artifacts "$flavour" "$out" "$name" "$prefix"
		echo "# kept: build/artifacts/$prefix$name"
	done
}

# One machine after the other until every test has a result. The last, `kernel`, is what the log
# and the leak checks of the last machine say.
run_machines() {
	local flavour=$1 prefix=$2 left=$3 out round=0 before
	# Cases have their own limits, and a kernel that hangs notices; this is for an emulator that does.
	local limit=$((${TCPC_FUZZ_RUNS:-0} > 0 ? 60000 : 7200))
	local overlay=$TOP/build/overlay-$1
	make_overlay "$flavour" "$overlay" || die "no machine can be made"
	while :; do
		round=$((round + 1))
		out=$TOP/build/machine-$flavour-$round
		rm -rf "$out"
		mkdir -p "$out"
		: >"$out/done"
		printf '%s\n' "$left" | sed '/^$/d' >"$overlay/tests/list"
		follow "$flavour" "$prefix" "$out" "$out/done" < <(
			"$TOP/scripts/vm" -k "$flavour" -o "$out" -O "$overlay" -m 1024 -t "$limit" >&2 &
			machine=$!
			# The results come through a file, which is there as soon as the machine is.
			while [ ! -e "$out/results" ] && kill -0 "$machine" 2>/dev/null; do sleep 0.2; done
			tail -n +1 -f --pid="$machine" "$out/results" 2>/dev/null
			# Also so that this shell is there to bury the machine: to tail(1) a zombie lives.
			wait "$machine" || true
		)
		before=$left
		left=$(awk -v file="$out/done" 'BEGIN { while ((getline name <file) > 0) done[name] } !($1 in done)' \
			<<<"$left")
		! grep -qx kernel "$out/done" || return 0
		if [ "$before" = "$left" ]; then
			echo "# no test has ended; see build/${out##*/}/console.log"
			return 0
		fi
	done
}
