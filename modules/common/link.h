/* SPDX-License-Identifier: MIT */
/*
 * Words that glibc's allocator leaves in the blocks that it lists.
 */
#ifndef MODULES_LINK_H
#define MODULES_LINK_H

#include <ptrace/heap.h>

#include "crash.h"

struct link {
	uint64_t value; /* the link itself */
	bt_addr_t to;	/* decoded; 0: it ends its list */
	bool mark;	/* no link, but the random word of cached blocks */
	/* Where it stands now, at the start of a block: it is free, or in use
	 * again and was not set since. */
	bool in_free, in_used;
	ptrace_heap_block_t block; /* of the two a free one, if there is one */
};

/* A value that is a link of a list of free blocks, or was computed from one by
 * adding the offset of a member; or their mark. */
bool link_find(const struct crash *c, uint64_t value, struct link *out);

#endif /* MODULES_LINK_H */
