/* SPDX-License-Identifier: MIT */
/*
 * Processes that ended themselves with abort(). Two witnesses say why: the
 * text that glibc keeps of its last words (__abort_msg, exported, so no
 * symbols are needed), and the functions on the stack. The text names a
 * symptom; for the heap that is often not the bug, so heap texts only become
 * evidence here.
 */
#include <signal.h>
#include <string.h>

#include "common/blame.h"
#include "common/crash.h"
#include "common/exception.h"
#include "common/guard.h"
#include "common/message.h"
#include "common/panic.h"

enum { FRAMES_MAX = 48 };

/* The first frame of the faulting thread whose name begins so. */
static ptrace_frame_t *
frame_named(const struct crash *c, const char *const *names)
{
	uint32_t n = ptrace_thread_n_frames(c->thread);

	for (uint32_t i = 0; i < n && i < FRAMES_MAX; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);
		const char *symbol = f != NULL ? ptrace_frame_symbol(f) : "";

		for (const char *const *name = names; *name != NULL; name++)
			if (strncmp(symbol, *name, strlen(*name)) == 0)
				return f;
	}
	return NULL;
}

#define FRAME_NAMED(C, ...)                                                    \
	frame_named(C, (const char *const[]){__VA_ARGS__, NULL})

static bool
says(const char *message, const char *what)
{

	return message != NULL && strstr(message, what) != NULL;
}

/* ---- what each kind looks like ---- */

static bool
judge_smash(const struct crash *c, const char *message)
{
	struct report r;
	ptrace_frame_t *f = FRAME_NAMED(
	    c, "__stack_chk_fail", "__GI___stack_chk_fail");

	if (!says(message, "stack smashing detected") && f == NULL)
		return false;
	r = report_of(c, "stack-smash", 0.97,
	    "stack smashing: a local array was written past its end, over the "
	    "guard word of its function");
	if (r.frame != NULL && ptrace_frame_symbol(r.frame)[0] != '\0')
		r.text = pmodule_text(c->bt,
		    "stack smashing: a local array of %s was written past its "
		    "end",
		    ptrace_frame_symbol(r.frame));
	report_note(&r, message);
	guard_note(&r);
	report_token(&r, "stack.smash");
	report_publish(&r);
	return true;
}

static bool
judge_fortify(const struct crash *c, const char *message)
{
	static const char *const formats[] = {
	    "%n in writable segment", "invalid %N$ use"};
	static const char *const overflows[] = {"buffer overflow detected",
	    "longjmp causes uninitialized stack frame",
	    "bit out of range 0 - FD_SETSIZE"};
	struct report r;
	bool format = false, overflow = false;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		format = format || says(message, formats[i]);
	for (size_t i = 0; i < sizeof(overflows) / sizeof(*overflows); i++)
		overflow = overflow || says(message, overflows[i]);
	if (!format && !overflow && message == NULL)
		overflow = FRAME_NAMED(c, "__chk_fail", "__fortify_fail") !=
		    NULL;
	if (!format && !overflow)
		return false;
	r = report_of(c, format ? "fortify-format" : "fortify-overflow", 0.97,
	    format ? "a checked printf refused its format string"
		   : "a checked library call would have overflowed its "
		     "destination");
	report_note(&r, message);
	report_token(&r, "fortify");
	if (format)
		report_token(&r, "fortify.format");
	report_publish(&r);
	return true;
}

static bool
judge_assert(const struct crash *c, const char *message)
{
	bool text = says(message, "Assertion `") && says(message, "' failed");
	struct report r;

	/* glibc's own assertions judge its heap and locks. */
	if (says(message, "malloc.c:") || says(message, "Fatal glibc error"))
		return false;
	if (!text &&
	    FRAME_NAMED(c, "__assert_fail", "__assert_perror_fail") == NULL)
		return false;
	r = report_of(c, "assert", 0.97,
	    text ? pmodule_text(c->bt, "assertion failed: %s", message)
		 : "an assertion failed");
	if (!text)
		report_note(&r, message);
	report_token(&r, "assert");
	report_publish(&r);
	return true;
}

static bool
judge_pure_virtual(const struct crash *c)
{
	struct report r;

	if (FRAME_NAMED(c, "__cxa_pure_virtual", "__cxa_deleted_virtual") ==
	    NULL)
		return false;
	r = report_of(c, "pure-virtual", 0.97,
	    "a pure virtual function was called: the object is being built or "
	    "destroyed, or is already gone");
	report_token(&r, "pure-virtual");
	report_publish(&r);
	return true;
}

