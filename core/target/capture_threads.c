/* SPDX-License-Identifier: MIT */
/*
 * Stopping all threads of a process and letting them go.
 *
 * PTRACE_SEIZE and PTRACE_INTERRUPT, never PTRACE_ATTACH: the latter sends a
 * SIGSTOP, and a tracer that is killed before it has collected it leaves the
 * process stopped for good. A seized thread runs on when its tracer ends, at
 * whatever moment; a process that was stopped by somebody else stays stopped.
 *
 * A thread can only be created by one that runs, so when all known threads
 * stood still before the list was read and the list has no new one, there is
 * none.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "target/capture_private.h"
#include "target/procfs.h"

enum {
	EVENT_SHIFT = 16, /* of a wait status: which PTRACE_EVENT */
	/* Everything up to AVX-512 and PKRU (Intel SDM volume 1, 13.4 and
	 * 13.5): 8 kB of matrix tiles behind that interest nobody. */
	XSTATE_MAX = 2696,
	PASSES_MAX = 1000,
	THREADS_FIRST = 256,
	NAPS_MAX = 200 /* of a millisecond, for another tracer */
};

static const uint64_t ns_per_ms = 1000000;
/* How long threads get that stand in the kernel, where no signal reaches them:
 * a page from a disk takes milliseconds, a vfork as long as it likes. */
static const uint64_t grace_ns = 50 * ns_per_ms;
/* How long the others get: they only need a processor. */
static const uint64_t stop_max_ns = 3000 * ns_per_ms;
/* Stacks in the kernel are a courtesy: not for longer than this. */
static const uint64_t kernel_max_ns = 300 * ns_per_ms;

bool
capture_tids(int dir, tid_vec *out)
{
	_Alignas(struct dirent64) char room[32768];
	ssize_t n;

	if (lseek(dir, 0, SEEK_SET) != 0)
		return false;
	while ((n = getdents64(dir, room, sizeof(room))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(room + at);
			uint64_t tid = 0;
			uint32_t *slot;
			size_t i = 0;

			at += d->d_reclen;
			for (; d->d_name[i] >= '0' && d->d_name[i] <= '9' &&
			     i < 10;
			     i++)
				tid = tid * 10 + (uint64_t)(d->d_name[i] - '0');
			if (i == 0 || d->d_name[i] != '\0' || tid > INT32_MAX)
				continue;
			if ((slot = vec_push(out)) == NULL)
				return false;
			*slot = (uint32_t)tid;
		}
	}
	return n == 0;
}

static struct capture_thread *
add_thread(struct taking *t, uint32_t tid)
{
	struct capture *c = t->c;
	struct capture_thread *thread;
	uint64_t *slot;

	if (c->n_threads == c->threads_room) {
		size_t room = c->threads_room != 0 ? c->threads_room * 2
						   : THREADS_FIRST;
		struct capture_thread *moved = capture_alloc(
		    c, room * sizeof(*moved));

		if (moved == NULL)
			return NULL;
		if (c->n_threads != 0)
			memcpy(
			    moved, c->threads, c->n_threads * sizeof(*moved));
		c->threads = moved;
		c->threads_room = room;
	}
	slot = map_put(&t->tids, tid, NULL);
	if (slot == NULL || vec_push(&t->tasks) == NULL)
		return NULL;
	*slot = c->n_threads + 1;
	thread = &c->threads[c->n_threads++];
	memset(thread, 0, sizeof(*thread));
	thread->tid = tid;
	thread->state = '?';
	return thread;
}

bool
thread_stat(struct taking *t, int dir, uint32_t tid, struct procfs_stat *out)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "%u/stat", tid);
	buf_clear(&t->text);
	return procfs_read(dir, path, &t->text) &&
	    procfs_parse_stat(view_of(t->text.data, t->text.size), out);
}

/* Name and state. False when it has ended. */
static bool
describe(struct taking *t, int dir, struct capture_thread *thread)
{
	struct procfs_stat stat;

	if (!thread_stat(t, dir, thread->tid, &stat)) {
		thread->kind = CAPTURE_GONE;
		return false;
	}
	thread->state = stat.state;
	/* The kernel's own limit is half of the room. */
	memcpy(thread->name, stat.comm, sizeof(thread->name) - 1);
	if (procfs_is_dead(stat.state))
		thread->kind = CAPTURE_ZOMBIE;
	return thread->kind != CAPTURE_ZOMBIE;
}

