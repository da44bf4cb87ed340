/* SPDX-License-Identifier: MIT */
/*
 * What the checks of --security share: a report that grows by one line of
 * evidence for each place that is wrong.
 */
#ifndef MODULES_TAMPERING_H
#define MODULES_TAMPERING_H

#include "crash.h"

/* More than so many places are not looked for. */
enum { TAMPERING_PLACES_MAX = 1000 };

struct tampering {
	ptrace_backtrace_t *bt;
	ptrace_target_t *target;
	struct report report; /* its text is set at the end */
	uint32_t places;      /* also those for which there was no line */
};

/* The first place becomes the report's address. */
void tampering_add(
    struct tampering *t, bt_addr_t address, const char *evidence);
/* "0x7f.. (strlen+0x10 in libc.so.6)" */
const char *tampering_place(const struct tampering *t, bt_addr_t address);
/* Executable, or nobody can tell. */
bool tampering_is_code(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out);

/* The addresses that the dynamic linker wrote: entries of the global offset
 * tables for functions. */
void tampering_slots(struct tampering *t);
/* Constructors and destructors of modules. */
void tampering_constructors(struct tampering *t);
/* Stacks that hold a chain of return addresses nobody called from. */
void tampering_return_chains(struct tampering *t);

#endif /* MODULES_TAMPERING_H */
