/* SPDX-License-Identifier: MIT */
/*
 * Where the C library has put the stacks of threads. They are often the largest
 * mappings of a process, and nothing of the heap begins in them, so nobody has
 * to read them. A thread's descriptor, to which its thread pointer points, says
 * where its stack lies: three words (start, size, guard) at an offset that
 * depends on the version but is the same for all threads, and of which the
 * first two must enclose the descriptor.
 */
#include <stdlib.h>

#include "allocators/ptmalloc.h"

enum {
	PAGE = 4096,
	DESCRIPTOR_MAX = 4096, /* bytes; it has had 1,792 to 2,368 */
	ABOVE_MAX = 2 * PAGE   /* from the thread pointer to the stack's end */
};

static bool
block_at(struct ptmalloc *p, uint64_t tp, unsigned offset, struct pt_stack *out)
{
	uint64_t start, size, guard;

	if (!memory_u64(&p->memory, tp + offset, &start) || start % PAGE != 0 ||
	    start == 0 || start >= tp ||
	    !memory_u64(&p->memory, tp + offset + 8, &size) ||
	    size % PAGE != 0 || tp - start >= size ||
	    size - (tp - start) > ABOVE_MAX ||
	    !memory_u64(&p->memory, tp + offset + 16, &guard) ||
	    guard % PAGE != 0 || guard >= size)
		return false;
	out->start = start;
	out->end = start + size;
	return true;
}

/* *offset: where it was in the last thread; 0: not known yet. */
static void
find_block(
    struct ptmalloc *p, uint64_t tp, unsigned *offset, struct pt_stack *out)
{

	if (*offset != 0 && block_at(p, tp, *offset, out))
		return;
	/* The main thread has none; another's descriptor may be damaged. */
	for (unsigned at = 8; *offset == 0 && at < DESCRIPTOR_MAX; at += 8) {
		if (!block_at(p, tp, at, out))
			continue;
		*offset = at;
		return;
	}
}

uint32_t
pt_stacks(struct ptmalloc *p, struct pt_stack **out)
{
	uint32_t threads = ptrace_backtrace_n_threads(p->host->backtrace);
	struct pt_stack *stacks = NULL;
	uint32_t n = 0;
	unsigned offset = 0;
	size_t room = 0;

	for (uint32_t i = 0; i < threads; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(
		    p->host->backtrace, i);
		struct pt_stack s = {0};
		uint64_t tp;

		if (t == NULL ||
		    !ptrace_thread_register(t, PTRACE_REGISTER_SP, &s.sp))
			continue;
		if (ptrace_thread_register(
			t, PTRACE_REGISTER_THREAD_POINTER, &tp) &&
		    tp % 8 == 0)
			find_block(p, tp, &offset, &s);
		if (!array_grow((void **)&stacks, &room, n, THREADS_MAX,
			sizeof(*stacks)))
			break;
		stacks[n++] = s;
	}
	*out = stacks;
	return n;
}
