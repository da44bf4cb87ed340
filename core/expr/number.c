/* SPDX-License-Identifier: MIT */
/*
 * Typed arithmetic of DWARF expressions. Integers of any width up to 16 bytes
 * are worked on as 128 bits and cut back; float and double through the host's,
 * which are IEEE 754 as the target's are. Every operation that C leaves
 * undefined is an error here.
 */
#include "expr/number.h"

#include "expr/opcodes.h"

typedef unsigned __int128 u128;
typedef __int128 s128;

enum kind { KIND_SIGNED, KIND_UNSIGNED, KIND_FLOAT, KIND_OPAQUE };

static enum kind
kind_of(struct expr_base_type type)
{
	switch (type.encoding) {
	case 0:
	case DW_ATE_signed:
	case DW_ATE_signed_char:
		return KIND_SIGNED;
	case DW_ATE_address:
	case DW_ATE_boolean:
	case DW_ATE_unsigned:
	case DW_ATE_unsigned_char:
	case DW_ATE_UTF:
	case DW_ATE_UCS:
	case DW_ATE_ASCII:
		return KIND_UNSIGNED;
	case DW_ATE_float:
		return type.size == sizeof(float) || type.size == sizeof(double)
		    ? KIND_FLOAT
		    : KIND_OPAQUE;
	default:
		return KIND_OPAQUE;
	}
}

static unsigned
width_of(const struct number *n)
{
	return n->type.size * 8U;
}

static u128
cut(u128 bits, unsigned size)
{
	return size >= sizeof(bits) ? bits : bits & (((u128)1 << size * 8) - 1);
}

static s128
as_signed(const struct number *n)
{
	unsigned shift = 128 - width_of(n);

	return (s128)(n->bits << shift) >> shift;
}

static double
as_double(const struct number *n)
{
	uint64_t bits = (uint64_t)n->bits;
	double d;

	if (n->type.size == sizeof(float)) {
		float f;

		memcpy(&f, &bits, sizeof(f));
		return (double)f;
	}
	memcpy(&d, &bits, sizeof(d));
	return d;
}

static void
set_double(struct number *n, double d)
{
	uint64_t bits = 0;

	if (n->type.size == sizeof(float)) {
		float f = (float)d;

		memcpy(&bits, &f, sizeof(f));
	} else {
		memcpy(&bits, &d, sizeof(d));
	}
	n->bits = bits;
}

bool
number_is_integer(const struct number *n)
{
	enum kind kind = kind_of(n->type);

	return kind == KIND_SIGNED || kind == KIND_UNSIGNED;
}

uint64_t
number_u64(const struct number *n)
{
	if (kind_of(n->type) == KIND_SIGNED)
		return (uint64_t)as_signed(n);
	return (uint64_t)n->bits;
}

static bool
valid_type(struct expr_base_type type, bt_error_t *e)
{
	if (type.size == 0 || type.size > sizeof(u128))
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "base type of %u bytes in an expression", type.size);
	return true;
}

bool
number_from_bytes(struct expr_base_type type, const uint8_t *bytes, size_t size,
    struct number *out, bt_error_t *e)
{
	if (valid_type(type, e) == false)
		return false;
	if (size < type.size)
		return bt_fail(e, BT_E_FORMAT,
		    "%zu bytes for a typed value of %u", size, type.size);
	out->bits = 0;
	memcpy(&out->bits, bytes, type.size);
	out->type = type;
	return true;
}

static bool
no_such_operation(unsigned op, bt_error_t *e)
{
	return bt_fail(e, BT_E_FORMAT,
	    "operator 0x%02x does not apply to its operand's type", op);
}

bool
number_unary(unsigned op, struct number *a, bt_error_t *e)
{
	enum kind kind = kind_of(a->type);

	if (kind == KIND_OPAQUE || (kind == KIND_FLOAT && op == DW_OP_not))
		return no_such_operation(op, e);
	if (kind == KIND_FLOAT) {
		double d = as_double(a);

		set_double(a, op == DW_OP_abs ? __builtin_fabs(d) : -d);
		return true;
	}
	if (op == DW_OP_not)
		a->bits = ~a->bits;
	else if (op == DW_OP_neg || (kind == KIND_SIGNED && as_signed(a) < 0))
		a->bits = -a->bits;
	a->bits = cut(a->bits, a->type.size);
	return true;
}

