/* SPDX-License-Identifier: MIT */
/*
 * A module that writes what the heap is said to be into the file that its
 * option "out" names: one line for each block, each anomaly, the statistics and
 * the remarks. It asks for every block by an address within as well; an answer
 * that differs from the walk's is a line "differs".
 */
#include <ptrace/heap.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {
    "unknown", "allocated", "free", "cached", "unused", "purged", "metadata"};

struct out {
	FILE *file;
	ptrace_target_t *target;
	uint64_t count, ask; /* each ask-th block is asked for */
};

/* musl tells a block that was freed from its free slot by its mark. */
static bool
is_mark(const ptrace_heap_block_t *b, const ptrace_heap_block_t *again)
{

	return strcmp(b->allocator, "musl") == 0 &&
	    strcmp(states[b->state], "free") == 0 && again->state == b->state &&
	    again->chunk == b->chunk;
}

static void
ask(struct out *o, const ptrace_heap_block_t *b, uint64_t offset)
{
	ptrace_heap_block_t again = PTRACE_HEAP_BLOCK_INIT;

	if (offset >= b->usable)
		return;
	if (!ptrace_heap_at(o->target, b->start + offset, &again))
		fprintf(o->file, "differs %llx+%llx none\n",
		    (unsigned long long)b->start, (unsigned long long)offset);
	else if (is_mark(b, &again))
		return;
	else if (again.start != b->start || again.state != b->state ||
	    again.usable != b->usable || again.offset != (int64_t)offset ||
	    strcmp(again.place, b->place) != 0 ||
	    strcmp(again.allocator, b->allocator) != 0)
		fprintf(o->file, "differs %llx+%llx %s %llx %s %llu %s\n",
		    (unsigned long long)b->start, (unsigned long long)offset,
		    states[b->state], (unsigned long long)again.start,
		    states[again.state], (unsigned long long)again.usable,
		    again.place);
}

static void
neighbours(struct out *o, const ptrace_heap_block_t *b)
{
	ptrace_heap_block_t other = PTRACE_HEAP_BLOCK_INIT,
			    back = PTRACE_HEAP_BLOCK_INIT;

	if (!ptrace_heap_after(o->target, b, &other))
		return;
	if (other.chunk != b->chunk + b->extent)
		fprintf(o->file, "differs after %llx: %llx\n",
		    (unsigned long long)b->start,
		    (unsigned long long)other.start);
	if (ptrace_heap_before(o->target, &other, &back) &&
	    back.start != b->start)
		fprintf(o->file, "differs before %llx: %llx\n",
		    (unsigned long long)other.start,
		    (unsigned long long)back.start);
}

static bool
visit(void *ctx, const ptrace_heap_block_t *b)
{
	struct out *o = ctx;

	fprintf(o->file, "block %s %s %llx %llu %d %d %s\n", b->allocator,
	    states[b->state], (unsigned long long)b->start,
	    (unsigned long long)b->usable, b->cache_tid, b->transient,
	    b->place);
	if (o->count++ % o->ask == 0) {
		ask(o, b, 0);
		ask(o, b, b->usable / 2);
		ask(o, b, b->usable - 1);
		neighbours(o, b);
	}
	return true;
}

static void
put_statistics(FILE *f, const ptrace_heap_statistics_t *s)
{

	fprintf(f,
	    "heap %s complete=%d arenas=%u caches=%u allocated=%llu/%llu "
	    "free=%llu/%llu cached=%llu/%llu mapped=%llu/%llu unused=%llu "
	    "system=%llu largest=%llu anomalies=%llu transient=%llu "
	    "version=%s\n",
	    s->allocator, s->complete, s->arenas, s->caches,
	    (unsigned long long)s->allocated_blocks,
	    (unsigned long long)s->allocated_bytes,
	    (unsigned long long)s->free_blocks,
	    (unsigned long long)s->free_bytes,
	    (unsigned long long)s->cached_blocks,
	    (unsigned long long)s->cached_bytes,
	    (unsigned long long)s->mapped_blocks,
	    (unsigned long long)s->mapped_bytes,
	    (unsigned long long)s->unused_bytes,
	    (unsigned long long)s->system_bytes,
	    (unsigned long long)s->largest_block,
	    (unsigned long long)s->anomalies, (unsigned long long)s->transient,
	    s->version);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	pmodule_t *pm = pmodule_current(bt);
	const char *path = pmodule_config_option(pm, "out");
	const char *every = pmodule_config_option(pm, "ask");
	struct out o = {.target = ptrace_backtrace_target(bt), .ask = 1};
	ptrace_heap_statistics_t s = PTRACE_HEAP_STATISTICS_INIT;
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	const char *text;

	if (every != NULL)
		o.ask = strtoull(every, NULL, 10);
	o.file = path != NULL ? fopen(path, "w") : NULL;
	if (o.file == NULL || o.ask == 0)
		return;
	text = ptrace_heap_allocator(o.target);
	fprintf(o.file, "owner %s\n", text != NULL ? text : "none");
	for (uint32_t i = 0; ptrace_heap_statistics(o.target, i, &s); i++)
		put_statistics(o.file, &s);
	for (uint32_t i = 0; ptrace_heap_anomaly(o.target, i, &a); i++)
		fprintf(o.file, "anomaly %s %u %llx %llx %d %s\n", a.allocator,
		    a.check, (unsigned long long)a.address,
		    (unsigned long long)a.start, a.transient, a.text);
	if (!ptrace_heap_walk(o.target, visit, &o))
		fprintf(o.file, "cut\n");
	for (uint32_t i = 0; (text = ptrace_heap_remark(o.target, i)) != NULL;
	     i++)
		fprintf(o.file, "remark %s\n", text);
	fclose(o.file);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("walk", load, NULL, NULL)
