# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # read in other files
# Finds the tests: sources a file of cases and tells which words stand above which function.
#
# The words above a case, in force for the next function only, but for `topology`, which stays:
#   describe TEXT       what it shows
#   topology NAME …     what is built for it (lib/topology.sh)
#   variants WORD…      how else it is run: `plain` is a run under the case's own name
#   kernels stock|instrumented|both|everything|none
#                       where: on stock, which is the default; on the instrumented one; on both, there
#                       with the first variant; on both with all variants; nowhere unless it is named
#   limit SECONDS       how long it may take on the stock kernel (60)
#   exclusive           no other test meanwhile, since it changes what is the whole kernel's

declare -a HEADER=()
describe() { HEADER+=("${BASH_LINENO[0]} describe $*"); }
topology() { HEADER+=("${BASH_LINENO[0]} topology $*"); }
variants() { HEADER+=("${BASH_LINENO[0]} variants $*"); }
kernels() { HEADER+=("${BASH_LINENO[0]} kernels $*"); }
limit() { HEADER+=("${BASH_LINENO[0]} limit $*"); }
exclusive() { HEADER+=("${BASH_LINENO[0]} exclusive"); }

# Sources a file of cases; what it shows is in the functions below afterwards.
load_cases() {
	HEADER=()
	# shellcheck disable=SC1090 # that is the point
	. "$1"
	cases_by_line
}

# Sets CASES, the names of the cases of the file that was loaded by the lines they begin in.
declare -a CASES=()
cases_by_line() {
	local name line
	CASES=()
	while read -r name line _; do
		CASES[line]=$name
	done < <(
		shopt -s extdebug
		# shellcheck disable=SC2046 # words on purpose
		declare -F $(compgen -A function case_)
	)
}

# Sets DESCRIPTION, TOPOLOGY, VARIANTS, KERNELS, LIMIT and EXCLUSIVE of one case of the loaded file.
header_of() {
	local wanted=$1 line at word rest previous=0 here=0
	for line in "${!CASES[@]}"; do
		[ "${CASES[line]}" = "$wanted" ] && here=$line && break
		previous=$line
	done
	DESCRIPTION='' TOPOLOGY=routed VARIANTS=plain KERNELS=stock LIMIT=60 EXCLUSIVE=''
	for line in "${HEADER[@]}"; do
		read -r at word rest <<<"$line"
		[ "$at" -lt "$here" ] || break
		[ "$word" != topology ] || TOPOLOGY=$rest
		[ "$at" -gt "$previous" ] || continue
		case $word in
		describe) DESCRIPTION=$rest ;;
		variants) VARIANTS=$rest ;;
		kernels) KERNELS=$rest ;;
		limit) LIMIT=$rest ;;
		exclusive) EXCLUSIVE=exclusive ;;
		esac
	done
}

# Whether a variant is run on a kernel. The instrumented one is some ten times slower, so it gets the
# cases that reach every part of the module.
runs_on() {
	local kernel=$1 variant=$2
	case $KERNELS in
	everything) return 0 ;;
	both) [ "$kernel" = stock ] || [ "$variant" = "${VARIANTS%% *}" ] ;;
	*) [ "$kernel" = "$KERNELS" ] ;;
	esac
}

# "NAME LIMIT KERNELS [exclusive] | DESCRIPTION" of every test below a folder; each file in a shell of its own.
list_tests() {
	local file
	for file in "$1"/*.sh; do
		(
			load_cases "$file"
			base=${file##*/}
			for name in "${CASES[@]}"; do
				header_of "$name"
				for variant in $VARIANTS; do
					test=${base%.sh}/${name#case_}
					[ "$variant" = plain ] || test=$test/$variant
					where=''
					for kernel in stock instrumented; do
						! runs_on "$kernel" "$variant" || where=$where,$kernel
					done
					where=${where#,}
					echo "$test $LIMIT ${where:-none} $EXCLUSIVE${EXCLUSIVE:+ }| $DESCRIPTION"
				done
			done
		)
	done
}
