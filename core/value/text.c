/* SPDX-License-Identifier: MIT */
/*
 * Text: what a character pointer points to, character arrays, characters.
 * Strings of one-byte characters keep their bytes as they are; wide ones
 * (UTF-16, UTF-32, told by the width) become UTF-8.
 *
 * An array is shown as GDB does: without its trailing NULs, with those inside.
 */
#include "base/text.h"
#include "value/value_private.h"

void
text_set(struct value_reader *r, struct snap_variable *v, const void *text,
    size_t size)
{
	const char *copy;

	if (size > UINT32_MAX || value_charge(r, size) == false) {
		v->flags |= SNAP_VAR_TRUNCATED;
		return;
	}
	/* Interned text ends at its first NUL: bytes with NULs inside get a
	 * copy of their own. */
	if (memchr(text, 0, size) == NULL)
		copy = snapshot_stringn(r->snapshot, text, size);
	else
		copy = arena_strndup(&r->snapshot->arena, text, size);
	if (copy == NULL ||
	    (size != 0 && copy[0] == '\0' && *(const char *)text != '\0')) {
		v->flags |= SNAP_VAR_TRUNCATED; /* the arena is full */
		return;
	}
	v->string = copy;
	v->string_size = (uint32_t)size;
	v->flags |= SNAP_VAR_STRING;
}

static void
text_cut(struct snap_variable *v, uint64_t length)
{
	v->flags |= SNAP_VAR_TRUNCATED;
	if (length != 0) {
		v->flags |= SNAP_VAR_LENGTH;
		v->length = length;
	}
}

/* ---- wide characters ---- */

/* Appends a code point; what is none (a lone surrogate, a number too large)
 * becomes U+FFFD, so that the text stays text. */
static void
put_code(struct buf *b, uint32_t c)
{
	char bytes[4];

	if (!text_is_code_point(c))
		c = 0xfffd;
	buf_append(b, bytes, text_utf8(c, bytes));
}

static uint32_t
wide_unit(const uint8_t *p, uint64_t index, size_t width)
{
	return (uint32_t)scalar_u64(p + index * width, width);
}

/* count units of 2 or 4 bytes as UTF-8. */
static void
put_wide(struct buf *b, const uint8_t *p, uint64_t count, size_t width)
{
	for (uint64_t i = 0; i < count; i++) {
		uint32_t c = wide_unit(p, i, width), low;

		if (width == 2 && (c & 0xfc00) == 0xd800 && i + 1 < count) {
			low = wide_unit(p, i + 1, width);
			if ((low & 0xfc00) == 0xdc00) {
				c = 0x10000 + ((c & 0x3ff) << 10) +
				    (low & 0x3ff);
				i++;
			}
		}
		put_code(b, c);
	}
}

static void
text_set_wide(struct value_reader *r, struct snap_variable *v, const uint8_t *p,
    uint64_t count, size_t width)
{
	struct buf b;

	buf_init(&b, (size_t)r->limits.string_bytes * 4 + 16);
	put_wide(&b, p, count, width);
	if (b.failed == false)
		text_set(r, v, b.data != NULL ? (char *)b.data : "", b.size);
	buf_deinit(&b);
}

void
text_char(
    struct value_reader *r, uint64_t code, size_t size, struct snap_variable *v)
{
	uint8_t bytes[8];

	memcpy(bytes, &code, sizeof(bytes));
	if (size == 1)
		text_set(r, v, bytes, 1);
	else if (size == 2 || size == 4)
		text_set_wide(r, v, bytes, 1, size);
}

/* ---- arrays ---- */

/* Length without trailing zero units. */
static uint64_t
trimmed(const uint8_t *p, uint64_t count, size_t width)
{
	uint64_t size = count * width;

	while (size > 0 && p[size - 1] == 0)
		size--;
	return (size + width - 1) / width;
}

/* What of the array is looked at to tell text that is over from text that is
 * cut. */
static uint64_t
examined(struct value_reader *r, const struct source *src, uint64_t count,
    size_t width)
{
	uint64_t most = VALUE_WINDOW_SIZE / 2 / width;

	if (src->kind != SOURCE_MEMORY && src->size / width < most)
		most = src->size / width;
	if (most < r->limits.string_bytes)
		most = r->limits.string_bytes;
	return count < most ? count : most;
}

/* clang describes the first characters of a string and leaves the rest out:
 * how many bytes of `size` come before such a rest. */
static uint64_t
described(const struct source *src, uint64_t offset, uint64_t size)
{
	if (src->kind != SOURCE_BYTES || src->state == NULL)
		return size;
	for (uint64_t i = 0; i < size && offset + i < src->size; i++) {
		if (src->state[offset + i] == BYTE_UNDESCRIBED)
			return i;
		if (src->state[offset + i] != BYTE_THERE)
			return size;
	}
	return size;
}

