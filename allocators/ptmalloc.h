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

#include "allocators/array.h"
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
	/* struct malloc_par: n_mmaps, behind which n_mmaps_max lies */
	uint16_t mmaps, mmapped_mem;
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
	uint64_t system_mem;
	bool main, locked, contiguous;
	bool transient; /* it was being changed */
	int32_t tid;	/* the first thread that takes blocks from it, 0: none*/
	uint32_t threads;
	const char *owner; /* for a person, NULL: not asked for yet */
};

/* A run of chunks: a heap of an arena, or the main one. */
struct pt_segment {
	bt_addr_t start, end; /* first chunk; behind the last byte */
	uint32_t arena;
	/* Starts of chunks, one in each `step` bytes, as far as was walked. */
	bt_addr_t *index;
	uint32_t n_index;
	size_t room;
	uint64_t step;
};

struct pt_cache {
	bt_addr_t address;
	int32_t tid;
	bool busy;	   /* its thread is inside the allocator */
	const char *place; /* for a person, NULL: not asked for yet */
};

struct pt_mapped { /* a chunk with a mapping of its own */
	bt_addr_t chunk;
	uint64_t size, lead; /* lead: bytes of the mapping in front */
};

struct ptmalloc {
	const ptrace_heap_host_t *host;
	struct memory memory;
	struct pt_layout layout;
	bool mangling_unknown;
	const char *version; /* "glibc 2.36" or "" */
	ptrace_module_t module;
	bt_addr_t main_arena;
	bt_addr_t parameters; /* mp_, 0: not found */

	struct pt_arena *arenas;
	uint32_t n_arenas;
	struct pt_segment *segments; /* sorted by address */
	uint32_t n_segments;
	size_t segments_room;
	struct pt_cache *caches;
	uint32_t n_caches;
	uint32_t n_busy;	  /* threads inside the allocator */
	struct pt_mapped *mapped; /* sorted by address */
	uint32_t n_mapped;
	size_t mapped_room;
	bool mapped_known, mapped_partial; /* some were not found */

	pt_free *frees; /* sorted */
	size_t n_frees, frees_room;
	bool frees_known;
	bool frees_partial; /* some lists could not be followed */
	uint64_t key;	    /* of cached chunks, 0: unknown */

	/* What was found wrong so far. */
	ptrace_heap_anomaly_t *anomalies;
	uint32_t n_anomalies;
	size_t anomalies_room;
	uint64_t n_found, n_transient; /* in all */
	bool surveyed;
	ptrace_heap_statistics_t statistics; /* of the survey */
	bool hole; /* a limit or unreadable memory ended something early */
};

/* One step of a walk. */
struct pt_item {
	bt_addr_t chunk;
	uint64_t size, head;  /* with and without flags */
	uint32_t state;	      /* enum ptrace_heap_state */
	unsigned list, owner; /* enum pt_list, 0: in none */
	bool gap;	      /* damage: no chunk, what lies up to the next */
};

struct pt_cursor {
	struct ptmalloc *p;
	const struct pt_segment *segment;
	bt_addr_t at;
	size_t free; /* the next of p->frees at or behind `at` */
	bool report; /* anomalies */
	bool stream; /* to the end, in order */
	bt_addr_t streamed;
	bool suspect; /* the last one's header contradicts what precedes it */
	bool has_last, has_before;
	struct pt_item last;
	bt_addr_t before; /* the chunk before the last one */
};

/* ptmalloc_layout.c */
/* Of "2.36": 36; 0 when the version cannot be read. */
unsigned pt_minor(struct ptmalloc *p);
/* NULL: that version is not known to us. */
const struct pt_layout *pt_layout_of(unsigned minor);
/* All of them, the newest first; NULL: no more. */
const struct pt_layout *pt_layout_at(size_t i);

/* ptmalloc_described.c */
/* The layout by libc's debug information; open: even if it must be read for
 * this. False: it is not there, or tells of something we do not know. */
