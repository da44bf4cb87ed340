/* SPDX-License-Identifier: MIT */
/*
 * The layout as libc's own debug information describes it. It outranks the
 * table of versions, for a distribution's patch may have moved something, but
 * describes types, not rules: that links are mangled (2.32) shows in none.
 */
#include "allocators/ptmalloc.h"

struct unit {
	struct ptmalloc *p;
	bt_addr_t code; /* in malloc's own unit */
	bool open;	/* read it for this */
	bool failed;	/* something is not described as it should be */
};

static bool
has(struct unit *u, const char *type, const char *member,
    ptrace_heap_member_t *out)
{
	const ptrace_heap_host_t *host = u->p->host;

	*out = (ptrace_heap_member_t)PTRACE_HEAP_MEMBER_INIT;
	return host->member != NULL &&
	    host->member(host->ctx, u->code, type, member, u->open, out);
}

/* Where a member lies. elements: how many it must have. */
static uint16_t
offset(struct unit *u, const char *type, const char *member, uint64_t elements)
{
	ptrace_heap_member_t m;

	if (u->failed || !has(u, type, member, &m) || m.elements != elements ||
	    m.bytes % (elements != 0 ? elements : 1) != 0 ||
	    m.offset > UINT16_MAX) {
		u->failed = true;
		return 0;
	}
	return (uint16_t)m.offset;
}

static uint16_t
size(struct unit *u, const char *type)
{
	ptrace_heap_member_t m;

	if (u->failed || !has(u, type, NULL, &m) || m.bytes == 0 ||
	    m.bytes > UINT16_MAX) {
		u->failed = true;
		return 0;
	}
	return (uint16_t)m.bytes;
}

/* What the other files take for granted. */
static void
must_lie_at(struct unit *u, const char *type, const char *member, uint16_t at)
{

	if (offset(u, type, member, 1) != at)
		u->failed = true;
}

static void
describe_arena(struct unit *u, struct pt_layout *l)
{
	static const char type[] = "malloc_state", heap[] = "_heap_info";

	l->fastbins = offset(u, type, "fastbinsY", FASTBINS);
	l->top = offset(u, type, "top", 1);
	l->bins = offset(u, type, "bins", 2 * BINS);
	l->next = offset(u, type, "next", 1);
	l->system_mem = offset(u, type, "system_mem", 1);
	l->state_size = size(u, type);
	must_lie_at(u, type, "mutex", 0);
	must_lie_at(u, type, "flags", 4);
	l->heap_info = size(u, heap);
	must_lie_at(u, heap, "ar_ptr", 0);
	must_lie_at(u, heap, "prev", 8);
	must_lie_at(u, heap, "size", 16);
	must_lie_at(u, "malloc_chunk", "fd", 16);
	must_lie_at(u, "malloc_chunk", "bk", 24);
	must_lie_at(u, "malloc_chunk", "fd_nextsize", 32);
}

static void
describe_cache(struct unit *u, struct pt_layout *l)
{
	static const char type[] = "tcache_perthread_struct",
			  entry[] = "tcache_entry";
	ptrace_heap_member_t m;

	if (!has(u, type, NULL, &m)) /* before 2.26 */
		return;
	l->tcache_entries = offset(u, type, "entries", TCACHE_BINS);
	must_lie_at(u, entry, "next", 0);
	l->tcache_chunk = (uint16_t)((size(u, type) + 8u + CHUNK_ALIGN - 1) &
	    ~(CHUNK_ALIGN - 1u));
	if (offset(u, type, "counts", TCACHE_BINS) != 0 ||
	    !has(u, type, "counts", &m) || m.bytes / TCACHE_BINS > 2)
		u->failed = true;
	else
		l->tcache_count = (uint16_t)(m.bytes / TCACHE_BINS);
	if (has(u, entry, "key", &m)) {
		l->tcache_keyed = true;
		l->tcache_key_is_address = m.pointer;
		if (m.offset != 8)
			u->failed = true;
	}
}

static void
describe_parameters(struct unit *u, struct pt_layout *l)
{
	static const char type[] = "malloc_par";

	must_lie_at(u, type, "trim_threshold", 0);
	must_lie_at(u, type, "top_pad", 8);
	must_lie_at(u, type, "mmap_threshold", 16);
	must_lie_at(u, type, "arena_test", 24);
	l->mmaps = offset(u, type, "n_mmaps", 1);
	must_lie_at(u, type, "n_mmaps_max", (uint16_t)(l->mmaps + 4));
	l->mmapped_mem = offset(u, type, "mmapped_mem", 1);
}

bool
pt_describe(struct ptmalloc *p, bool open, struct pt_layout *out)
{
	struct unit u = {.p = p, .open = open};
	struct pt_layout l = {0};

	if (!ptrace_target_symbol_named(
		p->host->target, &p->module, "malloc", &u.code, NULL))
		return false;
	describe_arena(&u, &l);
	describe_cache(&u, &l);
	describe_parameters(&u, &l);
	/* Between 2.29 and 2.33 the version decides, or what the lists show. */
	l.mangled = l.tcache_keyed;
	if (u.failed == false)
		*out = l;
	return u.failed == false;
}

/* ---- mangled or not ---- */

static bool
may_be_link(struct ptmalloc *p, uint64_t link)
{

	return link == 0 ||
	    (link % CHUNK_ALIGN == 0 && pt_segment_at(p, link) != NULL);
}

/* First links of the caches' lists that make sense read one way and not the
 * other. */
void
pt_learn_mangling(struct ptmalloc *p)
{
	const struct pt_layout *l = &p->layout;
	unsigned plain = 0, mangled = 0;

	for (uint32_t c = 0; c < p->n_caches; c++) {
		for (unsigned i = 0; i < TCACHE_BINS; i++) {
			uint64_t head, link;
			bool one, other;

			if (!memory_u64(&p->memory,
				p->caches[c].address + l->tcache_entries +
				    8 * i,
				&head) ||
			    head == 0 || !may_be_link(p, head) ||
			    !memory_u64(&p->memory, head, &link))
				continue;
			one = may_be_link(p, link);
			other = may_be_link(p, link ^ head >> 12);
			plain += one && !other;
			mangled += other && !one;
		}
	}
	if (plain != mangled)
		p->layout.mangled = mangled > plain;
}
