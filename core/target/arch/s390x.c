/* SPDX-License-Identifier: MIT */
/*
 * s390x: threads and registers. s390_regs of
 * arch/s390/include/uapi/asm/ptrace.h: the program status word, general and
 * access registers, and what the second was before a system call.
 */
#include <elf.h>

#include "target/arch/table.h"

static const struct arch_greg gregs[] = {
    ARCH_SHOWN("psw_mask"),
    {"psw_addr", ARCH_PC, 0},
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
    ARCH_SHOWN("r11"),
    ARCH_SHOWN("r12"),
    ARCH_SHOWN("r13"),
    ARCH_SHOWN("r14"),
    {"r15", ARCH_SP, 0},
    {"acr0", ARCH_NO_PLACE, 4},
    {"acr1", ARCH_NO_PLACE, 4},
    {"acr2", ARCH_NO_PLACE, 4},
    {"acr3", ARCH_NO_PLACE, 4},
    {"acr4", ARCH_NO_PLACE, 4},
    {"acr5", ARCH_NO_PLACE, 4},
    {"acr6", ARCH_NO_PLACE, 4},
    {"acr7", ARCH_NO_PLACE, 4},
    {"acr8", ARCH_NO_PLACE, 4},
    {"acr9", ARCH_NO_PLACE, 4},
    {"acr10", ARCH_NO_PLACE, 4},
    {"acr11", ARCH_NO_PLACE, 4},
    {"acr12", ARCH_NO_PLACE, 4},
    {"acr13", ARCH_NO_PLACE, 4},
    {"acr14", ARCH_NO_PLACE, 4},
    {"acr15", ARCH_NO_PLACE, 4},
    ARCH_SHOWN("orig_r2"),
};

const struct arch arch_s390x = {
    .name = "s390x",
    .machine = EM_S390,
    .big_endian = true,
    .gregs = gregs,
    .n_gregs = sizeof(gregs) / sizeof(*gregs),
};
