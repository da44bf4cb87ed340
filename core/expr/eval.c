/* SPDX-License-Identifier: MIT */
/*
 * The evaluator's loop. Nearly every variable of real programs is described
 * by one operator (DW_OP_fbreg, DW_OP_addr, DW_OP_breg*, DW_OP_reg*), so those
 * are answered without setting up the machine.
 */
#include "expr/expr.h"

#include "expr/machine.h"
#include "expr/opcodes.h"

bool
machine_absent(struct machine *m, const char *what)
{
	return bt_fail(m->e, BT_E_UNSUPPORTED,
	    "the expression needs the %s, which is not to be had here", what);
}

struct number *
machine_top(struct machine *m, unsigned need)
{
	if (m->depth < need) {
		bt_fail(m->e, BT_E_FORMAT, "expression stack underflow");
		return NULL;
	}
	return &m->stack[m->depth - 1];
}

bool
machine_push(struct machine *m, struct number value)
{
	if (m->depth == EXPR_STACK_MAX)
		return bt_fail(m->e, BT_E_LIMIT, "expression stack overflow");
	m->stack[m->depth++] = value;
	return true;
}

static bool
push(struct machine *m, uint64_t value)
{
	return machine_push(m, number_generic(value));
}

bool
machine_pop_address(struct machine *m, uint64_t *out)
{
	const struct number *top = machine_top(m, 1);

	if (top == NULL)
		return false;
	if (number_is_integer(top) == false)
		return bt_fail(
		    m->e, BT_E_FORMAT, "an address must be integral");
	*out = number_u64(top);
	m->depth--;
	return true;
}

/* What is left to read of a block, which may be empty and have no bytes. */
static struct view
rest_of(const struct view *block)
{
	if (view_left(block) == 0)
		return view_of(NULL, 0);
	return view_of(block->data + block->pos, view_left(block));
}

static bool
context_reg(
    const struct expr_context *c, uint64_t number, uint64_t *out, bt_error_t *e)
{
	if (c->reg == NULL)
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "the expression needs registers, which are not to be had "
		    "here");
	if (number > UINT32_MAX ||
	    c->reg(c->ctx, (unsigned)number, out) == false)
		return bt_fail(e, BT_E_NOTFOUND,
		    "register %llu is not known in this frame",
		    (unsigned long long)number);
	return true;
}

bool
machine_reg(struct machine *m, unsigned number, uint64_t *out)
{
	m->uses_frame = true;
	return context_reg(m->c, number, out, m->e);
}

static bool
push_breg(struct machine *m, uint64_t number)
{
	int64_t offset = view_sleb(&m->code);
	uint64_t value;

	m->uses_frame = true;
	return context_reg(m->c, number, &value, m->e) &&
	    push(m, value + (uint64_t)offset);
}

static bool
push_fbreg(struct machine *m)
{
	int64_t offset = view_sleb(&m->code);
	uint64_t base;

	if (m->c->frame_base == NULL)
		return machine_absent(m, "frame base");
	m->uses_frame = true;
	return m->c->frame_base(m->c->ctx, &base, m->e) &&
	    push(m, base + (uint64_t)offset);
}

static bool
push_cfa(struct machine *m)
{
	uint64_t cfa;

	if (m->c->cfa == NULL)
		return machine_absent(m, "frame address");
	m->uses_frame = true;
	return m->c->cfa(m->c->ctx, &cfa, m->e) && push(m, cfa);
}

static bool
deref(struct machine *m, size_t size)
{
	uint64_t address, value = 0;

	if (view_ok(&m->code) == false)
		return false;
	if (size == 0 || size > sizeof(value))
		return bt_fail(m->e, BT_E_FORMAT, "deref of %zu bytes", size);
	if (m->c->memory == NULL)
		return machine_absent(m, "memory");
	return machine_pop_address(m, &address) &&
	    m->c->memory(m->c->ctx, address, &value, size, m->e) &&
	    push(m, value);
}

static bool
push_addrx(struct machine *m, uint64_t bias)
{
	uint64_t index = view_uleb(&m->code), value;

	if (m->c->addrx == NULL)
		return machine_absent(m, "address table");
	if (m->c->addrx(m->c->ctx, index, &value) == false)
		return bt_fail(m->e, BT_E_FORMAT, "address index %llu",
		    (unsigned long long)index);
	return push(m, value + bias);
}

