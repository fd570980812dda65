// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into the tests: every network namespace they make gets the mode TCPC_MODE before anything
 * else happens in it, since the mode is per namespace; and it is kept beyond the test's end, so that its
 * counters can be read.
 *
 * If there is a program /corpus/disturb it is run in each, too (ktap -d).
 *
 * TCPC_NAMESPACES is a folder: a namespace is bound to a file there, whose name is also a line of
 * the file `made`. A namespace that could not be switched on or kept is a line with the reason.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const char mode[] = "/proc/sys/net/tcp_continuity/mode";
static const char disturb[] = "/corpus/disturb";

/* One line of `made`, whole: other processes append to it, too. */
static void tell(const char *folder, const char *what, const char *why)
{
	char path[PATH_MAX], line[PATH_MAX];
	int fd, length;

	snprintf(path, sizeof(path), "%s/made", folder);
	length = snprintf(line, sizeof(line), "%s%s%s\n", what, why ? ": " : "", why ? why : "");
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, length) != length)
		abort();
	close(fd);
}

static void switch_on(const char *folder)
{
	const char *value = getenv("TCPC_MODE");
	int fd = open(mode, O_WRONLY | O_CLOEXEC);

	/* With the module absent there is no such file; main knows whether there has to be. */
	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || !value || write(fd, value, strlen(value)) < 0)
		tell(folder, "mode not set", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Of a name of its own: a process may exec another test program after it has made one. */
static void keep(const char *folder)
{
	char name[64], path[PATH_MAX];
	int fd, count = 0;

	do {
		snprintf(name, sizeof(name), "%d-%d", gettid(), count++);
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == EEXIST);
	if (fd >= 0)
		close(fd);
	if (fd < 0 || mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL))
		tell(folder, "namespace not kept", strerror(errno));
	else
		tell(folder, name, NULL);
}

int unshare(int flags)
{
	static int (*next)(int flags);
	const char *folder = getenv("TCPC_NAMESPACES");
	int status, error;

	if (!next)
		next = dlsym(RTLD_NEXT, "unshare");
	status = next(flags);
	if (status || !(flags & CLONE_NEWNET) || !folder)
		return status;
	error = errno;
	switch_on(folder);
	if (!access(disturb, X_OK) && system(disturb))
		tell(folder, "not disturbed", NULL);
	keep(folder);
	errno = error;
	return status;
}
