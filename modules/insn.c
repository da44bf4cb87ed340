/* SPDX-License-Identifier: MIT */
/*
 * SIGILL, SIGTRAP, SIGSYS: instructions that do not run. ud2 and its like are
 * there on purpose (__builtin_trap, unreachable code, UBSan); other illegal
 * ones are jumps into the middle of code or features that the processor lacks.
 */
#include <signal.h>
#include <stdio.h>

#include "common/blame.h"
#include "common/crash.h"
#include "common/message.h"

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

static const char *
bytes_text(const struct crash *c)
{
	uint8_t code[8];
	size_t n = ptrace_target_read_some(
	    c->target, c->pc, code, sizeof(code));
	char text[32] = "";

	for (size_t i = 0; i < n; i++)
		(void)snprintf(
		    text + i * 3, sizeof(text) - i * 3, "%02x ", code[i]);
	return n > 0 ? pmodule_text(c->bt, "code at the pc: %s", text) : NULL;
}

static void
judge_illegal(const struct crash *c)
{
	struct report r;

	if (c->has_instruction &&
	    c->instruction.kind == PTRACE_KIND_UNDEFINED) {
		r = report_of(c, "trap", 0.93,
		    pmodule_text(c->bt,
			"\"%s\": the compiler put a trap here (a call of "
			"__builtin_trap, an undefined case, the end of a "
			"function that must not return)",
			c->instruction.text));
		report_token(&r, "trap");
	} else if (c->has_instruction) {
		r = report_of(c, "illegal-insn", 0.85,
		    pmodule_text(c->bt,
			"the processor refused \"%s\": a feature that it "
			"lacks, or a jump into the middle of an instruction",
			c->instruction.text));
		report_token(&r, "ill");
	} else {
		r = report_of(c, "illegal-insn", 0.9,
		    pmodule_text(c->bt,
			"the bytes at 0x%" PRIx64 " are no instruction",
			c->pc));
		report_token(&r, "ill");
	}
	report_note(&r, bytes_text(c));
	report_publish(&r);
}

static void
judge_trap(const struct crash *c)
{
	bool breakpoint = c->has_instruction &&
	    c->instruction.kind == PTRACE_KIND_BREAKPOINT;
	/* Nobody else has breakpoints in its code. */
	bool glib = breakpoint && c->frame != NULL &&
	    blame_object_is(ptrace_frame_object(c->frame), "libglib");
	struct report r = report_of(c, "trap", breakpoint ? 0.93 : 0.8,
	    glib ? "GLib ended the process at a message that was fatal "
		   "(g_error(), or one of those that G_DEBUG makes fatal)"
		: breakpoint
		? "breakpoint instruction (int3) without a debugger"
		: "trap without a debugger");

	report_token(&r, "trap");
	report_publish(&r);
}

static void
report_call(const struct crash *c, bool known, uint64_t number)
{
	struct report r = report_of(c, "seccomp-violation", 0.95,
	    known ? pmodule_text(c->bt,
			"system call %" PRIu64
			" is forbidden by a seccomp filter",
			number)
		  : "a seccomp filter forbade a system call");

	if (c->kind == CRASH_SENT)
		report_note(&r,
		    pmodule_text(c->bt,
			"a handler caught SIGSYS and ended the process by %s",
			crash_signal_name(c, c->final.number)));
	report_token(&r, "seccomp");
	report_publish(&r);
}

static void
judge_system_call(const struct crash *c)
{
	ptrace_syscall_t call = PTRACE_SYSCALL_INIT;
	uint64_t number = 0;
	/* After a refused call its number is still in the register that the
	 * kernel takes it from. */
	bool known = ptrace_thread_syscall(c->thread, &call);

	if (known)
		number = (uint64_t)call.number;
	else
		known = ptrace_context_register(c->context, 0, &number);
	report_call(c, known, number);
}

/* What the outermost signal interrupted: there the call was refused. */
static bool
refused_call(const struct crash *c, uint64_t *number)
{
	for (uint32_t i = ptrace_thread_n_frames(c->thread); i-- > 1;) {
		ptrace_frame_t *inner = ptrace_thread_frame(c->thread, i - 1);
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);

		if (inner != NULL && f != NULL && ptrace_frame_signal(inner))
			return ptrace_frame_register(f, 0, number);
	}
	/* The handler has returned. */
	return ptrace_context_register(c->context, 0, number);
}

/* The process gave up in (or right behind) a handler of SIGSYS. Sandboxes do
 * calls elsewhere in such handlers, but those go on; what had something to say
 * about the end had another reason. */
static void
judge_caught_call(const struct crash *c)
{
	ptrace_signal_t first = PTRACE_SIGNAL_INIT;
	uint64_t number = 0;
	bool known;

	if (c->context == NULL || c->final.code != SI_TKILL ||
	    c->final.sender_pid != ptrace_target_pid(c->target) ||
	    !ptrace_thread_handled_signal(c->thread, &first) ||
	    first.number != SIGSYS || first.code != SYS_SECCOMP ||
	    message_of_abort(c->bt) != NULL)
		return;
	known = refused_call(c, &number);
	report_call(c, known, number);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;

	if (crash_resolve(bt, &c) == false)
		return;
	if (c.kind == CRASH_SENT) {
		judge_caught_call(&c);
		return;
	}
	/* Jumps to data decode to nonsense: they are not illegal instructions.
	 * A mapping without code at the pc is the module of jumps'. */
	if (c.signal.number == SIGILL)
		judge_illegal(&c);
	else if (c.signal.number == SIGTRAP && c.signal.has_info)
		judge_trap(&c);
	else if (c.signal.number == SIGSYS && c.signal.has_info &&
	    c.signal.code == SYS_SECCOMP)
		judge_system_call(&c);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("insn", load, NULL, NULL)
