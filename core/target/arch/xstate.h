/* SPDX-License-Identifier: MIT */
/*
 * Vector and mask registers in the extended state that the kernel saved: of a
 * thread (core note, PTRACE_GETREGSET) or in front of a signal handler.
 */
#ifndef TARGET_ARCH_XSTATE_H
#define TARGET_ARCH_XSTATE_H

#include "target/arch/arch.h"

enum {
	ARCH_VECTORS = 32,
	ARCH_MASKS = 8,
	ARCH_VECTOR_BYTES = 64,
	ARCH_XSTATE_MAX = 2688 /* all of the parts that are read here */
};

/* The lowest `bytes` (16, 32 or 64) of vector register n. False: they were not
 * saved, or nobody knows where. */
bool arch_vector(
    const struct arch_thread_regs *t, unsigned n, unsigned bytes, uint8_t *out);
/* Mask register n (k0 to k7). */
bool arch_mask(const struct arch_thread_regs *t, unsigned n, uint64_t *out);

/* Where the parts lie, by the kernel's own note (NT_X86_XSAVE_LAYOUT, since
 * Linux 6.12). False: it tells of none of them. */
bool arch_xstate_layout(struct view note, struct arch_xstate_layout *out);

/* The extended state that the kernel put on the stack before a handler ran, sp
 * as for arch_sigframe_regs: its address and size. */
bool arch_sigframe_xstate(bt_addr_t sp, arch_read_fn *read, void *ctx,
    bt_addr_t *address, size_t *size);

#endif /* TARGET_ARCH_XSTATE_H */
