/* SPDX-License-Identifier: MIT */
/*
 * The expressions that nearly all variables and parameters of optimized code
 * have: a register and an offset, a constant, what a register held on entry;
 * alone, or with DW_OP_stack_value behind. They are answered here, without the
 * evaluator's context and stack. Whatever is not known or not of that form is
 * left to the evaluator, which also says why.
 */
#include "value/context.h"
#include "value/entry.h"

enum { /* DWARF 5, 7.7.1 */
	OP_CONST1U = 0x08,
	OP_CONST1S,
	OP_CONST2U,
	OP_CONST2S,
	OP_CONST4U,
	OP_CONST4S,
	OP_CONST8U,
	OP_CONST8S,
	OP_CONSTU,
	OP_CONSTS,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
	OP_FBREG = 0x91,
	OP_STACK_VALUE = 0x9f,
	OP_ENTRY_VALUE = 0xa3,
	OP_GNU_ENTRY_VALUE = 0xf3
};

static uint64_t
constant(unsigned op, struct view *v)
{
	switch (op) {
	case OP_CONST1U:
		return view_u8(v);
	case OP_CONST1S:
		return (uint64_t)(int64_t)(int8_t)view_u8(v);
	case OP_CONST2U:
		return view_u16(v);
	case OP_CONST2S:
		return (uint64_t)(int64_t)(int16_t)view_u16(v);
	case OP_CONST4U:
		return view_u32(v);
	case OP_CONST4S:
		return (uint64_t)(int64_t)(int32_t)view_u32(v);
	case OP_CONST8U:
	case OP_CONST8S:
		return view_u64(v);
	case OP_CONSTU:
		return view_uleb(v);
	default:
		return (uint64_t)view_sleb(v);
	}
}

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

	if (op >= OP_BREG0 && op <= OP_BREG31) {
		if (ev->frame == NULL ||
		    !regs_get(&ev->frame->regs, op - OP_BREG0, &base))
			return false;
		*out = base + (uint64_t)view_sleb(v);
	} else if (op == OP_FBREG) {
		if (!value_frame_base(ev, &base, NULL))
			return false;
		*out = base + (uint64_t)view_sleb(v);
	} else if (op >= OP_LIT0 && op <= OP_LIT31) {
		*out = op - OP_LIT0;
	} else if (op >= OP_CONST1U && op <= OP_CONSTS) {
		*out = constant(op, v);
	} else if (op == OP_ENTRY_VALUE || op == OP_GNU_ENTRY_VALUE) {
		return entry_value(ev, unit, v, out);
	} else {
		return false;
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
		if (view_u8(&v) != OP_STACK_VALUE || !view_end(&v))
			return false;
		*is_value = true;
	}
	ev->r->runs_left--;
	return budget_step(ev->r->budget);
}
