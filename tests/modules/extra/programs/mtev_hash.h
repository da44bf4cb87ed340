/* SPDX-License-Identifier: MIT */
/*
 * A hash table laid out as libmtev's is.
 */
#ifndef MTEV_HASH_H
#define MTEV_HASH_H

#include <stddef.h>

struct ck_hs_map {
	unsigned generation[2], probe_maximum;
	unsigned long mask, step;
	unsigned probe_limit, tombstones;
	unsigned long n_entries, capacity, size;
	void *probe_bound;
	const void **entries;
};
_Static_assert(offsetof(struct ck_hs_map, n_entries) == 40, "n_entries");
_Static_assert(offsetof(struct ck_hs_map, entries) == 72, "entries");

typedef struct mtev_hash_table {
	union {
		struct {
			void *m;
			struct ck_hs_map *map;
			unsigned long mode, seed;
		} hs;
		char room[64];
	} u;
} mtev_hash_table;

/* The table points at `key`, behind pointers to the data and to the key. */
struct entry {
	const void *data;
	const char *key_ptr;
	const char *key;
};

static inline void
hash_fill(mtev_hash_table *table, struct ck_hs_map *map, void **slots,
    unsigned room, struct entry *entries, unsigned n)
{
	*map = (struct ck_hs_map){.n_entries = n,
	    .capacity = room,
	    .size = room,
	    .entries = (const void **)slots};
	for (unsigned i = 0; i < n; i++)
		slots[i * 3] = &entries[i].key;
	table->u.hs.map = map;
}

void observe(void);

#endif /* MTEV_HASH_H */
