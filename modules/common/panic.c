/* SPDX-License-Identifier: MIT */
/*
 * Panics are known by the functions that carry them out; both run-times keep
 * these names because their own tools look for them.
 */
#include <string.h>

#include "panic.h"

enum { FRAMES_MAX = 64, TEXT_MAX = 1024 };

const char *
panic_text(ptrace_backtrace_t *bt, bt_addr_t at, uint64_t size)
{
	char text[TEXT_MAX + 1];
	size_t n = size < TEXT_MAX ? (size_t)size : TEXT_MAX;

	if (n == 0 ||
	    !ptrace_target_read(ptrace_backtrace_target(bt), at, text, n, NULL))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') ||
		    c == 0x7f)
			return NULL;
	}
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return n > 0
	    ? pmodule_text(bt, "%s%s", text, size > TEXT_MAX ? "..." : "")
	    : NULL;
}

static bool
begins(const char *symbol, const char *const *names, size_t n)
{

	for (size_t i = 0; i < n; i++)
		if (strncmp(symbol, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

bool
panic_find(ptrace_thread_t *thread, struct panic *out)
{
	/* Not all of std::panicking: every main runs below its try. */
	static const char *const rust[] = {"rust_panic",
	    "core::panicking::", "std::panicking::begin_panic",
	    "std::panicking::rust_panic", "std::panicking::panic_",
	    "std::panicking::default_hook", "rust_begin_unwind",
	    "__rust_start_panic"};
	static const char *const rust_memory[] = {"std::alloc::rust_oom",
	    "__rust_alloc_error_handler", "__rustc::__rust_alloc_error_handler",
	    "alloc::alloc::handle_alloc_error"};
	static const char *const go[] = {
	    "runtime.fatalpanic", "runtime.gopanic"};
	static const char *const go_throw[] = {
	    "runtime.throw", "runtime.fatalthrow", "runtime.fatal"};
	uint32_t n = ptrace_thread_n_frames(thread);

	for (uint32_t i = 0; i < n && i < FRAMES_MAX; i++) {
		const ptrace_frame_t *f = ptrace_thread_frame(thread, i);
		const char *symbol = f != NULL ? ptrace_frame_symbol(f) : "";

		*out = (struct panic){.what = "the program panicked"};
		if (begins(symbol, rust, sizeof(rust) / sizeof(*rust))) {
			panic_of_rust(thread, f, out);
			return true;
		}
		if (begins(symbol, rust_memory,
			sizeof(rust_memory) / sizeof(*rust_memory))) {
			out->what = "the program could not get the memory that "
				    "it asked for";
			return true;
		}
		if (begins(symbol, go, sizeof(go) / sizeof(*go))) {
			panic_of_go(thread, out);
			return true;
		}
		if (begins(symbol, go_throw,
			sizeof(go_throw) / sizeof(*go_throw))) {
			out->what = "the Go run-time gave up";
			panic_of_go(thread, out);
			return true;
		}
	}
	return false;
}
