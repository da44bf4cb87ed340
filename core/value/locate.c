/* SPDX-License-Identifier: MIT */
/*
 * From a location description (DWARF 5, 2.6) to a source: one place, or bytes
 * put together from pieces with a note for each byte that is not there.
 */
#include "expr/opcodes.h"
#include "value/context.h"

/* What failed, as a reason. */
static const char *
reason_of(struct evaluator *ev, const bt_error_t *e)
{
	switch (e->code) {
	case BT_E_FAULT:
		return value_unreadable(ev->r, e->address);
	case BT_E_LIMIT:
	case BT_E_NOMEM:
		return value_limit;
	case BT_E_FORMAT:
		return "damaged location";
	case BT_E_UNSUPPORTED:
		return "unsupported location";
	default:
		return ev->register_missing ? value_not_saved
					    : value_optimized_out;
	}
}

/* Runs an expression with the unit it belongs to, and puts back what an outer
 * one was doing. */
static bool
run(struct evaluator *ev, struct dwarf_unit *unit, struct view block,
    const uint64_t *initial, struct expr_result *result, uint64_t *number,
    bt_error_t *e)
{
	struct dwarf_unit *outer = ev->unit;
	struct expr_context c;
	bool ok;

	if (ev->nesting >= VALUE_NESTING || ev->r->runs_left == 0 ||
	    budget_step(ev->r->budget) == false)
		return bt_fail(e, BT_E_LIMIT, "expressions nest too deeply");
	ev->r->runs_left--;
	ev->nesting++;
	ev->unit = unit;
	value_context(ev, &c);
	if (result != NULL)
		ok = expr_eval(&c, block, initial, result, e);
	else
		ok = expr_eval_u64(&c, block, initial, true, number, e);
	ev->unit = outer;
	ev->nesting--;
	return ok;
}

bool
value_evaluate(struct evaluator *ev, struct dwarf_unit *unit, struct view block,
    const uint64_t *initial, uint64_t *out, bt_error_t *e)
{
	bool is_value;

	if (initial == NULL && value_quick(ev, unit, block, &is_value, out))
		return true;
	return run(ev, unit, block, initial, NULL, out, e);
}

/* DW_AT_frame_base. A single register (clang) means what it holds. */
static bool
find_frame_base(struct evaluator *ev, uint64_t *out, bt_error_t *e)
{
	const struct dwarf_location *location;
	struct view block;

	if (ev->function == NULL || ev->frame == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "no frame");
	location = &ev->function->frame_base;
	if (location->kind == DWARF_LOC_NONE)
		return bt_fail(e, BT_E_NOTFOUND, "no frame base");
	if (dwarf_location_at(location, ev->pc, &block, e) == false)
		return false;
	/* DW_OP_call_frame_cfa alone: all that gcc writes. */
	if (block.size == 1 && block.data[0] == DW_OP_call_frame_cfa &&
	    ev->frame->cfa_known) {
		*out = ev->frame->cfa;
		return true;
	}
	/* A register alone: all that clang writes. */
	if (block.size == 1 && block.data[0] >= DW_OP_reg0 &&
	    block.data[0] <= DW_OP_reg31 &&
	    regs_get(&ev->frame->regs,
		arch_place(ev->r->arch, block.data[0] - DW_OP_reg0), out))
		return true;
	return value_evaluate(ev, location->unit, block, NULL, out, e);
}

bool
value_frame_base(struct evaluator *ev, uint64_t *out, bt_error_t *e)
{
	if (ev->base_state == BASE_UNTRIED) {
		/* A frame base that needs itself has none. */
		ev->base_state = BASE_UNKNOWN;
		if (find_frame_base(ev, &ev->base, e))
			ev->base_state = BASE_KNOWN;
		else
			return false;
	}
	if (ev->base_state == BASE_UNKNOWN)
		return bt_fail(e, BT_E_NOTFOUND, "no frame base");
	*out = ev->base;
	return true;
}

/* ---- single places ---- */

static void
from_register(struct evaluator *ev, unsigned reg, struct source *out)
{
	uint8_t bytes[64];
	size_t size = value_register(ev, reg, bytes, sizeof(bytes));

	if (size == 0)
		source_none(out, value_not_saved);
	else
		source_bytes(ev->r, out, bytes, size);
}

static const struct implicit *
new_implicit(struct evaluator *ev, struct dwarf_unit *unit,
    const struct expr_piece *p, uint64_t offset, const struct implicit *next)
{
	struct implicit *i = ARENA_NEW(&ev->r->scratch, struct implicit);

	if (i == NULL || unit == NULL)
		return next;
	i->offset = offset;
	i->size = p->size_bits / 8;
	i->die = dwarf_unit_die_at(unit, p->die);
	i->die_offset = p->die_offset;
	i->next = next;
	return i;
}

