/* SPDX-License-Identifier: MIT */
/*
 * Signals that no access caused: sent with kill(), sigqueue() or by a timer.
 * si_code is 0 or below then (sigaction(2)). SI_TKILL from the process itself
 * is raise(), abort() or a crash handler that passes its signal on; these are
 * other modules' business.
 */
#include <signal.h>

#include "common/crash.h"

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;
	struct report r;
	int32_t pid;
	bool own;

	if (crash_resolve(bt, &c) == false || c.kind != CRASH_SENT ||
	    c.final.has_sender == false)
		return;
	pid = ptrace_target_pid(c.target);
	own = c.final.sender_pid == pid;
	if (own && (c.final.code == SI_TKILL || c.final.number == SIGABRT))
		return;
	r = report_of(&c, "external-signal", 0.9,
	    own ? pmodule_text(bt,
		      "%s was sent by the process itself with kill(): "
		      "no access failed",
		      crash_signal_name(&c, c.final.number))
		: c.final.sender_pid == 0
		? pmodule_text(bt,
		      "%s was sent by the kernel or from outside of the "
		      "container (a terminal's Ctrl-\\, a supervisor)",
		      crash_signal_name(&c, c.final.number))
		: pmodule_text(bt, "%s was sent by process %d (user %u)",
		      crash_signal_name(&c, c.final.number), c.final.sender_pid,
		      c.final.sender_uid));
	report_note(&r,
	    pmodule_text(bt, "si_code is %d, si_pid is %d, this is process %d",
		c.final.code, c.final.sender_pid, pid));
	report_token(&r, "signal.external");
	report_publish(&r);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("sent", load, NULL, NULL)
