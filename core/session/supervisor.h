/* SPDX-License-Identifier: MIT */
/*
 * The half that never parses foreign data: options, deadline, output file.
 * It runs the session in a worker and, when the worker dies or overruns,
 * keeps what it had sent, notes who was at fault, and tries again without
 * that stage or module while there is time.
 *
 * SIGPIPE must be ignored by the program.
 */
#ifndef SESSION_SUPERVISOR_H
#define SESSION_SUPERVISOR_H

#include "formats/text.h"
#include "session/session.h"

/* What the worker is about. */
struct supervisor_progress {
	enum session_stage stage;
	uint64_t elapsed_ns;
	uint64_t blocks;  /* of the heap that were walked over; 0: no walk */
	unsigned percent; /* of the heap's bytes; over 100: unknown */
};

/* Where lines for people go. Members may be NULL. Text may hold foreign
 * bytes: the program escapes it. */
struct supervisor_console {
	void *ctx;
	void (*log)(void *ctx, enum session_level level, const char *text);
	/* Called a few times a second while the worker is busy. */
	void (*progress)(void *ctx, const struct supervisor_progress *progress);
	void (*stats)(void *ctx, const char *text, size_t size);
};

struct supervisor_output {
	const char *path;   /* exact path, or NULL */
	const char *prefix; /* PREFIX.PID.TIME.btt, or NULL */
	bool overwrite;
};

/* Writes a snapshot. *path_out (malloc'd) is where it lies. *partial tells
 * that something is missing and the log has said what. */
bool supervisor_snapshot(const struct session_options *options,
    const struct supervisor_output *output,
    const struct supervisor_console *console, char **path_out, bool *partial,
    bt_error_t *e);

/* Several snapshots of one process, by modules that stay loaded. */
struct supervisor_watch {
	uint64_t interval_ns; /* from the start of one to that of the next */
	uint64_t count;	      /* 0: until the process ends */
	void *ctx;
	/* One lies there (path is malloc'd, and the callee's). False ends it.
	 */
	bool (*taken)(void *ctx, char *path, bool partial);
};

/* As supervisor_snapshot. False when the first cannot be had, or a later one
 * for another reason than the end of the process. */
bool supervisor_watch(const struct session_options *options,
    const struct supervisor_output *output,
    const struct supervisor_console *console,
    const struct supervisor_watch *watch, bt_error_t *e);

struct supervisor_report {
	const char *snapshot_path; /* print this file; NULL: collect a core */
	bool json;
	struct text_options text;
	int fd; /* where to write */
};

/* Prints a report. BT_E_OS with errnum EPIPE when the reader went away. */
bool supervisor_report(const struct session_options *options,
    const struct supervisor_report *report,
    const struct supervisor_console *console, bool *partial, bt_error_t *e);

#endif /* SESSION_SUPERVISOR_H */
