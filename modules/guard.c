/* SPDX-License-Identifier: MIT */
/*
 * Stack guards that were overwritten and that nobody has looked at yet: the
 * function checks its own only when it returns. So the crash of one thread may
 * show what happened in another, or why the values in this frame make no sense.
 */
#include <string.h>

#include "common/guard.h"

enum { THREADS_MAX = 16384, FOUND_MAX = 16 };

static void
judge(ptrace_backtrace_t *bt, ptrace_thread_t *t, const struct guard_damage *d)
{
	struct report r = {.bt = bt, .thread = t, .frame = d->frame};
	const char *array = guard_array(d->frame, d->guard.address);
	const char *symbol = ptrace_frame_symbol(d->frame);

	r.class_name = "stack-smash";
	/* The thread that failed did so with a damaged stack; of another one it
	 * is only known that it will. */
	r.confidence = ptrace_thread_fault(t) ? 0.92 : 0.58;
	r.text = pmodule_text(bt,
	    "the stack of %s%s was overwritten: the guard word of its frame is "
	    "damaged, but the function has not returned to notice it",
	    symbol[0] != '\0' ? symbol : "a function",
	    ptrace_thread_fault(t)
		? ""
		: pmodule_text(bt, " in thread %u", ptrace_thread_tid(t)));
	r.has_address = true;
	r.address = d->guard.address;
	report_note(&r,
	    pmodule_text(bt,
		"the guard word at 0x%" PRIx64 " is 0x%" PRIx64
		", expected 0x%" PRIx64,
		d->guard.address, d->guard.found, d->guard.expected));
	if (array != NULL)
		report_note(&r,
		    pmodule_text(
			bt, "%s lies just below the guard word", array));
	report_token(&r, "stack.smash");
	report_publish(&r);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	uint32_t n = ptrace_backtrace_n_threads(bt);
	unsigned found = 0;

	/* The abort that the guard itself led to says it already. */
	if (pmodule_finding_confidence(bt, "stack-smash") > 0)
		return;
	for (uint32_t i = 0; i < n && i < THREADS_MAX && found < FOUND_MAX;
	     i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(bt, i);
		struct guard_damage d;

		if (guard_damaged(t, &d)) {
			judge(bt, t, &d);
			found++;
		}
	}
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("guard", load, NULL, NULL)
