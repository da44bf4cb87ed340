/* SPDX-License-Identifier: MIT */
/*
 * Text of /proc: reading such files whole, and taking apart what is in them.
 * Names in it (of commands, of files) are chosen by whoever runs the process,
 * so nothing is assumed of them: a command may hold blanks and parentheses, a
 * path anything but a newline (which the kernel writes as \012).
 */
#ifndef TARGET_PROCFS_H
#define TARGET_PROCFS_H

#include "base/buf.h"
#include "base/view.h"

/* Reads a file below an open directory. False with errno set; what was read
 * until then, or up to the buffer's cap, stays in the buffer. */
bool procfs_read(int dir, const char *path, struct buf *out);

/* The next line, without its newline. */
bool procfs_line(struct view *v, struct view *line);

/* /proc/PID/stat, /proc/PID/task/TID/stat. */
struct procfs_stat {
	int32_t pid, ppid, pgrp, session;
	char comm[64]; /* cut there; the kernel cuts at 15, workers at 63 */
	char state;
	uint64_t flags; /* PF_... */
	uint64_t threads;
	uint64_t starttime; /* clock ticks after boot */
};
enum { PROCFS_PF_EXITING = 0x00000004, PROCFS_PF_KTHREAD = 0x00200000 };
bool procfs_parse_stat(struct view text, struct procfs_stat *out);
/* The process has ended: nothing of it runs. */
bool procfs_is_dead(char state);

/* The value of a line "KEY:<blanks>VALUE" (status, meminfo), or "KEY VALUE"
 * (/proc/stat); blanks around it removed. */
bool procfs_field(struct view text, const char *key, struct view *value);
/* The n-th number (from 0) in such a value, decimal. */
bool procfs_number(struct view value, unsigned n, uint64_t *out);
bool procfs_field_u64(struct view text, const char *key, uint64_t *out);
/* A value that is one hexadecimal number without a prefix. */
bool procfs_mask(struct view value, uint64_t *out);

/* A line of /proc/PID/maps. */
struct procfs_mapping {
	bt_addr_t start, end;
	uint64_t offset, inode;
	uint32_t major, minor;
	bool readable, writable, executable, shared;
	struct view path; /* as printed; empty: none */
};
/* Lines that are none are skipped and counted. False at the end. */
bool procfs_next_mapping(
    struct view *v, struct procfs_mapping *out, size_t *bad);
/* A printed path as it is: \012 becomes a newline. Returns the length, at most
 * size - 1, and terminates. */
size_t procfs_path(struct view path, char *out, size_t size);

/* A frame of /proc/PID/task/TID/stack: "futex_wait_queue+0x5d/0x80 [module]".
 * False at the end. */
bool procfs_next_kernel_frame(struct view *v, struct view *frame);

/* /proc/PID/task/TID/syscall of a thread that does not run. */
struct procfs_syscall {
	int64_t number; /* -1: not in a system call */
	uint64_t arguments[6];
	uint64_t sp, pc;
};
bool procfs_parse_syscall(struct view text, struct procfs_syscall *out);

/* A line of /proc/PID/limits. */
#define PROCFS_UNLIMITED UINT64_MAX
struct procfs_limit {
	struct view label; /* "Max open files" */
	struct view unit;  /* "files"; empty: none */
	uint64_t soft, hard;
};
/* Lines that are none (the headings) are skipped. False at the end. */
bool procfs_next_limit(struct view *v, struct procfs_limit *out);

#endif /* TARGET_PROCFS_H */
