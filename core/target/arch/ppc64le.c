/* SPDX-License-Identifier: MIT */
/*
 * ppc64le: threads and registers. ELF_NGREG words (48) of
 * arch/powerpc/include/uapi/asm/elf.h, which begin as struct pt_regs does; the
 * last four are unused.
 */
#include <elf.h>

#include "target/arch/table.h"

static const struct arch_greg gregs[] = {
    ARCH_SHOWN("r0"),
    {"r1", ARCH_SP, 0},
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
    ARCH_SHOWN("r15"),
    ARCH_SHOWN("r16"),
    ARCH_SHOWN("r17"),
    ARCH_SHOWN("r18"),
    ARCH_SHOWN("r19"),
    ARCH_SHOWN("r20"),
    ARCH_SHOWN("r21"),
    ARCH_SHOWN("r22"),
    ARCH_SHOWN("r23"),
    ARCH_SHOWN("r24"),
    ARCH_SHOWN("r25"),
    ARCH_SHOWN("r26"),
    ARCH_SHOWN("r27"),
    ARCH_SHOWN("r28"),
    ARCH_SHOWN("r29"),
    ARCH_SHOWN("r30"),
    ARCH_SHOWN("r31"),
    {"nip", ARCH_PC, 0},
    ARCH_SHOWN("msr"),
    ARCH_SHOWN("orig_r3"),
    ARCH_SHOWN("ctr"),
    ARCH_SHOWN("lr"),
    ARCH_SHOWN("xer"),
    ARCH_SHOWN("ccr"),
    ARCH_SHOWN("softe"),
    ARCH_SHOWN("trap"),
    ARCH_SHOWN("dar"),
    ARCH_SHOWN("dsisr"),
    ARCH_SHOWN("result"),
    ARCH_SHOWN(NULL),
    ARCH_SHOWN(NULL),
    ARCH_SHOWN(NULL),
    ARCH_SHOWN(NULL),
};

const struct arch arch_ppc64le = {
    .name = "ppc64le",
    .machine = EM_PPC64,
    .gregs = gregs,
    .n_gregs = sizeof(gregs) / sizeof(*gregs),
};
