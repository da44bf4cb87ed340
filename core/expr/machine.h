/* SPDX-License-Identifier: MIT */
/*
 * The state of one evaluation: the code, the stack, and the location that the
 * last location operator left. Shared by the files of this room only.
 */
#ifndef EXPR_MACHINE_H
#define EXPR_MACHINE_H

#include "expr/number.h"

struct machine {
	const struct expr_context *c;
	bt_error_t *e;
	struct view code;
	struct view callers[EXPR_NESTING_MAX]; /* DW_OP_call*: return here */
	unsigned n_callers;
	unsigned steps;
	unsigned depth;
	unsigned n_pieces;
	bool uses_frame;
	bool
	    has_location; /* a location operator ran; only a piece may follow */
	struct expr_piece location;
	struct expr_result *out; /* NULL: a number is asked for, no pieces */
	struct number stack[EXPR_STACK_MAX];
};

/* The top of the stack, or NULL with the error set when depth < need. */
struct number *machine_top(struct machine *m, unsigned need);
bool machine_push(struct machine *m, struct number value);
/* Pops an integer as an address. */
bool machine_pop_address(struct machine *m, uint64_t *out);
bool machine_reg(struct machine *m, unsigned number, uint64_t *out);
bool machine_absent(struct machine *m, const char *what);

/* Operators that end a location or a piece of one: registers, implicit values
 * and pointers, DW_OP_stack_value, DW_OP_piece, DW_OP_bit_piece. */
bool machine_location_op(struct machine *m, unsigned op);
/* Typed operators, with their GNU forms mapped to the standard's. */
bool machine_typed_op(struct machine *m, unsigned op);
/* Pushes what a register held on entry. The operator that names the register,
 * block, may say of what type that is: a double in a vector register. */
bool machine_push_as(struct machine *m, struct view block, uint64_t value);
/* What the stack and the location amount to at the end. */
bool machine_finish(struct machine *m);

#endif /* EXPR_MACHINE_H */
