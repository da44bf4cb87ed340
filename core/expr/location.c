/* SPDX-License-Identifier: MIT */
/*
 * Location descriptions (DWARF 5 section 2.6.1): the operators that name a
 * register, an implicit value or pointer, and the pieces of a composite. After
 * such an operator only a piece operator, another piece or the end may follow.
 */
#include "expr/machine.h"
#include "expr/opcodes.h"

static bool
set_location(struct machine *m, const struct expr_piece *p)
{
	m->location = *p;
	m->has_location = true;
	return true;
}

static bool
register_location(struct machine *m, uint64_t number)
{
	if (number > UINT32_MAX)
		return bt_fail(m->e, BT_E_FORMAT, "register number 0x%llx",
		    (unsigned long long)number);
	m->uses_frame = true;
	return set_location(m,
	    &(struct expr_piece){
		.where = EXPR_REGISTER, .reg = (unsigned)number});
}

static bool
stack_value(struct machine *m)
{
	struct expr_piece p = {.where = EXPR_VALUE};
	const struct number *top = machine_top(m, 1);

	if (top == NULL)
		return false;
	memcpy(p.value, &top->bits, sizeof(p.value));
	p.value_size = top->type.size;
	if (m->out == NULL) { /* a number is wanted: extend it by its sign */
		uint64_t value = number_u64(top);

		memcpy(p.value, &value, sizeof(value));
	}
	m->depth--;
	return set_location(m, &p);
}

static bool
implicit_value(struct machine *m)
{
	uint64_t size = view_uleb(&m->code);
	const uint8_t *bytes = view_bytes(&m->code, size);

	if (bytes == NULL)
		return false;
	return set_location(m,
	    &(struct expr_piece){
		.where = EXPR_IMPLICIT, .bytes = view_of(bytes, size)});
}

static bool
implicit_pointer(struct machine *m)
{
	/* DWARF 2 had no offset form, its references were addresses. */
	size_t size = m->c->version == 2 ? m->c->address_size
					 : m->c->offset_size;
	uint64_t die = view_uint(&m->code, size);
	int64_t offset = view_sleb(&m->code);

	return set_location(m,
	    &(struct expr_piece){.where = EXPR_IMPLICIT_POINTER,
		.die = die,
		.die_offset = offset});
}

/* The location in force becomes the next piece; with none, the piece is
 * optimized out. */
static bool
piece(struct machine *m, uint64_t size_bits, uint64_t offset_bits)
{
	struct expr_piece *p;

	if (view_ok(&m->code) == false)
		return false;
	if (m->out == NULL)
		return bt_fail(m->e, BT_E_UNSUPPORTED,
		    "a composite location where a number is wanted");
	if (m->n_pieces == EXPR_PIECES_MAX)
		return bt_fail(
		    m->e, BT_E_LIMIT, "more than %d pieces", EXPR_PIECES_MAX);
	p = &m->out->pieces[m->n_pieces];
	if (m->has_location) {
		*p = m->location;
	} else if (m->depth > 0) {
		*p = (struct expr_piece){.where = EXPR_MEMORY};
		if (machine_pop_address(m, &p->address) == false)
			return false;
	} else {
		*p = (struct expr_piece){.where = EXPR_EMPTY};
	}
	p->size_bits = size_bits;
	p->offset_bits = offset_bits;
	m->has_location = false;
	m->n_pieces++;
	return true;
}

static bool
byte_piece(struct machine *m)
{
	uint64_t size = view_uleb(&m->code), bits;

	if (__builtin_mul_overflow(size, UINT64_C(8), &bits))
		return bt_fail(m->e, BT_E_FORMAT, "piece of 0x%llx bytes",
		    (unsigned long long)size);
	return piece(m, bits, 0);
}

static bool
bit_piece(struct machine *m)
{
	uint64_t size = view_uleb(&m->code);

	return piece(m, size, view_uleb(&m->code));
}

bool
machine_location_op(struct machine *m, unsigned op)
{
	switch (op) {
	case DW_OP_piece:
		return byte_piece(m);
	case DW_OP_bit_piece:
		return bit_piece(m);
	case DW_OP_stack_value:
		return stack_value(m);
	case DW_OP_implicit_value:
		return implicit_value(m);
	case DW_OP_implicit_pointer:
	case DW_OP_GNU_implicit_pointer:
		return implicit_pointer(m);
	case DW_OP_regx:
		return register_location(m, view_uleb(&m->code));
	default:
		return register_location(m, op - DW_OP_reg0);
	}
}

bool
machine_finish(struct machine *m)
{
	struct expr_piece *p = &m->out->pieces[0];

	if (m->n_pieces > 0) {
		if (m->has_location)
			return bt_fail(
			    m->e, BT_E_FORMAT, "location after the last piece");
		m->out->n_pieces = m->n_pieces;
	} else {
		m->out->n_pieces = 1;
		if (m->has_location) {
			*p = m->location;
		} else if (m->depth > 0) {
			*p = (struct expr_piece){.where = EXPR_MEMORY};
			if (machine_pop_address(m, &p->address) == false)
				return false;
		} else {
			*p = (struct expr_piece){.where = EXPR_EMPTY};
		}
	}
	m->out->uses_frame = m->uses_frame;
	return true;
}
