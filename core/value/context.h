/* SPDX-License-Identifier: MIT */
/*
 * The expression context of a frame. Private to value/.
 */
#ifndef VALUE_CONTEXT_H
#define VALUE_CONTEXT_H

#include "value/value_private.h"

/* Callbacks for the evaluator's frame and current unit. */
void value_context(struct evaluator *ev, struct expr_context *out);

/* Bytes of a register in the evaluator's frame, 0: not known. */
size_t value_register(
    struct evaluator *ev, unsigned number, uint8_t *out, size_t size);

/* quick.c: the value of the simplest expressions; *is_value: it is the
 * variable's own (DW_OP_stack_value), not its address. False: evaluate. */
bool value_quick(struct evaluator *ev, struct dwarf_unit *unit,
    struct view block, bool *is_value, uint64_t *out);

#endif /* VALUE_CONTEXT_H */
