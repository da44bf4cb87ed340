/* SPDX-License-Identifier: MIT */
/*
 * Running defaults.command.
 */
#include "coresnapd/defaults.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum { TEXT_MAX = 65536, PATIENCE_MS = 10000 };

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False: too late or too long. */
static bool
read_all(int fd, struct buf *out)
{
	int64_t end = now_ms() + PATIENCE_MS;
	char step[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = end - now_ms();
		ssize_t n;

		if (left <= 0 || out->failed || poll(&p, 1, (int)left) == 0)
			return false;
		n = read(fd, step, sizeof(step));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n == 0;
		buf_append(out, step, (size_t)n);
	}
}

static void
become(const char *command, const char *exe, int out)
{
	(void)dup2(out, STDOUT_FILENO);
	(void)execl(command, command, exe, (char *)NULL);
	_exit(127);
}

static bool
run(const char *command, const char *exe, struct buf *out)
{
	int ends[2], status = -1;
	bool whole;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		become(command, exe, ends[1]);
	(void)close(ends[1]);
	whole = pid > 0 && read_all(ends[0], out);
	(void)close(ends[0]);
	if (pid <= 0)
		return false;
	if (whole == false)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return whole && status == 0;
}

void
defaults_set(const char *command, const char *exe)
{
	struct buf text;

	if (*command == '\0')
		return;
	buf_init(&text, TEXT_MAX);
	if (run(command, exe, &text))
		(void)setenv("BACKTRACE_DEFAULTS", buf_text(&text), 1);
	else
		(void)fprintf(stderr, "%s said nothing\n", command);
	buf_deinit(&text);
}
