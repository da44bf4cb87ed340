/* SPDX-License-Identifier: MIT */
/*
 * The growing of typed arrays. The pointer is read and written with memcpy:
 * the caller's variable is a pointer to some other type than void.
 */
#include "base/vec.h"

#include <stdlib.h>

#define ROOM_FIRST 8

bool
vec_grow(
    void **items, size_t *room, size_t count, size_t limit, size_t item_size)
{
	void *p;

	if (count >= limit)
		return false;
	memcpy(&p, items, sizeof(p));
	if (count >= *room) {
		size_t more = *room < ROOM_FIRST ? ROOM_FIRST : *room, bytes;

		if (*room >= ROOM_FIRST &&
		    __builtin_mul_overflow(more, (size_t)2, &more))
			return false;
		if (more > limit)
			more = limit;
		if (__builtin_mul_overflow(more, item_size, &bytes))
			return false;
		p = realloc(p, bytes);
		if (p == NULL)
			return false;
		memcpy(items, &p, sizeof(p));
		*room = more;
	}
	return true;
}

void
vec_make_room(
    void **items, size_t *room, size_t limit, size_t count, size_t item_size)
{
	size_t bytes;
	void *p;

	if (count > limit)
		count = limit;
	if (count <= *room || __builtin_mul_overflow(count, item_size, &bytes))
		return;
	memcpy(&p, items, sizeof(p));
	p = realloc(p, bytes);
	if (p == NULL)
		return;
	memcpy(items, &p, sizeof(p));
	*room = count;
}
