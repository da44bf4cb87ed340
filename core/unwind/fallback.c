/* SPDX-License-Identifier: MIT */
/*
 * The caller when there is no call frame information: the signal frame by its
 * layout, the return address under a wild jump, the function's instructions,
 * the frame pointer. Every answer must be a return address: in executable
 * memory, behind a call (or a signal trampoline).
 */
#include "unwind/unwinder.h"

enum {
	CALL_BYTES = 8,
	EDGE_BYTES = 16,
	EDGE_BEFORE = 12, /* the rest of a linkage stub */
	STUB_BYTES = 16,
	/* Stack words searched for the call that led to a function whose start
	 * is not known. */
	CALL_SEARCH_WORDS = 512,
	CALL_SEARCH_LAYOUTS = 8 /* functions read in one search */
};

size_t
code_read(struct unwinder *u, bt_addr_t pc, void *out, size_t size)
{
	return target_read(u->t, pc, out, size);
}

size_t
code_before(struct unwinder *u, bt_addr_t pc, void *out, size_t size)
{
	while (size > 0 && code_read(u, pc - size, out, size) != size)
		size--;
	return size;
}

enum arch_call
call_target(struct unwinder *u, bt_addr_t return_address, bt_addr_t *target)
{
	uint8_t code[STUB_BYTES];
	enum arch_call kind, jump;
	bt_addr_t to;
	size_t size = code_before(u, return_address, code, CALL_BYTES);

	kind = u->arch->call_before(code, size, return_address, target);
	if (kind == ARCH_CALL_DIRECT) {
		size = code_read(u, *target, code, sizeof(code));
		jump = u->arch->jump_at(code, size, *target, &to);
		if (jump == ARCH_CALL_NONE)
			return kind;
		kind = jump;
		*target = to;
	}
	/* An unbound slot holds an address in the stub itself, or nothing:
	 * then nobody can tell. */
	if (kind == ARCH_CALL_SLOT)
		kind = target_read_u64(u->t, *target, target) &&
			target_is_executable(u->t, *target)
		    ? ARCH_CALL_DIRECT
		    : ARCH_CALL_INDIRECT;
	return kind;
}

static enum step
end_of_stack(struct stopped *s)
{
	s->why = UNWIND_STOP_END;
	s->address = 0;
	return STEP_STOPPED;
}

struct target_reader {
	struct target *t;
};

static size_t
read_target(void *ctx, bt_addr_t address, void *out, size_t size)
{
	const struct target_reader *r = ctx;

	return target_read(r->t, address, out, size);
}

static enum step
by_signal_frame(struct unwinder *u, const struct unwind_frame *f,
    struct unwind_frame *caller, struct stopped *s)
{
	enum { JUMPS_MAX = 64 };
	struct target_reader reader = {u->t};
	uint64_t sp;

	if (regs_get(&f->regs, ARCH_SP, &sp) == false)
		return STEP_LOST;
	if (u->arch->sigframe_regs(sp, read_target, &reader, &caller->regs) ==
	    false) {
		s->why = UNWIND_STOP_UNREADABLE;
		s->address = sp;
		return STEP_STOPPED;
	}
	if (caller->regs.value[ARCH_SP] <= sp && u->jumps++ >= JUMPS_MAX) {
		s->why = UNWIND_STOP_NO_PROGRESS;
		return STEP_STOPPED;
	}
	caller->pc = caller->regs.value[ARCH_PC];
	caller->exact_pc = true;
	caller->trust = UNWIND_CFI;
	return STEP_DONE;
}

/* A return address may be signed; where it is code as it stands, it is not. */
static uint64_t
unsigned_pc(struct unwinder *u, uint64_t pc)
{
	return u->linked && target_is_executable(u->t, pc) == false
	    ? target_code_pointer(u->t, pc)
	    : pc;
}

/* The return address by a layout. False: it is not to be had, and why tells
 * when that is because the core lacks a part of this stack. */
static bool
return_address(struct unwinder *u, const struct unwind_frame *f,
    const struct arch_layout *layout, bt_addr_t cfa, uint64_t *pc,
    struct stopped *s)
{
	bt_addr_t slot = cfa - sizeof(*pc);
	uint64_t sp;

	if (u->linked) {
		unsigned link = u->arch->link;

		if ((layout->saved >> link & 1) == 0)
			/* Whoever has called has overwritten it. */
			return f->exact_pc &&
			    (layout->changed >> link & 1) == 0 &&
			    regs_get(&f->regs, link, pc);
		slot = cfa + (uint64_t)(int64_t)layout->offset[link];
	}
	if (stack_read(u, slot, pc)) {
		*pc = unsigned_pc(u, *pc);
		return true;
	}
	/* A part of this stack that the core lacks; anything else is no frame
	 * pointer. */
	if (regs_get(&f->regs, ARCH_SP, &sp) &&
	    target_mapping_at(u->t, slot) != NULL &&
	    target_mapping_at(u->t, slot) == target_mapping_at(u->t, sp)) {
		s->why = UNWIND_STOP_UNREADABLE;
		s->address = slot;
	}
	return false;
}

