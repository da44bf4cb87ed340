/* SPDX-License-Identifier: MIT */
/*
 * All lists of free chunks: caches, fastbins, bins. They are followed once;
 * what a node or a link shows to be wrong is reported, and a list that breaks
 * is followed from its other end where it has one.
 */
#include <stdlib.h>

#include "allocators/ptmalloc.h"

enum { FREES_MAX = 8 << 20, CACHE_LIST_MAX = 65535, SMALL_BINS = 64 };

uint64_t
pt_unmangle(const struct ptmalloc *p, bt_addr_t address, uint64_t word)
{

	return p->layout.mangled ? word ^ address >> 12 : word;
}

static bool
add_free(struct ptmalloc *p, bt_addr_t chunk, enum pt_list list, uint32_t owner)
{

	if (p->n_frees == p->frees_room) {
		size_t room = p->frees_room < 1024 ? 1024 : p->frees_room * 2;
		pt_free *grown = p->n_frees < FREES_MAX
		    ? realloc(p->frees, room * sizeof(*grown))
		    : NULL;

		if (grown == NULL) {
			p->frees_partial = p->hole = true;
			return false;
		}
		p->frees = grown;
		p->frees_room = room;
	}
	p->frees[p->n_frees++] = chunk >> 4 << 20 | (uint64_t)list << 16 |
	    (owner < 0xffff ? owner : 0xffff);
	return true;
}

/* ---- single links: caches and fastbins ---- */

struct single {
	enum pt_list list;
	uint32_t owner;
	int arena, cache; /* whose, -1: none */
	bt_addr_t head;	  /* the word that holds the first link */
	uint64_t size;	  /* of the chunks */
	uint64_t max;	  /* nodes */
	/* From a chunk to what links point to. */
	uint64_t to_link;
};

/* The main arena's heap may have parts that were not found, when brk failed. */
static bool
may_be_elsewhere(struct ptmalloc *p, int arena, uint64_t chunk)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bool scattered = false;

	for (uint32_t i = 0; i < p->n_arenas; i++)
		if (p->arenas[i].main && p->arenas[i].contiguous == false)
			scattered = arena < 0 || (uint32_t)arena == i;
	if (scattered == false || chunk % CHUNK_ALIGN != 0 ||
	    !ptrace_target_mapping(p->host->target, chunk, &m) ||
	    m.permissions != (PTRACE_PERM_READ | PTRACE_PERM_WRITE) ||
	    (m.path != NULL && m.path[0] == '/'))
		return false;
	p->frees_partial = p->hole = true;
	return true;
}

/* A link that leads to no chunk: the word that holds it was overwritten, or
 * something was freed that is none. */
static void
report_link(struct ptmalloc *p, const struct single *s, bt_addr_t word,
    bt_addr_t from, uint64_t target)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bool foreign;

	if (may_be_elsewhere(p, s->arena, target - s->to_link))
		return;
	foreign = target % CHUNK_ALIGN == 0 &&
	    ptrace_target_mapping(p->host->target, target, &m);

	pt_report(p,
	    &(struct pt_wrong){.check = foreign ? PTRACE_HEAP_CHECK_FOREIGN
						: PTRACE_HEAP_CHECK_LINK,
		.address = word,
		.chunk = from,
		.has_values = false,
		.found = target,
		.arena = s->arena,
		.cache = s->cache,
		.what = p->host->text(p->host->ctx,
		    "the link of a %s block leads to 0x%" PRIx64
		    ", which is no block",
		    s->list == PT_TCACHE ? "cached" : "fastbin", target)});
	p->frees_partial = true;
}

static void
check_single(struct ptmalloc *p, const struct single *s, bt_addr_t chunk,
    const struct pt_segment *in)
{
	uint64_t words[2];

	if (!memory_pair(&p->memory, chunk, words))
		return;
	/* A header that no chunk can have is for the walk to report. */
	if (!pt_plausible(p, in, chunk, words[1]) ||
	    (words[1] & ~(uint64_t)CHUNK_FLAGS) == s->size)
		return;
	pt_report(p,
	    &(struct pt_wrong){.check = PTRACE_HEAP_CHECK_BIN,
		.address = chunk + 8,
		.chunk = chunk,
		.has_values = true,
		.expected = s->size,
		.found = words[1] & ~(uint64_t)CHUNK_FLAGS,
		.arena = s->arena,
		.cache = s->cache,
		.what = "size of a block in a list of equal ones"});
}

