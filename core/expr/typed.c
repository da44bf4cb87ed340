/* SPDX-License-Identifier: MIT */
/*
 * The typed operators (DWARF 5 sections 2.5.1.1, 2.5.1.2, 2.5.1.6). A type is
 * the offset of a base type DIE within the unit; offset 0 in a conversion is
 * the generic type.
 */
#include "expr/machine.h"
#include "expr/opcodes.h"

static bool
base_type(struct machine *m, uint64_t offset, struct expr_base_type *out)
{
	if (view_ok(&m->code) == false)
		return false;
	if (m->c->base_type == NULL)
		return machine_absent(m, "base type");
	if (m->c->base_type(m->c->ctx, offset, out) == false)
		return bt_fail(m->e, BT_E_FORMAT,
		    "no base type at 0x%llx of the unit",
		    (unsigned long long)offset);
	return true;
}

static bool
push_bytes(struct machine *m, struct expr_base_type type, const uint8_t *bytes,
    size_t size)
{
	struct number n;

	return number_from_bytes(type, bytes, size, &n, m->e) &&
	    machine_push(m, n);
}

static bool
const_type(struct machine *m)
{
	uint64_t offset = view_uleb(&m->code);
	size_t size = view_u8(&m->code);
	const uint8_t *bytes = view_bytes(&m->code, size);
	struct expr_base_type type;

	return base_type(m, offset, &type) && push_bytes(m, type, bytes, size);
}

static bool
regval_type(struct machine *m)
{
	uint64_t number = view_uleb(&m->code);
	uint64_t offset = view_uleb(&m->code), value;
	struct expr_base_type type;
	uint8_t bytes[16] = {0};
	size_t size = 0;

	if (base_type(m, offset, &type) == false)
		return false;
	if (number > UINT32_MAX)
		return bt_fail(m->e, BT_E_FORMAT, "register number 0x%llx",
		    (unsigned long long)number);
	m->uses_frame = true;
	if (m->c->reg_bytes != NULL)
		size = m->c->reg_bytes(
		    m->c->ctx, (unsigned)number, bytes, sizeof(bytes));
	if (size == 0) {
		if (machine_reg(m, (unsigned)number, &value) == false)
			return false;
		memcpy(bytes, &value, sizeof(value));
		size = sizeof(value);
	}
	if (size < type.size)
		return bt_fail(m->e, BT_E_NOTFOUND,
		    "register %u has %zu bytes of the %u wanted",
		    (unsigned)number, size, type.size);
	return push_bytes(m, type, bytes, sizeof(bytes));
}

bool
machine_push_as(struct machine *m, struct view block, uint64_t value)
{
	unsigned op = view_u8(&block);
	struct expr_base_type type;
	uint8_t bytes[16] = {0};
	uint64_t offset;

	if (op != DW_OP_regval_type && op != DW_OP_GNU_regval_type)
		return machine_push(m, number_generic(value));
	(void)view_uleb(&block); /* the register */
	offset = view_uleb(&block);
	if (view_ok(&block) == false || base_type(m, offset, &type) == false)
		return false;
	if (type.size > sizeof(value))
		return bt_fail(m->e, BT_E_NOTFOUND,
		    "%u bytes of a register on entry", type.size);
	memcpy(bytes, &value, sizeof(value));
	return push_bytes(m, type, bytes, sizeof(bytes));
}

static bool
deref_type(struct machine *m)
{
	size_t size = view_u8(&m->code);
	uint64_t offset = view_uleb(&m->code), address;
	struct expr_base_type type;
	uint8_t bytes[16] = {0};

	if (base_type(m, offset, &type) == false)
		return false;
	if (size == 0 || size > sizeof(bytes) || size != type.size)
		return bt_fail(m->e, BT_E_FORMAT,
		    "%zu bytes for a base type of %u", size, type.size);
	if (m->c->memory == NULL)
		return machine_absent(m, "memory");
	return machine_pop_address(m, &address) &&
	    m->c->memory(m->c->ctx, address, bytes, size, m->e) &&
	    push_bytes(m, type, bytes, size);
}

static bool
convert(struct machine *m, bool reinterpret)
{
	uint64_t offset = view_uleb(&m->code);
	struct expr_base_type type = {0, NUMBER_GENERIC_SIZE};
	struct number *top;

	if (offset != 0 && base_type(m, offset, &type) == false)
		return false;
	top = machine_top(m, 1);
	if (top == NULL)
		return false;
	return reinterpret ? number_reinterpret(top, type, m->e)
			   : number_convert(top, type, m->e);
}

bool
machine_typed_op(struct machine *m, unsigned op)
{
	switch (op) {
	case DW_OP_const_type:
	case DW_OP_GNU_const_type:
		return const_type(m);
	case DW_OP_regval_type:
	case DW_OP_GNU_regval_type:
		return regval_type(m);
	case DW_OP_deref_type:
	case DW_OP_GNU_deref_type:
		return deref_type(m);
	case DW_OP_convert:
	case DW_OP_GNU_convert:
		return convert(m, false);
	default: /* DW_OP_reinterpret, DW_OP_GNU_reinterpret */
		return convert(m, true);
	}
}
