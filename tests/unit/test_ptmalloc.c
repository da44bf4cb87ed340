/* SPDX-License-Identifier: MIT */
/*
 * glibc's heap as all its versions since 2.17 have laid it out, written here
 * byte by byte: two arenas, a thread cache, a fastbin, the unsorted bin. Each
 * is found without symbols, walked, and found wrong where it was made so.
 */
#include <signal.h>

#include "module/module.h"
#include "unit/target_fixture.h"

extern const ptrace_allocator_t ptrace_allocator_ptmalloc;

enum {
	HEAP_SIZE = 0x21000,
	STATE_AT = 0x100, /* of the main arena in libc's data */
	TP_AT = 0x800,	  /* thread pointer in its page */
	TID = 77
};

static const uint64_t libc_at = 0x7f0000000000, data_at = 0x7f0000003000,
		      tls_at = 0x7f0000100000, heap_at = 0x555500000000,
		      other_at = 0x7f1234000000;

struct version {
	const char *name; /* of libc's file */
	unsigned fastbins, top, bins, next, system_mem, state_size, heap_info;
	unsigned cache_chunk, count_size, entries;
	bool keyed, key_is_address, mangled;
};

#define OLD 8, 88, 104, 2152
#define NEW 16, 96, 112, 2160
static const struct version versions[] = {
    {"libc-2.17.so", OLD, 2168, 2184, 32, 0, 0, 0, false, false, false},
    {"libc-2.22.so", OLD, 2168, 2184, 32, 0, 0, 0, false, false, false},
    {"libc-2.24.so", OLD, 2176, 2192, 32, 0, 0, 0, false, false, false},
    {"libc-2.26.so", OLD, 2176, 2192, 32, 0x250, 1, 64, false, false, false},
    {"libc-2.27.so", NEW, 2184, 2200, 32, 0x250, 1, 64, false, false, false},
    {"libc-2.28.so", NEW, 2184, 2200, 32, 0x250, 1, 64, false, false, false},
    {"libc-2.29.so", NEW, 2184, 2200, 32, 0x250, 1, 64, true, true, false},
    {"libc-2.31.so", NEW, 2184, 2200, 32, 0x290, 2, 128, true, true, false},
    {"libc-2.33.so", NEW, 2184, 2200, 32, 0x290, 2, 128, true, true, true},
    {"libc-2.34.so", NEW, 2184, 2200, 32, 0x290, 2, 128, true, false, true},
    {"libc-2.36.so", NEW, 2184, 2200, 48, 0x290, 2, 128, true, false, true},
    {"libc-2.41.so", NEW, 2184, 2200, 48, 0x290, 2, 128, true, false, true},
};

struct heap {
	const struct version *v;
	uint8_t data[4096], tls[4096], main[HEAP_SIZE], other[HEAP_SIZE];
	uint64_t used, cached, freed;	    /* blocks */
	uint64_t first, tail, plain, large; /* chunks: cached, cached, used,
					     * unsorted */
};

static uint64_t
mangle(const struct heap *h, uint64_t at, uint64_t to)
{
	return h->v->mangled ? to ^ at >> 12 : to;
}

static void
word(struct heap *h, uint64_t address, uint64_t value)
{
	if (address - heap_at < HEAP_SIZE)
		put64(h->main, address - heap_at, value);
	else if (address - other_at < HEAP_SIZE)
		put64(h->other, address - other_at, value);
	else
		fail("0x%llx is in no heap", (unsigned long long)address);
}

/* The list heads of an arena that has nothing in them. */
static void
make_arena(
    struct heap *h, uint8_t *bytes, uint64_t at, uint64_t next, uint64_t top)
{
	for (unsigned i = 0; i < 127; i++) {
		uint64_t head = at + h->v->bins + 16 * i - 16;

		put64(bytes, h->v->bins + 16 * i, head);
		put64(bytes, h->v->bins + 16 * i + 8, head);
	}
	put64(bytes, h->v->top, top);
	put64(bytes, h->v->next, next);
	put64(bytes, h->v->system_mem, HEAP_SIZE);
}

