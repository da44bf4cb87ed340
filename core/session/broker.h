/* SPDX-License-Identifier: MIT */
/*
 * Opens files for a worker that may open none. It is a process of its own and
 * not a part of the supervisor: opening can block for ever (a dead server, a
 * file system in user space), downloads take seconds, and whoever watches the
 * deadline must not wait for either.
 *
 * A request is a kind and a path, the answer a descriptor or an error. Requests
 * may be sent ahead of their answers (opener_expect), so that a hundred files
 * do not cost a hundred times two changes of process. A worker
 * that was taken over can ask for anything, so it gets what it could need and
 * nothing else: the files that the user named, by exactly those names, and for
 * names that come out of foreign data only ELF files. Nothing of their content
 * is looked at here beyond those four bytes.
 *
 * The kernel tells the broker of each system call that the sandbox refuses
 * (seccomp_unotify(2)), and it notes them down.
 */
#ifndef SESSION_BROKER_H
#define SESSION_BROKER_H

#include "base/opener.h"
#include "session/refusals.h"
#include "session/session.h"
#include "session/worker.h"

struct broker_options {
	const struct session_options *session;
	const char *snapshot_path; /* to be printed; NULL: none */
	const struct worker_note *note;
	struct refusals *refusals;
};

/* Makes both ends of the conversation. broker->fd is the worker's; the
 * supervisor closes its own (worker_leave) when the worker has one. */
bool broker_connect(struct worker *broker, int *own, bt_error_t *e);
/* Starts the broker at its end, which is closed here in any case. */
bool broker_start(struct worker *broker, int own,
    const struct broker_options *options, bt_error_t *e);

/* In the worker. fd is borrowed; has_copies: there is a cache of them. */
struct broker_client {
	struct opener base;
	int fd;
	struct broker_expected *expected; /* see broker_client.c */
};
void broker_client_init(struct broker_client *c, int fd, bool has_copies);
/* What was expected and not asked for is closed. */
void broker_client_deinit(struct broker_client *c);
/* Hands over the descriptor that tells of refused system calls. */
bool broker_client_listen(struct broker_client *c, int listener);

#endif /* SESSION_BROKER_H */
