/* SPDX-License-Identifier: MIT */
/*
 * SIGFPE. FPE_INTDIV covers a division by zero and the one quotient that does
 * not fit, INT_MIN / -1 (the processor raises #DE for both): the divisor
 * decides. An untouched page of zeros is not in a core, so an unreadable
 * divisor in mapped memory would be 0; the target's reader supplies that.
 */
#include <signal.h>

#include "common/crash.h"

static bool
divisor_of(const struct crash *c, uint64_t *out)
{
	const ptrace_instruction_t *in = &c->instruction;

	*out = 0;
	if (in->divisor_known) {
		*out = in->divisor;
		return true;
	}
	return in->n_operands > 0 && in->operands[0].effective_known &&
	    in->divisor_size > 0 && in->divisor_size <= sizeof(*out) &&
	    ptrace_target_read(c->target, in->operands[0].effective, out,
		in->divisor_size, NULL);
}

static void
judge_division(const struct crash *c)
{
	const ptrace_instruction_t *in = &c->instruction;
	bool is_division = in->kind == PTRACE_KIND_DIVIDE ||
	    in->kind == PTRACE_KIND_DIVIDE_SIGNED;
	uint64_t divisor;
	struct report r;

	if (c->has_instruction && is_division == false) {
		r = report_of(c, "fp-exception", 0.5,
		    pmodule_text(c->bt,
			"integer division error at \"%s\", which divides "
			"nothing: wrong code, or a broken processor",
			in->text));
		report_publish(&r);
		return;
	}
	if (c->has_instruction == false || divisor_of(c, &divisor) == false) {
		r = report_of(c, "div-zero", 0.7,
		    "integer division by zero, or a quotient that does not "
		    "fit");
		report_token(&r, "div.zero");
	} else if (divisor == 0) {
		r = report_of(c, "div-zero", 0.97,
		    pmodule_text(
			c->bt, "integer division by zero: \"%s\"", in->text));
		report_token(&r, "div.zero");
	} else {
		r = report_of(c, "int-overflow-div", 0.95,
		    pmodule_text(c->bt,
			"integer division overflow: the quotient of \"%s\" "
			"does not fit (the smallest number divided by -1?)",
			in->text));
		report_note(&r,
		    pmodule_text(c->bt, "the divisor is 0x%" PRIx64, divisor));
		report_token(&r, "int.overflow");
	}
	report_publish(&r);
}

static const char *
float_error(int code)
{

	switch (code) {
	case FPE_FLTDIV:
		return "floating-point division by zero";
	case FPE_FLTOVF:
		return "floating-point overflow";
	case FPE_FLTUND:
		return "floating-point underflow";
	case FPE_FLTRES:
		return "floating-point result is inexact";
	case FPE_FLTINV:
		return "invalid floating-point operation";
	case FPE_FLTSUB:
		return "floating-point subscript out of range";
	default:
		return NULL;
	}
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;
	struct report r;
	const char *text;

	if (crash_resolve(bt, &c) == false || c.signal.number != SIGFPE ||
	    c.kind == CRASH_SENT || c.signal.has_info == false)
		return;
	if (c.signal.code == FPE_INTDIV) {
		judge_division(&c);
		return;
	}
	if (c.signal.code == FPE_INTOVF) {
		r = report_of(
		    &c, "int-overflow-div", 0.9, "integer overflow trap");
		report_token(&r, "int.overflow");
		report_publish(&r);
		return;
	}
	text = float_error(c.signal.code);
	r = report_of(&c, "fp-exception", text != NULL ? 0.95 : 0.6,
	    text != NULL ? pmodule_text(bt, "%s%s%s%s", text,
			       c.has_instruction ? " at \"" : "",
			       c.has_instruction ? c.instruction.text : "",
			       c.has_instruction ? "\"" : "")
			 : "arithmetic exception of an unknown kind");
	report_note(
	    &r, "the program has unmasked this exception (feenableexcept)");
	report_publish(&r);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("arithmetic", load, NULL, NULL)