static bool
push_tls(struct machine *m)
{
	uint64_t offset, address;

	if (m->c->tls == NULL)
		return machine_absent(m, "thread-local storage");
	return machine_pop_address(m, &offset) &&
	    m->c->tls(m->c->ctx, offset, &address, m->e) && push(m, address);
}

static bool
push_object_address(struct machine *m)
{
	uint64_t address;

	if (m->c->object_address == NULL)
		return machine_absent(m, "object's address");
	if (m->c->object_address(m->c->ctx, &address) == false)
		return bt_fail(
		    m->e, BT_E_NOTFOUND, "the object has no address");
	return push(m, address);
}

static bool
push_passed(struct machine *m, const uint8_t *bytes, uint64_t size)
{
	uint64_t value;

	if (bytes == NULL)
		return false;
	if (m->c->entry_value == NULL)
		return machine_absent(m, "caller's arguments");
	if (m->c->nesting >= EXPR_NESTING_MAX)
		return bt_fail(m->e, BT_E_LIMIT, "entry values nest too deep");
	m->uses_frame = true;
	return m->c->entry_value(
		   m->c->ctx, view_of(bytes, size), &value, m->e) &&
	    machine_push_as(m, view_of(bytes, size), value);
}

static bool
push_entry_value(struct machine *m)
{
	uint64_t size = view_uleb(&m->code);

	return push_passed(m, view_bytes(&m->code, size), size);
}

/* GCC, for a parameter that it has removed from a clone of the function: four
 * bytes, the offset of its DIE in the unit. */
static bool
push_parameter_ref(struct machine *m)
{
	const uint8_t *bytes = view_bytes(&m->code, 4);

	return push_passed(m, bytes != NULL ? bytes - 1 : NULL, 5);
}

static bool
push_variable_value(struct machine *m)
{
	uint64_t die = view_uint(&m->code, m->c->offset_size), value;

	if (view_ok(&m->code) == false)
		return false;
	if (m->c->variable_value == NULL)
		return machine_absent(m, "value of another variable");
	if (m->c->nesting >= EXPR_NESTING_MAX)
		return bt_fail(
		    m->e, BT_E_LIMIT, "variable values nest too deep");
	m->uses_frame = true;
	return m->c->variable_value(m->c->ctx, die, &value, m->e) &&
	    push(m, value);
}

/* DW_OP_call*: the other DIE's expression runs on the same stack; a DIE without
 * a location has no effect (section 2.5.1.5). */
static bool
call(struct machine *m, size_t size, bool ref)
{
	uint64_t offset = view_uint(&m->code, size);
	struct view block;

	if (view_ok(&m->code) == false)
		return false;
	if (m->c->call == NULL)
		return machine_absent(m, "expression of another entry");
	if (m->n_callers == EXPR_NESTING_MAX)
		return bt_fail(m->e, BT_E_LIMIT, "calls nest too deep");
	if (m->c->call(m->c->ctx, offset, ref, &block) == false)
		return true;
	m->callers[m->n_callers++] = m->code;
	m->code = view_of(block.data, block.size);
	return true;
}

static bool
jump(struct machine *m, bool conditional)
{
	int16_t distance = (int16_t)view_u16(&m->code);
	int64_t target;

	if (view_ok(&m->code) == false)
		return false;
	if (conditional) {
		uint64_t condition;

		if (machine_pop_address(m, &condition) == false)
			return false;
		if (condition == 0)
			return true;
	}
	target = (int64_t)m->code.pos + distance;
	if (target < 0 || (uint64_t)target > m->code.size)
		return bt_fail(
		    m->e, BT_E_FORMAT, "branch leaves the expression");
	m->code.pos = (size_t)target;
	return true;
}

static bool
pick(struct machine *m, unsigned index)
{
	const struct number *top;

	if (view_ok(&m->code) == false)
		return false;
	top = machine_top(m, index + 1);
	return top != NULL && machine_push(m, top[-(int)index]);
}

static bool
swap(struct machine *m)
{
	struct number *top = machine_top(m, 2), moved;

	if (top == NULL)
		return false;
	moved = top[0];
	top[0] = top[-1];
	top[-1] = moved;
	return true;
}

