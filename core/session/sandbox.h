/* SPDX-License-Identifier: MIT */
/*
 * The walls around a worker, raised when its modules are loaded and before it
 * reads a foreign byte: no descriptors but those it needs, an identity with no
 * rights, no capabilities, and a filter that refuses the system calls that
 * reading memory and writing to a pipe do not need (above all to open files, to
 * make connections, to start programs, and to touch other processes).
 *
 * What the kernel cannot do is told and done without: a wall less is no reason
 * to have no snapshot. See docs/security.md.
 */
#ifndef SESSION_SANDBOX_H
#define SESSION_SANDBOX_H

#include "session/broker.h"

enum { SANDBOX_MISSING_MAX = 4 };

struct sandbox {
	uint32_t uid, gid; /* to become; 0: stay who we are */
	bool unfiltered;
	bool loading;		      /* the first filter is there */
	struct broker_client *broker; /* its descriptor stays open */
	int more_fd; /* another one to be told something by; -1: none */

	/* What could not be had, one line each. */
	char missing[SANDBOX_MISSING_MAX][160];
	size_t n_missing;
};

/* Who a worker of ours is to be, when we are root: `wanted`, or the system user
 * "inquest", or the one that owns nothing. Both 0 when we are not root. */
void sandbox_identity(uint32_t wanted, uint32_t *uid, uint32_t *gid);

/* Closes all descriptors but 0, 1, 2 and these, which are sorted. Before
 * modules are loaded: those that they open are their own business. */
void sandbox_close_others(int *keep, size_t n_keep);
/* For a module that is not trusted: before the dynamic linker runs its code. It
 * can open files to read them, which the linker does, and make code of them;
 * else nothing that it could not do after sandbox_enter, which follows. */
void sandbox_enter_loading(struct sandbox *s);
/* In the worker, once. Ends the process if its supervisor has ended. */
void sandbox_enter(struct sandbox *s);

/* filter.c. Installs it: socket is for talking, more (-1: none) for listening.
 * *listener: who reads it is told of refused calls, -1
 * when the kernel cannot tell. False with errno: there is no filter. */
bool sandbox_filter(int socket, int more, int *listener);
/* That of sandbox_enter_loading, and what makes it that of sandbox_enter but
 * for this: nobody is told of the files that it refuses to open for reading. */
bool sandbox_filter_loading(int socket, int *listener);
bool sandbox_filter_loaded(void);

#endif /* SESSION_SANDBOX_H */