static uint64_t
chunk(struct heap *h, uint64_t *at, uint64_t size, uint64_t flags)
{
	uint64_t here = *at;

	word(h, here + 8, size | flags);
	*at += size;
	return here;
}

static void
make_cache(struct heap *h, uint64_t cache, uint64_t key)
{
	uint64_t slot = cache + h->v->entries + 8; /* of 0x30 bytes */

	if (h->v->count_size == 1)
		h->main[cache - heap_at + 1] = 2;
	else
		put16(h->main, cache - heap_at + 2, 2);
	word(h, slot, h->first + 16);
	word(h, h->first + 16, mangle(h, h->first + 16, h->tail + 16));
	word(h, h->tail + 16, mangle(h, h->tail + 16, 0));
	if (h->v->keyed) {
		word(h, h->first + 24, h->v->key_is_address ? cache : key);
		word(h, h->tail + 24, h->v->key_is_address ? cache : key);
	}
	put64(h->tls, TP_AT - 0x48, cache);
}

static void
make_main(struct heap *h)
{
	const struct version *v = h->v;
	const uint64_t key = 0x1234567890abcdef;
	uint64_t at = heap_at, cache = 0, arena = data_at + STATE_AT, fast[2];

	if (v->cache_chunk != 0)
		cache = chunk(h, &at, v->cache_chunk, 1) + 16;
	chunk(h, &at, 0x30, 1);
	h->first = chunk(h, &at, 0x30, 1);
	h->plain = chunk(h, &at, 0x40, 1);
	h->tail = chunk(h, &at, 0x30, 1);
	fast[0] = chunk(h, &at, 0x40, 1);
	chunk(h, &at, 0x30, 1);
	fast[1] = chunk(h, &at, 0x40, 1);
	h->large = chunk(h, &at, 0x500, 1);
	word(h, at, 0x500);
	chunk(h, &at, 0x60, 0);
	make_arena(h, h->data + STATE_AT, arena, other_at + v->heap_info, at);
	chunk(h, &at, heap_at + HEAP_SIZE - at, 1);
	h->used = 4;
	h->freed = 3;
	if (cache != 0) {
		make_cache(h, cache, key);
		h->cached = 2;
	} else {
		h->used += 2;
	}
	put64(h->data, 0xf00, key);
	put64(h->data + STATE_AT, v->fastbins + 16, fast[0]);
	word(h, fast[0] + 16, mangle(h, fast[0] + 16, fast[1]));
	word(h, fast[1] + 16, mangle(h, fast[1] + 16, 0));
	put64(h->data + STATE_AT, v->bins, h->large);
	put64(h->data + STATE_AT, v->bins + 8, h->large);
	word(h, h->large + 16, arena + v->bins - 16);
	word(h, h->large + 24, arena + v->bins - 16);
	put64(h->tls, TP_AT - 0x30, arena);
}

/* An arena of its own, with two blocks. */
static void
make_other(struct heap *h)
{
	uint64_t arena = other_at + h->v->heap_info, at, top;

	at = (arena + h->v->state_size + 15) & ~UINT64_C(15);
	word(h, other_at, arena);
	word(h, other_at + 16, HEAP_SIZE);
	chunk(h, &at, 0x90, 5);
	chunk(h, &at, 0x70, 5);
	top = at;
	chunk(h, &at, other_at + HEAP_SIZE - at, 1);
	make_arena(
	    h, h->other + h->v->heap_info, arena, data_at + STATE_AT, top);
	h->used += 2;
}

static struct heap *
make(const struct version *v)
{
	struct heap *h = calloc(1, sizeof(*h));

	assert_not_null(h);
	h->v = v;
	make_main(h);
	make_other(h);
	return h;
}

/* ---- asking ---- */

static struct {
	ptrace_heap_statistics_t s;
	bool has;
	uint32_t checks[16], n; /* of anomalies */
} seen;

static void
look(ptrace_backtrace_t *bt)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;

	memset(&seen, 0, sizeof(seen));
	seen.s.size = sizeof(seen.s);
	seen.has = ptrace_heap_statistics(t, 0, &seen.s);
	while (seen.n < 16 && ptrace_heap_anomaly(t, seen.n, &a))
		seen.checks[seen.n++] = a.check;
}

