/* SPDX-License-Identifier: MIT */
/*
 * Where gperftools' tcmalloc keeps itself, without its private symbols. A
 * thread's local data point to its ThreadCache, which is known by the sizes of
 * its lists. Any object in it leads to the page map: the entry in the module's
 * zero-initialized data through which the object's page comes to a span of just
 * that page and class. The lists of spans lead on to the middle tier.
 */
#include <stdlib.h>

#include "allocators/tcmalloc.h"

enum {
	LOCAL_WORDS = 8192, /* of a thread's block that are searched */
	CENTRAL_CLASS = 8,  /* places within a CentralFreeList */
	CENTRAL_EMPTY = 16,
	CENTRAL_NONEMPTY = 64,
	WITNESSES = 16
};

/* Page sizes that it can be built with, the default first. */
static const unsigned shifts[] = {13, 15, 16, 12, 18};

static const char *const names[] = {
    "tc_malloc", "tc_version", "MallocExtension_GetNumericProperty"};

static bool
defines(struct tc *tc, const ptrace_module_t *m, const char *name)
{
	bt_addr_t address;

	return ptrace_target_symbol_named(
		   tc->target, m, name, &address, NULL) &&
	    address >= m->start && address < m->end;
}

static bool
may_have(struct tc *tc, const ptrace_module_t *m)
{

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (defines(tc, m, names[i]))
			return true;
	/* A stripped program that brings its own malloc. */
	return m->executable &&
	    (ptrace_target_n_modules(tc->target) <= 2 ||
		defines(tc, m, "malloc"));
}

static bool
is_inside(struct tc *tc, ptrace_thread_t *thread)
{
	uint32_t n = ptrace_thread_n_frames(thread);

	for (uint32_t i = 0; i < n && i < 64; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(thread, i);
		bt_addr_t ip = f != NULL ? ptrace_frame_ip(f) : 0;
		const char *name = f != NULL ? ptrace_frame_symbol(f) : "";

		if (ip < tc->module.start || ip >= tc->module.end)
			continue;
		if (tc->module.executable == false ||
		    strstr(name, "tcmalloc") != NULL ||
		    strncmp(name, "tc_", 3) == 0 ||
		    strncmp(name, "malloc", 6) == 0 ||
		    strncmp(name, "operator ", 9) == 0 ||
		    strncmp(name, "free", 4) == 0)
			return true;
	}
	return false;
}

/* ---- threads ---- */

static bool
same_sizes(struct tc *tc, bt_addr_t cache)
{
	uint32_t sizes[TC_CLASSES];

	if (!tc_cache_sizes(tc, cache, sizes))
		return false;
	if (tc->class_size[1] == 0)
		memcpy(tc->class_size, sizes, sizeof(sizes));
	return memcmp(sizes, tc->class_size, sizeof(sizes)) == 0;
}

/* place: where in the block the pointer lies, once it is known. */
static bt_addr_t
cache_of(struct tc *tc, ptrace_thread_t *thread, uint64_t *words, size_t *place)
{
	bt_addr_t block;
	uint64_t size = 0;
	size_t n;

	if (!ptrace_thread_local_block(thread, &tc->module, &block, &size) ||
	    block % 8 != 0)
		return 0;
	if (size > LOCAL_WORDS * 8)
		size = LOCAL_WORDS * 8;
	n = ptrace_target_read_some(
		tc->target, block, words, (size_t)size & ~(size_t)7) /
	    8;
	if (*place < n && words[*place] != 0)
		return same_sizes(tc, words[*place]) ? words[*place] : 0;
	if (*place != SIZE_MAX)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (words[i] < 0x10000 || words[i] >> 47 != 0 ||
		    words[i] % 16 != 0 || !same_sizes(tc, words[i]))
			continue;
		/* The second of two such words holds it always, the first
		 * only while calls may be fast. */
		if (i + 1 < n && words[i + 1] == words[i])
			i++;
		*place = i;
		return words[i];
	}
	return 0;
}

