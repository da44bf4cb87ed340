/* SPDX-License-Identifier: MIT */
/*
 * The number in the file may by now belong to anybody. A pidfd is opened first
 * and the executable compared after it: a process that ended in between cannot
 * be mistaken for a new one with its number, for the signal goes to the pidfd.
 */
#include "invoker/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

static bool
is_same_program(pid_t pid)
{
	struct stat mine, theirs;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	return stat("/proc/self/exe", &mine) == 0 && stat(path, &theirs) == 0 &&
	    mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
}

static void
kill_old(pid_t old, const struct service_log *l)
{
	int fd;

	if (old == getpid())
		return;
	fd = (int)syscall(SYS_pidfd_open, old, 0);
	if (fd < 0)
		return;
	if (is_same_program(old) &&
	    syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0)
		log_say(
		    l, LOG_INFO, "killed the invoker before, %ld", (long)old);
	(void)close(fd);
}

/* The number in the file; 0: there is none. */
static pid_t
read_old(int fd)
{
	char text[32];
	uint64_t pid;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	text[strcspn(text, " \n")] = '\0';
	return text_u64(text, &pid) && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static bool
write_own(int fd, const char *path, bt_error_t *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld", (long)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return bt_fail_os(e, errno, "cannot write %s", path);
	return true;
}

bool
pid_file_take(const char *path, const struct service_log *l, bt_error_t *e)
{
	int fd = open(path,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	    0644);
	struct stat st;
	pid_t old;
	bool good;

	if (fd < 0)
		return bt_fail_os(e, errno, "cannot open %s", path);
	if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode) == false) {
		(void)close(fd);
		return bt_fail(e, BT_E_USAGE, "%s is not a regular file", path);
	}
	old = read_old(fd);
	if (old > 0)
		kill_old(old, l);
	good = write_own(fd, path, e);
	(void)close(fd);
	return good;
}
