/* SPDX-License-Identifier: MIT */
/*
 * Thread caches. A tcache_t has a few words and then one bin of 24 bytes for
 * each size class, which keeps a stack of pointers that grows down. The stacks
 * of all bins lie one behind the other in one block, so each bin's is full
 * where the one before it is empty. Nothing else in a thread's storage looks
 * like that, which makes the cache findable in any configuration.
 *
 * 5.3: one word in front; a bin has the top of its stack, and the low 16 bits
 * of where it is full and where it is empty. 5.2: two words in front; a bin has
 * a low-water mark, how many it holds, and where it is empty; bins of large
 * classes lie elsewhere, by a pointer behind the small ones, next to one that
 * points to those.
 */
#include <stdlib.h>
#include <string.h>

#include "allocators/jemalloc.h"

enum {
	BIN_WORDS = 3,
	CHAIN_MIN = 8, /* bins in a row that prove a cache */
	STACK_MAX = 1 << 20,
	/* Of 5.2: */
	SLOTS_MIN = 20, /* of a bin's stack */
	SLOTS_MAX = 200,
	SELF_AT = 7 /* words behind the small bins: a pointer to them */
};

struct bin {
	bt_addr_t head, full, empty;
};

/* A bin of 5.2. last: where the one before it is empty, 0: there is none. */
static bool
counted_bin_of(const uint64_t *words, bt_addr_t last, struct bin *out)
{
	int32_t low = (int32_t)words[0], held = (int32_t)(words[0] >> 32);
	uint64_t empty = words[2], slots;

	if (empty < UINT64_C(0x10000) || empty % 8 != 0 || empty >> 47 != 0 ||
	    held < 0 || held > SLOTS_MAX || low < -1 || low > SLOTS_MAX)
		return false;
	/* The first class has as many as there can be. */
	slots = last != 0 ? (empty - last) / 8 : SLOTS_MAX;
	if (slots < SLOTS_MIN || slots > SLOTS_MAX || (uint64_t)held > slots)
		return false;
	out->head = empty - 8 * (uint64_t)held;
	out->full = empty - 8 * slots;
	out->empty = empty;
	return true;
}

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

/* last: where a bin in front of them is empty, 0: there is none. */
static size_t
chain(const struct je_layout *layout, const uint64_t *words, size_t n,
    bt_addr_t last, struct bin *bins, size_t most)
{
	size_t count = 0;

	for (; count < most && (count + 1) * BIN_WORDS <= n; count++) {
		const uint64_t *bin = words + count * BIN_WORDS;

		if (layout->counted_bins
			? !counted_bin_of(bin, last, &bins[count])
			: !bin_of(bin, &bins[count]))
			break;
		if (last != 0 && bins[count].full != last)
			break;
		last = bins[count].empty;
	}
	return count;
}

static size_t
words_in_front(const struct je_layout *layout)
{

	return layout->counted_bins ? 2 : 1;
}

bool
je_cache_find(const struct je_layout *layout, const uint64_t *words, size_t n,
    size_t *place)
{
	size_t front = words_in_front(layout);
	struct bin bins[JE_BINS_MAX];

	for (size_t i = 0; i + front + CHAIN_MIN * BIN_WORDS <= n; i++) {
		if (chain(layout, words + i + front, n - i - front, 0, bins,
			JE_BINS_MAX) < CHAIN_MIN)
			continue;
		*place = i * 8;
		return true;
	}
	return false;
}

/* Behind the small bins of 5.2 stands where they are, and where the large ones
 * are. words: of the cache, from its start. Returns how many there are in all.
 */
static size_t
add_large_bins(struct je *je, bt_addr_t cache, const uint64_t *words, size_t n,
    struct bin *bins, size_t count)
{
	const size_t front = words_in_front(je->layout);
	uint64_t more[JE_BINS_MAX * BIN_WORDS];

	for (size_t small = count; small >= CHAIN_MIN; small--) {
		size_t self = front + small * BIN_WORDS + SELF_AT, got;

		if (self + 1 >= n || words[self] != cache + front * 8)
			continue;
		got = ptrace_target_read_some(je->target, words[self + 1], more,
			  (JE_BINS_MAX - small) * BIN_WORDS * 8) /
		    8;
		return small +
		    chain(je->layout, more, got, bins[small - 1].empty,
			bins + small, JE_BINS_MAX - small);
	}
	return count;
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
	uint64_t words[2 + JE_BINS_MAX * BIN_WORDS];
	struct bin bins[JE_BINS_MAX];
	struct je_thread *t = &je->threads[thread];
	size_t n, count, front = words_in_front(je->layout);

	n = ptrace_target_read_some(
		je->target, t->cache, words, sizeof(words)) /
	    8;
	if (n < front)
		return false;
	count = chain(
	    je->layout, words + front, n - front, 0, bins, JE_BINS_MAX);
	if (count < CHAIN_MIN)
		return false;
	if (je->layout->counted_bins)
		count = add_large_bins(je, t->cache, words, n, bins, count);
	/* In 5.3 the block of stacks begins with one word that is no pointer.
	 */
	t->stack = bins[0].full - (je->layout->counted_bins ? 0 : 8);
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