static bool
load(pmodule_t *pm)
{
	return pmodule_postattach_event_add(pm, look);
}

/* Of the time that the allocators may take; and whether it passes. */
static struct {
	uint64_t limit, now, step;
	bool limited;
} clock_of_host;

static uint64_t
tick(void *ctx)
{

	(void)ctx;
	clock_of_host.now += clock_of_host.step;
	return clock_of_host.now;
}

static bool
has_warning(const struct snapshot *s, const char *code)
{

	for (size_t i = 0; i < s->warnings.count; i++)
		if (strcmp(s->warnings.items[i].code, code) == 0)
			return true;
	return false;
}

static void
ask(struct heap *h)
{
	static const pmodule_descriptor_t descriptor = {
	    .abi_version = PMODULE_ABI_VERSION,
	    .size = sizeof(descriptor),
	    .name = "look",
	    .load = load};
	static const ptrace_allocator_t *const allocators[] = {
	    &ptrace_allocator_ptmalloc};
	char path[64];
	struct core_mapped files[3];
	struct module_host_options options = {.allocators = allocators,
	    .n_allocators = 1,
	    .heap_time_ns = clock_of_host.limit,
	    .clock = clock_of_host.limit != 0 ? tick : NULL};
	struct module_host *host;
	struct snap_thread *thread;
	struct snapshot snapshot;
	struct core_file c;
	struct opened o;
	bt_error_t e;

	snprintf(path, sizeof(path), "/nowhere/%s", h->v->name);
	core_file_init(&c);
	core_thread(&c, TID, SIGSEGV, tls_at + TP_AT);
	/* fs_base of the first note. */
	put64(c.notes.data, 20 + 112 + 21 * 8, tls_at + TP_AT);
	core_mapped_files(&c, 3, 4096, files, elf_mapped(files, libc_at, path));
	core_segment(&c, heap_at, HEAP_SIZE, PF_R | PF_W, h->main, HEAP_SIZE);
	elf_segments(&c, libc_at, NULL, h->data);
	core_segment(&c, tls_at, 4096, PF_R | PF_W, h->tls, 4096);
	core_segment(&c, other_at, HEAP_SIZE, PF_R | PF_W, h->other, HEAP_SIZE);
	options.target = open_core(&o, &c);
	assert_true(snapshot_init(&snapshot, 16 << 20));
	options.snapshot = &snapshot;
	thread = vec_push(&snapshot.threads);
	assert_not_null(thread);
	thread->tid = TID;
	host = module_host_create(&options);
	assert_not_null(host);
	assert_ok(module_host_add(host, &descriptor, &e), &e);
	module_host_run(host);
	module_host_destroy(host);
	clock_of_host.limited = has_warning(&snapshot, "heap.limit");
	snapshot_deinit(&snapshot);
	close_core(&o);
	core_file_deinit(&c);
}

/* The limit of time is one of the process's own time: while others have the
 * processors, that stands still. */
TEST(limit_of_time)
{
	struct heap *h = make(&versions[10]);

	clock_of_host.limit = 1;
	clock_of_host.step = 0;
	ask(h);
	expect_false(clock_of_host.limited);
	expect_true(seen.has && seen.s.complete);
	clock_of_host.step = 1000;
	ask(h);
	expect_true(clock_of_host.limited);
	expect_true(seen.has && !seen.s.complete);
	/* One that goes back is not taken for one that has run out. */
	clock_of_host.now = UINT64_C(1) << 40;
	clock_of_host.step = UINT64_MAX;
	ask(h);
	expect_false(clock_of_host.limited);
	free(h);
}

TEST(walks_every_version)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		struct heap *h = make(&versions[i]);
		char version[16];

		ask(h);
		snprintf(version, sizeof(version), "glibc 2.%.2s",
		    versions[i].name + 7);
		if (!expect_true(seen.has) || !expect_uint(seen.n, 0) ||
		    !expect_uint(seen.s.arenas, 2) ||
		    !expect_uint(seen.s.caches, h->cached != 0) ||
		    !expect_uint(seen.s.allocated_blocks, h->used) ||
		    !expect_uint(seen.s.cached_blocks, h->cached) ||
		    !expect_uint(seen.s.free_blocks, h->freed) ||
		    !expect_true(seen.s.complete) ||
		    !expect_uint(seen.s.system_bytes, 2 * HEAP_SIZE))
			test_fail(TEST_SOFT, "%s", versions[i].name);
		free(h);
	}
}