static void
from_place(struct evaluator *ev, struct dwarf_unit *unit,
    const struct expr_piece *p, struct source *out)
{
	switch (p->where) {
	case EXPR_MEMORY:
		source_memory(ev->r, out, p->address);
		break;
	case EXPR_REGISTER:
		from_register(ev, p->reg, out);
		break;
	case EXPR_VALUE:
		source_bytes(ev->r, out, p->value,
		    p->value_size <= sizeof(p->value) ? p->value_size : 0);
		break;
	case EXPR_IMPLICIT:
		source_bytes(ev->r, out, p->bytes.data, p->bytes.size);
		break;
	case EXPR_IMPLICIT_POINTER:
		source_none(out, "synthetic pointer");
		out->implicit = new_implicit(ev, unit, p, 0, NULL);
		break;
	default:
		source_none(out, value_optimized_out);
		break;
	}
}

/* ---- composites ---- */

struct composite {
	uint8_t *bytes, *state, *gaps;
	uint64_t size; /* bytes */
	uint64_t at;   /* bits done */
};

static uint8_t
state_of_reason(const struct source *s)
{
	if (s->implicit != NULL)
		return BYTE_IMPLICIT;
	return s->reason == value_not_saved ? BYTE_NOT_SAVED
					    : BYTE_OPTIMIZED_OUT;
}

static void
mark_bit(struct composite *c, uint64_t bit, uint8_t state)
{
	c->state[bit / 8] = state;
	c->gaps[bit / 8] |= (uint8_t)(1u << bit % 8);
}

/* The next bits are missing. */
static void
mark(struct composite *c, uint64_t bits, uint8_t state)
{
	uint64_t at = c->at, end = c->size * 8;

	if (bits < end - (at < end ? at : end))
		end = at + bits;
	while (at < end) {
		if (at % 8 == 0 && end - at >= 8) {
			c->state[at / 8] = state;
			c->gaps[at / 8] = 0xff;
			at += 8;
		} else {
			mark_bit(c, at++, state);
		}
	}
}

/* Whole bytes of one piece. */
static void
put_bytes(struct evaluator *ev, struct composite *c, const struct source *s,
    uint64_t skip, uint64_t size)
{
	uint64_t to = c->at / 8;
	const uint8_t *found;
	const char *reason;

	if (to >= c->size)
		return;
	if (size > c->size - to)
		size = c->size - to;
	found = source_get(ev->r, s, skip, size, c->bytes + to, &reason);
	if (found == NULL) {
		mark(c, size * 8,
		    s->kind == SOURCE_MEMORY ? BYTE_UNREADABLE
					     : state_of_reason(s));
		return;
	}
	if (found != c->bytes + to)
		memcpy(c->bytes + to, found, size);
}

/* A piece whose ends are not on byte limits (DW_OP_bit_piece): bit by bit. */
static void
put_bits(struct evaluator *ev, struct composite *c, const struct source *s,
    uint64_t skip, uint64_t bits)
{
	for (uint64_t i = 0; i < bits && (c->at + i) / 8 < c->size; i++) {
		uint64_t from = skip + i, to = c->at + i;
		const uint8_t *byte;
		const char *reason;
		uint8_t room;

		byte = source_get(ev->r, s, from / 8, 1, &room, &reason);
		if (byte == NULL) {
			mark_bit(c, to,
			    s->kind == SOURCE_MEMORY ? BYTE_UNREADABLE
						     : state_of_reason(s));
			continue;
		}
		if (*byte >> (from % 8) & 1)
			c->bytes[to / 8] |= (uint8_t)(1u << (to % 8));
	}
}

static void
put_piece(struct evaluator *ev, struct dwarf_unit *unit, struct composite *c,
    const struct expr_piece *p, struct source *out)
{
	struct source part;
	uint64_t bits = p->size_bits;

	from_place(ev, unit, p, &part);
	if (part.implicit != NULL) {
		out->implicit = new_implicit(
		    ev, unit, p, c->at / 8, out->implicit);
		mark(c, bits, BYTE_IMPLICIT);
	} else if (part.kind == SOURCE_NONE) {
		mark(c, bits, state_of_reason(&part));
	} else if (c->at % 8 == 0 && bits % 8 == 0 && p->offset_bits % 8 == 0) {
		put_bytes(ev, c, &part, p->offset_bits / 8, bits / 8);
	} else {
		put_bits(ev, c, &part, p->offset_bits, bits);
	}
	c->at += bits;
}

static uint64_t
pieces_size(const struct expr_result *result)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < result->n_pieces; i++) {
		if (__builtin_add_overflow(
			bits, result->pieces[i].size_bits, &bits))
			return UINT64_MAX;
	}
	return bits / 8 + (bits % 8 != 0);
}

