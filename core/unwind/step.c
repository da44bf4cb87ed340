/* SPDX-License-Identifier: MIT */
/*
 * One step by call frame information. The packed rule is the fast path: a CFA
 * from one register, a few loads from stack memory that is at hand in place.
 * Expressions and odd rows go through the general form.
 */
#include "expr/expr.h"
#include "unwind/unwinder.h"

enum {
	/* In place at once. What a walk has seen of a stack is the best guess
	 * at what it will still see: the window doubles as it is left, and is
	 * told to be read soon; what nobody may need is not. */
	WINDOW_MIN = 16 << 10,
	WINDOW_MAX = 1 << 30,
	PAGE = 4096,
	/* Steps to a lower address that one walk may take: coming back from an
	 * alternate stack, coroutines. More is a cycle. */
	JUMPS_MAX = 64
};

/* Makes it begin at start; false: the address is not in it. */
static bool
move_window(struct unwinder *u, bt_addr_t start, size_t size, bt_addr_t address)
{
	const uint8_t *bytes;

	size = target_view(u->t, start, size, &bytes);
	if (size < address - start || size - (address - start) < 8)
		return false;
	u->window.start = start;
	u->window.size = size;
	u->window.bytes = bytes;
	return true;
}

bool
stack_read_slow(struct unwinder *u, bt_addr_t address, uint64_t *out)
{
	bt_addr_t page = address & ~(bt_addr_t)(PAGE - 1);
	bt_addr_t start = u->window.start, end = start + u->window.size;
	size_t size = 2 * u->window.size;

	/* Up the same stack, or on to another one. */
	if (address - start < size && size <= WINDOW_MAX &&
	    move_window(u, start, size, address))
		target_expect(
		    u->t, end, u->window.start + u->window.size - end);
	else if (!move_window(u, page, WINDOW_MIN, address))
		return target_read_u64(u->t, address, out);
	memcpy(
	    out, u->window.bytes + (address - u->window.start), sizeof(*out));
	return true;
}

struct frame_context {
	struct unwinder *u;
	const struct unwind_frame *f;
};

static bool
context_reg(void *ctx, unsigned number, uint64_t *out)
{
	const struct frame_context *c = ctx;

	return regs_get(
	    &c->f->regs, arch_place(target_arch(c->u->t), number), out);
}

static bool
context_memory(
    void *ctx, uint64_t address, void *out, size_t size, bt_error_t *e)
{
	const struct frame_context *c = ctx;

	return target_read_exact(c->u->t, address, out, size, e);
}

static bool
evaluate(struct unwinder *u, const struct unwind_frame *f, struct view block,
    const uint64_t *cfa, uint64_t *out, bt_error_t *e)
{
	struct frame_context ctx = {u, f};
	struct expr_context c = {
	    .ctx = &ctx,
	    .address_size = 8,
	    .offset_size = 4,
	    .version = 5,
	    .reg = context_reg,
	    .memory = context_memory,
	};

	return expr_eval_u64(&c, block, cfa, false, out, e);
}

static bool
find_cfa(struct unwinder *u, const struct unwind_frame *f, struct rule *rule,
    uint64_t *out)
{
	const struct cfi_row *row = rule->row;
	uint64_t base;

	if (row == NULL) {
		if (regs_get(&f->regs, rule->cfa_reg, &base) == false)
			return false;
		*out = base + (uint64_t)(int64_t)rule->cfa_offset;
		return true;
	}
	if (row->cfa_is_block)
		return evaluate(u, f, row->cfa_block, NULL, out, NULL);
	if (regs_get(&f->regs, row->cfa_reg, &base) == false)
		return false;
	*out = base + (uint64_t)row->cfa_offset;
	return true;
}

void
frame_finish(struct unwinder *u, struct unwind_frame *f, struct rule *rule)
{
	f->module = rule->module;
	f->signal_frame = (rule->flags & (RULE_SIGNAL | RULE_TRAMPOLINE)) != 0;
	/* Nothing was called at a pc that was put there: look-ups by others
	 * must not subtract one. */
	if ((rule->flags & (RULE_STARTS_HERE | RULE_TRAMPOLINE)) != 0)
		f->exact_pc = true;
	f->cfa = 0;
	f->cfa_known = (rule->flags & RULE_CFI) != 0 &&
	    find_cfa(u, f, rule, &f->cfa);
}

static enum step
unreadable(struct stopped *s, bt_addr_t address)
{
	s->why = UNWIND_STOP_UNREADABLE;
	s->address = address;
	return STEP_STOPPED;
}

