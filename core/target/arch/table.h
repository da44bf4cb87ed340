/* SPDX-License-Identifier: MIT */
/*
 * What the files of the table of architectures share, and x86-64's own
 * functions, for it alone is read by hand.
 */
#ifndef TARGET_ARCH_TABLE_H
#define TARGET_ARCH_TABLE_H

#include "target/arch/arch.h"

/* A register that is shown and has no part in unwinding. */
/* clang-format off */
#define ARCH_SHOWN(name) {(name), ARCH_NO_PLACE, 0}
/* clang-format on */

/* As the arch_ functions of the same names. */
bool x86_64_reg_list(const struct arch_thread_regs *r, unsigned i,
    const char **name, uint64_t *value);
size_t x86_64_reg_bytes(const struct arch_thread_regs *thread,
    const struct regs *regs, bool innermost, unsigned number, uint8_t *out,
    size_t size);
bool x86_64_thread_pointer(
    const struct arch_thread_regs *thread, bt_addr_t *out);

#endif /* TARGET_ARCH_TABLE_H */
