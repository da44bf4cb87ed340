/* SPDX-License-Identifier: MIT */
/*
 * The last words of a process that glibc ended.
 */
#ifndef MODULES_MESSAGE_H
#define MODULES_MESSAGE_H

#include <ptrace/pmodule.h>

/* Without the newline; NULL: nothing was said. */
const char *message_of_abort(ptrace_backtrace_t *bt);

#endif /* MODULES_MESSAGE_H */
