/* SPDX-License-Identifier: MIT */
/*
 * What is wrong, kept until somebody asks: lists are read once, by whoever
 * comes first.
 */
#include "allocators/ptmalloc.h"

enum { ANOMALIES_MAX = 1000 };

static bool
is_transient(const struct ptmalloc *p, const struct pt_wrong *w)
{

	if (w->cache >= 0 && p->caches[w->cache].busy)
		return true;
	return w->arena >= 0 && (uint32_t)w->arena < p->n_arenas &&
	    p->arenas[w->arena].transient;
}

static const char *
describe(const struct ptmalloc *p, const struct pt_wrong *w)
{
	const char *text;

	if (w->has_values && w->expected == 0)
		text = p->host->text(p->host->ctx,
		    "%s at 0x%" PRIx64 " is 0x%" PRIx64, w->what, w->address,
		    w->found);
	else if (w->has_values)
		text = p->host->text(p->host->ctx,
		    "%s at 0x%" PRIx64 " is 0x%" PRIx64 ", not 0x%" PRIx64,
		    w->what, w->address, w->found, w->expected);
	else
		text = p->host->text(
		    p->host->ctx, "%s, at 0x%" PRIx64, w->what, w->address);
	return text != NULL ? text : w->what;
}

void
pt_report(struct ptmalloc *p, const struct pt_wrong *w)
{
	ptrace_heap_anomaly_t *a;

	p->n_found++;
	p->n_transient += is_transient(p, w);
	if (!array_grow((void **)&p->anomalies, &p->anomalies_room,
		p->n_anomalies, ANOMALIES_MAX, sizeof(*a)))
		return;
	a = &p->anomalies[p->n_anomalies++];
	*a = (ptrace_heap_anomaly_t){
	    .size = sizeof(*a),
	    .check = w->check,
	    .allocator = "ptmalloc",
	    .address = w->address,
	    .chunk = w->chunk,
	    .start = w->chunk != 0 ? w->chunk + CHUNK_HEADER : 0,
	    .before = w->before != 0 ? w->before + CHUNK_HEADER : 0,
	    .arena = w->arena >= 0 && (uint32_t)w->arena < p->n_arenas
		? p->arenas[w->arena].address
		: 0,
	    .has_values = w->has_values,
	    .expected = w->expected,
	    .found = w->found,
	    .transient = is_transient(p, w),
	    .cache_tid = w->cache >= 0 ? p->caches[w->cache].tid : 0,
	    .text = describe(p, w),
	};
}
