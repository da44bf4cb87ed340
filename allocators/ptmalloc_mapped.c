/* SPDX-License-Identifier: MIT */
/*
 * Chunks with a mapping of their own. No list has them, but each begins a page
 * with a size of whole pages and the flag that says so; the allocator counts
 * them, which tells when all were found. The kernel joins neighbouring mappings
 * into one, so one mapping may hold several, and begin with something else.
 *
 * Looking at a page means to read it from the disk. So the likely places come
 * first (where mappings begin, and behind a chunk), then page by page what is
 * left, small mappings before large ones, until as many were found as there
 * are. Stacks of threads, mostly the largest mappings, are left out, and arenas
 * too; what is looked at page by page is limited.
 */
#include <stdlib.h>

#include "allocators/ptmalloc.h"

enum {
	PAGE = 4096,
	PIECES_MAX = 1 << 18,
	PAGES_MAX = 1 << 15, /* that are looked at one by one: 128 MiB */
	/* Of a piece that is read ahead: the more of it was looked at, the more
	 * will be. */
	STREAM_MIN = 64 << 10,
	STREAM = 8 << 20
};

/* Memory that may hold chunks. */
struct piece {
	bt_addr_t start, end;
	bt_addr_t limit; /* chunks may go on up to there */
	bool stack;	 /* some thread's stack pointer is in it */
};

struct search {
	struct ptmalloc *p;
	struct piece *pieces;
	uint32_t n_pieces;
	size_t room;
	struct pt_stack *stacks; /* by their ends */
	uint32_t n_stacks;
	uint64_t *pointers;	/* of stacks, ascending */
	uint64_t enough;	/* chunks */
	uint64_t bytes, wanted; /* in chunks so far, in all; 0: not known */
	uint32_t pages;		/* that may still be looked at */
};

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

/* ---- where chunks may be ---- */

static int
by_end(const void *x, const void *y)
{
	const struct pt_stack *a = x, *b = y;

	return (a->end > b->end) - (a->end < b->end);
}

static int
by_value(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/* Those that may be a coroutine's or a signal handler's, and lie in a chunk,
 * come last; within both kinds the small ones come first. */
static int
by_likelihood(const void *x, const void *y)
{
	const struct piece *a = x, *b = y;
	uint64_t m = a->end - a->start, n = b->end - b->start;

	if (a->stack != b->stack)
		return a->stack ? 1 : -1;
	if (m != n)
		return m < n ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

static bool
gather_stacks(struct search *s)
{

	s->n_stacks = pt_stacks(s->p, &s->stacks);
	if (s->n_stacks == 0)
		return true;
	s->pointers = calloc(s->n_stacks, sizeof(*s->pointers));
	if (s->pointers == NULL)
		return false;
	for (uint32_t i = 0; i < s->n_stacks; i++)
		s->pointers[i] = s->stacks[i].sp;
	qsort(s->pointers, s->n_stacks, sizeof(*s->pointers), by_value);
	qsort(s->stacks, s->n_stacks, sizeof(*s->stacks), by_end);
	return true;
}

static void
add_piece(struct search *s, bt_addr_t start, bt_addr_t end, bt_addr_t limit)
{
	size_t i = array_index(
	    s->pointers, s->n_stacks, sizeof(*s->pointers), start);

	start = (start + PAGE - 1) & ~(bt_addr_t)(PAGE - 1);
	if (start >= end ||
	    !array_grow((void **)&s->pieces, &s->room, s->n_pieces, PIECES_MAX,
		sizeof(*s->pieces)))
		return;
	s->pieces[s->n_pieces++] = (struct piece){.start = start,
	    .end = end,
	    .limit = limit,
	    .stack = i < s->n_stacks && s->pointers[i] < end};
}

/* A mapping without the stacks in it. *next: the first stack that may be. */
static void
add_mapping(struct search *s, bt_addr_t start, bt_addr_t end, bt_addr_t limit,
    uint32_t *next)
{

	while (*next < s->n_stacks && s->stacks[*next].end <= start)
		++*next;
	for (uint32_t i = *next; i < s->n_stacks && start < end; i++) {
		if (s->stacks[i].start >= end)
			break;
		if (s->stacks[i].start > start)
			add_piece(s, start, s->stacks[i].start, limit);
		if (s->stacks[i].end > start)
			start = s->stacks[i].end;
	}
	if (start < end)
		add_piece(s, start, end, limit);
}

static bool
may_hold_chunks(const ptrace_mapping_t *m)
{

	return m->permissions == (PTRACE_PERM_READ | PTRACE_PERM_WRITE) &&
	    m->path == NULL;
}

/* The end of what follows without a gap: the kernel cuts mappings as well. */
static bt_addr_t
end_of_run(struct search *s, bt_addr_t end)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	while (ptrace_target_mapping_next(s->p->host->target, end, &m) &&
	    m.start == end && may_hold_chunks(&m) &&
	    s->p->host->take(s->p->host->ctx, 1))
		end = m.end;
	return end;
}

static void
gather_pieces(struct search *s)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bt_addr_t run_end = 0;
	uint32_t next = 0;

	for (bt_addr_t at = 0;
	     ptrace_target_mapping_next(s->p->host->target, at, &m) &&
	     s->p->host->take(s->p->host->ctx, 1);
	     at = m.end) {
		if (!may_hold_chunks(&m))
			continue;
		if (run_end <= m.start)
			run_end = end_of_run(s, m.end);
		add_mapping(s, m.start, m.end, run_end, &next);
	}
}