static bool
divide(struct number *a, const struct number *b, bool is_signed, bool remainder,
    bt_error_t *e)
{
	if (b->bits == 0)
		return bt_fail(e, BT_E_FORMAT, "division by zero");
	if (is_signed == false) {
		a->bits = remainder ? a->bits % b->bits : a->bits / b->bits;
		return true;
	}
	if (as_signed(b) == -1) {
		if (a->bits == (u128)1 << (width_of(a) - 1))
			return bt_fail(
			    e, BT_E_FORMAT, "quotient does not fit its type");
		a->bits = remainder ? 0 : -a->bits;
		return true;
	}
	a->bits = (u128)(remainder ? as_signed(a) % as_signed(b)
				   : as_signed(a) / as_signed(b));
	return true;
}

/* The count may have any integer type. DW_OP_shr is logical and DW_OP_shra
 * arithmetic whatever the type's sign. */
static bool
shift(unsigned op, struct number *a, const struct number *b, bt_error_t *e)
{
	unsigned count;

	if (b->bits >= width_of(a))
		return bt_fail(
		    e, BT_E_FORMAT, "shift past the width of %u", width_of(a));
	count = (unsigned)b->bits;
	if (op == DW_OP_shl)
		a->bits <<= count;
	else if (op == DW_OP_shr)
		a->bits >>= count;
	else
		a->bits = (u128)(as_signed(a) >> count);
	a->bits = cut(a->bits, a->type.size);
	return true;
}

static bool
compare(unsigned op, bool less, bool equal, bool ordered)
{
	switch (op) {
	case DW_OP_eq:
		return equal;
	case DW_OP_ne:
		return equal == false;
	case DW_OP_lt:
		return less;
	case DW_OP_le:
		return less || equal;
	case DW_OP_gt:
		return ordered && less == false && equal == false;
	default: /* DW_OP_ge */
		return ordered && less == false;
	}
}

static bool
is_comparison(unsigned op)
{
	return op >= DW_OP_eq && op <= DW_OP_ne;
}

static bool
float_binary(
    unsigned op, struct number *a, const struct number *b, bt_error_t *e)
{
	double x = as_double(a), y = as_double(b);

	if (is_comparison(op)) {
		*a = number_generic(
		    compare(op, x < y, x == y, x == x && y == y));
		return true;
	}
	switch (op) {
	case DW_OP_plus:
		x += y;
		break;
	case DW_OP_minus:
		x -= y;
		break;
	case DW_OP_mul:
		x *= y;
		break;
	case DW_OP_div:
		/* IEEE 754 defines it, but nobody emits it. */
		if (y == 0)
			return bt_fail(e, BT_E_FORMAT, "division by zero");
		x /= y;
		break;
	default:
		return no_such_operation(op, e);
	}
	set_double(a, x);
	return true;
}

static bool
integer_binary(
    unsigned op, struct number *a, const struct number *b, bt_error_t *e)
{
	bool is_signed = kind_of(a->type) == KIND_SIGNED;

	if (is_comparison(op)) {
		bool less = is_signed ? as_signed(a) < as_signed(b)
				      : a->bits < b->bits;

		*a = number_generic(
		    compare(op, less, a->bits == b->bits, true));
		return true;
	}
	switch (op) {
	case DW_OP_and:
		a->bits &= b->bits;
		break;
	case DW_OP_or:
		a->bits |= b->bits;
		break;
	case DW_OP_xor:
		a->bits ^= b->bits;
		break;
	case DW_OP_plus:
		a->bits += b->bits;
		break;
	case DW_OP_minus:
		a->bits -= b->bits;
		break;
	case DW_OP_mul:
		a->bits *= b->bits;
		break;
	case DW_OP_div:
	case DW_OP_mod:
		if (op == DW_OP_mod && a->type.encoding == 0)
			is_signed = false;
		if (divide(a, b, is_signed, op == DW_OP_mod, e) == false)
			return false;
		break;
	default:
		return no_such_operation(op, e);
	}
	a->bits = cut(a->bits, a->type.size);
	return true;
}