/* One register by its rule in the general form; false: not to be had, and then
 * *fault is the address if that was unreadable. */
static bool
general_register(struct unwinder *u, const struct unwind_frame *f,
    const struct cfi_rule *rule, uint64_t *out, bt_addr_t *fault)
{
	bt_addr_t address = f->cfa + (uint64_t)rule->offset;
	bt_error_t e;

	e.code = BT_OK;
	switch (rule->kind) {
	case CFI_OFFSET:
		break;
	case CFI_VAL_OFFSET:
		*out = address;
		return true;
	case CFI_REGISTER:
		return regs_get(&f->regs, rule->reg, out);
	case CFI_EXPRESSION:
		if (evaluate(u, f, rule->block, &f->cfa, &address, &e) ==
		    false) {
			*fault = e.code == BT_E_FAULT ? e.address : 0;
			return false;
		}
		break;
	case CFI_VAL_EXPRESSION:
		if (evaluate(u, f, rule->block, &f->cfa, out, &e))
			return true;
		*fault = e.code == BT_E_FAULT ? e.address : 0;
		return false;
	default:
		return false;
	}
	if (stack_read(u, address, out))
		return true;
	*fault = address;
	return false;
}

static enum step
general_registers(struct unwinder *u, const struct unwind_frame *f,
    const struct cfi_row *row, struct unwind_frame *caller, struct stopped *s)
{
	for (unsigned i = 0; i < u->n_regs; i++) {
		const struct cfi_rule *rule = &row->regs[i];
		bt_addr_t fault = 0;
		uint64_t value;

		if (rule->kind == CFI_UNSPECIFIED ||
		    rule->kind == CFI_UNDEFINED || rule->kind == CFI_SAME)
			continue;
		if (general_register(u, f, rule, &value, &fault))
			regs_set(&caller->regs, i, value);
		else if (i == ARCH_PC && fault != 0)
			return unreadable(s, fault);
		else if (i == ARCH_PC)
			return STEP_LOST;
		else
			regs_forget(&caller->regs, i);
	}
	return STEP_DONE;
}

static enum step
packed_registers_one_by_one(struct unwinder *u, const struct unwind_frame *f,
    const struct rule *rule, struct unwind_frame *caller, struct stopped *s)
{
	for (unsigned i = 0; i < rule->n_saved; i++) {
		unsigned reg = rule->saved_reg[i];
		bt_addr_t address = f->cfa +
		    (uint64_t)(int64_t)rule->saved_offset[i];

		if (stack_read(u, address, &caller->regs.value[reg]))
			caller->regs.known |= regs_bit(reg);
		else if (reg == ARCH_PC)
			return unreadable(s, address);
		else
			caller->regs.known &= ~regs_bit(reg);
	}
	return STEP_DONE;
}

/* All saved registers lie between the lowest of them and the CFA: one check
 * for all, when that is at hand. */
static inline enum step
packed_registers(struct unwinder *u, const struct unwind_frame *f,
    const struct rule *rule, struct unwind_frame *caller, struct stopped *s)
{
	uint64_t end = f->cfa - u->window.start; /* in the window */
	uint64_t below = (uint64_t) - (int64_t)rule->lowest;

	if (end > u->window.size || below > end)
		return packed_registers_one_by_one(u, f, rule, caller, s);
	for (unsigned i = 0; i < rule->n_saved; i++)
		memcpy(&caller->regs.value[rule->saved_reg[i]],
		    u->window.bytes + end + rule->saved_offset[i],
		    sizeof(uint64_t));
	caller->regs.known |= rule->saved;
	return STEP_DONE;
}

/*
 * A caller's stack pointer is above its callee's. Coming back from a signal
 * handler on another stack, or from a function that switched stacks, it need
 * not be; a limited number of such jumps keeps cycles out.
 */
static bool
makes_progress(struct unwinder *u, const struct unwind_frame *f,
    const struct unwind_frame *caller)
{
	uint64_t old, new = caller->regs.value[ARCH_SP];

	if (regs_get(&f->regs, ARCH_SP, &old) == false || new > old)
		return true;
	/* glibc's vfork holds its return address in a register while the child
	 * runs: nothing of its frame is left on the stack. */
	if (new == old && f->exact_pc && f->signal_frame == false &&
	    caller->regs.value[ARCH_PC] != f->pc)
		return true;
	if (f->signal_frame == false &&
	    target_mapping_at(u->t, old) == target_mapping_at(u->t, new))
		return false;
	return u->jumps++ < JUMPS_MAX;
}

