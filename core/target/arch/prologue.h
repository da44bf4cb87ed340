/* SPDX-License-Identifier: MIT */
/*
 * Reading instructions instead of unwind tables: where a function without any
 * keeps its return address, and what a call or a linkage stub leads to.
 */
#ifndef TARGET_ARCH_PROLOGUE_H
#define TARGET_ARCH_PROLOGUE_H

#include "target/arch/arch.h"

/* Where a frame's CFA is, and which registers it saved. */
struct arch_layout {
	unsigned cfa_reg;   /* ARCH_SP or ARCH_FP */
	int64_t cfa_offset; /* CFA = value of cfa_reg + cfa_offset */
	uint64_t saved;	    /* bit N: place N is saved at CFA + offset[N] */
	uint64_t changed;   /* bit N: place N was overwritten */
	int32_t offset[ARCH_REGS];
};

enum { ARCH_FUNCTION_MAX = 64 * 1024 }; /* bytes that arch_layout_at reads */

/*
 * The layout when execution is at code + at, code being the function's first
 * byte. The instructions are followed in order; a forward branch carries its
 * state to its target, and behind a return the state is that of the function's
 * body. False when the stack pointer cannot be followed and no frame pointer
 * is set up, or the bytes are no instructions.
 */
bool arch_layout_at(
    const uint8_t *code, size_t size, size_t at, struct arch_layout *out);

/*
 * The layout as the instruction at pc alone tells, for functions whose start is
 * not known: before and after hold the bytes on both sides of pc. True at a
 * function's first instructions (the frame pointer is still the caller's) and
 * at its return.
 */
bool arch_layout_at_edge(const uint8_t *before, size_t n_before,
    const uint8_t *after, size_t n_after, struct arch_layout *out);

/* The layout of a function that keeps a frame pointer, once it is set up. */
void arch_layout_framed(struct arch_layout *out);

enum arch_call {
	ARCH_CALL_NONE,
	ARCH_CALL_DIRECT,  /* *target is the function */
	ARCH_CALL_SLOT,	   /* *target is where the function's address lies */
	ARCH_CALL_INDIRECT /* through a register */
};

/* The call that ends at the return address pc; code_before ends there. */
enum arch_call arch_call_before(
    const uint8_t *code_before, size_t size, bt_addr_t pc, bt_addr_t *target);

/* A linkage stub (PLT entry) or a bare jump at pc: where it goes. NONE when
 * the instructions are something else. */
enum arch_call arch_jump_at(
    const uint8_t *code, size_t size, bt_addr_t pc, bt_addr_t *target);

/*
 * What unwinding asks of an architecture beyond call frame information. The
 * functions above are those of x86-64.
 */
struct arch_unwind {
	uint64_t preserved; /* bit N: callees preserve what is at place N */
	/* Where a function finds its return address; ARCH_NO_PLACE: on the
	 * stack, right below the CFA. */
	uint8_t link;
	/* Bits that a return address may have beside the address. */
	uint64_t signature;
	/* Whether the code is a signal trampoline; and the registers that were
	 * interrupted, sp being the trampoline's. */
	bool (*is_sigtramp)(const uint8_t *code, size_t size);
	bool (*sigframe_regs)(
	    bt_addr_t sp, arch_read_fn *read, void *ctx, struct regs *out);
	bool (*is_after_call)(const uint8_t *code_before, size_t size);
	enum arch_call (*call_before)(const uint8_t *code_before, size_t size,
	    bt_addr_t pc, bt_addr_t *target);
	enum arch_call (*jump_at)(
	    const uint8_t *code, size_t size, bt_addr_t pc, bt_addr_t *target);
	bool (*layout_at)(const uint8_t *code, size_t size, size_t at,
	    struct arch_layout *out);
	bool (*layout_at_edge)(const uint8_t *before, size_t n_before,
	    const uint8_t *after, size_t n_after, struct arch_layout *out);
};

#endif /* TARGET_ARCH_PROLOGUE_H */
