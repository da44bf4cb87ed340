/* SPDX-License-Identifier: MIT */
/*
 * include/ptrace/heap.h between those who ask and those who answer. Allocators
 * are opened at the first question, checked once at most, and work within one
 * limit of blocks and one of time, for the supervisor ends a module that does
 * not come back.
 */
#include <stdarg.h>

#include "module/module_private.h"
#include <ptrace/heap.h>

enum {
	HEAP_ALLOCATORS_MAX = 16,
	HEAP_ANOMALIES_MAX = 1000,
	HEAP_REMARKS_MAX = 16,
	HEAP_TEXT_MAX = 4 << 20, /* bytes of all strings */
	HEAP_CLOCK_EVERY = 4096	 /* units of work between two looks at it */
};

/* Blocks and list nodes of a run; a terabyte of small blocks has more. */
static const uint64_t work_max = UINT64_C(1) << 30;
/* Of the time a module may take. */
static const uint64_t time_max_ns = UINT64_C(3500) * 1000 * 1000;

struct heap_allocator {
	const ptrace_allocator_t *type;
	void *state;
	bool checked, complete;
	ptrace_heap_statistics_t statistics;
	VEC(ptrace_heap_anomaly_t) anomalies;
};

struct module_heap {
	struct module_host *host;
	ptrace_heap_host_t lent;
	struct heap_allocator items[HEAP_ALLOCATORS_MAX];
	uint32_t count;
	const char *remarks[HEAP_REMARKS_MAX];
	uint32_t n_remarks;
	uint64_t work_left, text_left;
	uint64_t time_left, entered_ns;
	uint32_t until_clock, depth;
	bool spent;
	bool told_progress;
};

/* The caller's struct may be shorter or longer than ours. */
#define FITS(OUT, TYPE) ((OUT)->size >= offsetof(TYPE, reserved))

static void
copy_out(void *out, const void *in, uint32_t in_size)
{
	uint32_t size;

	memcpy(&size, out, sizeof(size));
	memcpy(out, in, size < in_size ? size : in_size);
	memcpy(out, &size, sizeof(size));
}

/* ---- what allocators are lent ---- */

static void
spend(struct module_heap *h)
{

	if (h->spent == false)
		snapshot_warn(h->host->snapshot, "analysis", "heap.limit",
		    "the heap is too large to be examined as a whole in time");
	h->spent = true;
}

static uint64_t
clock_of(const struct module_heap *h)
{
	const struct module_host_options *o = &h->host->options;

	return o->clock != NULL ? o->clock(o->ctx) : bt_now_ns();
}

/* Since it was entered; a wait that is told late may set the clock back. */
static uint64_t
time_used(const struct module_heap *h)
{
	uint64_t now = clock_of(h);

	return now > h->entered_ns ? now - h->entered_ns : 0;
}

static bool
take(void *ctx, uint64_t n)
{
	struct module_heap *h = ctx;

	if (h->spent)
		return false;
	if (n > h->work_left) {
		spend(h);
		return false;
	}
	h->work_left -= n;
	if (n < h->until_clock) {
		h->until_clock -= (uint32_t)n;
		return true;
	}
	h->until_clock = HEAP_CLOCK_EVERY;
	if (time_used(h) > h->time_left)
		spend(h);
	return h->spent == false;
}

static const char *text(void *ctx, const char *format, ...) BT_PRINTF(2, 3);

static const char *
text(void *ctx, const char *format, ...)
{
	struct module_heap *h = ctx;
	va_list ap;
	char *s;

	va_start(ap, format);
	s = h->text_left == 0 ? NULL
			      : arena_vprintf(&h->host->arena, format, ap);
	va_end(ap);
	if (s != NULL) {
		size_t n = strlen(s) + 1;

		h->text_left -= n < h->text_left ? n : h->text_left;
	}
	return s;
}

static void
remark(void *ctx, const char *said)
{
	struct module_heap *h = ctx;
	const char *copy;

	for (uint32_t i = 0; i < h->n_remarks; i++)
		if (strcmp(h->remarks[i], said) == 0)
			return;
	copy = h->n_remarks < HEAP_REMARKS_MAX
	    ? arena_strdup(&h->host->arena, said)
	    : NULL;
	if (copy != NULL)
		h->remarks[h->n_remarks++] = copy;
}

static void
progress(void *ctx, uint64_t blocks, uint64_t done, uint64_t all)
{
	struct module_heap *h = ctx;

	if (h->host->options.progress == NULL)
		return;
	h->told_progress = true;
	h->host->options.progress(h->host->options.ctx, blocks, done, all);
}

