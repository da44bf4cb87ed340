/* SPDX-License-Identifier: MIT */
/*
 * The expressions that nearly all variables and parameters of optimized code
 * have: a register and an offset, a constant, what a register held on entry;
 * alone, or with DW_OP_stack_value behind. They are answered here, without the
 * evaluator's context and stack. Whatever is not known or not of that form is
 * left to the evaluator, which also says why.
 */
#include "expr/opcodes.h"
#include "value/context.h"
#include "value/entry.h"

static bool
entry_value(struct evaluator *ev, struct dwarf_unit *unit, struct view *v,
    uint64_t *out)
{
	struct dwarf_unit *outer = ev->unit;
	uint64_t size = view_uleb(v);
	const uint8_t *bytes = view_bytes(v, size);
	bool ok;

	if (!view_ok(v) || ev->nesting >= VALUE_NESTING)
		return false;
	ev->unit = unit;
	ev->nesting++;
	ok = value_on_entry(ev, view_of(bytes, size), out, NULL);
	ev->nesting--;
	ev->unit = outer;
	return ok;
}

static bool
operator_value(struct evaluator *ev, struct dwarf_unit *unit, unsigned op,
    struct view *v, uint64_t *out)
{
	uint64_t base;

	if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
		if (ev->frame == NULL ||
		    !regs_get(&ev->frame->regs,
			arch_place(ev->r->arch, op - DW_OP_breg0), &base))
			return false;
		*out = base + (uint64_t)view_sleb(v);
	} else if (op == DW_OP_fbreg) {
		if (!value_frame_base(ev, &base, NULL))
			return false;
		*out = base + (uint64_t)view_sleb(v);
	} else if (op == DW_OP_entry_value || op == DW_OP_GNU_entry_value) {
		return entry_value(ev, unit, v, out);
	} else {
		return expr_constant(op, v, out);
	}
	return true;
}

bool
value_quick(struct evaluator *ev, struct dwarf_unit *unit, struct view block,
    bool *is_value, uint64_t *out)
{
	struct view v = block;
	unsigned op = view_u8(&v);

	if (!view_ok(&v) || ev->r->runs_left == 0 ||
	    !operator_value(ev, unit, op, &v, out) || !view_ok(&v))
		return false;
	*is_value = false;
	if (!view_end(&v)) {
		if (view_u8(&v) != DW_OP_stack_value || !view_end(&v))
			return false;
		*is_value = true;
	}
	ev->r->runs_left--;
	return budget_step(ev->r->budget);
}