void
text_array(struct value_reader *r, const struct shape *s,
    const struct source *src, uint64_t offset, uint64_t count,
    struct snap_variable *v)
{
	size_t width = s->target != NULL ? (size_t)s->target->size : 0;
	uint64_t seen, length, most = r->limits.string_bytes;
	const char *reason = value_optimized_out;
	const uint8_t *p;
	uint8_t *room;

	if (width != 1 && width != 2 && width != 4) {
		value_unavailable(v, "unknown character type");
		return;
	}
	v->kind = SNAP_STRING;
	seen = examined(r, src, count, width);
	if (seen != 0)
		seen = described(src, offset, seen * width) / width;
	if (seen == 0 && count != 0) {
		value_unavailable(v, value_optimized_out);
		return;
	}
	p = source_get(r, src, offset, seen * width, NULL, &reason);
	if (p == NULL &&
	    (room = arena_alloc(&r->scratch, seen * width)) != NULL)
		p = source_get(r, src, offset, seen * width, room, &reason);
	if (p == NULL) {
		value_unavailable(v, reason);
		return;
	}
	length = trimmed(p, seen, width);
	if (seen < count || length > most)
		text_cut(v, count);
	if (length > most)
		length = most;
	if (width == 1)
		text_set(r, v, p, length);
	else
		text_set_wide(r, v, p, length, width);
}

/* ---- pointers ---- */

static void
pointed_bytes(struct value_reader *r, uint64_t address, struct snap_variable *v)
{
	size_t most = r->limits.string_bytes, size;
	const uint8_t *p, *nul;
	bool cut = false;
	char *room;
	ssize_t n;

	size = target_view(r->target, address, VALUE_STRING_SCAN, &p);
	nul = size != 0 ? memchr(p, 0, size) : NULL;
	if (nul != NULL) {
		size = (size_t)(nul - p);
		if (size > most)
			text_cut(v, size);
		text_set(r, v, p, size < most ? size : most);
		return;
	}
	/* The string runs over the end of what lies together. */
	room = arena_alloc(&r->scratch, most + 1);
	if (room == NULL)
		return;
	n = target_read_cstr(r->target, address, room, most + 1, &cut);
	if (n < 0)
		return;
	if (cut || (size_t)n > most)
		text_cut(v, 0);
	text_set(r, v, room, (size_t)n < most ? (size_t)n : most);
}

static void
pointed_wide(struct value_reader *r, uint64_t address, size_t width,
    struct snap_variable *v)
{
	uint32_t most = r->limits.string_bytes, n = 0;
	uint8_t *units = arena_alloc(&r->scratch, (size_t)most * width);
	bool cut = true;

	if (units == NULL)
		return;
	for (; n < most; n++) {
		uint8_t room[8];
		const uint8_t *p = value_memory(
		    r, address + (uint64_t)n * width, width, room);

		if (p == NULL && n == 0)
			return;
		if (p == NULL)
			break;
		if (scalar_u64(p, width) == 0) {
			cut = false;
			break;
		}
		memcpy(units + (size_t)n * width, p, width);
	}
	if (cut)
		text_cut(v, 0);
	text_set_wide(r, v, units, n, width);
}

/* Many frames hold the same few pointers: a string is read once. */
void
text_pointer(struct value_reader *r, const struct shape *s, uint64_t address,
    struct snap_variable *v)
{
	size_t width = s->target != NULL ? (size_t)s->target->size : 0;
	struct text_entry *t = &r->texts[map_mix(address) & (VALUE_TEXTS - 1)];

	if (width != 1 && width != 2 && width != 4)
		return;
	if (t->text != NULL && t->address == address && t->width == width) {
		v->string = t->text;
		v->string_size = t->size;
		v->length = t->length;
		v->flags |= t->flags;
		return;
	}
	if (width == 1)
		pointed_bytes(r, address, v);
	else
		pointed_wide(r, address, width, v);
	if ((v->flags & SNAP_VAR_STRING) == 0)
		return;
	*t = (struct text_entry){
	    .address = address,
	    .text = v->string,
	    .length = v->length,
	    .size = v->string_size,
	    .flags = v->flags &
		(SNAP_VAR_STRING | SNAP_VAR_TRUNCATED | SNAP_VAR_LENGTH),
	    .width = (uint8_t)width,
	};
}

/* The text at offset of a source that need not be memory. */
void
text_source(struct value_reader *r, const struct shape *s,
    const struct source *src, uint64_t offset, struct snap_variable *v)
{
	const char *reason;
	const uint8_t *p, *nul;
	uint64_t left;

	if (src->kind == SOURCE_MEMORY) {
		text_pointer(r, s, src->address + offset, v);
		return;
	}
	if (src->kind != SOURCE_BYTES || offset >= src->size ||
	    s->target == NULL || s->target->size != 1)
		return;
	left = src->size - offset;
	if (left > r->limits.string_bytes)
		left = r->limits.string_bytes;
	p = source_get(r, src, offset, left, NULL, &reason);
	nul = p != NULL ? memchr(p, 0, left) : NULL;
	if (nul != NULL)
		text_set(r, v, p, (size_t)(nul - p));
}
