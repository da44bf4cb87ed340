/* SPDX-License-Identifier: MIT */
/*
 * glibc's allocator: how it is found, and what it answers.
 */
#include <stdlib.h>

#include "allocators/owner.h"
#include "allocators/progress.h"
#include "allocators/ptmalloc.h"

/* "libc.so.6", "libc-2.31.so". */
static bool
is_libc(const char *name)
{

	return strncmp(name, "libc.so.6", 9) == 0 ||
	    strncmp(name, "libc-2.", 7) == 0;
}

/* The version has a row in the table. */
static const struct pt_layout *
row_of(struct ptmalloc *p, unsigned *minor)
{

	*minor = pt_minor(p);
	return *minor != 0 ? pt_layout_of(*minor) : NULL;
}

/* A libc whose version is not in the table may have an arena that looks like
 * none in it. */
static bool
find_described(struct ptmalloc *p)
{
	struct pt_layout l;
	unsigned minor;

	return row_of(p, &minor) == NULL && pt_describe(p, true, &l) &&
	    pt_find(p, &l);
}

static bool
open_module(struct ptmalloc *p, bool libc)
{
	uint32_t n = ptrace_target_n_modules(p->host->target);

	for (uint32_t i = 0; i < n; i++) {
		ptrace_module_t m = PTRACE_MODULE_INIT;

		if (!ptrace_target_module_listed(p->host->target, i, &m) ||
		    (libc ? !is_libc(m.name)
			  : !m.executable ||
				!owner_may_hold_libc(p->host->target, &m)))
			continue;
		p->module = m;
		if (pt_find(p, NULL) || (libc && find_described(p)))
			return true;
	}
	return false;
}

/*
 * Debug information comes before the table, where it agrees with the process.
 * But only if it was read for the names of libc's frames (then one unit of it
 * is looked at, 0.3 ms), or if the table has no answer: finding and inflating
 * libc's costs as much as a small core's whole analysis.
 */
static bool
choose_layout(struct ptmalloc *p)
{
	unsigned minor;
	const struct pt_layout *row = row_of(p, &minor);
	bool fits = row != NULL && pt_fits(p, row);
	struct pt_layout described;
	const char *remark;

	p->version =
	    minor != 0 ? p->host->text(p->host->ctx, "glibc 2.%u", minor) : "";
	if (pt_describe(p, fits == false, &described) &&
	    pt_fits(p, &described)) {
		p->layout = described;
		p->layout.mangled = row != NULL ? row->mangled
						: described.mangled;
		p->mangling_unknown = row == NULL && described.tcache_keyed &&
		    described.tcache_key_is_address;
		return true;
	}
	if (fits)
		p->layout = *row;
	if (fits || minor == 0)
		return true;
	remark = p->host->text(p->host->ctx,
	    "glibc 2.%u: this version's heap is not known", minor);
	if (remark != NULL)
		p->host->remark(p->host->ctx, remark);
	return false;
}

static void
pt_close(void *allocator)
{
	struct ptmalloc *p = allocator;

	for (uint32_t i = 0; i < p->n_segments; i++)
		free(p->segments[i].index);
	free(p->segments);
	free(p->arenas);
	free(p->caches);
	free(p->mapped);
	free(p->frees);
	free(p->anomalies);
	free(p);
}

static void *
pt_open(const ptrace_heap_host_t *host)
{
	struct ptmalloc *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->host = host;
	p->module = (ptrace_module_t)PTRACE_MODULE_INIT;
	memory_init(&p->memory, host->target);
	if ((open_module(p, true) || open_module(p, false)) &&
	    choose_layout(p)) {
		pt_find_parameters(p);
		if (pt_arenas(p)) {
			pt_caches(p);
			if (p->mangling_unknown)
				pt_learn_mangling(p);
			return p;
		}
	}
	pt_close(p);
	return NULL;
}

static bool
pt_interposes(void *allocator)
{
	struct ptmalloc *p = allocator;

	return owner_is(p->host->target, &p->module);
}

/* ---- blocks ---- */

static const char *
place_of(struct ptmalloc *p, const struct pt_item *item)
{
	static const char *const places[] = {
	    "", "", "fastbin", "unsorted bin", "small bin", "large bin"};
	struct pt_cache *c;

	if (item->state == PTRACE_HEAP_UNUSED)
		return "top of the arena";
	if (item->list != PT_TCACHE)
		return places[item->list];
	if (item->owner >= p->n_caches)
		return "tcache";
	c = &p->caches[item->owner];
	if (c->place == NULL)
		c->place = p->host->text(
		    p->host->ctx, "tcache of thread %d", (int)c->tid);
	return c->place != NULL ? c->place : "tcache";
}

static const char *
owner_of(struct ptmalloc *p, struct pt_arena *a)
{
	const ptrace_heap_host_t *host = p->host;

	if (a->owner != NULL)
		return a->owner;
	if (a->main)
		a->owner = "main arena";
	else if (a->threads == 0)
		a->owner = host->text(
		    host->ctx, "arena at 0x%" PRIx64, a->address);
	else if (a->threads == 1)
		a->owner = host->text(
		    host->ctx, "arena of thread %d", (int)a->tid);
	else
		a->owner = host->text(host->ctx,
		    "arena of thread %d and %u others", (int)a->tid,
		    a->threads - 1);
	return a->owner;
}

static bool
has_anomaly(const struct ptmalloc *p, bt_addr_t chunk)
{

	for (uint32_t i = 0; i < p->n_anomalies; i++)
		if (p->anomalies[i].chunk == chunk)
			return true;
	return false;
}

