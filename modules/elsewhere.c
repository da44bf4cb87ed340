/* SPDX-License-Identifier: MIT */
/*
 * A crash handler that leaves the rest to another thread: it wakes one that
 * writes a report and aborts, or it waits until somebody ends the process. The
 * last signal is then not the fault's, nor is the thread; but the one that
 * faulted is still in its handler, with the fault on its stack.
 *
 * Run-times catch faults to do some work, too (write barriers), at memory that
 * is there and protected. So only faults are named at memory that is not there,
 * and only if one thread has one.
 */
#include "common/crash.h"
#include "common/message.h"

enum { THREADS_MAX = 4096 };

static bool
is_in_handler(ptrace_backtrace_t *bt, ptrace_thread_t *thread, struct crash *c)
{

	return crash_resolve_thread(bt, thread, c) && c->handled &&
	    c->trap.handler_live && c->kind == CRASH_PAGE && c->has_address &&
	    c->operand != NULL;
}

/* NULL: none, or more than one. */
static ptrace_thread_t *
find_thread(const struct crash *ended)
{
	uint32_t n = ptrace_backtrace_n_threads(ended->bt);
	ptrace_thread_t *found = NULL;

	for (uint32_t i = 0; i < n && i < THREADS_MAX; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(ended->bt, i);
		struct crash c;

		if (t == ended->thread || !is_in_handler(ended->bt, t, &c))
			continue;
		if (found != NULL)
			return NULL;
		found = t;
	}
	return found;
}

static bool
is_null(const struct crash *c)
{

	return crash_is_null(c->address) ||
	    (c->operand->base_known && !c->operand->segment_relative &&
		crash_is_null(c->operand->base_value));
}

static void
judge(const struct crash *ended, const struct crash *c)
{
	/* Surer than that the process ended itself, or that somebody ended it;
	 * but what had words for its end knows better. */
	const double confidence =
	    ended->final.sender_pid == ptrace_target_pid(c->target) ? 0.88
								    : 0.93;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bool null = is_null(c);
	struct report r;

	if (null == false && ptrace_target_mapping(c->target, c->address, &m))
		return;
	r = report_of(c, null ? "null-deref" : "wild-access", confidence,
	    pmodule_text(c->bt, "%s in thread %u: %s at 0x%" PRIx64 "%s",
		null ? "null pointer dereference" : "bad access",
		ptrace_thread_tid(c->thread), crash_access_text(c), c->address,
		null ? "" : ", which is not mapped"));
	report_note(&r,
	    pmodule_text(c->bt,
		"the thread is in a handler of %s, while thread %u ended the "
		"process by %s",
		crash_signal_name(c, c->signal.number),
		ptrace_thread_tid(ended->thread),
		crash_signal_name(c, c->final.number)));
	report_token(&r, null ? "null" : "wild");
	report_publish(&r);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash ended, fault;
	ptrace_thread_t *thread;

	if (crash_resolve(bt, &ended) == false || ended.kind != CRASH_SENT ||
	    ended.final.has_sender == false || ended.context == NULL)
		return;
	thread = find_thread(&ended);
	if (thread != NULL && message_of_abort(bt) == NULL &&
	    is_in_handler(bt, thread, &fault))
		judge(&ended, &fault);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("elsewhere", load, NULL, NULL)
