/* SPDX-License-Identifier: MIT */
/*
 * The last words of a process that glibc ended.
 */
#ifndef MODULES_MESSAGE_H
#define MODULES_MESSAGE_H

#include <ptrace/pmodule.h>

/* Without the newline; NULL: nothing was said. */
const char *message_of_abort(ptrace_backtrace_t *bt);
/* A text in memory, up to its end, without the newline. */
const char *message_at(ptrace_backtrace_t *bt, bt_addr_t at);

#endif /* MODULES_MESSAGE_H */
