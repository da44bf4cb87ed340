/* SPDX-License-Identifier: MIT */
/*
 * Removing what has become old.
 */
#ifndef SPOOL_PURGE_H
#define SPOOL_PURGE_H

#include "spool/spool.h"

struct purge_result {
	unsigned removed, busy;
	int64_t next; /* when the next will be old enough; 0: never */
};

/* Objects whose newest file is older than age seconds, except those that are in
 * work; memories of delivered ones after twice that time. */
bool purge(const struct spool *s, uint32_t age, int64_t now,
    struct purge_result *out, bt_error_t *e);

#endif /* SPOOL_PURGE_H */