/* The caller's frame by a layout, if what it says is a return address. */
static enum step
by_layout(struct unwinder *u, struct unwind_frame *f,
    const struct arch_layout *layout, enum unwind_trust trust,
    struct unwind_frame *caller, struct stopped *s)
{
	uint64_t base, sp = 0, pc, value;
	bt_addr_t cfa;

	if (regs_get(&f->regs, layout->cfa_reg, &base) == false ||
	    (base & 7) != 0)
		return STEP_LOST;
	cfa = base + (uint64_t)layout->cfa_offset;
	if (regs_get(&f->regs, ARCH_SP, &sp) &&
	    (cfa < sp || (cfa == sp && u->linked == false)))
		return STEP_LOST;
	if (return_address(u, f, layout, cfa, &pc, s) == false)
		return STEP_LOST;
	if (pc == 0)
		return end_of_stack(s);
	if (rule_is_plausible(rule_find(u, pc, false)) == false ||
	    (cfa == sp && pc == f->pc))
		return STEP_LOST;
	caller->regs = f->regs;
	caller->regs.known &= u->preserved & ~layout->changed;
	for (unsigned i = 0; i < u->n_regs; i++) {
		if ((layout->saved >> i & 1) != 0 &&
		    stack_read(
			u, cfa + (uint64_t)(int64_t)layout->offset[i], &value))
			regs_set(&caller->regs, i, value);
	}
	regs_set(&caller->regs, ARCH_SP, cfa);
	regs_set(&caller->regs, ARCH_PC, pc);
	caller->pc = pc;
	caller->exact_pc = false;
	caller->trust = trust;
	f->cfa = cfa;
	f->cfa_known = true;
	return STEP_DONE;
}

bool
layout_from_start(struct unwinder *u, const struct unwind_frame *f,
    bt_addr_t start, struct arch_layout *out)
{
	const uint8_t *code;
	size_t size;

	if (start > f->pc || f->pc - start > ARCH_FUNCTION_MAX ||
	    target_is_executable(u->t, start) == false)
		return false;
	size = target_view(u->t, start, (size_t)(f->pc - start) + 16, &code);
	return size >= f->pc - start &&
	    u->arch->layout_at(code, size, (size_t)(f->pc - start), out);
}

static enum unwind_trust
layout_trust(const struct unwinder *u, const struct arch_layout *layout)
{
	struct arch_layout framed;

	if (u->linked)
		return layout->cfa_reg == ARCH_FP ? UNWIND_FP : UNWIND_PROLOGUE;

	arch_layout_framed(&framed);
	return layout->cfa_reg == framed.cfa_reg &&
		layout->cfa_offset == framed.cfa_offset
	    ? UNWIND_FP
	    : UNWIND_PROLOGUE;
}

static void
keep_layout(
    struct unwinder *u, struct rule *rule, const struct arch_layout *layout)
{
	struct arch_layout *copy = ARENA_NEW(&u->arena, struct arch_layout);

	if (copy != NULL)
		*copy = *layout;
	rule->layout = copy;
}

/* The function's instructions from its symbol on, read once per pc. */
static void
find_layout(struct unwinder *u, const struct unwind_frame *f, struct rule *rule)
{
	struct image_symbol symbol;
	struct arch_layout layout;
	struct image *image;

	if ((rule->flags & RULE_LAYOUT_TRIED) != 0)
		return;
	rule->flags |= RULE_LAYOUT_TRIED;
	if (rule->module == NULL)
		return;
	image = target_module_image(u->t, rule->module);
	if (image == NULL ||
	    image_symbol_at(image, unwind_lookup_pc(f) - rule->module->bias,
		&symbol) == false)
		return;
	if (layout_from_start(u, f, symbol.value + rule->module->bias, &layout))
		keep_layout(u, rule, &layout);
}

/* At a function's first or last instructions the frame pointer is the
 * caller's. */
static enum step
by_edge(struct unwinder *u, struct unwind_frame *f, struct unwind_frame *caller,
    struct stopped *s)
{
	uint8_t before[EDGE_BEFORE], after[EDGE_BYTES];
	struct arch_layout layout;
	size_t n_before, n_after;

	if (f->exact_pc == false)
		return STEP_LOST;
	n_before = code_read(u, f->pc - sizeof(before), before, sizeof(before));
	if (n_before < sizeof(before)) /* a mapping begins there */
		n_before = code_read(u, f->pc - 1, before, 1);
	n_after = code_read(u, f->pc, after, sizeof(after));
	if (u->arch->layout_at_edge(
		before, n_before, after, n_after, &layout) == false)
		return STEP_LOST;
	return by_layout(u, f, &layout, UNWIND_PROLOGUE, caller, s);
}

