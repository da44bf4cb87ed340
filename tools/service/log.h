/* SPDX-License-Identifier: MIT */
/*
 * Lines of a program that nobody watches: to the system's log, or to standard
 * error. Foreign text in them is escaped, so one message stays one line.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include "base/error.h"

#include <syslog.h>

struct service_log {
	const char *ident; /* "coresnap" in "coresnap[123]: ..." */
	bool to_stderr;
	int least; /* LOG_INFO: nothing below; LOG_DEBUG: everything */
};

/* ident must outlive the log. */
void log_open(struct service_log *l, const char *ident, bool to_stderr);
/* priority is one of syslog's. */
void log_say(const struct service_log *l, int priority, const char *format, ...)
    BT_PRINTF(3, 4);
/* LOG_ERR with the text of an error. */
void log_error(const struct service_log *l, const bt_error_t *e);

#endif /* SERVICE_LOG_H */
