/* SPDX-License-Identifier: MIT */
/*
 * ptrace --module-check: a module is loaded without a target, and what it
 * registers and what is wrong with it is printed. It is loaded in a worker, as
 * it would be for a snapshot: it may crash or loop.
 */
#ifndef SESSION_CHECK_H
#define SESSION_CHECK_H

#include "session/supervisor.h"

struct supervisor_check {
	const char *path;
	bool json;
	int fd; /* where to write */
};

/* *sound: there are no mistakes. */
bool supervisor_check(const struct session_options *options,
    const struct supervisor_check *check,
    const struct supervisor_console *console, bool *sound, bt_error_t *e);

#endif /* SESSION_CHECK_H */
