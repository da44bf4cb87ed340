/* SPDX-License-Identifier: MIT */
/*
 * A frame that overflowed may reach far below its stack, but its caller's
 * still stands in it. So the caller tells where the stack is, even for stacks
 * of coroutines, which nobody registers.
 */
#include "stack.h"

uint64_t
stack_caller(const struct crash *c)
{
	uint32_t first = c->frame != NULL ? ptrace_frame_index(c->frame) : 0;
	uint32_t n = ptrace_thread_n_frames(c->thread);
	uint64_t sp;

	for (uint32_t i = first; i < n && i < first + 64; i++) {
		const ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);

		if (f != NULL && ptrace_frame_stack_pointer(f, &sp) &&
		    sp > c->sp)
			return sp;
	}
	return c->sp;
}

static bool
is_writable(const ptrace_mapping_t *m)
{
	const uint32_t needed = PTRACE_PERM_READ | PTRACE_PERM_WRITE;

	return (m->permissions & needed) == needed;
}

bool
stack_of(const struct crash *c, ptrace_mapping_t *out)
{
	const uint64_t page = 4096;
	uint64_t top = stack_caller(c);

	/* The caller's stack pointer may itself be the mapping's first byte
	 * (a push that just did not fit), so it is always inside. */
	if (ptrace_target_mapping(c->target, top, out) && is_writable(out))
		return true;
	if (ptrace_target_mapping(c->target, c->sp, out) && is_writable(out))
		return true;
	/* No frame but the first was found: the stack pointer has just left
	 * its stack. */
	return ptrace_target_mapping_next(c->target, c->sp, out) &&
	    is_writable(out) && out->start - c->sp <= page;
}
