/* SPDX-License-Identifier: MIT */
/*
 * Where the faulting thread's stack lies.
 */
#ifndef MODULES_STACK_H
#define MODULES_STACK_H

#include "crash.h"

/* The mapping that holds the frames: by where the caller's frame is, else by
 * the stack pointer, else the one right above it. False: the stack pointer is
 * in no stack at all. */
bool stack_of(const struct crash *c, ptrace_mapping_t *out);
/* The stack pointer of the first physical frame behind the fault's; its own
 * when there is none. */
uint64_t stack_caller(const struct crash *c);

#endif /* MODULES_STACK_H */
