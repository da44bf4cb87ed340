/* SPDX-License-Identifier: MIT */
/*
 * A hash map from 64-bit keys to 64-bit values (or pointers), open
 * addressing. Used for caches by pc, by DIE offset, by (address, type).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/error.h"

struct map_slot;

struct map {
	struct map_slot *slots;
	size_t count;
	size_t room; /* power of two, or 0 */
	size_t limit;
	uint64_t zero_value; /* of key 0, which marks a free slot */
	bool has_zero;
};

void map_init(struct map *m, size_t limit);
void map_deinit(struct map *m);
void map_clear(struct map *m);

/* The value's place, or NULL when the key is absent. Valid until the next
 * map_put. */
uint64_t *map_get(const struct map *m, uint64_t key);
/* The value's place, made (zero) if absent; NULL at the limit or without
 * memory. *is_new may be NULL. */
uint64_t *map_put(struct map *m, uint64_t key, bool *is_new);

/* One entry after the other, in no order: *at begins with 0. False: no more.
 * Nothing may be put meanwhile. */
bool map_next(const struct map *m, size_t *at, uint64_t *key, uint64_t *value);

static inline void *
map_get_ptr(const struct map *m, uint64_t key)
{
	uint64_t *value = map_get(m, key);

	return value != NULL ? (void *)(uintptr_t)*value : NULL;
}

static inline bool
map_put_ptr(struct map *m, uint64_t key, void *p)
{
	uint64_t *value = map_put(m, key, NULL);

	if (value != NULL)
		*value = (uint64_t)(uintptr_t)p;
	return value != NULL;
}

/* A good 64-bit mix, also for making keys from several values. */
static inline uint64_t
map_mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	x ^= x >> 33;
	return x;
}

#endif /* BASE_MAP_H */
