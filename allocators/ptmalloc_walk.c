/* SPDX-License-Identifier: MIT */
/*
 * From chunk to chunk, along with the sorted lists; and over damage. A header
 * that no chunk can have ends the certain part: the walk goes on where headers
 * follow each other again, at the latest at the next chunk that a list knows,
 * and what lies between is a gap of unknown state.
 */
#include "allocators/ptmalloc.h"

enum {
	CHAIN_MIN = 8,
	FENCE = 16,
	STREAM = 8 << 20,
	LINE = 64,
	AHEAD = 1536,	 /* bytes: further than one access takes to come */
	AHEAD_MAX = 2048 /* of a large block most lines are not needed */
};

static uint64_t
size_of(uint64_t head)
{

	return head & ~(uint64_t)CHUNK_FLAGS;
}

void
pt_cursor_begin(struct pt_cursor *c, struct ptmalloc *p,
    const struct pt_segment *s, bt_addr_t at)
{
	size_t low = 0, high = p->n_frees;

	memset(c, 0, sizeof(*c));
	c->p = p;
	c->segment = s;
	c->at = at;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (PT_FREE_CHUNK(p->frees[middle]) < at)
			low = middle + 1;
		else
			high = middle;
	}
	c->free = low;
}

static void
report(struct pt_cursor *c, uint32_t check, bt_addr_t address, bt_addr_t chunk,
    uint64_t expected, uint64_t found, const char *what)
{
	const struct pt_item *last = c->has_last ? &c->last : NULL;
	struct pt_wrong w = {.check = check,
	    .address = address,
	    .chunk = chunk,
	    .has_values = expected != found,
	    .expected = expected,
	    .found = found,
	    .arena = (int)c->segment->arena,
	    .cache = -1,
	    .what = what};

	if (c->report == false)
		return;
	if (last != NULL && last->chunk != chunk && last->gap == false)
		w.before = last->chunk;
	else if (last != NULL && last->chunk == chunk && c->has_before)
		w.before = c->before;
	if (last != NULL && last->list == PT_TCACHE && chunk == last->chunk)
		w.cache = (int)last->owner;
	pt_report(c->p, &w);
}

/* ---- over damage ---- */

static bool
is_fence(const struct pt_segment *s, bt_addr_t at, uint64_t head)
{
	uint64_t size = size_of(head);

	return (size == FENCE || size == 0) && s->end - at <= 2 * FENCE;
}

/* Headers follow each other from here: several, or up to a chunk that is
 * known. */
static bool
chain_holds(const struct pt_cursor *c, bt_addr_t at, bt_addr_t known)
{
	const struct pt_segment *s = c->segment;

	for (unsigned i = 0; i < CHAIN_MIN && at < known; i++) {
		uint64_t words[2];

		if (!memory_pair(&c->p->memory, at, words))
			return false;
		if (!pt_plausible(c->p, s, at, words[1]))
			return is_fence(s, at, words[1]);
		at += size_of(words[1]);
	}
	return at <= known;
}

/* The next chunk that something else than headers tells of. */
static bt_addr_t
next_known(const struct pt_cursor *c, bt_addr_t behind)
{
	const struct ptmalloc *p = c->p;
	const struct pt_arena *a = &p->arenas[c->segment->arena];
	bt_addr_t known = c->segment->end;
	size_t i = c->free;

	while (i < p->n_frees && PT_FREE_CHUNK(p->frees[i]) <= behind)
		i++;
	if (i < p->n_frees && PT_FREE_CHUNK(p->frees[i]) < known)
		known = PT_FREE_CHUNK(p->frees[i]);
	if (a->top > behind && a->top < known)
		known = a->top;
	return known;
}

