/* SPDX-License-Identifier: MIT */
/*
 * From an address to its chunk. Chunks can only be walked from the front, so a
 * walk leaves marks: the start of one chunk in each 16 KiB, fewer in huge
 * heaps. It goes no further than the address that was asked for, unless that is
 * far.
 */
#include <stdlib.h>

#include "allocators/ptmalloc.h"

/* FAR: a walk that long is done for all of the heap, once. */
enum { STEP = 16 << 10, MARKS_MAX = 1 << 20, FAR = 16 << 20 };

/* Every second mark goes when there are too many. */
static void
thin_out(struct pt_segment *s)
{

	for (uint32_t i = 0; i < s->n_index / 2; i++)
		s->index[i] = s->index[2 * i];
	s->n_index /= 2;
	s->step *= 2;
}

void
pt_mark(struct pt_segment *s, bt_addr_t chunk)
{

	if (s->step == 0)
		s->step = STEP;
	if (s->n_index != 0 && chunk < s->index[s->n_index - 1] + s->step)
		return;
	if (s->n_index == MARKS_MAX)
		thin_out(s);
	if (array_grow((void **)&s->index, &s->room, s->n_index, MARKS_MAX,
		sizeof(*s->index)))
		s->index[s->n_index++] = chunk;
}

/* The last mark at or below the address. */
static bt_addr_t
nearest(const struct pt_segment *s, bt_addr_t address)
{
	uint32_t low = 0, high = s->n_index;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->index[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? s->index[low - 1] : s->start;
}

bool
pt_chunk_at(struct ptmalloc *p, struct pt_segment *s, bt_addr_t address,
    struct pt_item *out, struct pt_item *before)
{
	struct pt_cursor c;
	bt_addr_t from;

	from = nearest(s, address);
	if (address - from > FAR) {
		pt_survey(p);
		from = nearest(s, address);
	}
	*before = (struct pt_item){0};
	pt_cursor_begin(&c, p, s, from);
	for (; pt_next(&c, out); *before = *out) {
		if (out->gap == false)
			pt_mark(s, out->chunk);
		if (address - out->chunk < out->size)
			return true;
	}
	return false;
}
