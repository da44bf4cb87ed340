/* SPDX-License-Identifier: MIT */
/*
 * The arenas and the heaps they consist of. The main arena's heap is what brk
 * gave: it ends with the top chunk, and begins so many bytes below that end as
 * the arena has taken from the system. Other arenas have heaps of their own,
 * aligned to their greatest size (64 MiB), each with a link to the one before.
 */
#include <stdlib.h>

#include "allocators/ptmalloc.h"

enum { /* struct heap_info */
	HEAP_ARENA = 0,
	HEAP_PREVIOUS = 8,
	HEAP_SIZE = 16
};

enum {
	FLAG_NONCONTIGUOUS = 2,
	PAGE = 4096,
	BRK_SEARCH = 1 << 20,
	SMALL_HEAP = 1 << 20
};

int
pt_arena_index(const struct ptmalloc *p, bt_addr_t address)
{

	for (uint32_t i = 0; i < p->n_arenas; i++)
		if (p->arenas[i].address == address)
			return (int)i;
	return -1;
}

struct pt_segment *
pt_segment_at(struct ptmalloc *p, bt_addr_t address)
{
	uint32_t low = 0, high = p->n_segments;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (p->segments[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->n_segments && address >= p->segments[low].start
	    ? &p->segments[low]
	    : NULL;
}

uint64_t
pt_bytes(const struct ptmalloc *p)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < p->n_segments; i++)
		all += p->segments[i].end - p->segments[i].start;
	return all;
}

bool
pt_plausible(const struct ptmalloc *p, const struct pt_segment *s,
    bt_addr_t chunk, uint64_t head)
{
	uint64_t size = head & ~(uint64_t)CHUNK_FLAGS;

	return size >= CHUNK_MIN && size % CHUNK_ALIGN == 0 &&
	    size <= s->end - chunk && (head & CHUNK_MAPPED) == 0 &&
	    ((head & CHUNK_NON_MAIN) == 0 || !p->arenas[s->arena].main);
}

static void
add_segment(struct ptmalloc *p, bt_addr_t start, bt_addr_t end, uint32_t arena)
{
	struct pt_segment *s;

	if (start >= end || start % CHUNK_ALIGN != 0 ||
	    !array_grow((void **)&p->segments, &p->segments_room, p->n_segments,
		SEGMENTS_MAX, sizeof(*s)))
		return;
	s = &p->segments[p->n_segments++];
	memset(s, 0, sizeof(*s));
	s->start = start;
	s->end = end;
	s->arena = arena;
}

/* Before they are sorted. */
static bool
is_in_segment(const struct ptmalloc *p, bt_addr_t address)
{

	for (uint32_t i = 0; i < p->n_segments; i++)
		if (address >= p->segments[i].start &&
		    address < p->segments[i].end)
			return true;
	return false;
}

/* ---- the main arena ---- */

/* Headers that follow one another for a while, or up to the end. */
static bool
chain_begins(struct ptmalloc *p, bt_addr_t start, bt_addr_t end, bt_addr_t top)
{
	struct pt_segment s = {.start = start, .end = end};

	for (unsigned i = 0; i < 8 && start < end && start != top; i++) {
		uint64_t words[2];

		if (!memory_pair(&p->memory, start, words) ||
		    !pt_plausible(p, &s, start, words[1]))
			return false;
		start += words[1] & ~(uint64_t)CHUNK_FLAGS;
	}
	return start <= end;
}

/* One area may be several mappings: what a child makes after fork is not joined
 * to what it inherited, and a core may cut one into several. */
static bool
continues(const ptrace_mapping_t *m, const ptrace_mapping_t *next)
{

	return next->permissions == m->permissions &&
	    (next->path == NULL || next->path[0] == '[');
}

static void
extend_up(struct ptmalloc *p, ptrace_mapping_t *m, bt_addr_t end)
{
	ptrace_mapping_t next = PTRACE_MAPPING_INIT;

	while (m->end < end &&
	    ptrace_target_mapping(p->host->target, m->end, &next) &&
	    next.start == m->end && continues(m, &next))
		m->end = next.end;
}

static void
extend_down(struct ptmalloc *p, ptrace_mapping_t *m, bt_addr_t start)
{
	ptrace_mapping_t below = PTRACE_MAPPING_INIT;

	while (m->start > start &&
	    ptrace_target_mapping_below(
		p->host->target, m->start - 1, &below) &&
	    below.end == m->start && continues(m, &below))
		m->start = below.start;
}

/* As its size says. */
static bt_addr_t
top_end(struct ptmalloc *p, bt_addr_t top)
{
	uint64_t words[2], size;

	if (!memory_pair(&p->memory, top, words))
		return top;
	size = words[1] & ~(uint64_t)CHUNK_FLAGS;
	return size <= UINT64_MAX - top ? top + size : top;
}

/* The end of the top chunk; that of the mapping when its size is damaged. */
static bt_addr_t
main_end(
    struct ptmalloc *p, const struct pt_arena *a, const ptrace_mapping_t *m)
{
	uint64_t words[2], size;

