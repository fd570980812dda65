# SPDX-License-Identifier: GPL-2.0
# Compares what machines without the module (first files) and with it (after side=present) said of
# tests: `pass|fail|skip NAME WHY` for each of the file `tests`, and for the `kernel`, each after
# lines for people.
#
# A test may have run more than once. A subtest is the same if every verdict it had with the module
# it had without, too, and if it passed with it, if it ever did without. So one that is flaky
# without the module may be as flaky with it, but neither fail always, nor in a new way. Scripts of
# packetdrill depend on times all over, and the kernel's own runner lets none fail on a slow
# machine: of them, only whether they pass in one run at least is compared.

BEGIN {
	side = "absent"
	while ((getline line < tests) > 0) {
		split(line, word, " ")
		order[++count] = word[1]
	}
	order[++count] = "kernel"
}

# The line without its first words.
function rest(words, text) {
	text = $0
	while (words-- > 0) sub(/^[^ ]+ ?/, "", text)
	return text
}

# The verdict of a subtest in the run that is being read. Those of one name are numbered.
function saw(subtest, verdict, again, key) {
	key = subtest
	for (again = 2; (side, name, run, key) in verdict_of; again++) key = subtest " (" again ")"
	verdict_of[side, name, run, key] = verdict
	if (!((name, key) in known)) subtests[name] = subtests[name] "\n" key
	known[name, key]
}

$1 == "begin" {
	begun[side, $2]++
	next
}
$1 == "result" {
	name = $2
	run = ++runs[side, name]
	saw("exit status", $3)
	duration[side, name] = $4
	said[name] = ""
}
$1 == "verdict" { saw(rest(2), $2) }
$1 == "said" { said[name] = said[name] "\n" rest(1) }
$1 == "problem" { problems[name] = problems[name] "\nwith the module " side ": " rest(1) }
$1 == "namespaces" { namespaces[name] = $2 }

function is_pass(verdict) { return verdict == "passed" || verdict == "0" }

# All verdicts of a subtest on a side, each once, behind a separator; sets `passes`. A run that was
# ended by its time limit says nothing of what it has not reached.
function verdicts_of(side, name, key, i, verdict, all) {
	passes = 0
	for (i = 1; i <= runs[side, name]; i++) {
		if ((side, name, i, key) in verdict_of) verdict = verdict_of[side, name, i, key]
		else if (verdict_of[side, name, i, "exit status"] ~ /^(124|137)$/) continue
		else verdict = "missing"
		if (is_pass(verdict)) passes = 1
		if (!index(all "|", "|" verdict "|")) all = all "|" verdict
	}
	return all
}

# What differs between the sides, a line a subtest.
function differences(name, list, n, i, j, m, absent, present, passed, each, bad, text) {
	n = split(substr(subtests[name], 2), list, "\n")
	for (i = 1; i <= n; i++) {
		absent = verdicts_of("absent", name, list[i])
		passed = passes
		present = verdicts_of("present", name, list[i])
		if (absent == "" || present == "") continue
		bad = name ~ /^packetdrill/ ? passed != passes : passed && !passes
		m = split(substr(present, 2), each, "|")
		for (j = 1; j <= m && name !~ /^packetdrill/; j++)
			if (!index(absent "|", "|" each[j] "|")) bad = 1
		if (bad) text = text "\n" list[i] ": " substr(absent, 2) " without the module, " substr(present, 2) " with it"
		if (absent != present || absent ~ /\|.*\|/) flaky[name] = 1
		failing[name] += !passes && present !~ /skipped|SKIP|XFAIL/
	}
	total[name] = n - 1
	return text
}

function tell(text, list, n, i) {
	n = split(substr(text, 2), list, "\n")
	for (i = 1; i <= n && i <= 20; i++) print "#", list[i]
	if (n > 20) print "# and", n - 20, "more"
}

END {
	for (i = 1; i <= count; i++) {
		name = order[i]
		why = ""
		for (j = 1; j <= split("absent present", word, " "); j++) {
			side = word[j]
			if (!runs[side, name] || (name != "kernel" && runs[side, name] < begun[side, name]))
				problems[name] = problems[name] "\nwith the module " side ": no result, the machine died"
		}
		text = problems[name] differences(name)
		status = verdicts_of("present", name, "exit status")
		if (text != "") {
			print "# " name ":"
			tell(text)
			tell(said[name])
			verdict = "fail"
		} else if (status == "|4") {
			verdict = "skip"
			why = substr(said[name], 2)
			sub(/\n.*/, "", why)
		} else if (status == "|124" || status == "|137") {
			verdict = "skip"
			why = "it does not end within its limit, with or without the module"
		} else {
			verdict = "pass"
			if (name != "kernel") why = total[name] " subtests, " namespaces[name] " namespaces, " \
				duration["absent", name] " and " duration["present", name] " ms"
			if (flaky[name]) why = why ", flaky without the module"
			if (failing[name]) {
				why = why ", fails without the module as well"
				print "# " name ": fails without the module as well (" failing[name] " verdicts)"
				tell(said[name])
			}
		}
		print verdict, name, why
	}
}
