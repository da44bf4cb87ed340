/* SPDX-License-Identifier: MIT */
/*
 * Raising the walls: identity, capabilities, limits, and last the filter, which
 * would refuse the others.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/sandbox.h"

enum {
	/* "nobody" and "nogroup" wherever there is a passwd(5). */
	NOBODY = 65534,
	PASSWD_ENTRIES_MAX = 100000,
	/* A worker holds a handful; each file is mapped and closed. */
	DESCRIPTORS_MAX = 256
};

static const char system_user[] = "inquest";

static void __attribute__((format(printf, 2, 3)))
missing(struct sandbox *s, const char *format, ...)
{
	va_list ap;

	if (s->n_missing == SANDBOX_MISSING_MAX)
		return;
	va_start(ap, format);
	(void)vsnprintf(
	    s->missing[s->n_missing++], sizeof(s->missing[0]), format, ap);
	va_end(ap);
}

/* ---- identity ---- */

/* Not by getpwnam(3): a directory service that does not answer would keep the
 * snapshot waiting. System users are in the file. */
static void
find_system_user(uint32_t *uid, uint32_t *gid)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p;

	for (int i = 0;
	     f != NULL && i < PASSWD_ENTRIES_MAX && (p = fgetpwent(f)) != NULL;
	     i++) {
		if (strcmp(p->pw_name, system_user) == 0 && p->pw_uid != 0 &&
		    p->pw_gid != 0) {
			*uid = p->pw_uid;
			*gid = p->pw_gid;
			break;
		}
	}
	if (f != NULL)
		(void)fclose(f);
}

void
sandbox_identity(uint32_t wanted, uint32_t *uid, uint32_t *gid)
{
	*uid = *gid = 0;
	/* Counts are written at the end to files of who built it. */
	if (geteuid() != 0 || worker_is_counted())
		return;
	*uid = *gid = NOBODY;
	if (wanted != 0)
		*uid = wanted;
	else
		find_system_user(uid, gid);
}

/* Where a new program would start without the rights that we had. */
static void
drop_bounding_set(void)
{
	for (unsigned long c = 0; c < 64; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0)
			break;
}

static void
become(struct sandbox *s)
{
	drop_bounding_set();
	if (setgroups(0, NULL) != 0 || setresgid(s->gid, s->gid, s->gid) != 0 ||
	    setresuid(s->uid, s->uid, s->uid) != 0)
		missing(s,
		    "the worker could not become user %u and runs as root: %s",
		    (unsigned)s->uid, strerror(errno));
}

/* A change of identity ends both of these; see prctl(2). */
static void
renew(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, worker_is_sanitized() ? 1 : 0);
	if (getppid() != parent)
		_exit(127);
}

static void
drop_capabilities(struct sandbox *s)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};

	if (syscall(SYS_capset, &head, none) != 0)
		missing(s, "the worker keeps its capabilities: %s",
		    strerror(errno));
}

/* ---- descriptors ---- */

static int
by_number(const void *a, const void *b)
{

	return *(const int *)a - *(const int *)b;
}

static void
close_between(int first, int last)
{
	enum { TRIED = 4096 };

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* Before Linux 5.9. */
	for (int fd = first; fd <= last && fd < first + TRIED; fd++)
		(void)close(fd);
}

/* Of the file that is being written, of the process that is examined, of
 * whoever started us: whatever else was open. */
void
sandbox_close_others(int *keep, size_t n_keep)
{
	int last = STDERR_FILENO;

	qsort(keep, n_keep, sizeof(*keep), by_number);
	for (size_t i = 0; i < n_keep; i++) {
		if (keep[i] <= last)
			continue;
		close_between(last + 1, keep[i] - 1);
		last = keep[i];
	}
	close_between(last + 1, INT_MAX);
}

/* ---- the filter ---- */

/* Valgrind makes system calls of its own in our process and under our filter,
 * opens files and maps code. Whoever starts us in it owns us anyway. */
static bool
is_in_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/* done: there is a filter, and listener is told by it or errno says why not. */
static void
filtered(struct sandbox *s, bool done, int listener)
{
	if (!done) {
		missing(s, "system calls of the worker are not filtered: %s",
		    strerror(errno));
		return;
	}
	if (listener < 0) {
		missing(s, "system calls that are refused cannot be named: %s",
		    strerror(errno));
		return;
	}
	if (!broker_client_listen(s->broker, listener))
		missing(s, "system calls that are refused are not named");
	(void)close(listener);
}

static void
filter(struct sandbox *s)
{
	int listener = -1;
	bool done;

	if (s->unfiltered || is_in_valgrind())
		return;
	if (s->loading && sandbox_filter_loaded())
		return;
	done = sandbox_filter(s->broker->fd, s->more_fd, &listener);
	filtered(s, done, listener);
}

void
sandbox_enter_loading(struct sandbox *s)
{
	int listener = -1;

	if (s->unfiltered || is_in_valgrind())
		return;
	s->loading = sandbox_filter_loading(s->broker->fd, &listener);
	filtered(s, s->loading, listener);
}

void
sandbox_enter(struct sandbox *s)
{
	pid_t parent = getppid();
	struct rlimit files = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};

	if (s->uid != 0)
		become(s);
	drop_capabilities(s);
	renew(parent);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	filter(s);
}
