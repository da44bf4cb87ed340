/* SPDX-License-Identifier: MIT */
/*
 * Registers of any frame. The snapshot keeps only pc and sp of a frame; a
 * module that wants more makes its thread be unwound again, which costs some
 * nanoseconds a frame.
 */
#include "module/module_private.h"
#include "target/arch/guard.h"

enum {
	UNWIND_STEPS = 20 * 1000 * 1000,
	UNWIND_FRAMES = 65536,
	/* What is asked for is mostly among these. */
	UNWIND_INNERMOST = 1024
};

struct unwinder *
module_unwinder(struct module_host *host)
{

	if (host->unwinder == NULL && host->target != NULL) {
		budget_init(&host->unwind_budget, UNWIND_STEPS, 0);
		host->unwinder = host->options.unwinder != NULL
		    ? host->options.unwinder
		    : unwinder_create(host->target, &host->unwind_budget);
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
	if (host->unwinder != host->options.unwinder)
		unwinder_destroy(host->unwinder);
	host->unwinder = NULL;
}

/* How many of the innermost frames were found by what compilers wrote down. */
static size_t
certain_frames(const struct unwind_stack *stack)
{
	size_t i = 0;

	while (i < stack->frames.count &&
	    (stack->frames.items[i].trust == UNWIND_CONTEXT ||
		stack->frames.items[i].trust == UNWIND_CFI ||
		stack->frames.items[i].trust == UNWIND_DEBUG_FRAME))
		i++;
	return i;
}

/* The unwound frame that a frame of the snapshot was made from: inlined frames
 * and what was left out make the indices differ, sp and pc do not. */
static const struct unwind_frame *
find_frame(struct module_host *host, const struct snap_frame *s)
{
	size_t n = host->stack.frames.count;

	/* Modules ask for one frame after the other: go on where the last
	 * was. */
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

/* The innermost frames of a thread, or all of them. What modules look at is
 * bounded apart from what the snapshot takes. */
static void
unwind(struct module_host *host, ptrace_thread_t *thread, bool all)
{
	struct unwinder *u = host->unwinder;
	struct budget *before = unwinder_budget(u, &host->unwind_budget);

	if (all) {
		unwind_thread(u, thread->target, &host->stack);
		host->unwound_all = true;
	} else {
		host->unwound_all = unwind_innermost(
		    u, thread->target, UNWIND_INNERMOST, &host->stack);
	}
	(void)unwinder_budget(u, before);
	host->unwound = thread;
	host->unwound_certain = certain_frames(&host->stack);
}

static const struct unwind_frame *
physical_frame(const ptrace_frame_t *f)
{
	ptrace_thread_t *thread = f->thread;
	struct module_host *host = thread->host;
	const struct snap_frame *s = module_snap_frame(f);
	struct unwinder *u = module_unwinder(host);
	const struct unwind_frame *frame;

	if (u == NULL || thread->target == NULL || s->has_sp == false ||
	    (s->trust != NULL &&
		strcmp(s->trust, unwind_trust_name(UNWIND_TAILCALL)) == 0))
		return NULL; /* not on the stack */
	if (host->unwound != thread)
		unwind(host, thread, false);
	frame = find_frame(host, s);
	if (frame != NULL || host->unwound_all)
		return frame;
	unwind(host, thread, true);
	return find_frame(host, s);
}

bool
ptrace_frame_register(ptrace_frame_t *f, int32_t number, uint64_t *out)
{
	const struct unwind_frame *frame = physical_frame(f);

	if (number == PTRACE_REGISTER_SP)
		number = ARCH_SP;
	else if (number == PTRACE_REGISTER_PC)
		number = ARCH_PC;
	else if (!module_reads_code(f->host))
		return false;
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

/* ---- stack guards ---- */

/* Where the function that holds a pc keeps its guard, and from which pc on;
 * NULL: it keeps none. Once for each pc: a thousand threads stand at few. */
struct guard_place {
	struct arch_guard guard;
	bt_addr_t from;
};

static const struct guard_place *
guard_place(struct module_host *host, const struct unwind_frame *frame)
{
	bt_addr_t pc = unwind_lookup_pc(frame), start, end;
	uint8_t code[ARCH_GUARD_CODE];
	struct guard_place *place = NULL;
	struct arch_guard guard;
	const uint64_t *known = map_get(&host->guards, pc);
	size_t size;

	if (known != NULL)
		return (const struct guard_place *)(uintptr_t)*known;
	if (unwind_function_range(module_unwinder(host), pc, &start, &end)) {
		size = end - start < sizeof(code) ? (size_t)(end - start)
						  : sizeof(code);
		size = target_read(host->target, start, code, size);
		if (arch_guard_find(code, size, &guard))
			place = ARENA_NEW(&host->arena, struct guard_place);
		if (place != NULL) {
			place->guard = guard;
			place->from = start + guard.stored;
		}
	}
	(void)map_put_ptr(&host->guards, pc, place);
	return place;
}

bool
ptrace_frame_guard(ptrace_frame_t *f, ptrace_guard_t *out)
{
	struct module_host *host = f->host;
	/* Most functions keep none: no need to unwind for those. */
	const uint64_t *known = f->index > 0
	    ? map_get(&host->guards, module_snap_frame(f)->ip - 1)
	    : NULL;
	const struct unwind_frame *frame =
	    known != NULL && *known == 0 ? NULL : physical_frame(f);
	const struct guard_place *place;
	bt_addr_t storage, at;
	uint64_t sp;

	if (out->size < offsetof(ptrace_guard_t, reserved) || frame == NULL ||
	    frame->cfa_known == false || !module_reads_code(host) ||
	    host->unwound_at >= host->unwound_certain ||
	    !arch_thread_pointer(&f->thread->target->regs, &storage) ||
	    !regs_get(&frame->regs, ARCH_SP, &sp))
		return false;
	place = guard_place(host, frame);
	if (place == NULL || frame->pc < place->from)
		return false;
	at = frame->cfa;
	if (place->guard.by_fp && !regs_get(&frame->regs, ARCH_FP, &at))
		return false;
	at += (uint64_t)place->guard.offset;
	/* Within the frame: below the stack pointer it would be gone. */
	if (at < sp || at >= frame->cfa || at % 8 != 0 ||
	    !target_read_u64(host->target, at, &out->found) ||
	    !target_read_u64(
		host->target, storage + ARCH_GUARD_OFFSET, &out->expected))
		return false;
	out->address = at;
	return true;
}
