/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the crash: stopped (state T), until SIGCONT comes.
 */
#ifndef INVOKER_SLEEP_H
#define INVOKER_SLEEP_H

#include "base/error.h"

#include <sys/types.h>

/* From now on SIGCONT is remembered. To be called as early as possible. */
bool sleep_prepare(bt_error_t *e);
/* Stops until SIGCONT comes, or not at all when it has come. We die with the
 * parent meanwhile. BT_E_GONE when the parent has ended before. */
bool sleep_until_woken(pid_t parent, bt_error_t *e);

#endif /* INVOKER_SLEEP_H */
