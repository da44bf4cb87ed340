/* SPDX-License-Identifier: MIT */
/*
 * gperftools' tcmalloc (2.5 to 2.15) as it lies in a process, shared by the
 * files of this folder that read it: tcmalloc_find.c finds the roots,
 * tcmalloc_span.c reads spans and the page map, tcmalloc_cache.c the free lists
 * of threads and of the middle tier, tcmalloc_check.c holds the invariants,
 * tcmalloc.c answers.
 */
#ifndef TCMALLOC_H
#define TCMALLOC_H

#include <string.h>

#include "allocators/array.h"
#include "allocators/memory.h"

enum {
	TC_CLASSES = 128,
	TC_CACHED_MAX = 8 << 20,
	TC_LARGE_MAX = 8 << 20,
	TC_DAMAGE_MAX = 1000,
	TC_OBJECTS_MAX = 1 << 16, /* of a span */
	TC_NO_THREAD = -1
};

enum tc_location { TC_IN_USE, TC_FREE, TC_RETURNED };

struct tc_span {	/* a run of pages: objects of one class, or one block */
	bt_addr_t span; /* the struct itself */
	bt_addr_t start;
	uint64_t size;	   /* bytes */
	bt_addr_t objects; /* head of its list of free objects */
	uint64_t next, prev;
	uint32_t references; /* objects that are out, in caches included */
	uint32_t class;	     /* 0: one block */
	uint32_t location;   /* enum tc_location */
	bool sampled;
};

struct tc_thread {
	uint32_t tid;
	bool inside;
	bt_addr_t cache; /* ThreadCache, 0: none */
	const char *place;
};

struct tc_cached { /* array_sort needs the first two words */
	bt_addr_t pointer;
	bt_addr_t link; /* the word that leads to it */
	int32_t thread; /* TC_NO_THREAD: in the middle tier */
	uint32_t class;
};

struct tc_damage { /* met while lists were read */
	uint32_t check;
	bt_addr_t word, object;
	uint64_t expected, found;
	bool has_values, transient;
	int32_t thread;
	uint32_t class;
	const char *text;
};

struct tc_large { /* pages of a span without a class */
	bt_addr_t start, end, span;
};

struct tc {
	const ptrace_heap_host_t *host;
	ptrace_target_t *target;
	struct memory memory, nodes; /* spans and tables; objects */
	ptrace_module_t module;
	const char *version;
	bool busy;

	/* The page map: two levels. */
	bt_addr_t root;
	unsigned page_shift, root_bits, leaf_bits;

	uint32_t class_size[TC_CLASSES]; /* bytes, 0: unused */
	const char *class_place[TC_CLASSES];
	bt_addr_t central[TC_CLASSES]; /* middle tier, 0: not found */
	bool class_used[TC_CLASSES], class_locked[TC_CLASSES];

	struct tc_thread *threads;
	uint32_t n_threads, n_caches;
	struct tc_cached *cached; /* by pointer */
	size_t n_cached, room_cached;
	struct tc_damage *damage;
	size_t n_damage, room_damage;

	/* Blocks that a thread may be carrying between two lists, by address.
	 */
	bt_addr_t *moving;
	size_t n_moving, room_moving;

	bool has_large;
	struct tc_large *large;
	size_t n_large, room_large;

	/* Free objects of the span that was looked at last. */
	bt_addr_t seen_span;
	uint8_t *seen; /* a bit for each object */
};

bool tc_find(struct tc *tc);

/* Sizes of the classes when a ThreadCache lies at the address. */
bool tc_cache_sizes(struct tc *tc, bt_addr_t cache, uint32_t *sizes);
void tc_cache_read(struct tc *tc, uint32_t thread);
void tc_central_read(struct tc *tc, uint32_t class);
void tc_moving_read(struct tc *tc, ptrace_thread_t *thread);
bool tc_is_moving(const struct tc *tc, bt_addr_t object);
void tc_cache_sort(struct tc *tc);
size_t tc_cache_index(const struct tc *tc, bt_addr_t pointer);
const struct tc_cached *tc_cache_entry(const struct tc *tc, bt_addr_t pointer);
void tc_damaged(struct tc *tc, const struct tc_damage *damage);

bool tc_span_read(struct tc *tc, bt_addr_t span, struct tc_span *out);
bt_addr_t tc_page_span(struct tc *tc, bt_addr_t address);
bool tc_span_at(struct tc *tc, bt_addr_t address, struct tc_span *out);
typedef bool tc_span_fn(void *ctx, const struct tc_span *span);
bool tc_spans_each(struct tc *tc, tc_span_fn *fn, void *ctx);
uint32_t tc_objects(const struct tc *tc, const struct tc_span *s);
/* Marks the span's free objects in tc->seen. damage: where to say what is
 * wrong with the list; NULL: nowhere. */
typedef void tc_damage_fn(void *ctx, const struct tc_damage *damage);
void tc_span_mark(
    struct tc *tc, const struct tc_span *s, tc_damage_fn *damage, void *ctx);

bool tc_walk(void *allocator, ptrace_heap_visit_fn *visit, void *ctx);
bool tc_check(void *allocator, ptrace_heap_report_fn *report, void *ctx,
    ptrace_heap_statistics_t *out);

#endif
