/* SPDX-License-Identifier: MIT */
/*
 * jemalloc 5.3: which block holds an address, and all blocks in order. Blocks
 * have no headers; a slab's regions are told from its bitmap, and those that
 * the bitmap calls allocated may still lie in a thread's cache.
 */
#include <stdlib.h>
#include <string.h>

#include "allocators/jemalloc.h"
#include "allocators/owner.h"

uint32_t
je_blocks(const struct je_extent *x)
{
	uint64_t n;

	if (x->slab == false || x->region == 0)
		return 1;
	n = x->size / x->region;
	return n > JE_BITMAP_WORDS * 64 ? JE_BITMAP_WORDS * 64 : (uint32_t)n;
}

static bool
is_free(const struct je_extent *x, uint32_t i)
{

	return (x->bitmap[i / 64] >> i % 64 & 1) != 0;
}

/* The stacks of a thread's cache are a block of jemalloc's own. */
static bool
is_stack(const struct je *je, const struct je_extent *x)
{
	uint32_t low = 0, high = je->n_stacks;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (je->stacks[middle] < x->base)
			low = middle + 1;
		else
			high = middle;
	}
	return low < je->n_stacks && je->stacks[low] - x->base < x->size;
}

static void
pages_state(const struct je_extent *x, ptrace_heap_block_t *out)
{

	out->start = x->base;
	out->usable = x->size;
	switch (x->state) {
	case JE_DIRTY:
		out->state = PTRACE_HEAP_FREE;
		out->place = "dirty pages";
		break;
	case JE_MUZZY:
		out->state = PTRACE_HEAP_PURGED;
		out->place = "muzzy pages";
		break;
	case JE_RETAINED:
		out->state = PTRACE_HEAP_PURGED;
		out->place = "retained address space";
		break;
	default:
		out->state = PTRACE_HEAP_UNKNOWN;
		out->place = "pages being split or merged";
		out->transient = true;
		break;
	}
}

/* Arenas are known by their numbers (`arena.3` in mallctl). */
static const char *
owner_of(struct je *je, unsigned arena)
{
	const ptrace_heap_host_t *host = je->host;

	if (arena >= sizeof(je->owners) / sizeof(*je->owners))
		return NULL;
	if (je->owners[arena] == NULL)
		je->owners[arena] = host->text(host->ctx, "arena %u", arena);
	return je->owners[arena];
}

void
je_block(struct je *je, const struct je_extent *x, uint32_t i,
    const struct je_cached *cached, ptrace_heap_block_t *out)
{

	out->allocator = "jemalloc";
	out->place = "";
	out->arena = 0;
	out->owner = owner_of(je, x->arena);
	out->cache_tid = 0;
	out->offset = 0;
	out->mapped = out->damaged = false;
	out->transient = false;
	if (x->state != JE_ACTIVE) {
		pages_state(x, out);
	} else if (x->slab) {
		out->start = x->base + i * x->region;
		out->usable = x->region;
		out->state = is_free(x, i) ? PTRACE_HEAP_FREE
					   : PTRACE_HEAP_ALLOCATED;
		if (out->state == PTRACE_HEAP_FREE)
			out->place = "slab";
		else
			out->transient = je_is_moving(je, out->start);
	} else {
		uint64_t most = x->base + x->size - x->address;

		out->start = x->address;
		out->usable = x->region != 0 && x->region <= most ? x->region
								  : most;
		out->state = PTRACE_HEAP_ALLOCATED;
		if (x->region == 0) {
			/* Freed (that takes the class away), and out of its
			 * list while a thread gives the pages back. */
			out->state = PTRACE_HEAP_FREE;
			out->place = "pages being given back";
			out->transient = true;
		} else if (is_stack(je, x)) {
			out->state = PTRACE_HEAP_METADATA;
			out->place = "thread cache";
		}
	}
	if (cached != NULL && out->state != PTRACE_HEAP_METADATA) {
		const struct je_thread *t = &je->threads[cached->thread];

		out->state = PTRACE_HEAP_CACHED;
		out->place = t->place != NULL ? t->place : "tcache";
		out->cache_tid = (int32_t)t->tid;
		out->transient = t->inside;
	}
	out->chunk = out->start;
	out->extent = x->slab || x->state != JE_ACTIVE ? out->usable : x->size;
	if (!x->slab && x->state == JE_ACTIVE)
		out->chunk = x->base;
}

