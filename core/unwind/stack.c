/* SPDX-License-Identifier: MIT */
/*
 * The frames of a stack: their order, and the blocks they lie in. A frame is
 * as large as its machine's registers ask for, and no deep stack is moved or
 * copied because a frame is put into it.
 */
#include "unwind/stack.h"

#include <stdlib.h>

/* Frames kept at least: two of either end. */
enum { FRAMES_MIN = 4 };

void
unwind_stack_init(struct unwind_stack *s, size_t max_frames)
{
	*s = (struct unwind_stack){0};
	if (max_frames < FRAMES_MIN)
		max_frames = FRAMES_MIN;
	vec_init(&s->frames, max_frames);
	vec_init(&s->blocks, max_frames / STACK_BLOCK + 1);
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
	size_t size = unwind_frame_size(arch_n_places(arch));

	vec_clear(&s->frames);
	s->own = 0;
	if (size == s->frame_size)
		return;
	free_blocks(s);
	s->frame_size = size;
}

bool
stack_add_block(struct unwind_stack *s)
{
	uint8_t *bytes = malloc(STACK_BLOCK * s->frame_size);
	uint8_t **slot = bytes != NULL ? vec_push(&s->blocks) : NULL;

	if (slot == NULL) {
		free(bytes);
		return false;
	}
	*slot = bytes;
	return true;
}

struct unwind_frame *
unwind_stack_push(struct unwind_stack *s)
{
	struct unwind_frame *f = stack_place(s);

	if (f != NULL)
		memset(f, 0, s->frame_size);
	return f;
}

struct unwind_frame *
unwind_stack_copy(struct unwind_stack *s, const struct unwind_frame *frame)
{
	struct unwind_frame *f = stack_place(s);

	if (f != NULL)
		memcpy(f, frame, s->frame_size);
	return f;
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
