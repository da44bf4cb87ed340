/* SPDX-License-Identifier: MIT */
/*
 * Children of the daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "coresnapd/daemon.h"

/* Of what a child prints; more is lost. */
enum { OUTPUT_MAX = 65536, NICE = 9 };

int64_t
daemon_monotonic(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A file of fixed size: a child that prints without end fills it, and no
 * more. */
static int
make_output(void)
{
	int fd = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 &&
	    (ftruncate(fd, OUTPUT_MAX) != 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static void
set_score(const char *text)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* Where it may not be raised, it stays. */
	if (write(fd, text, strlen(text)) < 0)
		errno = 0;
	(void)close(fd);
}

static void
settle_child(void)
{
	/* 1 is what the kernel takes for "a helper": it does not call one for
	 * this process (core(5)), so no crash of ours begins a chain. */
	struct rlimit core = {1, 1};
	sigset_t none;

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setrlimit(RLIMIT_CORE, &core);
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	set_score("500");
}

int
job_start(struct daemon *d, enum job_kind kind, const struct object_id *id,
    int lock, uint32_t seconds, bt_error_t *e)
{
	struct job *j = &d->jobs[d->n_jobs];
	pid_t parent = getpid(), pid;

	if (d->n_jobs == JOBS_MAX) {
		(void)bt_fail(e, BT_E_LIMIT, "too many children");
		return -1;
	}
	*j = (struct job){.kind = kind,
	    .lock = lock,
	    .output = make_output(),
	    .begun = daemon_monotonic()};
	if (id != NULL)
		j->id = *id;
	if (seconds != 0)
		j->deadline = j->begun + (int64_t)seconds * 1000;
	pid = fork();
	if (pid < 0) {
		(void)bt_fail_os(e, errno, "cannot start a child");
		if (j->output >= 0)
			(void)close(j->output);
		return -1;
	}
	if (pid == 0) {
		settle_child();
		if (getppid() != parent)
			_exit(1);
		return 0;
	}
	/* Here, too: it may be killed before it has come that far. */
	(void)setpgid(pid, pid);
	j->pid = pid;
	d->n_jobs++;
	return (int)pid;
}

void
job_exec(const struct daemon *d, char *const argv[])
{
	/* In the child the job is the one that was just being made. */
	int output = d->jobs[d->n_jobs].output;

	if (output >= 0) {
		(void)dup2(output, STDOUT_FILENO);
		(void)dup2(output, STDERR_FILENO);
	}
	(void)execv(argv[0], argv);
	(void)fprintf(
	    stderr, "cannot execute %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void
finish(struct daemon *d, size_t i, int status,
    void (*done)(struct daemon *, const struct job *, int status))
{
	struct job j = d->jobs[i];

	d->jobs[i] = d->jobs[--d->n_jobs];
	done(d, &j, status);
	if (j.lock >= 0)
		(void)close(j.lock);
	if (j.output >= 0)
		(void)close(j.output);
}

void
jobs_reap(struct daemon *d,
    void (*done)(struct daemon *, const struct job *, int status))
{
	for (;;) {
		siginfo_t info = {.si_pid = 0};
		int status = 0;

		/* What it started must not outlive it. As long as it has not
		 * been waited for, its number is nobody else's. */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		    info.si_pid == 0)
			return;
		(void)kill(-info.si_pid, SIGKILL);
		if (waitpid(info.si_pid, &status, 0) != info.si_pid)
			return;
		for (size_t i = 0; i < d->n_jobs; i++)
			if (d->jobs[i].pid == info.si_pid) {
				finish(d, i, status, done);
				break;
			}
	}
}

void
jobs_check(struct daemon *d)
{
	int64_t now = daemon_monotonic();

	for (size_t i = 0; i < d->n_jobs; i++)
		if (d->jobs[i].deadline != 0 && d->jobs[i].deadline <= now) {
			(void)kill(-d->jobs[i].pid, SIGKILL);
			d->jobs[i].killed = true;
			d->jobs[i].deadline = 0;
		}
}

void
jobs_kill(struct daemon *d)
{
	for (size_t i = 0; i < d->n_jobs; i++) {
		(void)kill(-d->jobs[i].pid, SIGKILL);
		while (waitpid(d->jobs[i].pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	d->n_jobs = 0;
}

size_t
jobs_count(const struct daemon *d, enum job_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_jobs; i++)
		n += d->jobs[i].kind == kind;
	return n;
}

bool
jobs_has(const struct daemon *d, const struct object_id *id)
{
	for (size_t i = 0; i < d->n_jobs; i++)
		if (strcmp(d->jobs[i].id.text, id->text) == 0)
			return true;
	return false;
}

/* ---- what it printed ---- */

static size_t
read_output(const struct job *j, char text[OUTPUT_MAX + 1])
{
	ssize_t n = j->output >= 0 ? pread(j->output, text, OUTPUT_MAX, 0) : 0;
	size_t size = n > 0 ? (size_t)n : 0;

	text[size] = '\0';
	return strlen(text);
}

void
job_last_line(const struct job *j, char *out, size_t size)
{
	static char text[OUTPUT_MAX + 1];
	size_t n = read_output(j, text);
	char *line;

	while (n != 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	line = strrchr(text, '\n');
	text_escape_into(out, size, line != NULL ? line + 1 : text);
}

int64_t
job_number(const struct job *j, const char *word)
{
	static char text[OUTPUT_MAX + 1];
	const char *place;
	char digits[20];
	size_t len;
	int64_t value;

	(void)read_output(j, text);
	place = strstr(text, word);
	if (place == NULL)
		return -1;
	place += strlen(word);
	len = strspn(place, "0123456789");
	if (len == 0 || len >= sizeof(digits))
		return -1;
	memcpy(digits, place, len);
	digits[len] = '\0';
	return text_i64(digits, &value) ? value : -1;
}