/* ---- looking ---- */

static bool
add(struct search *s, const struct pt_mapped *m)
{
	struct ptmalloc *p = s->p;

	if (!array_grow((void **)&p->mapped, &p->mapped_room, p->n_mapped,
		MAPPED_MAX, sizeof(*p->mapped)))
		return false;
	p->mapped[p->n_mapped++] = *m;
	s->bytes += m->lead + m->size;
	return p->n_mapped < s->enough ||
	    (p->n_mapped == s->enough && s->wanted != 0 &&
		s->bytes != s->wanted);
}

/* An arena that begins in the page or holds it. */
static const struct pt_segment *
segment_in(struct ptmalloc *p, bt_addr_t page)
{
	const struct pt_segment *s = pt_segment_at(p, page);

	return s != NULL ? s : pt_segment_at(p, page + PAGE - 1);
}

/* Chunks one behind the other from the start of a piece on; where it starts
 * then is the first page that was seen to hold none. False: enough. */
static bool
look_at_start(struct search *s, struct piece *piece)
{
	struct pt_mapped found;

	while (piece->start < piece->end) {
		const struct pt_segment *arena = segment_in(s->p, piece->start);

		if (arena != NULL) {
			piece->start = (arena->end + PAGE - 1) &
			    ~(bt_addr_t)(PAGE - 1);
			continue;
		}
		if (!s->p->host->take(s->p->host->ctx, 1) ||
		    !chunk_in_page(s->p, piece->start, piece->limit, &found))
			return true;
		piece->start = found.chunk + found.size;
		if (!add(s, &found))
			return false;
	}
	return true;
}

/* Page by page. */
static bool
look_everywhere(struct search *s, struct piece *piece)
{
	bt_addr_t streamed = piece->start;
	uint64_t ahead = STREAM_MIN;

	while (piece->start < piece->end) {
		if (!look_at_start(s, piece))
			return false;
		if (piece->start >= piece->end)
			break;
		if (s->pages == 0 || !s->p->host->take(s->p->host->ctx, 1))
			return false;
		s->pages--;
		piece->start += PAGE;
		if (piece->start < streamed || piece->start >= piece->end)
			continue;
		if (ahead > piece->end - piece->start)
			ahead = piece->end - piece->start;
		ptrace_target_stream(s->p->host->target, piece->start, ahead);
		streamed = piece->start + ahead;
		if (ahead < STREAM)
			ahead *= 2;
	}
	return true;
}

/* One that begins within another is part of its content. */
static void
sort_chunks(struct ptmalloc *p)
{
	uint32_t kept = 0;

	array_sort(p->mapped, p->n_mapped, sizeof(*p->mapped));
	for (uint32_t i = 0; i < p->n_mapped; i++)
		if (kept == 0 ||
		    p->mapped[i].chunk >=
			p->mapped[kept - 1].chunk + p->mapped[kept - 1].size)
			p->mapped[kept++] = p->mapped[i];
	p->n_mapped = kept;
}

static void
look_at_starts(struct search *s)
{
	struct ptmalloc *p = s->p;

	for (uint32_t i = 0; i < s->n_pieces; i++) {
		struct piece *piece = &s->pieces[i];

		/* The last chunk may have ended behind its mapping. */
		if (p->n_mapped != 0) {
			struct pt_mapped *last = &p->mapped[p->n_mapped - 1];

			if (last->chunk + last->size > piece->start)
				piece->start = last->chunk + last->size;
		}
		if (!look_at_start(s, piece))
			return;
		if (piece->start > piece->end)
			piece->start = piece->end;
	}
}

static void
look_at_pages(struct search *s)
{
	bool more = true;

	qsort(s->pieces, s->n_pieces, sizeof(*s->pieces), by_likelihood);
	for (uint32_t i = 0; i < s->n_pieces && more; i++)
		more = look_everywhere(s, &s->pieces[i]);
}

/* counted: what the allocator counts. While threads are at it there may be a
 * few chunks more, for it counts what it has got, and no more what it gives
 * back. */
static void
look(struct search *s, bool has_count, uint32_t counted, uint64_t bytes)
{
	struct ptmalloc *p = s->p;
	uint64_t most = (uint64_t)counted + p->n_busy;
	uint32_t at_starts;

	s->enough = has_count ? most : UINT64_MAX;
	look_at_starts(s);
	if (has_count == false || p->n_mapped >= counted)
		return;
	at_starts = p->n_mapped;
	s->enough = counted;
	s->wanted = p->n_busy == 0 ? bytes : 0;
	look_at_pages(s);
	p->mapped_partial = p->n_mapped < counted && p->n_busy == 0;
	/* A page somewhere looks like a chunk by chance: then none of those
	 * that were found so is believed. */
	if (p->n_mapped > most)
		p->n_mapped = at_starts;
	sort_chunks(p);
}

void
pt_mapped_chunks(struct ptmalloc *p)
{
	struct search s = {.p = p, .pages = PAGES_MAX};
	uint32_t counted = 0;
	uint64_t bytes = 0;
	bool has_count;

	if (p->mapped_known)
		return;
	p->mapped_known = true;
	has_count = pt_mapped_counters(p, &counted, &bytes);
	if (has_count && counted == 0 && p->n_busy == 0)
		return;
	if (gather_stacks(&s)) {
		gather_pieces(&s);
		look(&s, has_count, counted, bytes);
	}
	free(s.pieces);
	free(s.stacks);
	free(s.pointers);
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