/* The first three entries turn: the top goes third, the second comes up. */
static bool
rotate(struct machine *m)
{
	struct number *top = machine_top(m, 3), first;

	if (top == NULL)
		return false;
	first = top[0];
	top[0] = top[-1];
	top[-1] = top[-2];
	top[-2] = first;
	return true;
}

static bool
drop(struct machine *m)
{
	if (machine_top(m, 1) == NULL)
		return false;
	m->depth--;
	return true;
}

static bool
binary(struct machine *m, unsigned op)
{
	struct number *top = machine_top(m, 2);

	if (top == NULL || number_binary(op, &top[-1], top, m->e) == false)
		return false;
	m->depth--;
	return true;
}

static bool
plus_uconst(struct machine *m)
{
	struct number *top = machine_top(m, 1), addend;

	if (top == NULL)
		return false;
	addend = number_generic(view_uleb(&m->code));
	if (top->type.encoding != 0 && number_is_integer(top) &&
	    number_convert(&addend, top->type, m->e) == false)
		return false;
	return number_binary(DW_OP_plus, top, &addend, m->e);
}

bool
expr_constant(unsigned op, struct view *code, uint64_t *out)
{
	switch (op) {
	case DW_OP_const1u:
		*out = view_u8(code);
		return true;
	case DW_OP_const1s:
		*out = (uint64_t)(int8_t)view_u8(code);
		return true;
	case DW_OP_const2u:
		*out = view_u16(code);
		return true;
	case DW_OP_const2s:
		*out = (uint64_t)(int16_t)view_u16(code);
		return true;
	case DW_OP_const4u:
		*out = view_u32(code);
		return true;
	case DW_OP_const4s:
		*out = (uint64_t)(int32_t)view_u32(code);
		return true;
	case DW_OP_const8u:
	case DW_OP_const8s:
		*out = view_u64(code);
		return true;
	case DW_OP_constu:
		*out = view_uleb(code);
		return true;
	case DW_OP_consts:
		*out = (uint64_t)view_sleb(code);
		return true;
	default:
		*out = op - DW_OP_lit0;
		return op >= DW_OP_lit0 && op <= DW_OP_lit31;
	}
}

/* Stack manipulation, arithmetic and control flow. */
static bool
basic_op(struct machine *m, unsigned op)
{
	struct view *code = &m->code;
	struct number *top;

	switch (op) {
	case DW_OP_dup:
		return pick(m, 0);
	case DW_OP_drop:
		return drop(m);
	case DW_OP_over:
		return pick(m, 1);
	case DW_OP_pick:
		return pick(m, view_u8(code));
	case DW_OP_swap:
		return swap(m);
	case DW_OP_rot:
		return rotate(m);
	case DW_OP_abs:
	case DW_OP_neg:
	case DW_OP_not:
		top = machine_top(m, 1);
		return top != NULL && number_unary(op, top, m->e);
	case DW_OP_plus_uconst:
		return plus_uconst(m);
	case DW_OP_bra:
		return jump(m, true);
	case DW_OP_skip:
		return jump(m, false);
	case DW_OP_xderef:
		return bt_fail(
		    m->e, BT_E_UNSUPPORTED, "several address spaces");
	default:
		return binary(m, op);
	}
}

/* Operators that ask the context. */
static bool
context_op(struct machine *m, unsigned op)
{
	switch (op) {
	case DW_OP_fbreg:
		return push_fbreg(m);
	case DW_OP_bregx:
		return push_breg(m, view_uleb(&m->code));
	case DW_OP_deref_size:
		return deref(m, view_u8(&m->code));
	case DW_OP_push_object_address:
		return push_object_address(m);
	case DW_OP_call2:
		return call(m, 2, false);
	case DW_OP_call4:
		return call(m, 4, false);
	case DW_OP_call_ref:
		return call(m, m->c->offset_size, true);
	case DW_OP_form_tls_address:
	case DW_OP_GNU_push_tls_address:
		return push_tls(m);
	case DW_OP_call_frame_cfa:
		return push_cfa(m);
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
		return push_addrx(m, m->c->bias);
	case DW_OP_constx:
	case DW_OP_GNU_const_index:
		return push_addrx(m, 0);
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value:
		return push_entry_value(m);
	case DW_OP_GNU_variable_value:
		return push_variable_value(m);
	case DW_OP_GNU_parameter_ref:
		return push_parameter_ref(m);
	case DW_OP_xderef_size:
	case DW_OP_xderef_type:
		return bt_fail(
		    m->e, BT_E_UNSUPPORTED, "several address spaces");
	default:
		return bt_fail(m->e,
		    op >= DW_OP_GNU_push_tls_address ? BT_E_UNSUPPORTED
						     : BT_E_FORMAT,
		    "unknown expression operator 0x%02x", op);
	}
}