/*
 * A function whose start nobody names is named by the call that led to it: a
 * return address on the stack whose call goes to a place from which the
 * instructions lead to pc with just this return address at the CFA.
 */
static enum step
by_call(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bt_addr_t end, struct unwind_frame *caller, struct stopped *s)
{
	unsigned layouts = 0;
	bt_addr_t slot;

	if (regs_get(&f->regs, ARCH_SP, &slot) == false || (slot & 7) != 0)
		return STEP_LOST;
	if (end <= slot || end - slot > CALL_SEARCH_WORDS * sizeof(slot))
		end = slot + CALL_SEARCH_WORDS * sizeof(slot);
	for (; slot < end; slot += sizeof(slot)) {
		struct arch_layout layout;
		uint64_t value;
		bt_addr_t start;

		if (stack_read(u, slot, &value) == false)
			break;
		if (value < u->code_low || value >= u->code_high ||
		    (rule_find(u, value, false)->flags &
			(RULE_EXECUTABLE | RULE_AFTER_CALL)) !=
			(RULE_EXECUTABLE | RULE_AFTER_CALL) ||
		    call_target(u, value, &start) != ARCH_CALL_DIRECT ||
		    start > f->pc || f->pc - start > ARCH_FUNCTION_MAX)
			continue;
		if (layouts++ == CALL_SEARCH_LAYOUTS)
			break;
		if (layout_from_start(u, f, start, &layout) == false ||
		    regs_get(&f->regs, layout.cfa_reg, &value) == false ||
		    value + (uint64_t)layout.cfa_offset != slot + sizeof(slot))
			continue;
		keep_layout(u, rule, &layout);
		return by_layout(
		    u, f, &layout, layout_trust(u, &layout), caller, s);
	}
	return STEP_LOST;
}

/*
 * How far the frame pointer's return address is to be believed. A direct call
 * to a function that does not lead to pc speaks against it, though it may have
 * jumped on to ours; then the saved frame pointer must at least go on upwards.
 */
enum belief { BELIEF_NONE, BELIEF_SOME, BELIEF_SURE };

static enum belief
believe_fp(struct unwinder *u, const struct unwind_frame *f,
    const struct unwind_frame *caller, struct arch_layout *layout)
{
	enum { FRAME_MAX = 1 << 20 };
	uint64_t fp, next;
	bt_addr_t start;

	if (call_target(u, caller->pc, &start) != ARCH_CALL_DIRECT)
		return BELIEF_SOME;
	if (layout_from_start(u, f, start, layout) &&
	    layout_trust(u, layout) == UNWIND_FP)
		return BELIEF_SURE;
	return regs_get(&f->regs, ARCH_FP, &fp) &&
		regs_get(&caller->regs, ARCH_FP, &next) && next > fp &&
		next - fp < FRAME_MAX
	    ? BELIEF_SOME
	    : BELIEF_NONE;
}

static enum step
search_before_end(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bool innermost, struct unwind_frame *caller, struct stopped *s)
{
	enum step step = by_call(u, f, rule, 0, caller, s);
	uint64_t sp;

	if (step != STEP_LOST || innermost)
		return step;
	if (regs_get(&f->regs, ARCH_SP, &sp) &&
	    step_by_scan(u, f, rule, sp, caller))
		return STEP_DONE;
	return end_of_stack(s);
}

/*
 * The chain of frame pointers. The saved one need not be above: a caller with
 * CFI may use the register for anything. A function without a frame pointer
 * looks the same from here as one whose caller is skipped, so a chain that the
 * call does not confirm gives way to one that does.
 */
static enum step
by_frame_pointer(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bool innermost, struct unwind_frame *caller, struct stopped *s)
{
	struct arch_layout framed, layout;
	enum belief belief;
	uint64_t fp;
	enum step step;

	if (regs_get(&f->regs, ARCH_FP, &fp) == false)
		return by_call(u, f, rule, 0, caller, s);
	/* The start code leaves a frame pointer of zero, or a zero return
	 * address; but code without frame pointers may have zero there too. */
	if (fp == 0)
		return search_before_end(u, f, rule, innermost, caller, s);
	arch_layout_framed(&framed);
	step = by_layout(u, f, &framed, UNWIND_FP, caller, s);
	if (step == STEP_STOPPED)
		return search_before_end(u, f, rule, false, caller, s);
	if (step == STEP_LOST)
		return by_call(u, f, rule, 0, caller, s);
	belief = believe_fp(u, f, caller, &layout);
	if (belief == BELIEF_SURE) {
		keep_layout(u, rule, &layout);
		return by_layout(u, f, &layout, UNWIND_FP, caller, s);
	}
	step = by_call(u, f, rule, f->cfa, caller, s);
	if (step != STEP_LOST)
		return step;
	if (belief == BELIEF_NONE) {
		f->cfa_known = false;
		f->cfa = 0;
		return step;
	}
	return by_layout(u, f, &framed, UNWIND_FP, caller, s);
}

