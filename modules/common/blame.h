/* SPDX-License-Identifier: MIT */
/*
 * The frame to blame: the first that is not machinery. A crash inside memcpy,
 * free, operator new or abort was caused by whoever called it.
 */
#ifndef MODULES_BLAME_H
#define MODULES_BLAME_H

#include <ptrace/pmodule.h>

/* From `start` (NULL: the innermost frame) outwards. When all frames are
 * machinery, `start` itself; NULL without frames. */
ptrace_frame_t *blame_frame(ptrace_thread_t *thread, ptrace_frame_t *start);
/* The frame belongs to the C or C++ library, an allocator, the loader, or is
 * part of how a process dies. */
bool blame_is_machinery(const ptrace_frame_t *f);
/* The object file's name is that of a library: "libc.so.6", "libc-2.31.so". */
bool blame_object_is(const char *object, const char *name);

#endif /* MODULES_BLAME_H */
