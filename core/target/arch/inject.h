/* SPDX-License-Identifier: MIT */
/*
 * Making a stopped thread do a system call and go on as if nothing had been.
 *
 * Two pieces of code that every C library has are borrowed: "syscall; ret" and
 * the trampoline that ends a signal handler. The thread is set to the first
 * with its stack pointer at a signal frame that holds all its registers; so
 * whether we collect the result and put its registers back, or die at any
 * moment in between, it ends up where it was: the return leads into the
 * trampoline, and the kernel restores what the frame says.
 */
#ifndef TARGET_ARCH_INJECT_H
#define TARGET_ARCH_INJECT_H

#include "base/view.h"

enum {
	ARCH_GREGS_SIZE = 27 * 8, /* struct user_regs_struct */
	/* AVX-512 and protection keys; tiles in use need more. */
	ARCH_INJECT_XSTATE_MAX = 16384,
	/* Where such a frame has the first argument of a call. */
	ARCH_FRAME_ARGUMENT = 48 + 8 * 8,
	ARCH_FRAME_SIZE = 512,	   /* without the extended state */
	ARCH_INJECT_RED_ZONE = 128 /* psABI x86-64, section 3.2.2 */
};

struct arch_call {
	int64_t number;
	uint64_t arguments[6];
};

/* Offset of "syscall; ret" and of the trampoline in code; false: not there. */
bool arch_find_call(const uint8_t *code, size_t size, size_t *offset);
bool arch_find_trampoline(const uint8_t *code, size_t size, size_t *offset);

/* Is the thread in a system call that the kernel restarts by itself, and is
 * that one that only goes on as long as nothing was done in between? */
bool arch_in_syscall(const uint8_t gregs[ARCH_GREGS_SIZE]);
bool arch_has_restart_block(const uint8_t gregs[ARCH_GREGS_SIZE]);
/* It runs 64-bit code. */
bool arch_is_64(const uint8_t gregs[ARCH_GREGS_SIZE]);

/*
 * The extended state for a signal frame, from NT_X86_XSTATE; returns its size,
 * 0 when it is of no known form. It must lie at a multiple of 64.
 */
size_t arch_frame_xstate(
    const uint8_t *xstate, size_t size, uint8_t out[ARCH_INJECT_XSTATE_MAX]);
/*
 * A signal frame that continues with gregs; a system call that was interrupted
 * is done again. xstate is its address in the target, 0: not restored.
 */
void arch_frame_continue(uint8_t out[ARCH_FRAME_SIZE], uint64_t trampoline,
    const uint8_t gregs[ARCH_GREGS_SIZE], uint64_t sigmask, uint64_t xstate);
/* One that does a system call and continues at the frame at sp. */
void arch_frame_call(uint8_t out[ARCH_FRAME_SIZE], uint64_t trampoline,
    const uint8_t gregs[ARCH_GREGS_SIZE], uint64_t call_at,
    const struct arch_call *call, uint64_t sp);
/* The registers for a system call now, to continue at the frame at sp. */
void arch_gregs_call(uint8_t gregs[ARCH_GREGS_SIZE], uint64_t call_at,
    const struct arch_call *call, uint64_t sp);
/* What a system call returned. */
int64_t arch_gregs_result(const uint8_t gregs[ARCH_GREGS_SIZE]);

#endif /* TARGET_ARCH_INJECT_H */
