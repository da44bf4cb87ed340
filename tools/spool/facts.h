/* SPDX-License-Identifier: MIT */
/*
 * What is known of a process that died: what the kernel said, and what stands
 * in /proc as long as its core is being received.
 *
 * /proc/PID is opened first, and everything is read below that descriptor: it
 * stays with the process that it was opened for, whoever gets the number next.
 * That it was opened for the right one, a pidfd from the kernel proves, or,
 * where there is none, that the process is older than the crash.
 */
#ifndef SPOOL_FACTS_H
#define SPOOL_FACTS_H

#include "service/fields.h"

#include <sys/types.h>

enum { FACTS_COMM = 64, FACTS_EXE = 4096 };

struct facts {
	pid_t pid, tid; /* in the initial namespace; 0: not known */
	uid_t uid;
	gid_t gid;
	int signal;
	int64_t time;	  /* seconds since 1970 */
	int dump_mode;	  /* 0 none, 1 the user's, 2 root's; -1 not known */
	uint64_t started; /* clock ticks after the boot; 0: not known */
	bool ordinary;	  /* its user may read what is kept of it */
	char comm[FACTS_COMM];
	char exe[FACTS_EXE];  /* "": not known; below root */
	char root[FACTS_EXE]; /* "": ours; "?": another, not seen from here */
	int proc;	      /* /proc/PID, or -1 */
	int memory;	      /* /proc/PID/mem, or -1 */
};

void facts_init(struct facts *f);
void facts_deinit(struct facts *f);

/* Opens /proc/PID for f->pid. pidfd is the kernel's, or -1. Without success
 * everything that the caller set stays, and nothing is added. */
void facts_open(struct facts *f, int pidfd);

/* Copies of what a person, or ptrace, may want to see of it, into the
 * directory. What cannot be read is left out. The environment is not copied: it
 * holds secrets. */
void facts_copy(const struct facts *f, int dir_fd);

/* As fields for assets/UUID/crash. */
void facts_write(const struct facts *f, struct fields *out);
void facts_read(struct facts *f, const struct fields *in);

/* exe, or comm where that is not known; never empty. */
const char *facts_program(const struct facts *f);

#endif /* SPOOL_FACTS_H */
