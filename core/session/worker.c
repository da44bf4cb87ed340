/* SPDX-License-Identifier: MIT */
/*
 * Fork, limits, and the end of a worker.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/worker.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WORKER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WORKER_SANITIZED 1
#endif
#endif

static void
limit(int resource, uint64_t value)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)resource, &r) != 0)
		return;
	if (r.rlim_max != RLIM_INFINITY && value > r.rlim_max)
		value = r.rlim_max;
	r.rlim_cur = r.rlim_max = value;
	(void)setrlimit((__rlimit_resource_t)resource, &r);
}

/*
 * RLIMIT_DATA and not RLIMIT_AS: the core and its modules are mapped read-only
 * and may be larger than any memory; what must be bounded is what we allocate
 * (private writable pages count against RLIMIT_DATA since Linux 4.7). The
 * address sanitizer reserves terabytes, so there is no cap under it. Not
 * dumpable: a core_pattern that is a pipe ignores RLIMIT_CORE 0, and a crash
 * handler that starts us must not be started by us.
 */
static void
confine(const struct worker_limits *limits, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (getppid() != parent)
		_exit(127); /* it died before the line above */
	limit(RLIMIT_CORE, 0);
	if (limits->cpu_seconds != 0)
		limit(RLIMIT_CPU, limits->cpu_seconds);
#ifndef WORKER_SANITIZED
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (limits->data_bytes != 0)
		limit(RLIMIT_DATA, limits->data_bytes);
#endif
}

/* One heap for all threads. glibc gives each thread another one, and asks a
 * file of /proc before it gives something of that back: the sandbox refuses
 * it. */
static void
share_heap(void)
{
#ifdef M_ARENA_MAX
	(void)mallopt(M_ARENA_MAX, 1);
#endif
}

/* In a build that measures coverage this writes the counts, which _exit would
 * lose; in others there is no such function. */
void __gcov_dump(void) __attribute__((weak));

_Noreturn void
worker_exit(int status)
{
	if (__gcov_dump != NULL)
		__gcov_dump();
	_exit(status);
}

bool
worker_is_sanitized(void)
{
#ifdef WORKER_SANITIZED
	return true;
#else
	return false;
#endif
}

bool
worker_is_counted(void)
{

	return __gcov_dump != NULL;
}

bool
worker_start(struct worker *w, const struct worker_limits *limits,
    worker_body *body, void *ctx, bt_error_t *e)
{
	enum { PIPE_BYTES = 1024 * 1024 };
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return bt_fail_os(e, errno, "cannot make a pipe");
	/* Larger writes then need no switch per 64 KiB; it may be refused. */
	(void)fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
	w->pid = fork();
	if (w->pid < 0) {
		int error = errno;

		(void)close(fds[0]);
		(void)close(fds[1]);
		return bt_fail_os(e, error, "cannot start a worker");
	}
	if (w->pid == 0) {
		(void)close(fds[0]);
		confine(limits, parent);
		share_heap();
		worker_exit(body(ctx, fds[1]));
	}
	(void)close(fds[1]);
	w->fd = fds[0];
	return true;
}

void
worker_leave(struct worker *w)
{

	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

void
worker_stop(struct worker *w)
{
	if (w->pid <= 0)
		return;
	(void)kill(w->pid, SIGKILL);
	worker_leave(w);
}

/* Waits for the end of the process, but not for ever. False where the kernel
 * cannot do that (before Linux 5.3). */
static bool
wait_a_while(pid_t pid)
{
	enum { PATIENCE_MS = 2000 };
	struct pollfd p = {.events = POLLIN};
	int n;

	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0)
		return false;
	do {
		n = poll(&p, 1, PATIENCE_MS);
	} while (n < 0 && errno == EINTR);
	(void)close(p.fd);
	return true;
}

static pid_t
collect(pid_t pid, int *status)
{
	int how = wait_a_while(pid) ? WNOHANG : 0;
	pid_t got;

	do {
		got = waitpid(pid, status, how);
	} while (got < 0 && errno == EINTR);
	return got;
}

int
worker_reap(struct worker *w)
{
	int status = 0;
	pid_t got;

	if (w->pid <= 0)
		return 0;
	got = collect(w->pid, &status);
	if (got == 0) {
		(void)kill(w->pid, SIGKILL);
		got = collect(w->pid, &status);
	}
	w->pid = 0;
	return got > 0 ? status : 0;
}

/* proc(5), Documentation/scheduler/sched-stats.rst: time on a processor, time
 * waited for one, both in nanoseconds. */
uint64_t
worker_waited(const struct worker *w)
{
	char path[64], text[96];
	unsigned long long ran, waited = 0;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)w->pid);
	fd = w->pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%llu %llu", &ran, &waited) == 2 ? waited : 0;
}

struct worker_note *
worker_note_create(void)
{
	struct worker_note *note = mmap(NULL, sizeof(*note),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return note != MAP_FAILED ? note : NULL;
}

void
worker_note_destroy(struct worker_note *note)
{

	if (note != NULL)
		(void)munmap(note, sizeof(*note));
}

void
worker_note_set(struct worker_note *note, unsigned stage, const char *module)
{
	size_t i = 0;

	if (note == NULL)
		return;
	note->stage = (uint8_t)stage;
	for (; module != NULL && module[i] != '\0' &&
	     i + 1 < sizeof(note->module);
	     i++)
		note->module[i] = module[i];
	note->module[i] = '\0';
}

void
worker_note_walk(
    struct worker_note *note, uint64_t blocks, uint64_t done, uint64_t all)
{

	if (note == NULL)
		return;
	note->blocks = blocks;
	note->done = done;
	note->all = all;
}

void
worker_note_module(const struct worker_note *note, char *out, size_t size)
{
	size_t i = 0;

	for (; note != NULL && i + 1 < size && i < sizeof(note->module) &&
	     note->module[i] != '\0';
	     i++)
		out[i] = note->module[i];
	out[i] = '\0';
}
