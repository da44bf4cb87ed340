/* SPDX-License-Identifier: MIT */
/*
 * One walk over everything: it finds what is wrong, counts, and leaves marks by
 * which single addresses are found afterwards.
 */
#include "allocators/count.h"
#include "allocators/progress.h"
#include "allocators/ptmalloc.h"

static void
count_item(ptrace_heap_statistics_t *out, const struct pt_item *item)
{

	if (item->state == PTRACE_HEAP_UNUSED)
		out->unused_bytes += item->size;
	else if (item->state == PTRACE_HEAP_UNKNOWN)
		out->complete = false;
	else
		count_block(out, item->state, item->size - 8);
}

static void
check_segments(struct ptmalloc *p, ptrace_heap_statistics_t *out)
{
	struct progress progress = {.host = p->host, .all = pt_bytes(p)};

	for (uint32_t i = 0; i < p->n_segments; i++) {
		struct pt_cursor c;
		struct pt_item item;

		pt_cursor_begin(&c, p, &p->segments[i], p->segments[i].start);
		c.report = c.stream = true;
		while (pt_next(&c, &item)) {
			count_item(out, &item);
			if (item.gap == false)
				pt_mark(&p->segments[i], item.chunk);
			progress_block(&progress, item.size);
		}
	}
}

static void
count_mapped(struct ptmalloc *p, ptrace_heap_statistics_t *out)
{

	pt_mapped_chunks(p);
	for (uint32_t i = 0; i < p->n_mapped; i++) {
		uint64_t usable = p->mapped[i].size - CHUNK_HEADER;

		out->mapped_blocks++;
		out->mapped_bytes += usable;
		out->system_bytes += p->mapped[i].size + p->mapped[i].lead;
		if (usable > out->largest_block)
			out->largest_block = usable;
	}
	out->allocated_blocks += out->mapped_blocks;
	out->allocated_bytes += out->mapped_bytes;
}

void
pt_survey(struct ptmalloc *p)
{
	ptrace_heap_statistics_t *out = &p->statistics;

	if (p->surveyed)
		return;
	p->surveyed = true;
	p->hole = false;
	*out = (ptrace_heap_statistics_t)PTRACE_HEAP_STATISTICS_INIT;
	out->version = p->version;
	out->arenas = p->n_arenas;
	out->caches = p->n_caches;
	out->complete = true;
	for (uint32_t i = 0; i < p->n_arenas; i++)
		out->system_bytes += p->arenas[i].system_mem;
	pt_lists(p);
	check_segments(p, out);
	count_mapped(p, out);
	out->largest_unmapped = pt_largest_unmapped(p);
	out->anomalies = p->n_found - p->n_transient;
	out->transient = p->n_transient;
	out->complete = out->complete && p->hole == false &&
	    p->frees_partial == false && p->mapped_partial == false;
}
