/* SPDX-License-Identifier: MIT */
/* Says how far a walk over all blocks has come. */
#ifndef ALLOCATORS_PROGRESS_H
#define ALLOCATORS_PROGRESS_H

#include <ptrace/heap.h>

enum { PROGRESS_EVERY = 4096 /* blocks */ };

struct progress {
	const ptrace_heap_host_t *host;
	uint64_t blocks, done, all; /* bytes; 0: not known */
};

static inline void
progress_block(struct progress *p, uint64_t bytes)
{

	p->done += bytes;
	if (++p->blocks % PROGRESS_EVERY == 0)
		p->host->progress(p->host->ctx, p->blocks, p->done, p->all);
}

#endif /* ALLOCATORS_PROGRESS_H */
