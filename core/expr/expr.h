/* SPDX-License-Identifier: MIT */
/*
 * The one DWARF expression evaluator (DWARF 5 section 2.5 and 2.6), for CFI,
 * locations, frame bases and call-site values. It knows nothing of targets or
 * frames: everything it needs comes through callbacks, and an absent callback
 * means the operation fails with BT_E_UNSUPPORTED.
 *
 * Budgets: steps, stack depth, nesting; endless DW_OP_skip loops, division by
 * zero, INT_MIN / -1 and shifts past the width end in an error, never in a
 * crash. Typed operations (DW_OP_regval_type, _const_type, _deref_type,
 * _convert, _reinterpret and their GNU forms) are supported for integers of up
 * to 16 bytes, float and double (long double where it is only moved).
 */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H

#include "base/view.h"

enum {
	EXPR_STEPS_MAX = 10000,
	EXPR_STACK_MAX = 256,
	EXPR_PIECES_MAX = 64,
	EXPR_NESTING_MAX = 8 /* call2/call4, entry_value */
};

enum expr_location {
	EXPR_MEMORY,	       /* address */
	EXPR_REGISTER,	       /* reg: DWARF number */
	EXPR_VALUE,	       /* DW_OP_stack_value: value, value_size bytes */
	EXPR_IMPLICIT,	       /* DW_OP_implicit_value: bytes */
	EXPR_IMPLICIT_POINTER, /* die, offset */
	EXPR_EMPTY	       /* optimized out */
};

struct expr_piece {
	enum expr_location where;
	uint64_t size_bits;   /* 0 when the only piece: the whole object */
	uint64_t offset_bits; /* DW_OP_bit_piece offset within the location */
	uint64_t address;
	unsigned reg;
	uint8_t value[16];  /* little-endian */
	uint8_t value_size; /* of a typed value; 8 for generic */
	struct view bytes;
	uint64_t die; /* section offset in .debug_info */
	int64_t die_offset;
};

/* Only the first n_pieces pieces are written: a result on the stack needs no
 * clearing. */
struct expr_result {
	unsigned n_pieces; /* at least 1; several: composite */
	struct expr_piece pieces[EXPR_PIECES_MAX];
	bool uses_frame; /* read a register, CFA or frame base */
};

struct expr_base_type {	  /* DW_TAG_base_type for typed operations */
	uint8_t encoding; /* DW_ATE_* */
	uint8_t size;
};

/* What a caller supplies. Each returns false when the value is not to be had
 * (then the expression fails with BT_E_NOTFOUND: "optimized out"), or, for
 * memory, sets *e itself (BT_E_FAULT). */
struct expr_context {
	void *ctx;
	uint8_t address_size; /* 8 */
	uint8_t offset_size;  /* 4 or 8: DW_OP_call_ref, implicit_pointer */
	uint16_t version;     /* DWARF version of the unit */
	uint64_t bias;	      /* added to DW_OP_addr, DW_OP_addrx */
	/* How many evaluations this one is inside of. An entry_value or
	 * variable_value callback that evaluates in turn passes one more than
	 * it was called with; past EXPR_NESTING_MAX the answer is BT_E_LIMIT.
	 */
	unsigned nesting;
	bool (*reg)(void *ctx, unsigned number, uint64_t *out);
	/* Register bytes for DW_OP_regval_type (vector registers). Returns the
	 * number of bytes, 0: unknown. May be NULL. */
	size_t (*reg_bytes)(
	    void *ctx, unsigned number, uint8_t *out, size_t size);
	bool (*memory)(
	    void *ctx, uint64_t address, void *out, size_t size, bt_error_t *e);
	bool (*frame_base)(void *ctx, uint64_t *out, bt_error_t *e);
	bool (*cfa)(void *ctx, uint64_t *out, bt_error_t *e);
	bool (*object_address)(void *ctx, uint64_t *out);
	bool (*tls)(void *ctx, uint64_t offset, uint64_t *out, bt_error_t *e);
	/* DW_OP_addrx, DW_OP_constx (index into .debug_addr, no bias). */
	bool (*addrx)(void *ctx, uint64_t index, uint64_t *out);
	/* DW_OP_entry_value: the value block has on entry to the function. Of
	 * DW_OP_GNU_parameter_ref the block is that operator itself: what was
	 * passed for a parameter that has no place. */
	bool (*entry_value)(
	    void *ctx, struct view block, uint64_t *out, bt_error_t *e);
	/* DW_OP_call2/4 (offset within the unit), DW_OP_call_ref. */
	bool (*call)(void *ctx, uint64_t offset, bool ref, struct view *block);
	/* Base type at an offset within the unit. */
	bool (*base_type)(
	    void *ctx, uint64_t offset, struct expr_base_type *out);
	/* DW_OP_GNU_variable_value: value of the variable DIE. */
	bool (*variable_value)(
	    void *ctx, uint64_t die, uint64_t *out, bt_error_t *e);
};

/* Evaluates a location description or value expression. For an expression
 * without location operators the result is EXPR_MEMORY with the top of the
 * stack: the caller knows whether it asked for a location or a value. initial
 * (may be NULL) is pushed first (the CFA for CFI expressions). BT_E_LIMIT when
 * a budget is exceeded, BT_E_FORMAT for a bad opcode, BT_E_NOTFOUND when a
 * value needed is optimized out. An empty expression is one EXPR_EMPTY piece.*/
bool expr_eval(const struct expr_context *c, struct view block,
    const uint64_t *initial, struct expr_result *out, bt_error_t *e) BT_CHECK;

/* The top of the stack as a number (CFI, bounds, frame base, call-site
 * values): refuses register and composite locations except that a single
 * DW_OP_regN gives the register's value when reg_is_value. */
bool expr_eval_u64(const struct expr_context *c, struct view block,
    const uint64_t *initial, bool reg_is_value, uint64_t *out,
    bt_error_t *e) BT_CHECK;

/* The constant that an operator (already read) pushes, its operand read from
 * code: DW_OP_lit*, DW_OP_const*. False: op is none of them. Whether the
 * operand was there, code tells. */
bool expr_constant(unsigned op, struct view *code, uint64_t *out);

#endif /* EXPR_EXPR_H */
