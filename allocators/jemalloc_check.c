/* SPDX-License-Identifier: MIT */
/*
 * What must hold in a sound jemalloc 5.3, whatever the program does; release
 * builds check none of it, so a block that is freed twice is found here and
 * nowhere else:
 *
 *   no pointer lies twice in the caches of all threads;
 *   each lies on its slab's grid, in the bin of the slab's size class;
 *   its region is allocated in the slab's bitmap: the cache owns it;
 *   a slab has as many free bits as it counts;
 *   the tree's entries name extents that hold those pages.
 *
 * A thread within the allocator may have moved half of something: what only its
 * own cache shows, and what the tables show while anybody is in there, is
 * transient.
 */
#include <string.h>

#include "allocators/count.h"
#include "allocators/jemalloc.h"
#include "allocators/progress.h"

struct check {
	struct je *je;
	ptrace_heap_report_fn *report;
	void *ctx;
	ptrace_heap_statistics_t *out;
	struct progress progress;
	uint64_t arenas[4096 / 64]; /* seen */
	bool limited;
};

static void
say(struct check *c, ptrace_heap_anomaly_t *a)
{

	a->allocator = "jemalloc";
	if (a->text == NULL)
		a->text = "";
	if (a->transient)
		c->out->transient++;
	else
		c->out->anomalies++;
	c->report(c->ctx, a);
}

/* ---- cached pointers ---- */

static void
say_cached(struct check *c, const struct je_cached *p, uint32_t check,
    bt_addr_t start, bool transient, const char *text)
{
	struct je *je = c->je;
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;

	a.check = check;
	a.address = p->slot;
	a.chunk = a.start = start;
	a.cache_tid = (int32_t)je->threads[p->thread].tid;
	a.transient = transient;
	a.has_values = true;
	a.expected = start;
	a.found = p->pointer;
	a.text = text;
	say(c, &a);
}

static void
check_twice(
    struct check *c, const struct je_cached *a, const struct je_cached *b)
{
	const struct je_thread *first = &c->je->threads[a->thread],
			       *second = &c->je->threads[b->thread];
	const ptrace_heap_host_t *host = c->je->host;
	const char *text = first == second
	    ? host->text(host->ctx,
		  "0x%llx is twice in the tcache of thread %u",
		  (unsigned long long)a->pointer, first->tid)
	    : host->text(host->ctx,
		  "0x%llx is in the tcaches of threads %u and %u",
		  (unsigned long long)a->pointer, first->tid, second->tid);

	say_cached(c, b, PTRACE_HEAP_CHECK_TWICE, a->pointer,
	    first->inside || second->inside, text);
}

static void
check_entry(struct check *c, const struct je_cached *p)
{
	const ptrace_heap_host_t *host = c->je->host;
	const struct je_thread *t = &c->je->threads[p->thread];
	unsigned long long pointer = p->pointer;
	struct je_extent x;
	uint64_t i;

	if (!je_extent_at(c->je, p->pointer, &x) || x.state != JE_ACTIVE) {
		say_cached(c, p, PTRACE_HEAP_CHECK_FOREIGN, 0, t->inside,
		    host->text(host->ctx,
			"the tcache of thread %u holds 0x%llx, which is no "
			"block of jemalloc's",
			t->tid, pointer));
		return;
	}
	if (!x.slab ? p->pointer != x.address
		    : x.region == 0 || (p->pointer - x.base) % x.region != 0 ||
		    (p->pointer - x.base) / x.region >= je_blocks(&x)) {
		bt_addr_t start = x.slab && x.region != 0
		    ? p->pointer - (p->pointer - x.base) % x.region
		    : x.address;

		say_cached(c, p, PTRACE_HEAP_CHECK_FOREIGN, start, t->inside,
		    host->text(host->ctx,
			"the tcache of thread %u holds 0x%llx, which lies "
			"%lld bytes within a block of %llu",
			t->tid, pointer, (long long)(p->pointer - start),
			(unsigned long long)x.region));
		return;
	}
	if (x.class != p->bin) {
		say_cached(c, p, PTRACE_HEAP_CHECK_BIN, p->pointer, t->inside,
		    host->text(host->ctx,
			"the tcache of thread %u holds 0x%llx, a block of "
			"%llu bytes, among those of %llu",
			t->tid, pointer, (unsigned long long)x.region,
			(unsigned long long)je_class_size(c->je, p->bin)));
		return;
	}
	if (x.slab == false)
		return;
	i = (p->pointer - x.base) / x.region;
	if ((x.bitmap[i / 64] >> i % 64 & 1) != 0)
		say_cached(c, p, PTRACE_HEAP_CHECK_TWICE, p->pointer,
		    c->je->busy,
		    host->text(host->ctx,
			"0x%llx is in the tcache of thread %u and free in "
			"its slab",
			pointer, t->tid));
}

