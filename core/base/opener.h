/* SPDX-License-Identifier: MIT */
/*
 * The one way by which a file that somebody else chose is opened: a core, an
 * executable, a module named in the core, a debug file. Opens O_RDONLY |
 * O_CLOEXEC | O_NONBLOCK | O_NOCTTY, insists on a regular file (a FIFO named
 * in a core must not hang us), caps the size, and resolves foreign paths below
 * the sysroot when one is set (openat2 RESOLVE_IN_ROOT). In the sandbox the
 * same calls are requests to a process that may open files (session/broker.h).
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
	/* "DIR//REST": a file or directory below DIR, which the user has
	 * given; no link on the way is followed. REST "." is DIR itself. */
	OPENER_ATTACHED,
	/* Of the live process that is examined (opener_local_process). */
	OPENER_ROOT,	/* named by it: below its root directory */
	OPENER_MAPPED,	/* what it has mapped at START-END, in hexadecimal */
	OPENER_PROGRAM, /* what it runs, whatever the path */
	OPENER_THREAD,	/* /proc/PID/task/TID/status, of that number */
	OPENER__COUNT
};

enum { OPENER_DIGEST_MAX = 4096 };

struct opener {
	/* Returns an fd the caller owns, or -1 with *e set: BT_E_NOTFOUND,
	 * BT_E_PERMISSION, BT_E_FORMAT (not a regular file), BT_E_LIMIT. */
	int (*open)(struct opener *o, enum opener_kind kind, const char *path,
	    bt_error_t *e);
	/* The file with that build-id from the user's debuginfod server, and
	 * its name (malloc'd): as open. NULL: somebody else's business. */
	int (*fetch)(struct opener *o, bool executable, const uint8_t *id,
	    size_t id_size, char **name, bt_error_t *e);
	/* A descriptor of a copy of the file that was opened by this kind and
	 * path and has this build-id (hexadecimal), with its sections inflated
	 * (image/copy.h), or -1. NULL: there are none. */
	int (*inflated)(struct opener *o, enum opener_kind kind,
	    const char *path, const char *id);
	/* The copy that was given is damaged, or another file's: one that can
	 * be used is wanted in its place. There whenever inflated is. */
	void (*spoilt)(struct opener *o, enum opener_kind kind,
	    const char *path, const char *id);
	/* That file will probably be asked for soon: who answers from afar
	 * may begin. NULL: of no use. */
	void (*expect)(
	    struct opener *o, enum opener_kind kind, const char *path);
	/* 16 hex digits that stand for the bytes (at most OPENER_DIGEST_MAX),
	 * by a key of this host. NULL or false: there are none. */
	bool (*digest)(
	    struct opener *o, const void *data, size_t size, char out[17]);
};

/* Directories of a live process, borrowed; -1: not to be had. */
struct opener_process {
	int root_fd; /* its root directory */
	int proc_fd; /* /proc/PID */
	int mm_fd;   /* /proc/PID/task/TID of a thread that lives */
};

struct cache;

struct opener_local {
	struct opener base;
	char *sysroot; /* NULL: "/" */
	int sysroot_fd;
	VEC(char *) debug_dirs; /* see opener_local_debug_dir */
	struct opener_process process;
	uint64_t size_cap[OPENER__COUNT];
	struct cache *cache; /* see opener_local_cache */
};

/* sysroot may be NULL. Copies the string. False when the sysroot cannot be
 * opened. */
bool opener_local_init(
    struct opener_local *o, const char *sysroot, bt_error_t *e);
/* A directory of debug files that the user named (--debug-path): files below
 * it are opened where they are, not below the sysroot. */
bool opener_local_debug_dir(
    struct opener_local *o, const char *dir, bt_error_t *e);
/* Whose files OPENER_ROOT and those behind it are; without it there are
 * none. */
void opener_local_process(
    struct opener_local *o, const struct opener_process *process);
/* Where inflated copies are, borrowed; NULL: nowhere. */
void opener_local_cache(struct opener_local *o, struct cache *cache);
/* The length of DIR in a path of OPENER_ATTACHED; 0: it is none. */
size_t opener_attached_base(const char *path);
void opener_local_deinit(struct opener_local *o);

static inline int
opener_open(
    struct opener *o, enum opener_kind kind, const char *path, bt_error_t *e)
{
	return o->open(o, kind, path, e);
}

static inline void
opener_expect(struct opener *o, enum opener_kind kind, const char *path)
{
	if (o->expect != NULL)
		o->expect(o, kind, path);
}

#endif /* BASE_OPENER_H */
