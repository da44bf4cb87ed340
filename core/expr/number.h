/* SPDX-License-Identifier: MIT */
/*
 * A value on the expression stack and its arithmetic (DWARF 5 section
 * 2.5.1.4). A value has a base type; the generic type is encoding 0 and 8
 * bytes, an integer "of unspecified signedness": as GDB reads it, division,
 * comparison and widening are signed, remainder and DW_OP_shr unsigned.
 */
#ifndef EXPR_NUMBER_H
#define EXPR_NUMBER_H

#include "base/error.h"
#include "expr/expr.h"

enum { NUMBER_GENERIC_SIZE = 8 };

struct number {
	unsigned __int128 bits;	    /* zero above size */
	struct expr_base_type type; /* encoding 0: generic */
};

static inline struct number
number_generic(uint64_t value)
{
	return (struct number){value, {0, NUMBER_GENERIC_SIZE}};
}

bool number_is_integer(const struct number *n);
/* The value as 64 bits, sign-extended when its type is signed. */
uint64_t number_u64(const struct number *n);
/* A value of that type from its little-endian bytes (at most 16). */
bool number_from_bytes(struct expr_base_type type, const uint8_t *bytes,
    size_t size, struct number *out, bt_error_t *e);

/* op is the DW_OP_* number. All fail (false) rather than trap: division by
 * zero, a quotient that does not fit, a shift past the width, operands of
 * different types. */
bool number_unary(unsigned op, struct number *a, bt_error_t *e);
bool number_binary(
    unsigned op, struct number *a, const struct number *b, bt_error_t *e);
/* Converts the value; a float that the integer type cannot hold fails. */
bool number_convert(struct number *a, struct expr_base_type to, bt_error_t *e);
/* Same bits, another type of the same size. */
bool number_reinterpret(
    struct number *a, struct expr_base_type to, bt_error_t *e);

#endif /* EXPR_NUMBER_H */
