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
read_window(const struct crash *c, bt_addr_t pc, struct window *w)
{
	bt_addr_t start, end, joined = 0;

	if (!ptrace_target_function(c->target, pc, &start, &end))
		return false;
	/* Where do jumps of the function go, also those behind the fault? */
	bt_addr_t at = start;
	for (unsigned i = 0; at < end && i < INSTRUCTIONS_MAX; i++) {
		ptrace_instruction_t in = PTRACE_INSTRUCTION_INIT;

		if (!ptrace_target_instruction(c->target, at, &in))
			return false;
		if ((in.flow == PTRACE_FLOW_JUMP ||
			in.flow == PTRACE_FLOW_CONDITIONAL) &&
		    in.target_known && in.target <= pc && in.target > joined &&
		    in.target >= start)
			joined = in.target;
		at += in.length;
	}
	w->whole = joined == 0;
	at = start;
	for (unsigned i = 0; at < pc && i < INSTRUCTIONS_MAX; i++) {
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
	return at == pc;
}

/* What a function may leave behind in any state (System V psABI). */
static const uint32_t scratch = UINT32_C(0xf37); /* all but 3, 6, 7, 12-15 */

struct slice {
	const struct crash *c;
	struct window w;
	origin_get *get;
	void *ctx;
};

static const ptrace_instruction_t *
instruction_at(const struct slice *s, uint32_t back)
{

	return &s->w.items[(s->w.n - 1 - back) % WINDOW];
}

static bool
is_pc(int32_t number)
{
	const char *name = ptrace_register_name(number);

	return name != NULL &&
	    strcmp(name, ptrace_register_name(PTRACE_REGISTER_PC)) == 0;
}

/* Registers changed by the last `back` instructions. */
static uint32_t
changed_since(const struct slice *s, uint32_t back)
{
	uint32_t changed = 0;

	for (uint32_t i = 0; i < back; i++) {
		const ptrace_instruction_t *in = instruction_at(s, i);

		/* What a call pushes is popped again. */
		changed |= in->flow == PTRACE_FLOW_CALL ||
			in->flow == PTRACE_FLOW_SYSCALL
		    ? scratch
		    : in->written;
	}
	return changed;
}

static void trace(const struct slice *s, uint32_t back, int32_t reg,
    unsigned depth, struct origin *out);

/* A load whose base register is known at that place. */
static void
trace_load(
    const struct slice *s, uint32_t back, unsigned depth, struct origin *out)
{
	const ptrace_instruction_t *in = instruction_at(s, back);
	const ptrace_operand_t *o = &in->operands[0];
	struct origin base;

	out->instruction = *in;
	if (o->segment_relative || o->scale != 0 || o->base < 0)
		return;
	if (is_pc(o->base)) {
		base.kind = ORIGIN_UNKNOWN;
		base.has_value = true;
		base.value = in->address + in->length;
	} else {
		trace(s, back + 1, o->base, depth + 1, &base);
	}
	if (base.has_value == false)
		return;
	out->kind = ORIGIN_LOAD;
	out->has_through = base.kind == ORIGIN_LOAD;
	out->through = base.address;
	for (uint32_t i = 0; i < back; i++)
		out->called_since = out->called_since ||
		    instruction_at(s, i)->flow == PTRACE_FLOW_CALL;
	out->address = base.value + (uint64_t)o->displacement;
	out->has_value = ptrace_target_read(
	    s->c->target, out->address, &out->value, sizeof(out->value), NULL);
}

/* The instruction copies the register to another one that still has it. */
static void
find_copy(const struct slice *s, uint32_t back, int32_t reg, uint64_t added,
    struct origin *out)
{
	const ptrace_instruction_t *in = instruction_at(s, back);
	uint32_t kept = in->written & ~changed_since(s, back);
	uint64_t value;

	if (out->has_value || in->source != reg)
		return;
	for (int32_t i = 0; i < 16; i++) {
		if ((kept >> i & 1) == 0 || !s->get(s->ctx, i, &value))
			continue;
		out->has_value = true;
		out->value = value - (uint64_t)in->added + added;
		return;
	}
}

/* A register as it was `back` instructions before the end. */
static void
trace(const struct slice *s, uint32_t back, int32_t reg, unsigned depth,
    struct origin *out)
{
	const unsigned deepest = 4;
	uint64_t added = 0;

	memset(out, 0, sizeof(*out));
	for (; depth < deepest && reg >= 0 && reg < 32; back++) {
		const ptrace_instruction_t *in;

		/* Not changed since: as it is at the end. */
		if (out->has_value == false &&
		    (changed_since(s, back) >> reg & 1) == 0 &&
		    s->get(s->ctx, reg, &out->value)) {
			out->has_value = true;
			out->value += added;
			if (depth > 0)
				return;
		}
		if (back >= s->w.n || back >= WINDOW) {
			if (s->w.n <= WINDOW && s->w.whole)
				out->kind = ORIGIN_ENTRY;
			return;
		}
		in = instruction_at(s, back);
		if (in->flow == PTRACE_FLOW_CALL ||
		    in->flow == PTRACE_FLOW_SYSCALL) {
			if ((scratch >> reg & 1) == 0)
				continue;
			/* Register 0 of DWARF carries results. */
			if (reg == 0 && in->flow == PTRACE_FLOW_CALL) {
				out->kind = ORIGIN_CALL;
				out->added = (int64_t)added;
				out->instruction = *in;
			}
			return;
		}
		if ((in->written >> reg & 1) == 0) {
			find_copy(s, back, reg, added, out);
			continue;
		}
		if (in->loads) {
			struct origin load = *out;

			trace_load(s, back, depth, &load);
			load.value += added;
			load.added = (int64_t)added;
			if (out->has_value && load.has_value &&
			    load.value != out->value) {
				/* The memory was changed since. */
				load.kind = ORIGIN_UNKNOWN;
				load.value = out->value;
			}
			*out = load;
			return;
		}
		if (in->source < 0)
			return;
		added += (uint64_t)in->added;
		if (is_pc(in->source)) {
			out->has_value = true;
			out->value = in->address + in->length + added;
			return;
		}
		reg = in->source;
	}
}

static bool
get_fault(void *ctx, int32_t number, uint64_t *out)
{
	const struct crash *c = ctx;

	return ptrace_context_register(c->context, number, out);
}

/* Of a frame with callees only what those must keep is known. */
static bool
get_frame(void *ctx, int32_t number, uint64_t *out)
{

	return (scratch >> number & 1) == 0 &&
	    ptrace_frame_register(ctx, number, out);
}

static void
slice_back(const struct crash *c, bt_addr_t pc, int32_t reg, origin_get *get,
    void *ctx, struct origin *out)
{
	struct slice s = {.c = c, .get = get, .ctx = ctx};

	memset(out, 0, sizeof(*out));
	if (read_window(c, pc, &s.w))
		trace(&s, 0, reg, 0, out);
}

void
origin_at_fault(
    const struct crash *c, bt_addr_t pc, int32_t reg, struct origin *out)
{

	slice_back(c, pc, reg, get_fault, (void *)(uintptr_t)c, out);
}

void
origin_at_call(const struct crash *c, ptrace_frame_t *caller, bt_addr_t call,
    int32_t reg, struct origin *out)
{

	slice_back(c, call, reg, get_frame, caller, out);
}

void
origin_of_base(const struct crash *c, struct origin *out)
{
	const ptrace_operand_t *o = c->operand;

	memset(out, 0, sizeof(*out));
	if (o == NULL || o->base_known == false || o->base < 0 || o->base > 31)
		return;
	origin_at_fault(c, c->pc, o->base, out);
}
