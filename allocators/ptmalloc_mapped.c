/* SPDX-License-Identifier: MIT */
/*
 * Chunks with a mapping of their own. No list has them, but each begins a page
 * with a size of whole pages and the flag that says so; the allocator counts
 * them, which tells when all were found. The kernel joins neighbouring mappings
 * into one, so one mapping may hold several, and begin with something else.
 */
#include <stdlib.h>

#include "allocators/ptmalloc.h"

enum { PAGE = 4096, PAGES_MAX = 1 << 20 };

/* The chunk in the page: at its start, or, for a larger alignment, behind a
 * lead that the chunk tells of. */
static bool
chunk_in_page(struct ptmalloc *p, bt_addr_t page, bt_addr_t end, bool aligned,
    struct pt_mapped *out)
{
	uint64_t words[2], size;

	for (uint64_t user = CHUNK_HEADER; user <= PAGE; user *= 2) {
		bt_addr_t chunk = page + user - CHUNK_HEADER;

		if (!memory_pair(&p->memory, chunk, words))
			return false;
		size = words[1] & ~(uint64_t)CHUNK_FLAGS;
		if ((words[1] & CHUNK_FLAGS) == CHUNK_MAPPED &&
		    size >= CHUNK_MIN && size <= end - chunk &&
		    words[0] % CHUNK_ALIGN == 0 && words[0] < end &&
		    (chunk - words[0]) % PAGE == 0 &&
		    (words[0] + size) % PAGE == 0 &&
		    (chunk == page) == (words[0] == 0)) {
			*out = (struct pt_mapped){chunk, size};
			return true;
		}
		if (aligned == false)
			return false;
	}
	return false;
}

static bool
add(struct ptmalloc *p, const struct pt_mapped *m)
{

	if (!pt_grow((void **)&p->mapped, &p->mapped_room, p->n_mapped,
		MAPPED_MAX, sizeof(*p->mapped)))
		return false;
	p->mapped[p->n_mapped++] = *m;
	return true;
}

static bool
may_hold_chunks(struct ptmalloc *p, const ptrace_mapping_t *m)
{

	return m->permissions == (PTRACE_PERM_READ | PTRACE_PERM_WRITE) &&
	    m->path == NULL && pt_segment_at(p, m->start) == NULL &&
	    pt_segment_at(p, m->end - 1) == NULL;
}

/* everywhere: at every page, else only from the start of mappings on. */
static void
search(struct ptmalloc *p, bool everywhere)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint32_t pages = 0;

	for (bt_addr_t at = 0;
	     ptrace_target_mapping_next(p->host->target, at, &m); at = m.end) {
		bt_addr_t page = m.start;

		if (!may_hold_chunks(p, &m))
			continue;
		while (page < m.end && pages++ < PAGES_MAX &&
		    p->host->take(p->host->ctx, 1)) {
			struct pt_mapped found;

			if (chunk_in_page(p, page, m.end, everywhere, &found)) {
				if (!add(p, &found))
					return;
				page = found.chunk + found.size;
			} else if (everywhere) {
				page += PAGE;
			} else {
				break;
			}
		}
	}
}

static bool
all_found(struct ptmalloc *p)
{
	uint64_t bytes, sum = 0;
	uint32_t count;

	if (!pt_mapped_counters(p, &count, &bytes))
		return false;
	for (uint32_t i = 0; i < p->n_mapped; i++) {
		uint64_t lead = p->mapped[i].chunk % PAGE;

		sum += p->mapped[i].size + lead;
	}
	return count == p->n_mapped && (sum == bytes || count == 0);
}

void
pt_mapped_chunks(struct ptmalloc *p)
{
	struct pt_mapped *first;
	uint32_t n_first;

	if (p->mapped_known)
		return;
	p->mapped_known = true;
	search(p, false);
	p->mapped_all = all_found(p);
	if (p->mapped_all || p->parameters == 0)
		return;
	/* Pages anywhere look like chunks by chance: believed only if count
	 * and bytes are what the allocator has. */
	first = p->mapped;
	n_first = p->n_mapped;
	p->mapped = NULL;
	p->n_mapped = p->mapped_room = 0;
	search(p, true);
	p->mapped_all = all_found(p);
	if (p->mapped_all) {
		free(first);
		return;
	}
	free(p->mapped);
	p->mapped = first;
	p->n_mapped = n_first;
	p->mapped_room = n_first;
}

const struct pt_mapped *
pt_mapped_at(struct ptmalloc *p, bt_addr_t address)
{
	uint32_t low = 0, high;

	pt_mapped_chunks(p);
	for (high = p->n_mapped; low < high;) {
		uint32_t middle = low + (high - low) / 2;

		if (p->mapped[middle].chunk + p->mapped[middle].size <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->n_mapped && address >= p->mapped[low].chunk
	    ? &p->mapped[low]
	    : NULL;
}
