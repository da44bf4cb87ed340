/* SPDX-License-Identifier: MIT */
/*
 * A crash comes into the spool: limits, facts, the core, the commit. The same
 * steps for a pipe, a socket and a file.
 */
#ifndef SPOOL_RECEIVE_H
#define SPOOL_RECEIVE_H

#include "service/log.h"
#include "spool/config.h"
#include "spool/copy.h"
#include "spool/facts.h"
#include "spool/spool.h"

struct receive_request {
	struct facts *facts;
	struct copy_source source;
	const struct object_id *id; /* NULL: made from the facts */
	const char *origin;	    /* "pipe", "socket", "file" */
	bool limited;		    /* the rates count */
};

enum receive_result {
	RECEIVE_KEPT,
	RECEIVE_KNOWN,	 /* the spool has or had it */
	RECEIVE_DROPPED, /* a limit says no */
	RECEIVE_FAILED
};

/* Logs what becomes of it. *id is its name when it was kept or is known. */
enum receive_result receive(const struct spool *s, const struct config *c,
    const struct service_log *l, const struct receive_request *r,
    struct object_id *id);

/* The limits alone, before a core is asked for. */
bool receive_is_wanted(const struct spool *s, const struct config *c,
    const struct service_log *l, const struct facts *f, bool limited);

/* A core that lies in a file: what its notes say of the process is in facts.
 * BT_E_FORMAT when it is no core, BT_E_LIMIT when somebody still writes it. The
 * name is made from the file, so that it is taken once. */
enum receive_result receive_file(const struct spool *s, const struct config *c,
    const struct service_log *l, int dir_fd, const char *name,
    struct object_id *id, bt_error_t *e);

#endif /* SPOOL_RECEIVE_H */
