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

enum { FRAMES_MAX = 48, CALLERS_MAX = 12 };

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

/* GLib keeps the text of a failed g_assert() for debuggers, as glibc does. */
static const char *
message_of_glib(const struct crash *c)
{
	bt_addr_t variable;
	uint64_t text;

	if (!ptrace_target_symbol_named(
		c->target, NULL, "__glib_assert_msg", &variable, NULL) ||
	    !ptrace_target_read(
		c->target, variable, &text, sizeof(text), NULL) ||
	    text == 0)
		return NULL;
	return message_at(c->bt, text);
}

static bool
judge_glib_assert(const struct crash *c)
{
	const char *message;
	struct report r;

	if (FRAME_NAMED(c, "g_assertion_message") == NULL)
		return false;
	message = message_of_glib(c);
	r = report_of(c, "assert", 0.97,
	    message != NULL
		? pmodule_text(c->bt, "assertion failed: %s", message)
		: "an assertion failed");
	report_token(&r, "assert");
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

/* Does one of the first frames call it through the linkage table? The end of a
 * function that does not return may lie in another place than the function, and
 * has no name there. */
static bool
calls(const struct crash *c, const char *function)
{
	for (uint32_t i = 0; i < CALLERS_MAX; i++) {
		ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);
		const char *name;

		if (f == NULL)
			return false;
		if (!ptrace_target_call_before(
			c->target, ptrace_frame_ip(f), &call))
			continue;
		name = ptrace_target_call_name(c->target, &call);
		if (name != NULL && strcmp(name, function) == 0)
			return true;
	}
	return false;
}

