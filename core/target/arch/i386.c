/* SPDX-License-Identifier: MIT */
/*
 * i386: threads and registers. struct user_regs_struct of
 * arch/x86/include/asm/user_32.h, which a 64-bit kernel writes as well.
 */
#include <elf.h>

#include "target/arch/table.h"

static const struct arch_greg gregs[] = {
    ARCH_SHOWN("ebx"),
    ARCH_SHOWN("ecx"),
    ARCH_SHOWN("edx"),
    ARCH_SHOWN("esi"),
    ARCH_SHOWN("edi"),
    {"ebp", ARCH_FP, 0},
    ARCH_SHOWN("eax"),
    ARCH_SHOWN("ds"),
    ARCH_SHOWN("es"),
    ARCH_SHOWN("fs"),
    ARCH_SHOWN("gs"),
    ARCH_SHOWN("orig_eax"),
    {"eip", ARCH_PC, 0},
    ARCH_SHOWN("cs"),
    ARCH_SHOWN("eflags"),
    {"esp", ARCH_SP, 0},
    ARCH_SHOWN("ss"),
};

const struct arch arch_i386 = {
    .name = "i386",
    .machine = EM_386,
    .narrow = true,
    .gregs = gregs,
    .n_gregs = sizeof(gregs) / sizeof(*gregs),
};
