/* SPDX-License-Identifier: MIT */
/*
 * How the program counter got where it is no code.
 */
#ifndef MODULES_CALLER_H
#define MODULES_CALLER_H

#include "crash.h"

enum caller_way {
	CALLER_UNKNOWN,
	CALLER_CALL,   /* the top of the stack follows a call */
	CALLER_RETURN, /* the word just popped is the pc */
	CALLER_JUMP    /* neither: a tail call, a computed jump */
};
enum caller_way caller_way(const struct crash *c, ptrace_instruction_t *call);
/* Adds the way as evidence. */
void caller_note(const struct crash *c, struct report *r);

#endif /* MODULES_CALLER_H */