static bool
find_threads(struct tc *tc)
{
	uint32_t n = ptrace_backtrace_n_threads(tc->host->backtrace);
	uint64_t *words = malloc(LOCAL_WORDS * 8);
	size_t place = SIZE_MAX;

	tc->threads = calloc(n > 0 ? n : 1, sizeof(*tc->threads));
	for (uint32_t i = 0; words != NULL && tc->threads != NULL && i < n;
	     i++) {
		ptrace_thread_t *thread = ptrace_backtrace_thread(
		    tc->host->backtrace, i);
		struct tc_thread *t = &tc->threads[tc->n_threads];

		if (thread == NULL)
			continue;
		tc->n_threads++;
		t->tid = ptrace_thread_tid(thread);
		t->inside = is_inside(tc, thread);
		tc->busy = tc->busy || t->inside;
		t->cache = cache_of(tc, thread, words, &place);
		t->place = tc->host->text(
		    tc->host->ctx, "cache of thread %u", t->tid);
		if (t->place == NULL)
			t->place = "cache of a thread";
		tc->n_caches += t->cache != 0;
	}
	free(words);
	return tc->n_caches > 0;
}

/* ---- the page map ---- */

static bool
leads_to(struct tc *tc, bt_addr_t leaf, const struct tc_cached *witness)
{
	uint64_t page = witness->pointer >> tc->page_shift, span;
	struct tc_span s;

	page &= (UINT64_C(1) << tc->leaf_bits) - 1;
	return leaf % 8 == 0 &&
	    memory_u64(&tc->memory, leaf + page * 8, &span) &&
	    tc_span_read(tc, span, &s) && witness->pointer - s.start < s.size &&
	    s.class == witness->class && s.location == TC_IN_USE &&
	    (witness->pointer - s.start) % tc->class_size[s.class] == 0;
}

static bool
search_map(struct tc *tc, const struct tc_cached *witness)
{
	uint64_t index = witness->pointer >> (tc->page_shift + tc->leaf_bits);
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	for (bt_addr_t at = tc->module.start; at < tc->module.end &&
	     ptrace_target_mapping_next(tc->target, at, &m) &&
	     m.start < tc->module.end;
	     at = m.end) {
		bt_addr_t from = m.start, found;
		uint64_t leaf;

		while ((m.permissions & PTRACE_PERM_WRITE) != 0 &&
		    ptrace_target_find_word(tc->target, from, m.end, 0x10000,
			(UINT64_C(1) << 47) - 1, &found, &leaf)) {
			from = found + 8;
			if (leads_to(tc, leaf, witness)) {
				tc->root = found - index * 8;
				return true;
			}
		}
	}
	return false;
}

static bool
find_map(struct tc *tc)
{
	size_t step = tc->n_cached / WITNESSES + 1;

	for (size_t s = 0; s < sizeof(shifts) / sizeof(*shifts); s++) {
		unsigned bits = 48 - shifts[s];

		tc->page_shift = shifts[s];
		tc->leaf_bits = (bits + 1) / 2;
		tc->root_bits = bits - tc->leaf_bits;
		for (size_t i = 0; i < tc->n_cached; i += step)
			if (search_map(tc, &tc->cached[i]))
				return true;
	}
	tc->root = 0;
	return false;
}

/* ---- the middle tier ---- */

static void
try_central(struct tc *tc, uint32_t class, uint64_t head, uint64_t place)
{
	uint64_t central = head - place, number, lock;

	if (head < tc->module.start || head >= tc->module.end ||
	    !memory_u64(&tc->memory, central + CENTRAL_CLASS, &number) ||
	    number != class || !memory_u64(&tc->memory, central, &lock))
		return;
	tc->central[class] = central;
	tc->class_locked[class] = (uint32_t)lock != 0;
}

static bool
find_central(void *ctx, const struct tc_span *s)
{
	struct tc *tc = ctx;
	const uint64_t heads[] = {s->next, s->prev};

	if (s->class == 0 || s->location != TC_IN_USE)
		return true;
	tc->class_used[s->class] = true;
	for (unsigned i = 0; i < 2 && tc->central[s->class] == 0; i++) {
		try_central(tc, s->class, heads[i], CENTRAL_EMPTY);
		try_central(tc, s->class, heads[i], CENTRAL_NONEMPTY);
	}
	return true;
}

