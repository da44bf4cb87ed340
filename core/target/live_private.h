/* SPDX-License-Identifier: MIT */
/*
 * A captured process being examined.
 */
#ifndef TARGET_LIVE_PRIVATE_H
#define TARGET_LIVE_PRIVATE_H

#include "base/map.h"
#include "target/live.h"
#include "target/target_private.h"

/* Where a mapping's file is: the name may mean another file by now. */
struct live_file {
	bt_addr_t start, end;
	uint64_t inode;
	const char *path; /* as the kernel prints it */
};

/* Opens files as the process sees them; what is not a module is the business
 * of the one behind it. */
struct live_opener {
	struct opener base;
	struct opener *next;
	const struct capture *capture;
	const struct live_file *files;
	size_t n_files;
};

/* Memory read after the resumption. */
struct live_block {
	struct live_block *next;
	uint8_t bytes[];
};

struct live {
	struct target base;
	const struct capture *capture;
	VEC(struct capture_range) ranges; /* sorted, disjoint */
	size_t last;
	VEC(struct live_file) file_places;
	struct live_opener opener;

	struct map pages; /* read later: number -> bytes, 1 unreadable */
	struct live_block *blocks;
	uint64_t block_bytes;
	uint64_t ahead_at; /* page at which reading in order would go on */
	size_t ahead;	   /* pages to read at once then */
	bool warned;
};

/* live_memory.c */
bool live_memory_init(struct live *l);
void live_memory_deinit(struct live *l);
size_t live_view(
    struct target *t, bt_addr_t address, size_t size, const uint8_t **out);
size_t live_fetch(
    struct target *t, bt_addr_t address, size_t size, const uint8_t **out);

/* live_files.c */
void live_opener_init(struct live *l, const struct target_options *options);

/* live_facts.c: attributes. */
void live_facts(struct live *l);

/* live_process.c */
void live_limits(struct live *l);
void live_descriptors(struct live *l);

#endif /* TARGET_LIVE_PRIVATE_H */
