/* SPDX-License-Identifier: MIT */
/*
 * The heap as the allocators of the process keep it: which block holds an
 * address, who has it, what the neighbours are, what is damaged.
 *
 * Two sides. A module asks (ptrace_heap_*): the answer comes from whichever
 * allocator owns the address. An allocator answers (ptrace_allocator_t): one
 * file in allocators/ each, over ptrace/target.h alone, linked in as the
 * shipped modules are.
 *
 * Nothing is read before the first question. What an answer rests on is read
 * once for a run and kept: roots and thread caches when an allocator is opened,
 * blocks when an address of their arena is asked for or the heap is walked.
 *
 * Structs that the caller declares start with their size: set it with *_INIT.
 * Strings are borrowed until the target ends.
 */
#ifndef PTRACE_HEAP_H
#define PTRACE_HEAP_H

#include <ptrace/pmodule.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

enum ptrace_heap_state {       /* of a block */
	PTRACE_HEAP_UNKNOWN,   /* damage hides it */
	PTRACE_HEAP_ALLOCATED, /* the program has it */
	PTRACE_HEAP_FREE,      /* in a bin, a bitmap, merged with others */
	PTRACE_HEAP_CACHED,    /* freed, and kept by a thread's cache */
	PTRACE_HEAP_UNUSED,    /* never handed out yet: the top of an arena */
	PTRACE_HEAP_PURGED,    /* freed, its pages given back: reads as zero */
	PTRACE_HEAP_METADATA   /* the allocator's own */
};

typedef struct ptrace_heap_block {
	uint32_t size;
	uint32_t state;	       /* enum ptrace_heap_state */
	const char *allocator; /* "ptmalloc", "jemalloc", "tcmalloc", "musl" */
	/* Where a free block lies, for a person: "tcache of thread 4711",
	 * "unsorted bin". "" when there is nothing to say. */
	const char *place;
	bt_addr_t start; /* what malloc returned, or would return */
	uint64_t usable; /* bytes from there */
	int64_t offset;	 /* of the address that was asked for, from start;
			  * negative within the block's header */
	bt_addr_t chunk; /* with the allocator's header; start when there is
			  * none */
	uint64_t extent; /* bytes of the whole chunk, with header and padding */
	bt_addr_t arena; /* 0: none */
	int32_t cache_tid; /* CACHED: whose cache, 0 unknown */
	bool mapped;	   /* a mapping of its own */
	bool damaged;	   /* an anomaly lies in it */
	bool transient; /* its arena was being changed: the state may be old */
	/* Whose the block is, for a person: the part of the allocator it was
	 * taken from and goes back to, free or not ("main arena", "arena of
	 * thread 4711"). NULL: the allocator has no such parts, or it is not
	 * known. */
	const char *owner;
	uint64_t reserved[3];
} ptrace_heap_block_t;
#define PTRACE_HEAP_BLOCK_INIT                                                 \
	{                                                                      \
		.size = sizeof(ptrace_heap_block_t)                            \
	}

/* What a check of the allocator's own invariants found. */
enum ptrace_heap_check {
	PTRACE_HEAP_CHECK_SIZE, /* of a block: absurd, misaligned, outside*/
	PTRACE_HEAP_CHECK_PREV_SIZE, /* differs from the free block before */
	PTRACE_HEAP_CHECK_IN_USE,    /* flag and list disagree */
	PTRACE_HEAP_CHECK_TOP,	     /* size of the arena's rest */
	PTRACE_HEAP_CHECK_LINK,	     /* list word of a free block */
	PTRACE_HEAP_CHECK_BIN,	     /* a block in a list of another size */
	PTRACE_HEAP_CHECK_COUNT,     /* list and its counter differ */
	PTRACE_HEAP_CHECK_TWICE,     /* one block free in two places */
	PTRACE_HEAP_CHECK_FOREIGN,   /* a list holds what is no block */
	PTRACE_HEAP_CHECK_KEY,	     /* mark of cached blocks is gone */
	PTRACE_HEAP_CHECK_OVERLAP,   /* two blocks share bytes */
	PTRACE_HEAP_CHECK_METADATA   /* tables of the allocator disagree */
};

