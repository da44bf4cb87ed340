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

/* A header of such a chunk, `lead` bytes into its mapping. */
static bool
is_mapped(struct ptmalloc *p, bt_addr_t chunk, bt_addr_t end, uint64_t lead,
    uint64_t *size)
{
	uint64_t words[2];

	if (!memory_pair(&p->memory, chunk, words))
		return false;
	*size = words[1] & ~(uint64_t)CHUNK_FLAGS;
	return (words[1] & CHUNK_FLAGS) == CHUNK_MAPPED && words[0] == lead &&
	    *size >= CHUNK_MIN && *size <= end - chunk &&
	    (lead + *size) % PAGE == 0;
}

/* The chunk that begins with the page. For a larger alignment a second header
 * lies further up, and tells how far; the first one stays as it was, even if
 * the chunk is made smaller later. */
static bool
chunk_in_page(
    struct ptmalloc *p, bt_addr_t page, bt_addr_t end, struct pt_mapped *out)
{
	uint64_t whole, size;
	bool plain;

	if (!is_mapped(p, page, UINT64_MAX, 0, &whole) || whole > end)
		return false;
	plain = whole <= end - page;
	if (plain)
		*out = (struct pt_mapped){page, whole, 0};
	for (uint64_t align = 32; align < whole; align *= 2) {
		bt_addr_t user = (page + CHUNK_HEADER + align - 1) &
		    ~(align - 1);

		/* There is room for a chunk in front, or none. */
		if (user - CHUNK_HEADER - page < CHUNK_MIN)
			user += align;
		for (unsigned i = 0; i < 2; i++, user += align) {
			uint64_t lead = user - CHUNK_HEADER - page;

			if (lead >= whole ||
			    !is_mapped(p, page + lead, end, lead, &size) ||
			    lead + size > whole)
				continue;
			*out = (struct pt_mapped){page + lead, size, lead};
			return true;
		}
	}
	return plain;
}

static bool
add(struct ptmalloc *p, const struct pt_mapped *m)
{

	if (!array_grow((void **)&p->mapped, &p->mapped_room, p->n_mapped,
		MAPPED_MAX, sizeof(*p->mapped)))
		return false;
	p->mapped[p->n_mapped++] = *m;
	return true;
}

static bool
may_hold_chunks(const ptrace_mapping_t *m)
{

	return m->permissions == (PTRACE_PERM_READ | PTRACE_PERM_WRITE) &&
	    m->path == NULL;
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

		if (!may_hold_chunks(&m))
			continue;
		while (page < m.end && pages++ < PAGES_MAX &&
		    p->host->take(p->host->ctx, 1)) {
			const struct pt_segment *s = pt_segment_at(p, page);
			struct pt_mapped found;

			if (s != NULL) {
				page = (s->end + PAGE - 1) & ~(bt_addr_t)4095;
				continue;
			}
			if (chunk_in_page(p, page, m.end, &found)) {
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

/* No more than the allocator counts; while threads are at it there may be a few
 * more, for it counts what it has got, and no more what it gives back. */
static bool
is_credible(const struct ptmalloc *p, uint32_t count)
{

	return p->n_mapped <= count + p->n_busy;
}

void
pt_mapped_chunks(struct ptmalloc *p)
{
	struct pt_mapped *first;
	uint32_t n_first, counted;
	uint64_t bytes;

	if (p->mapped_known)
		return;
	p->mapped_known = true;
	search(p, false);
	if (!pt_mapped_counters(p, &counted, &bytes) || p->n_mapped >= counted)
		return;
	/* A page somewhere looks like a chunk by chance: not believed if there
	 * are more than there can be. */
	first = p->mapped;
	n_first = p->n_mapped;
	p->mapped = NULL;
	p->n_mapped = p->mapped_room = 0;
	search(p, true);
	if (is_credible(p, counted)) {
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
