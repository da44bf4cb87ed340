/* SPDX-License-Identifier: MIT */
/*
 * Stack guards that were overwritten.
 */
#ifndef MODULES_GUARD_H
#define MODULES_GUARD_H

#include "crash.h"

struct guard_damage {
	ptrace_frame_t *frame;
	ptrace_guard_t guard;
};

/* The innermost frame of a thread whose guard is damaged. False: there is
 * none. */
bool guard_damaged(ptrace_thread_t *thread, struct guard_damage *out);
/* The local array that lies just below the guard: "buf"; NULL: unknown. */
const char *guard_array(ptrace_frame_t *f, bt_addr_t guard);

/* Adds what is known of the guard of the report's frame. */
void guard_note(struct report *r);

#endif /* MODULES_GUARD_H */