static bool
member(void *ctx, bt_addr_t code, const char *type, const char *name, bool open,
    ptrace_heap_member_t *out)
{
	struct module_heap *h = ctx;

	return module_heap_member(h->host, code, type, name, open, out);
}

/* ---- opening ---- */

/* Time counts only while an allocator is at work. */
static void
enter(struct module_heap *h)
{

	if (h->depth++ == 0)
		h->entered_ns = clock_of(h);
}

static void
leave(struct module_heap *h)
{
	uint64_t used;

	if (--h->depth != 0)
		return;
	if (h->told_progress)
		h->host->options.progress(h->host->options.ctx, 0, 0, 0);
	h->told_progress = false;
	used = time_used(h);
	h->time_left -= used < h->time_left ? used : h->time_left;
}

static struct module_heap *
create(struct module_host *host)
{
	struct module_heap *h = calloc(1, sizeof(*h));
	const struct module_host_options *o = &host->options;

	if (h == NULL)
		return NULL;
	h->host = host;
	h->work_left = work_max;
	h->text_left = HEAP_TEXT_MAX;
	h->time_left = o->heap_time_ns != 0 ? o->heap_time_ns : time_max_ns;
	h->lent = (ptrace_heap_host_t){
	    .size = sizeof(h->lent),
	    .target = &host->target_handle,
	    .backtrace = &host->backtrace,
	    .take = take,
	    .text = text,
	    .remark = remark,
	    .progress = progress,
	    .ctx = h,
	    .member = member,
	};
	enter(h);
	for (size_t i = 0;
	     i < o->n_allocators && h->count < HEAP_ALLOCATORS_MAX; i++) {
		struct heap_allocator *a = &h->items[h->count];

		a->type = o->allocators[i];
		a->state = a->type->open(&h->lent);
		if (a->state == NULL)
			continue;
		vec_init(&a->anomalies, HEAP_ANOMALIES_MAX);
		h->count++;
	}
	leave(h);
	return h;
}

/* NULL: without memory, or before there are threads. */
static struct module_heap *
heap_of(ptrace_target_t *t)
{
	struct module_host *host = t->host;

	if (host->heap == NULL && host->target != NULL && host->threads != NULL)
		host->heap = create(host);
	return host->heap;
}

void
module_heap_end(struct module_host *host)
{
	struct module_heap *h = host->heap;

	host->heap_type = NULL;
	if (h == NULL)
		return;
	for (uint32_t i = 0; i < h->count; i++) {
		h->items[i].type->close(h->items[i].state);
		vec_deinit(&h->items[i].anomalies);
	}
	free(h);
	host->heap = NULL;
}

/* ---- blocks ---- */

bool
ptrace_heap_at(ptrace_target_t *t, bt_addr_t address, ptrace_heap_block_t *out)
{
	struct module_heap *h = heap_of(t);
	ptrace_heap_block_t block;
	bool found = false;

	if (h == NULL || FITS(out, ptrace_heap_block_t) == false)
		return false;
	enter(h);
	for (uint32_t i = 0; i < h->count && found == false; i++) {
		block = (ptrace_heap_block_t)PTRACE_HEAP_BLOCK_INIT;
		block.place = "";
		block.allocator = h->items[i].type->name;
		found = h->items[i].type->at(
		    h->items[i].state, address, &block);
	}
	leave(h);
	if (found)
		copy_out(out, &block, sizeof(block));
	return found;
}

static struct heap_allocator *
allocator_of(struct module_heap *h, const ptrace_heap_block_t *block)
{

	for (uint32_t i = 0; i < h->count && block->allocator != NULL; i++)
		if (strcmp(h->items[i].type->name, block->allocator) == 0)
			return &h->items[i];
	return NULL;
}

static bool
neighbour(ptrace_target_t *t, const ptrace_heap_block_t *block,
    ptrace_heap_block_t *out, bool after)
{
	struct module_heap *h = heap_of(t);
	ptrace_heap_block_t from = PTRACE_HEAP_BLOCK_INIT,
			    to = PTRACE_HEAP_BLOCK_INIT;
	struct heap_allocator *a;
	bool found;

	if (h == NULL || FITS(out, ptrace_heap_block_t) == false ||
	    FITS(block, ptrace_heap_block_t) == false)
		return false;
	a = allocator_of(h, block);
	if (a == NULL)
		return false;
	memcpy(&from, block,
	    block->size < sizeof(from) ? block->size : sizeof(from));
	to.place = "";
	to.allocator = a->type->name;
	enter(h);
	found = after ? a->type->after(a->state, &from, &to)
		      : a->type->before(a->state, &from, &to);
	leave(h);
	if (found)
		copy_out(out, &to, sizeof(to));
	return found;
}