static void
fill_block(struct ptmalloc *p, const struct pt_segment *s,
    const struct pt_item *item, ptrace_heap_block_t *out)
{

	out->allocator = "ptmalloc";
	out->state = item->state;
	out->place = place_of(p, item);
	out->chunk = item->chunk;
	out->extent = item->size;
	out->start = item->chunk + CHUNK_HEADER;
	/* The first word of the next chunk is this one's last. */
	out->usable = item->size < CHUNK_HEADER ? 0
	    : item->state == PTRACE_HEAP_UNUSED ? item->size - CHUNK_HEADER
						: item->size - 8;
	out->offset = 0;
	out->arena = p->arenas[s->arena].address;
	out->owner = owner_of(p, &p->arenas[s->arena]);
	out->cache_tid = item->list == PT_TCACHE && item->owner < p->n_caches
	    ? p->caches[item->owner].tid
	    : 0;
	out->mapped = false;
	out->damaged = item->gap;
	out->transient = p->arenas[s->arena].transient ||
	    (item->list == PT_TCACHE && item->owner < p->n_caches &&
		p->caches[item->owner].busy);
}

static void
fill_mapped(const struct pt_mapped *m, ptrace_heap_block_t *out)
{

	out->allocator = "ptmalloc";
	out->state = PTRACE_HEAP_ALLOCATED;
	out->place = "";
	out->chunk = m->chunk;
	out->extent = m->size;
	out->start = m->chunk + CHUNK_HEADER;
	out->usable = m->size - CHUNK_HEADER;
	out->offset = 0;
	out->arena = 0;
	out->owner = "mapping of its own";
	out->cache_tid = 0;
	out->mapped = true;
	out->damaged = out->transient = false;
}

/* The chunk that holds an address. Its first word belongs to the chunk before:
 * as its last bytes, or, while that one is free, as a copy of its size. */
static bool
chunk_of(struct ptmalloc *p, struct pt_segment *s, bt_addr_t address,
    struct pt_item *out)
{
	struct pt_item before, earlier;

	if (!pt_chunk_at(p, s, address, out, &before))
		return false;
	if (address - out->chunk >= 8 || out->chunk == s->start || out->gap)
		return true;
	if (before.size == 0 &&
	    !pt_chunk_at(p, s, out->chunk - 1, &before, &earlier))
		return false;
	if (before.gap == false)
		*out = before;
	return true;
}

static bool
pt_at(void *allocator, bt_addr_t address, ptrace_heap_block_t *out)
{
	struct ptmalloc *p = allocator;
	struct pt_segment *s = pt_segment_at(p, address);
	const struct pt_mapped *m;
	struct pt_item item;

	if (s != NULL) {
		pt_lists(p);
		if (!chunk_of(p, s, address, &item))
			return false;
		fill_block(p, s, &item, out);
		out->damaged = out->damaged || has_anomaly(p, item.chunk);
	} else {
		m = pt_mapped_at(p, address);
		if (m == NULL)
			return false;
		fill_mapped(m, out);
	}
	out->offset = (int64_t)(address - out->start);
	return true;
}

static bool
pt_beside(
    struct ptmalloc *p, bt_addr_t chunk, ptrace_heap_block_t *out, bool after)
{
	struct pt_segment *s = pt_segment_at(p, chunk);
	struct pt_item item, before;

	if (s == NULL)
		return false;
	pt_lists(p);
	if (after) {
		if (!pt_chunk_at(p, s, chunk, &item, &before) ||
		    item.chunk + item.size >= s->end)
			return false;
		chunk = item.chunk + item.size;
	} else {
		if (chunk <= s->start)
			return false;
		chunk--;
	}
	if (!pt_chunk_at(p, s, chunk, &item, &before) || item.gap)
		return false;
	fill_block(p, s, &item, out);
	out->damaged = out->damaged || has_anomaly(p, item.chunk);
	return true;
}

static bool
pt_before(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{

	return pt_beside(allocator, block->chunk, out, false);
}

static bool
pt_after(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{

	return pt_beside(allocator, block->chunk, out, true);
}

static bool
pt_walk(void *allocator, ptrace_heap_visit_fn *visit, void *ctx)
{
	struct ptmalloc *p = allocator;
	ptrace_heap_block_t block = PTRACE_HEAP_BLOCK_INIT;
	struct progress progress = {.host = p->host, .all = pt_bytes(p)};

	p->hole = false;
	pt_lists(p);
	for (uint32_t i = 0; i < p->n_segments; i++) {
		struct pt_cursor c;
		struct pt_item item;

		pt_cursor_begin(&c, p, &p->segments[i], p->segments[i].start);
		c.stream = true;
		while (pt_next(&c, &item)) {
			progress_block(&progress, item.size);
			fill_block(p, &p->segments[i], &item, &block);
			if (!visit(ctx, &block))
				return true;
		}
	}
	pt_mapped_chunks(p);
	for (uint32_t i = 0; i < p->n_mapped; i++) {
		fill_mapped(&p->mapped[i], &block);
		if (!visit(ctx, &block))
			return true;
	}
	return p->hole == false && p->mapped_partial == false;
}

static bool
pt_check(void *allocator, ptrace_heap_report_fn *report, void *ctx,
    ptrace_heap_statistics_t *out)
{
	struct ptmalloc *p = allocator;

	pt_survey(p);
	for (uint32_t i = 0; i < p->n_anomalies; i++)
		report(ctx, &p->anomalies[i]);
	*out = p->statistics;
	return true;
}

extern const ptrace_allocator_t ptrace_allocator_ptmalloc;
const ptrace_allocator_t ptrace_allocator_ptmalloc = {
    .size = sizeof(ptrace_allocator_t),
    .name = "ptmalloc",
    .open = pt_open,
    .close = pt_close,
    .interposes = pt_interposes,
    .at = pt_at,
    .before = pt_before,
    .after = pt_after,
    .walk = pt_walk,
    .check = pt_check,
};
