# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# On the outside: tests that are not cases in a machine of tests/run. `cargo` is the tests of the
# Rust workspace; any other is an executable tests/NAME/ktap, which prints a KTAP stream.

list_suites() {
	local suite
	echo "cargo/… 0 host | unit, property, model and fuzz tests of rust/ and tests/{model,fuzz,tools} (cargo test)"
	for suite in "$TOP"/tests/*/ktap; do
		[ ! -x "$suite" ] || echo "$(basename "${suite%/ktap}")/… 0 machine | $suite"
	done
}

# "VERDICT NAME" lines of cargo's tests; the whole output goes to a log.
cargo_results() {
	local log=$TOP/build/cargo-test.log
	mkdir -p "$TOP/build"
	echo "… cargo test" >&2
	(cd "$TOP" && nice -n 5 scripts/in-root cargo test --locked --no-fail-fast --workspace \
		--manifest-path rust/Cargo.toml) >"$log" 2>&1 || echo "cargo failed" >>"$log"
	awk '
		/^ *Running |^ *Doc-tests/ { unit = $NF; sub(/.*\//, "", unit); sub(/-[0-9a-f]*\)?$/, "", unit) }
		/^test .* \.\.\. / {
			name = $0; sub(/^test /, "", name); sub(/ \.\.\. .*/, "", name); gsub(/ - /, "::", name)
			gsub(/[ #]/, "_", name)
			verdict = /\.\.\. ok/ ? "pass" : /\.\.\. ignored/ ? "skip" : "fail"
			print verdict, "cargo/" unit "/" name
			if (verdict == "fail") failed++
		}
		/^cargo failed$/ { broken = 1 }
		END { print broken && !failed ? "fail" : "pass", "cargo/builds" }
	' "$log" | sort -u -k2
}

# The results of a suite's own stream, from a file, and the lines for people before each.
suite_results() {
	sed -nE -e 's/^ok [0-9]+ ([^ ]+) # SKIP (.*)/skip \1 \2/p;t' -e 's/^ok [0-9]+ ([^ ]+)( # |)/pass \1 /p;t' \
		-e 's/^not ok [0-9]+ ([^ ]+)( # |)/fail \1 /p;t' -e '/^# (seed |failed: )/!{/^# /p}' "$1" |
		sed -E "s#^(pass|fail|skip) #\\1 $2/#"
}

run_all() {
	local cargo stock instrumented suite name log results=''
	cargo=$(cargo_results)
	# Suites first, since how many results they have is part of the plan.
	for suite in "$TOP"/tests/*/ktap; do
		[ -x "$suite" ] || continue
		name=$(basename "${suite%/ktap}")
		log=$TOP/build/$name.ktap
		echo "… $name" >&2
		if "$suite" >"$log" || grep -q '^not ok' "$log"; then
			results+=$(suite_results "$log" "$name")$'\n'
		else
			results+="fail $name/all it ended without a result"$'\n'
		fi
	done
	stock=$(choose stock)
	instrumented=$(choose instrumented)
	ktap_begin $(($(grep -cE '^(pass|fail|skip) ' <<<"$cargo"$'\n'"$results") + $(wc -l <<<"$stock") + 1 + \
		$(wc -l <<<"$instrumented") + 1))
	ktap_report <<<"$cargo"$'\n'"$results"
	# One after the other: two emulated machines of two processors each on two take twice as long as
	# both alone.
	ktap_report < <(run_machines stock stock/ "$stock")
	ktap_report < <(run_machines instrumented instrumented/ "$instrumented")
}
