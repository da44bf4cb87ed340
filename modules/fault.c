/* SPDX-License-Identifier: MIT */
/*
 * The facts of the fault, before any judgement: which access failed, in which
 * frame, and which crash handler caught it. The modules behind this one say
 * why. Tokens: the signal's own, memory.read, memory.write, memory.execute,
 * handler.
 */
#include <signal.h>
#include <stdio.h>

#include "common/crash.h"

static const char *
signal_token(int number)
{

	switch (number) {
	case SIGSEGV:
		return "segv";
	case SIGBUS:
		return "bus";
	case SIGILL:
		return "ill";
	case SIGTRAP:
		return "trap";
	case SIGFPE:
		return "fpe";
	case SIGABRT:
		return "abort";
	case SIGSYS:
		return "sys";
	default:
		return NULL;
	}
}

static void
set_fault(const struct crash *c)
{
	pmodule_fault_t fault = PMODULE_FAULT_INIT;

	fault.frame = c->frame != NULL ? ptrace_frame_index(c->frame) : 0;
	fault.direction = c->direction;
	fault.has_address = c->has_address;
	fault.address = c->address;
	if (c->kind == CRASH_SENT)
		return;
	/* After a breakpoint or a system call the pc is behind it. */
	if (c->has_instruction && c->kind != CRASH_EXECUTE &&
	    c->signal.number != SIGTRAP && c->signal.number != SIGSYS)
		fault.instruction = c->instruction.text;
	if (c->operand != NULL)
		fault.operand = c->operand->text;
	if (c->direction != NULL || c->has_address || fault.instruction != NULL)
		pmodule_fault_set(c->thread, &fault);
}

/* What the process ended by; "" when it is still in the handler of the fault (a
 * running process; a core that says the same loses nothing). */
static const char *
end_text(const struct crash *c)
{
	const ptrace_signal_t *a = &c->final, *b = &c->signal;

	if (c->trap.handler_live && a->number == b->number &&
	    a->code == b->code && a->address == b->address)
		return "";
	return pmodule_text(c->bt, "; the process ended by %s",
	    crash_signal_name(c, a->number));
}

/* The kernel saved the original fault for a handler. */
static void
tell_handler(const struct crash *c)
{
	bt_addr_t start;
	const char *name = c->trap.handler != 0
	    ? ptrace_target_symbol(c->target, c->trap.handler, &start)
	    : NULL;

	pmodule_classifier_add(c->bt, "handler");
	pmodule_backtrace_annotate(c->bt, PAT_WARNING,
	    "the original fault (%s%s) at pc 0x%" PRIx64 " was caught by %s%s, "
	    "which %s%s",
	    c->direction != NULL ? c->direction
				 : crash_signal_name(c, c->signal.number),
	    c->has_address ? pmodule_text(c->bt, " at 0x%" PRIx64, c->address)
			   : "",
	    c->pc, name != NULL ? "" : "a signal handler",
	    name != NULL ? name : "",
	    c->trap.handler_live ? "did not return" : "had returned",
	    end_text(c));
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;
	const char *token;
	char access[32];

	if (crash_resolve(bt, &c) == false)
		return;
	token = signal_token(c.final.number);
	if (token != NULL)
		pmodule_classifier_add(bt, token);
	if (c.context == NULL)
		return;
	set_fault(&c);
	if (c.handled)
		tell_handler(&c);
	if (c.direction != NULL) {
		(void)snprintf(
		    access, sizeof(access), "memory.%s", c.direction);
		pmodule_classifier_add(bt, access);
	}
	if (c.has_address)
		pmodule_kv_add_address(bt, "fault.address", c.address);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("fault", load, NULL, NULL)
