/* SPDX-License-Identifier: MIT */
/*
 * What the signal alone says, of a process of another architecture: there is no
 * instruction to be read, so the address must speak for itself. A null pointer
 * is named only where nothing can be mapped, and a call through one only when
 * the unwinder found the call.
 */
#include "common/null.h"

/* Below what is no code there is a frame only when the return address was where
 * a call leaves it: what returned to null has none. */
static void
judge_call(const struct crash *c)
{
	struct report r;

	if (ptrace_thread_frame(c->thread, 1) == NULL)
		return;
	r = report_of(c, "null-call", 0.9,
	    pmodule_text(c->bt,
		"call through a null function pointer (0x%" PRIx64 ")", c->pc));
	report_token(&r, "null");
	report_token(&r, "jump");
	report_publish(&r);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;

	if (crash_resolve(bt, &c) == false || c.has_instruction)
		return;
	if (c.kind == CRASH_EXECUTE && crash_is_null(c.pc))
		judge_call(&c);
	else if (c.kind == CRASH_PAGE && c.has_address)
		null_from_address(&c,
		    "told from the address alone: instructions of this "
		    "architecture are not read");
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("siginfo", load, NULL, NULL)
