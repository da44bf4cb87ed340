/* SPDX-License-Identifier: MIT */
/*
 * What keeps a storm of crashes from taking the machine with it: how many cores
 * are received at once, how often one program or one user may have one kept,
 * and how much room there is.
 */
#ifndef SPOOL_LIMITS_H
#define SPOOL_LIMITS_H

#include "spool/config.h"
#include "spool/spool.h"

/* One of the config's places; the descriptor, to be closed, or -1 with
 * BT_E_LIMIT when none became free in time. */
int limits_place(const struct spool *s, const struct config *c, bt_error_t *e);

struct limits_verdict {
	bool allowed;
	uint64_t dropped; /* not kept since one was kept, this one included */
};

/* Counts one event of the kind ("exe", "uid") and key. */
bool limits_count(const struct spool *s, const char *kind, const char *key,
    const struct config_rate *rate, struct limits_verdict *out, bt_error_t *e);

/* Bytes that a new core may take: 0 when the file system is too full for any,
 * or the user has too much already. */
bool limits_room(const struct spool *s, const struct config *c, uid_t uid,
    uint64_t *room, bt_error_t *e);

/* What the file system has no more of ("no space left", "no inodes left"),
 * whatever the quota; NULL when it has room. */
const char *limits_exhausted(const struct spool *s);

#endif /* SPOOL_LIMITS_H */