static bt_addr_t
resynchronise(const struct pt_cursor *c, bt_addr_t bad)
{
	struct ptmalloc *p = c->p;
	bt_addr_t known = next_known(c, bad);

	for (bt_addr_t at = bad + CHUNK_ALIGN; at < known; at += CHUNK_ALIGN) {
		uint64_t words[2];

		if (!p->host->take(p->host->ctx, 1)) {
			p->hole = true;
			return known;
		}
		if (!memory_pair(&p->memory, at, words)) {
			p->hole = true;
			return known;
		}
		if (pt_plausible(p, c->segment, at, words[1]) &&
		    chain_holds(c, at, known))
			return at;
	}
	return known;
}

static void
fill_gap(struct pt_cursor *c, struct pt_item *out)
{

	out->gap = true;
	out->state = PTRACE_HEAP_UNKNOWN;
	out->size = resynchronise(c, c->at) - c->at;
}

/* ---- one chunk ---- */

static bool
in_bins(const struct pt_item *i)
{

	return i->list == PT_UNSORTED || i->list == PT_SMALL ||
	    i->list == PT_LARGE;
}

/* What the header says of the chunk before, against what is known of it. */
static void
check_before(struct pt_cursor *c, bt_addr_t chunk, const uint64_t words[2])
{
	const struct pt_item *last = &c->last;
	bool free_before = (words[1] & CHUNK_PREV_IN_USE) == 0;

	c->suspect = false;
	if (c->has_last == false || last->gap)
		return;
	if (free_before == false && in_bins(last)) {
		c->suspect = true;
		report(c, PTRACE_HEAP_CHECK_IN_USE, chunk + 8, chunk,
		    words[1] & ~UINT64_C(1), words[1],
		    "the block before is free; the size word");
	} else if (free_before && in_bins(last) == false &&
	    c->p->frees_partial == false) {
		c->suspect = true;
		report(c, PTRACE_HEAP_CHECK_IN_USE, chunk + 8, chunk,
		    words[1] | CHUNK_PREV_IN_USE, words[1],
		    "the block before is in no list of free ones; the size "
		    "word");
	} else if (free_before && words[0] != last->size) {
		report(c, PTRACE_HEAP_CHECK_PREV_SIZE, chunk, chunk, last->size,
		    words[0], "size of the free block before");
	}
}

/* The lists' word on a chunk. */
static void
look_up(struct pt_cursor *c, struct pt_item *out)
{
	const struct ptmalloc *p = c->p;

	while (c->free < p->n_frees &&
	    PT_FREE_CHUNK(p->frees[c->free]) < out->chunk)
		c->free++;
	for (; c->free < p->n_frees &&
	     PT_FREE_CHUNK(p->frees[c->free]) == out->chunk;
	     c->free++) {
		pt_free f = p->frees[c->free];

		if (out->list != 0) {
			struct pt_wrong w = {.check = PTRACE_HEAP_CHECK_TWICE,
			    .address = out->chunk + CHUNK_HEADER,
			    .chunk = out->chunk,
			    .arena = (int)c->segment->arena,
			    .cache = out->list == PT_TCACHE ? (int)out->owner
							    : -1,
			    .what = "a block is free in two places"};

			if (c->report)
				pt_report(c->p, &w);
			continue;
		}
		out->list = PT_FREE_LIST(f);
		out->owner = PT_FREE_OWNER(f);
	}
}

/* A list knows a chunk that would lie within this one: one of them is wrong.
 * True: it is this one. */
static bool
overlaps(struct pt_cursor *c, const struct pt_item *item, bt_addr_t *inner)
{
	struct ptmalloc *p = c->p;
	bt_addr_t next = item->chunk + item->size;
	uint64_t words[2];

	if (c->free >= p->n_frees)
		return false;
	*inner = PT_FREE_CHUNK(p->frees[c->free]);
	if (*inner >= next)
		return false;
	/* Whose successors are chunks? */
	if (!memory_pair(&p->memory, next, words) ||
	    !pt_plausible(p, c->segment, next, words[1]) ||
	    !chain_holds(c, next, c->segment->end))
		return memory_pair(&p->memory, *inner, words) &&
		    pt_plausible(p, c->segment, *inner, words[1]);
	for (; c->free < p->n_frees && *inner < next; c->free++) {
		pt_free f = p->frees[c->free];
		struct pt_wrong w = {.check = PTRACE_HEAP_CHECK_FOREIGN,
		    .address = PT_FREE_CHUNK(f) + CHUNK_HEADER,
		    .chunk = item->chunk,
		    .arena = (int)c->segment->arena,
		    .cache = PT_FREE_LIST(f) == PT_TCACHE
			? (int)PT_FREE_OWNER(f)
			: -1,
		    .what = "a list of free blocks leads into a block"};

		*inner = PT_FREE_CHUNK(f);
		if (*inner < next && c->report)
			pt_report(p, &w);
		if (*inner >= next)
			break;
	}
	return false;
}

