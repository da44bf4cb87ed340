/* SPDX-License-Identifier: MIT */
/*
 * Taking a capture with a deadline. A process that reads foreign memory can be
 * made to wait for ever (a page that a user-space file system does not
 * deliver); then it is killed, which lets the target run on, and what it had
 * copied by then is used.
 */
#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "session/capture_run.h"
#include "session/worker.h"

enum {
	NS_PER_MS = 1000000,
	ATTEMPTS_MAX = 4,
	/* Beyond the pause asked for: stopping tens of thousands of threads
	 * on a busy machine takes seconds. */
	SLACK_MS = 8000,
	/* Beyond the pause, once only copying is left, which keeps an eye on
	 * the time itself unless it is blocked. */
	COPY_SLACK_MS = 500,
	/* To fork, one of its threads must be run some ten times. */
	FORK_SLACK_MS = 1500,
	TICK_MS = 50
};

/* The end of the pipe is the message; or a byte, when there is a frozen copy,
 * which ends with its tracer: that stays until it is killed. */
static int
take(void *ctx, int fd)
{
	struct capture *c = ctx;
	int end = (int)capture_take(c);

	if (c->fork.pid == 0)
		return end;
	while (write(fd, "", 1) < 0 && errno == EINTR)
		;
	for (;;)
		(void)pause();
}

/* True when there is a copy, which the worker holds from here on. */
static bool
keep_fork(struct capture *c, bool in_time, struct worker *w)
{
	bool there = in_time && c->fork.pid != 0 &&
	    c->progress == CAPTURE_COMPLETE && capture_open_fork(c);

	if (!there)
		c->fork.pid = 0;
	else
		worker_leave(w);
	return there;
}

static bool
is_too_late(const struct capture *c, uint64_t now, uint64_t deadline)
{
	uint64_t slack = c->options.fork ? FORK_SLACK_MS : COPY_SLACK_MS;
	uint64_t copying = c->options.max_pause_ns + slack * NS_PER_MS;

	return now >= deadline ||
	    (c->progress == CAPTURE_REGISTERS && now > c->copy_start + copying);
}

/* False when it is too late. */
static bool
wait_for_end(const struct worker *w, const struct capture *c, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = w->fd, .events = POLLIN};
		int n = poll(&p, 1, TICK_MS);

		if (n > 0)
			return true;
		if ((n < 0 && errno != EINTR) ||
		    is_too_late(c, bt_now_ns(), deadline))
			return false;
	}
}

static bool
fail(const struct capture *c, bool in_time, int status, bt_error_t *e)
{
	if (!in_time)
		return bt_fail(e, BT_E_TIMEOUT,
		    "process %d: its threads could not be stopped in time; it "
		    "runs on",
		    c->options.pid);
	if (WIFEXITED(status) && c->error.code != BT_OK) {
		*e = c->error;
		return false;
	}
	return bt_fail(e, BT_E_INTERNAL,
	    "process %d: its capture ended unexpectedly (status 0x%x); it "
	    "runs on",
	    c->options.pid, (unsigned)status);
}

/* *again: it became another program while we looked. */
static bool
attempt(struct capture *c, uint64_t deadline, struct worker *holder,
    bool *again, bt_error_t *e)
{
	const struct worker_limits limits = {0, 0};
	bool in_time;
	struct worker w;
	int status;

	*again = false;
	if (!worker_start(&w, &limits, take, c, e))
		return false;
	in_time = wait_for_end(&w, c, deadline);
	if (keep_fork(c, in_time, &w)) {
		*holder = w;
		return true;
	}
	/* One that has left by itself keeps its status. */
	worker_stop(&w);
	status = worker_reap(&w);
	if (!in_time && c->progress >= CAPTURE_REGISTERS)
		c->pause_ns = bt_now_ns() - c->pause_start;
	*again = in_time && WIFEXITED(status) &&
	    WEXITSTATUS(status) == CAPTURE_AGAIN;
	if (*again)
		return bt_fail(e, BT_E_TIMEOUT,
		    "process %d becomes another program (exec) again and "
		    "again",
		    c->options.pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CAPTURE_FAILED)
		return fail(c, in_time, status, e);
	return c->progress >= CAPTURE_REGISTERS || fail(c, in_time, status, e);
}

static bool
seal(struct capture *c, bt_error_t *e)
{
	return capture_seal(c) || bt_fail_os(e, errno, "cannot seal a capture");
}

void
capture_release(struct worker *holder)
{

	worker_stop(holder);
	(void)worker_reap(holder);
}

/* Until when it may take. */
static uint64_t
latest(const struct capture_options *options, uint64_t deadline_ns)
{
	uint64_t pause = options->max_pause_ns != 0
	    ? options->max_pause_ns
	    : (uint64_t)CAPTURE_DEFAULT_MAX_PAUSE_MS * NS_PER_MS;
	uint64_t then = bt_now_ns() + pause + (uint64_t)SLACK_MS * NS_PER_MS;

	return then < deadline_ns ? then : deadline_ns;
}

/* While it becomes another program, which takes a moment, a process is refused
 * to everybody. */
static bool
may_be_exec(const bt_error_t *e, int i)
{
	const struct timespec naps[ATTEMPTS_MAX] = {{.tv_nsec = NS_PER_MS},
	    {.tv_nsec = 10 * NS_PER_MS}, {.tv_nsec = 60 * NS_PER_MS}};

	if (e->code != BT_E_PERMISSION || i + 1 == ATTEMPTS_MAX)
		return false;
	(void)nanosleep(&naps[i], NULL);
	return true;
}

bool
capture_run(const struct capture_options *options, uint64_t deadline_ns,
    struct worker *holder, struct capture **out, bt_error_t *e)
{
	bool again = true;

	deadline_ns = latest(options, deadline_ns);
	for (int i = 0; i < ATTEMPTS_MAX && again; i++) {
		struct capture *c;

		if (capture_open(options, &c, e) == false) {
			again = may_be_exec(e, i);
			continue;
		}
		if (attempt(c, deadline_ns, holder, &again, e) && seal(c, e)) {
			*out = c;
			return true;
		}
		capture_release(holder);
		capture_close(c);
		again = again || may_be_exec(e, i);
	}
	return false;
}

bool
capture_run_again(struct capture *c, uint64_t deadline_ns,
    struct worker *holder, bool *changed, bt_error_t *e)
{

	*changed = false;
	capture_release(holder);
	if (capture_again(c, e) &&
	    attempt(c, latest(&c->options, deadline_ns), holder, changed, e) &&
	    seal(c, e))
		return true;
	*changed = *changed || e->code == BT_E_PERMISSION;
	return false;
}
