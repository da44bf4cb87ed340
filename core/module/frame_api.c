/* SPDX-License-Identifier: MIT */
/*
 * Registers of any frame. The snapshot keeps only pc and sp of a frame; a
 * module that wants more makes its thread be unwound again, which costs some
 * nanoseconds a frame.
 */
#include "module/module_private.h"

enum { UNWIND_STEPS = 20 * 1000 * 1000, UNWIND_FRAMES = 65536 };

struct unwinder *
module_unwinder(struct module_host *host)
{

	if (host->unwinder == NULL && host->target != NULL) {
		budget_init(&host->unwind_budget, UNWIND_STEPS, 0);
		host->unwinder = unwinder_create(
		    host->target, &host->unwind_budget);
		if (host->unwinder != NULL)
			unwind_stack_init(&host->stack, UNWIND_FRAMES);
	}
	return host->unwinder;
}

void
module_unwinder_end(struct module_host *host)
{

	if (host->unwinder == NULL)
		return;
	unwind_stack_deinit(&host->stack);
	unwinder_destroy(host->unwinder);
	host->unwinder = NULL;
}

/* The unwound frame that a frame of the snapshot was made from: inlined frames
 * and what was left out make the indices differ, sp and pc do not. */
static const struct unwind_frame *
physical_frame(const ptrace_frame_t *f)
{
	ptrace_thread_t *thread = f->thread;
	struct module_host *host = thread->host;
	const struct snap_frame *s = module_snap_frame(f);
	struct unwinder *u = module_unwinder(host);
	size_t n;

	if (u == NULL || thread->target == NULL || s->has_sp == false)
		return NULL;
	if (host->unwound != thread) {
		unwind_thread(u, thread->target, &host->stack);
		host->unwound = thread;
	}
	/* Modules ask for one frame after the other: go on where the last
	 * was. */
	n = host->stack.frames.count;
	for (size_t i = 0; i < n; i++) {
		size_t at = (host->unwound_at + i) % n;
		const struct unwind_frame *frame =
		    &host->stack.frames.items[at];

		if (frame->pc != s->ip || frame->regs.value[ARCH_SP] != s->sp)
			continue;
		host->unwound_at = at;
		return frame;
	}
	return NULL;
}

bool
ptrace_frame_register(ptrace_frame_t *f, int32_t number, uint64_t *out)
{
	const struct unwind_frame *frame = physical_frame(f);

	if (number == PTRACE_REGISTER_SP)
		number = ARCH_SP;
	else if (number == PTRACE_REGISTER_PC)
		number = ARCH_PC;
	return frame != NULL && number >= 0 &&
	    regs_get(&frame->regs, (unsigned)number, out);
}

bool
ptrace_frame_cfa(ptrace_frame_t *f, bt_addr_t *out)
{
	const struct unwind_frame *frame = physical_frame(f);

	if (frame == NULL || frame->cfa_known == false)
		return false;
	*out = frame->cfa;
	return true;
}
