/* SPDX-License-Identifier: MIT */
/*
 * glibc's allocator, 2.17 to 2.41: what its files share.
 *
 * Blocks ("chunks") lie one behind the other; each begins with two words, the
 * size of the chunk before (valid only while that one is free) and its own
 * size with three flags. A chunk is free when the flag in its successor says
 * so, but those in a thread's cache (tcache) and in fastbins keep their flag:
 * only the lists tell. So the lists are read first, into one sorted array,
 * and a walk over the chunks goes along with it.
 */
#ifndef ALLOCATORS_PTMALLOC_H
#define ALLOCATORS_PTMALLOC_H

#include <inttypes.h>

#include "allocators/memory.h"

enum { /* of a chunk's size word */
	CHUNK_PREV_IN_USE = 1,
	CHUNK_MAPPED = 2,
	CHUNK_NON_MAIN = 4,
	CHUNK_FLAGS = 7
};

enum {
	CHUNK_MIN = 32,
	CHUNK_ALIGN = 16,
	CHUNK_HEADER = 16, /* from a chunk to its user pointer */
	FASTBINS = 10,
	BINS = 127,
	TCACHE_BINS = 64,
	ARENAS_MAX = 4096,
	SEGMENTS_MAX = 65536,
	THREADS_MAX = 65535,
	MAPPED_MAX = 65536
};

/* What differs between versions. */
struct pt_layout {
	/* struct malloc_state */
	uint16_t fastbins, top, bins, next, system_mem, state_size;
	uint16_t heap_info; /* size of struct heap_info */
	/* struct tcache_perthread_struct; chunk size 0: no such cache. */
	uint16_t tcache_chunk, tcache_count, tcache_entries;
	bool tcache_keyed; /* second word of a cached chunk is a mark */
	bool tcache_key_is_address; /* of the cache, else a random number */
	bool mangled;		    /* single links: x ^ (its address >> 12) */
};

/* Where a chunk is free. */
enum pt_list { PT_TCACHE = 1, PT_FAST, PT_UNSORTED, PT_SMALL, PT_LARGE };

/* chunk >> 4 (43 bits), list (4 bits), owner (16 bits): the index of an arena
 * or cache. Sorting these sorts by address. */
typedef uint64_t pt_free;
#define PT_FREE_CHUNK(F) ((bt_addr_t)((F) >> 20) << 4)
#define PT_FREE_LIST(F) ((unsigned)((F) >> 16 & 15))
#define PT_FREE_OWNER(F) ((unsigned)((F)&0xffff))

struct pt_arena {
	bt_addr_t address;
	bt_addr_t top; /* 0: none yet */
	uint64_t top_size, system_mem;
	bool main, locked;
	bool transient; /* being changed */
	bool contiguous;
};

/* A run of chunks: a heap of an arena, or a part of the main one. */
struct pt_segment {
	bt_addr_t start, end; /* first chunk; behind the last byte */
	uint32_t arena;
	/* Starts of chunks, one each `step` bytes, as far as the walk came. */
	bt_addr_t *index;
	uint32_t n_index, room;
	uint64_t step;
	bt_addr_t indexed_to; /* the next chunk that was not looked at */
	bt_addr_t before;     /* the chunk before it */
};

struct pt_cache {
	bt_addr_t address;
	int32_t tid;
	bool busy; /* its thread is inside the allocator */
};

struct pt_mapped {
	bt_addr_t chunk;
	uint64_t size, lead; /* lead: bytes of the mapping before it */
};

struct ptmalloc {
	const ptrace_heap_host_t *host;
	struct memory memory;
	struct pt_layout layout;
	const char *version; /* "glibc 2.36" or "" */
	ptrace_module_t module;
	bt_addr_t main_arena;

	struct pt_arena *arenas;
	uint32_t n_arenas;
	struct pt_segment *segments; /* sorted by address */
	uint32_t n_segments;
	struct pt_cache *caches;
	uint32_t n_caches;
	struct pt_mapped *mapped;
	uint32_t n_mapped;
	bool mapped_known;

	pt_free *frees;
	size_t n_frees, frees_room;
	bool frees_known, frees_partial;
	uint64_t key; /* of cached chunks, 0: unknown */

	/* The process died of what the allocator met. */
	bool died_inside;
	bool no_caches; /* they could not be found: freed may look in use */

	/* While checking; NULL else. */
	ptrace_heap_report_fn *report;
	void *report_ctx;
	uint32_t reported;
};

/* ptmalloc_find.c */
/* Finds the arena in the data of libc or of a static program, and with it the
 * layout. */
bool pt_find(struct ptmalloc *p);

/* ptmalloc_layout.c */
/* Of "2.36": 36; 0 when the version cannot be read. */
unsigned pt_minor(struct ptmalloc *p);
/* NULL: that version is not known to us. */
const struct pt_layout *pt_layout_of(unsigned minor);
/* All of them, the newest first; NULL: no more. */
const struct pt_layout *pt_layout_at(size_t i);

#endif /* ALLOCATORS_PTMALLOC_H */
