/* SPDX-License-Identifier: MIT */
/*
 * The C++ exception that a thread had in flight.
 */
#ifndef MODULES_EXCEPTION_H
#define MODULES_EXCEPTION_H

#include <ptrace/pmodule.h>

struct exception {
	const char *type; /* "std::runtime_error"; NULL: unknown */
	const char *what; /* its text; NULL: none */
	bt_addr_t object;
};

/* False: none, or it cannot be found. */
bool exception_find(ptrace_thread_t *thread, struct exception *out);

#endif /* MODULES_EXCEPTION_H */
