/* SPDX-License-Identifier: MIT */
/*
 * The first and the last SCRUB_LEAST bytes of each value are what is looked
 * for; a bitmap over a hash of four bytes says at nearly every position that
 * none begins there. Behind a hit, the whole value is compared.
 */
#include <stdlib.h>
#include <string.h>

#include "snapshot/scrub.h"

enum { KEY = 4, HASH_BITS = 16 };

struct value {
	uint8_t *bytes;
	size_t size;
	char mark[SCRUB_MARK + 1];
};

struct scrub {
	struct value values[SCRUB_VALUES_MAX];
	size_t count;
	uint8_t bitmap[(1 << HASH_BITS) / 8];
};

static uint32_t
key_at(const uint8_t *p)
{
	uint32_t key;

	memcpy(&key, p, sizeof(key));
	return key;
}

static uint32_t
hash_of(uint32_t key)
{
	return (uint32_t)(key * UINT32_C(0x9e3779b1)) >> (32 - HASH_BITS);
}

static void
mark_key(struct scrub *s, const uint8_t *p)
{
	uint32_t h = hash_of(key_at(p));

	s->bitmap[h / 8] = (uint8_t)(s->bitmap[h / 8] | 1u << (h % 8));
}

static bool
may_begin(const struct scrub *s, const uint8_t *p)
{
	uint32_t h = hash_of(key_at(p));

	return (s->bitmap[h / 8] >> (h % 8) & 1) != 0;
}

struct scrub *
scrub_new(void)
{

	return calloc(1, sizeof(struct scrub));
}

void
scrub_free(struct scrub *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->values[i].bytes);
	free(s);
}

const char *
scrub_mark(const struct scrub *s, const void *value, size_t size)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->values[i].size == size &&
		    memcmp(s->values[i].bytes, value, size) == 0)
			return s->values[i].mark;
	return NULL;
}

bool
scrub_add(struct scrub *s, const void *value, size_t size, const char *mark)
{
	struct value *v = &s->values[s->count];

	if (size < SCRUB_LEAST || size > SCRUB_MOST)
		return false;
	if (scrub_mark(s, value, size) != NULL)
		return true;
	if (s->count == SCRUB_VALUES_MAX || (v->bytes = malloc(size)) == NULL)
		return false;
	memcpy(v->bytes, value, size);
	v->size = size;
	if (strlen(mark) == SCRUB_MARK)
		memcpy(v->mark, mark, SCRUB_MARK + 1);
	mark_key(s, v->bytes);
	mark_key(s, v->bytes + size - SCRUB_LEAST);
	s->count++;
	return true;
}

size_t
scrub_count(const struct scrub *s)
{

	return s->count;
}

bool
scrub_touches(const struct scrub *s, const void *data, size_t size)
{
	const uint8_t *p = data;

	if (s->count == 0)
		return false;
	for (size_t i = 0; i + SCRUB_LEAST <= size; i++) {
		if (!may_begin(s, p + i))
			continue;
		for (size_t k = 0; k < s->count; k++) {
			const struct value *v = &s->values[k];

			if (memcmp(p + i, v->bytes, SCRUB_LEAST) == 0 ||
			    memcmp(p + i, v->bytes + v->size - SCRUB_LEAST,
				SCRUB_LEAST) == 0)
				return true;
		}
	}
	return false;
}

/* What of the value is at data + at: from there on, or, of one that began
 * before the bytes did, up to SCRUB_LEAST bytes from there. */
static size_t
value_at(const struct value *v, const uint8_t *data, size_t size, size_t at,
    bool cut, size_t *start)
{
	size_t left = size - at, part = at + SCRUB_LEAST;

	*start = at;
	if (left >= v->size) {
		if (memcmp(data + at, v->bytes, v->size) == 0)
			return v->size;
	} else if (cut && memcmp(data + at, v->bytes, left) == 0) {
		return left;
	}
	if (cut && part < v->size &&
	    memcmp(data, v->bytes + v->size - part, part) == 0) {
		*start = 0;
		return part;
	}
	return 0;
}

static bool
continues(uint8_t byte)
{

	return (byte & 0xc0) == 0x80;
}

/* Half a character would be left on either side. */
static void
widen(const uint8_t *data, size_t size, size_t *start, size_t *end)
{
	if (*start < size && continues(data[*start])) {
		while (*start > 0 && continues(data[*start - 1]))
			--*start;
		if (*start > 0)
			--*start;
	}
	while (*end < size && continues(data[*end]))
		++*end;
}

static void
blank(const struct value *v, uint8_t *data, size_t start, size_t end)
{
	static const char open[] = "<hmac ";
	const size_t head = sizeof(open) - 1;

	memset(data + start, '*', end - start);
	if (v->mark[0] == '\0' || end - start < head + SCRUB_MARK + 1)
		return;
	memcpy(data + start, open, head);
	memcpy(data + start + head, v->mark, SCRUB_MARK);
	data[start + head + SCRUB_MARK] = '>';
}

size_t
scrub_clean(const struct scrub *s, uint8_t *data, size_t size, unsigned how)
{
	bool cut = (how & SCRUB_CUT) != 0;
	size_t n = 0;

	for (size_t i = 0; i + SCRUB_LEAST <= size; i++) {
		const struct value *best = NULL;
		size_t from = 0, to = 0;

		if (!may_begin(s, data + i))
			continue;
		/* The longest: one value may begin with another. */
		for (size_t k = 0; k < s->count; k++) {
			size_t start,
			    found = value_at(
				&s->values[k], data, size, i, cut, &start);

			if (found == 0 || (best != NULL && start + found <= to))
				continue;
			best = &s->values[k];
			from = start;
			to = start + found;
		}
		if (best == NULL)
			continue;
		if ((how & SCRUB_TEXT) != 0)
			widen(data, size, &from, &to);
		blank(best, data, from, to);
		n++;
		i = to - 1;
	}
	return n;
}
