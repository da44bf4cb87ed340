/* SPDX-License-Identifier: MIT */
/*
 * What must hold in a sound heap of musl: each group begins with the address of
 * its struct meta; the header of each allocated block has its slot's number and
 * its distance from the group; the byte behind each block is null.
 */
#include "allocators/count.h"
#include "allocators/musl.h"
#include "allocators/progress.h"

struct check {
	struct mu *mu;
	ptrace_heap_report_fn *report;
	void *ctx;
	ptrace_heap_statistics_t *out;
	struct progress progress;
	uint64_t said;
};

static void
say(struct check *c, ptrace_heap_anomaly_t *a)
{

	a->allocator = "musl";
	a->transient = c->mu->busy;
	if (a->text == NULL)
		a->text = "";
	c->said++;
	c->report(c->ctx, a);
}

/* The allocated block in the slot before, whose writer may have run over. */
static bt_addr_t
block_before(struct mu *mu, const struct mu_group *g, uint32_t i)
{
	struct mu_slot s;

	if (i == 0 || mu_is_used(g, i - 1) == false ||
	    !mu_slot_read(mu, g, i - 1, &s) || s.group)
		return 0;
	return s.start;
}

static void
check_slot(struct check *c, const struct mu_group *g, uint32_t i,
    const struct mu_slot *s)
{
	const ptrace_heap_host_t *host = c->mu->host;
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;

	if (s->sound)
		return;
	a.address = s->bad;
	a.has_values = true;
	a.found = s->found;
	a.start = s->start;
	a.chunk = s->slot - MU_HEADER;
	if (s->overrun) {
		/* The block itself was written beyond its end. */
		a.check = PTRACE_HEAP_CHECK_OVERLAP;
		a.before = s->start;
		a.text = host->text(host->ctx,
		    "the byte behind the block 0x%llx of %llu bytes is 0x%x, "
		    "not null",
		    (unsigned long long)s->start, (unsigned long long)s->usable,
		    s->found);
	} else {
		a.check = PTRACE_HEAP_CHECK_SIZE;
		a.before = block_before(c->mu, g, i);
		a.text = host->text(host->ctx,
		    "the header of the block 0x%llx is damaged at 0x%llx",
		    (unsigned long long)s->start, (unsigned long long)s->bad);
	}
	say(c, &a);
}

static void
check_group(struct check *c, const struct mu_group *g)
{
	const ptrace_heap_host_t *host = c->mu->host;
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	uint64_t meta;

	if (!memory_u64(&c->mu->blocks, g->mem, &meta) || meta == g->meta)
		return;
	a.check = PTRACE_HEAP_CHECK_METADATA;
	a.address = a.chunk = g->mem;
	a.has_values = true;
	a.expected = g->meta;
	a.found = meta;
	a.text = host->text(host->ctx,
	    "the group at 0x%llx begins with 0x%llx, not with the address of "
	    "its description",
	    (unsigned long long)g->mem, (unsigned long long)meta);
	say(c, &a);
}

static void
count_slot(struct check *c, const struct mu_group *g, uint32_t i,
    const struct mu_slot *s)
{
	ptrace_heap_statistics_t *out = c->out;
	bool used = mu_is_used(g, i);

	if (s->group)
		return;
	progress_block(&c->progress, s->usable);
	count_block(
	    out, used ? PTRACE_HEAP_ALLOCATED : PTRACE_HEAP_FREE, s->usable);
	if (used && g->class == MU_SINGLE) {
		out->mapped_blocks++;
		out->mapped_bytes += s->usable;
	}
}

bool
mu_check(void *allocator, ptrace_heap_report_fn *report, void *ctx,
    ptrace_heap_statistics_t *out)
{
	struct mu *mu = allocator;
	struct check c = {.mu = mu,
	    .report = report,
	    .ctx = ctx,
	    .out = out,
	    .progress.host = mu->host};
	bool whole = mu->damaged_area == false;

	out->version = "mallocng";
	out->arenas = 1;
	if (mu->damaged_area) {
		ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;

		a.check = PTRACE_HEAP_CHECK_METADATA;
		a.address = mu->damaged_at;
		a.text = "a page of group descriptions lost its secret";
		say(&c, &a);
	}
	for (size_t k = 0; k < mu->n_groups; k++) {
		const struct mu_group *g = &mu->groups[k];

		if (!mu->host->take(mu->host->ctx, g->last + 2u))
			return false;
		if (g->outer == UINT32_MAX)
			out->system_bytes += g->size;
		check_group(&c, g);
		for (uint32_t i = 0; i <= g->last; i++) {
			struct mu_slot s;

			if (!mu_slot_read(mu, g, i, &s)) {
				whole = false;
				continue;
			}
			count_slot(&c, g, i, &s);
			check_slot(&c, g, i, &s);
		}
	}
	out->complete = whole && c.said == 0;
	return whole;
}