static void
check_caches(struct check *c)
{
	struct je *je = c->je;

	for (size_t i = 0; i < je->n_cached && !c->limited; i++) {
		const struct je_cached *p = &je->cached[i];

		if (!je->host->take(je->host->ctx, 1)) {
			c->limited = true;
			return;
		}
		if (i > 0 && p->pointer == p[-1].pointer)
			check_twice(c, p - 1, p);
		else
			check_entry(c, p);
	}
}

/* ---- extents ---- */

static uint32_t
bits_set(const struct je_extent *x)
{
	uint32_t n = 0, left = je_blocks(x);

	for (uint32_t i = 0; left > 0; i++) {
		uint32_t take = left < 64 ? left : 64;
		uint64_t mask = take == 64 ? ~UINT64_C(0)
					   : (UINT64_C(1) << take) - 1;

		n += (uint32_t)__builtin_popcountll(x->bitmap[i] & mask);
		left -= take;
	}
	return n;
}

static void
check_slab(struct check *c, const struct je_extent *x)
{
	const ptrace_heap_host_t *host = c->je->host;
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	uint32_t set = bits_set(x);

	if (set == x->free_regions)
		return;
	a.check = PTRACE_HEAP_CHECK_COUNT;
	a.address = x->edata;
	a.chunk = x->base;
	a.transient = c->je->busy;
	a.has_values = true;
	a.expected = set;
	a.found = x->free_regions;
	a.text = host->text(host->ctx,
	    "the slab at 0x%llx (blocks of %llu bytes) counts %u free blocks "
	    "and has %u",
	    (unsigned long long)x->base, (unsigned long long)x->region,
	    x->free_regions, set);
	say(c, &a);
}

static bool
check_extent(void *ctx, const struct je_extent *x)
{
	struct check *c = ctx;

	c->arenas[x->arena / 64] |= UINT64_C(1) << x->arena % 64;
	if (x->state == JE_RETAINED) {
		/* Not the kernel's to give back, but nothing of it is kept. */
		c->out->unused_bytes += x->size;
		return true;
	}
	c->out->system_bytes += x->size;
	if (x->slab && x->region != 0)
		check_slab(c, x);
	return true;
}

static void
stray_entry(void *ctx, bt_addr_t page, bt_addr_t edata)
{
	struct check *c = ctx;
	const ptrace_heap_host_t *host = c->je->host;
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	struct je_extent x;

	/* The last page of an extent whose first lies in another leaf. */
	if (je_extent_read(c->je, edata, &x) && page - x.base < x.size)
		return;
	a.check = PTRACE_HEAP_CHECK_METADATA;
	a.address = edata;
	a.chunk = page;
	a.transient = c->je->busy;
	a.text = host->text(host->ctx,
	    "the tree's entry for the page 0x%llx names an extent that does "
	    "not hold it",
	    (unsigned long long)page);
	say(c, &a);
}

static bool
count_visit(void *ctx, const ptrace_heap_block_t *block)
{
	struct check *c = ctx;

	progress_block(&c->progress, block->extent);
	if (block->state != PTRACE_HEAP_PURGED ||
	    strcmp(block->place, "retained address space") != 0)
		count_block(c->out, block->state, block->usable);
	return true;
}

bool
je_check(void *allocator, ptrace_heap_report_fn *report, void *ctx,
    ptrace_heap_statistics_t *out)
{
	struct je *je = allocator;
	struct check c = {.je = je,
	    .report = report,
	    .ctx = ctx,
	    .out = out,
	    .progress.host = je->host};

	out->allocator = "jemalloc";
	out->version = je->version != NULL ? je->version : "";
	out->caches = je->n_caches;
	c.limited = !je_extents_each(je, check_extent, stray_entry, &c);
	c.progress.all = out->system_bytes + out->unused_bytes;
	if (c.limited || !je_walk(je, count_visit, &c))
		c.limited = true;
	check_caches(&c);
	for (size_t i = 0; i < sizeof(c.arenas) / sizeof(*c.arenas); i++)
		out->arenas += (uint32_t)__builtin_popcountll(c.arenas[i]);
	out->complete = c.limited == false && out->anomalies == 0 &&
	    out->transient == 0;
	return c.limited == false;
}
