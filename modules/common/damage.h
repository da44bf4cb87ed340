/* SPDX-License-Identifier: MIT */
/*
 * Damage to the heap, explained: what was written, from where to where, and so
 * by a write of which kind.
 */
#ifndef MODULES_DAMAGE_H
#define MODULES_DAMAGE_H

#include <ptrace/heap.h>

#include "crash.h"

/* Something is wrong (true), or looks so because the heap was being changed
 * (only *transient). Walks the heap once a run. */
bool damage_any(ptrace_target_t *t, bool *transient);
/* There is damage to the block or to one of its neighbours' headers. */
bool damage_near(ptrace_target_t *t, const ptrace_heap_block_t *block);

/* Explains the anomaly that says most, of those near a block if there are such
 * (block may be NULL): class, confidence, text, evidence and tokens of r; its
 * thread and frame are not touched. False: there is no damage. */
bool damage_explain(
    ptrace_backtrace_t *bt, const ptrace_heap_block_t *block, struct report *r);

/* The same for one anomaly of an allocator without headers like glibc's; false:
 * it is as with any allocator. */
bool damage_explain_foreign(
    ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a, struct report *r);

/* "the block of 24 bytes at 0x... (in use)" */
const char *damage_block_text(
    ptrace_backtrace_t *bt, const ptrace_heap_block_t *b);
/* A line on a variable whose type is larger than the block that it points to
 * the start of; NULL: it fits, or its type is not known. */
const char *damage_too_small(ptrace_backtrace_t *bt, ptrace_frame_t *f,
    const ptrace_variable_info_t *info, const ptrace_heap_block_t *b);

#endif /* MODULES_DAMAGE_H */
