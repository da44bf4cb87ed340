/* SPDX-License-Identifier: MIT */
/*
 * Whether two trees of variables say the same.
 */
#ifndef UNIT_SAME_VARIABLES_H
#define UNIT_SAME_VARIABLES_H

#include "harness/test.h"
#include "snapshot/model.h"

static inline bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The name of what differs is in the message of the failed check. */
static inline bool
same_variables(const struct snap_variable *a, const struct snap_variable *b,
    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, a++, b++) {
		unsigned before = a->flags;

		expect_str(a->name, b->name);
		expect_str(a->type, b->type);
		if (a->kind != b->kind || before != b->flags ||
		    a->n_children != b->n_children ||
		    ((before & SNAP_VAR_ADDRESS) != 0 &&
			a->address != b->address) ||
		    ((before & SNAP_VAR_VALUE) != 0 &&
			memcmp(&a->value, &b->value,
			    a->kind == SNAP_COMPLEX ? 16 : 8) != 0) ||
		    ((before & SNAP_VAR_STRING) != 0 &&
			(a->string_size != b->string_size ||
			    memcmp(a->string, b->string, a->string_size) !=
				0)) ||
		    ((before & SNAP_VAR_LENGTH) != 0 &&
			a->length != b->length) ||
		    a->object != b->object ||
		    !same_text(a->number, b->number) ||
		    !same_text(a->reason, b->reason) ||
		    a->heap.allocated != b->heap.allocated ||
		    a->heap.size != b->heap.size ||
		    a->heap.offset != b->heap.offset ||
		    !same_text(a->heap.place, b->heap.place) ||
		    !same_variables(a->children, b->children, a->n_children)) {
			printf("%s (%s) differs\n", a->name, a->type);
			return false;
		}
	}
	return true;
}

#endif /* UNIT_SAME_VARIABLES_H */