static void
from_pieces(struct evaluator *ev, struct dwarf_unit *unit,
    const struct expr_result *result, uint64_t size, struct source *out)
{
	uint64_t described = pieces_size(result);
	struct composite c = {0};

	if (size == 0)
		size = described;
	source_none(out, value_limit);
	if (size > VALUE_BYTES_MAX || described > VALUE_BYTES_MAX)
		return;
	c.size = size;
	c.bytes = arena_alloc(&ev->r->scratch, size);
	c.state = arena_alloc(&ev->r->scratch, size);
	c.gaps = arena_alloc(&ev->r->scratch, size);
	if (c.bytes == NULL || c.state == NULL || c.gaps == NULL)
		return;
	for (unsigned i = 0; i < result->n_pieces; i++)
		put_piece(ev, unit, &c, &result->pieces[i], out);
	/* What no piece describes is not there. */
	if (c.at / 8 < size)
		mark(&c, size * 8 - c.at, BYTE_UNDESCRIBED);
	out->kind = SOURCE_BYTES;
	out->bytes = c.bytes;
	out->state = c.state;
	out->gaps = c.gaps;
	out->size = size;
}

/* ---- locations ---- */

void
value_locate_block(struct evaluator *ev, struct dwarf_unit *unit,
    struct view block, uint64_t size, struct source *out)
{
	struct expr_result result;
	uint64_t value;
	bool is_value;
	bt_error_t e;

	e.code = BT_OK;
	ev->register_missing = false;
	if (block.size == 1 && block.failed == false &&
	    block.data[0] >= DW_OP_reg0 && block.data[0] <= DW_OP_reg31) {
		from_register(ev, block.data[0] - DW_OP_reg0, out);
		return;
	}
	if (value_quick(ev, unit, block, &is_value, &value)) {
		if (is_value)
			source_bytes(ev->r, out, &value, sizeof(value));
		else
			source_memory(ev->r, out, value);
		return;
	}
	if (run(ev, unit, block, NULL, &result, NULL, &e) == false)
		source_none(out, reason_of(ev, &e));
	else if (result.n_pieces == 1 && result.pieces[0].size_bits == 0)
		from_place(ev, unit, &result.pieces[0], out);
	else if (result.n_pieces == 0)
		source_none(out, value_optimized_out);
	else
		from_pieces(ev, unit, &result, size, out);
}

static void
from_constant(struct evaluator *ev, const struct dwarf_location *location,
    struct source *out)
{
	uint8_t bytes[16];

	/* Little-endian, sign-extended as far as any integer reaches. */
	memset(bytes,
	    location->constant_is_signed && location->constant < 0 ? 0xff : 0,
	    sizeof(bytes));
	memcpy(bytes, &location->constant, sizeof(location->constant));
	source_bytes(ev->r, out, bytes, sizeof(bytes));
}

void
value_locate(struct evaluator *ev, const struct dwarf_location *location,
    uint64_t size, struct source *out)
{
	struct view block;
	bt_error_t e;

	switch (location->kind) {
	case DWARF_LOC_EXPR:
	case DWARF_LOC_LIST:
		e.code = BT_OK;
		if (dwarf_location_at(location, ev->pc, &block, &e) == false)
			source_none(out, reason_of(ev, &e));
		else
			value_locate_block(
			    ev, location->unit, block, size, out);
		break;
	case DWARF_LOC_CONST:
		from_constant(ev, location, out);
		break;
	case DWARF_LOC_BYTES:
		source_bytes(
		    ev->r, out, location->block.data, location->block.size);
		break;
	default:
		source_none(out, value_optimized_out);
		break;
	}
}

/* The variables that hold bounds are of a pointer's size with gcc and clang
 * (sizetype, __vla_expr0); a smaller one says its size where the scope lists
 * it. */
static size_t
size_of_die(struct evaluator *ev, struct dwarf_die die)
{
	const struct dwarf_scope *scope = ev->function;

	if (scope == NULL)
		return 8;
	for (unsigned i = 0; i < scope->n_variables; i++) {
		const struct dwarf_variable *v = &scope->variables[i];
		const struct dwarf_type *type;

		if (v->die.unit != die.unit || v->die.offset != die.offset ||
		    v->type == NULL)
			continue;
		type = dwarf_type_strip(v->type);
		return type != NULL && type->has_size && type->size < 8 &&
			type->size > 0
		    ? (size_t)type->size
		    : 8;
	}
	return 8;
}

bool
value_of_die(
    struct evaluator *ev, struct dwarf_die die, uint64_t *out, bt_error_t *e)
{
	struct dwarf_location location;
	const char *reason = value_optimized_out;
	size_t size = size_of_die(ev, die);
	const uint8_t *bytes;
	struct source source;
	uint8_t room[8];

	if (dwarf_die_location(die, &location) == false)
		return bt_fail(e, BT_E_NOTFOUND, "variable has no location");
	value_locate(ev, &location, size, &source);
	bytes = source_get(ev->r, &source, 0, size, room, &reason);
	if (bytes == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "variable is %s", reason);
	*out = scalar_u64(bytes, size);
	return true;
}
