/* SPDX-License-Identifier: MIT */
/*
 * What must hold in a sound tcmalloc of gperftools, which checks next to
 * nothing itself:
 *
 *   a free list has as many blocks as it counts, all of its class, each on the
 *   grid of a span in use;
 *   no block is in two lists, or twice in one;
 *   the blocks of a span that are out and those in its list are all of it.
 */
#include <stdlib.h>

#include "allocators/count.h"
#include "allocators/progress.h"
#include "allocators/tcmalloc.h"

struct check {
	struct tc *tc;
	ptrace_heap_report_fn *report;
	void *ctx;
	ptrace_heap_statistics_t *out;
	struct progress progress;
	uint64_t said;
	/* Lists with a block that is in twice: their counts follow. */
	struct {
		int32_t thread;
		uint32_t class;
	} twice[64];
	uint32_t n_twice;
	bool limited;
};

static void
say(struct check *c, const struct tc_damage *d)
{
	struct tc *tc = c->tc;
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;

	a.allocator = "tcmalloc";
	a.check = d->check;
	a.address = d->word;
	a.chunk = a.start = d->object;
	a.has_values = d->has_values;
	a.expected = d->expected;
	a.found = d->found;
	a.transient = d->transient;
	a.cache_tid =
	    d->thread != TC_NO_THREAD ? (int32_t)tc->threads[d->thread].tid : 0;
	a.text = d->text != NULL ? d->text : "";
	c->said++;
	c->report(c->ctx, &a);
}

static void
say_span(void *ctx, const struct tc_damage *d)
{

	say(ctx, d);
}

static const char *
place_of(const struct tc *tc, const struct tc_cached *p)
{

	return p->thread != TC_NO_THREAD ? tc->threads[p->thread].place
					 : tc->class_place[p->class];
}

static bool
is_transient(const struct tc *tc, const struct tc_cached *p)
{

	return p->thread != TC_NO_THREAD
	    ? tc->threads[p->thread].inside
	    : tc->class_locked[p->class] || tc->busy;
}

static void
check_twice(
    struct check *c, const struct tc_cached *a, const struct tc_cached *b)
{
	struct tc *tc = c->tc;
	const ptrace_heap_host_t *host = tc->host;
	struct tc_damage d = {.check = PTRACE_HEAP_CHECK_TWICE,
	    .word = b->link,
	    .object = a->pointer,
	    .found = a->pointer,
	    .has_values = true,
	    .transient = is_transient(tc, a) || is_transient(tc, b),
	    .thread = b->thread,
	    .class = b->class};

	if (c->n_twice < sizeof(c->twice) / sizeof(*c->twice)) {
		c->twice[c->n_twice].thread = b->thread;
		c->twice[c->n_twice++].class = b->class;
	}
	d.text = a->thread == b->thread && a->class == b->class
	    ? host->text(host->ctx, "0x%llx is twice in the %s",
		  (unsigned long long)a->pointer, place_of(tc, a))
	    : host->text(host->ctx, "0x%llx is in the %s and in the %s",
		  (unsigned long long)a->pointer, place_of(tc, a),
		  place_of(tc, b));
	say(c, &d);
}

static void
check_entry(struct check *c, const struct tc_cached *p)
{
	struct tc *tc = c->tc;
	const ptrace_heap_host_t *host = tc->host;
	uint32_t size = tc->class_size[p->class];
	struct tc_damage d = {.check = PTRACE_HEAP_CHECK_FOREIGN,
	    .word = p->link,
	    .found = p->pointer,
	    .has_values = true,
	    .transient = is_transient(tc, p),
	    .thread = p->thread,
	    .class = p->class};
	struct tc_span s;
	uint64_t offset;

	if (!tc_span_at(tc, p->pointer, &s) || s.location != TC_IN_USE) {
		d.text = host->text(host->ctx,
		    "the %s holds 0x%llx, which is no block of tcmalloc's",
		    place_of(tc, p), (unsigned long long)p->pointer);
		say(c, &d);
		return;
	}
	if (s.class == 0 || tc->class_size[s.class] == 0) {
		d.object = s.start;
	} else {
		offset = (p->pointer - s.start) % tc->class_size[s.class];
		d.object = p->pointer - offset;
	}
	if (d.object != p->pointer) {
		d.text = host->text(host->ctx,
		    "the %s holds 0x%llx, which lies %llu bytes within a "
		    "block",
		    place_of(tc, p), (unsigned long long)p->pointer,
		    (unsigned long long)(p->pointer - d.object));
		say(c, &d);
	} else if (s.class != p->class) {
		d.check = PTRACE_HEAP_CHECK_BIN;
		d.text = host->text(host->ctx,
		    "the %s holds 0x%llx among blocks of %u bytes, which is "
		    "none",
		    place_of(tc, p), (unsigned long long)p->pointer, size);
		say(c, &d);
	}
}

