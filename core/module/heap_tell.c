/* SPDX-License-Identifier: MIT */
/*
 * What the snapshot says of the heap when the modules are done: of each pointer
 * among the variables the block it points into, and of each allocator what it
 * counts and what is wrong.
 *
 * Values are gathered, sorted and asked for once, however many variables have
 * them. Most pointers are left out before an allocator is asked: those into
 * files, stacks and nowhere. A running process is told of only when a module
 * had a reason to look into its heap: reading on costs it time, and what is
 * read has changed since.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "module/module_private.h"
#include <ptrace/heap.h>

enum {
	POINTERS_MAX = 1 << 22,
	DEPTH_MAX = 64,
	TOLD_ANOMALIES_MAX = 100,
	TEXT_MAX = 256 << 10,
	RECENT = 64, /* power of two */
	SEEN = 1024  /* the same */
};

static const char *const checks[] = {"size", "prev-size", "in-use", "top",
    "link", "bin", "count", "twice", "foreign", "key", "overlap", "metadata"};

/* ---- pointers ---- */

struct gather {
	struct target *target;
	VEC(uint64_t) values;
	const struct target_mapping *mappings;
	size_t n_mappings;
	bool *stack; /* of each mapping: a thread's stack lies in it */
	/* Those that were asked for last, by page: pointers of a frame go to
	 * few places, and in turn. */
	const struct target_mapping *recent[RECENT];
	uint64_t seen[SEEN]; /* values that were gathered last */
};

static bool
may_be_heap(struct gather *g, uint64_t value)
{
	const struct target_mapping **recent =
	    &g->recent[value / 4096 % RECENT];
	const struct target_mapping *m = *recent;

	if (value < 4096)
		return false;
	if (m == NULL || value < m->start || value >= m->end)
		m = target_mapping_at(g->target, value);
	if (m == NULL)
		return false;
	*recent = m;
	return (m->perms & TARGET_W) != 0 &&
	    g->stack[m - g->mappings] == false &&
	    (m->path == NULL || m->path[0] != '/' ||
		m->module != TARGET_NO_MODULE);
}

static bool
gather_value(void *ctx, uint64_t value)
{
	struct gather *g = ctx;
	uint64_t *seen = &g->seen[map_mix(value) % SEEN], *place;

	if (*seen != value && may_be_heap(g, value) &&
	    (place = vec_push(&g->values)) != NULL)
		*place = *seen = value;
	return true;
}

static void
gather_variable(struct gather *g, const struct snap_variable *v, unsigned depth)
{

	if (v->kind == SNAP_POINTER && (v->flags & SNAP_VAR_VALUE) != 0)
		(void)gather_value(g, v->value.u);
	for (uint32_t i = 0; depth < DEPTH_MAX && i < v->n_children; i++)
		gather_variable(g, &v->children[i], depth + 1);
}

static void
gather_all(struct gather *g, const struct snapshot *s)
{
	for (size_t t = 0; t < s->threads.count; t++) {
		const struct snap_thread *thread = &s->threads.items[t];

		for (uint32_t i = 0; i < thread->n_frames; i++) {
			const struct snap_frame *f = &thread->frames[i];

			if (f->packed != NULL)
				(void)snap_packed_pointers(
				    f->packed, gather_value, g);
			for (uint32_t k = 0; k < f->n_variables; k++)
				gather_variable(g, &f->variables[k], 0);
		}
	}
	for (size_t i = 0; i < s->globals.count; i++)
		gather_variable(g, &s->globals.items[i], 0);
	for (size_t i = 0; i < s->objects.count; i++)
		gather_variable(g, &s->objects.items[i].variable, 0);
}

static void
mark_stacks(struct gather *g)
{
	struct target_thread *threads;
	size_t n = target_threads(g->target, &threads);

	for (size_t i = 0; i < n; i++) {
		const struct target_mapping *m;
		uint64_t sp;

		if (threads[i].has_regs == false ||
		    !regs_get(&threads[i].regs.regs, ARCH_SP, &sp))
			continue;
		m = target_mapping_at(g->target, sp);
		if (m != NULL)
			g->stack[m - g->mappings] = true;
	}
}

static int
ascending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
tell_pointer(struct module_host *host, uint64_t value)
{
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
	struct snap_pointed *p;

	/* What was never handed out is no block that could be freed. */
	if (!ptrace_heap_at(&host->target_handle, value, &b) || b.offset < 0 ||
	    b.state == PTRACE_HEAP_UNKNOWN || b.state == PTRACE_HEAP_UNUSED ||
	    b.state == PTRACE_HEAP_METADATA)
		return;
	p = vec_push(&host->snapshot->pointed);
	if (p == NULL)
		return;
	p->address = value;
	p->heap.allocated = b.state == PTRACE_HEAP_ALLOCATED;
	p->heap.size = b.usable;
	p->heap.offset = (uint64_t)b.offset;
	p->owner = b.owner != NULL
	    ? strings_add(&host->snapshot->strings, b.owner)
	    : NULL;
	p->heap.place = p->heap.allocated || b.place[0] == '\0'
	    ? NULL
	    : strings_add(&host->snapshot->strings, b.place);
}

