/* SPDX-License-Identifier: MIT */
/*
 * What the expression evaluator asks for, answered from one frame: registers,
 * memory, CFA, frame base, thread-local storage, other DIEs. An answer that is
 * not known fails the expression; nothing is guessed.
 */
#include "value/context.h"

/* The younger frame that still has a register of the frame; NULL: none. */
static const struct unwind_frame *
holder_of(struct evaluator *ev, unsigned number)
{
	size_t holder;

	if (ev->stack == NULL || ev->r->unwinder == NULL ||
	    unwind_untouched(ev->r->unwinder, ev->stack, ev->index, number,
		&holder) == false)
		return NULL;
	return ev->stack->frames.items[holder];
}

static bool
ctx_reg(void *ctx, unsigned number, uint64_t *out)
{
	struct evaluator *ev = ctx;
	unsigned place = arch_place(ev->r->arch, number);
	const struct unwind_frame *holder;

	if (ev->frame != NULL) {
		if (regs_get(&ev->frame->regs, place, out) ||
		    value_at_call(ev, number, out))
			return true;
		holder = holder_of(ev, number);
		if (holder != NULL && regs_get(&holder->regs, place, out))
			return true;
	}
	ev->register_missing = true;
	return false;
}

static size_t
ctx_reg_bytes(void *ctx, unsigned number, uint8_t *out, size_t size)
{
	struct evaluator *ev = ctx;
	size_t got = value_register(ev, number, out, size);

	if (got == 0)
		ev->register_missing = true;
	return got;
}

size_t
value_register(struct evaluator *ev, unsigned number, uint8_t *out, size_t size)
{
	enum { VECTOR = 16 }; /* what untouched.c looks at of one */
	const struct unwind_frame *holder;
	uint64_t value;
	size_t got;

	if (ev->frame == NULL || ev->thread == NULL)
		return 0;
	got = arch_reg_bytes(&ev->thread->regs, &ev->frame->regs,
	    ev->index == 0, number, out, size);
	if (got != 0 || size < sizeof(value))
		return got;
	if (value_at_call(ev, number, &value)) {
		/* Of a vector register the bytes that carry a double. */
		memcpy(out, &value, sizeof(value));
		return sizeof(value);
	}
	holder = holder_of(ev, number);
	if (holder == NULL)
		return 0;
	return arch_reg_bytes(&ev->thread->regs, &holder->regs,
	    holder == ev->stack->frames.items[0], number, out,
	    size < VECTOR ? size : VECTOR);
}

static bool
ctx_memory(void *ctx, uint64_t address, void *out, size_t size, bt_error_t *e)
{
	struct evaluator *ev = ctx;
	const uint8_t *found = value_memory(ev->r, address, size, out);

	if (found == NULL)
		return bt_fail_fault(e, address, "memory is not readable");
	if (found != out)
		memcpy(out, found, size);
	return true;
}

static bool
ctx_frame_base(void *ctx, uint64_t *out, bt_error_t *e)
{
	return value_frame_base(ctx, out, e);
}

static bool
ctx_cfa(void *ctx, uint64_t *out, bt_error_t *e)
{
	struct evaluator *ev = ctx;

	if (ev->frame == NULL || ev->frame->cfa_known == false)
		return bt_fail(e, BT_E_NOTFOUND, "the CFA is not known");
	*out = ev->frame->cfa;
	return true;
}

static bool
ctx_object_address(void *ctx, uint64_t *out)
{
	struct evaluator *ev = ctx;

	if (ev->object_address == NULL)
		return false;
	*out = *ev->object_address;
	return true;
}

static bool
ctx_tls(void *ctx, uint64_t offset, uint64_t *out, bt_error_t *e)
{
	struct evaluator *ev = ctx;

	if (ev->thread == NULL || ev->module == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "no thread to look in");
	return target_tls_address(
	    ev->r->target, ev->thread, ev->module, offset, out, e);
}

static bool
ctx_addrx(void *ctx, uint64_t index, uint64_t *out)
{
	struct evaluator *ev = ctx;

	return ev->unit != NULL && dwarf_unit_addrx(ev->unit, index, out);
}

static bool
ctx_entry_value(void *ctx, struct view block, uint64_t *out, bt_error_t *e)
{
	return value_on_entry(ctx, block, out, e);
}

static struct dwarf_die
die_of(struct evaluator *ev, uint64_t offset, bool in_section)
{
	if (ev->unit == NULL)
		return (struct dwarf_die){NULL, 0};
	return in_section ? dwarf_unit_die_at(ev->unit, offset)
			  : dwarf_die_in_unit(ev->unit, offset);
}

static bool
ctx_call(void *ctx, uint64_t offset, bool ref, struct view *block)
{
	struct evaluator *ev = ctx;
	struct dwarf_die die = die_of(ev, offset, ref);
	struct dwarf_location location;

	*block = view_of(NULL, 0);
	if (die.unit == NULL)
		return false;
	/* DWARF 5, 2.5.1.5: a DIE without location has no effect. */
	if (dwarf_die_location(die, &location) == false)
		return true;
	return dwarf_location_at(&location, ev->pc, block, NULL);
}

static bool
ctx_base_type(void *ctx, uint64_t offset, struct expr_base_type *out)
{
	struct evaluator *ev = ctx;
	struct dwarf_die die = die_of(ev, offset, false);
	const struct dwarf_type *type;

	if (die.unit == NULL)
		return false;
	type = dwarf_type_strip(dwarf_type_of(die));
	if (type == NULL || type->kind != DWARF_TYPE_BASE || type->size > 16)
		return false;
	out->encoding = type->encoding;
	out->size = (uint8_t)type->size;
	return true;
}

static bool
ctx_variable_value(void *ctx, uint64_t offset, uint64_t *out, bt_error_t *e)
{
	struct evaluator *ev = ctx;
	struct dwarf_die die = die_of(ev, offset, true);

	if (die.unit == NULL)
		return bt_fail(e, BT_E_FORMAT, "no variable there");
	return value_of_die(ev, die, out, e);
}

static const struct expr_context template = {
    .address_size = 8,
    .offset_size = 4,
    .version = 5,
    .reg = ctx_reg,
    .reg_bytes = ctx_reg_bytes,
    .memory = ctx_memory,
    .frame_base = ctx_frame_base,
    .cfa = ctx_cfa,
    .object_address = ctx_object_address,
    .tls = ctx_tls,
    .addrx = ctx_addrx,
    .entry_value = ctx_entry_value,
    .call = ctx_call,
    .base_type = ctx_base_type,
    .variable_value = ctx_variable_value,
};

void
value_context(struct evaluator *ev, struct expr_context *out)
{
	*out = template;
	out->ctx = ev;
	out->bias = ev->bias;
	if (ev->unit != NULL) {
		out->address_size = dwarf_unit_address_size(ev->unit);
		out->offset_size = dwarf_unit_offset_size(ev->unit);
		out->version = dwarf_unit_version(ev->unit);
	}
}