int
threads_open(struct taking *t)
{
	int dir = openat(
	    t->c->proc_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		(void)bt_fail(&t->c->error, BT_E_GONE,
		    "process %d has just ended", t->c->options.pid);
	return dir;
}

/* Where it waits: in the program, and (for those who may see it) in the
 * kernel. True only of a thread that sleeps, and only until it wakes. */
static void
describe_wait(struct taking *t, int dir, struct capture_thread *thread)
{
	char path[32];

	if (thread->state == 'R')
		return;
	(void)snprintf(path, sizeof(path), "%u/syscall", thread->tid);
	buf_clear(&t->text);
	thread->has_context = procfs_read(dir, path, &t->text) &&
	    procfs_parse_syscall(
		view_of(t->text.data, t->text.size), &thread->context);
	if (t->stack_denied)
		return;
	(void)snprintf(path, sizeof(path), "%u/stack", thread->tid);
	if (!capture_read_text(t, dir, path, &thread->kernel) &&
	    (errno == EACCES || errno == EPERM))
		t->stack_denied = true;
}

/* A thread on its way out is refused with EPERM like a forbidden one. */
static bool
is_leaving(struct taking *t, int dir, uint32_t tid)
{
	struct procfs_stat stat;

	return !thread_stat(t, dir, tid, &stat) ||
	    (tid != (uint32_t)t->c->options.pid &&
		(procfs_is_dead(stat.state) ||
		    (stat.flags & PROCFS_PF_EXITING) != 0));
}

static bool
seize(struct taking *t, int dir, struct capture_thread *thread)
{
	struct capture_task *task = &t->tasks.items[thread - t->c->threads];
	/* Without the option an exec is not told at all. */
	unsigned long options = PTRACE_O_TRACEEXEC;
	int errnum;

	if (ptrace(PTRACE_SEIZE, (pid_t)thread->tid, NULL, (void *)options) ==
	    0) {
		task->seized = true;
		return true;
	}
	errnum = errno;
	if (errnum == ESRCH || is_leaving(t, dir, thread->tid))
		thread->kind = CAPTURE_GONE;
	else
		thread->kind = CAPTURE_REFUSED;
	errno = errnum;
	return false;
}

/*
 * One of a process of which others were seized already is refused when somebody
 * else, who has traced it until now, is just letting it go, thread by thread:
 * a little later it is to be had. (Whoever begins while that one still holds
 * the first is refused at once.)
 */
static bool
seize_after_others(struct taking *t, int dir, struct capture_thread *thread)
{
	const struct timespec nap = {.tv_nsec = (long)ns_per_ms};

	while (!seize(t, dir, thread)) {
		if (thread->kind != CAPTURE_REFUSED || t->naps == NAPS_MAX)
			return false;
		t->naps++;
		thread->kind = CAPTURE_RUNNING;
		(void)nanosleep(&nap, NULL);
	}
	return true;
}

/* The first thread that may not be traced tells why. */
static bool
refuse(struct taking *t, int errnum)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)capture_explain(proc, t->c->options.pid, errnum, &t->c->error);
	if (proc >= 0)
		(void)close(proc);
	return false;
}

bool
threads_seize(struct taking *t)
{
	uint64_t start = bt_now_ns();
	size_t seized = 0;
	int dir = threads_open(t), refused = 0;
	tid_vec tids;

	if (dir < 0)
		return false;
	vec_init(&tids, t->tasks.limit);
	(void)capture_tids(dir, &tids);
	for (size_t i = 0; i < tids.count; i++) {
		struct capture_thread *thread = add_thread(t, tids.items[i]);

		if (thread == NULL)
			break;
		if (!describe(t, dir, thread))
			continue;
		if (bt_now_ns() - start > kernel_max_ns)
			t->stack_denied = true;
		busy_look(t, dir, thread);
		describe_wait(t, dir, thread);
		if (seized == 0 ? seize(t, dir, thread)
				: seize_after_others(t, dir, thread))
			seized++;
		else if (thread->kind == CAPTURE_REFUSED && refused == 0)
			refused = errno;
		if (seized == 0 && refused != 0)
			break;
	}
	vec_deinit(&tids);
	(void)close(dir);
	if (seized != 0)
		return true;
	if (refused != 0)
		return refuse(t, refused);
	return bt_fail(&t->c->error, t->c->full ? BT_E_NOMEM : BT_E_GONE,
	    t->c->full ? "out of memory for the capture of process %d"
		       : "process %d has just ended",
	    t->c->options.pid);
}

/* ---- stopping ---- */

static bool
read_xstate(struct capture *c, struct capture_thread *thread, int type)
{
	size_t used = c->used;
	struct iovec io = {capture_alloc(c, XSTATE_MAX), XSTATE_MAX};

	if (io.iov_base == NULL)
		return false;
	/* What it does not fill is given back. */
	c->used = used;
	if (ptrace(PTRACE_GETREGSET, (pid_t)thread->tid,
		(void *)(uintptr_t)type, &io) != 0)
		return false;
	thread->xstate = capture_alloc(c, io.iov_len);
	thread->xstate_size = (uint32_t)io.iov_len;
	thread->xstate_is_fx = type == NT_PRFPREG;
	return true;
}