/* In no list: the next chunk's flag decides, if that is one. */
static void
decide_state(struct pt_cursor *c, struct pt_item *out)
{
	struct ptmalloc *p = c->p;
	bt_addr_t next = out->chunk + out->size;
	uint64_t words[2];

	if (out->list == PT_TCACHE) {
		out->state = PTRACE_HEAP_CACHED;
	} else if (out->list != 0) {
		out->state = PTRACE_HEAP_FREE;
	} else {
		out->state = PTRACE_HEAP_ALLOCATED;
		if (p->frees_partial && next < c->segment->end &&
		    memory_pair(&p->memory, next, words) &&
		    (words[1] & CHUNK_PREV_IN_USE) == 0 &&
		    pt_plausible(p, c->segment, next, words[1]) &&
		    words[0] == out->size)
			out->state = PTRACE_HEAP_FREE;
	}
	for (uint32_t i = 0;
	     out->size == p->layout.tcache_chunk && i < p->n_caches; i++)
		if (p->caches[i].address == out->chunk + CHUNK_HEADER)
			out->state = PTRACE_HEAP_METADATA;
}

static void
fill_top(struct pt_cursor *c, struct pt_item *out, const uint64_t words[2])
{

	check_before(c, out->chunk, words);
	out->size = c->segment->end - out->chunk;
	out->state = PTRACE_HEAP_UNUSED;
	if (size_of(words[1]) != out->size &&
	    c->p->arenas[c->segment->arena].main == false)
		report(c, PTRACE_HEAP_CHECK_TOP, out->chunk + 8, out->chunk,
		    out->size | CHUNK_PREV_IN_USE, words[1],
		    "size of the arena's rest");
}

/* Where the last chunk should have ended, if headers that follow each other
 * begin within it: then its size is wrong, and not what lies where it led. */
static bool
end_within(const struct pt_cursor *c, bt_addr_t *end)
{
	const uint64_t far = 64 << 10;
	struct ptmalloc *p = c->p;
	bt_addr_t limit = c->at;

	if (limit - c->last.chunk > far)
		limit = c->last.chunk + far;
	for (bt_addr_t at = c->last.chunk + CHUNK_MIN; at < limit;
	     at += CHUNK_ALIGN) {
		uint64_t words[2];

		if (!p->host->take(p->host->ctx, 1) ||
		    !memory_pair(&p->memory, at, words))
			return false;
		if ((words[1] & CHUNK_PREV_IN_USE) == 0 ||
		    !pt_plausible(p, c->segment, at, words[1]) ||
		    !chain_holds(c, at, next_known(c, c->at)))
			continue;
		*end = at;
		return true;
	}
	return false;
}

/* A header that no chunk has. When the one before contradicted what precedes
 * it, that one's size led here and is what is wrong. */
static void
report_bad(struct pt_cursor *c, const uint64_t words[2])
{
	bt_addr_t end;

	if (c->has_last && c->last.gap == false && c->last.list == 0 &&
	    end_within(c, &end)) {
		report(c, PTRACE_HEAP_CHECK_SIZE, c->last.chunk + 8,
		    c->last.chunk,
		    (end - c->last.chunk) | (c->last.head & CHUNK_FLAGS),
		    c->last.head, "size of a block");
		return;
	}

	if (c->has_last && c->suspect && c->last.gap == false)
		report(c, PTRACE_HEAP_CHECK_SIZE, c->last.chunk + 8,
		    c->last.chunk, c->last.head, c->last.head,
		    "the size leads to no block; the size word");
	else
		report(c, PTRACE_HEAP_CHECK_SIZE, c->at + 8, c->at, 0, words[1],
		    "size of a block");
}

