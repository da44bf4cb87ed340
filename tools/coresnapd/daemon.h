/* SPDX-License-Identifier: MIT */
/*
 * The daemon: sleeps until something comes into the spool, a child ends or a
 * time is due; then looks at the spool and starts what there is room for. All
 * it knows is in the spool, so it may be killed at any time.
 */
#ifndef CORESNAPD_DAEMON_H
#define CORESNAPD_DAEMON_H

#include "service/log.h"
#include "spool/config.h"
#include "spool/spool.h"

enum { JOBS_MAX = 132, SOCKETS_MAX = 8 };

enum job_kind { JOB_PTRACE, JOB_SEND, JOB_RECEIVE, JOB_SCAN };

struct job {
	pid_t pid;
	enum job_kind kind;
	struct object_id id;
	int lock;	  /* of the object, or -1 */
	int output;	  /* what it prints, a file in memory, or -1 */
	int64_t begun;	  /* monotonic milliseconds */
	int64_t deadline; /* likewise; 0: none */
	bool killed;
};

struct daemon {
	const char *config_path;
	struct config config;
	struct service_log log;
	struct spool spool;
	struct job jobs[JOBS_MAX];
	size_t n_jobs;
	int epoll, signals, timer, inotify;
	int pending_watch; /* inotify's number of directories of the spool */
	int sockets[SOCKETS_MAX];
	size_t n_sockets;
	char *own_socket; /* to be removed at the end */
	bool accepting;
	bool stopping, look, rescan;
	int64_t hold_sending; /* monotonic: the server did not answer */
	int64_t hold_making;  /* monotonic: the disk is full */
	bool full;	      /* and that was said */
	int64_t purge_at;     /* seconds since 1970; 0: look */
};

int64_t daemon_monotonic(void); /* milliseconds */

/* ---- jobs.c: children ---- */

/* A child in a group of its own, which dies with us, cannot dump core into
 * ourselves and is nice. 0: in the child; -1 with *e set. */
int job_start(struct daemon *d, enum job_kind kind, const struct object_id *id,
    int lock, uint32_t seconds, bt_error_t *e);
/* In the child: becomes the program, whose output goes to the job. Does not
 * return. */
void job_exec(const struct daemon *d, char *const argv[]);
/* The children that ended; done is called for each. */
void jobs_reap(struct daemon *d,
    void (*done)(struct daemon *, const struct job *, int status));
/* Kills what is too late. */
void jobs_check(struct daemon *d);
void jobs_kill(struct daemon *d);
size_t jobs_count(const struct daemon *d, enum job_kind kind);
bool jobs_has(const struct daemon *d, const struct object_id *id);
/* The end of what it printed, one line, escaped; "" for nothing. */
void job_last_line(const struct job *j, char *out, size_t size);
/* The first number after the word in what it printed, or -1. */
int64_t job_number(const struct job *j, const char *word);

/* ---- work.c: what to do with objects ---- */

/* Starts what is due; *next is when there will be more (seconds since 1970, 0:
 * nothing waits). */
void work(struct daemon *d, int64_t *next);
void work_done(struct daemon *d, const struct job *j, int status);

/* ---- intake.c: sockets and directories ---- */

bool intake_open(struct daemon *d, bt_error_t *e);
void intake_close(struct daemon *d);
void intake_accept(struct daemon *d, int listener);
/* Takes the events; true when a watched directory has changed. */
bool intake_events(struct daemon *d);
void intake_scan(struct daemon *d);
/* Polls the sockets only while there is a place for another core. */
void intake_balance(struct daemon *d);

#endif /* CORESNAPD_DAEMON_H */
