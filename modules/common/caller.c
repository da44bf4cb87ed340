/* SPDX-License-Identifier: MIT */
/*
 * A call leaves its return address on top of the stack; a return leaves the
 * address it went to just below. Nothing has been pushed since.
 */
#include "caller.h"

enum caller_way
caller_way(const struct crash *c, ptrace_instruction_t *call)
{
	bt_addr_t top, popped;

	if (!ptrace_target_read(c->target, c->sp, &top, sizeof(top), NULL))
		return CALLER_UNKNOWN;
	if (ptrace_target_call_before(c->target, top, call)) {
		/* A direct call went elsewhere: its callee jumped on. */
		return call->target_known ? CALLER_JUMP : CALLER_CALL;
	}
	if (ptrace_target_read(
		c->target, c->sp - 8, &popped, sizeof(popped), NULL) &&
	    popped == c->pc)
		return CALLER_RETURN;
	return CALLER_UNKNOWN;
}

void
caller_note(const struct crash *c, struct report *r)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	enum caller_way way = caller_way(c, &call);
	bt_addr_t start;
	const char *symbol;

	if (way == CALLER_UNKNOWN)
		return;
	if (way == CALLER_RETURN) {
		report_note(r,
		    pmodule_text(c->bt,
			"reached by a return: 0x%" PRIx64
			" stands where the return address was",
			c->pc));
		return;
	}
	symbol = ptrace_target_symbol(c->target, call.address, &start);
	if (way == CALLER_CALL)
		report_note(r,
		    pmodule_text(c->bt, "called by \"%s\" at 0x%" PRIx64 "%s%s",
			call.text, call.address, symbol != NULL ? " in " : "",
			symbol != NULL ? symbol : ""));
	else
		report_note(r,
		    pmodule_text(c->bt,
			"%s%scalled another function (\"%s\" at 0x%" PRIx64
			"), which jumped here at its end",
			symbol != NULL ? symbol : "",
			symbol != NULL ? " " : "something ", call.text,
			call.address));
}