static void
fill(struct pt_cursor *c, struct pt_item *out, const uint64_t words[2])
{
	struct ptmalloc *p = c->p;
	const struct pt_arena *a = &p->arenas[c->segment->arena];
	bt_addr_t inner;

	out->head = words[1];
	out->size = size_of(words[1]);
	if (c->at == a->top) {
		fill_top(c, out, words);
		return;
	}
	if (is_fence(c->segment, c->at, words[1])) {
		out->size = c->segment->end - c->at;
		out->state = PTRACE_HEAP_METADATA;
		return;
	}
	/* Foreign calls of brk leave a hole behind a pair of fences. */
	if (a->main && out->size == FENCE) {
		fill_gap(c, out);
		out->state = PTRACE_HEAP_METADATA;
		return;
	}
	if (!pt_plausible(p, c->segment, c->at, words[1]) ||
	    (a->top > c->at && a->top < c->at + out->size)) {
		report_bad(c, words);
		fill_gap(c, out);
		return;
	}
	check_before(c, c->at, words);
	look_up(c, out);
	if (overlaps(c, out, &inner)) {
		report(c, PTRACE_HEAP_CHECK_OVERLAP, c->at + 8, c->at,
		    inner - c->at, out->size,
		    "a free block lies within; the size");
		out->gap = true;
		out->state = PTRACE_HEAP_UNKNOWN;
		out->size = inner - c->at;
		return;
	}
	decide_state(c, out);
	/* The mark of its arena goes only while a chunk is in a bin. */
	if (a->main == false && (words[1] & CHUNK_NON_MAIN) == 0 &&
	    in_bins(out) == false && out->state != PTRACE_HEAP_FREE)
		report(c, PTRACE_HEAP_CHECK_SIZE, c->at + 8, c->at,
		    words[1] | CHUNK_NON_MAIN, words[1],
		    "the arena's mark is gone; the size word");
}

/* Where the next header is, is in the last one, so the walk would wait for each
 * of them (of 6.6 million in 4.3 GB, 2.2 s; with this 1.0 s). Which lines hold
 * headers is not known yet: all are fetched. */
static void
fetch_ahead(const struct pt_cursor *c, uint64_t size)
{

	for (uint64_t i = 0; i < size && i < AHEAD_MAX; i += LINE)
		memory_soon(&c->p->memory, c->at + AHEAD + i);
}

bool
pt_next(struct pt_cursor *c, struct pt_item *out)
{
	struct ptmalloc *p = c->p;
	uint64_t words[2] = {0, 0};

	if (c->at >= c->segment->end)
		return false;
	if (!p->host->take(p->host->ctx, 1)) {
		p->hole = true;
		return false;
	}
	if (c->stream && c->at >= c->streamed) {
		/* Of a thread's arena mostly the first hundred KiB are used,
		 * and what lies behind is no heap. */
		c->streamed = c->segment->end - c->at > STREAM
		    ? c->at + STREAM
		    : c->segment->end;
		ptrace_target_stream(
		    p->host->target, c->at, c->streamed - c->at);
	}
	*out = (struct pt_item){.chunk = c->at};
	if (memory_pair(&p->memory, c->at, words)) {
		fill(c, out, words);
	} else {
		/* Not in the core: no damage, but nothing is known. */
		p->hole = true;
		out->gap = true;
		out->state = PTRACE_HEAP_UNKNOWN;
		out->size = next_known(c, c->at) - c->at;
	}
	c->has_before = c->has_last && c->last.gap == false;
	c->before = c->last.chunk;
	c->last = *out;
	c->has_last = true;
	c->at += out->size;
	fetch_ahead(c, out->size);
	return true;
}
