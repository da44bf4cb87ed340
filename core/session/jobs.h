/* SPDX-License-Identifier: MIT */
/*
 * What a worker does: collect a core and send the sections of its snapshot,
 * or print a report.
 */
#ifndef SESSION_JOBS_H
#define SESSION_JOBS_H

#include "session/supervisor.h"
#include "session/worker.h"

/* Bodies for worker_start. ctx is a struct job. */
struct job {
	const struct session_options *options;
	const struct supervisor_report *report; /* job_report */
	struct worker_note *note;
	/* A worker that takes several snapshots: it waits for a byte before
	 * each but the first, and ends when the pipe is closed. -1: one. */
	int more_fd, more_other_fd;
	struct refusals *refusals;   /* not for the worker */
	const struct worker *broker; /* NULL: no sandbox */
};
int job_snapshot(void *ctx, int fd);
int job_report(void *ctx, int fd);

#endif /* SESSION_JOBS_H */
