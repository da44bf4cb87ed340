/* SPDX-License-Identifier: MIT */
/*
 * Who holds a block: the variables that point to it, in the frames of the
 * thread that crashed, in static storage, and in the frames of other threads;
 * and the part of the allocator it belongs to.
 */
#ifndef MODULES_HOLDER_H
#define MODULES_HOLDER_H

#include <ptrace/heap.h>

#include "crash.h"

/* Notes for the evidence of r: one holder of each kind. thread may be NULL. */
void holder_note(ptrace_backtrace_t *bt, ptrace_thread_t *thread,
    const ptrace_heap_block_t *b, struct report *r);

#endif /* MODULES_HOLDER_H */
