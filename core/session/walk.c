/* SPDX-License-Identifier: MIT */
/*
 * One thread's stack, ready to be shown: unwound, each frame with its plan,
 * and with the frames put in that left the stack by a tail call. The latter
 * are frames like others, so that values (entry values above all) are found
 * through them.
 */
#include "session/session_private.h"

/* Plans of s->stack's frames. What has none (memory is out) ends the stack. */
static void
plan_frames(struct session *s)
{
	struct unwind_frame *const *frames = s->stack.frames.items;
	bool expected = false;

	vec_clear(&s->plans);
	for (size_t i = 0; i < s->stack.frames.count; i++) {
		struct frame_plan *plan = frame_plan_known(s, frames[i]);
		struct frame_plan **slot;

		if (plan == NULL && !expected) {
			frames_expect(s, frames + i, s->stack.frames.count - i);
			expected = true;
		}
		if (plan == NULL)
			plan = frame_plan_at(s, frames[i]);
		slot = plan != NULL ? vec_push(&s->plans) : NULL;
		if (slot == NULL) {
			s->stack.frames.count = i;
			s->stack.stop = UNWIND_STOP_LIMIT;
			return;
		}
		*slot = plan;
	}
}

/* The chain between the frame at index and its caller; NULL: none. */
static const struct tail_chain *
chain_above(struct session *s, size_t index)
{
	const struct unwind_stack *stack = &s->stack;
	const struct unwind_frame *callee, *caller;
	struct frame_plan *plan;

	if (index + 1 >= stack->frames.count ||
	    (stack->skipped != 0 && index + 1 == stack->skipped_at))
		return NULL;
	callee = stack->frames.items[index];
	caller = stack->frames.items[index + 1];
	/* Only what was called can have been called by a jump. */
	if (callee->signal_frame || caller->signal_frame || caller->exact_pc)
		return NULL;
	plan = s->plans.items[index + 1];
	if (plan->callee != s->plans.items[index]) {
		plan->callee = s->plans.items[index];
		plan->chain = tail_chain_between(s, caller, plan, plan->callee);
	}
	return plan->chain;
}

/*
 * The jump left the stack as it was at the function's entry: callee-saved
 * registers have the values they had in the caller, the frame's CFA is that of
 * the frame that took its place, and only the return address lies below it.
 */
static bool
push_tail(struct session *s, const struct unwind_frame *callee,
    const struct unwind_frame *caller, uint64_t ip)
{
	struct unwind_frame *f = unwind_stack_copy(&s->expanded, caller);

	if (f == NULL)
		return false;
	f->pc = ip;
	f->module = callee->module;
	f->cfa = callee->cfa;
	f->cfa_known = callee->cfa_known;
	f->trust = UNWIND_TAILCALL;
	regs_set(&f->regs, ARCH_PC, ip);
	if (f->cfa_known)
		regs_set(&f->regs, ARCH_SP,
		    f->cfa -
			(arch_is_x86_64(target_arch(s->target))
				? sizeof(uint64_t)
				: 0));
	else
		regs_forget(&f->regs, ARCH_SP);
	return true;
}

static bool
push_plan(struct session *s, struct frame_plan *plan)
{
	struct frame_plan **slot = plan != NULL ? vec_push(&s->expanded_plans)
						: NULL;

	if (slot == NULL)
		return false;
	*slot = plan;
	return true;
}

static bool
push_chain(struct session *s, size_t index, const struct tail_chain *chain)
{
	struct unwind_frame *const *frames = s->stack.frames.items;
	struct unwind_stack *out = &s->expanded;

	for (unsigned k = 0; k < chain->n; k++)
		if (push_tail(s, frames[index], frames[index + 1],
			chain->ips[k]) == false ||
		    push_plan(s,
			frame_plan_at(s,
			    out->frames.items[out->frames.count - 1])) == false)
			return false;
	return true;
}

/* Fills s->expanded and its plans; false when there is no room. */
static bool
expand(struct session *s)
{
	struct unwind_frame *const *frames = s->stack.frames.items;
	struct unwind_stack *out = &s->expanded;

	unwind_stack_begin(out, target_arch(s->target));
	vec_clear(&s->expanded_plans);
	out->stop = s->stack.stop;
	out->stop_address = s->stack.stop_address;
	out->skipped = s->stack.skipped;
	out->skipped_at = 0;
	for (size_t i = 0; i < s->stack.frames.count; i++) {
		const struct tail_chain *chain = chain_above(s, i);

		if (i == s->stack.skipped_at)
			out->skipped_at = out->frames.count;
		if (unwind_stack_share(out, frames[i]) == false ||
		    push_plan(s, s->plans.items[i]) == false ||
		    (chain != NULL && push_chain(s, i, chain) == false))
			return false;
	}
	return true;
}

/* The plans follow: there is one vector for what is shown. */
static void
show_expanded(struct session *s)
{
	__typeof__(s->plans) plans = s->plans;

	s->plans = s->expanded_plans;
	s->expanded_plans = plans;
	s->shown = &s->expanded;
}

void
walk_thread(struct session *s, const struct target_thread *t)
{
	/* It is still there when no other was walked since. */
	if (s->walked == t)
		return;
	s->walked = t;
	if (ahead_take(s, t) == false)
		unwind_thread(s->unwinder, t, &s->stack);
	plan_frames(s);
	s->shown = &s->stack;
	for (size_t i = 0; i < s->stack.frames.count; i++) {
		if (chain_above(s, i) == NULL)
			continue;
		/* Most stacks have none and are used as they are. */
		if (expand(s))
			show_expanded(s);
		return;
	}
}

static unsigned
levels(const struct session *s, size_t i)
{

	return s->shown->frames.items[i]->trust == UNWIND_TAILCALL
	    ? 1
	    : s->plans.items[i]->n_locations;
}

uint32_t
walk_count(const struct session *s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s->shown->frames.count; i++)
		n += levels(s, i);
	return n;
}

/* A tail-call frame is shown once, as what GDB shows of it: the innermost
 * function at the jump. */
static const struct snap_location *
location_alone(struct session *s, struct frame_plan *plan)
{
	if (plan->alone == NULL) {
		struct snap_location l = *plan->locations[0];

		l.is_inline = false;
		plan->alone = snapshot_location(s->snapshot, &l);
	}
	return plan->alone;
}

bool
walk_each(struct session *s, frame_visit *visit, void *ctx)
{
	const struct unwind_stack *stack = s->shown;

	for (size_t i = 0; i < stack->frames.count; i++) {
		const struct unwind_frame *f = stack->frames.items[i];
		struct frame_plan *plan = s->plans.items[i];
		unsigned n = levels(s, i);

		for (unsigned k = 0; k < n; k++) {
			struct frame_step step = {
			    .frame = f,
			    .index = i,
			    .plan = plan,
			    .scope = k,
			    .location = f->trust == UNWIND_TAILCALL
				? location_alone(s, plan)
				: plan->locations[k],
			};
			if (step.location == NULL || visit(ctx, &step) == false)
				return false;
		}
	}
	return true;
}
