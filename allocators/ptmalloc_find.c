/* SPDX-License-Identifier: MIT */
/*
 * Where main_arena is. No symbol table has it, but nothing looks like it: 127
 * pairs of list heads, most of which point to themselves, and a link that leads
 * through all arenas of the process and back. Debian's libc has one hit in its
 * data; so has every program that is linked statically.
 */
#include "allocators/ptmalloc.h"

enum {
	DATA_MAX = 64 << 20, /* of a module */
	HEADS_MIN = 120,     /* that must look like heads of lists */
	EMPTY_MIN = 8	     /* of these empty */
};

/* A head of a list: empty, or with members at both ends. */
static bool
count_heads(struct ptmalloc *p, bt_addr_t arena, const struct pt_layout *l)
{
	unsigned good = 0, empty = 0;

	for (unsigned i = 0; i < BINS; i++) {
		bt_addr_t head = arena + l->bins + 16 * i;
		uint64_t links[2];

		if (!memory_pair(&p->memory, head, links))
			return false;
		if (links[0] == head - 16 && links[1] == head - 16) {
			empty++;
			good++;
		} else if (links[0] != 0 && links[1] != 0 &&
		    links[0] != head - 16 && links[1] != head - 16 &&
		    links[0] % CHUNK_ALIGN == 0) {
			good++;
		} else if (i - good > BINS - HEADS_MIN) {
			return false;
		}
	}
	return good >= HEADS_MIN && empty >= EMPTY_MIN;
}

/* Other arenas begin behind the header of a heap, which is aligned to 1 MiB
 * and more. */
static bool
may_be_next(const struct pt_layout *l, bt_addr_t arena, uint64_t next)
{

	return next == arena || (next != 0 && next % (1 << 20) == l->heap_info);
}

static bool
ring_closes(struct ptmalloc *p, bt_addr_t arena, const struct pt_layout *l)
{
	bt_addr_t at = arena;

	for (unsigned i = 0; i < ARENAS_MAX; i++) {
		if (!memory_u64(&p->memory, at + l->next, &at))
			return false;
		if (at == arena)
			return true;
		if (!may_be_next(l, arena, at))
			return false;
	}
	return false;
}

static bool
is_arena(struct ptmalloc *p, bt_addr_t arena, const struct pt_layout *l)
{
	uint64_t next, top;

	return memory_u64(&p->memory, arena + l->next, &next) &&
	    may_be_next(l, arena, next) &&
	    memory_u64(&p->memory, arena + l->top, &top) && top != 0 &&
	    count_heads(p, arena, l) && ring_closes(p, arena, l);
}

struct range {
	bt_addr_t start, end;
	const struct pt_layout *only;
};

static const struct pt_layout *
layout_at(const struct range *r, size_t i)
{

	if (r->only != NULL)
		return i == 0 ? r->only : NULL;
	return pt_layout_at(i);
}

static bool
try_at(struct ptmalloc *p, bt_addr_t link, const struct range *r)
{
	const struct pt_layout *l;

	for (size_t i = 0; (l = layout_at(r, i)) != NULL; i++) {
		bt_addr_t arena = link - l->next;

		if (link - r->start < l->next ||
		    r->end - arena < l->state_size || !is_arena(p, arena, l))
			continue;
		p->main_arena = arena;
		p->layout = *l;
		return true;
	}
	return false;
}

/* Looks for the link to the next arena: it points back by the size of what
 * lies in front of it, or to where other arenas begin. */
static bool
find_in(struct ptmalloc *p, struct range r)
{

	if (r.end - r.start > DATA_MAX)
		r.end = r.start + DATA_MAX;
	r.start = (r.start + 7) & ~UINT64_C(7);
	for (bt_addr_t a = r.start; a + 8 <= r.end; a += 8) {
		uint64_t v;

		if (!memory_u64(&p->memory, a, &v)) {
			a = (a & ~UINT64_C(4095)) + 4096 - 8;
			continue;
		}
		if (v == 0 || (a - v > UINT16_MAX && v % (1 << 20) > UINT8_MAX))
			continue;
		if (try_at(p, a, &r))
			return true;
	}
	return false;
}

bool
pt_fits(struct ptmalloc *p, const struct pt_layout *l)
{

	return l->next == p->layout.next && is_arena(p, p->main_arena, l);
}

bool
pt_find(struct ptmalloc *p, const struct pt_layout *only)
{
	const uint32_t data = PTRACE_PERM_READ | PTRACE_PERM_WRITE;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	/* The data of a module may be several mappings in a row. */
	for (bt_addr_t at = p->module.start;
	     ptrace_target_mapping_next(p->host->target, at, &m) &&
	     m.start < p->module.end;) {
		bt_addr_t start = m.start, end = m.end;

		at = m.end;
		if (m.permissions != data)
			continue;
		while (ptrace_target_mapping_next(p->host->target, at, &m) &&
		    m.start == end && m.start < p->module.end &&
		    m.permissions == data)
			at = end = m.end;
		if (find_in(p, (struct range){start, end, only}))
			return true;
	}
	return false;
}

/* ---- mp_ ---- */

/* arena_test is 8 and n_mmaps_max 65,536 unless the program changed them; the
 * thresholds are set by the allocator itself. */
static bool
is_parameters(struct ptmalloc *p, bt_addr_t at)
{
	const uint64_t arena_test = 8, limit = UINT64_C(1) << 40;
	uint64_t trim, pad, threshold, test;
	uint32_t mmaps_max;

	return memory_u64(&p->memory, at + 24, &test) && test == arena_test &&
	    memory_u64(&p->memory, at, &trim) && trim != 0 && trim < limit &&
	    memory_u64(&p->memory, at + 8, &pad) && pad < limit &&
	    memory_u64(&p->memory, at + 16, &threshold) && threshold < limit &&
	    memory_u32(&p->memory, at + p->layout.mmaps + 4, &mmaps_max) &&
	    mmaps_max == 65536;
}

void
pt_find_parameters(struct ptmalloc *p)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bt_addr_t from, to;

	/* In .data, as main_arena is. */
	if (!ptrace_target_mapping(p->host->target, p->main_arena, &m))
		return;
	from = p->main_arena - m.start > DATA_MAX ? p->main_arena - DATA_MAX
						  : m.start;
	to = m.end - p->main_arena > DATA_MAX ? p->main_arena + DATA_MAX
					      : m.end;
	for (bt_addr_t at = from; at + 128 <= to; at += 8) {
		if (!is_parameters(p, at))
			continue;
		p->parameters = at;
		return;
	}
}

bool
pt_mapped_counters(struct ptmalloc *p, uint32_t *count, uint64_t *bytes)
{

	return p->parameters != 0 &&
	    memory_u32(&p->memory, p->parameters + p->layout.mmaps, count) &&
	    memory_u64(
		&p->memory, p->parameters + p->layout.mmapped_mem, bytes);
}

/* Freeing such a chunk makes its size the threshold for others, and the other
 * threshold twice that; setting either by hand ends this. */
uint64_t
pt_largest_unmapped(struct ptmalloc *p)
{
	const uint64_t initial = 128 << 10;
	uint64_t trim, threshold;

	return p->parameters != 0 &&
		memory_u64(&p->memory, p->parameters, &trim) &&
		memory_u64(&p->memory, p->parameters + 16, &threshold) &&
		threshold > initial && trim == 2 * threshold
	    ? threshold
	    : 0;
}