static bool
is_twice(const struct check *c, const struct tc_damage *d)
{

	for (uint32_t i = 0; i < c->n_twice; i++)
		if (c->twice[i].thread == d->thread &&
		    c->twice[i].class == d->class)
			return true;
	return false;
}

static void
check_caches(struct check *c)
{
	struct tc *tc = c->tc;

	for (size_t i = 0; i < tc->n_cached && !c->limited; i++) {
		const struct tc_cached *p = &tc->cached[i];

		c->limited = !tc->host->take(tc->host->ctx, 1);
		if (i > 0 && p->pointer == p[-1].pointer)
			check_twice(c, p - 1, p);
		else
			check_entry(c, p);
	}
	for (size_t i = 0; i < tc->n_damage; i++)
		if (tc->damage[i].check != PTRACE_HEAP_CHECK_COUNT ||
		    !is_twice(c, &tc->damage[i]))
			say(c, &tc->damage[i]);
}

/* ---- spans ---- */

static void
check_listed(struct check *c, const struct tc_span *s, uint32_t n)
{
	struct tc *tc = c->tc;
	const ptrace_heap_host_t *host = tc->host;
	uint64_t before = c->said;
	uint32_t listed = 0;
	struct tc_damage d = {.check = PTRACE_HEAP_CHECK_COUNT,
	    .word = s->span,
	    .object = s->start,
	    .has_values = true,
	    .transient = tc->busy || tc->class_locked[s->class],
	    .thread = TC_NO_THREAD,
	    .class = s->class};

	tc_span_mark(tc, s, say_span, c);
	if (c->said != before)
		return;
	for (uint32_t i = 0; i < (n + 7) / 8; i++)
		listed += (uint32_t)__builtin_popcount(tc->seen[i]);
	if (listed + s->references == n)
		return;
	d.expected = n;
	d.found = (uint64_t)listed + s->references;
	d.text = host->text(host->ctx,
	    "the span at 0x%llx has %u blocks of %u bytes, of which %u are "
	    "out and %u free",
	    (unsigned long long)s->start, n, tc->class_size[s->class],
	    s->references, listed);
	say(c, &d);
}

/* A block in its span's list that a cache has as well. */
static void
check_both(struct check *c, const struct tc_span *s, uint32_t n)
{
	struct tc *tc = c->tc;
	const ptrace_heap_host_t *host = tc->host;
	uint32_t size = tc->class_size[s->class];

	for (size_t i = tc_cache_index(tc, s->start);
	     i < tc->n_cached && tc->cached[i].pointer < s->start + s->size;
	     i++) {
		const struct tc_cached *p = &tc->cached[i];
		uint64_t k = (p->pointer - s->start) / size;
		struct tc_damage d = {.check = PTRACE_HEAP_CHECK_TWICE,
		    .word = p->link,
		    .object = p->pointer,
		    .found = p->pointer,
		    .has_values = true,
		    .transient = tc->busy || is_transient(tc, p),
		    .thread = p->thread,
		    .class = p->class};

		if ((p->pointer - s->start) % size != 0 || k >= n ||
		    (tc->seen[k / 8] >> k % 8 & 1) == 0)
			continue;
		d.text = host->text(host->ctx,
		    "0x%llx is in the %s and in the list of its span",
		    (unsigned long long)p->pointer, place_of(tc, p));
		say(c, &d);
	}
}

static bool
check_span(void *ctx, const struct tc_span *s)
{
	struct check *c = ctx;
	struct tc *tc = c->tc;
	uint32_t n = tc_objects(tc, s);

	c->out->system_bytes += s->size;
	if (s->class == 0 || s->location != TC_IN_USE || n == 0)
		return true;
	if (!tc->host->take(tc->host->ctx, n)) {
		c->limited = true;
		return false;
	}
	check_listed(c, s, n);
	check_both(c, s, n);
	return true;
}

static bool
count_visit(void *ctx, const ptrace_heap_block_t *b)
{
	struct check *c = ctx;

	progress_block(&c->progress, b->extent);
	count_block(c->out, b->state, b->usable);
	return true;
}

bool
tc_check(void *allocator, ptrace_heap_report_fn *report, void *ctx,
    ptrace_heap_statistics_t *out)
{
	struct tc *tc = allocator;
	struct check c = {.tc = tc,
	    .report = report,
	    .ctx = ctx,
	    .out = out,
	    .progress.host = tc->host};

	out->version = tc->version;
	out->arenas = 1;
	out->caches = tc->n_caches;
	if (!tc_walk(tc, count_visit, &c))
		c.limited = true;
	check_caches(&c);
	if (!tc_spans_each(tc, check_span, &c))
		c.limited = true;
	out->complete = c.limited == false && c.said == 0;
	return c.limited == false;
}
