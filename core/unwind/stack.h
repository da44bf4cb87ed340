/* SPDX-License-Identifier: MIT */
/*
 * What the walk shares with the stacks it fills: a place for one frame more, as
 * cheap as it can be, for there are hundreds of thousands.
 */
#ifndef UNWIND_STACK_H
#define UNWIND_STACK_H

#include "unwind/unwind.h"

/* Frames of a block: most stacks have one, and a deep one has few enough. */
enum { STACK_BLOCK = 64 };

/* False: limit, or out of memory. */
bool stack_add_block(struct unwind_stack *s);

/* The place of one frame more, outermost; what it holds is not defined. NULL:
 * limit, or out of memory. */
static inline struct unwind_frame *
stack_place(struct unwind_stack *s)
{
	size_t block = s->own / STACK_BLOCK, place = s->own % STACK_BLOCK;
	struct unwind_frame **slot;

	if (block == s->blocks.count && stack_add_block(s) == false)
		return NULL;
	slot = vec_push(&s->frames);
	if (slot == NULL)
		return NULL;
	s->own++;
	*slot = (struct unwind_frame *)(void *)(s->blocks.items[block] +
	    place * s->frame_size);
	return *slot;
}

#endif /* UNWIND_STACK_H */
