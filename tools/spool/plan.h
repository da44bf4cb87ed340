/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a core are kept when there is no room for all of it: first the
 * stacks, then what registers and stacks point to, then the heads of all
 * mappings (build-ids, link map), then data from small to large. The notes
 * (registers, names of files) are always kept.
 *
 * The result is a core with more, smaller segments; what is missing is
 * described by segments that lie beyond the end of the file, as in a core that
 * was cut short. So every reader of cores sees that memory was there, and is
 * lost.
 */
#ifndef SPOOL_PLAN_H
#define SPOOL_PLAN_H

#include "base/buf.h"
#include "base/vec.h"

#include <elf.h>

struct plan_range {
	uint64_t from; /* in the original file */
	uint64_t size;
	uint64_t address;
	uint32_t flags;
	bool kept;
};

struct plan {
	VEC(struct plan_range) ranges; /* by segment, as in the original */
	uint64_t kept, missing;	       /* bytes of memory */
};

/* Bytes of the process at an address; less than size when there are no more. */
struct plan_memory {
	size_t (*read)(void *ctx, uint64_t address, void *out, size_t size);
	void *ctx;
};

/* A core's head: everything before the first byte of memory. */
struct plan_head {
	const uint8_t *data;
	size_t size;
	const Elf64_Ehdr *ehdr;
	const Elf64_Phdr *phdrs;
	size_t n_phdrs;
	bool gathered; /* from a file: segments may be anywhere in it */
};

/* Checks what stands at the beginning of a core. BT_E_FORMAT when it is not one
 * that can be taken apart. needed is how many bytes the whole head has. */
bool plan_head_size(
    const void *data, size_t size, uint64_t *needed, bt_error_t *e);
/* The whole core's size by its program headers. The head points into b. */
bool plan_head_parse(
    struct plan_head *h, const struct buf *b, uint64_t *total, bt_error_t *e);
/* The same of a file, wherever in it the notes are: GDB writes them at the end.
 * out gets the head with the notes behind it, whose program headers are changed
 * to say so; total is the file's. */
bool plan_head_gather(int fd, struct buf *out, struct plan_head *h,
    uint64_t *total, bt_error_t *e);
void plan_each_note(const struct plan_head *h,
    void (*visit)(void *ctx, uint32_t type, const uint8_t *data, size_t size),
    void *ctx);
/* Bytes of a file; less than size when there are no more. */
size_t plan_read_at(int fd, uint64_t offset, void *out, size_t size);

/* The new core has at most room bytes; BT_E_LIMIT when not even its head fits.
 * memory may be NULL: then no stack is read. */
bool plan_make(struct plan *p, const struct plan_head *h, uint64_t room,
    const struct plan_memory *memory, bt_error_t *e);
void plan_deinit(struct plan *p);

/* The new head: file header, program headers, notes. The kept ranges follow it
 * in the file, in their order. */
bool plan_write_head(const struct plan *p, const struct plan_head *h,
    struct buf *out, bt_error_t *e);

#endif /* SPOOL_PLAN_H */
