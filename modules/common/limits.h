/* SPDX-License-Identifier: MIT */
/*
 * What a process ran out of.
 */
#ifndef MODULES_LIMITS_H
#define MODULES_LIMITS_H

#include "crash.h"

/* The thread's errno. False: it cannot be found. */
bool limits_errno(ptrace_thread_t *thread, int *out);
/* A library function gave back what says that it failed (null, or -1 as mmap
 * does): adds why, when errno tells of something that has run out. name NULL:
 * mmap, or another that gives -1. */
void limits_note(const struct crash *c, const char *name, struct report *r);

#endif /* MODULES_LIMITS_H */
