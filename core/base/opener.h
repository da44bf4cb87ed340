/* SPDX-License-Identifier: MIT */
/*
 * The one way by which a file that somebody else chose is opened: a core, an
 * executable, a module named in the core, a debug file. Opens O_RDONLY |
 * O_CLOEXEC | O_NONBLOCK | O_NOCTTY, insists on a regular file (a FIFO named
 * in a core must not hang us), caps the size, and resolves foreign paths below
 * the sysroot when one is set (openat2 RESOLVE_IN_ROOT). In-process today; the
 * vtable lets it become a request to the supervisor when the worker's sandbox
 * closes.
 */
#ifndef BASE_OPENER_H
#define BASE_OPENER_H

#include "base/vec.h"

enum opener_kind {
	OPENER_CORE,	 /* given by the user: not below the sysroot */
	OPENER_EXE_USER, /* given by the user: not below the sysroot */
	OPENER_MODULE,	 /* named in the core: below the sysroot */
	OPENER_DEBUG,	 /* debug file below sysroot or a --debug-path */
	OPENER_RESOURCE, /* given by the user */
	OPENER__COUNT
};

struct opener {
	/* Returns an fd the caller owns, or -1 with *e set: BT_E_NOTFOUND,
	 * BT_E_PERMISSION, BT_E_FORMAT (not a regular file), BT_E_LIMIT. */
	int (*open)(struct opener *o, enum opener_kind kind, const char *path,
	    bt_error_t *e);
};

struct opener_local {
	struct opener base;
	char *sysroot; /* NULL: "/" */
	int sysroot_fd;
	VEC(char *) debug_dirs; /* see opener_local_debug_dir */
	uint64_t size_cap[OPENER__COUNT];
};

/* sysroot may be NULL. Copies the string. False when the sysroot cannot be
 * opened. */
bool opener_local_init(
    struct opener_local *o, const char *sysroot, bt_error_t *e);
/* A directory of debug files that the user named (--debug-path): files below
 * it are opened where they are, not below the sysroot. */
bool opener_local_debug_dir(
    struct opener_local *o, const char *dir, bt_error_t *e);
void opener_local_deinit(struct opener_local *o);

static inline int
opener_open(
    struct opener *o, enum opener_kind kind, const char *path, bt_error_t *e)
{
	return o->open(o, kind, path, e);
}

#endif /* BASE_OPENER_H */