	if (!memory_pair(&p->memory, a->top, words))
		return m->end;
	size = words[1] & ~(uint64_t)CHUNK_FLAGS;
	if ((words[1] & CHUNK_FLAGS) == CHUNK_PREV_IN_USE &&
	    size >= CHUNK_HEADER && size <= m->end - a->top &&
	    (a->top + size) % PAGE == 0)
		return a->top + size;
	pt_report(p,
	    &(struct pt_wrong){.check = PTRACE_HEAP_CHECK_TOP,
		.address = a->top + 8,
		.chunk = a->top,
		.has_values = true,
		.expected = (m->end - a->top) | CHUNK_PREV_IN_USE,
		.found = words[1],
		.cache = -1,
		.what = "size of the arena's rest"});
	return m->end;
}

/* A word of mp_ that is an address in the heap is sbrk_base. */
static bool
brk_base(struct ptmalloc *p, const ptrace_mapping_t *m, bt_addr_t *out)
{

	for (unsigned i = 64; p->parameters != 0 && i < 112; i += 8) {
		uint64_t v;

		if (memory_u64(&p->memory, p->parameters + i, &v) &&
		    v >= m->start && v < m->end) {
			*out = (v + CHUNK_ALIGN - 1) & ~(bt_addr_t)15;
			return true;
		}
	}
	return false;
}

/* Chunks up to the pair of fences at the end of what was once the end of the
 * heap. */
static bool
fenced_run(struct ptmalloc *p, bt_addr_t start, bt_addr_t limit, bt_addr_t *end)
{
	struct pt_segment s = {.start = start, .end = limit};
	bt_addr_t at = start;

	while (at < limit && p->host->take(p->host->ctx, 1)) {
		uint64_t words[4];

		if (!memory_pair(&p->memory, at, words))
			return false;
		if ((words[1] & ~(uint64_t)CHUNK_FLAGS) == CHUNK_HEADER) {
			*end = at + 2 * CHUNK_HEADER;
			return at > start && *end <= limit &&
			    memory_pair(
				&p->memory, at + CHUNK_HEADER, words + 2) &&
			    (words[3] & ~(uint64_t)CHUNK_FLAGS) == CHUNK_HEADER;
		}
		if (!pt_plausible(p, &s, at, words[1]))
			return false;
		at += words[1] & ~(uint64_t)CHUNK_FLAGS;
	}
	return false;
}

/* When brk fails, the heap goes on in mappings of 1 MiB and more, each of which
 * ends with fences; the kernel puts new ones below the last. */
static void
add_parts(struct ptmalloc *p, uint32_t index, bt_addr_t from)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bt_addr_t end;

	while (ptrace_target_mapping(p->host->target, from, &m) &&
	    fenced_run(p, from, m.end, &end)) {
		add_segment(p, from, end, index);
		from = (end + PAGE - 1) & ~(bt_addr_t)(PAGE - 1);
	}
	p->hole = true; /* there may be others elsewhere */
}

static void
add_main_parts(struct ptmalloc *p, uint32_t index, bt_addr_t end)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	add_parts(p, index, end);
	/* Where it began. */
	for (unsigned i = 64; p->parameters != 0 && i < 112; i += 8) {
		uint64_t v;

		if (memory_u64(&p->memory, p->parameters + i, &v) &&
		    v >> 16 != 0 &&
		    ptrace_target_mapping(p->host->target, v, &m) &&
		    is_in_segment(p, v) == false) {
			add_parts(
			    p, index, (v + CHUNK_ALIGN - 1) & ~(bt_addr_t)15);
			return;
		}
	}
}

static void
add_main(struct ptmalloc *p, uint32_t index)
{
	struct pt_arena *a = &p->arenas[index];
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bt_addr_t end, candidates[4];
	unsigned n = 0;

	if (a->top == 0 || a->top % CHUNK_ALIGN != 0 ||
	    !ptrace_target_mapping(p->host->target, a->top, &m))
		return;
	extend_up(p, &m, top_end(p, a->top));
	end = main_end(p, a, &m);
	/* Lists of free chunks lead from page to page of it: of a small heap
	 * that is not in the page cache all are got at once. */
	if (end > m.start && end - m.start <= SMALL_HEAP)
		ptrace_target_stream(p->host->target, m.start, end - m.start);
	if (a->contiguous == false)
		add_main_parts(p, index, end);
	extend_down(p, &m, a->system_mem < end ? end - a->system_mem : 0);
	if (brk_base(p, &m, &candidates[n]))
		n++;
	if (a->contiguous && a->system_mem <= end - m.start &&
	    a->system_mem >= end - a->top)
		candidates[n++] = end - a->system_mem;
	candidates[n++] = m.start;
	for (unsigned i = 0; i < n; i++)
		if (candidates[i] <= a->top &&
		    chain_begins(p, candidates[i], end, a->top)) {
			add_segment(p, candidates[i], end, index);
			return;
		}
	/* The first chunk is damaged. */
	add_segment(
	    p, candidates[0] <= a->top ? candidates[0] : m.start, end, index);
}

/* ---- other arenas ---- */

