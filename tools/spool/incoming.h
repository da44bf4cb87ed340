/* SPDX-License-Identifier: MIT */
/*
 * An object on its way into the spool: incoming/UUID/ with the core and the
 * assets, locked as long as somebody writes to it. What a killed receiver
 * leaves is found by its lock being free, and taken in as far as it goes.
 */
#ifndef SPOOL_INCOMING_H
#define SPOOL_INCOMING_H

#include "spool/spool.h"

struct incoming {
	struct object_id id;
	int dir;    /* incoming/UUID, locked */
	int assets; /* incoming/UUID/assets */
	int core;   /* for writing */
};

/* Makes and locks it. BT_E_USAGE when the spool knows the name. */
bool incoming_begin(struct incoming *in, const struct spool *s,
    const struct object_id *id, bt_error_t *e);
/* Makes everything safe, and the object appear in pending/. */
bool incoming_commit(struct incoming *in, const struct spool *s, bt_error_t *e);
void incoming_abort(struct incoming *in, const struct spool *s);

/* Puts the spool in order, at the start of the daemon: what a killed process
 * left half done is finished or removed. Returns what was taken in and removed
 * through the counters. */
struct recovery {
	unsigned adopted, finished, removed;
};
bool spool_recover(const struct spool *s, struct recovery *out, bt_error_t *e);

#endif /* SPOOL_INCOMING_H */