static void
block_at(struct je *je, const struct je_extent *x, uint32_t i,
    ptrace_heap_block_t *out)
{
	bt_addr_t start = x->state != JE_ACTIVE ? x->base
	    : x->slab				? x->base + i * x->region
						: x->address;

	je_block(je, x, i,
	    x->state == JE_ACTIVE ? je_cache_entry(je, start) : NULL, out);
}

static bool
je_at(void *allocator, bt_addr_t address, ptrace_heap_block_t *out)
{
	struct je *je = allocator;
	struct je_extent x;
	uint64_t i = 0;

	if (!je_extent_at(je, address, &x))
		return false;
	if (x.slab) {
		if (x.region == 0)
			return false;
		i = (address - x.base) / x.region;
		if (i >= je_blocks(&x))
			return false; /* the rest of the last page */
	}
	block_at(je, &x, (uint32_t)i, out);
	out->offset = (int64_t)(address - out->start);
	return true;
}

/* ---- neighbours ---- */

static bool
je_after(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{
	struct je *je = allocator;
	bt_addr_t end = block->chunk + block->extent;
	struct je_extent x, own;

	if (!je_extent_at(je, block->start, &own) ||
	    !je_extent_at(je, end, &x) || (own.slab && x.base != own.base))
		return false;
	return je_at(je, end, out) && out->chunk == end;
}

static bool
je_before(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{
	struct je *je = allocator;
	struct je_extent x, own;

	if (block->chunk == 0 || !je_extent_at(je, block->start, &own) ||
	    !je_extent_at(je, block->chunk - 1, &x) ||
	    (own.slab && x.base != own.base))
		return false;
	if (!je_at(je, block->chunk - 1, out))
		return false;
	out->offset = 0;
	return true;
}

/* ---- walking ---- */

struct walk {
	struct je *je;
	ptrace_heap_visit_fn *visit;
	void *ctx;
	bool limited;
};

static bool
visit_extent(void *ctx, const struct je_extent *x)
{
	struct walk *w = ctx;
	struct je *je = w->je;
	uint32_t n = je_blocks(x);
	/* Both the regions and the cached pointers are in order. */
	size_t next = je_cache_index(je, x->base);
	ptrace_heap_block_t block = PTRACE_HEAP_BLOCK_INIT;

	if (!je->host->take(je->host->ctx, n)) {
		w->limited = true;
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct je_cached *cached = NULL;
		bt_addr_t start = x->slab ? x->base + i * x->region
					  : x->address;

		while (next < je->n_cached && je->cached[next].pointer < start)
			next++;
		if (x->state == JE_ACTIVE && next < je->n_cached &&
		    je->cached[next].pointer == start)
			cached = &je->cached[next];
		je_block(je, x, i, cached, &block);
		if (!w->visit(w->ctx, &block))
			return false;
	}
	return true;
}

bool
je_walk(void *allocator, ptrace_heap_visit_fn *visit, void *ctx)
{
	struct walk w = {.je = allocator, .visit = visit, .ctx = ctx};

	return je_extents_each(allocator, visit_extent, NULL, &w) &&
	    w.limited == false;
}

/* ---- opening ---- */

static void
je_close(void *allocator)
{
	struct je *je = allocator;

	free(je->threads);
	free(je->stacks);
	free(je->cached);
	free(je->moving);
	free(je->large);
	free(je);
}

static void *
je_open(const ptrace_heap_host_t *host)
{
	struct je *je = calloc(1, sizeof(*je));

	if (je == NULL)
		return NULL;
	je->host = host;
	je->target = host->target;
	je->quantum = 16;
	if (je_find(je))
		return je;
	je_close(je);
	return NULL;
}

static bool
je_interposes(void *allocator)
{
	struct je *je = allocator;

	return owner_is(je->target, &je->module);
}

extern const ptrace_allocator_t ptrace_allocator_jemalloc;
const ptrace_allocator_t ptrace_allocator_jemalloc = {
    .size = sizeof(ptrace_allocator_t),
    .name = "jemalloc",
    .open = je_open,
    .close = je_close,
    .interposes = je_interposes,
    .at = je_at,
    .before = je_before,
    .after = je_after,
    .walk = je_walk,
    .check = je_check};
