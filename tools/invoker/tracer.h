/* SPDX-License-Identifier: MIT */
/*
 * A tracer: one command line out of --tracer or INVOKER_TRACER, and running it.
 */
#ifndef INVOKER_TRACER_H
#define INVOKER_TRACER_H

#include "service/log.h"

#include <sys/types.h>

struct tracer {
	char *text;  /* what the words point into */
	char **argv; /* ends with NULL */
};

/* Splits at blanks; there is no quoting. In each word the first "%p" becomes
 * the process id and ends the word; any other "%" ends the word before it.
 * BT_E_USAGE for a line without words, BT_E_NOTFOUND or BT_E_PERMISSION when
 * the program cannot be executed. */
bool tracer_parse(
    struct tracer *t, const char *line, pid_t target, bt_error_t *e);
void tracer_deinit(struct tracer *t);

/* Runs it and waits: its exit status, or 255 when a signal ended it or it
 * could not be started. */
int tracer_run(const struct tracer *t, const struct service_log *l);

#endif /* INVOKER_TRACER_H */
