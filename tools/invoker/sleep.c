/* SPDX-License-Identifier: MIT */
/*
 * Between "no SIGCONT has come" and the stop there is a moment in which it may
 * come and be lost: a stop discards a pending SIGCONT, so blocking it does not
 * help, and a stopped process runs nothing that could look again. So a child
 * watches us falling asleep. Once it sees us stopped, either the signal has
 * come before, which it knows from memory that both share, and it repeats it;
 * or it comes later, and wakes us by itself. Then the child ends: nothing but
 * the stopped process is left while the server is well.
 */
#include "invoker/sleep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Shared with the watching child. A signal handler has no argument of its own,
 * so this one place is static. */
static volatile sig_atomic_t *woken;

static void
on_continue(int signo)
{
	(void)signo;
	*woken = 1;
}

bool
sleep_prepare(bt_error_t *e)
{
	struct sigaction action = {.sa_handler = on_continue};
	void *page = mmap(NULL, sizeof(*woken), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return bt_fail_os(e, errno, "cannot share memory");
	woken = page;
	(void)sigemptyset(&action.sa_mask);
	if (sigaction(SIGCONT, &action, NULL) != 0)
		return bt_fail_os(e, errno, "cannot handle SIGCONT");
	return true;
}

/* The state letter in /proc/PID/stat, behind the name in parentheses, which may
 * itself hold any character; 0: not to be had. */
static char
state_of(int stat_fd)
{
	char text[512], *end;
	ssize_t n = pread(stat_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return '\0';
	text[n] = '\0';
	end = strrchr(text, ')');
	return end != NULL && end[1] == ' ' ? end[2] : '\0';
}

static void
watch(pid_t sleeper)
{
	static const struct timespec moment = {.tv_nsec = 200000};
	char path[64];
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)sleeper);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Without /proc there is no way to see it: then as it is everywhere. */
	while (fd >= 0 && getppid() == sleeper) {
		char state = state_of(fd);

		if (state == '\0')
			break;
		if (state == 'T' || state == 't') {
			if (*woken != 0)
				(void)kill(sleeper, SIGCONT);
			break;
		}
		(void)nanosleep(&moment, NULL);
	}
	_exit(0);
}

bool
sleep_until_woken(pid_t parent, bt_error_t *e)
{
	pid_t self = getpid(), child;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return bt_fail_os(e, errno, "cannot follow the parent's death");
	if (getppid() != parent)
		return bt_fail(e, BT_E_GONE, "the parent has ended");
	if (*woken != 0)
		return true;
	child = fork();
	if (child < 0)
		return bt_fail_os(e, errno, "cannot fork");
	if (child == 0)
		watch(self);
	(void)raise(SIGSTOP);
	(void)kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
	return true;
}
