/* SPDX-License-Identifier: MIT */
/*
 * One conversation with one worker: started, listened to until it is done,
 * dies or overruns, and then over. What it sent is kept here, together with
 * what it was doing last.
 */
#ifndef SESSION_RUN_H
#define SESSION_RUN_H

#include "session/broker.h"
#include "session/sections.h"
#include "session/session.h"
#include "session/supervisor.h"
#include "session/worker.h"

struct run {
	struct sections sections; /* the best so far */
	struct sections newer;	  /* being sent after a restart */
	bool restarted;
	struct worker worker;
	bool stays; /* it is asked for more after it is done */
	/* Opens files for it; NULL options: it does so itself. */
	const struct broker_options *broker_options;
	struct worker broker;
	struct refusals *refusals; /* of all workers */
	struct worker_note *note;  /* what the worker is about */
	enum session_stage stage;  /* what it was about in the end */
	char module[64];	   /* and on whose behalf; "" none */
	int32_t pid;		   /* of the crashed process */
	char exe[256];
	bool done;
	bool partial;
	bool timed_out;
	unsigned log_lines;
	uint64_t module_time_ns; /* a module may take; 0: any */
	uint64_t module_used_ns; /* what `module` took without a pause */
	bool has_error;
	bt_error_t error;
	int status; /* wait status of the worker */
};

bool run_init(struct run *r, size_t cap);
void run_deinit(struct run *r);
/* Forgets the last conversation but for the identity it found. */
void run_again(struct run *r);

/* Starts body in a worker and listens until deadline_ns (CLOCK_MONOTONIC).
 * False only when no worker could be started. */
bool run_worker(struct run *r, worker_body *body, void *ctx,
    uint64_t deadline_ns, const struct supervisor_console *console,
    bt_error_t *e);

/* Asks a worker that stayed for the next, after run_clear. */
void run_worker_more(struct run *r, uint64_t deadline_ns,
    const struct supervisor_console *console);
bool run_has_worker(const struct run *r);
/* Listens to one that stayed until it has ended. */
void run_worker_end(struct run *r, uint64_t deadline_ns,
    const struct supervisor_console *console);
/* Forgets everything but the worker. */
void run_clear(struct run *r);

/* The more complete of what was sent before and after a restart. */
struct sections *run_sections(struct run *r);
/* "ended by signal 11 (Segmentation fault)", "took too long", ... */
void run_describe_end(const struct run *r, char *out, size_t size);

#endif /* SESSION_RUN_H */
