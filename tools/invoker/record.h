/* SPDX-License-Identifier: MIT */
/*
 * What Traffic Server writes into the helper's standard input when it crashes.
 *
 *	6.2 to 9.2   siginfo_t, ucontext_t
 *	later        int signo, pid_t tid, siginfo_t, ucontext_t,
 *	             uint32_t bytes of a stack, and that
 *
 * The record tells that the crash has really happened, and which thread it was.
 * All else the tracers see for themselves.
 */
#ifndef INVOKER_RECORD_H
#define INVOKER_RECORD_H

#include "base/error.h"

struct invoker_record {
	int signo;
	int tid; /* 0: the record does not say */
};

/* Reads from fd until the record is complete. BT_E_FORMAT when the pipe is
 * closed before that. */
bool record_read(struct invoker_record *r, int fd, bt_error_t *e);

/* The same from bytes in memory, as far as record_head_size goes. */
void record_parse(struct invoker_record *r, const void *head);
/* Bytes that are needed to tell the forms apart: sizeof(siginfo_t). */
size_t record_head_size(void);
/* Bytes that follow the head in this form. */
size_t record_rest_size(const struct invoker_record *r);

#endif /* INVOKER_RECORD_H */
