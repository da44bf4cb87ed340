/* SPDX-License-Identifier: MIT */
/*
 * jemalloc 5.2 and 5.3 as they lie in a process, shared by the files of this
 * folder that read it: jemalloc_layout.c has what differs between the versions,
 * jemalloc_find.c finds the roots, jemalloc_extent.c reads extents and
 * the tree over them, jemalloc_cache.c the threads' caches, jemalloc_check.c
 * holds the invariants, jemalloc.c answers.
 *
 * All sizes and places below are those of the release's headers; they do not
 * depend on how it was configured, unless it says so here and is found out from
 * the process itself.
 */
#ifndef JEMALLOC_H
#define JEMALLOC_H

#include "allocators/array.h"
#include <ptrace/heap.h>

enum {
	JE_PAGE = 4096,
	JE_BITMAP_WORDS = 8, /* 512 regions: a page of 8 bytes each */
	JE_BINS_MAX = 80,    /* of a thread's cache; 73 by default */
	JE_CACHED_MAX = 8 << 20,
	JE_LARGE_MAX = 8 << 20
};

enum je_state {
	JE_ACTIVE,
	JE_DIRTY,
	JE_MUZZY,
	JE_RETAINED,
	JE_TRANSITION, /* being changed */
	JE_MERGING
};

/* The radix tree over addresses: how many bits of a page number choose the
 * entry in the root, in a node and in a leaf. */
struct je_tree {
	bt_addr_t root;
	unsigned root_bits, node_bits, leaf_bits; /* node_bits 0: two levels */
	unsigned stride;			  /* bytes of a leaf's entry */
};

/* What differs between versions. */
struct je_layout {
	const char *prefix; /* of the version: "5.3." */
	/* Of the first word of an extent's description: where its fields
	 * begin. */
	uint8_t state_shift, class_shift, free_shift;
	uint8_t state_mask;
	uint8_t align;	     /* of descriptions */
	uint8_t entry_flags; /* low bits of a packed entry of the tree */
	/* A bin of a thread's cache counts what it holds; else its pointer to
	 * the top of the stack tells. */
	bool counted_bins;
};

struct je_extent { /* a run of pages: a slab of regions, or one large block */
	bt_addr_t edata;
	bt_addr_t base;	   /* first page */
	bt_addr_t address; /* base, and a random offset for large ones */
	uint64_t size;	   /* whole pages */
	uint64_t region;   /* bytes of its size class, 0: not known */
	uint32_t arena, class, free_regions;
	uint32_t state; /* enum je_state */
	bool slab;
	uint64_t bitmap[JE_BITMAP_WORDS]; /* 1: free */
};

struct je_thread {
	uint32_t tid;
	bool inside;	 /* in the allocator's code: may be changing things */
	bt_addr_t cache; /* its tcache_t, 0: none */
	bt_addr_t stack; /* where the cached pointers are kept */
	const char *place;
};

struct je_cached { /* one pointer in a thread's cache; array_sort needs the
		    * first two words */
	bt_addr_t pointer;
	bt_addr_t slot; /* where it is kept */
	uint32_t thread, bin;
};

struct je_large { /* pages of an extent that is no slab */
	bt_addr_t start, end, edata;
};

struct je {
	const ptrace_heap_host_t *host;
	ptrace_target_t *target;
	ptrace_module_t module;
	const char *version;
	const struct je_layout *layout;
	struct je_tree tree;
	unsigned quantum; /* 16, or 8 by configuration */
	bool busy;	  /* a thread is in the allocator */

	struct je_thread *threads;
	uint32_t n_threads, n_caches;
	/* Blocks that a thread inside may just be putting into its cache. */
	bt_addr_t *moving; /* ascending */
	size_t n_moving, room_moving;
	bt_addr_t *stacks; /* of the caches, ascending */
	uint32_t n_stacks;
	struct je_cached *cached; /* by pointer */
	size_t n_cached, room_cached;

	/* Names of arenas, NULL: not asked for yet. */
	const char *owners[4096];
	bool has_large;
	struct je_large *large; /* by address; made when first asked for */
	size_t n_large, room_large;
};

/* ---- reading ---- */

bool je_word(struct je *je, bt_addr_t address, uint64_t *out);

/* jemalloc_layout.c */
/* Of a version as the library says it, or NULL; i: which of several that are
 * possible. NULL: no more. */
const struct je_layout *je_layout_of(const char *version, size_t i);

/* jemalloc_find.c: version, roots, threads. NULL: not there or not known. */
bool je_find(struct je *je);

/* jemalloc_cache.c */
/* The place of the cache (tcache_t) in a thread's local block. */
bool je_cache_find(const struct je_layout *layout, const uint64_t *words,
    size_t n, size_t *place);
bool je_cache_read(struct je *je, uint32_t thread);
void je_cache_sort(struct je *je);
bool je_is_moving(const struct je *je, bt_addr_t pointer);
/* The first entry at or above an address. */
size_t je_cache_index(const struct je *je, bt_addr_t pointer);
const struct je_cached *je_cache_entry(const struct je *je, bt_addr_t pointer);

/* jemalloc_extent.c */
uint64_t je_class_size(const struct je *je, uint32_t class);
bool je_extent_read(struct je *je, bt_addr_t edata, struct je_extent *out);
/* What the tree has for an address: 0 when nothing. */
bt_addr_t je_tree_edata(struct je *je, bt_addr_t address);
/* The extent that holds an address. */
bool je_extent_at(struct je *je, bt_addr_t address, struct je_extent *out);
/* All extents by address, as the tree has them, until fn says false. False: a
 * limit ended it. */
typedef bool je_extent_fn(void *ctx, const struct je_extent *extent);
/* An entry of the tree that no extent explains. */
typedef void je_stray_fn(void *ctx, bt_addr_t page, bt_addr_t edata);
bool je_extents_each(
    struct je *je, je_extent_fn *fn, je_stray_fn *stray, void *ctx);

/* jemalloc_check.c */
bool je_check(void *allocator, ptrace_heap_report_fn *report, void *ctx,
    ptrace_heap_statistics_t *out);

/* jemalloc.c: the i-th block of an extent; a large one has one. */
uint32_t je_blocks(const struct je_extent *x);
void je_block(struct je *je, const struct je_extent *x, uint32_t i,
    const struct je_cached *cached, ptrace_heap_block_t *out);
typedef void je_blocks_fn(
    void *ctx, const struct je_extent *x, const ptrace_heap_block_t *block);
bool je_walk(void *allocator, ptrace_heap_visit_fn *visit, void *ctx);

#endif