static bool
is_heap_of(struct ptmalloc *p, bt_addr_t heap, bt_addr_t arena)
{
	uint64_t owner;

	return memory_u64(&p->memory, heap + HEAP_ARENA, &owner) &&
	    owner == arena;
}

/* The heap that holds a chunk. Its alignment is 64 MiB unless the program asks
 * for huge pages. */
static bool
heap_of(struct ptmalloc *p, bt_addr_t chunk, bt_addr_t arena, bt_addr_t *heap)
{
	const unsigned usual = 26;

	*heap = chunk >> usual << usual;
	if (is_heap_of(p, *heap, arena))
		return true;
	for (unsigned shift = 20; shift <= 36; shift++) {
		*heap = chunk >> shift << shift;
		if (is_heap_of(p, *heap, arena))
			return true;
	}
	return false;
}

static bt_addr_t
first_chunk(const struct ptmalloc *p, bt_addr_t heap, bt_addr_t arena)
{
	bt_addr_t start = heap + p->layout.heap_info;

	if (arena == start)
		start += p->layout.state_size;
	return (start + CHUNK_ALIGN - 1) & ~(bt_addr_t)(CHUNK_ALIGN - 1);
}

static void
add_other(struct ptmalloc *p, uint32_t index)
{
	struct pt_arena *a = &p->arenas[index];
	bt_addr_t heap;

	if (!heap_of(p, a->top, a->address, &heap)) {
		pt_report(p,
		    &(struct pt_wrong){.check = PTRACE_HEAP_CHECK_TOP,
			.address = a->address + p->layout.top,
			.has_values = false,
			.arena = (int)index,
			.cache = -1,
			.what = "an arena's rest lies in none of its heaps"});
		heap = a->address - p->layout.heap_info;
	}
	for (unsigned i = 0; i < SEGMENTS_MAX && heap != 0; i++) {
		ptrace_mapping_t m = PTRACE_MAPPING_INIT;
		bt_addr_t start = first_chunk(p, heap, a->address);
		uint64_t size, previous;

		if (!p->host->take(p->host->ctx, 1) ||
		    !is_heap_of(p, heap, a->address) ||
		    !memory_u64(&p->memory, heap + HEAP_SIZE, &size) ||
		    !memory_u64(&p->memory, heap + HEAP_PREVIOUS, &previous) ||
		    !ptrace_target_mapping(p->host->target, heap, &m))
			break;
		if (size <= (uint64_t)1 << 36)
			extend_up(p, &m, heap + size);
		if (size % PAGE != 0 || size > m.end - heap || size < PAGE)
			size = m.end - heap;
		add_segment(p, start, heap + size, index);
		/* Heaps are made one after the other, but lie anywhere. */
		if (previous == heap)
			break;
		heap = previous;
	}
}

/* ---- all of them ---- */

static bool
read_arena(struct ptmalloc *p, bt_addr_t address, struct pt_arena *a)
{
	const struct pt_layout *l = &p->layout;
	uint32_t words[2];

	memset(a, 0, sizeof(*a));
	a->address = address;
	a->main = address == p->main_arena;
	if (!memory_u32(&p->memory, address, &words[0]) ||
	    !memory_u32(&p->memory, address + 4, &words[1]) ||
	    !memory_u64(&p->memory, address + l->top, &a->top) ||
	    !memory_u64(&p->memory, address + l->system_mem, &a->system_mem))
		return false;
	a->locked = words[0] != 0;
	a->contiguous = a->main && (words[1] & FLAG_NONCONTIGUOUS) == 0;
	/* A new arena's rest is its first list head, which has size 0. */
	if (a->top == address + l->bins - 16)
		a->top = 0;
	return true;
}

static int
by_start(const void *x, const void *y)
{
	const struct pt_segment *a = x, *b = y;

	return (a->start > b->start) - (a->start < b->start);
}

/* Two heaps cannot share bytes: the second one's link is damaged. */
static void
sort_segments(struct ptmalloc *p)
{
	uint32_t kept = 0;

	if (p->n_segments > 1)
		qsort(
		    p->segments, p->n_segments, sizeof(*p->segments), by_start);
	for (uint32_t i = 0; i < p->n_segments; i++)
		if (kept == 0 ||
		    p->segments[i].start >= p->segments[kept - 1].end)
			p->segments[kept++] = p->segments[i];
	p->n_segments = kept;
}

bool
pt_arenas(struct ptmalloc *p)
{
	bt_addr_t at = p->main_arena;
	size_t room = 0;

	do {
		if (!array_grow((void **)&p->arenas, &room, p->n_arenas,
			ARENAS_MAX, sizeof(*p->arenas)) ||
		    !read_arena(p, at, &p->arenas[p->n_arenas]) ||
		    !memory_u64(&p->memory, at + p->layout.next, &at))
			break;
		p->n_arenas++;
	} while (at != p->main_arena && pt_arena_index(p, at) < 0);
	for (uint32_t i = 0; i < p->n_arenas; i++) {
		if (p->arenas[i].main)
			add_main(p, i);
		else if (p->arenas[i].top != 0)
			add_other(p, i);
	}
	sort_segments(p);
	return p->n_arenas != 0;
}
