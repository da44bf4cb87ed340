/* SPDX-License-Identifier: MIT */
/*
 * A core from a pipe, a socket or a file into a file: all of it, or cut by
 * plan.h when it is larger than there is room for.
 */
#ifndef SPOOL_COPY_H
#define SPOOL_COPY_H

#include "spool/plan.h"

struct copy_source {
	int fd;
	/* /proc/PID/mem of the process, or the core itself when it can be read
	 * anywhere; -1: neither. */
	int memory_fd;
	bool seekable;
	uint32_t stall; /* seconds without a byte that end it; 0: never */
};

struct copy_result {
	uint64_t received; /* bytes that came, dropped ones too */
	uint64_t written;
	uint64_t missing; /* bytes of memory that were left out */
	const char *cut;  /* why it is not whole; NULL: it is */
};

/* Do these first bytes (at least COPY_LEAST) belong to a core, or to a
 * compressed file that may hold one? */
enum { COPY_LEAST = 64 };
bool copy_is_core(const uint8_t *first);

/* At most room bytes are written. BT_E_FORMAT when what comes is no core at
 * all, BT_E_LIMIT when there is not even room for its notes. What stopped it in
 * the middle (the end of the stream, a full disk, no byte for a long time) is
 * no error but a reason in result->cut. */
bool copy_core(const struct copy_source *in, int out_fd, uint64_t room,
    struct copy_result *result, bt_error_t *e);

#endif /* SPOOL_COPY_H */
