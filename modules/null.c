/* SPDX-License-Identifier: MIT */
/*
 * Null pointers: accesses through one, calls of one. Judged by the operand's
 * base, not by the size of the address: a[i] with a null `a` may fault far
 * from 0, and container_of(NULL) just below 0.
 */
#include <string.h>

#include "common/caller.h"
#include "common/crash.h"
#include "common/limits.h"
#include "common/null.h"
#include "common/origin.h"
#include "common/variables.h"
#include "common/vtable.h"

/* A call through a table of functions whose own address is null. */
static bool
is_table_call(const struct crash *c)
{

	return c->instruction.flow == PTRACE_FLOW_CALL ||
	    c->instruction.flow == PTRACE_FLOW_JUMP;
}

/* Says where the register got its null from. */
static void
note_origin(
    const struct crash *c, const struct origin *origin, struct report *r)
{
	const char *name;

	if (origin->kind == ORIGIN_CALL) {
		name = ptrace_target_call_name(c->target, &origin->instruction);
		if (name == NULL && origin->instruction.target_known)
			name = ptrace_target_symbol(c->target,
			    origin->instruction.target, &(bt_addr_t){0});
		report_note(r,
		    pmodule_text(c->bt, "the null was returned by %s",
			name != NULL ? name : origin->instruction.text));
		if (name != NULL)
			limits_note(c, name, r);
	} else if (origin->kind == ORIGIN_LOAD) {
		report_note(r,
		    pmodule_text(c->bt,
			"the null was read from 0x%" PRIx64 " by \"%s\"",
			origin->address, origin->instruction.text));
	}
}

/* The variable of the matched name is what the register was loaded from, or
 * nothing speaks against it: a parameter still in its register. */
static bool
is_proven(const struct variable_match *m, const struct origin *origin)
{
	ptrace_variable_info_t info = PTRACE_VARIABLE_INFO_INIT;

	if (!ptrace_variable_info(m->variable, &info))
		return false;
	if (origin->kind == ORIGIN_LOAD)
		return info.has_address && info.address == origin->address;
	return origin->kind == ORIGIN_ENTRY
	    ? info.parameter
	    : origin->kind == ORIGIN_UNKNOWN && !info.has_address;
}

/* Names the variable that holds the null, when only one can be meant. */
static void
name_variable(const struct crash *c, struct report *r)
{
	const ptrace_operand_t *o = c->operand;
	struct variable_match m;
	struct origin origin;
	const char *member;

	if (o == NULL || o->base_known == false || c->frame == NULL)
		return;
	origin_of_base(c, &origin);
	note_origin(c, &origin, r);
	if (variables_with_value(c, o->base_value, &m) == false)
		return;
	report_note(r, m.evidence);
	if (ptrace_frame_ip(m.frame) != c->pc ||
	    is_proven(&m, &origin) == false)
		return;
	member = variables_member(c, &m);
	if (member != NULL)
		r->text = pmodule_text(c->bt,
		    "null pointer dereference: %s, %s at 0x%" PRIx64
		    ", but %s is NULL",
		    member, crash_access_text(c), c->address, m.text);
	else
		r->text = pmodule_text(c->bt,
		    "null pointer dereference: %s at 0x%" PRIx64
		    " through %s, which is NULL",
		    crash_access_text(c), c->address, m.text);
}

/* The null was the first word of an object that is there. */
static void
judge_zeroed(const struct crash *c)
{
	struct origin origin;
	struct report r;

	origin_of_base(c, &origin);
	if (origin.kind != ORIGIN_LOAD ||
	    origin.instruction.operands[0].displacement != 0)
		return;
	r = report_of(c, "zeroed-object", 0.6,
	    pmodule_text(c->bt,
		"the object at 0x%" PRIx64
		" has no table of virtual functions: "
		"it was zeroed or never constructed",
		origin.address));
	report_token(&r, "vtable");
	report_publish(&r);
}

static void
judge_access(const struct crash *c)
{
	const ptrace_operand_t *o = c->operand;
	bool base_null = o != NULL && o->base_known &&
	    crash_is_null(o->base_value);
	/* The compiler may put the pointer into the index when it has no
	 * scale. */
	bool index_null = o != NULL && o->index_known && o->scale == 1 &&
	    o->base_known && crash_is_null(o->index_value) &&
	    o->base_value < NULL_END;
	struct report r;

	if (o != NULL && o->segment_relative)
		return;
	/* Without the instruction only the address speaks, and the code may
	 * have been anything. */
	if (c->has_instruction == false) {
		null_from_address(c,
		    pmodule_text(c->bt,
			"the instruction at 0x%" PRIx64
			" is not readable: the file it is from is missing",
			c->pc));
		return;
	}
	if (!base_null && !index_null && !null_is_near(c->address))
		return;
	r = report_of(c, "null-deref", 0.95,
	    pmodule_text(c->bt, "null pointer dereference: %s at 0x%" PRIx64,
		crash_access_text(c), c->address));
	name_variable(c, &r);
	if (base_null && o->base_value == UINT64_MAX) {
		report_note(&r,
		    "the pointer is -1: what mmap, shmat and sbrk return when "
		    "they fail");
		limits_note(c, NULL, &r);
	}
	if (base_null)
		report_note(&r, crash_register_text(c, o->base, o->base_value));
	if (base_null)
		report_note(&r, crash_index_text(c));
	if (o != NULL && is_table_call(c))
		report_note(&r,
		    "the table of functions itself is null: the object was "
		    "zeroed or never constructed");
	report_token(&r, "null");
	report_publish(&r);
	if (o != NULL && is_table_call(c))
		judge_zeroed(c);
}

/* The object that the function was called for is of a class that lacks one:
 * only while it is being built or destroyed has it that class. */
static void
judge_pure_virtual(const struct crash *c)
{
	struct vtable table;
	struct report r;
	uint64_t object;

	if (!ptrace_context_register(
		c->context, ptrace_argument_register(0), &object) ||
	    vtable_lacks_function(c->bt, object, &table) == false)
		return;
	r = report_of(c, "pure-virtual", 0.96,
	    "a pure virtual function was called: the object is being built or "
	    "destroyed, or is already gone");
	report_note(&r,
	    pmodule_text(c->bt,
		"the object at 0x%" PRIx64
		" has the table of virtual functions of %s, in which one is "
		"null: the program was linked without what reports such calls",
		object, table.type));
	report_token(&r, "pure-virtual");
	report_publish(&r);
}

static void
judge_call(const struct crash *c)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	struct report r = report_of(c, "null-call", 0.95,
	    pmodule_text(c->bt,
		"call through a null function pointer (0x%" PRIx64 ")", c->pc));

	/* A return to 0 is damage to the stack: the module of jumps. */
	if (caller_way(c, &call) == CALLER_RETURN)
		return;
	caller_note(c, &r);
	report_token(&r, "null");
	report_token(&r, "jump");
	report_publish(&r);
	if (caller_way(c, &call) != CALLER_UNKNOWN)
		judge_pure_virtual(c);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;

	if (crash_resolve(bt, &c) == false)
		return;
	if (c.kind == CRASH_EXECUTE && crash_is_null(c.pc))
		judge_call(&c);
	else if (c.kind == CRASH_PAGE &&
	    (c.direction != NULL || c.has_instruction == false))
		judge_access(&c);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("null", load, NULL, NULL)
