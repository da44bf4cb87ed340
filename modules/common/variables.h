/* SPDX-License-Identifier: MIT */
/*
 * From values to the variables that hold them.
 */
#ifndef MODULES_VARIABLES_H
#define MODULES_VARIABLES_H

#include "crash.h"

struct variable_match {
	const char *text;     /* "p (struct object *)" */
	const char *evidence; /* "p of touch (faults.c:12) is 0x0" */
	const ptrace_variable_t *variable;
	const char *name;
	ptrace_frame_t *frame;
};

/* The one pointer variable of the faulting function (inlined ones included)
 * that has the value. False when none or several have. */
bool variables_with_value(
    const struct crash *c, uint64_t value, struct variable_match *out);

/* What the access through the matched pointer meant: "p->list.next (offset
 * 0x40 of struct object *)"; NULL: unknown. */
const char *variables_member(
    const struct crash *c, const struct variable_match *m);

#endif /* MODULES_VARIABLES_H */