static bool
judge_library_check(const struct crash *c)
{
	struct report r;

	if (FRAME_NAMED(c, "std::__glibcxx_assert_fail",
		"std::__replacement_assert", "__gnu_debug::_Error_formatter",
		"std::__libcpp_verbose_abort",
		"std::__1::__libcpp_verbose_abort") == NULL)
		return false;
	r = report_of(c, "lib-check", 0.95,
	    "a check of the C++ library failed (an index out of range, a "
	    "dereferenced empty pointer or iterator)");
	report_token(&r, "lib.check");
	report_publish(&r);
	return true;
}

static bool
judge_exception(const struct crash *c)
{
	struct exception e = {0};
	bool found;
	ptrace_frame_t *f = FRAME_NAMED(c, "std::terminate",
	    "__cxxabiv1::__terminate", "__cxa_throw", "__cxa_rethrow",
	    "__gnu_cxx::__verbose_terminate_handler", "__cxa_call_terminate");
	struct report r;

	if (f == NULL)
		return false;
	found = exception_find(c->thread, &e);
	if (found)
		r = report_of(c, "uncaught-exception", 0.97,
		    pmodule_text(c->bt, "uncaught C++ exception %s%s%s%s",
			e.type != NULL ? e.type : "of an unknown type",
			e.what != NULL ? ": \"" : "",
			e.what != NULL ? e.what : "",
			e.what != NULL ? "\"" : ""));
	else
		r = report_of(c, "uncaught-exception", 0.85,
		    FRAME_NAMED(c, "std::thread::~thread",
			"std::thread::operator=") != NULL
			? "std::terminate: a std::thread was destroyed while "
			  "it was joinable"
			: "std::terminate was called without an exception: a "
			  "joinable thread destroyed, or a noexcept broken");
	if (found)
		report_note(&r,
		    pmodule_text(c->bt, "the exception object is at 0x%" PRIx64,
			e.object));
	report_token(&r, "exception");
	report_publish(&r);
	return true;
}

static bool
judge_panic(const struct crash *c)
{
	struct panic panic;
	struct report r;

	if (panic_find(c->thread, &panic) == false)
		return false;
	r = report_of(c, "abort", 0.9,
	    panic.message != NULL
		? pmodule_text(c->bt, "%s: %s", panic.what, panic.message)
		: panic.what);
	if (panic.location != NULL)
		report_note(
		    &r, pmodule_text(c->bt, "panicked at %s", panic.location));
	if (panic.message != NULL)
		pmodule_kv_add_string(c->bt, "panic.message", panic.message);
	report_token(&r, "stop");
	report_publish(&r);
	return true;
}

/* The thread was elsewhere when the signal came: in a call that sends none (and
 * does not let one in that abort() had kept out). Numbers of x86-64:
 * asm/unistd_64.h. */
static bool
is_from_another_thread(const struct crash *c)
{
	enum { SIGPROCMASK = 14, KILL = 62, TKILL = 200, TGKILL = 234 };
	ptrace_syscall_t call = PTRACE_SYSCALL_INIT;

	return c->final.has_sender && ptrace_thread_syscall(c->thread, &call) &&
	    call.number != SIGPROCMASK && call.number != KILL &&
	    call.number != TKILL && call.number != TGKILL;
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;
	struct report r;
	const char *message;

	if (crash_resolve(bt, &c) == false || c.final.number != SIGABRT ||
	    c.context == NULL)
		return;
	/* Somebody else sent it, or a timer. */
	if (c.final.has_sender
		? c.final.sender_pid != ptrace_target_pid(c.target)
		: c.final.has_info)
		return;
	message = message_of_abort(bt);
	if (message != NULL)
		pmodule_kv_add_string(bt, "abort.message", message);
	/* A crash handler's abort(): the fault is what matters. */
	if (c.handled)
		return;
	if (judge_smash(&c, message) || judge_fortify(&c, message) ||
	    judge_assert(&c, message) || judge_pure_virtual(&c) ||
	    judge_library_check(&c) || judge_exception(&c) || judge_panic(&c))
		return;
	r = report_of(&c, "abort", 0.5,
	    message != NULL
		? pmodule_text(bt, "the process aborted: %s", message)
		: is_from_another_thread(&c)
		? "another thread of the process sent SIGABRT to this one "
		  "(pthread_kill, tgkill), which had not called abort()"
		: "the process aborted itself");
	report_token(&r, "stop");
	report_publish(&r);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("abort", load, NULL, NULL)