enum step
step_by_cfi(struct unwinder *u, const struct unwind_frame *f, struct rule *rule,
    struct unwind_frame *caller, struct stopped *s)
{
	enum step step;

	if ((rule->flags & RULE_OUTERMOST) != 0) {
		s->why = UNWIND_STOP_END;
		return STEP_STOPPED;
	}
	if (f->cfa_known == false)
		return STEP_LOST;
	regs_copy(&caller->regs, &f->regs, u->linked);
	caller->regs.known &= rule->keep;
	regs_set(&caller->regs, ARCH_SP, f->cfa);
	step = rule->row != NULL ? general_registers(u, f, rule->row, caller, s)
				 : packed_registers(u, f, rule, caller, s);
	if (step != STEP_DONE)
		return step;
	if ((rule->flags & RULE_SIGNED) != 0)
		regs_set(&caller->regs, ARCH_PC,
		    target_code_pointer(u->t, caller->regs.value[ARCH_PC]));
	caller->pc = caller->regs.value[ARCH_PC];
	caller->exact_pc = f->signal_frame;
	caller->trust = (rule->flags & RULE_DEBUG_FRAME) != 0
	    ? UNWIND_DEBUG_FRAME
	    : UNWIND_CFI;
	if (caller->pc == 0 && f->signal_frame == false) {
		s->why = UNWIND_STOP_END;
		return STEP_STOPPED;
	}
	if (makes_progress(u, f, caller) == false) {
		s->why = UNWIND_STOP_NO_PROGRESS;
		return STEP_STOPPED;
	}
	return STEP_DONE;
}

/*
 * Whether a caller that call frame information gave may stand. An interrupted
 * frame is as it was, like frame 0. A return address that follows no call is
 * an overwritten one, or was put there by hand: only if it leads on to others
 * is it believed. Where the code is not to be had, nothing speaks against it.
 */
static bool
stands(struct unwinder *u, const struct unwind_frame *f,
    const struct unwind_frame *caller, const struct rule *rule)
{
	if (f->signal_frame || rule_is_plausible(rule))
		return true;
	if ((rule->flags & RULE_EXECUTABLE) == 0)
		return false;
	return (rule->flags & RULE_NO_CALL) == 0 ||
	    frame_proves_itself(u, caller);
}

/* With call frame information; *from is where a scan would begin. */
static enum step
step_checked(struct unwinder *u, const struct unwind_frame *f,
    struct rule *rule, struct unwind_frame *caller, struct rule **caller_rule,
    struct stopped *s, bt_addr_t *from)
{
	enum step step = step_by_cfi(u, f, rule, caller, s);

	*from = f->cfa;
	/* A chain of frame records goes on without it. */
	if (step == STEP_LOST && u->linked == false &&
	    regs_get(&f->regs, ARCH_SP, from) == false)
		return STEP_STOPPED;
	if (step != STEP_DONE)
		return step;
	*caller_rule = rule_find(u, caller->pc, caller->exact_pc);
	if (stands(u, f, caller, *caller_rule))
		return STEP_DONE;
	/* What was put on a stack by hand, as makecontext puts its start code,
	 * has no caller to be lost. */
	if ((rule->flags & RULE_STARTS_HERE) != 0) {
		s->why = UNWIND_STOP_END;
		return STEP_STOPPED;
	}
	s->why = UNWIND_STOP_NOT_CODE;
	s->address = caller->pc;
	return STEP_LOST;
}

bool
step_any(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bool innermost, struct unwind_frame *caller, struct rule **caller_rule,
    struct stopped *s)
{
	enum step step;
	bt_addr_t from;

	s->why = UNWIND_STOP_NO_INFO;
	s->address = 0;
	if ((rule->flags & RULE_CFI) != 0) {
		step = step_checked(u, f, rule, caller, caller_rule, s, &from);
		if (step == STEP_DONE)
			return true;
		if (step == STEP_STOPPED)
			return false;
		if ((rule->flags & RULE_EXECUTABLE) != 0 && u->linked == false)
			step = step_by_scan(u, f, rule, from, caller)
			    ? STEP_DONE
			    : STEP_LOST;
		else /* code that is gone was perhaps never reached */
			step = step_without_cfi(
			    u, f, rule, innermost, caller, s);
		if (step != STEP_DONE)
			return false;
	} else if (step_without_cfi(u, f, rule, innermost, caller, s) !=
	    STEP_DONE) {
		return false;
	}
	*caller_rule = rule_find(u, caller->pc, caller->exact_pc);
	return true;
}