typedef struct ptrace_heap_anomaly_fields {
	uint32_t size;
	uint32_t check; /* enum ptrace_heap_check */
	const char *allocator;
	bt_addr_t address; /* the word that is wrong */
	bt_addr_t chunk;   /* of the block it belongs to (0: none) */
	bt_addr_t start;   /* the block's user pointer (0: none) */
	bt_addr_t before;  /* user pointer of the block before it, when known:
			    * who overflowed, if it was one (0: unknown) */
	bt_addr_t arena;
	bool has_values;
	uint64_t expected, found;
	/* The arena's lock was held or a thread was inside the allocator: the
	 * state in between is not damage. */
	bool transient;
	int32_t cache_tid; /* the thread whose cache shows it, 0: none */
	const char *text;  /* one line: what is wrong, with the values */
	uint64_t reserved[4];
} ptrace_heap_anomaly_t;
#define PTRACE_HEAP_ANOMALY_INIT                                               \
	{                                                                      \
		.size = sizeof(ptrace_heap_anomaly_t)                          \
	}

typedef struct ptrace_heap_statistics_fields {
	uint32_t size;
	const char *allocator;
	const char *version; /* "glibc 2.36", "5.3.0-0-g54eaed1d"; "" unknown */
	uint32_t arenas, caches;
	bool complete; /* every block was walked: no damage, limit or hole */
	/* Bytes are usable bytes; blocks of their own mappings are among the
	 * allocated ones. */
	uint64_t allocated_blocks, allocated_bytes;
	uint64_t free_blocks, free_bytes;
	uint64_t cached_blocks, cached_bytes;
	uint64_t mapped_blocks, mapped_bytes;
	uint64_t unused_bytes;	/* tops of arenas */
	uint64_t system_bytes;	/* asked from the kernel */
	uint64_t largest_block; /* usable bytes, allocated */
	/* Of those that had a mapping of their own and were freed, the largest,
	 * with its header; 0: none is known of. */
	uint64_t largest_unmapped;
	uint64_t anomalies, transient;
	uint64_t reserved[4];
} ptrace_heap_statistics_t;
#define PTRACE_HEAP_STATISTICS_INIT                                            \
	{                                                                      \
		.size = sizeof(ptrace_heap_statistics_t)                       \
	}

/* ---- what modules ask ---- */

/* The block that holds an address, its header included. False: no allocator
 * claims it (or it could not be read). */
bool ptrace_heap_at(
    ptrace_target_t *t, bt_addr_t address, ptrace_heap_block_t *out);
/* The neighbours of a block by address, in the same arena or slab. out may be
 * block. False: there is none, or damage hides it. */
bool ptrace_heap_before(ptrace_target_t *t, const ptrace_heap_block_t *block,
    ptrace_heap_block_t *out);
bool ptrace_heap_after(ptrace_target_t *t, const ptrace_heap_block_t *block,
    ptrace_heap_block_t *out);

/* Visits all blocks of all allocators, by arena and address, until the visitor
 * says false; the block lives for that call. Memory use does not grow with the
 * heap. False: a limit or unreadable memory ended it early (the visitor's
 * false is no failure). */
typedef bool ptrace_heap_visit_fn(void *ctx, const ptrace_heap_block_t *block);
bool ptrace_heap_walk(
    ptrace_target_t *t, ptrace_heap_visit_fn *visit, void *ctx);

/* Checks every invariant (once a run; walks the whole heap) and gives the i-th
 * anomaly, in order of address within an allocator. False: no more. At most
 * 1,000 are kept, the statistics count all. */
bool ptrace_heap_anomaly(
    ptrace_target_t *t, uint32_t i, ptrace_heap_anomaly_t *out);
