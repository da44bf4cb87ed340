/* SPDX-License-Identifier: MIT */
/*
 * The last resort: looking for a return address on the stack. Stacks are full
 * of stale ones, so a candidate must prove itself: it follows a call to code,
 * and from it call frame information leads on to further return addresses or
 * to the proper end of the stack. Where the lost frame's function is known, a
 * call to just that function comes first. The frames are marked.
 */
#include "unwind/unwinder.h"

enum {
	WORDS_MAX = 2048,    /* 16 KiB of stack */
	CANDIDATES_MAX = 64, /* that are tried in one scan */
	SCANS_MAX = 32,	     /* in one walk */
	PROOF_STEPS = 3,
	FP_DISTANCE_MAX = 1 << 20 /* from a slot to where a saved fp points */
};

static bool
is_return_address(struct unwinder *u, uint64_t value)
{
	const unsigned both = RULE_EXECUTABLE | RULE_AFTER_CALL;
	bt_addr_t target;

	if (value < u->code_low || value > u->code_high ||
	    (rule_find(u, value, false)->flags & both) != both)
		return false;
	return call_target(u, value, &target) != ARCH_CALL_DIRECT ||
	    target_is_executable(u->t, target);
}

bool
frame_proves_itself(struct unwinder *u, const struct unwind_frame *candidate)
{
	struct unwind_frame f = *candidate, caller;
	struct stopped s;
	unsigned jumps = u->jumps;
	bool proven = false;

	for (unsigned i = 0; i < PROOF_STEPS; i++) {
		struct rule *rule = rule_find(u, f.pc, f.exact_pc);
		enum step step = STEP_LOST;

		frame_finish(u, &f, rule);
		if ((rule->flags & RULE_CFI) != 0)
			step = step_by_cfi(u, &f, rule, &caller, &s);
		if (step == STEP_LOST)
			break; /* proven as far as it goes */
		if (step == STEP_STOPPED) {
			/* A zero alone proves nothing: stacks are full of
			 * them. */
			if ((rule->flags & RULE_OUTERMOST) != 0)
				proven = true;
			else if (s.why != UNWIND_STOP_END)
				proven = false;
			break;
		}
		proven = f.signal_frame ||
		    rule_is_plausible(rule_find(u, caller.pc, caller.exact_pc));
		if (proven == false)
			break;
		f = caller;
	}
	u->jumps = jumps;
	return proven;
}

/*
 * The frame that would have been called from the return address in slot. Its
 * frame pointer may still be in its register, or lie where callees that keep
 * one push it; it is taken only if the proof needs it.
 */
static bool
try_candidate(struct unwinder *u, const struct unwind_frame *f, bt_addr_t slot,
    uint64_t pc, struct unwind_frame *caller)
{
	uint64_t fp;

	*caller = (struct unwind_frame){.pc = pc, .trust = UNWIND_SCAN};
	regs_set(&caller->regs, ARCH_PC, pc);
	regs_set(&caller->regs, ARCH_SP, slot + sizeof(pc));
	if (frame_proves_itself(u, caller))
		return true;
	if (stack_read(u, slot - sizeof(fp), &fp) && fp > slot &&
	    fp - slot < FP_DISTANCE_MAX) {
		regs_set(&caller->regs, ARCH_FP, fp);
		if (frame_proves_itself(u, caller))
			return true;
	}
	if (regs_get(&f->regs, ARCH_FP, &fp) && fp > slot &&
	    fp - slot < FP_DISTANCE_MAX) {
		regs_set(&caller->regs, ARCH_FP, fp);
		if (frame_proves_itself(u, caller))
			return true;
	}
	return false;
}

/* With start: only calls to it. */
static bool
search(struct unwinder *u, const struct unwind_frame *f, bt_addr_t from,
    bt_addr_t start, struct unwind_frame *caller)
{
	unsigned candidates = 0;

	for (size_t i = 0; i < WORDS_MAX; i++) {
		bt_addr_t slot = from + i * sizeof(uint64_t), target;
		uint64_t value;

		if (slot < from || stack_read(u, slot, &value) == false)
			break;
		if (is_return_address(u, value) == false)
			continue;
		if (start != 0 &&
		    (call_target(u, value, &target) != ARCH_CALL_DIRECT ||
			target != start))
			continue;
		if (candidates++ == CANDIDATES_MAX ||
		    budget_step(u->budget) == false)
			break;
		if (try_candidate(u, f, slot, value, caller))
			return true;
	}
	return false;
}

bool
step_by_scan(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bt_addr_t from, struct unwind_frame *caller)
{
	bt_addr_t start, end;

	/* A return address that was saved from a register says nothing of where
	 * its frame begins. */
	if (u->linked || u->scans++ >= SCANS_MAX)
		return false;
	from = (from + 7) & ~(bt_addr_t)7;
	/* The CFA is known: its return address was read, and is no code. */
	if (f->cfa_known == false && (rule->flags & RULE_EXECUTABLE) != 0 &&
	    unwind_function_range(u, unwind_lookup_pc(f), &start, &end) &&
	    search(u, f, from, start, caller))
		return true;
	return search(u, f, from, 0, caller);
}