static void
tell_pointers(struct module_host *host)
{
	struct gather g = {.target = host->target};

	vec_init(&g.values, POINTERS_MAX);
	g.n_mappings = target_mappings(host->target, &g.mappings);
	g.stack = calloc(g.n_mappings + 1, sizeof(*g.stack));
	if (g.stack != NULL) {
		mark_stacks(&g);
		gather_all(&g, host->snapshot);
	}
	if (g.values.count > 1)
		qsort(g.values.items, g.values.count, sizeof(uint64_t),
		    ascending);
	for (size_t i = 0; i < g.values.count; i++)
		if (i == 0 || g.values.items[i] != g.values.items[i - 1])
			tell_pointer(host, g.values.items[i]);
	vec_deinit(&g.values);
	free(g.stack);
}

/* ---- allocators ---- */

/* Version strings come from the target. */
static void
put_text(struct buf *b, const char *key, const char *text)
{

	buf_printf(b, "\"%s\":\"", key);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c > '~')
			buf_printf(b, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else
			buf_putc(b, (char)c);
	}
	buf_putc(b, '"');
}

static void
put_amount(struct buf *b, const char *key, uint64_t blocks, uint64_t bytes)
{

	buf_printf(b, ",\"%s\":{\"blocks\":%llu,\"bytes\":%llu}", key,
	    (unsigned long long)blocks, (unsigned long long)bytes);
}

static void
put_address(struct buf *b, const char *key, uint64_t value)
{

	if (value != 0)
		buf_printf(
		    b, ",\"%s\":\"0x%llx\"", key, (unsigned long long)value);
}

static void
put_anomaly(struct buf *b, const ptrace_heap_anomaly_t *a)
{

	buf_printf(b, "{\"check\":\"%s\"",
	    a->check < sizeof(checks) / sizeof(*checks) ? checks[a->check]
							: "other");
	put_address(b, "address", a->address);
	put_address(b, "block", a->start);
	put_address(b, "before", a->before);
	put_address(b, "arena", a->arena);
	if (a->has_values)
		buf_printf(b, ",\"expected\":\"0x%llx\",\"found\":\"0x%llx\"",
		    (unsigned long long)a->expected,
		    (unsigned long long)a->found);
	if (a->cache_tid != 0)
		buf_printf(b, ",\"cache_tid\":%d", (int)a->cache_tid);
	buf_printf(b, ",\"transient\":%s,", a->transient ? "true" : "false");
	put_text(b, "text", a->text);
	buf_putc(b, '}');
}

static void
put_anomalies(
    struct buf *b, ptrace_target_t *t, const ptrace_heap_statistics_t *s)
{
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	unsigned n = 0;

	buf_puts(b, ",\"anomalies\":[");
	for (uint32_t i = 0;
	     n < TOLD_ANOMALIES_MAX && ptrace_heap_anomaly(t, i, &a); i++) {
		if (strcmp(a.allocator, s->allocator) != 0)
			continue;
		if (n++ > 0)
			buf_putc(b, ',');
		put_anomaly(b, &a);
	}
	buf_printf(b, "],\"anomaly_count\":%llu,\"transient_count\":%llu",
	    (unsigned long long)s->anomalies, (unsigned long long)s->transient);
}

static void
tell_allocator(struct module_host *host, const ptrace_heap_statistics_t *s)
{
	ptrace_target_t *t = &host->target_handle;
	const char *owner = ptrace_heap_allocator(t), **place, *text;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	buf_putc(&b, '{');
	put_text(&b, "allocator", s->allocator);
	if (s->version[0] != '\0') {
		buf_putc(&b, ',');
		put_text(&b, "version", s->version);
	}
	buf_printf(&b,
	    ",\"malloc\":%s,\"complete\":%s,\"arenas\":%u,\"caches\":%u",
	    owner != NULL && strcmp(owner, s->allocator) == 0 ? "true"
							      : "false",
	    s->complete ? "true" : "false", s->arenas, s->caches);
	put_amount(&b, "allocated", s->allocated_blocks, s->allocated_bytes);
	put_amount(&b, "free", s->free_blocks, s->free_bytes);
	put_amount(&b, "cached", s->cached_blocks, s->cached_bytes);
	put_amount(&b, "mapped", s->mapped_blocks, s->mapped_bytes);
	buf_printf(&b,
	    ",\"unused_bytes\":%llu,\"system_bytes\":%llu,"
	    "\"largest_block\":%llu",
	    (unsigned long long)s->unused_bytes,
	    (unsigned long long)s->system_bytes,
	    (unsigned long long)s->largest_block);
	put_anomalies(&b, t, s);
	buf_putc(&b, '}');
	text = b.failed ? NULL
			: strings_add(&host->snapshot->strings, buf_text(&b));
	place = text != NULL ? vec_push(&host->snapshot->heap) : NULL;
	if (place != NULL)
		*place = text;
	buf_deinit(&b);
}

void
module_host_tell_heap(struct module_host *host)
{
	ptrace_heap_statistics_t s = PTRACE_HEAP_STATISTICS_INIT;
	const char *text;
	bool changes;

	if (host->target == NULL)
		return;
	changes = ptrace_target_live(&host->target_handle);
	if (changes && host->heap == NULL)
		return;
	tell_pointers(host);
	if (changes)
		return;
	for (uint32_t i = 0;
	     ptrace_heap_statistics(&host->target_handle, i, &s); i++)
		tell_allocator(host, &s);
	for (uint32_t i = 0;
	     (text = ptrace_heap_remark(&host->target_handle, i)) != NULL; i++)
		snapshot_warn(
		    host->snapshot, "analysis", "heap.remark", "%s", text);
}
