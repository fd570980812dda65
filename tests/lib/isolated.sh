#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the test machine, the first process of a test's own namespaces: `isolated.sh NAME SECONDS FOLDER` runs
# the test and leaves in the folder its `verdict` and, of a failure, `kept.tar`. Descriptor 3 takes lines for people.

. /tests/lib/aftermath.sh

test=$1 limit=$2 folder=$3
start=${EPOCHREALTIME/./} status=0 why=''
logged=$(kernel_log_size)
export LOGGED=$logged
# Without a verdict the test has failed.
mount -t tmpfs case /tmp/case || exit
mount -t tmpfs netns /run/netns || exit

timeout -s TERM "$limit" bash /tests/lib/run_case.sh "$test" || status=$?
case $status in
0) verdict=pass ;;
4) verdict=skip why=$(cat /tmp/case/skip) ;;
*) verdict=fail ;;
esac
if [ $status -eq 143 ] || [ $status -eq 124 ]; then
	echo "# expected: the case ends within $limit s" >&3
	echo "# observed: it does not" >&3
fi
[ $verdict != fail ] || collect /tmp/case
if splats "$logged" >&3; then
	[ $verdict = fail ] || collect /tmp/case
	verdict=fail
fi
if [ $verdict = fail ]; then
	kernel_log "$logged" >/tmp/case/kernel.log
	find /tmp/case -type s -exec rm {} +
	# The variants' folders lie below the plain run's.
	mkdir -p "$folder/kept/$test"
	cp -a /tmp/case/. "$folder/kept/$test/"
	tar -C "$folder/kept" -cf "$folder/kept.tar" "./$test"
fi
echo "$verdict $test $(((${EPOCHREALTIME/./} - start) / 1000)) $why" >"$folder/verdict"
