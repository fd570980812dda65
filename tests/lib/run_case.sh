#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the test machine: runs one test, `run_case.sh NAME`. Status 0 passed, 4 skipped, else failed.
# Descriptor 3 takes lines for people.

set -Eeuo pipefail
TESTS=${0%/lib/*}
TEST=$1
WORK=/tmp/case
SCALE=${SCALE:-1} SEED=${SEED:-1}
# shellcheck disable=SC2034 # read in other files
declare -A OPT=([loss]='' [delay]='' [reorder]='' [family]=4 [mode]=classic [keyshare]=0 [legacy]='' [snap]=262144)
export WORK

for file in list say host topology flow capture counters expect moved attack aftermath; do
	# shellcheck disable=SC1090 # one of the list
	. "$TESTS/lib/$file.sh"
done

IFS=/ read -r base name variant <<<"$TEST"
load_cases "$TESTS/cases/$base.sh"
header_of "case_$name"
IFS=, read -ra words <<<"${variant:-}"
for word in "${words[@]}" ${TOPOLOGY#* }; do
	[ "$word" != rough ] || OPT[loss]=5% OPT[delay]=60ms OPT[reorder]=25%
	# shellcheck disable=SC2034 # likewise
	[[ $word != *=* ]] || OPT[${word%%=*}]=${word#*=}
done
set_family

trap 'stumble $LINENO "$BASH_COMMAND"' ERR
# What commands say is kept for a failure.
exec 2>"$WORK/err"

# shellcheck disable=SC2086 # words on purpose
"topology_${TOPOLOGY%% *}" $TOPOLOGY
[[ " $TOPOLOGY " == *" uncaptured "* ]] || capture_start mover correspondent
"case_$name"
