/* SPDX-License-Identifier: MIT */
/* Blocks into the statistics, alike in all allocators. */
#ifndef ALLOCATORS_COUNT_H
#define ALLOCATORS_COUNT_H

#include <ptrace/heap.h>

static inline void
count_block(ptrace_heap_statistics_t *s, uint32_t state, uint64_t usable)
{
	switch (state) {
	case PTRACE_HEAP_ALLOCATED:
		s->allocated_blocks++;
		s->allocated_bytes += usable;
		if (usable > s->largest_block)
			s->largest_block = usable;
		break;
	case PTRACE_HEAP_FREE:
	case PTRACE_HEAP_PURGED:
		s->free_blocks++;
		s->free_bytes += usable;
		break;
	case PTRACE_HEAP_CACHED:
		s->cached_blocks++;
		s->cached_bytes += usable;
		break;
	default:
		break;
	}
}

#endif /* ALLOCATORS_COUNT_H */
