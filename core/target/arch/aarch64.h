/* SPDX-License-Identifier: MIT */
/*
 * Instructions of aarch64, as far as unwinding looks at any (Arm Architecture
 * Reference Manual for A-profile, chapter C4). All have four bytes.
 */
#ifndef TARGET_ARCH_AARCH64_H
#define TARGET_ARCH_AARCH64_H

#include "target/arch/prologue.h"

enum { AARCH64_LINK = 30 }; /* x30, and its place */

/* As the members of struct arch_unwind. */
bool aarch64_is_after_call(const uint8_t *code_before, size_t size);
enum arch_call aarch64_call_before(
    const uint8_t *code_before, size_t size, bt_addr_t pc, bt_addr_t *target);
enum arch_call aarch64_jump_at(
    const uint8_t *code, size_t size, bt_addr_t pc, bt_addr_t *target);
bool aarch64_layout_at(
    const uint8_t *code, size_t size, size_t at, struct arch_layout *out);
bool aarch64_layout_at_edge(const uint8_t *before, size_t n_before,
    const uint8_t *after, size_t n_after, struct arch_layout *out);

#endif /* TARGET_ARCH_AARCH64_H */