static void
read_registers(struct capture *c, struct capture_thread *thread)
{
	struct iovec io = {thread->gregs, sizeof(thread->gregs)};

	if (ptrace(PTRACE_GETREGSET, (pid_t)thread->tid,
		(void *)(uintptr_t)NT_PRSTATUS, &io) != 0) {
		/* Killed while it stood still. */
		if (errno == ESRCH)
			thread->kind = CAPTURE_GONE;
		return;
	}
	/* A thread in 32-bit code has a shorter set. */
	if (io.iov_len == sizeof(thread->gregs))
		thread->gregs_size = (uint32_t)io.iov_len;
	if (!read_xstate(c, thread, NT_X86_XSTATE))
		(void)read_xstate(c, thread, NT_PRFPREG);
	thread->has_blocked =
	    ptrace((enum __ptrace_request)PTRACE_GETSIGMASK, (pid_t)thread->tid,
		(void *)sizeof(thread->blocked), &thread->blocked) == 0;
}

/* Of one that stands still, and only once. */
static void
take_registers(struct taking *t, struct capture_thread *thread)
{
	struct capture_task *task = &t->tasks.items[thread - t->c->threads];

	if (thread->kind != CAPTURE_STOPPED || task->registers)
		return;
	task->registers = true;
	read_registers(t->c, thread);
}

static void
interrupt(struct taking *t, struct capture_thread *thread)
{
	if (t->tasks.items[thread - t->c->threads].seized)
		(void)ptrace(PTRACE_INTERRUPT, (pid_t)thread->tid, NULL, NULL);
}

/* A thread stopped: by our interruption, because its process is stopped
 * anyway, or because a signal is about to be delivered. */
static void
take_stop(struct taking *t, struct capture_thread *thread, int status)
{
	struct capture_task *task = &t->tasks.items[thread - t->c->threads];
	int event = status >> EVENT_SHIFT;

	thread->kind = CAPTURE_STOPPED;
	if (event == PTRACE_EVENT_EXEC)
		t->exec = true;
	if (event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP)
		task->group_stop = true;
	if (event != 0)
		return;
	task->inject = WSTOPSIG(status);
	thread->has_siginfo = ptrace(PTRACE_GETSIGINFO, (pid_t)thread->tid,
				  NULL, thread->siginfo) == 0;
}

/* True when there is nothing more to wait for. */
static bool
try_wait(struct taking *t, struct capture_thread *thread)
{
	int status;
	pid_t got;

	do
		got = waitpid((pid_t)thread->tid, &status, __WALL | WNOHANG);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return false;
	if (got < 0 || !WIFSTOPPED(status))
		thread->kind = CAPTURE_GONE;
	else
		take_stop(t, thread, status);
	return true;
}

static bool
is_waited_for(const struct taking *t, size_t i)
{
	return t->tasks.items[i].seized &&
	    t->c->threads[i].kind == CAPTURE_RUNNING;
}

/* Waits for any stop to be told, a few milliseconds at most. */
static void
sleep_until_told(void)
{
	const struct timespec tick = {.tv_nsec = 2 * 1000000};
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigtimedwait(&child, NULL, &tick);
}

/* Sets aside those that no signal reaches. */
static void
give_up_blocked(struct taking *t, int dir)
{
	for (size_t i = 0; i < t->c->n_threads; i++) {
		struct capture_thread *thread = &t->c->threads[i];
		struct procfs_stat stat;

		if (!is_waited_for(t, i))
			continue;
		if (!thread_stat(t, dir, thread->tid, &stat))
			thread->kind = CAPTURE_GONE;
		else if (procfs_is_dead(stat.state))
			thread->kind = CAPTURE_ZOMBIE;
		else if ((stat.flags & PROCFS_PF_EXITING) != 0)
			thread->kind = CAPTURE_GONE; /* on its way out */
		else if (stat.state == 'D')
			thread->kind = CAPTURE_UNINTERRUPTIBLE;
		if (thread->kind != CAPTURE_RUNNING)
			thread->state = stat.state;
	}
}

static void
give_up_all(struct taking *t, int dir)
{
	give_up_blocked(t, dir);
	for (size_t i = 0; i < t->c->n_threads; i++) {
		if (is_waited_for(t, i))
			t->c->threads[i].kind = CAPTURE_UNINTERRUPTIBLE;
	}
}

