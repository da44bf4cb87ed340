/* SPDX-License-Identifier: MIT */
/*
 * A capped bump allocator. A snapshot has one, a frame has a scratch one.
 * Nothing is freed singly; everything goes at once. All memory is zeroed.
 * Allocation returns NULL once the cap is reached or memory is out, and the
 * arena remembers that (arena_exhausted), so that a caller may check once.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/error.h"
#include <stdarg.h>

struct arena_block;
struct spare;

struct arena {
	struct arena_block *head;
	/* Large blocks are taken from there (base/spare.h), so that their pages
	 * need not be waited for; NULL, as after arena_init, for an arena that
	 * stays small. Set by the owner, who takes it away before he frees it.
	 */
	struct spare *spare;
	size_t used; /* bytes handed out since init or reset */
	size_t cap;
	bool exhausted;
};

void arena_init(struct arena *a, size_t cap);
void arena_deinit(struct arena *a);
/* Forgets all allocations but keeps one block for reuse. */
void arena_reset(struct arena *a);

/* Zeroed, aligned to 16 bytes; NULL when exhausted. size 0 gives a pointer. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc));
/* count * size with an overflow check. */
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *s);
/* Copies len bytes and adds a NUL. */
char *arena_strndup(struct arena *a, const void *s, size_t len);
char *arena_printf(struct arena *a, const char *format, ...) BT_PRINTF(2, 3);
char *arena_vprintf(struct arena *a, const char *format, va_list ap)
    BT_PRINTF(2, 0);

#define ARENA_NEW(A, TYPE) ((TYPE *)arena_alloc((A), sizeof(TYPE)))

#endif /* BASE_ARENA_H */