bool
number_binary(
    unsigned op, struct number *a, const struct number *b, bt_error_t *e)
{
	if (op == DW_OP_shl || op == DW_OP_shr || op == DW_OP_shra) {
		if (number_is_integer(a) == false ||
		    number_is_integer(b) == false)
			return no_such_operation(op, e);
		return shift(op, a, b, e);
	}
	/* The standard wants one type for both. Compilers mix the generic type
	 * with an integer type of its size, which GDB takes too. */
	if (a->type.size != b->type.size)
		return bt_fail(e, BT_E_FORMAT,
		    "operands of operator 0x%02x have different types", op);
	if (number_is_integer(a) && number_is_integer(b)) {
		if (a->type.encoding == 0)
			a->type = b->type;
		return integer_binary(op, a, b, e);
	}
	if (kind_of(a->type) == KIND_FLOAT && kind_of(b->type) == KIND_FLOAT)
		return float_binary(op, a, b, e);
	return no_such_operation(op, e);
}

static bool
float_to_integer(struct number *a, struct expr_base_type to, bt_error_t *e)
{
	bool is_signed = kind_of(to) == KIND_SIGNED;
	unsigned width = to.size * 8U - (is_signed ? 1 : 0);
	double d = as_double(a);
	double limit = 2.0 * (double)((u128)1 << (width - 1));
	double lowest = is_signed ? -limit : 0.0;

	/* The fraction is cut off, so up to one below the lowest will do, where
	 * a double can tell. NaN fails every comparison. */
	if ((d < limit && (d >= lowest || d > lowest - 1)) == false)
		return bt_fail(e, BT_E_FORMAT,
		    "floating-point value does not fit an integer of %u bytes",
		    to.size);
	a->bits = cut(is_signed ? (u128)(s128)d : (u128)d, to.size);
	a->type = to;
	return true;
}

bool
number_convert(struct number *a, struct expr_base_type to, bt_error_t *e)
{
	enum kind from_kind = kind_of(a->type), to_kind = kind_of(to);

	if (valid_type(to, e) == false)
		return false;
	if (a->type.encoding == to.encoding && a->type.size == to.size)
		return true;
	if (from_kind == KIND_OPAQUE || to_kind == KIND_OPAQUE)
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "conversion from encoding %u (%u bytes) to %u (%u bytes)",
		    a->type.encoding, a->type.size, to.encoding, to.size);
	if (from_kind == KIND_FLOAT && to_kind != KIND_FLOAT)
		return float_to_integer(a, to, e);
	if (to_kind == KIND_FLOAT) {
		double d;

		if (from_kind == KIND_FLOAT)
			d = as_double(a);
		else if (to.size == sizeof(float)) /* one rounding, not two */
			d = from_kind == KIND_SIGNED
			    ? (double)(float)as_signed(a)
			    : (double)(float)a->bits;
		else
			d = from_kind == KIND_SIGNED ? (double)as_signed(a)
						     : (double)a->bits;
		a->type = to;
		set_double(a, d);
		return true;
	}
	if (from_kind == KIND_SIGNED)
		a->bits = (u128)as_signed(a);
	a->bits = cut(a->bits, to.size);
	a->type = to;
	return true;
}

bool
number_reinterpret(struct number *a, struct expr_base_type to, bt_error_t *e)
{
	if (valid_type(to, e) == false)
		return false;
	if (to.size != a->type.size)
		return bt_fail(e, BT_E_FORMAT,
		    "DW_OP_reinterpret from %u to %u bytes", a->type.size,
		    to.size);
	a->type = to;
	return true;
}
