/* SPDX-License-Identifier: MIT */
/*
 * System calls in the name of a stopped thread. At every moment the thread is
 * set so that, were we killed, it would go on by itself: first to the end of
 * the call it is in, then through a signal frame on its own stack (below the
 * red zone, where a signal's would be) to where it had been stopped.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/budget.h"
#include "target/capture_fork.h"

enum { EVENT_SHIFT = 16, SYSCALL_STOP = SIGTRAP | 0x80, STRAY_STOPS = 16 };

/* ---- waiting ---- */

int
inject_wait(pid_t pid, uint64_t deadline, int *status)
{
	const struct timespec tick = {.tv_nsec = 1000000};
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	for (;;) {
		pid_t got = waitpid(pid, status, __WALL | WNOHANG);

		if (got == pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return errno;
		if (bt_now_ns() > deadline)
			return ETIMEDOUT;
		(void)sigtimedwait(&child, NULL, &tick);
	}
}

int
inject_run(pid_t pid, int request, uint64_t deadline, int *status)
{
	if (ptrace((enum __ptrace_request)request, pid, NULL, NULL) != 0)
		return errno;
	return inject_wait(pid, deadline, status);
}

static bool
is_event(int status, int event)
{
	return WIFSTOPPED(status) && status >> EVENT_SHIFT == event;
}

/* Runs to the next beginning or end of a system call, or to an event of it.
 * Stops that others cause (somebody sends SIGSTOP) are passed over: the kernel
 * makes up for them when we let go. */
static int
run_to_call(struct injection *in, int *status)
{
	for (int i = 0; i < STRAY_STOPS; i++) {
		int error = inject_run(
		    in->tid, PTRACE_SYSCALL, in->deadline, status);

		if (error != 0) {
			in->stuck = error == ETIMEDOUT;
			return error;
		}
		if (!WIFSTOPPED(*status))
			return ESRCH;
		if (WSTOPSIG(*status) == SYSCALL_STOP ||
		    is_event(*status, PTRACE_EVENT_CLONE) ||
		    is_event(*status, PTRACE_EVENT_FORK))
			return 0;
		if (!is_event(*status, PTRACE_EVENT_STOP))
			return EPROTO;
	}
	return EAGAIN;
}

/* ---- registers and memory ---- */

static int
set_gregs(pid_t tid, uint8_t *gregs)
{
	struct iovec io = {gregs, ARCH_GREGS_SIZE};

	return ptrace(PTRACE_SETREGSET, tid, (void *)(uintptr_t)NT_PRSTATUS,
		   &io) == 0
	    ? 0
	    : errno;
}

static int
get_gregs(pid_t tid, uint8_t *gregs)
{
	struct iovec io = {gregs, ARCH_GREGS_SIZE};

	if (ptrace(PTRACE_GETREGSET, tid, (void *)(uintptr_t)NT_PRSTATUS,
		&io) != 0)
		return errno;
	return io.iov_len == ARCH_GREGS_SIZE ? 0 : EPROTO;
}

static int
write_to(pid_t tid, bt_addr_t to, const void *data, size_t size)
{
	struct iovec local = {(void *)(uintptr_t)data, size};
	struct iovec remote = {(void *)(uintptr_t)to, size};
	ssize_t n = process_vm_writev(tid, &local, 1, &remote, 1, 0);

	if (n == (ssize_t)size)
		return 0;
	return n < 0 ? errno : EFAULT;
}

/* ---- the frames ---- */

static int
read_xstate(pid_t tid, uint8_t *out, size_t *size)
{
	_Alignas(64) uint8_t raw[ARCH_INJECT_XSTATE_MAX];
	struct iovec io = {raw, sizeof(raw)};

	if (ptrace(PTRACE_GETREGSET, tid, (void *)(uintptr_t)NT_X86_XSTATE,
		&io) != 0)
		return errno;
	*size = arch_frame_xstate(raw, io.iov_len, out);
	return *size != 0 ? 0 : ENOTSUP;
}

/* Aligned to their size, so that none lies on two pages. */
static void
place(struct injection *in, uint64_t sp, size_t xstate_size, bt_addr_t *xstate)
{
	const uint64_t frame_mask = ARCH_FRAME_SIZE - 1, line = 63;

	*xstate = (sp - ARCH_INJECT_RED_ZONE - xstate_size) & ~line;
	in->back = (*xstate & ~frame_mask) - ARCH_FRAME_SIZE;
	in->chain = in->back - ARCH_FRAME_SIZE;
	in->leave = in->chain - ARCH_FRAME_SIZE;
	in->scratch = in->leave - ARCH_FRAME_SIZE;
}

static int
write_frames(struct injection *in, uint64_t sp)
{
	/* The kernel puts the number of a child into the frame (clone(2),
	 * CLONE_PARENT_SETTID) before the child runs; until then there is
	 * nobody of that number, and nothing to wait for. */
	const struct arch_call leave = {SYS_exit_group, {0}},
			       wait = {SYS_wait4, {INT32_MAX, 0, __WALL, 0}};
	_Alignas(64) uint8_t xstate[ARCH_INJECT_XSTATE_MAX];
	uint8_t frame[ARCH_FRAME_SIZE] = {0};
	size_t size = 0;
	bt_addr_t at;
	int error = read_xstate(in->tid, xstate, &size);

	if (error != 0)
		return error;
	place(in, sp, size, &at);
	error = write_to(in->tid, at, xstate, size);
	if (error == 0)
		error = write_to(in->tid, in->scratch, frame, sizeof(frame));
	arch_frame_continue(frame, in->trampoline, in->gregs, in->sigmask, at);
	if (error == 0)
		error = write_to(in->tid, in->back, frame, sizeof(frame));
	arch_frame_call(
	    frame, in->trampoline, in->gregs, in->call_at, &wait, in->back);
	if (error == 0)
		error = write_to(in->tid, in->chain, frame, sizeof(frame));
	arch_frame_call(
	    frame, in->trampoline, in->gregs, in->call_at, &leave, in->leave);
	return error != 0 ? error
			  : write_to(in->tid, in->leave, frame, sizeof(frame));
}

/* ---- the calls ---- */

/* First the registers, then the mask: with the one without the other it would
 * go on without its signals, were we killed in between. */
int
inject_begin(struct injection *in, const struct capture_thread *thread)
{
	const struct arch_call harmless = {SYS_getpid, {0}};
	const uint64_t everything = UINT64_MAX;
	uint8_t gregs[ARCH_GREGS_SIZE];
	struct arch_thread_regs regs = {0};
	uint64_t sp;
	int error;

	memcpy(in->gregs, thread->gregs, sizeof(in->gregs));
	if (!arch_gregs_parse(view_of(in->gregs, sizeof(in->gregs)), &regs) ||
	    !regs_get(&regs.regs, ARCH_SP, &sp))
		return EPROTO;
	if (ptrace((enum __ptrace_request)PTRACE_GETSIGMASK, in->tid,
		(void *)sizeof(in->sigmask), &in->sigmask) != 0)
		return errno;
	error = write_frames(in, sp);
	if (error != 0)
		return error;
	if (ptrace(PTRACE_SETOPTIONS, in->tid, NULL,
		(void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
		    PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE)) != 0)
		return errno;
	memcpy(gregs, in->gregs, sizeof(gregs));
	arch_gregs_call(gregs, in->call_at, &harmless, in->back);
	error = set_gregs(in->tid, gregs);
	if (error != 0)
		return error;
	if (ptrace((enum __ptrace_request)PTRACE_SETSIGMASK, in->tid,
		(void *)sizeof(everything), &everything) != 0) {
		error = errno;
		(void)set_gregs(in->tid, in->gregs);
		return error;
	}
	return 0;
}

/* To the end of the call, past the event of a child. */
static int
finish_call(struct injection *in, pid_t *child)
{
	int status, error = run_to_call(in, &status);
	unsigned long id = 0;

	if (error != 0 || WSTOPSIG(status) == SYSCALL_STOP)
		return error;
	if (ptrace(PTRACE_GETEVENTMSG, in->tid, NULL, &id) != 0)
		return errno;
	if (child != NULL)
		*child = (pid_t)id;
	error = run_to_call(in, &status);
	if (error == 0 && WSTOPSIG(status) != SYSCALL_STOP)
		return EPROTO;
	return error;
}

int
inject_call(struct injection *in, const struct arch_call *call, bt_addr_t sp,
    int64_t *result, pid_t *child)
{
	uint8_t gregs[ARCH_GREGS_SIZE];
	int status, error;

	if (child != NULL)
		*child = 0;
	memcpy(gregs, in->gregs, sizeof(gregs));
	arch_gregs_call(gregs, in->call_at, call, sp);
	error = set_gregs(in->tid, gregs);
	if (error == 0)
		error = run_to_call(in, &status);
	if (error == 0 && WSTOPSIG(status) != SYSCALL_STOP)
		error = EPROTO;
	if (error == 0)
		error = finish_call(in, child);
	if (error == 0)
		error = get_gregs(in->tid, gregs);
	if (error == 0)
		*result = arch_gregs_result(gregs);
	return error;
}

/*
 * Stopped as it was found, by PTRACE_INTERRUPT: only on the way out of such a
 * stop does the kernel look whether a system call has to be restarted.
 */
int
inject_end(struct injection *in)
{
	int status, error;

	if (in->stuck)
		return ETIMEDOUT;
	if (ptrace(PTRACE_INTERRUPT, in->tid, NULL, NULL) != 0)
		return errno;
	for (int i = 0; i < STRAY_STOPS; i++) {
		error = inject_run(in->tid, PTRACE_CONT, in->deadline, &status);
		if (error != 0) {
			in->stuck = error == ETIMEDOUT;
			return error;
		}
		if (!WIFSTOPPED(status))
			return ESRCH;
		if (is_event(status, PTRACE_EVENT_STOP))
			break;
	}
	if (ptrace((enum __ptrace_request)PTRACE_SETSIGMASK, in->tid,
		(void *)sizeof(in->sigmask), &in->sigmask) != 0)
		return errno;
	return set_gregs(in->tid, in->gregs);
}
