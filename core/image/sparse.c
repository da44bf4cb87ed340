/* SPDX-License-Identifier: MIT */
/*
 * Two decoders: one that only ever goes on, and leaves a mark (the place of a
 * block and the 32 KiB that matches may reach) about every MiB; and one that
 * goes back to a mark. Both write to a short piece of memory of their own that
 * stays in the processor's cache, from which the parts that are wanted are
 * copied: a program of 167 MB of DWARF needs seven of them.
 */
#include "image/sparse.h"
#include "base/vec.h"
#include "image/guess.h"
#include <stdlib.h>
#include <sys/mman.h>

enum {
	PIECE = 16 << 10, /* what is kept or not as one */
	STEP = 256 << 10,
	MARK_EVERY = 1 << 20,
	MARKS_MAX = 1 << 16
};

struct mark {
	uint64_t bit; /* of a block, in the compressed data */
	size_t at;    /* of its first byte, in the section */
	size_t n;     /* bytes of history */
	uint8_t *history;
};

struct decoder {
	struct deflate deflate;
	size_t at;  /* the position that comes next */
	size_t pos; /* bytes in buffer; the last of them are those before at */
	uint8_t buffer[DEFLATE_WINDOW + STEP];
};

struct sparse {
	struct view packed;
	uint8_t *bytes;
	size_t size;
	struct guess *guess; /* for `ahead` */
	uint8_t *kept;	     /* one for each PIECE: it is there */
	VEC(struct mark) marks;
	struct decoder *ahead, *back;
};

struct sparse *
sparse_new(struct view packed, uint8_t *bytes, size_t size, struct guess *guess)
{
	struct sparse *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	vec_init(&p->marks, MARKS_MAX);
	p->packed = packed;
	p->bytes = bytes;
	p->size = size;
	p->guess = guess;
	p->kept = calloc(1, size / PIECE + 1);
	p->ahead = malloc(sizeof(*p->ahead));
	if (p->kept == NULL || p->ahead == NULL ||
	    !deflate_init(&p->ahead->deflate, packed, 0)) {
		sparse_free(p);
		return NULL;
	}
	p->ahead->at = p->ahead->pos = 0;
	return p;
}

void
sparse_free(struct sparse *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->marks.count; i++)
		free(p->marks.items[i].history);
	vec_deinit(&p->marks);
	free(p->kept);
	free(p->ahead);
	free(p->back);
	free(p);
}

size_t
sparse_passed(const struct sparse *p)
{
	return (size_t)(p->ahead->deflate.next - p->ahead->deflate.start);
}

struct view
sparse_rest(const struct sparse *p)
{
	return deflate_rest(&p->ahead->deflate);
}

/* Without a mark it only takes longer to come back. */
static void
add_mark(struct sparse *p)
{
	const struct decoder *d = p->ahead;
	size_t last = p->marks.count > 0 ? p->marks.items[p->marks.count - 1].at
					 : 0;
	size_t n = d->pos < DEFLATE_WINDOW ? d->pos : DEFLATE_WINDOW;
	struct mark *m;
	uint64_t bit;
	uint8_t *history;

	if (d->at - last < MARK_EVERY || !deflate_block(&d->deflate, &bit))
		return;
	history = malloc(n);
	m = history != NULL ? vec_push(&p->marks) : NULL;
	if (m == NULL) {
		free(history);
		return;
	}
	memcpy(history, d->buffer + d->pos - n, n);
	*m = (struct mark){bit, d->at, n, history};
}

/* The last mark at or before a position; NULL: the beginning. */
static const struct mark *
mark_before(const struct sparse *p, size_t at)
{
	size_t low = 0, high = p->marks.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->marks.items[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &p->marks.items[low - 1] : NULL;
}

/* The decoder to begin with, at or before a position; NULL: no memory. */
static struct decoder *
decoder_before(struct sparse *p, size_t at)
{
	const struct mark *m = mark_before(p, at);
	size_t from = m != NULL ? m->at : 0;
	struct decoder *d = p->back;

	if (p->ahead->at <= at)
		return p->ahead;
	if (d != NULL && d->at <= at && d->at >= from &&
	    d->deflate.failed == false)
		return d;
	if (d == NULL)
		d = p->back = malloc(sizeof(*d));
	if (d == NULL ||
	    !deflate_init(&d->deflate, p->packed, m != NULL ? m->bit : 0)) {
		free(p->back);
		p->back = NULL;
		return NULL;
	}
	d->at = from;
	d->pos = m != NULL ? m->n : 0;
	if (m != NULL)
		memcpy(d->buffer, m->history, m->n);
	return d;
}

/* Goes on, at most to `end`; what is not before `from` is kept. */
static bool
go_on(struct sparse *p, struct decoder *d, size_t from, size_t end)
{
	size_t n = end - d->at < STEP ? end - d->at : STEP, before, done;

	if (n > sizeof(d->buffer) - d->pos) {
		memmove(d->buffer, d->buffer + d->pos - DEFLATE_WINDOW,
		    DEFLATE_WINDOW);
		d->pos = DEFLATE_WINDOW;
	}
	before = d->pos;
	if (guess_run(d == p->ahead ? p->guess : NULL, &d->deflate, d->buffer,
		&d->pos, d->pos + n, d == p->ahead) == DEFLATE_DAMAGED)
		return false;
	done = d->pos - before;
	if (d->at + done > from) {
		size_t skip = d->at < from ? from - d->at : 0;

		memcpy(p->bytes + d->at + skip, d->buffer + before + skip,
		    done - skip);
	}
	d->at += done;
	if (d == p->ahead)
		add_mark(p);
	/* Its end came too early. */
	return done > 0 || d->deflate.at == DEFLATE_HEADER;
}

static bool
fill(struct sparse *p, size_t from, size_t to)
{
	struct decoder *d = decoder_before(p, from);

	if (d == NULL)
		return false;
	while (d->at < to) {
		if (!go_on(p, d, from, to))
			return false;
	}
	return to < p->size || d != p->ahead || deflate_finish(&d->deflate);
}

bool
sparse_range(struct sparse *p, size_t from, size_t to)
{
	size_t i = from / PIECE, n = (to + PIECE - 1) / PIECE;

	while (i < n) {
		size_t first = i, end;

		if (p->kept[i] != 0) {
			i++;
			continue;
		}
		while (i < n && p->kept[i] == 0)
			i++;
		end = i * PIECE < p->size ? i * PIECE : p->size;
		if (!fill(p, first * PIECE, end))
			return false;
		memset(p->kept + first, 1, i - first);
	}
	return true;
}

void
sparse_forget(struct sparse *p, size_t from, size_t to)
{
	size_t first = (from + PIECE - 1) / PIECE, end = to / PIECE;

	if (first >= end)
		return;
	memset(p->kept + first, 0, end - first);
	(void)madvise(
	    p->bytes + first * PIECE, (end - first) * PIECE, MADV_DONTNEED);
}
