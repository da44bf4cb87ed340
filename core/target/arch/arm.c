/* SPDX-License-Identifier: MIT */
/*
 * 32-bit ARM: threads and registers. struct pt_regs of
 * arch/arm/include/uapi/asm/ptrace.h.
 */
#include <elf.h>

#include "target/arch/table.h"

static const struct arch_greg gregs[] = {
    ARCH_SHOWN("r0"),
    ARCH_SHOWN("r1"),
    ARCH_SHOWN("r2"),
    ARCH_SHOWN("r3"),
    ARCH_SHOWN("r4"),
    ARCH_SHOWN("r5"),
    ARCH_SHOWN("r6"),
    ARCH_SHOWN("r7"),
    ARCH_SHOWN("r8"),
    ARCH_SHOWN("r9"),
    ARCH_SHOWN("r10"),
    {"fp", ARCH_FP, 0},
    ARCH_SHOWN("ip"),
    {"sp", ARCH_SP, 0},
    ARCH_SHOWN("lr"),
    {"pc", ARCH_PC, 0},
    ARCH_SHOWN("cpsr"),
    ARCH_SHOWN("orig_r0"),
};

const struct arch arch_arm = {
    .name = "arm",
    .machine = EM_ARM,
    .narrow = true,
    .gregs = gregs,
    .n_gregs = sizeof(gregs) / sizeof(*gregs),
};
