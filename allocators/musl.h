/* SPDX-License-Identifier: MIT */
/*
 * musl's allocator since 1.2.1 (mallocng) as it lies in a process, shared by
 * musl_find.c, which finds its groups, musl.c, which answers, and musl_check.c,
 * which holds its invariants.
 *
 * Blocks lie in slots of equal stride, up to 32 of them in a group; what is
 * known of a group lies elsewhere (struct meta), in pages that carry a secret.
 * Before each slot are four bytes: the slot's number and how far its group is.
 */
#ifndef MUSL_H
#define MUSL_H

#include <string.h>

#include "allocators/array.h"
#include "allocators/memory.h"

enum {
	MU_UNIT = 16,
	MU_HEADER = 4, /* bytes before a slot */
	MU_CLASSES = 48,
	MU_SINGLE = 63, /* class of a mapping with one block */
	MU_GROUPS_MAX = 8 << 20,
	MU_AREAS_MAX = 1 << 20
};

struct mu_group {
	bt_addr_t mem;	/* its header, 16 bytes */
	bt_addr_t meta; /* struct meta */
	uint64_t stride;
	uint64_t size; /* bytes from mem, the slots' headers included */
	uint32_t available, freed; /* a bit for each slot */
	uint32_t class;
	uint8_t last; /* slot */
	bool mapped;
	uint32_t outer; /* index of the group it lies in, UINT32_MAX: none */
};

struct mu {
	const ptrace_heap_host_t *host;
	ptrace_target_t *target;
	struct memory memory, blocks; /* tables; headers of slots */
	ptrace_module_t module;
	bt_addr_t context;
	uint64_t secret;
	bool busy; /* a thread is at work in the allocator */
	uint32_t areas;
	bool damaged_area;
	bt_addr_t damaged_at;
	struct mu_group *groups; /* by address */
	size_t n_groups, room_groups;
};

struct mu_slot {	 /* as its headers say */
	bt_addr_t slot;	 /* first byte after the header */
	bt_addr_t start; /* what malloc returned */
	bt_addr_t end;	 /* of the slot, where the next one's header is */
	uint64_t usable;
	bool group;    /* holds a group of smaller slots */
	bool sound;    /* the headers agree with each other */
	bool overrun;  /* the byte behind the block is not null any more */
	bt_addr_t bad; /* the first byte that is not what it must be */
	uint8_t found;
};

bool mu_find(struct mu *mu);
/* The group that holds an address, innermost; NULL: none. */
const struct mu_group *mu_group_at(const struct mu *mu, bt_addr_t address);
static inline bool
mu_is_used(const struct mu_group *g, uint32_t i)
{
	return ((g->available | g->freed) >> i & 1) == 0;
}
bool mu_slot_read(
    struct mu *mu, const struct mu_group *g, uint32_t i, struct mu_slot *out);
bool mu_walk(void *allocator, ptrace_heap_visit_fn *visit, void *ctx);
bool mu_check(void *allocator, ptrace_heap_report_fn *report, void *ctx,
    ptrace_heap_statistics_t *out);

#endif