bool
ptrace_heap_before(ptrace_target_t *t, const ptrace_heap_block_t *block,
    ptrace_heap_block_t *out)
{

	return neighbour(t, block, out, false);
}

bool
ptrace_heap_after(ptrace_target_t *t, const ptrace_heap_block_t *block,
    ptrace_heap_block_t *out)
{

	return neighbour(t, block, out, true);
}

struct walk {
	ptrace_heap_visit_fn *visit;
	void *ctx;
	bool stopped;
};

static bool
visit_one(void *ctx, const ptrace_heap_block_t *block)
{
	struct walk *w = ctx;

	w->stopped = w->visit(w->ctx, block) == false;
	return w->stopped == false;
}

bool
ptrace_heap_walk(ptrace_target_t *t, ptrace_heap_visit_fn *visit, void *ctx)
{
	struct module_heap *h = heap_of(t);
	struct walk w = {.visit = visit, .ctx = ctx};
	bool whole = h != NULL;

	if (h == NULL)
		return false;
	enter(h);
	for (uint32_t i = 0; i < h->count && w.stopped == false; i++)
		if (!h->items[i].type->walk(h->items[i].state, visit_one, &w) &&
		    w.stopped == false)
			whole = false;
	leave(h);
	return whole;
}

/* ---- checks ---- */

static void
report(void *ctx, const ptrace_heap_anomaly_t *anomaly)
{
	struct heap_allocator *a = ctx;
	ptrace_heap_anomaly_t *place;

	a->statistics.anomalies += anomaly->transient == false;
	a->statistics.transient += anomaly->transient;
	place = vec_push(&a->anomalies);
	if (place == NULL)
		return;
	*place = *anomaly;
	place->size = sizeof(*place);
	place->allocator = a->type->name;
	if (place->text == NULL)
		place->text = "";
}

static int
by_address(const void *x, const void *y)
{
	const ptrace_heap_anomaly_t *a = x, *b = y;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return (a->check > b->check) - (a->check < b->check);
}

static void
check(struct module_heap *h, struct heap_allocator *a)
{
	ptrace_heap_statistics_t counted = PTRACE_HEAP_STATISTICS_INIT;

	if (a->checked)
		return;
	a->checked = true;
	counted.version = "";
	enter(h);
	if (a->type->check(a->state, report, a, &counted) == false)
		counted.complete = false;
	leave(h);
	counted.size = sizeof(counted);
	counted.allocator = a->type->name;
	/* More than those that were reported, if it counts itself. */
	if (counted.anomalies < a->statistics.anomalies)
		counted.anomalies = a->statistics.anomalies;
	if (counted.transient < a->statistics.transient)
		counted.transient = a->statistics.transient;
	if (counted.version == NULL)
		counted.version = "";
	a->statistics = counted;
	if (a->anomalies.count > 1)
		qsort(a->anomalies.items, a->anomalies.count,
		    sizeof(*a->anomalies.items), by_address);
}

bool
ptrace_heap_anomaly(ptrace_target_t *t, uint32_t i, ptrace_heap_anomaly_t *out)
{
	struct module_heap *h = heap_of(t);

	if (h == NULL || FITS(out, ptrace_heap_anomaly_t) == false)
		return false;
	for (uint32_t k = 0; k < h->count; k++) {
		struct heap_allocator *a = &h->items[k];

		check(h, a);
		if (i < a->anomalies.count) {
			copy_out(out, &a->anomalies.items[i],
			    sizeof(ptrace_heap_anomaly_t));
			return true;
		}
		i -= (uint32_t)a->anomalies.count;
	}
	return false;
}

bool
ptrace_heap_statistics(
    ptrace_target_t *t, uint32_t i, ptrace_heap_statistics_t *out)
{
	struct module_heap *h = heap_of(t);

	if (h == NULL || i >= h->count ||
	    FITS(out, ptrace_heap_statistics_t) == false)
		return false;
	check(h, &h->items[i]);
	copy_out(out, &h->items[i].statistics, sizeof(*out));
	return true;
}

const char *
ptrace_heap_allocator(ptrace_target_t *t)
{
	struct module_heap *h = heap_of(t);
	const char *name = NULL;

	if (h == NULL)
		return NULL;
	enter(h);
	for (uint32_t i = 0; i < h->count && name == NULL; i++)
		if (h->items[i].type->interposes(h->items[i].state))
			name = h->items[i].type->name;
	leave(h);
	return name;
}

const char *
ptrace_heap_remark(ptrace_target_t *t, uint32_t i)
{
	struct module_heap *h = heap_of(t);

	return h != NULL && i < h->n_remarks ? h->remarks[i] : NULL;
}