/* Returns how many nodes were followed. */
static uint64_t
follow_single(struct ptmalloc *p, const struct single *s)
{
	bt_addr_t word = s->head, from = 0, mark = 0;
	uint64_t link, n = 0, next_mark = 1;

	if (!memory_u64(&p->memory, word, &link))
		return 0;
	for (; link != 0 && n < s->max; n++) {
		bt_addr_t chunk = link - s->to_link;
		const struct pt_segment *in = pt_segment_at(p, chunk);

		if (!p->host->take(p->host->ctx, 1)) {
			p->frees_partial = p->hole = true;
			break;
		}
		if (chunk % CHUNK_ALIGN != 0 || in == NULL ||
		    (s->arena >= 0 && in->arena != (uint32_t)s->arena)) {
			report_link(p, s, word, from, link);
			break;
		}
		/* Brent: a circle comes back to a node that was marked. */
		if (chunk == mark) {
			pt_report(p,
			    &(struct pt_wrong){.check = PTRACE_HEAP_CHECK_TWICE,
				.address = chunk + CHUNK_HEADER,
				.chunk = chunk,
				.arena = s->arena,
				.cache = s->cache,
				.what = "a list of free blocks runs in a "
					"circle"});
			break;
		}
		if (n + 1 == next_mark) {
			mark = chunk;
			next_mark *= 2;
		}
		check_single(p, s, chunk, in);
		if (!add_free(p, chunk, s->list, s->owner))
			break;
		from = chunk;
		word = chunk + CHUNK_HEADER;
		if (!memory_u64(&p->memory, word, &link)) {
			p->hole = true;
			break;
		}
		link = pt_unmangle(p, word, link);
	}
	return n;
}

/* ---- caches ---- */

static bool
cache_count(
    struct ptmalloc *p, const struct pt_cache *c, unsigned i, uint32_t *out)
{
	unsigned width = p->layout.tcache_count;
	uint32_t word;

	if (!memory_u32(
		&p->memory, (c->address + width * i) & ~UINT64_C(3), &word))
		return false;
	*out = word >> 8 * (width * i % 4) & (width == 1 ? 0xff : 0xffff);
	return true;
}

static void
read_cache(struct ptmalloc *p, uint32_t index)
{
	const struct pt_cache *c = &p->caches[index];

	for (unsigned i = 0; i < TCACHE_BINS; i++) {
		struct single s = {.list = PT_TCACHE,
		    .owner = index,
		    .arena = -1,
		    .cache = (int)index,
		    .head = c->address + p->layout.tcache_entries + 8 * i,
		    .size = CHUNK_MIN + CHUNK_ALIGN * i,
		    .max = CACHE_LIST_MAX,
		    .to_link = CHUNK_HEADER};
		uint32_t anomalies = p->n_anomalies, count;
		uint64_t n = follow_single(p, &s);

		/* A list that breaks is too short for that alone. */
		if (!cache_count(p, c, i, &count) || n == count ||
		    anomalies != p->n_anomalies)
			continue;
		pt_report(p,
		    &(struct pt_wrong){.check = PTRACE_HEAP_CHECK_COUNT,
			.address = c->address + p->layout.tcache_count * i,
			.chunk = c->address - CHUNK_HEADER,
			.has_values = true,
			.expected = n,
			.found = count,
			.arena = -1,
			.cache = (int)index,
			.what = "count of a cache's list"});
	}
}

/* ---- the mark in cached chunks ---- */

/* The number that most cached chunks carry, if libc's data has it as well. */
static void
find_key(struct ptmalloc *p)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t candidate = 0, votes = 0, value;
	bt_addr_t at = p->module.start, found;

	for (size_t i = 0; i < p->n_frees; i++) {
		if (PT_FREE_LIST(p->frees[i]) != PT_TCACHE ||
		    !memory_u64(
			&p->memory, PT_FREE_CHUNK(p->frees[i]) + 24, &value))
			continue;
		if (votes == 0)
			candidate = value;
		votes += value == candidate ? 1 : UINT64_MAX;
	}
	if (candidate == 0)
		return;
	for (; p->key == 0 &&
	     ptrace_target_mapping_next(p->host->target, at, &m) &&
	     m.start < p->module.end;
	     at = m.end)
		if ((m.permissions & PTRACE_PERM_WRITE) != 0 &&
		    ptrace_target_find_word(p->host->target, m.start, m.end,
			candidate, candidate, &found, &value))
			p->key = candidate;
}

