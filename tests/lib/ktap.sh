# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# On the outside: one KTAP stream, one plan, unique names, one closing line.

PLANNED=0 NUMBER=0 PASSED=0 FAILED=0 SKIPPED=0
declare -A SEEN_NAMES=()
declare -a FAILED_NAMES=()

ktap_begin() {
	PLANNED=$1
	printf 'KTAP version 1\n1..%d\n' "$PLANNED"
	echo "# seed $SEED"
}

# VERDICT (pass, fail, skip), name, and what else there is to say.
ktap_result() {
	local verdict=$1 name=$2 more=${3:-}
	NUMBER=$((NUMBER + 1))
	if [ -n "${SEEN_NAMES[$name]:-}" ]; then
		echo "# the name $name occurs twice"
		verdict=fail
	fi
	SEEN_NAMES[$name]=1
	case $verdict in
	pass)
		PASSED=$((PASSED + 1))
		echo "ok $NUMBER $name${more:+ # $more}"
		;;
	skip)
		SKIPPED=$((SKIPPED + 1))
		echo "ok $NUMBER $name # SKIP $more"
		;;
	*)
		FAILED=$((FAILED + 1))
		FAILED_NAMES+=("$name")
		echo "not ok $NUMBER $name${more:+ # $more}"
		;;
	esac
}

# "VERDICT NAME MORE" lines from the standard input, as they come; others are passed on.
ktap_report() {
	local verdict name more
	while read -r verdict name more; do
		case $verdict in
		pass | fail | skip) ktap_result "$verdict" "$name" "$more" ;;
		'') ;;
		*) echo "$verdict $name $more" ;;
		esac
	done
}

# The closing line, and before it again what has failed: the stream is long, and often cut in its
# middle. What was planned and is missing has failed, too.
ktap_end() {
	if [ "$NUMBER" -ne "$PLANNED" ]; then
		echo "# $PLANNED tests were planned, $NUMBER have a result"
		FAILED=$((FAILED + (PLANNED > NUMBER ? PLANNED - NUMBER : 1)))
	fi
	[ ${#FAILED_NAMES[@]} -eq 0 ] || printf '# failed: %s\n' "${FAILED_NAMES[@]}"
	echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
	[ "$FAILED" -eq 0 ]
}
