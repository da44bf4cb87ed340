/* SPDX-License-Identifier: MIT */
/*
 * The last words of programs in Rust and Go.
 */
#ifndef MODULES_PANIC_H
#define MODULES_PANIC_H

#include <ptrace/pmodule.h>

struct panic {
	const char *what;     /* "the program panicked", "fatal error of the Go
			       * run-time" */
	const char *message;  /* NULL: unknown */
	const char *location; /* "src/main.rs:7:38"; NULL: unknown */
};

/* The thread's frames show that it panicked. */
bool panic_find(ptrace_thread_t *thread, struct panic *out);

/* The single languages: text and location as far as they can be told. first is
 * the innermost frame of the machinery. */
void panic_of_rust(
    ptrace_thread_t *thread, const ptrace_frame_t *first, struct panic *out);
void panic_of_go(ptrace_thread_t *thread, struct panic *out);

/* Text of foreign memory: size bytes, cut where it becomes too long. NULL: not
 * readable, or not text. */
const char *panic_text(ptrace_backtrace_t *bt, bt_addr_t at, uint64_t size);

#endif /* MODULES_PANIC_H */