static void
check_keys(struct ptmalloc *p)
{

	if (p->layout.tcache_keyed == false)
		return;
	if (p->layout.tcache_key_is_address == false) {
		find_key(p);
		if (p->key == 0)
			return;
	}
	for (size_t i = 0; i < p->n_frees; i++) {
		bt_addr_t chunk = PT_FREE_CHUNK(p->frees[i]);
		uint32_t owner = PT_FREE_OWNER(p->frees[i]);
		uint64_t value, expected = p->key;

		if (PT_FREE_LIST(p->frees[i]) != PT_TCACHE)
			continue;
		if (p->layout.tcache_key_is_address)
			expected = p->caches[owner].address;
		if (!memory_u64(&p->memory, chunk + 24, &value) ||
		    value == expected)
			continue;
		pt_report(p,
		    &(struct pt_wrong){.check = PTRACE_HEAP_CHECK_KEY,
			.address = chunk + 24,
			.chunk = chunk,
			.has_values = true,
			.expected = expected,
			.found = value,
			.arena = -1,
			.cache = (int)owner,
			.what = "mark of a cached block"});
	}
}

/* ---- bins: double links ---- */

static unsigned
bin_of(uint64_t size)
{

	if (size < 1024)
		return (unsigned)(size >> 4);
	if (size >> 6 <= 48)
		return 48 + (unsigned)(size >> 6);
	if (size >> 9 <= 20)
		return 91 + (unsigned)(size >> 9);
	if (size >> 12 <= 10)
		return 110 + (unsigned)(size >> 12);
	if (size >> 15 <= 4)
		return 119 + (unsigned)(size >> 15);
	if (size >> 18 <= 2)
		return 124 + (unsigned)(size >> 18);
	return 126;
}

struct twin {
	struct ptmalloc *p;
	uint32_t arena;
	unsigned bin; /* 1: unsorted */
	bt_addr_t head;
	enum pt_list list;
};

static bool
is_node(const struct twin *b, bt_addr_t chunk)
{
	const struct pt_segment *s = pt_segment_at(b->p, chunk);

	return chunk % CHUNK_ALIGN == 0 && s != NULL && s->arena == b->arena;
}

static void
report_node(const struct twin *b, uint32_t check, bt_addr_t address,
    bt_addr_t chunk, uint64_t expected, uint64_t found, const char *what)
{

	pt_report(b->p,
	    &(struct pt_wrong){.check = check,
		.address = address,
		.chunk = chunk == b->head ? 0 : chunk,
		.has_values = true,
		.expected = expected,
		.found = found,
		.arena = (int)b->arena,
		.cache = -1,
		.what = what});
}

/* Sizes in large bins fall, and the first of each size is in a second list. */
static void
check_large(const struct twin *b, bt_addr_t chunk)
{
	struct memory *m = &b->p->memory;
	uint64_t links[2], back;

	if (!memory_pair(m, chunk + 32, links) || links[0] == 0)
		return;
	if (!is_node(b, links[0])) {
		report_node(b, PTRACE_HEAP_CHECK_LINK, chunk + 32, chunk, 0,
		    links[0], "link to the next size of a free block");
		return;
	}
	if (memory_u64(m, links[0] + 40, &back) && back != chunk)
		report_node(b, PTRACE_HEAP_CHECK_LINK, links[0] + 40, links[0],
		    chunk, back, "link to the size before of a free block");
	if (!is_node(b, links[1]))
		report_node(b, PTRACE_HEAP_CHECK_LINK, chunk + 40, chunk, 0,
		    links[1], "link to the size before of a free block");
}

static void
check_node(const struct twin *b, bt_addr_t chunk)
{
	const struct pt_segment *s = pt_segment_at(b->p, chunk);
	uint64_t words[2], size;

	if (b->bin == 1 || !memory_pair(&b->p->memory, chunk, words) ||
	    !pt_plausible(b->p, s, chunk, words[1]))
		return;
	size = words[1] & ~(uint64_t)CHUNK_FLAGS;
	if (bin_of(size) != b->bin)
		pt_report(b->p,
		    &(struct pt_wrong){.check = PTRACE_HEAP_CHECK_BIN,
			.address = chunk + 8,
			.chunk = chunk,
			.found = size,
			.arena = (int)b->arena,
			.cache = -1,
			.what = "a free block lies in a bin of another size"});
	else if (b->list == PT_LARGE)
		check_large(b, chunk);
}