/* Threads stop about in the order in which they were interrupted. */
static void
wait_all(struct taking *t, int dir)
{
	uint64_t start = bt_now_ns(), patience = grace_ns;

	for (size_t i = 0; i < t->c->n_threads && !t->exec;) {
		uint64_t waited;

		if (!is_waited_for(t, i) || try_wait(t, &t->c->threads[i])) {
			i++;
			continue;
		}
		waited = bt_now_ns() - start;
		if (waited > stop_max_ns) {
			give_up_all(t, dir);
		} else if (waited > patience) {
			/* The others, behind this one, have had as long. */
			for (size_t k = i + 1; k < t->c->n_threads; k++) {
				if (is_waited_for(t, k))
					(void)try_wait(t, &t->c->threads[k]);
			}
			give_up_blocked(t, dir);
			patience += grace_ns;
		} else {
			sleep_until_told();
		}
	}
}

/* Threads that the list has and we do not. */
static size_t
take_new(struct taking *t, int dir)
{
	size_t found = 0;
	tid_vec tids;

	vec_init(&tids, t->tasks.limit);
	(void)capture_tids(dir, &tids);
	for (size_t i = 0; i < tids.count; i++) {
		struct capture_thread *thread;

		if (map_get(&t->tids, tids.items[i]) != NULL)
			continue;
		thread = add_thread(t, tids.items[i]);
		if (thread == NULL)
			break;
		if (!describe(t, dir, thread) || !seize(t, dir, thread))
			continue;
		interrupt(t, thread);
		found++;
	}
	vec_deinit(&tids);
	return found;
}

static void
interrupt_those(struct taking *t, bool awake)
{
	for (size_t i = 0; i < t->c->n_threads; i++) {
		if (t->tasks.items[i].awake == awake)
			interrupt(t, &t->c->threads[i]);
	}
}

/* What can be had of those that slept while the others still run: they stand
 * already, and what is left over now is waited for with the others. */
static void
take_sleepers(struct taking *t)
{
	for (size_t i = 0; i < t->c->n_threads && !t->exec; i++) {
		struct capture_thread *thread = &t->c->threads[i];

		if (is_waited_for(t, i) && !t->tasks.items[i].awake &&
		    try_wait(t, thread))
			take_registers(t, thread);
	}
}

bool
threads_stop(struct taking *t)
{
	uint64_t start = bt_now_ns();
	int dir = threads_open(t);

	if (dir < 0)
		return false;
	interrupt_those(t, false);
	take_sleepers(t);
	interrupt_those(t, true);
	do {
		wait_all(t, dir);
		t->c->passes++;
	} while (!t->exec && take_new(t, dir) != 0 &&
	    t->c->passes < PASSES_MAX && bt_now_ns() - start < stop_max_ns);
	wait_all(t, dir);
	(void)close(dir);
	return !t->exec;
}

/* ---- registers ---- */

/* A stack in the kernel, read before the stop, belongs to what was stopped
 * only when the thread had not moved in between. */
static void
check_wait(struct capture_thread *thread)
{
	struct arch_thread_regs regs = {0};
	uint64_t sp = 0, pc = 0;

	if (thread->kind == CAPTURE_UNINTERRUPTIBLE)
		return;
	if (thread->gregs_size == 0 || !thread->has_context ||
	    !arch_gregs_parse(
		view_of(thread->gregs, thread->gregs_size), &regs) ||
	    !regs_get(&regs.regs, ARCH_SP, &sp) ||
	    !regs_get(&regs.regs, ARCH_PC, &pc) || sp != thread->context.sp ||
	    pc != thread->context.pc)
		thread->kernel = (struct capture_text){0};
}

void
threads_registers(struct taking *t)
{
	struct capture *c = t->c;

	for (size_t i = 0; i < c->n_threads; i++) {
		struct capture_thread *thread = &c->threads[i];

		take_registers(t, thread);
		check_wait(thread);
		c->uninterruptible += thread->kind == CAPTURE_UNINTERRUPTIBLE;
		c->refused += thread->kind == CAPTURE_REFUSED;
	}
}

/* A signal that was about to be delivered goes back in: the kernel still has
 * its siginfo and delivers it as if nothing had happened. */
static void
resume_those(struct taking *t, bool awake)
{
	for (size_t i = 0; i < t->c->n_threads; i++) {
		struct capture_task *task = &t->tasks.items[i];

		if (!task->seized || task->awake != awake)
			continue;
		(void)ptrace(PTRACE_DETACH, (pid_t)t->c->threads[i].tid, NULL,
		    (void *)(uintptr_t)task->inject);
		task->seized = false;
	}
}

void
threads_resume(struct taking *t)
{
	resume_those(t, true);
	resume_those(t, false);
}
