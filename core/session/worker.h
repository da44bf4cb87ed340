/* SPDX-License-Identifier: MIT */
/*
 * The replaceable process that parses foreign bytes. It shares nothing with
 * its supervisor but a pipe, leaves no core of its own, dies with its parent,
 * and has caps on memory and processor time.
 */
#ifndef SESSION_WORKER_H
#define SESSION_WORKER_H

#include "base/error.h"
#include <sys/types.h>

struct worker {
	pid_t pid;
	int fd; /* messages come out here */
};

/* What the worker is about, in memory it shares with its supervisor: a note
 * costs no system call, so there can be one for every callback of a module.
 * Only believed as far as it goes: the worker may have scribbled on it. */
struct worker_note {
	/* Of a walk over the heap: blocks it has met, bytes it has done, of all
	 * bytes (0: unknown); zeros: there is none. */
	volatile uint64_t blocks, done, all;
	/* From the supervisor: worker_waited. */
	volatile uint64_t waited_ns;
	volatile uint8_t stage;
	volatile char module[63];
};

struct worker_note *worker_note_create(void);	    /* NULL: no memory */
void worker_note_destroy(struct worker_note *note); /* NULL allowed */
void worker_note_set(
    struct worker_note *note, unsigned stage, const char *module);
void worker_note_walk(
    struct worker_note *note, uint64_t blocks, uint64_t done, uint64_t all);
/* Copies the module's name, terminated. */
void worker_note_module(const struct worker_note *note, char *out, size_t size);

struct worker_limits {
	uint64_t data_bytes;  /* private memory; 0: none */
	uint64_t cpu_seconds; /* 0: none */
};

/* Runs body(ctx, fd) in a child; its result is the exit status. */
typedef int worker_body(void *ctx, int fd);
bool worker_start(struct worker *w, const struct worker_limits *limits,
    worker_body *body, void *ctx, bt_error_t *e);

/* How long it could have run and did not, for other processes had the
 * processors; 0 where the kernel does not tell. */
uint64_t worker_waited(const struct worker *w);

/* Nobody listens to the worker any more; it may end in its own time. */
void worker_leave(struct worker *w);
/* The same, and it is killed if it still runs. */
void worker_stop(struct worker *w);
/* Collects its wait status, which a worker that has left by itself keeps. One
 * that does not end is killed after a while; 0 when it was never started, or
 * is stuck in the kernel, where not even a kill gets it out. */
int worker_reap(struct worker *w);

/* For a child that is forked here or elsewhere: _exit(2), after what a build
 * that measures coverage has to write. */
_Noreturn void worker_exit(int status);
/* Builds that look at files of their own: with a sanitizer; with counts that
 * are written at the end, as the user who built it. */
bool worker_is_sanitized(void);
bool worker_is_counted(void);

#endif /* SESSION_WORKER_H */