/* From the head along one of the two links (offset 16: forward, 24: back) up to
 * the head, or `until`. Returns the last good node; the head when it came
 * round. */
static bt_addr_t
follow_twin(const struct twin *b, unsigned along, bt_addr_t until)
{
	struct ptmalloc *p = b->p;
	unsigned against = along == 16 ? 24 : 16;
	bt_addr_t at = b->head, mark = 0;
	uint64_t n = 0, next_mark = 1;

	for (;;) {
		uint64_t next, back;

		if (!memory_u64(&p->memory, at + along, &next))
			return at;
		if (next != b->head && !is_node(b, next)) {
			/* The other way round it was reported already. */
			if (until == 0 &&
			    !may_be_elsewhere(b->p, (int)b->arena, next))
				report_node(b, PTRACE_HEAP_CHECK_LINK,
				    at + along, at, 0, next,
				    "link of a free block");
			return at;
		}
		if (memory_u64(&p->memory, next + against, &back) &&
		    back != at && until == 0)
			report_node(b, PTRACE_HEAP_CHECK_LINK, next + against,
			    next, at, back, "back link of a free block");
		if (next == b->head || next == until || next == mark)
			return next;
		if (++n == next_mark) {
			mark = next;
			next_mark *= 2;
		}
		if (!p->host->take(p->host->ctx, 1)) {
			p->frees_partial = p->hole = true;
			return b->head;
		}
		check_node(b, next);
		if (!add_free(p, next, b->list, b->arena))
			return b->head;
		at = next;
	}
}

static void
read_bins(struct ptmalloc *p, uint32_t arena)
{
	const struct pt_arena *a = &p->arenas[arena];

	for (unsigned i = 1; i <= BINS; i++) {
		struct twin b = {.p = p,
		    .arena = arena,
		    .bin = i,
		    .head = a->address + p->layout.bins + 16 * (i - 1) - 16,
		    .list = i == 1	 ? PT_UNSORTED
			: i < SMALL_BINS ? PT_SMALL
					 : PT_LARGE};
		bt_addr_t last = follow_twin(&b, 16, 0);

		if (last == b.head)
			continue;
		if (follow_twin(&b, 24, last) != last)
			p->frees_partial = true;
	}
}

static void
read_fastbins(struct ptmalloc *p, uint32_t arena)
{
	const struct pt_arena *a = &p->arenas[arena];

	for (unsigned i = 0; i < FASTBINS; i++) {
		struct single s = {.list = PT_FAST,
		    .owner = arena,
		    .arena = (int)arena,
		    .cache = -1,
		    .head = a->address + p->layout.fastbins + 8 * i,
		    .size = CHUNK_MIN + CHUNK_ALIGN * i,
		    .max = FREES_MAX,
		    .to_link = 0};

		(void)follow_single(p, &s);
	}
}

/* ---- all of them ---- */

static int
compare(const void *x, const void *y)
{
	pt_free a = *(const pt_free *)x, b = *(const pt_free *)y;

	return (a > b) - (a < b);
}

/* By bytes, the lowest first, for what qsort takes long for. */
static bool
sort_long(struct ptmalloc *p)
{
	pt_free *other = malloc(p->n_frees * sizeof(*other));
	pt_free *from = p->frees, *to = other;

	if (other == NULL)
		return false;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t starts[256] = {0}, sum = 0;

		for (size_t i = 0; i < p->n_frees; i++)
			starts[from[i] >> shift & 255]++;
		for (unsigned i = 0; i < 256; i++) {
			size_t n = starts[i];

			starts[i] = sum;
			sum += n;
		}
		for (size_t i = 0; i < p->n_frees; i++)
			to[starts[from[i] >> shift & 255]++] = from[i];
		pt_free *swap = from;
		from = to;
		to = swap;
	}
	free(other); /* eight turns: the result is where it began */
	return true;
}

void
pt_lists(struct ptmalloc *p)
{
	const size_t many = 20000;

	if (p->frees_known)
		return;
	p->frees_known = true;
	for (uint32_t i = 0; i < p->n_caches; i++)
		read_cache(p, i);
	check_keys(p);
	for (uint32_t i = 0; i < p->n_arenas; i++) {
		read_fastbins(p, i);
		read_bins(p, i);
	}
	if (p->n_frees < many || sort_long(p) == false)
		if (p->n_frees > 1)
			qsort(p->frees, p->n_frees, sizeof(*p->frees), compare);
}