static void
read_central(struct tc *tc)
{
	bool missing = false;

	tc_spans_each(tc, find_central, tc);
	for (uint32_t i = 1; i < TC_CLASSES; i++) {
		tc->class_place[i] = "central cache";
		missing = missing || (tc->class_used[i] && tc->central[i] == 0);
		tc_central_read(tc, i);
	}
	/* Somebody inside may be moving the only span of a class. */
	if (missing && tc->busy == false)
		tc->host->remark(tc->host->ctx,
		    "tcmalloc: its central lists were not found; some free "
		    "blocks count as allocated");
}

/* ---- the version ---- */

static void
find_version(struct tc *tc)
{
	static const char mark[] = "gperftools ";
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	enum { CHUNK = 64 << 10 };
	char *bytes = malloc(CHUNK + 1);
	unsigned budget = 256; /* chunks */

	tc->version = "";
	for (bt_addr_t at = tc->module.start;
	     bytes != NULL && tc->version[0] == '\0' && at < tc->module.end &&
	     ptrace_target_mapping_next(tc->target, at, &m) &&
	     m.start < tc->module.end;
	     at = m.end) {
		for (bt_addr_t p = m.start; p < m.end && budget > 0 &&
		     (m.permissions & PTRACE_PERM_WRITE) == 0;
		     p += CHUNK - 64, budget--) {
			size_t n = ptrace_target_read_some(tc->target, p, bytes,
			    m.end - p < CHUNK ? m.end - p : CHUNK);
			char *found = memmem(bytes, n, mark, sizeof(mark) - 1);

			bytes[n] = '\0';
			if (found != NULL) {
				size_t length = strspn(
				    found + sizeof(mark) - 1, "0123456789.");
				const char *text = tc->host->text(tc->host->ctx,
				    "%.*s", (int)(sizeof(mark) - 1 + length),
				    found);

				tc->version = text != NULL ? text : "";
				break;
			}
		}
	}
	free(bytes);
}

static void
forget(struct tc *tc)
{

	free(tc->threads);
	tc->threads = NULL;
	tc->n_threads = tc->n_caches = 0;
	tc->n_cached = tc->n_damage = 0;
	tc->busy = false;
	memset(tc->class_size, 0, sizeof(tc->class_size));
}

static void
read_moving(struct tc *tc)
{
	uint32_t n = ptrace_backtrace_n_threads(tc->host->backtrace);

	for (uint32_t i = 0; tc->busy && i < n; i++) {
		ptrace_thread_t *thread = ptrace_backtrace_thread(
		    tc->host->backtrace, i);

		if (thread != NULL && is_inside(tc, thread))
			tc_moving_read(tc, thread);
	}
}

static bool
try_module(struct tc *tc)
{

	if (!find_threads(tc)) {
		forget(tc);
		return false;
	}
	for (uint32_t i = 0; i < tc->n_threads; i++)
		if (tc->threads[i].cache != 0)
			tc_cache_read(tc, i);
	if (!find_map(tc)) {
		forget(tc);
		tc->host->remark(
		    tc->host->ctx, "tcmalloc: its page map was not found");
		return false;
	}
	read_central(tc);
	tc_cache_sort(tc);
	read_moving(tc);
	find_version(tc);
	return true;
}

/* Threads' caches are in their local storage: a library without any is none,
 * and no file of it is opened. */
bool
tc_find(struct tc *tc)
{
	uint32_t n = ptrace_target_n_modules(tc->target);

	for (uint32_t i = 0; i < n; i++) {
		tc->module = (ptrace_module_t)PTRACE_MODULE_INIT;
		if (ptrace_target_module_listed(tc->target, i, &tc->module) &&
		    (tc->module.tls_size != 0 || tc->module.executable) &&
		    may_have(tc, &tc->module) && try_module(tc))
			return true;
	}
	return false;
}
