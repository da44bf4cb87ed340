/* SPDX-License-Identifier: MIT */
/*
 * Where the value in a register came from: a slice backwards through the
 * straight-line code before the fault.
 */
#ifndef MODULES_ORIGIN_H
#define MODULES_ORIGIN_H

#include "crash.h"

enum origin_kind {
	ORIGIN_UNKNOWN,
	ORIGIN_ENTRY, /* unchanged since the function began */
	ORIGIN_LOAD,  /* read from `address`, which still holds the value */
	ORIGIN_CALL   /* what a call returned */
};

struct origin {
	enum origin_kind kind;
	bt_addr_t address;
	ptrace_instruction_t instruction; /* of LOAD and CALL */
};

/* The base register of the operand that faulted. */
void origin_of_base(const struct crash *c, struct origin *out);

#endif /* MODULES_ORIGIN_H */
