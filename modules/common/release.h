/* SPDX-License-Identifier: MIT */
/*
 * A death inside the allocator: who called it, for what, with which pointer.
 */
#ifndef MODULES_RELEASE_H
#define MODULES_RELEASE_H

#include "crash.h"

struct release {
	ptrace_frame_t *caller; /* the innermost frame outside the allocator */
	const char *function;	/* "free", "operator delete[]"; NULL: unknown */
	bool frees;		/* it takes a pointer: free, realloc, delete */
	bool by_delete;
	bool has_pointer;
	uint64_t pointer;
	bool guessed; /* by a register that looks as if it had it */
	/* What was passed is what this function returned, plus a number: a
	 * block, but not its start. NULL: that is not known. */
	const char *allocated_by;
	int64_t offset;
};

/* message: the allocator's last words, NULL: none. False: the thread is not
 * inside an allocator. */
bool release_find(
    const struct crash *c, const char *message, struct release *out);
/* The name is that of a function of allocators, or begins so. */
bool release_is_function(const char *name);

#endif /* MODULES_RELEASE_H */
