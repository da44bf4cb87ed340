/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files that take a capture.
 */
#ifndef TARGET_CAPTURE_PRIVATE_H
#define TARGET_CAPTURE_PRIVATE_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "base/view.h"
#include "target/arch/arch.h"
#include "target/capture.h"
#include "target/procfs.h"

#ifndef PTRACE_GETSIGMASK
#define PTRACE_GETSIGMASK 0x420a
#define PTRACE_SETSIGMASK 0x420b
#endif

enum { CAPTURE_PAGE = 4096 };

/* What the taking process keeps of a thread for itself. */
struct capture_task {
	bool seized;
	bool group_stop; /* somebody has stopped the process */
	bool registers;	 /* are read */
	bool awake;	 /* it did something just before the stop */
	/* At the first look, if counted: how long it had run, how often. */
	bool counted;
	uint64_t ran, turns;
	/* At the first look, of a thread that runs: when (0: never), and how
	 * often it had gone to sleep. */
	uint64_t looked_at, sleeps;
	int inject; /* signal that was taken from it and goes back */
};

/* A mapping, as far as copying needs it. */
struct capture_area {
	bt_addr_t start, end;
	bool wanted; /* may be written to, so no file has its bytes */
	bool shared;
	bool is_stack; /* of the first thread */
};

struct taking {
	struct capture *c;
	struct buf text; /* a file being read */
	struct map tids; /* -> index + 1 */
	VEC(struct capture_task) tasks;
	VEC(struct capture_area) areas; /* sorted */
	VEC(uint64_t) pages;		/* asked for, not yet read */
	struct map asked;		/* all pages ever asked for */
	uint64_t *seen;			/* page numbers looked at, a cache */
	bool stack_denied;		/* kernel stacks are not for us */
	bool exec;			/* it became another program */
	bool no_vm_readv;
	size_t looks;  /* threads that ran at the first look */
	unsigned naps; /* waiting for another tracer to end */
	bool resumed;  /* memory is that of the frozen copy */
	/* capture_fork.c: code in the target, and the thread that forks. */
	bt_addr_t call_at, trampoline;
	size_t forker;
};

/* capture.c: memory of the capture. NULL when it is full. */
void *capture_alloc(struct capture *c, size_t size);
bool capture_read_text(
    struct taking *t, int dir, const char *path, struct capture_text *out);

static inline struct view
capture_view(const struct capture_text *text)
{
	return view_of(text->data, text->size);
}

/* capture_refuse.c. proc is an open /proc. */
/* Refuses what is plain from looking at it. */
bool capture_check(int proc, int32_t pid, bt_error_t *e);
/* Says why tracing failed with errnum. */
bool capture_explain(int proc, int32_t pid, int errnum, bt_error_t *e);

/* capture_threads.c */
/* Seizes all threads there are; they still run. */
bool threads_seize(struct taking *t);
/* Stops them and all that appear meanwhile. */
bool threads_stop(struct taking *t);
void threads_registers(struct taking *t);
void threads_resume(struct taking *t);
/* The directory of its tasks, or -1 with the capture's error set. */
int threads_open(struct taking *t);
bool thread_stat(
    struct taking *t, int dir, uint32_t tid, struct procfs_stat *out);
/* Reads a directory of tasks into tids. */
typedef VEC(uint32_t) tid_vec;
bool capture_tids(int dir, tid_vec *out);

/* capture_busy.c */
/* Of a thread whose state is known; it still runs. */
void busy_look(struct taking *t, int dir, const struct capture_thread *thread);
/* Last thing before the stop: who did something since the first look. */
void busy_find_awake(struct taking *t);
/* When it runs again: which of its threads do nothing but run. */
void busy_look_again(struct taking *t);

/* capture_memory.c */
bool memory_areas(struct taking *t); /* from the maps */
/* How many bytes of stacks will be copied, as far as can be known before the
 * stop. */
uint64_t memory_expected(const struct taking *t);
void memory_copy(struct taking *t);
/* The readable mapping that has it; NULL: none. */
const struct capture_area *memory_area_at(
    const struct taking *t, bt_addr_t address);

/* capture_fork.c */
/* Before the stop: what can be had without it, and what speaks against it. */
void fork_prepare(struct taking *t);
/* Makes c->fork.pid, or says in c->fork.why why there is none. */
bool fork_target(struct taking *t);
/* When the target runs again. False: the copy is of no use. */
bool fork_find_gaps(struct taking *t);
void fork_end(struct capture *c);
/* Of the frozen copy. */
bool capture_in_gap(const struct capture *c, bt_addr_t address);

/* capture_system.c */
void system_read(struct taking *t);

/* capture_process.c */
void process_read(struct taking *t);

#endif /* TARGET_CAPTURE_PRIVATE_H */
