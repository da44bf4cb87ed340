/* SPDX-License-Identifier: MIT */
/*
 * The table of interned strings. The hash is seeded with the table's own
 * address, which an input cannot know, so that no file can be made whose names
 * all collide.
 */
#include "base/strings.h"

#include <stdlib.h>

#define ROOM_FIRST 64

struct strings_slot {
	const char *text; /* NULL: free */
	uint64_t hash;
	size_t len;
};

void
strings_init(struct strings *s, struct arena *arena)
{
	*s = (struct strings){.arena = arena};
}

void
strings_deinit(struct strings *s)
{
	free(s->slots);
	strings_init(s, s->arena);
}

/* Multiplies to 128 bits and folds: every input bit reaches every output
 * bit. */
static uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
hash_text(const char *text, size_t len, uint64_t seed)
{
	uint64_t h = seed ^ ((uint64_t)len * UINT64_C(0x9e3779b97f4a7c15));
	uint64_t word;

	while (len >= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		h = fold(h ^ word, UINT64_C(0xd6e8feb86659fd93));
		text += sizeof(word);
		len -= sizeof(word);
	}
	word = 0;
	memcpy(&word, text, len);
	return fold(h ^ word, UINT64_C(0xa0761d6478bd642f));
}

static struct strings_slot *
find(struct strings_slot *slots, size_t room, uint64_t hash, const char *text,
    size_t len)
{
	size_t i = (size_t)hash & (room - 1);

	while (slots[i].text != NULL) {
		if (slots[i].hash == hash && slots[i].len == len &&
		    memcmp(slots[i].text, text, len) == 0)
			break;
		i = (i + 1) & (room - 1);
	}
	return &slots[i];
}

static bool
grow(struct strings *s)
{
	size_t room = s->room == 0 ? ROOM_FIRST : s->room * 2;
	struct strings_slot *slots;

	/* No table of 2^63 slots exists to be doubled; calloc checks the
	 * product. */
	slots = calloc(room, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < s->room; i++) {
		const struct strings_slot *old = &s->slots[i];
		size_t at;

		if (old->text == NULL)
			continue;
		/* All are different: the first free place is right. */
		at = (size_t)old->hash & (room - 1);
		while (slots[at].text != NULL)
			at = (at + 1) & (room - 1);
		slots[at] = *old;
	}
	free(s->slots);
	s->slots = slots;
	s->room = room;
	return true;
}

const char *
strings_addn(struct strings *s, const char *text, size_t len)
{
	struct strings_slot *slot;
	uint64_t hash;

	if (text == NULL)
		return "";
	/* What C would not see behind a NUL must not make two copies. */
	len = strnlen(text, len);
	if (len == 0)
		return "";
	if (s->count >= s->room - s->room / 3 && !grow(s))
		return "";
	hash = hash_text(text, len, (uint64_t)(uintptr_t)s->arena);
	slot = find(s->slots, s->room, hash, text, len);
	if (slot->text == NULL) {
		const char *copy = arena_strndup(s->arena, text, len);

		if (copy == NULL)
			return "";
		*slot = (struct strings_slot){copy, hash, len};
		s->count++;
	}
	return slot->text;
}

const char *
strings_find(const struct strings *s, const char *text)
{
	size_t len = strlen(text);

	return s->room == 0
	    ? NULL
	    : find(s->slots, s->room,
		  hash_text(text, len, (uint64_t)(uintptr_t)s->arena), text,
		  len)
		  ->text;
}

const char *
strings_add(struct strings *s, const char *text)
{
	return text != NULL ? strings_addn(s, text, strlen(text)) : "";
}
