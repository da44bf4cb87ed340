/* SPDX-License-Identifier: MIT */
/*
 * What the kernel saved on the stack when it called a signal handler: the
 * registers of the moment, the processor's error code and faulting address, the
 * blocked signals, and for handlers that asked for it the siginfo. sp is always
 * the stack pointer in the frame of the signal trampoline.
 */
#ifndef TARGET_HANDLED_H
#define TARGET_HANDLED_H

#include "target/arch/xstate.h"
#include "target/target.h"

struct target_handled {
	struct arch_thread_regs regs; /* its xstate is the one below, or NULL */
	uint8_t xstate[ARCH_XSTATE_MAX];
	struct arch_trap trap;
	struct target_signal signal; /* that the exception became */
};

/* Which signal a handler runs for, the kernel does not write down. But it
 * blocks that one meanwhile, unless the handler was installed with SA_NODEFER
 * or lets it in by itself. */
enum target_handler {
	TARGET_HANDLER_OF_IT,
	TARGET_HANDLER_UNKNOWN,	  /* nothing more is blocked than before */
	TARGET_HANDLER_OF_ANOTHER /* others are, but not this one */
};
/* before, within: the blocked signals, bit n - 1 is signal n. */
enum target_handler target_handler_of(
    int number, uint64_t before, uint64_t within);
bool target_blocked_at(struct target *t, bt_addr_t sp, uint64_t *out);

/* A fault, if what was saved explains one. now: the thread's registers. */
bool target_handled_at(struct target *t, const struct arch_thread_regs *now,
    bt_addr_t sp, struct target_handled *out);
/* The siginfo, if it is that of a signal that somebody sent. The kernel only
 * writes it for handlers that ask for it; else something older lies there.
 * clean: nothing lies behind it, as the kernel (from 4.20) leaves it. */
bool target_sent_at(
    struct target *t, bt_addr_t sp, struct target_signal *out, bool *clean);
/* That of a system call which a seccomp filter refused. */
bool target_refused_at(
    struct target *t, bt_addr_t sp, struct target_signal *out);
/* A signal that the thread sent to itself with raise(3), as abort(3) does. pid
 * and tid are the numbers it has in its own namespace. */
bool target_raised_at(struct target *t, bt_addr_t sp, int32_t pid, uint32_t tid,
    struct target_signal *out);

#endif /* TARGET_HANDLED_H */
