/* SPDX-License-Identifier: MIT */
/*
 * Reading snapshot files (.btt) from other programs: libinquest-snapshot.
 *
 *	ptrace_snapshot_t *s;
 *	bt_error_t e;
 *
 *	if (ptrace_snapshot_open("core.btt", &s, &e) == false)
 *		errx(1, "%s", e.text);
 *	puts(ptrace_snapshot_fingerprint(s));
 *	ptrace_snapshot_close(s);
 *
 * Strings are borrowed until the snapshot is closed and may hold any byte but
 * NUL: they come from the crashed program. A snapshot may be used by one
 * thread at a time.
 */
#ifndef PTRACE_SNAPSHOT_H
#define PTRACE_SNAPSHOT_H

#include <bt.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

typedef struct ptrace_snapshot ptrace_snapshot_t;

/* A damaged or cut file is read as far as it goes and is partial then. */
bool ptrace_snapshot_open(
    const char *path, ptrace_snapshot_t **out, bt_error_t *e);
/* The same of bytes, which are needed no longer afterwards. */
bool ptrace_snapshot_read(
    const void *data, size_t size, ptrace_snapshot_t **out, bt_error_t *e);
void ptrace_snapshot_close(ptrace_snapshot_t *s); /* NULL allowed */

bool ptrace_snapshot_partial(const ptrace_snapshot_t *s);
/* 64 hexadecimal digits by which equal crashes are grouped; "": none. */
const char *ptrace_snapshot_fingerprint(const ptrace_snapshot_t *s);
uint32_t ptrace_snapshot_n_classifiers(const ptrace_snapshot_t *s);
const char *ptrace_snapshot_classifier(
    const ptrace_snapshot_t *s, uint32_t i); /* NULL: no more */
/* An attribute as text; NULL: there is none. */
const char *ptrace_snapshot_attribute(ptrace_snapshot_t *s, const char *key);

/* Threads, the faulting one first. */
uint32_t ptrace_snapshot_n_threads(const ptrace_snapshot_t *s);

typedef struct ptrace_snapshot_thread {
	uint32_t size;
	uint32_t tid;
	bool fault;
	uint32_t n_frames;
	const char *name; /* "" unknown */
	uint64_t reserved[4];
} ptrace_snapshot_thread_t;
#define PTRACE_SNAPSHOT_THREAD_INIT                                            \
	{                                                                      \
		.size = sizeof(ptrace_snapshot_thread_t)                       \
	}
bool ptrace_snapshot_thread_at(
    const ptrace_snapshot_t *s, uint32_t thread, ptrace_snapshot_thread_t *out);

typedef struct ptrace_snapshot_frame {
	uint32_t size;
	uint32_t line; /* 0 unknown */
	bt_addr_t ip;
	const char *symbol; /* "" unknown, as all of these */
	const char *object;
	const char *path;
	bool is_inline;
	uint64_t reserved[4];
} ptrace_snapshot_frame_t;
#define PTRACE_SNAPSHOT_FRAME_INIT                                             \
	{                                                                      \
		.size = sizeof(ptrace_snapshot_frame_t)                        \
	}
/* Innermost first. */
bool ptrace_snapshot_frame_at(const ptrace_snapshot_t *s, uint32_t thread,
    uint32_t frame, ptrace_snapshot_frame_t *out);

/* Everything, as docs/snapshot-format.md describes it: one JSON document. NULL:
 * it would be larger than 512 MiB, or there is no memory. */
const char *ptrace_snapshot_json(ptrace_snapshot_t *s, size_t *size);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif /* PTRACE_SNAPSHOT_H */
