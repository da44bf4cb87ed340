/* SPDX-License-Identifier: MIT */
/* Arrays of what was read: see array.h. */
#include "allocators/array.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 16 };

bool
array_grow(void **items, size_t *room, size_t count, size_t most, size_t size)
{
	size_t wanted = *room < ROOM_FIRST ? ROOM_FIRST : *room * 2;
	void *grown;

	if (count < *room)
		return true;
	if (count >= most)
		return false;
	if (wanted > most)
		wanted = most;
	grown = reallocarray(*items, wanted, size);
	if (grown == NULL)
		return false;
	*items = grown;
	*room = wanted;
	return true;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return (x[1] > y[1]) - (x[1] < y[1]);
}

void
array_sort(void *items, size_t count, size_t size)
{

	if (count > 1)
		qsort(items, count, size, compare);
}

size_t
array_index(const void *items, size_t count, size_t size, uint64_t key)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t word;

		memcpy(
		    &word, (const char *)items + middle * size, sizeof(word));
		if (word < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
