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

#endif /* ALLOCATORS_OWNER_H */
