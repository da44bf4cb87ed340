/* SPDX-License-Identifier: MIT */
/*
 * --pid-file: one invoker for each server. A server that was started again
 * leaves the old one stopped for ever where its death could not be followed.
 */
#ifndef INVOKER_PID_FILE_H
#define INVOKER_PID_FILE_H

#include "service/log.h"

/* Kills the process that the file names if it is this very program, and writes
 * our own id there (no newline). */
bool pid_file_take(
    const char *path, const struct service_log *l, bt_error_t *e);

#endif /* INVOKER_PID_FILE_H */
