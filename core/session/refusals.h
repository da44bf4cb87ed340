/* SPDX-License-Identifier: MIT */
/*
 * What the sandbox refused: which system call, how often, and what the worker
 * was about. Written by the broker, which the kernel tells of each, and read by
 * the supervisor, in memory that the worker does not have.
 */
#ifndef SESSION_REFUSALS_H
#define SESSION_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

struct worker_note;

enum { REFUSALS_MAX = 16 };

struct refusal {
	int32_t call; /* number of the system call */
	uint32_t times;
	uint8_t stage;
	char module[64]; /* "" none */
};

struct refusals {
	struct refusal items[REFUSALS_MAX]; /* the first of each kind */
	volatile uint32_t count;
};

struct refusals *refusals_create(void);		    /* NULL: no memory */
void refusals_destroy(struct refusals *r);	    /* NULL allowed */
void refusals_add(struct refusals *r, int32_t call, /* both may be NULL */
    const struct worker_note *note);

/* "openat", or NULL for a number that has no name. */
const char *refusals_call_name(int32_t call);
/* "the sandbox refused the system call 'socket' (3 times)" */
void refusals_describe(const struct refusal *r, char *out, size_t size);

#endif /* SESSION_REFUSALS_H */
