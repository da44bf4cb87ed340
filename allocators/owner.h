/* SPDX-License-Identifier: MIT */
/*
 * Whose malloc the process calls: of all modules that define it, the first in
 * the linker's order.
 */
#ifndef ALLOCATORS_OWNER_H
#define ALLOCATORS_OWNER_H

#include <ptrace/heap.h>

/* Whether calls of malloc end up in the module. */
bool owner_is(ptrace_target_t *target, const ptrace_module_t *module);

/* Whether the program may have been linked with a C library statically: one
 * that names a dynamic linker was not. True when nobody can tell. */
bool owner_may_hold_libc(ptrace_target_t *t, const ptrace_module_t *program);

#endif /* ALLOCATORS_OWNER_H */
