/* SPDX-License-Identifier: MIT */
/*
 * The frames of a stack: their order, and the blocks they lie in. A frame is
 * as large as its machine's registers ask for, and no deep stack is moved or
 * copied because a frame is put into it.
 */
#include "unwind/unwind.h"

#include <stdlib.h>

enum {
	FRAMES_MIN = 4, /* kept at least: two of either end */
	/* Frames of a block: most stacks have one, and a deep one few enough.
	 */
	BLOCK = 64
};

void
unwind_stack_init(struct unwind_stack *s, size_t max_frames)
{
	*s = (struct unwind_stack){0};
	if (max_frames < FRAMES_MIN)
		max_frames = FRAMES_MIN;
	vec_init(&s->frames, max_frames);
	vec_init(&s->blocks, max_frames / BLOCK + 1);
}

static void
free_blocks(struct unwind_stack *s)
{
	for (size_t i = 0; i < s->blocks.count; i++)
		free(s->blocks.items[i]);
	vec_clear(&s->blocks);
}

void
unwind_stack_deinit(struct unwind_stack *s)
{
	free_blocks(s);
	vec_deinit(&s->blocks);
	vec_deinit(&s->frames);
	s->own = 0;
}

void
unwind_stack_begin(struct unwind_stack *s, const struct arch *arch)
{
	size_t size = unwind_frame_size(arch);

	vec_clear(&s->frames);
	s->own = 0;
	if (size == s->frame_size)
		return;
	free_blocks(s);
	s->frame_size = size;
}

static bool
add_block(struct unwind_stack *s)
{
	uint8_t *bytes = malloc(BLOCK * s->frame_size);
	uint8_t **slot = bytes != NULL ? vec_push(&s->blocks) : NULL;

	if (slot == NULL) {
		free(bytes);
		return false;
	}
	*slot = bytes;
	return true;
}

bool
unwind_stack_share(struct unwind_stack *s, struct unwind_frame *frame)
{
	struct unwind_frame **slot = vec_push(&s->frames);

	if (slot == NULL)
		return false;
	*slot = frame;
	return true;
}

struct unwind_frame *
unwind_stack_copy(struct unwind_stack *s, const struct unwind_frame *frame)
{
	size_t block = s->own / BLOCK, place = s->own % BLOCK;
	struct unwind_frame *f;

	if (block == s->blocks.count && add_block(s) == false)
		return NULL;
	f = (struct unwind_frame *)(void *)(s->blocks.items[block] +
	    place * s->frame_size);
	if (unwind_stack_share(s, f) == false)
		return NULL;
	s->own++;
	memcpy(f, frame, s->frame_size);
	return f;
}