static bool
is_location_op(unsigned op)
{
	return (op >= DW_OP_reg0 && op <= DW_OP_reg31) || op == DW_OP_regx ||
	    op == DW_OP_implicit_value || op == DW_OP_stack_value ||
	    op == DW_OP_implicit_pointer || op == DW_OP_GNU_implicit_pointer;
}

static bool
is_typed_op(unsigned op)
{
	return (op >= DW_OP_const_type && op <= DW_OP_deref_type) ||
	    op == DW_OP_convert || op == DW_OP_reinterpret ||
	    (op >= DW_OP_GNU_const_type && op <= DW_OP_GNU_convert) ||
	    op == DW_OP_GNU_reinterpret;
}

static bool
one_op(struct machine *m, unsigned op)
{
	uint64_t value;

	/* GDB takes the value of DW_OP_GNU_uninit for what it is. */
	if (op == DW_OP_nop || op == DW_OP_GNU_uninit)
		return true;
	if (op == DW_OP_piece || op == DW_OP_bit_piece)
		return machine_location_op(m, op);
	if (m->has_location)
		return bt_fail(m->e, BT_E_FORMAT,
		    "operator 0x%02x after a complete location", op);
	if (expr_constant(op, &m->code, &value))
		return push(m, value);
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
		return push_breg(m, op - DW_OP_breg0);
	if (is_location_op(op))
		return machine_location_op(m, op);
	if (is_typed_op(op))
		return machine_typed_op(m, op);
	if (op == DW_OP_addr)
		return push(
		    m, view_uint(&m->code, m->c->address_size) + m->c->bias);
	if (op == DW_OP_deref)
		return deref(m, m->c->address_size);
	if (op >= DW_OP_const1u && op <= DW_OP_skip)
		return basic_op(m, op);
	return context_op(m, op);
}

static bool
run(struct machine *m)
{
	for (;;) {
		unsigned op;

		while (m->code.pos >= m->code.size) {
			if (m->n_callers == 0)
				return true;
			m->code = m->callers[--m->n_callers];
		}
		if (m->steps++ == EXPR_STEPS_MAX)
			return bt_fail(m->e, BT_E_LIMIT,
			    "expression runs for more than %d steps",
			    EXPR_STEPS_MAX);
		op = view_u8(&m->code);
		if (one_op(m, op) == false) {
			if (view_ok(&m->code))
				return false;
			break;
		}
		if (view_ok(&m->code) == false)
			break;
	}
	return bt_fail_format(
	    m->e, m->code.pos, "expression ends inside an operator");
}

/* The machine is large; only what is read before it is written is set. */
static void
machine_init(struct machine *m, const struct expr_context *c, struct view block,
    const uint64_t *initial, bt_error_t *e)
{
	m->c = c;
	m->e = e;
	m->code = rest_of(&block);
	m->n_callers = m->steps = m->depth = m->n_pieces = 0;
	m->uses_frame = m->has_location = false;
	m->out = NULL;
	if (initial != NULL)
		m->stack[m->depth++] = number_generic(*initial);
}

enum fast { FAST_NO, FAST_DONE, FAST_FAILED };