/* Of the i-th allocator in use, after the same walk. False: no more. */
bool ptrace_heap_statistics(
    ptrace_target_t *t, uint32_t i, ptrace_heap_statistics_t *out);
/* The allocator that malloc and free go to: its name, or NULL when there is
 * none that is known. Cheap: nothing is walked. */
const char *ptrace_heap_allocator(ptrace_target_t *t);
/* A line on why a heap cannot be judged: "jemalloc 4.5: unsupported version";
 * NULL: there is none. i counts from 0. */
const char *ptrace_heap_remark(ptrace_target_t *t, uint32_t i);

/* ---- what an allocator is ---- */

/* A member of a struct, as debug information describes it. */
typedef struct ptrace_heap_member_fields {
	uint32_t size;
	bool pointer;	   /* its type is one */
	uint64_t offset;   /* bytes */
	uint64_t bytes;	   /* all of it */
	uint64_t elements; /* of an array with one dimension, else 1 */
	uint64_t reserved[2];
} ptrace_heap_member_t;
#define PTRACE_HEAP_MEMBER_INIT                                                \
	{                                                                      \
		.size = sizeof(ptrace_heap_member_t)                           \
	}

/* Where an allocator looks for threads, their caches lie in their storage. */
typedef struct ptrace_heap_host {
	uint32_t size;
	ptrace_target_t *target;
	ptrace_backtrace_t *backtrace; /* for its threads */
	/* Bounds the work of all allocators of a run: take n units (one is
	 * about one block or one list node) before the work; false: stop. */
	bool (*take)(void *ctx, uint64_t n);
	/* Strings that live as long as the target. NULL without memory. */
	const char *(*text)(void *ctx, const char *format, ...);
	/* Says why a heap or part of it cannot be judged, at most 16 times. */
	void (*remark)(void *ctx, const char *text);
	/* Progress of a walk, for a terminal: how many blocks it has met, and
	 * of how many bytes (0: unknown) it has done how many. */
	void (*progress)(
	    void *ctx, uint64_t blocks, uint64_t done, uint64_t all);
	void *ctx;
	/* The member of a struct (NULL: the struct itself, at offset 0) that
	 * the compilation unit of the code at an address declares, by the
	 * struct's name without "struct". open: read the module's debug
	 * information for it, which takes milliseconds; else only what was read
	 * for its frames before. False: it is not described. */
	bool (*member)(void *ctx, bt_addr_t code, const char *type,
	    const char *member, bool open, ptrace_heap_member_t *out);
} ptrace_heap_host_t;

typedef void ptrace_heap_report_fn(
    void *ctx, const ptrace_heap_anomaly_t *anomaly);

typedef struct ptrace_allocator {
	uint32_t size;
	const char *name;
	/* Finds the allocator in the process. NULL: it is not there, never
	 * used, or its version is unknown (said by remark). The host outlives
	 * what is returned. */
	void *(*open)(const ptrace_heap_host_t *host);
	void (*close)(void *allocator);
	/* Whether malloc and free of the process are its: several may be in a
	 * process (a static one in a library). */
	bool (*interposes)(void *allocator);
	/* As ptrace_heap_at; false when the address is not its. */
	bool (*at)(
	    void *allocator, bt_addr_t address, ptrace_heap_block_t *out);
	bool (*before)(void *allocator, const ptrace_heap_block_t *block,
	    ptrace_heap_block_t *out);
	bool (*after)(void *allocator, const ptrace_heap_block_t *block,
	    ptrace_heap_block_t *out);
	bool (*walk)(void *allocator, ptrace_heap_visit_fn *visit, void *ctx);
	/* Walks all, reports each anomaly and fills the statistics. */
	bool (*check)(void *allocator, ptrace_heap_report_fn *report, void *ctx,
	    ptrace_heap_statistics_t *out);
} ptrace_allocator_t;

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif /* PTRACE_HEAP_H */
