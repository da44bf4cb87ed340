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
};

/* The one pointer variable of the faulting function (inlined ones included)
 * that has the value. False when none or several have. */
bool variables_with_value(
    const struct crash *c, uint64_t value, struct variable_match *out);

#endif /* MODULES_VARIABLES_H */