/* One operator that gives an address: *out. Anything else is FAST_NO. */
static enum fast
fast_address(const struct expr_context *c, struct view *v, uint64_t *out,
    bool *uses_frame, bt_error_t *e)
{
	unsigned op = view_u8(v);
	int64_t offset = 0;
	bool done;

	*uses_frame = op != DW_OP_addr;
	if (op == DW_OP_fbreg || (op >= DW_OP_breg0 && op <= DW_OP_breg31))
		offset = view_sleb(v);
	else if (op == DW_OP_addr)
		offset = (int64_t)view_uint(v, c->address_size);
	else if (op != DW_OP_call_frame_cfa)
		return FAST_NO;
	if (view_ok(v) == false || view_left(v) != 0)
		return FAST_NO;
	if (op == DW_OP_addr) {
		*out = c->bias;
		done = true;
	} else if (op == DW_OP_fbreg) {
		if (c->frame_base == NULL)
			return FAST_NO;
		done = c->frame_base(c->ctx, out, e);
	} else if (op == DW_OP_call_frame_cfa) {
		if (c->cfa == NULL)
			return FAST_NO;
		done = c->cfa(c->ctx, out, e);
	} else {
		done = context_reg(c, op - DW_OP_breg0, out, e);
	}
	*out += (uint64_t)offset;
	return done ? FAST_DONE : FAST_FAILED;
}

bool
expr_eval(const struct expr_context *c, struct view block,
    const uint64_t *initial, struct expr_result *out, bt_error_t *e)
{
	struct machine m;
	struct view v = rest_of(&block);
	uint64_t address = 0;

	if (block.failed)
		return bt_fail(e, BT_E_FORMAT, "expression is cut off");
	if (v.size > 0) { /* whatever initial is, the operator tops it */
		unsigned op = v.data[0];

		if (v.size == 1 && op >= DW_OP_reg0 && op <= DW_OP_reg31) {
			out->n_pieces = 1;
			out->uses_frame = true;
			out->pieces[0] = (struct expr_piece){
			    .where = EXPR_REGISTER, .reg = op - DW_OP_reg0};
			return true;
		}
		switch (fast_address(c, &v, &address, &out->uses_frame, e)) {
		case FAST_DONE:
			out->n_pieces = 1;
			out->pieces[0] = (struct expr_piece){
			    .where = EXPR_MEMORY, .address = address};
			return true;
		case FAST_FAILED:
			return false;
		case FAST_NO:
			break;
		}
	}
	machine_init(&m, c, block, initial, e);
	m.out = out;
	return run(&m) && machine_finish(&m);
}

/* The number that a location amounts to, where it is one. */
static bool
location_number(struct machine *m, bool reg_is_value, uint64_t *out)
{
	const struct expr_piece *p = &m->location;

	switch (p->where) {
	case EXPR_REGISTER:
		if (reg_is_value)
			return machine_reg(m, p->reg, out);
		return bt_fail(m->e, BT_E_UNSUPPORTED,
		    "a register location where an address is wanted");
	case EXPR_VALUE:
		memcpy(out, p->value, sizeof(*out));
		return true;
	case EXPR_IMPLICIT:
		if (p->bytes.size > sizeof(*out))
			return bt_fail(m->e, BT_E_UNSUPPORTED,
			    "an implicit value of %zu bytes", p->bytes.size);
		*out = 0;
		memcpy(out, p->bytes.data, p->bytes.size);
		return true;
	default:
		return bt_fail(
		    m->e, BT_E_NOTFOUND, "the value was optimized out");
	}
}

bool
expr_eval_u64(const struct expr_context *c, struct view block,
    const uint64_t *initial, bool reg_is_value, uint64_t *out, bt_error_t *e)
{
	struct machine m;
	struct view v = rest_of(&block);
	bool uses_frame;

	if (block.failed)
		return bt_fail(e, BT_E_FORMAT, "expression is cut off");
	if (v.size > 0) { /* whatever initial is, the operator tops it */
		uint64_t value = 0;

		switch (fast_address(c, &v, &value, &uses_frame, e)) {
		case FAST_DONE:
			*out = value;
			return true;
		case FAST_FAILED:
			return false;
		case FAST_NO:
			break;
		}
	}
	machine_init(&m, c, block, initial, e);
	if (run(&m) == false)
		return false;
	if (m.has_location)
		return location_number(&m, reg_is_value, out);
	if (m.depth == 0)
		return bt_fail(e, BT_E_NOTFOUND, "the value was optimized out");
	/* A float's bits are what its register would hold. */
	*out = number_u64(&m.stack[m.depth - 1]);
	return true;
}
