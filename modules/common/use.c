/* SPDX-License-Identifier: MIT */
/*
 * The operand that failed has a base register, a call a register or a word of
 * memory: the slice backwards from there tells where the value was kept.
 */
#include "use.h"
#include "caller.h"

bool
use_of_origin(struct use *u, const struct origin *o)
{

	if (o->kind != ORIGIN_LOAD || o->has_value == false)
		return false;
	u->value = o->value;
	u->holder = o->address;
	u->called_since = o->called_since;
	u->has_through = o->has_through;
	u->through = o->through;
	u->how = pmodule_text(u->c->bt, "read by \"%s\"", o->instruction.text);
	return true;
}

/* A call through memory or a register, whose registers are still there. */
static bool
from_call(struct use *u, const ptrace_instruction_t *call)
{
	const struct crash *c = u->c;
	struct origin origin;

	if (call->target_register >= 0) {
		origin_at_fault(
		    c, call->address, call->target_register, &origin);
		return use_of_origin(u, &origin) && u->value == c->address;
	}
	if (call->target_operand >= 0) {
		const ptrace_operand_t *o =
		    &call->operands[call->target_operand];
		uint64_t base;

		if (o->segment_relative || o->scale != 0 || o->base < 0 ||
		    !ptrace_context_register(c->context, o->base, &base))
			return false;
		u->holder = base + (uint64_t)o->displacement;
		origin_at_fault(c, call->address, o->base, &origin);
		u->has_through = origin.kind == ORIGIN_LOAD;
		u->through = origin.address;
		u->how = pmodule_text(c->bt, "called by \"%s\"", call->text);
		return ptrace_target_read(c->target, u->holder, &u->value,
			   sizeof(u->value), NULL) &&
		    u->value == c->address;
	}
	return false;
}

bool
use_in_function(struct use *u)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	const struct crash *c = u->c;
	struct origin origin;

	if (c->kind == CRASH_EXECUTE)
		return caller_way(c, &call) == CALLER_CALL &&
		    from_call(u, &call);
	if (c->bad_target)
		return c->has_instruction && from_call(u, &c->instruction);
	origin_of_base(c, &origin);
	return use_of_origin(u, &origin);
}
