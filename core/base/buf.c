/* SPDX-License-Identifier: MIT */
/*
 * The growable byte buffer. One byte more than `room` is always allocated, so
 * that buf_text can terminate without failing.
 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOM_FIRST 256
#define TAKE_OVER 65536 /* bytes from which on it is worth the trouble */

void
buf_init(struct buf *b, size_t cap)
{
	*b = (struct buf){.cap = cap < SIZE_MAX ? cap : SIZE_MAX - 1};
}

void
buf_deinit(struct buf *b)
{
	free(b->data);
	buf_init(b, b->cap);
}

void
buf_clear(struct buf *b)
{
	b->size = 0;
	b->failed = false;
}

static bool
reserve(struct buf *b, size_t size)
{
	size_t room = b->room;
	uint8_t *data;

	if (b->failed)
		return false;
	if (size <= b->room - b->size)
		return true;
	if (size > b->cap - b->size)
		goto fail;
	if (room < ROOM_FIRST)
		room = ROOM_FIRST;
	else
		room = room <= b->cap / 2 ? room * 2 : b->cap;
	if (room < b->size + size)
		room = b->size + size;
	if (room > b->cap)
		room = b->cap;
	data = realloc(b->data, room + 1);
	if (data == NULL)
		goto fail;
	b->data = data;
	b->room = room;
	return true;
fail:
	b->failed = true;
	return false;
}

uint8_t *
buf_extend(struct buf *b, size_t size)
{
	uint8_t *place;

	/* Also with size 0 the answer must not be NULL. */
	if (b->data == NULL && size == 0 && !b->failed) {
		b->data = malloc(1);
		if (b->data == NULL)
			b->failed = true;
	}
	if (!reserve(b, size))
		return NULL;
	place = b->data + b->size;
	b->size += size;
	return place;
}

void
buf_append(struct buf *b, const void *data, size_t size)
{
	if (size == 0 || !reserve(b, size))
		return;
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

bool
buf_reserve(struct buf *b, size_t size)
{
	return reserve(b, size);
}

/* Much behind little: the little is put before it, and nothing large is
 * allocated. */
static bool
take_over(struct buf *b, struct buf *part)
{
	size_t before = b->size;
	struct buf old = *b;

	if (part->size < TAKE_OVER || before > part->size / 4 ||
	    part->size > b->cap - before || b->failed || part->failed ||
	    !reserve(part, before))
		return false;
	memmove(part->data + before, part->data, part->size);
	if (before != 0)
		memcpy(part->data, old.data, before);
	b->data = part->data;
	b->room = part->room < b->cap ? part->room : b->cap;
	b->size = before + part->size;
	free(old.data);
	part->data = NULL;
	return true;
}

void
buf_take(struct buf *b, struct buf *part)
{
	if (!take_over(b, part)) {
		buf_append(b, part->data, part->size);
		if (part->failed)
			b->failed = true;
	}
	buf_deinit(part);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

void
buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	size_t left;
	int n;

	if (b->failed)
		return;
	/* First into the room there is: mostly that is enough. */
	left = b->data != NULL ? b->room - b->size : 0;
	va_copy(again, ap);
	n = vsnprintf(b->data != NULL ? (char *)b->data + b->size : NULL,
	    b->data != NULL ? left + 1 : 0, format, ap);
	if (n < 0) {
		b->failed = true;
	} else if (b->data != NULL && (size_t)n <= left) {
		b->size += (size_t)n;
	} else if (reserve(b, (size_t)n)) {
		if (n > 0)
			(void)vsnprintf((char *)b->data + b->size,
			    (size_t)n + 1, format, again);
		b->size += (size_t)n;
	}
	va_end(again);
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(b, format, ap);
	va_end(ap);
}

const char *
buf_text(struct buf *b)
{
	if (b->data == NULL)
		return "";
	b->data[b->size] = '\0';
	return (const char *)b->data;
}
