/* SPDX-License-Identifier: MIT */
/*
 * The capture of a live process: every thread is stopped, its registers, the
 * stacks and some of the memory they point to are copied, and it runs on. This
 * is the one step that needs the right to trace, and the one during which the
 * target stands still; so it is small, parses nothing but text of /proc, and
 * everything else (ELF, DWARF, values) works on the copy afterwards.
 *
 * A capture lies in memory that is shared with children: it is opened by the
 * supervisor, taken by a process of its own (if that is killed, at whatever
 * moment, the kernel lets the target run on), sealed, and read by the worker.
 * Pointers in it are the same in all of them.
 */
#ifndef TARGET_CAPTURE_H
#define TARGET_CAPTURE_H

#include "base/error.h"
#include "target/procfs.h"

enum {
	CAPTURE_GREGS_MAX = 27 * 8,
	CAPTURE_NAME_MAX = 32,
	CAPTURE_SIGINFO_SIZE = 128
};

struct capture_text {
	const uint8_t *data;
	size_t size;
};

enum capture_thread_kind {
	CAPTURE_RUNNING, /* not stopped yet: never in a complete capture */
	CAPTURE_STOPPED, /* registers are exact */
	CAPTURE_GONE,	 /* ended meanwhile: not a thread any more */
	CAPTURE_ZOMBIE,	 /* ended, but its process goes on */
	/* In the kernel, where no signal reaches it (a vfork, a dead disk);
	 * registers only as far as the kernel shows them. */
	CAPTURE_UNINTERRUPTIBLE,
	CAPTURE_REFUSED /* may not be traced */
};

struct capture_thread {
	uint32_t tid;
	uint8_t kind; /* enum capture_thread_kind */
	char state;   /* before the stop, as in /proc; '?' unknown */
	char name[CAPTURE_NAME_MAX];
	uint32_t gregs_size; /* 0: none */
	uint8_t gregs[CAPTURE_GREGS_MAX];
	const uint8_t *xstate; /* NULL: none */
	uint32_t xstate_size;
	bool xstate_is_fx;
	bool has_blocked;
	uint64_t blocked; /* signals: bit n - 1 is signal n */
	/* A signal was about to be delivered; it is delivered after all. */
	bool has_siginfo;
	uint8_t siginfo[CAPTURE_SIGINFO_SIZE];
	/* In a system call just before the stop. */
	bool has_context;
	struct procfs_syscall context;
	struct capture_text kernel; /* stack in the kernel at that time */
	/* It ran, or waited for a processor, at both of two looks, and all of
	 * the time between them, which is this long without the stop; 0: no. */
	uint64_t busy_ns;
};

/* Memory of the target: whole pages. */
struct capture_range {
	bt_addr_t start;
	uint64_t size;
	const uint8_t *bytes;
};

struct capture_descriptor {
	uint32_t number;
	struct capture_text link; /* "/var/log/x", "socket:[4711]" */
};
enum { CAPTURE_DESCRIPTORS = 1024 /* the first that are open */ };

/* What the machine says of itself: files of /proc, as far as they matter. */
struct capture_system {
	struct capture_text stat, loadavg, uptime, meminfo, cpuinfo;
	uint64_t n_processes; /* 0: unknown */
	uint64_t n_processors;
};

struct capture_options {
	int32_t pid;
	uint64_t max_pause_ns; /* 0: default */
	/* The threads whose stacks matter; none: all. */
	const uint32_t *threads;
	size_t n_threads;
	uint32_t fault_thread; /* copied first; 0: none */
	bool fork;	       /* make a frozen copy (capture_fork.c) */
};

/* A part of the address space that the frozen copy does not have. */
struct capture_gap {
	bt_addr_t start, end;
};

/* The frozen copy, which lives as long as the process that took it. */
struct capture_fork {
	int32_t pid;		  /* 0: there is none */
	int mem_fd;		  /* its memory, opened in the supervisor */
	uint64_t kb;		  /* private memory of the target */
	uint64_t ns;		  /* that making it took, part of the pause */
	char why[192];		  /* there is none though it was asked for */
	struct capture_gap *gaps; /* sorted */
	size_t n_gaps, gaps_room;
};