bool pt_describe(struct ptmalloc *p, bool open, struct pt_layout *out);
/* Whether links are mangled, by what the caches hold, where no version says. */
void pt_learn_mangling(struct ptmalloc *p);

/* ptmalloc_find.c */
/* Finds the arena in the data of libc or of a static program, and with it the
 * layout; and mp_. only: no other layout than this one; NULL: those of the
 * table. */
bool pt_find(struct ptmalloc *p, const struct pt_layout *only);
/* The arena that was found is one by another layout as well. */
bool pt_fits(struct ptmalloc *p, const struct pt_layout *l);
void pt_find_parameters(struct ptmalloc *p);
/* Counters of mp_. */
bool pt_mapped_counters(struct ptmalloc *p, uint32_t *count, uint64_t *bytes);
/* The largest chunk with a mapping of its own that was freed; 0: none. */
uint64_t pt_largest_unmapped(struct ptmalloc *p);

/* ptmalloc_arena.c */
/* The arenas and their heaps. */
bool pt_arenas(struct ptmalloc *p);
/* NULL: none holds it. */
struct pt_segment *pt_segment_at(struct ptmalloc *p, bt_addr_t address);
/* The index of an arena, -1: it is none. */
int pt_arena_index(const struct ptmalloc *p, bt_addr_t address);
/* Of all segments. */
uint64_t pt_bytes(const struct ptmalloc *p);
/* The size word is that of a chunk at that place. */
bool pt_plausible(const struct ptmalloc *p, const struct pt_segment *s,
    bt_addr_t chunk, uint64_t head);

/* ptmalloc_cache.c */
/* The caches of all threads. */
void pt_caches(struct ptmalloc *p);

/* ptmalloc_busy.c */
/* Which arenas and caches were being changed. */
void pt_busy(struct ptmalloc *p, int64_t arena_slot);

/* ptmalloc_lists.c */
/* Reads all lists, once. */
void pt_lists(struct ptmalloc *p);
/* The link in the word at an address. */
uint64_t pt_unmangle(
    const struct ptmalloc *p, bt_addr_t address, uint64_t word);

/* ptmalloc_walk.c */
void pt_cursor_begin(struct pt_cursor *c, struct ptmalloc *p,
    const struct pt_segment *s, bt_addr_t at);
/* False: the end, or a limit. */
bool pt_next(struct pt_cursor *c, struct pt_item *out);

/* ptmalloc_survey.c */
/* Walks all of the heap, once: what is wrong, the statistics, and marks for
 * pt_chunk_at. */
void pt_survey(struct ptmalloc *p);

/* ptmalloc_index.c */
/* Remembers a chunk, met in ascending order. */
void pt_mark(struct pt_segment *s, bt_addr_t chunk);
/* The chunk that holds an address of the segment, and the one before it. */
bool pt_chunk_at(struct ptmalloc *p, struct pt_segment *s, bt_addr_t address,
    struct pt_item *out, struct pt_item *before);

/* ptmalloc_stacks.c */
struct pt_stack {
	bt_addr_t sp;
	bt_addr_t start, end; /* 0: its place is not known */
};
/* One for each thread with registers, for the caller to free. */
uint32_t pt_stacks(struct ptmalloc *p, struct pt_stack **out);

/* ptmalloc_mapped.c */
void pt_mapped_chunks(struct ptmalloc *p);
const struct pt_mapped *pt_mapped_at(struct ptmalloc *p, bt_addr_t address);

/* ptmalloc_report.c */
struct pt_wrong {
	uint32_t check;
	bt_addr_t address;
	bt_addr_t chunk, before; /* chunks, 0: none */
	bool has_values;
	uint64_t expected, found;
	int arena, cache; /* indices, -1: none */
	const char *what; /* without values */
};
void pt_report(struct ptmalloc *p, const struct pt_wrong *w);

#endif /* ALLOCATORS_PTMALLOC_H */
