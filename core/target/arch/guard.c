/* SPDX-License-Identifier: MIT */
/*
 * Finds "mov reg, fs:[0x28]" and the store of that register into the frame.
 * Both lie in the function's first block, so the instructions are followed in
 * order up to the first that leaves it.
 */
#include "target/arch/guard.h"
#include "target/arch/insn.h"
#include "target/arch/prologue.h"

enum { INSTRUCTIONS_MAX = 128 };

/* The register that gets the thread's guard word; -1: it is another one. */
static int
loads_guard(const struct insn *in)
{
	const struct insn_operand *o = &in->operands[0];

	if (in->loads == false || strncmp(o->text, "fs:", 3) != 0 ||
	    o->base >= 0 || o->scale != 0 ||
	    o->displacement != ARCH_GUARD_OFFSET || in->written == 0 ||
	    (in->written & (in->written - 1)) != 0)
		return -1;
	return __builtin_ctz(in->written);
}

/* "mov qword ptr [rsp + 0x18], rax" */
static bool
stores(const struct insn *in, int reg)
{
	const struct insn_operand *o = &in->operands[0];
	const char *name = arch_reg_name((unsigned)reg);
	size_t length = strlen(in->text), n = strlen(name);

	return in->n_operands == 1 && o->write && o->read == false &&
	    o->size == 8 && o->scale == 0 && o->segment_relative == false &&
	    o->implicit == false &&
	    (o->base == ARCH_SP || o->base == ARCH_FP) &&
	    strncmp(in->text, "mov ", 4) == 0 && length > n + 2 &&
	    strcmp(in->text + length - n, name) == 0 &&
	    in->text[length - n - 1] == ' ';
}

static bool
place(const uint8_t *code, size_t size, size_t at, const struct insn *in,
    struct arch_guard *out)
{
	const struct insn_operand *o = &in->operands[0];
	struct arch_layout layout;

	out->stored = (uint32_t)(at + in->length);
	out->offset = o->displacement;
	out->by_fp = o->base == ARCH_FP;
	if (out->by_fp)
		return true;
	/* With a frame pointer nothing tells how far the stack pointer is
	 * from the frame: it may have been aligned. */
	if (!arch_layout_at(code, size, at, &layout) ||
	    layout.cfa_reg != ARCH_SP)
		return false;
	out->offset -= layout.cfa_offset;
	return true;
}

bool
arch_guard_find(const uint8_t *code, size_t size, struct arch_guard *out)
{
	/* The displacement, however the instruction is written. Most functions
	 * have none, and looking for four bytes costs less than decoding. */
	static const uint8_t displacement[4] = {ARCH_GUARD_OFFSET};
	int guard = -1;
	size_t at = 0;
	struct insn in;

	if (memmem(code, size, displacement, sizeof(displacement)) == NULL)
		return false;

	for (unsigned i = 0; i < INSTRUCTIONS_MAX && at < size; i++) {
		int loaded;

		if (!insn_decode(code + at, size - at, at, NULL, NULL, &in) ||
		    in.flow == INSN_FLOW_CALL || in.flow == INSN_FLOW_JUMP ||
		    in.flow == INSN_FLOW_RETURN)
			return false;
		loaded = loads_guard(&in);
		if (loaded >= 0)
			guard = loaded;
		else if (guard >= 0 && stores(&in, guard))
			return place(code, size, at, &in, out);
		else if (guard >= 0 && (in.written >> guard & 1) != 0)
			guard = -1;
		at += in.length;
	}
	return false;
}
