/* SPDX-License-Identifier: MIT */
/*
 * Pieces of JSON for annotations and for the snapshot's lists.
 */
#ifndef MODULES_QUOTE_H
#define MODULES_QUOTE_H

#include <ptrace/pmodule.h>

/* The text as a JSON string with its quotes. Bytes that are no ASCII go through
 * as they are: the writer of the snapshot makes UTF-8 of them. */
const char *quote_json(ptrace_backtrace_t *bt, const char *text);

#endif /* MODULES_QUOTE_H */
