/* SPDX-License-Identifier: MIT */
/*
 * gperftools' tcmalloc: which block holds an address, and all blocks in order.
 * Blocks have no headers; an object of a span is free when its span's list, a
 * thread's or the middle tier has it.
 */
#include <stdlib.h>

#include "allocators/owner.h"
#include "allocators/tcmalloc.h"

static void
pages_state(const struct tc_span *s, ptrace_heap_block_t *out)
{

	if (s->location == TC_RETURNED) {
		out->state = PTRACE_HEAP_PURGED;
		out->place = "pages given back";
	} else if (s->location == TC_FREE) {
		out->state = PTRACE_HEAP_FREE;
		out->place = "free pages";
	} else {
		out->state = PTRACE_HEAP_ALLOCATED;
	}
}

static void
object_state(struct tc *tc, const struct tc_span *s, uint32_t i,
    const struct tc_cached *cached, ptrace_heap_block_t *out)
{

	if (cached != NULL) {
		out->state = PTRACE_HEAP_CACHED;
		out->place = tc->class_place[s->class];
		out->transient = tc->class_locked[s->class];
		if (cached->thread != TC_NO_THREAD) {
			const struct tc_thread *t =
			    &tc->threads[cached->thread];

			out->place = t->place;
			out->cache_tid = (int32_t)t->tid;
			out->transient = t->inside;
		}
	} else if ((tc->seen[i / 8] >> i % 8 & 1) != 0) {
		out->state = PTRACE_HEAP_FREE;
		out->place = "list of its span";
	} else {
		out->state = PTRACE_HEAP_ALLOCATED;
		/* A span of which nothing is out is just being cut up. */
		out->transient = tc_is_moving(tc, out->start) ||
		    (tc->busy && s->references == 0);
	}
}

/* tc_span_mark was called for the span. */
static void
fill(struct tc *tc, const struct tc_span *s, uint32_t i,
    const struct tc_cached *cached, ptrace_heap_block_t *out)
{
	uint32_t size = tc->class_size[s->class];

	out->allocator = "tcmalloc";
	out->place = "";
	out->arena = 0;
	out->cache_tid = 0;
	out->offset = 0;
	out->mapped = out->damaged = out->transient = false;
	if (s->class != 0 && s->location == TC_IN_USE) {
		out->start = s->start + (uint64_t)i * size;
		out->usable = size;
		object_state(tc, s, i, cached, out);
	} else {
		out->start = s->start;
		out->usable = s->size;
		pages_state(s, out);
	}
	out->chunk = out->start;
	out->extent = out->usable;
}

static bool
tc_at(void *allocator, bt_addr_t address, ptrace_heap_block_t *out)
{
	struct tc *tc = allocator;
	const struct tc_cached *cached = NULL;
	struct tc_span s;
	uint64_t i = 0;

	if (!tc_span_at(tc, address, &s))
		return false;
	if (s.class != 0 && s.location == TC_IN_USE) {
		uint32_t size = tc->class_size[s.class];

		if (size == 0)
			return false;
		i = (address - s.start) / size;
		if (i >= tc_objects(tc, &s))
			return false; /* the rest of the last page */
		tc_span_mark(tc, &s, NULL, NULL);
		cached = tc_cache_entry(tc, s.start + i * size);
	}
	fill(tc, &s, (uint32_t)i, cached, out);
	out->offset = (int64_t)(address - out->start);
	return true;
}

static bool
tc_after(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{
	struct tc *tc = allocator;
	bt_addr_t end = block->start + block->usable;
	struct tc_span own, other;

	if (!tc_span_at(tc, block->start, &own) ||
	    !tc_span_at(tc, end, &other) ||
	    (own.class != 0 && own.span != other.span))
		return false;
	return tc_at(tc, end, out);
}

static bool
tc_before(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{
	struct tc *tc = allocator;
	struct tc_span own, other;

	if (block->start == 0 || !tc_span_at(tc, block->start, &own) ||
	    !tc_span_at(tc, block->start - 1, &other) ||
	    (own.class != 0 && own.span != other.span) ||
	    !tc_at(tc, block->start - 1, out))
		return false;
	out->offset = 0;
	return true;
}

/* ---- walking ---- */

struct walk {
	struct tc *tc;
	ptrace_heap_visit_fn *visit;
	void *ctx;
	bool limited;
};

static bool
visit_span(void *ctx, const struct tc_span *s)
{
	struct walk *w = ctx;
	struct tc *tc = w->tc;
	bool small = s->class != 0 && s->location == TC_IN_USE;
	uint32_t n = tc_objects(tc, s), size = tc->class_size[s->class];
	size_t next = small ? tc_cache_index(tc, s->start) : 0;
	ptrace_heap_block_t block = PTRACE_HEAP_BLOCK_INIT;

	if (!tc->host->take(tc->host->ctx, n + 1)) {
		w->limited = true;
		return false;
	}
	if (small)
		tc_span_mark(tc, s, NULL, NULL);
	for (uint32_t i = 0; i < n; i++) {
		const struct tc_cached *cached = NULL;

		if (small) {
			bt_addr_t start = s->start + (uint64_t)i * size;

			while (next < tc->n_cached &&
			    tc->cached[next].pointer < start)
				next++;
			if (next < tc->n_cached &&
			    tc->cached[next].pointer == start)
				cached = &tc->cached[next];
		}
		fill(tc, s, i, cached, &block);
		if (!w->visit(w->ctx, &block))
			return false;
	}
	return true;
}

bool
tc_walk(void *allocator, ptrace_heap_visit_fn *visit, void *ctx)
{
	struct walk w = {.tc = allocator, .visit = visit, .ctx = ctx};

	return tc_spans_each(allocator, visit_span, &w) && w.limited == false;
}

/* ---- opening ---- */

static void
tc_close(void *allocator)
{
	struct tc *tc = allocator;

	free(tc->threads);
	free(tc->cached);
	free(tc->damage);
	free(tc->large);
	free(tc->moving);
	free(tc->seen);
	free(tc);
}

static void *
tc_open(const ptrace_heap_host_t *host)
{
	struct tc *tc = calloc(1, sizeof(*tc));

	if (tc == NULL)
		return NULL;
	tc->host = host;
	tc->target = host->target;
	memory_init(&tc->memory, host->target);
	memory_init(&tc->nodes, host->target);
	tc->seen = calloc(1, TC_OBJECTS_MAX / 8);
	if (tc->seen != NULL && tc_find(tc))
		return tc;
	tc_close(tc);
	return NULL;
}

static bool
tc_interposes(void *allocator)
{
	struct tc *tc = allocator;

	return owner_is(tc->target, &tc->module);
}

extern const ptrace_allocator_t ptrace_allocator_tcmalloc;
const ptrace_allocator_t ptrace_allocator_tcmalloc = {
    .size = sizeof(ptrace_allocator_t),
    .name = "tcmalloc",
    .open = tc_open,
    .close = tc_close,
    .interposes = tc_interposes,
    .at = tc_at,
    .before = tc_before,
    .after = tc_after,
    .walk = tc_walk,
    .check = tc_check};
