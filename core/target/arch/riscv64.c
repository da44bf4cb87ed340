/* SPDX-License-Identifier: MIT */
/*
 * riscv64: threads and registers. struct user_regs_struct of
 * arch/riscv/include/uapi/asm/ptrace.h.
 */
#include <elf.h>

#include "target/arch/table.h"

static const struct arch_greg gregs[] = {
    {"pc", ARCH_PC, 0},
    ARCH_SHOWN("ra"),
    {"sp", ARCH_SP, 0},
    ARCH_SHOWN("gp"),
    ARCH_SHOWN("tp"),
    ARCH_SHOWN("t0"),
    ARCH_SHOWN("t1"),
    ARCH_SHOWN("t2"),
    {"s0", ARCH_FP, 0},
    ARCH_SHOWN("s1"),
    ARCH_SHOWN("a0"),
    ARCH_SHOWN("a1"),
    ARCH_SHOWN("a2"),
    ARCH_SHOWN("a3"),
    ARCH_SHOWN("a4"),
    ARCH_SHOWN("a5"),
    ARCH_SHOWN("a6"),
    ARCH_SHOWN("a7"),
    ARCH_SHOWN("s2"),
    ARCH_SHOWN("s3"),
    ARCH_SHOWN("s4"),
    ARCH_SHOWN("s5"),
    ARCH_SHOWN("s6"),
    ARCH_SHOWN("s7"),
    ARCH_SHOWN("s8"),
    ARCH_SHOWN("s9"),
    ARCH_SHOWN("s10"),
    ARCH_SHOWN("s11"),
    ARCH_SHOWN("t3"),
    ARCH_SHOWN("t4"),
    ARCH_SHOWN("t5"),
    ARCH_SHOWN("t6"),
};

const struct arch arch_riscv64 = {
    .name = "riscv64",
    .machine = EM_RISCV,
    .gregs = gregs,
    .n_gregs = sizeof(gregs) / sizeof(*gregs),
};
