/* SPDX-License-Identifier: MIT */
/*
 * A frozen copy of the target: it is made to fork once, and the child never
 * runs. See capture_fork.c.
 */
#ifndef TARGET_CAPTURE_FORK_H
#define TARGET_CAPTURE_FORK_H

#include "target/arch/inject.h"
#include "target/capture_private.h"

/* A thread that does system calls for us, and where its way back lies. */
struct injection {
	struct capture *c;
	pid_t tid;
	uint64_t deadline;
	uint8_t gregs[ARCH_GREGS_SIZE]; /* as they were */
	uint64_t sigmask;
	bt_addr_t call_at, trampoline;
	/* Frames on its stack: back to where it was; the same by way of a
	 * wait for the child whose number is put there; the end of a child
	 * that nobody holds. A word for results. */
	bt_addr_t back, chain, leave, scratch;
	bool stuck; /* in the kernel: it goes back by itself */
};

/* capture_inject.c. Functions return 0, or an errno. */
/* Makes the thread ready. Until then nothing of it was changed. */
int inject_begin(struct injection *in, const struct capture_thread *thread);
/* Does a system call that continues at the frame at sp if we die. child: what
 * it made, 0 if nothing; may be NULL. */
int inject_call(struct injection *in, const struct arch_call *call,
    bt_addr_t sp, int64_t *result, pid_t *child);
/* As it was. */
int inject_end(struct injection *in);

/* Waits for a stop (or the end) of a tracee. */
int inject_wait(pid_t pid, uint64_t deadline, int *status);
int inject_run(pid_t pid, int request, uint64_t deadline, int *status);

enum { INJECT_SPACE = 4 * ARCH_FRAME_SIZE + ARCH_INJECT_XSTATE_MAX + 1024 };

#endif /* TARGET_CAPTURE_FORK_H */
