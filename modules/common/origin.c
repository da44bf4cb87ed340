/* SPDX-License-Identifier: MIT */
/*
 * Only code that must have run counts: from the last place in front of the
 * fault where another path could join or leave. The function is decoded from
 * its start (instructions cannot be read backwards); every direct jump into
 * the piece in question ends it there.
 */
#include <string.h>

#include "origin.h"

enum { INSTRUCTIONS_MAX = 2048, WINDOW = 64 };

struct window { /* the last instructions before the fault */
	ptrace_instruction_t items[WINDOW];
	uint32_t n; /* ever put in */
	bool whole; /* from the function's first instruction on */
};

/* Straight code that ends at the pc; false when it cannot be decoded. */
static bool
read_window(const struct crash *c, struct window *w)
{
	bt_addr_t start, end, joined = 0;

	if (!ptrace_target_function(c->target, c->pc, &start, &end))
		return false;
	/* Where do jumps of the function go, also those behind the fault? */
	bt_addr_t at = start;
	for (unsigned i = 0; at < end && i < INSTRUCTIONS_MAX; i++) {
		ptrace_instruction_t in = PTRACE_INSTRUCTION_INIT;

		if (!ptrace_target_instruction(c->target, at, &in))
			return false;
		if ((in.flow == PTRACE_FLOW_JUMP ||
			in.flow == PTRACE_FLOW_CONDITIONAL) &&
		    in.target_known && in.target <= c->pc &&
		    in.target > joined && in.target >= start)
			joined = in.target;
		at += in.length;
	}
	w->whole = joined == 0;
	at = start;
	for (unsigned i = 0; at < c->pc && i < INSTRUCTIONS_MAX; i++) {
		ptrace_instruction_t *in = &w->items[w->n % WINDOW];

		in->size = sizeof(*in);
		if (!ptrace_target_instruction(c->target, at, in))
			return false;
		if (at == joined) {
			w->items[0] = *in;
			w->n = 0;
			in = &w->items[0];
		}
		at += in->length;
		w->n++;
		if (in->flow == PTRACE_FLOW_JUMP ||
		    in->flow == PTRACE_FLOW_RETURN) {
			w->n = 0; /* nothing falls through to what follows */
			w->whole = false;
		}
	}
	return at == c->pc;
}

static void
judge_load(const struct crash *c, const ptrace_instruction_t *in,
    uint32_t changed, uint64_t value, struct origin *out)
{
	const ptrace_operand_t *o = &in->operands[0];
	uint64_t base = 0, held;
	bt_addr_t address;

	if (o->segment_relative || o->scale != 0)
		return;
	/* The program counter is known by the place of the instruction. */
	if (ptrace_register_name(o->base) != NULL &&
	    strcmp(ptrace_register_name(o->base),
		ptrace_register_name(PTRACE_REGISTER_PC)) == 0)
		base = in->address + in->length;
	else if (o->base < 0 || o->base > 31 || (changed >> o->base & 1) ||
	    !ptrace_context_register(c->context, o->base, &base))
		return;
	address = base + (uint64_t)o->displacement;
	if (!ptrace_target_read(
		c->target, address, &held, sizeof(held), NULL) ||
	    held != value)
		return;
	out->kind = ORIGIN_LOAD;
	out->address = address;
}

void
origin_of_base(const struct crash *c, struct origin *out)
{
	const ptrace_operand_t *o = c->operand;
	struct window w;
	uint32_t changed = 0;

	memset(out, 0, sizeof(*out));
	memset(&w, 0, sizeof(w));
	if (o == NULL || o->base_known == false || o->base < 0 ||
	    o->base > 31 || read_window(c, &w) == false)
		return;
	for (uint32_t i = 0; i < w.n && i < WINDOW; i++) {
		const ptrace_instruction_t *in =
		    &w.items[(w.n - 1 - i) % WINDOW];

		if (in->flow == PTRACE_FLOW_CALL ||
		    in->flow == PTRACE_FLOW_SYSCALL) {
			/* Register 0 of DWARF carries results. */
			if (o->base == 0 && in->flow == PTRACE_FLOW_CALL) {
				out->kind = ORIGIN_CALL;
				out->instruction = *in;
			}
			return;
		}
		if (in->written >> o->base & 1) {
			out->instruction = *in;
			if (in->loads)
				judge_load(c, in,
				    changed | UINT32_C(1) << o->base,
				    o->base_value, out);
			return;
		}
		changed |= in->written;
	}
	if (w.n <= WINDOW && w.whole)
		out->kind = ORIGIN_ENTRY;
}
