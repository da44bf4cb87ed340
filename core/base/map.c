/* SPDX-License-Identifier: MIT */
/*
 * Open addressing with linear probing. Key 0 marks a free slot; the value of a
 * real key 0 lives in the map itself.
 *
 * Keys are often foreign (offsets and addresses out of a file), so the hash is
 * mixed with the address of the slots, which an input cannot know: no file can
 * be made whose keys all collide. Nothing depends on the order of the slots.
 */
#include "base/map.h"

#include <stdlib.h>

#define ROOM_FIRST 16

struct map_slot {
	uint64_t key; /* 0: free */
	uint64_t value;
};

void
map_init(struct map *m, size_t limit)
{
	*m = (struct map){.limit = limit};
}

void
map_deinit(struct map *m)
{
	free(m->slots);
	map_init(m, m->limit);
}

void
map_clear(struct map *m)
{
	if (m->count > 0 && m->room > 0)
		memset(m->slots, 0, m->room * sizeof(*m->slots));
	m->count = 0;
	m->has_zero = false;
	m->zero_value = 0;
}

/* The slot of the key, or the free one where it belongs. There is always a
 * free one: the map grows before it is full. */
static struct map_slot *
find(struct map_slot *slots, size_t room, uint64_t key)
{
	size_t i = (size_t)map_mix(key ^ (uintptr_t)slots) & (room - 1);

	while (slots[i].key != key && slots[i].key != 0)
		i = (i + 1) & (room - 1);
	return &slots[i];
}

uint64_t *
map_get(const struct map *m, uint64_t key)
{
	struct map_slot *slot;

	if (key == 0)
		return m->has_zero ? (uint64_t *)&m->zero_value : NULL;
	if (m->room == 0)
		return NULL;
	slot = find(m->slots, m->room, key);
	return slot->key == key ? &slot->value : NULL;
}

static bool
grow(struct map *m)
{
	size_t room = m->room == 0 ? ROOM_FIRST : m->room * 2;
	struct map_slot *slots;

	/* No table of 2^63 slots exists to be doubled; calloc checks the
	 * product. */
	slots = calloc(room, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < m->room; i++) {
		if (m->slots[i].key != 0)
			*find(slots, room, m->slots[i].key) = m->slots[i];
	}
	free(m->slots);
	m->slots = slots;
	m->room = room;
	return true;
}

static uint64_t *
put_zero(struct map *m, bool *is_new)
{
	if (!m->has_zero) {
		if (m->count >= m->limit)
			return NULL;
		m->has_zero = true;
		m->zero_value = 0;
		m->count++;
		*is_new = true;
	}
	return &m->zero_value;
}

uint64_t *
map_put(struct map *m, uint64_t key, bool *is_new)
{
	struct map_slot *slot = NULL;
	bool ignored;

	if (is_new == NULL)
		is_new = &ignored;
	*is_new = false;
	if (key == 0)
		return put_zero(m, is_new);
	if (m->room > 0) {
		slot = find(m->slots, m->room, key);
		if (slot->key == key)
			return &slot->value;
	}
	if (m->count >= m->limit)
		return NULL;
	/* At most two thirds full. */
	if (m->count >= m->room - m->room / 3) {
		if (!grow(m))
			return NULL;
		slot = find(m->slots, m->room, key);
	}
	slot->key = key;
	slot->value = 0;
	m->count++;
	*is_new = true;
	return &slot->value;
}

bool
map_next(const struct map *m, size_t *at, uint64_t *key, uint64_t *value)
{
	while (*at < m->room) {
		const struct map_slot *slot = &m->slots[(*at)++];

		if (slot->key != 0) {
			*key = slot->key;
			*value = slot->value;
			return true;
		}
	}
	if (*at != m->room || m->has_zero == false)
		return false;
	(*at)++;
	*key = 0;
	*value = m->zero_value;
	return true;
}
