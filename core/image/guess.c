/* SPDX-License-Identifier: MIT */
/*
 * Who guesses leaves a gap before him, which the reader inflates meanwhile, and
 * then decodes a piece; the gap is so wide that both are there at about the
 * same time (the reader has to carry out the piece before it as well). So each
 * of two threads does half of the work. A reader who is slower finds some
 * pieces in stock, one who is faster makes the rest of a piece himself.
 *
 * A place is guessed by its header alone: of a million bits some twenty look
 * like one, and in as good as all of these the codes that follow are not
 * complete. What is found was decoded from data that the reader believes as
 * well, so he needs to know nothing but where the blocks of a piece begin.
 */
#include "image/guess.h"
#include <pthread.h>
#include <stdlib.h>

enum {
	PIECES = 6,
	BLOCKS = 128,		 /* of a piece, at most */
	PIECE = (256 << 10) * 8, /* bits */
	/* What it takes to find and decode a piece, and to carry it out, as
	 * bits that are inflated in that time. */
	DECODED = PIECE,
	CARRIED = PIECE / 5,
	GAP_MIN = (16 << 10) * 8,
	TOKENS = 192 << 10, /* room of a piece: address space until used */
	LITERALS = 1 << 20
};

struct piece {
	uint64_t begin[BLOCKS]; /* bit of each block */
	struct deflate_tokens blocks[BLOCKS];
	size_t n;
	uint64_t next; /* where the piece goes on, or ends */

	bool open;	/* there is more to decode */
	uint64_t until; /* bit at which no block of it may begin */
	bool found;	/* a block: the decoder is at the next one */
	bool busy;	/* somebody is decoding: the decoder and the room */
	struct deflate decoder;
	struct deflate_room room;
};

struct guess {
	struct view packed;

	pthread_mutex_t mutex; /* guards what follows */
	struct piece pieces[PIECES];
	uint64_t at; /* bit of the last block that the reader came to */
};

struct guess *
guess_new(struct view packed)
{
	struct guess *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->packed = packed;
	pthread_mutex_init(&g->mutex, NULL);
	return g;
}

static void
free_room(struct piece *p)
{
	free(p->room.items);
	free(p->room.literals);
	p->room = (struct deflate_room){0};
}

void
guess_free(struct guess *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < PIECES; i++)
		free_room(&g->pieces[i]);
	pthread_mutex_destroy(&g->mutex);
	free(g);
}

void
guess_rest(struct guess *g)
{
	if (g == NULL)
		return;
	pthread_mutex_lock(&g->mutex);
	for (size_t i = 0; i < PIECES; i++) {
		struct piece *p = &g->pieces[i];

		/* He may be in the middle of a block of it. */
		if (p->busy ||
		    (p->n > 0 && p->begin[0] <= g->at && g->at < p->next))
			continue;
		p->n = 0;
		p->next = 0;
		p->open = false;
		free_room(p);
	}
	pthread_mutex_unlock(&g->mutex);
}

/* A piece has room once it was used. */
static bool
make_room(struct piece *p)
{
	struct deflate_room *r = &p->room;

	if (r->items == NULL)
		r->items = malloc(TOKENS * sizeof(*r->items));
	if (r->literals == NULL)
		r->literals = malloc(LITERALS);
	r->max = TOKENS;
	r->max_literals = LITERALS;
	r->n = r->n_literals = 0;
	return r->items != NULL && r->literals != NULL;
}

/* What the reader inflates before the piece, while so many are being decoded:
 * he is there when it is, having carried out as many. */
static uint64_t
gap(unsigned n)
{
	uint64_t bits = DECODED / n;

	return bits > CARRIED + GAP_MIN ? bits - CARRIED : GAP_MIN;
}

/* Begins a piece where the reader is through with one. With the mutex held. */
static struct piece *
open_piece(struct guess *g, uint64_t limit)
{
	struct piece *unused = NULL;
	uint64_t from = g->at;
	unsigned n = 1;

	for (size_t i = 0; i < PIECES; i++) {
		struct piece *p = &g->pieces[i];
		uint64_t end = p->open ? p->until : p->next;

		if (!p->busy && end <= g->at)
			unused = p;
		if (end > from)
			from = end;
		n += p->busy;
	}
	from += gap(n);
	if (unused == NULL || from >= limit || !make_room(unused))
		return NULL;
	unused->n = 0;
	unused->next = from;
	unused->until = from + PIECE;
	unused->open = true;
	unused->found = false;
	return unused;
}

/* One with a block to decode. With the mutex held. */
static struct piece *
choose(struct guess *g, uint64_t limit)
{
	for (size_t i = 0; i < PIECES; i++) {
		struct piece *p = &g->pieces[i];

		if (!p->open || p->busy)
			continue;
		if (p->next > g->at && p->next < p->until && p->n < BLOCKS) {
			if (p->next < limit)
				return p;
		} else {
			p->open = false;
		}
	}
	return open_piece(g, limit);
}

/* Decodes the piece's next block, or looks for its first. Without the mutex:
 * of a piece the reader uses only what it has. */
static bool
decode(const struct guess *g, struct piece *p, uint64_t *bit,
    struct deflate_tokens *block)
{
	if (p->found == false &&
	    !deflate_find(&p->decoder, g->packed, bit, p->until)) {
		*bit = p->until;
		return false;
	}
	return deflate_tokens(&p->decoder, &p->room, block);
}

bool
guess_step(struct guess *g, uint64_t limit)
{
	uint64_t bit;
	struct deflate_tokens block;
	struct piece *p;
	bool ok;

	pthread_mutex_lock(&g->mutex);
	p = choose(g, limit > UINT64_MAX / 8 ? limit : limit * 8);
	if (p == NULL) {
		pthread_mutex_unlock(&g->mutex);
		return false;
	}
	p->busy = true;
	bit = p->next;
	pthread_mutex_unlock(&g->mutex);
	ok = decode(g, p, &bit, &block);
	pthread_mutex_lock(&g->mutex);
	if (ok) {
		p->begin[p->n] = bit;
		p->blocks[p->n++] = block;
		p->next = block.end;
		p->found = true;
	} else if (p->found) {
		p->open = false; /* the piece ends before that block */
	} else {
		p->next = bit + 1; /* that was none */
	}
	p->busy = false;
	pthread_mutex_unlock(&g->mutex);
	return true;
}

/* The reader is at a block: true when it is known. */
static bool
block_at(struct guess *g, uint64_t bit, struct deflate_tokens *out)
{
	bool found = false;

	pthread_mutex_lock(&g->mutex);
	g->at = bit;
	for (size_t i = 0; i < PIECES && !found; i++) {
		const struct piece *p = &g->pieces[i];

		if (p->n == 0 || bit < p->begin[0] || bit >= p->next)
			continue;
		for (size_t k = 0; k < p->n && !found; k++) {
			found = p->begin[k] == bit;
			if (found)
				*out = p->blocks[k];
		}
	}
	pthread_mutex_unlock(&g->mutex);
	return found;
}

enum deflate_status
guess_run(struct guess *g, struct deflate *d, uint8_t *out, size_t *pos,
    size_t end, bool blocks)
{
	enum deflate_status status;

	if (g == NULL)
		return deflate_run(d, out, pos, end, blocks);
	do {
		struct deflate_tokens block;
		uint64_t bit;

		if (deflate_block(d, &bit) && block_at(g, bit, &block))
			deflate_follow(d, &block);
		status = deflate_run(d, out, pos, end, true);
	} while (status == DEFLATE_MORE && *pos < end && !blocks);
	return status;
}
