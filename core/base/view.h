/* SPDX-License-Identifier: MIT */
/*
 * The bounded reader. Every byte that comes from a core, a process, an ELF
 * file or the network is read through a view. A read past the end returns
 * zero (or NULL), does not move, and sets `failed`, which is sticky: a parser
 * reads a whole record and checks view_ok() once. Loops must check it on each
 * turn. Values are little-endian; of other cores target/core_private.h swaps.
 *
 * A view borrows its bytes; whoever made it says how long they live.
 */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include "base/error.h"
#include <string.h>

struct view {
	const uint8_t *data;
	size_t size;
	size_t pos;
	bool failed;
};

static inline struct view
view_of(const void *data, size_t size)
{
	return (struct view){(const uint8_t *)data, data ? size : 0, 0, false};
}

static inline bool
view_ok(const struct view *v)
{
	return v->failed == false;
}

static inline size_t
view_left(const struct view *v)
{
	return v->size - v->pos;
}

static inline bool
view_end(const struct view *v)
{
	return v->failed || v->pos >= v->size;
}

/* The next len bytes, or NULL. */
static inline const uint8_t *
view_bytes(struct view *v, size_t len)
{
	if (v->failed || len > v->size - v->pos) {
		v->failed = true;
		return NULL;
	}
	/* Nothing of an empty view: an offset to NULL, even of 0, is undefined.
	 * Where len is a constant this costs nothing. */
	if (len == 0 && v->data == NULL)
		return NULL;
	const uint8_t *p = v->data + v->pos;
	v->pos += len;
	return p;
}

static inline void
view_skip(struct view *v, size_t len)
{
	(void)view_bytes(v, len);
}

static inline void
view_seek(struct view *v, size_t pos)
{
	if (v->failed || pos > v->size) {
		v->failed = true;
		return;
	}
	v->pos = pos;
}

#define VIEW_DEFINE(NAME, TYPE)                                                \
	static inline TYPE NAME(struct view *v)                                \
	{                                                                      \
		TYPE x = 0;                                                    \
		const uint8_t *p = view_bytes(v, sizeof(x));                   \
		if (p != NULL)                                                 \
			memcpy(&x, p, sizeof(x));                              \
		return x;                                                      \
	}
VIEW_DEFINE(view_u8, uint8_t)
VIEW_DEFINE(view_u16, uint16_t)
VIEW_DEFINE(view_u32, uint32_t)
VIEW_DEFINE(view_u64, uint64_t)
#undef VIEW_DEFINE

/* An unsigned value of size 1 to 8 bytes (3 is allowed: DW_FORM_strx3). */
static inline uint64_t
view_uint(struct view *v, size_t size)
{
	uint64_t x = 0;
	const uint8_t *p;

	if (size == 0 || size > sizeof(x)) {
		v->failed = true;
		return 0;
	}
	p = view_bytes(v, size);
	if (p != NULL)
		memcpy(&x, p, size);
	return x;
}

/* LEB128. Bits beyond 64 are dropped; more than 16 bytes is a failure. */
static inline uint64_t
view_uleb(struct view *v)
{
	uint64_t x = 0;
	unsigned shift = 0;

	for (int i = 0; i < 16; i++) {
		uint8_t byte = view_u8(v);

		if (v->failed)
			return 0;
		if (shift < 64)
			x |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if ((byte & 0x80) == 0)
			return x;
	}
	v->failed = true;
	return 0;
}

static inline int64_t
view_sleb(struct view *v)
{
	uint64_t x = 0;
	unsigned shift = 0;

	for (int i = 0; i < 16; i++) {
		uint8_t byte = view_u8(v);

		if (v->failed)
			return 0;
		if (shift < 64)
			x |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if ((byte & 0x80) == 0) {
			if (shift < 64 && (byte & 0x40) != 0)
				x |= ~UINT64_C(0) << shift;
			return (int64_t)x;
		}
	}
	v->failed = true;
	return 0;
}

/* A NUL-terminated string inside the view, or NULL. Moves past the NUL. */
static inline const char *
view_cstr(struct view *v)
{
	const uint8_t *start, *nul;

	if (v->failed || v->pos >= v->size) {
		v->failed = true;
		return NULL;
	}
	start = v->data + v->pos;
	nul = memchr(start, 0, v->size - v->pos);
	if (nul == NULL) {
		v->failed = true;
		return NULL;
	}
	v->pos = (size_t)(nul - v->data) + 1;
	return (const char *)start;
}

/* The part [offset, offset + size) as a view of its own; failed when it is not
 * wholly inside. */
static inline struct view
view_sub(const struct view *v, uint64_t offset, uint64_t size)
{
	if (offset > v->size || size > v->size - offset)
		return (struct view){v->data, 0, 0, true};
	return (struct view){v->data != NULL ? v->data + offset : NULL,
	    (size_t)size, 0, v->failed};
}

/* From offset to the end. */
static inline struct view
view_from(const struct view *v, uint64_t offset)
{
	if (offset > v->size)
		return (struct view){v->data, 0, 0, true};
	return (struct view){v->data != NULL ? v->data + offset : NULL,
	    v->size - (size_t)offset, 0, v->failed};
}

#endif /* BASE_VIEW_H */
