/* SPDX-License-Identifier: MIT */
/*
 * The bump allocator: a list of blocks, each twice as large as the one before
 * up to a limit. Blocks come from calloc, so large ones are zero pages of the
 * kernel and cost nothing until touched. Not huge ones: a virtual machine that
 * has given its free memory back to its host (free page reporting) waits for
 * each as long as for 512 small ones, and longer: 100,000 frames 78 ms with, 51
 * without; where memory is at hand 46 and 48.
 */
#include "base/arena.h"
#include "base/spare.h"

#include <stdio.h>
#include <stdlib.h>

/* Under AddressSanitizer what was not handed out may not be touched, so that
 * an overflow inside a block is seen like any other. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAVE_ASAN)
#include <sanitizer/asan_interface.h>
#define HIDE(P, SIZE) __asan_poison_memory_region((P), (SIZE))
#define SHOW(P, SIZE) __asan_unpoison_memory_region((P), (SIZE))
/* Between two allocations. */
#define GAP ARENA_ALIGN
#else
#define HIDE(P, SIZE) ((void)(P), (void)(SIZE))
#define SHOW(P, SIZE) ((void)(P), (void)(SIZE))
#define GAP 0
#endif

#define ARENA_ALIGN 16
#define BLOCK_FIRST 4096
#define BLOCK_LARGEST (SPARE_BLOCK - sizeof(struct arena_block))

struct arena_block {
	_Alignas(ARENA_ALIGN) struct arena_block *next;
	size_t room; /* bytes behind the header */
	size_t used;
	bool is_spare;
};

_Static_assert(sizeof(struct arena_block) % ARENA_ALIGN == 0,
    "memory behind a block's header is aligned");

static uint8_t *
block_bytes(struct arena_block *block)
{
	return (uint8_t *)(block + 1);
}

void
arena_init(struct arena *a, size_t cap)
{
	*a = (struct arena){.cap = cap};
}

static void
free_blocks(struct arena_block *block)
{
	while (block != NULL) {
		struct arena_block *next = block->next;

		SHOW(block_bytes(block), block->room);
		if (block->is_spare)
			spare_give(block);
		else
			free(block);
		block = next;
	}
}

void
arena_deinit(struct arena *a)
{
	free_blocks(a->head);
	a->head = NULL;
	a->used = 0;
	a->exhausted = false;
}

void
arena_reset(struct arena *a)
{
	struct arena_block *kept = a->head;

	/* The newest block is the largest regular one. A block made for one
	 * outsized request is not worth clearing and keeping. */
	if (kept != NULL && kept->room > BLOCK_LARGEST) {
		arena_deinit(a);
		return;
	}
	if (kept != NULL) {
		free_blocks(kept->next);
		kept->next = NULL;
		SHOW(block_bytes(kept), kept->used);
		memset(block_bytes(kept), 0, kept->used);
		HIDE(block_bytes(kept), kept->room);
		kept->used = 0;
	}
	a->used = 0;
	a->exhausted = false;
}

static struct arena_block *
add_block(struct arena *a, size_t size)
{
	size_t room = BLOCK_FIRST - sizeof(struct arena_block);
	struct arena_block *block;
	bool is_spare;

	if (a->head != NULL) {
		room = a->head->room * 2 + sizeof(struct arena_block);
		if (room > BLOCK_LARGEST)
			room = BLOCK_LARGEST;
	}
	if (room < size)
		room = size;
	if (room > SIZE_MAX - sizeof(*block))
		return NULL;
	is_spare = a->spare != NULL && room == BLOCK_LARGEST;
	block = is_spare ? spare_take(a->spare)
			 : calloc(1, sizeof(*block) + room);
	if (block == NULL)
		return NULL;
	block->is_spare = is_spare;
	HIDE(block_bytes(block), room);
	block->room = room;
	block->next = a->head;
	a->head = block;
	return block;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *block = a->head;
	size_t taken; /* with alignment */
	uint8_t *p;

	if (size > SIZE_MAX - 2 * ARENA_ALIGN)
		goto fail;
	taken = size == 0
	    ? ARENA_ALIGN
	    : (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (taken > a->cap || a->used > a->cap - taken)
		goto fail;
	if (block == NULL || taken + GAP > block->room - block->used) {
		block = add_block(a, taken + GAP);
		if (block == NULL)
			goto fail;
	}
	p = block_bytes(block) + block->used;
	block->used += taken + GAP;
	a->used += taken;
	SHOW(p, size);
	return p;
fail:
	a->exhausted = true;
	return NULL;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total)) {
		a->exhausted = true;
		return NULL;
	}
	return arena_alloc(a, total);
}

char *
arena_strndup(struct arena *a, const void *s, size_t len)
{
	char *copy;

	if (len == SIZE_MAX) {
		a->exhausted = true;
		return NULL;
	}
	copy = arena_alloc(a, len + 1);
	if (copy != NULL && len > 0)
		memcpy(copy, s, len);
	return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_vprintf(struct arena *a, const char *format, va_list ap)
{
	va_list again;
	char *text = NULL;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	if (n >= 0)
		text = arena_alloc(a, (size_t)n + 1);
	else
		a->exhausted = true;
	if (text != NULL)
		(void)vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	return text;
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = arena_vprintf(a, format, ap);
	va_end(ap);
	return text;
}