/* What is overwritten, and what is to be found. */
static void
damage_size(struct heap *h)
{
	word(h, h->plain + 8, 0x4141414141414141);
}

static void
damage_flag(struct heap *h)
{
	word(h, h->plain + 8, 0x40);
}

static void
damage_back_link(struct heap *h)
{
	word(h, h->large + 24, 0x4242);
}

static void
damage_last_word(struct heap *h)
{
	word(h, h->large + 0x500, 0x4343);
}

static void
damage_fast_link(struct heap *h)
{
	uint64_t first;

	memcpy(&first, h->data + STATE_AT + h->v->fastbins + 16, 8);
	word(h, first + 16, 0x123456789abcdef0);
}

static void
damage_top(struct heap *h)
{
	uint64_t top;

	memcpy(&top, h->data + STATE_AT + h->v->top, 8);
	word(h, top + 8, UINT64_MAX);
}

static const struct {
	const char *what;
	void (*damage)(struct heap *h);
	uint32_t check;
} damages[] = {
    {"a size", damage_size, PTRACE_HEAP_CHECK_SIZE},
    {"the flag in a size", damage_flag, PTRACE_HEAP_CHECK_IN_USE},
    {"a link of a bin", damage_back_link, PTRACE_HEAP_CHECK_LINK},
    {"the size behind a free block", damage_last_word,
	PTRACE_HEAP_CHECK_PREV_SIZE},
    {"a link of a fastbin", damage_fast_link, PTRACE_HEAP_CHECK_LINK},
    {"the size of the rest", damage_top, PTRACE_HEAP_CHECK_TOP},
};

TEST(finds_what_is_wrong_in_every_version)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		for (size_t k = 0; k < sizeof(damages) / sizeof(*damages);
		     k++) {
			struct heap *h = make(&versions[i]);
			bool found = false;

			damages[k].damage(h);
			ask(h);
			for (uint32_t j = 0; j < seen.n; j++)
				found = found ||
				    seen.checks[j] == damages[k].check;
			if (!expect_true(found))
				test_fail(TEST_SOFT, "%s: %s, of %u",
				    versions[i].name, damages[k].what, seen.n);
			free(h);
		}
}

static void
damage_cache_link(struct heap *h)
{
	word(h, h->first + 16, 0x123456789abcdef0);
}

static void
damage_count(struct heap *h)
{
	h->main[16 + h->v->count_size] = 5;
}

static void
damage_twice(struct heap *h)
{
	word(h, h->tail + 16, mangle(h, h->tail + 16, h->first + 16));
}

TEST(finds_what_is_wrong_in_caches)
{
	static const struct {
		const char *what;
		void (*damage)(struct heap *h);
		uint32_t check;
	} table[] = {
	    {"a link", damage_cache_link, PTRACE_HEAP_CHECK_LINK},
	    {"a count", damage_count, PTRACE_HEAP_CHECK_COUNT},
	    {"a circle", damage_twice, PTRACE_HEAP_CHECK_TWICE},
	};

	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		for (size_t k = 0; versions[i].cache_chunk != 0 &&
		     k < sizeof(table) / sizeof(*table);
		     k++) {
			struct heap *h = make(&versions[i]);
			bool found = false;

			table[k].damage(h);
			ask(h);
			for (uint32_t j = 0; j < seen.n; j++)
				found = found ||
				    seen.checks[j] == table[k].check;
			if (!expect_true(found))
				test_fail(TEST_SOFT, "%s: %s, of %u",
				    versions[i].name, table[k].what, seen.n);
			free(h);
		}
}

/* A version that nobody knows is not guessed at. */
TEST(refuses_later_versions)
{
	struct version later =
	    versions[sizeof(versions) / sizeof(*versions) - 1];
	struct heap *h;

	later.name = "libc-2.42.so";
	h = make(&later);
	ask(h);
	expect_false(seen.has);
	free(h);
}