/*
 * The chain of frame records where return addresses come in a register: x29
 * points to the caller's x29 and the return address, but where the frame ends
 * only its function's instructions tell. Without them the caller's stack
 * pointer is unknown, and what depends on it; the chain goes on.
 */
static enum step
by_frame_record(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bool innermost, struct unwind_frame *caller, struct stopped *s)
{
	struct arch_layout layout;
	uint64_t fp, sp, next, pc;
	bt_addr_t start;

	if (regs_get(&f->regs, ARCH_FP, &fp) == false || (fp & 7) != 0 ||
	    (regs_get(&f->regs, ARCH_SP, &sp) && fp < sp))
		return STEP_LOST;
	if (fp == 0)
		return innermost ? STEP_LOST : end_of_stack(s);
	if (stack_read(u, fp, &next) == false ||
	    stack_read(u, fp + sizeof(next), &pc) == false)
		return STEP_LOST;
	pc = unsigned_pc(u, pc);
	if (pc == 0)
		return end_of_stack(s);
	if (rule_is_plausible(rule_find(u, pc, false)) == false ||
	    (next != 0 && next <= fp))
		return STEP_LOST;
	if (call_target(u, pc, &start) == ARCH_CALL_DIRECT &&
	    layout_from_start(u, f, start, &layout)) {
		keep_layout(u, rule, &layout);
		return by_layout(
		    u, f, &layout, layout_trust(u, &layout), caller, s);
	}
	caller->regs = (struct regs){0};
	regs_set(&caller->regs, ARCH_FP, next);
	regs_set(&caller->regs, ARCH_PC, pc);
	caller->pc = pc;
	caller->exact_pc = false;
	caller->trust = UNWIND_FP;
	return STEP_DONE;
}

/* A call to an address that is no code pushed its return address and did
 * nothing else: all registers are the caller's. */
static enum step
by_return_slot(struct unwinder *u, struct unwind_frame *f,
    struct unwind_frame *caller, struct stopped *s)
{
	uint64_t sp, pc;

	if (regs_get(&f->regs, ARCH_SP, &sp) == false)
		return STEP_LOST;
	if (u->linked) {
		if (f->exact_pc == false ||
		    regs_get(&f->regs, u->arch->link, &pc) == false)
			return STEP_LOST;
		pc = unsigned_pc(u, pc);
	} else if (stack_read(u, sp, &pc) == false) {
		s->why = UNWIND_STOP_UNREADABLE;
		s->address = sp;
		return STEP_STOPPED;
	}
	if (rule_is_plausible(rule_find(u, pc, false)) == false)
		return STEP_LOST;
	caller->regs = f->regs;
	if (u->linked == false)
		sp += sizeof(pc);
	regs_set(&caller->regs, ARCH_SP, sp);
	regs_set(&caller->regs, ARCH_PC, pc);
	caller->pc = pc;
	caller->exact_pc = false;
	caller->trust = UNWIND_RETURN_SLOT;
	f->cfa = sp;
	f->cfa_known = true;
	return STEP_DONE;
}

enum step
step_without_cfi(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bool innermost, struct unwind_frame *caller, struct stopped *s)
{
	enum step step = STEP_LOST;
	uint64_t sp;

	if ((rule->flags & RULE_TRAMPOLINE) != 0)
		step = by_signal_frame(u, f, caller, s);
	else if ((rule->flags & RULE_EXECUTABLE) == 0)
		step = by_return_slot(u, f, caller, s);
	else {
		find_layout(u, f, rule);
		if (rule->layout != NULL)
			step = by_layout(u, f, rule->layout,
			    layout_trust(u, rule->layout), caller, s);
		if (step == STEP_LOST)
			step = by_edge(u, f, caller, s);
		if (step == STEP_LOST && u->linked)
			step = by_frame_record(
			    u, f, rule, innermost || f->exact_pc, caller, s);
		else if (step == STEP_LOST)
			/* An interrupted frame need not have set its frame
			 * pointer up, whatever it called in. */
			step = by_frame_pointer(
			    u, f, rule, innermost || f->exact_pc, caller, s);
	}
	if (step != STEP_LOST || s->why == UNWIND_STOP_UNREADABLE)
		return step;
	if (regs_get(&f->regs, ARCH_SP, &sp) &&
	    step_by_scan(u, f, rule, sp, caller))
		return STEP_DONE;
	return STEP_LOST;
}