static bool
judge_library_check(const struct crash *c)
{
	struct report r;

	if (!calls(c, "_ZNK11__gnu_debug16_Error_formatter8_M_errorEv") &&
	    FRAME_NAMED(c, "std::__glibcxx_assert_fail",
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

/* What std::terminate was called for when it was not for an exception. */
static const char *
terminate_text(const struct crash *c)
{

	if (FRAME_NAMED(c, "std::thread::~thread", "std::thread::operator=") !=
	    NULL)
		return "std::terminate: a std::thread was destroyed while it "
		       "was joinable";
	if (FRAME_NAMED(c, "__cxa_rethrow") != NULL)
		return "std::terminate: \"throw;\" where no exception is "
		       "handled";
	if (FRAME_NAMED(c, "_Unwind_ForcedUnwind") != NULL)
		return "std::terminate: a thread was cancelled, or ended by "
		       "pthread_exit, inside of a function that is noexcept";
	if (FRAME_NAMED(c, "__cxa_throw", "__cxa_call_terminate",
		"__clang_call_terminate", "std::rethrow_exception") != NULL)
		return "uncaught C++ exception, which cannot be found";
	return "std::terminate was called, and not for an exception: by the "
	       "program itself, or for a std::thread that was destroyed while "
	       "it was joinable";
}

static const char *
exception_text(const struct crash *c, const struct exception *e)
{

	return pmodule_text(c->bt, "%s%s%s%s",
	    e->type != NULL ? e->type : "of an unknown type",
	    e->what != NULL ? ": \"" : "", e->what != NULL ? e->what : "",
	    e->what != NULL ? "\"" : "");
}

static void
publish_uncaught(const struct crash *c, const struct exception *e)
{
	struct report r = report_of(c, "uncaught-exception", 0.97,
	    pmodule_text(
		c->bt, "uncaught C++ exception %s", exception_text(c, e)));

	report_note(&r,
	    pmodule_text(
		c->bt, "the exception object is at 0x%" PRIx64, e->object));
	report_token(&r, "exception");
	report_publish(&r);
}

static void
publish_terminate(const struct crash *c, const struct exception *handled)
{
	struct report r = report_of(
	    c, "uncaught-exception", 0.85, terminate_text(c));

	if (handled != NULL)
		report_note(&r,
		    pmodule_text(c->bt,
			"meanwhile the program handled the C++ exception %s, "
			"which it had caught",
			exception_text(c, handled)));
	report_token(&r, "exception");
	report_publish(&r);
}

/* Is it the run time that ends the process for an exception? Its functions are
 * known by their names, or at least by their library. An exception that the
 * program caught is still there, but when the program itself gives up later, or
 * destroys what it must not, that was not the reason. */
static bool
is_for_exception(const struct crash *c)
{
	ptrace_frame_t *f = FRAME_NAMED(c, "std::terminate"), *caller;
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	const char *name;

	if (FRAME_NAMED(c, "__cxa_throw", "__cxa_rethrow",
		"__cxa_call_terminate", "__gxx_personality_v0",
		"std::rethrow_exception", "__clang_call_terminate") != NULL)
		return true;
	caller = f != NULL
	    ? ptrace_thread_frame(c->thread, ptrace_frame_index(f) + 1)
	    : NULL;
	if (caller == NULL)
		return true;
	if (blame_object_is(ptrace_frame_object(caller), "libstdc++") ||
	    blame_object_is(ptrace_frame_object(caller), "libc++abi"))
		return true;
	/* Caught for that alone: noexcept, as clang makes it. */
	if (!ptrace_target_call_before(
		c->target, ptrace_frame_ip(caller), &call) ||
	    !ptrace_target_call_before(c->target, call.address, &call))
		return false;
	name = ptrace_target_call_name(c->target, &call);
	return name != NULL && strcmp(name, "__cxa_begin_catch") == 0;
}

static bool
judge_exception(const struct crash *c)
{
	struct exception e = {0};
	bool found;

	if (FRAME_NAMED(c, "std::terminate", "__cxxabiv1::__terminate",
		"__cxa_throw", "__cxa_rethrow",
		"__gnu_cxx::__verbose_terminate_handler",
		"__cxa_call_terminate") == NULL)
		return false;
	found = exception_find(c->thread, &e);
	if (found && is_for_exception(c))
		publish_uncaught(c, &e);
	else
		publish_terminate(c, found ? &e : NULL);
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

/* libgcc's arithmetic that checks ends by abort(). */
static const char *
overflow_text(const struct crash *c)
{

	if (FRAME_NAMED(c, "__addvsi3", "__addvdi3", "__addvti3", "__subvsi3",
		"__subvdi3", "__subvti3", "__mulvsi3", "__mulvdi3", "__mulvti3",
		"__negvsi2", "__negvdi2", "__absvsi2", "__absvdi2") == NULL)
		return NULL;
	return "a signed integer overflowed, where the compiler was told to "
	       "check that (-ftrapv)";
}

static const char *
abort_text(const struct crash *c, const char *message)
{
	const char *overflow = overflow_text(c);

	if (message != NULL)
		return pmodule_text(c->bt, "the process aborted: %s", message);
	if (overflow != NULL)
		return overflow;
	if (is_from_another_thread(c))
		return "another thread of the process sent SIGABRT to this one "
		       "(pthread_kill, tgkill), which had not called abort()";
	return "the process aborted itself";
}

/* Where functions have no names, it may be the reason as well. */
static void
note_caught(const struct crash *c, struct report *r)
{
	struct exception e = {0};

	if (exception_find(c->thread, &e))
		report_note(r,
		    pmodule_text(c->bt,
			"the C++ exception %s is not done with: its handler "
			"runs, or it has none",
			exception_text(c, &e)));
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;
	struct report r;
	const char *message;

	if (crash_resolve(bt, &c) == false || c.context == NULL)
		return;
	if (crash_is_check(&c)) {
		(void)judge_smash(&c, NULL);
		return;
	}
	if (c.final.number != SIGABRT)
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
	    judge_assert(&c, message) || judge_glib_assert(&c) ||
	    judge_pure_virtual(&c) || judge_library_check(&c) ||
	    judge_exception(&c) || judge_panic(&c))
		return;
	r = report_of(&c, "abort", 0.5, abort_text(&c, message));
	note_caught(&c, &r);
	report_token(&r, "stop");
	report_publish(&r);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("abort", load, NULL, NULL)