enum { CAPTURE_DEFAULT_MAX_PAUSE_MS = 250 };

enum capture_progress {
	CAPTURE_OPENED,
	CAPTURE_REGISTERS, /* of all threads are there */
	CAPTURE_COMPLETE
};

struct capture {
	struct capture_options options;
	/* Opened in the supervisor, inherited by all. */
	int proc_fd;	  /* /proc/PID */
	int mm_fd;	  /* /proc/PID/task/TID of a live thread */
	int mem_fd;	  /* its memory; ends with the address space */
	int root_fd;	  /* its root directory; -1: not to be had */
	int pid_fd;	  /* -1: the kernel has none */
	bool same_root;	  /* which is ours, or could not be seen */
	uint32_t mm_tid;  /* that thread */
	uint64_t started; /* ticks after boot, tells a reused pid */
	int map_fd;	  /* of this memory, writable; -1: it is anonymous */

	volatile uint8_t progress; /* enum capture_progress */
	/* When the stop began, and when registers were complete (bt_now_ns);
	 * from then on memory is copied, which can block. */
	volatile uint64_t pause_start, copy_start;
	bt_error_t error; /* when it could not be taken */

	struct capture_thread *threads;
	size_t n_threads, threads_room;
	struct capture_range *ranges; /* in no order, disjoint */
	size_t n_ranges, ranges_room;
	struct capture_text stat, status, cmdline, environ, cgroup, auxv, maps,
	    limits;
	struct capture_text exe, cwd, root; /* what the links say */
	char namespaces[64];	/* "mnt,pid": those that are not ours */
	bool descriptors_known; /* and this many are open: */
	uint64_t n_open;
	struct capture_descriptor *descriptors; /* of the first of them */
	size_t n_descriptors;
	struct capture_system system;
	bool maps_before;  /* read before the stop: too many to wait for */
	uint64_t stop_ns;  /* of that, until registers were complete */
	uint64_t pause_ns; /* from the first thread's stop to the last's end */
	uint64_t captured_seconds; /* Unix time */
	unsigned passes;	   /* over the list of threads */
	size_t uninterruptible, refused;
	uint64_t bytes, left_out; /* copied; not copied for want of time */
	struct capture_fork fork;

	/* The memory itself. */
	size_t size, used, used_first;
	bool full;
};

/* How an attempt to take it ended. */
enum capture_end {
	CAPTURE_DONE,
	CAPTURE_FAILED, /* the error says why */
	CAPTURE_AGAIN	/* it became another program meanwhile */
};

/*
 * Looks at the process without touching it, and refuses what cannot be done,
 * each reason with a line of its own: BT_E_GONE, BT_E_PERMISSION,
 * BT_E_UNSUPPORTED, BT_E_USAGE.
 */
bool capture_open(const struct capture_options *options, struct capture **out,
    bt_error_t *e) BT_CHECK;
/* Stops, copies, resumes. Runs in a process of its own, which ends soon
 * afterwards: threads that could not be stopped are released by that, and the
 * frozen copy, if there is one, ends with it. */
enum capture_end capture_take(struct capture *c);
/* Opens the memory of the frozen copy. */
bool capture_open_fork(struct capture *c);
/* From here on it can only be read: by us until it is taken again, by children
 * for ever, once they have closed map_fd. False when that cannot be had. */
bool capture_seal(struct capture *c);
/*
 * Makes a sealed one ready to be taken again, of the same process. BT_E_GONE
 * when that has ended. The worker that has the last one must not look at it
 * from here on; what it has open (files of /proc) serves for the next, too.
 */
bool capture_again(struct capture *c, bt_error_t *e) BT_CHECK;
void capture_close(struct capture *c); /* NULL allowed */

#endif /* TARGET_CAPTURE_H */
