/* SPDX-License-Identifier: MIT */
/*
 * x86-64 as the table has it. Its registers are read in regs.c and xstate.c,
 * its signal frames in frames.c, its instructions in prologue.c and insn.c.
 */
#include <elf.h>

#include "target/arch/prologue.h"

/* .preserved: as arch_callee_saved. */
static const struct arch_unwind unwind = {
    .preserved = UINT64_C(1) << 3 | UINT64_C(1) << 6 | UINT64_C(1) << 7 |
	UINT64_C(0xf) << 12,
    .link = ARCH_NO_PLACE,
    .is_sigtramp = arch_is_sigtramp,
    .sigframe_regs = arch_sigframe_regs,
    .is_after_call = arch_is_after_call,
    .call_before = arch_call_before,
    .jump_at = arch_jump_at,
    .layout_at = arch_layout_at,
    .layout_at_edge = arch_layout_at_edge,
};

const struct arch arch_x86_64 = {
    .name = "x86_64",
    .machine = EM_X86_64,
    .unwind = &unwind,
};
