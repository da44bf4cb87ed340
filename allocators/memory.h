/* SPDX-License-Identifier: MIT */
/*
 * Words of the target for those who read many of them: a window over what lies
 * together, in place where the target holds it so. Reading on in ascending
 * order costs a few nanoseconds a word; a jump costs one look-up.
 */
#ifndef ALLOCATORS_MEMORY_H
#define ALLOCATORS_MEMORY_H

#include <ptrace/heap.h>

struct memory {
	ptrace_target_t *target;
	bt_addr_t start; /* of the window */
	size_t length;
	const unsigned char *bytes;
	/* Pages of a running process that may still be copied: reading a heap
	 * of gigabytes through the kernel would take minutes and memory. */
	uint64_t live_left;
	bool live;
	uint64_t straddle[2]; /* words that no window holds as a whole */
};

void memory_init(struct memory *m, ptrace_target_t *target);
/* Puts size bytes at address into the window; size <= 16. */
bool memory_move(struct memory *m, bt_addr_t address, size_t size);

static inline bool
memory_has(const struct memory *m, bt_addr_t address, size_t size)
{
	uint64_t offset = address - m->start;

	return offset < m->length && m->length - offset >= size;
}

static inline bool
memory_u64(struct memory *m, bt_addr_t address, uint64_t *out)
{
	if (!memory_has(m, address, sizeof(*out)) &&
	    !memory_move(m, address, sizeof(*out)))
		return false;
	memcpy(out, m->bytes + (address - m->start), sizeof(*out));
	return true;
}

static inline bool
memory_u32(struct memory *m, bt_addr_t address, uint32_t *out)
{
	if (!memory_has(m, address, sizeof(*out)) &&
	    !memory_move(m, address, sizeof(*out)))
		return false;
	memcpy(out, m->bytes + (address - m->start), sizeof(*out));
	return true;
}

/* Somebody will read there soon: a walk from header to header waits for each
 * of them otherwise, for the next one's place is in the last one. */
static inline void
memory_soon(const struct memory *m, bt_addr_t address)
{
	uint64_t offset = address - m->start;

	if (offset < m->length)
		__builtin_prefetch(m->bytes + offset);
}

/* Two words that follow each other: the header of a block. */
static inline bool
memory_pair(struct memory *m, bt_addr_t address, uint64_t out[2])
{
	if (!memory_has(m, address, 16) && !memory_move(m, address, 16))
		return false;
	memcpy(out, m->bytes + (address - m->start), 16);
	return true;
}

#endif /* ALLOCATORS_MEMORY_H */
