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
	/* What the register holds: computed from registers that are known, or
	 * read again from where it was read. */
	bool has_value;
	uint64_t value;
	bool called_since; /* calls were made between that and the end */
	int64_t added;	   /* to what was read or returned */
	/* Of LOAD: where the pointer was read that led there. */
	bool has_through;
	bt_addr_t through;
};

/* Registers where the code in question ends. */
typedef bool origin_get(void *ctx, int32_t number, uint64_t *out);

/* The base register of the operand that faulted. */
void origin_of_base(const struct crash *c, struct origin *out);
/* Any register of the fault, by the code in front of `pc`. */
void origin_at_fault(
    const struct crash *c, bt_addr_t pc, int32_t reg, struct origin *out);
/* A register as it was at a call from the frame. */
void origin_at_call(const struct crash *c, ptrace_frame_t *caller,
    bt_addr_t call, int32_t reg, struct origin *out);

#endif /* MODULES_ORIGIN_H */
