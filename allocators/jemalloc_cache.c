/* SPDX-License-Identifier: MIT */
/*
 * Thread caches of jemalloc 5.3. A tcache_t is a pointer and then one bin for
 * each size class: 24 bytes with the top of a stack of pointers that grows
 * down, and the low 16 bits of where the stack is full and where it is empty.
 * The stacks of all bins lie one behind the other in one block, so each bin is
 * full where the one before it is empty. Nothing else in a thread's storage
 * looks like that, which makes the cache findable in any configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "allocators/jemalloc.h"

enum {
	BIN_WORDS = 3,
	CHAIN_MIN = 8, /* bins in a row that prove a cache */
	STACK_MAX = 1 << 20
};

struct bin {
	bt_addr_t head, full, empty;
};

/* A bin as its three words say; false: they cannot be one. */
static bool
bin_of(const uint64_t *words, struct bin *out)
{
	uint64_t head = words[0];
	uint16_t low = (uint16_t)head, full = (uint16_t)(words[2] >> 16),
		 empty = (uint16_t)(words[2] >> 32);

	if (head < UINT64_C(0x10000) || head % 8 != 0 || head >> 47 != 0 ||
	    full % 8 != 0 || empty % 8 != 0 || words[2] >> 48 != 0)
		return false;
	if ((uint16_t)(low - full) > (uint16_t)(empty - full))
		return false;
	out->head = head;
	out->full = head - (uint16_t)(low - full);
	out->empty = head + (uint16_t)(empty - low);
	return true;
}

static size_t
chain(const uint64_t *words, size_t n, struct bin *bins)
{
	size_t count = 0;

	while (count < JE_BINS_MAX && (count + 1) * BIN_WORDS <= n &&
	    bin_of(words + count * BIN_WORDS, &bins[count]) &&
	    (count == 0 || bins[count].full == bins[count - 1].empty))
		count++;
	return count;
}

bool
je_cache_find(const uint64_t *words, size_t n, size_t *place)
{
	struct bin bins[JE_BINS_MAX];

	for (size_t i = 0; i + 1 + CHAIN_MIN * BIN_WORDS <= n; i++) {
		if (chain(words + i + 1, n - i - 1, bins) >= CHAIN_MIN) {
			*place = i * 8;
			return true;
		}
	}
	return false;
}

static bool
read_bin(struct je *je, uint32_t thread, uint32_t index, const struct bin *bin)
{
	uint64_t pointers[512];
	size_t count = (size_t)(bin->empty - bin->head) / 8, got;

	for (size_t done = 0; done < count; done += got) {
		size_t want = count - done < 512 ? count - done : 512;

		got = ptrace_target_read_some(je->target, bin->head + done * 8,
			  pointers, want * 8) /
		    8;
		if (got == 0 || !je->host->take(je->host->ctx, got))
			return false;
		for (size_t i = 0; i < got; i++) {
			if (!array_grow((void **)&je->cached, &je->room_cached,
				je->n_cached, JE_CACHED_MAX,
				sizeof(*je->cached)))
				return false;
			je->cached[je->n_cached++] = (struct je_cached){
			    .pointer = pointers[i],
			    .slot = bin->head + (done + i) * 8,
			    .thread = thread,
			    .bin = index};
		}
	}
	return true;
}

/* A bin is filled from the slab into its room first, and counts what it got
 * afterwards. In between nothing else knows of those blocks. What lies there at
 * other times was taken out, so these are marked, not called free. */
static void
read_room(struct je *je, const struct bin *bin)
{
	uint64_t pointers[512];
	size_t count = (size_t)(bin->head - bin->full) / 8, got;

	for (size_t done = 0; done < count; done += got) {
		size_t want = count - done < 512 ? count - done : 512;

		got = ptrace_target_read_some(je->target, bin->full + done * 8,
			  pointers, want * 8) /
		    8;
		if (got == 0 || !je->host->take(je->host->ctx, got))
			return;
		for (size_t i = 0; i < got; i++) {
			if (!array_grow((void **)&je->moving, &je->room_moving,
				je->n_moving, JE_CACHED_MAX,
				sizeof(*je->moving)))
				return;
			je->moving[je->n_moving++] = pointers[i];
		}
	}
}

static int
ascending(const void *a, const void *b)
{
	const bt_addr_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool
je_is_moving(const struct je *je, bt_addr_t pointer)
{

	return je->n_moving > 0 &&
	    bsearch(&pointer, je->moving, je->n_moving, sizeof(*je->moving),
		ascending) != NULL;
}

bool
je_cache_read(struct je *je, uint32_t thread)
{
	uint64_t words[1 + JE_BINS_MAX * BIN_WORDS];
	struct bin bins[JE_BINS_MAX];
	struct je_thread *t = &je->threads[thread];
	size_t n, count;

	n = ptrace_target_read_some(
		je->target, t->cache, words, sizeof(words)) /
	    8;
	if (n < 1)
		return false;
	count = chain(words + 1, n - 1, bins);
	if (count < CHAIN_MIN)
		return false;
	/* The block of stacks begins with one word that is no pointer. */
	t->stack = bins[0].full - 8;
	for (size_t i = 0; i < count; i++) {
		if (!read_bin(je, thread, (uint32_t)i, &bins[i]))
			return false;
		if (t->inside)
			read_room(je, &bins[i]);
	}
	return true;
}

void
je_cache_sort(struct je *je)
{

	array_sort(je->cached, je->n_cached, sizeof(*je->cached));
	if (je->n_moving > 1)
		qsort(je->moving, je->n_moving, sizeof(*je->moving), ascending);
}

size_t
je_cache_index(const struct je *je, bt_addr_t pointer)
{

	return array_index(
	    je->cached, je->n_cached, sizeof(*je->cached), pointer);
}

const struct je_cached *
je_cache_entry(const struct je *je, bt_addr_t pointer)
{
	size_t i = je_cache_index(je, pointer);

	return i < je->n_cached && je->cached[i].pointer == pointer
	    ? &je->cached[i]
	    : NULL;
}
