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
	    (stack->frames.items[i]->trust == UNWIND_CONTEXT ||
		stack->frames.items[i]->trust == UNWIND_CFI ||
		stack->frames.items[i]->trust == UNWIND_DEBUG_FRAME))
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
		const struct unwind_frame *frame = host->stack.frames.items[at];

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

/* What of a frame the guard's place depends on. */
struct guard_frame {
	bt_addr_t pc, sp, cfa, fp;
	bool has_fp;
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

/* How many of a thread's innermost frames were unwound by what compilers wrote
 * down, none of them the code around a signal. */
static uint32_t
plain_frames(struct module_host *host, const ptrace_thread_t *thread)
{
	const struct snap_thread *t =
	    &host->snapshot->threads.items[thread->index];
	const char *cfi = unwind_trust_name(UNWIND_CFI);
	const char *debug_frame = unwind_trust_name(UNWIND_DEBUG_FRAME);
	const char *context = unwind_trust_name(UNWIND_CONTEXT);
	uint32_t n = 0;

	if (host->plain == thread)
		return host->n_plain;
	while (n < t->n_frames && t->frames[n].signal_frame == false &&
	    (n < t->frames_skipped_at || t->frames_skipped == 0) &&
	    t->frames[n].has_sp &&
	    (t->frames[n].trust == cfi || t->frames[n].trust == debug_frame ||
		t->frames[n].trust == context))
		n++;
	host->plain = thread;
	host->n_plain = n;
	return n;
}

/* By the snapshot alone, without unwinding: a frame's CFA is the stack pointer
 * of the frame that it was called from. */
static bool
frame_as_shown(const ptrace_frame_t *f, const struct guard_place *place,
    struct guard_frame *out)
{
	const struct snap_frame *s = module_snap_frame(f);
	uint32_t n = plain_frames(f->host, f->thread);

	if (place->guard.by_fp || f->own != NULL)
		return false;
	for (uint32_t i = 1; f->index + i < n; i++) {
		if (s[i].sp == s->sp)
			continue; /* inlined: the same frame on the stack */
		*out = (struct guard_frame){
		    .pc = s->ip, .sp = s->sp, .cfa = s[i].sp};
		return true;
	}
	return false;
}

static bool
frame_as_unwound(const ptrace_frame_t *f, struct guard_frame *out)
{
	struct module_host *host = f->host;
	const struct unwind_frame *frame = physical_frame(f);

	if (frame == NULL || frame->cfa_known == false ||
	    host->unwound_at >= host->unwound_certain)
		return false;
	*out = (struct guard_frame){.pc = frame->pc, .cfa = frame->cfa};
	out->has_fp = regs_get(&frame->regs, ARCH_FP, &out->fp);
	return regs_get(&frame->regs, ARCH_SP, &out->sp);
}

/* The frame and the place of its guard; NULL: it keeps none. Most functions
 * do not, and few of those at which threads stand are new: no need to unwind
 * for those. */
static const struct guard_place *
guarded(const ptrace_frame_t *f, struct guard_frame *frame)
{
	struct module_host *host = f->host;
	const struct snap_frame *s = module_snap_frame(f);
	bool exact = s->trust == unwind_trust_name(UNWIND_CONTEXT);
	const uint64_t *known = map_get(
	    &host->guards, exact ? s->ip : s->ip - 1);
	const struct guard_place *place;

	if (known != NULL) {
		place = (const struct guard_place *)(uintptr_t)*known;
		if (place == NULL || frame_as_shown(f, place, frame))
			return place;
	}
	if (frame_as_unwound(f, frame) == false)
		return NULL;
	return guard_place(host, host->stack.frames.items[host->unwound_at]);
}

bool
ptrace_frame_guard(ptrace_frame_t *f, ptrace_guard_t *out)
{
	struct module_host *host = f->host;
	const struct guard_place *place;
	struct guard_frame frame;
	bt_addr_t storage, at;

	if (out->size < offsetof(ptrace_guard_t, reserved) ||
	    f->thread == NULL || f->thread->target == NULL)
		return false;
	place = guarded(f, &frame);
	if (place == NULL || frame.pc < place->from ||
	    !module_reads_code(host) ||
	    (place->guard.by_fp && frame.has_fp == false) ||
	    !arch_thread_pointer(&f->thread->target->regs, &storage))
		return false;
	at = place->guard.by_fp ? frame.fp : frame.cfa;
	at += (uint64_t)place->guard.offset;
	/* Within the frame: below the stack pointer it would be gone. */
	if (at < frame.sp || at >= frame.cfa || at % 8 != 0 ||
	    !target_read_u64(host->target, at, &out->found) ||
	    !target_read_u64(
		host->target, storage + ARCH_GUARD_OFFSET, &out->expected))
		return false;
	out->address = at;
	return true;
}
