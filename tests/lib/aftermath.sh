# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# In the test machine, after a case: what it left for a failure's report, and what the kernel said meanwhile.

HOST_NAMES='mover correspondent west east attacker'

# Everything one may want to look at, in the case's folder.
collect() {
	local work=$1 host
	for host in $HOST_NAMES; do
		[ -e "/run/netns/$host" ] || continue
		{
			ip -n "$host" address
			ip -n "$host" route show table all
			nsenter --net="/run/netns/$host" ss -tanoeim
			nsenter --net="/run/netns/$host" nstat -as
		} >"$work/$host.state" 2>&1
		nsenter --net="/run/netns/$host" sh -c 'cat /proc/net/tcp_continuity /proc/net/tcp_continuity_stat' \
			>"$work/$host.counters" 2>&1
	done
}

# Lines of the kernel's log that no test may cause.
SPLAT='BUG:|WARNING:|INFO: possible|KASAN|UBSAN|suspicious RCU|inconsistent lock|circular lock'
SPLAT+='|refcount_t:|ODEBUG:|INFO: task|blocked for more|rcu.*stall|soft lockup|general protection'
SPLAT+='|Oops|Call Trace|unregister_netdevice: waiting|kmemleak|Failslab|scheduling while atomic'

# Where the kernel's log is written to, as it comes.
KERNEL_LOG=/tmp/kernel.log

# Begins with what was said so far; the console is left alone from now on. No child of this shell, which may wait
# for all it has. cat(1) ends when lines came faster than it read: the next one begins with the oldest there are.
follow_kernel_log() {
	dmesg -n 1
	(while :; do cat /dev/kmsg; sleep 0.1; done >"$KERNEL_LOG" 2>/dev/null 3>&- &)
	sleep 0.2
}

kernel_log_size() { stat -c %s "$KERNEL_LOG"; }

# The kernel's log since it had a size.
kernel_log() {
	tail -c "+$(($1 + 1))" "$KERNEL_LOG" | sed -n 's/^[0-9]*,[^;]*;//p'
}

# Whether the kernel's log, since it had a size, has lines that fail whoever runs: the first are printed.
splats() {
	local found
	found=$(tail -c "+$(($1 + 1))" "$KERNEL_LOG" | grep -E "^[0-9]+,[^;]*;.*($SPLAT)") || return 1
	while IFS=';' read -r _ found; do
		echo "# kernel: $found"
	done < <(head -n 20 <<<"$found")
}
