/* SPDX-License-Identifier: MIT */
/*
 * Signals that no access caused: sent with kill(), sigqueue(), by a timer or by
 * the kernel, of which si_code tells (sigaction(2)). SI_TKILL from the process
 * itself is raise(), abort() or a handler that passes its signal on; who sent
 * it to that handler, its signal frame tells. (A handler that passes on the
 * signal of a fault is known by the fault, and no business of this module.)
 */
#include <signal.h>

#include "common/crash.h"

static const char *
sender_text(const struct crash *c, const ptrace_signal_t *s)
{

	if (s->sender_pid == ptrace_target_pid(c->target))
		return "was sent by the process itself with kill()";
	if (s->sender_pid == 0)
		return "was sent by the kernel or from outside of the "
		       "container (a terminal's Ctrl-\\, a supervisor)";
	return pmodule_text(c->bt, "was sent by process %d (user %u)",
	    s->sender_pid, s->sender_uid);
}

/* Signals by which somebody asks a process to end. Others have handlers that
 * do some work, in which anything may go wrong. */
static bool
is_request(int number)
{

	return number == SIGTERM || number == SIGQUIT || number == SIGINT ||
	    number == SIGHUP || number == SIGABRT;
}

/* The process raised the signal that it died of: did a handler pass on one that
 * came from elsewhere? */
static bool
passed_on(const struct crash *c, ptrace_signal_t *first)
{

	*first = (ptrace_signal_t)PTRACE_SIGNAL_INIT;
	return ptrace_thread_handled_signal(c->thread, first) &&
	    first->has_sender &&
	    first->sender_pid != ptrace_target_pid(c->target) &&
	    (first->number == c->final.number ||
		(c->final.number == SIGABRT && is_request(first->number)));
}

static void
note_signal(const struct crash *c, struct report *r, const ptrace_signal_t *s)
{

	report_note(r,
	    pmodule_text(c->bt,
		"%s: si_code is %d, si_pid is %d; this is process %d",
		crash_signal_name(c, s->number), s->code, s->sender_pid,
		ptrace_target_pid(c->target)));
}

/* ---- signals without a sender ---- */

/* Calls that send signals (x86-64: asm/unistd_64.h). */
static bool
is_sending(int64_t call)
{
	enum {
		KILL = 62,
		SIGQUEUE = 129,
		TKILL = 200,
		TGKILL = 234,
		TGSIGQUEUE = 297,
		PIDFD_SEND = 424
	};

	return call == KILL || call == SIGQUEUE || call == TKILL ||
	    call == TGKILL || call == TGSIGQUEUE || call == PIDFD_SEND;
}

/* The kernel sends SIGXFSZ in the name of the process itself, in the middle of
 * a call that would have made a file too long (inode_newsize_ok(), fs/attr.c,
 * generic_write_check_limits(), fs/read_write.c). */
static bool
is_file_limit(const struct crash *c)
{
	ptrace_syscall_t call = PTRACE_SYSCALL_INIT;

	return c->final.number == SIGXFSZ && c->final.code == SI_USER &&
	    c->final.sender_pid == ptrace_target_pid(c->target) &&
	    ptrace_thread_syscall(c->thread, &call) &&
	    is_sending(call.number) == false;
}

static const char *
source_text(const ptrace_signal_t *s)
{

	switch (s->code) {
	case SI_TIMER:
		return "was sent by a timer that the process had set "
		       "(timer_create)";
	case SI_MESGQ:
		return "was sent by a message queue (mq_notify)";
	case SI_ASYNCIO:
		return "was sent at the end of an asynchronous operation "
		       "(aio_sigevent)";
	case SI_KERNEL:
		return s->number == SIGQUIT
		    ? "was sent by the kernel: the quit key of the terminal "
		      "(Ctrl-\\)"
		    : "was sent by the kernel";
	default:
		return s->code > 0 || s->code == SI_SIGIO
		    ? "was sent for a file descriptor (F_SETSIG)"
		    : "was sent by the kernel";
	}
}

static void
publish_sent(const struct crash *c, struct report *r)
{

	report_note(r,
	    pmodule_text(c->bt, "%s: si_code is %d",
		crash_signal_name(c, c->final.number), c->final.code));
	report_token(r, "signal.external");
	report_publish(r);
}

static void
judge_limit(const struct crash *c)
{
	bool time = c->final.number == SIGXCPU;
	struct report r = report_of(c, "external-signal", 0.95,
	    time ? "SIGXCPU was sent by the kernel: the process has used all "
		   "the processor time that RLIMIT_CPU (ulimit -t) allows"
		 : "SIGXFSZ was sent by the kernel: a file would have grown "
		   "past what RLIMIT_FSIZE (ulimit -f) allows");

	report_token(&r, time ? "rlimit.cpu" : "rlimit.fsize");
	publish_sent(c, &r);
}

static void
judge_source(const struct crash *c)
{
	struct report r = report_of(c, "external-signal", 0.9,
	    pmodule_text(c->bt, "%s %s: no access failed",
		crash_signal_name(c, c->final.number), source_text(&c->final)));

	publish_sent(c, &r);
}

/* ---- signals with a sender ---- */

static void
judge_raise(const struct crash *c)
{
	struct report r = report_of(c, "abort", 0.5,
	    pmodule_text(c->bt,
		"the process ended itself: it raised %s (or a handler passed "
		"it on)",
		crash_signal_name(c, c->final.number)));

	note_signal(c, &r, &c->final);
	report_token(&r, "stop");
	report_publish(&r);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	ptrace_signal_t first;
	struct crash c;
	struct report r;
	bool own, passed;

	if (crash_resolve(bt, &c) == false || c.kind != CRASH_SENT ||
	    c.context == NULL)
		return;
	if (is_file_limit(&c) ||
	    (c.final.number == SIGXCPU && c.final.code == SI_KERNEL)) {
		judge_limit(&c);
		return;
	}
	if (c.final.has_sender == false) {
		judge_source(&c);
		return;
	}
	own = c.final.sender_pid == ptrace_target_pid(c.target);
	passed = own && passed_on(&c, &first);
	/* abort() raises its signal: the module of aborts says why. */
	if (own && passed == false && c.final.number == SIGABRT)
		return;
	/* raise(): or a handler that passed on what it did not ask about. */
	if (own && passed == false && c.final.code == SI_TKILL) {
		judge_raise(&c);
		return;
	}
	r = report_of(&c, "external-signal", 0.9,
	    passed ? pmodule_text(bt,
			 "%s %s; a handler caught it and ended the process "
			 "by %s",
			 crash_signal_name(&c, first.number),
			 sender_text(&c, &first),
			 crash_signal_name(&c, c.final.number))
		   : pmodule_text(bt, "%s %s%s",
			 crash_signal_name(&c, c.final.number),
			 sender_text(&c, &c.final),
			 own ? ": no access failed" : ""));
	if (passed)
		note_signal(&c, &r, &first);
	note_signal(&c, &r, &c.final);
	report_token(&r, "signal.external");
	report_publish(&r);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("sent", load, NULL, NULL)
