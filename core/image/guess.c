/* SPDX-License-Identifier: MIT */
/*
 * The guesser leaves a gap before him, which the reader inflates meanwhile, and
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
	PIECES = 3,
	BLOCKS = 128,		 /* of a piece, at most */
	PIECE = (256 << 10) * 8, /* bits */
	GAP = (200 << 10) * 8,
	TOKENS = 192 << 10, /* room of a piece: address space until used */
	LITERALS = 1 << 20
};

struct piece {
	uint64_t begin[BLOCKS]; /* bit of each block */
	struct deflate_tokens blocks[BLOCKS];
	size_t n;
	uint64_t next; /* where the piece goes on, or ends */
	struct deflate_room room;
};

struct guess {
	struct view packed;

	pthread_mutex_t mutex; /* guards what follows, but for rooms */
	struct piece pieces[PIECES];
	uint64_t at; /* bit of the last block that the reader came to */
	bool busy;   /* somebody is guessing: what follows is his */
	struct piece *open;
	bool found; /* a block in that piece: the decoder is at the next one */
	uint64_t until; /* bit at which no block of it may begin */
	struct deflate decoder;
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

void
guess_free(struct guess *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < PIECES; i++) {
		free(g->pieces[i].room.items);
		free(g->pieces[i].room.literals);
	}
	pthread_mutex_destroy(&g->mutex);
	free(g);
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

/* Begins a piece where the reader is through with one. With the mutex held. */
static bool
open_piece(struct guess *g, uint64_t limit)
{
	struct piece *unused = NULL;
	uint64_t from = g->at;

	for (size_t i = 0; i < PIECES; i++) {
		struct piece *p = &g->pieces[i];

		if (p->next <= g->at)
			unused = p;
		else if (p->next > from)
			from = p->next;
	}
	if (unused == NULL || limit < GAP || from >= limit - GAP ||
	    !make_room(unused))
		return false;
	unused->n = 0;
	unused->next = from + GAP;
	g->open = unused;
	g->found = false;
	g->until = unused->next + PIECE;
	return true;
}

/* Whether there is a block to decode. With the mutex held. */
static bool
choose(struct guess *g, uint64_t limit)
{
	const struct piece *p = g->open;

	if (p != NULL && p->next > g->at && p->next < g->until && p->n < BLOCKS)
		return p->next < limit;
	g->open = NULL;
	return open_piece(g, limit);
}

/* Decodes the piece's next block, or looks for its first. Without the mutex:
 * of a piece the reader uses only what it has. */
static bool
decode(struct guess *g, uint64_t *bit, struct deflate_tokens *block)
{
	if (g->found == false &&
	    !deflate_find(&g->decoder, g->packed, bit, g->until)) {
		*bit = g->until;
		return false;
	}
	return deflate_tokens(&g->decoder, &g->open->room, block);
}

bool
guess_step(struct guess *g, uint64_t limit)
{
	uint64_t bit;
	struct deflate_tokens block;
	struct piece *p;
	bool ok;

	pthread_mutex_lock(&g->mutex);
	if (g->busy || !choose(g, limit > UINT64_MAX / 8 ? limit : limit * 8)) {
		pthread_mutex_unlock(&g->mutex);
		return false;
	}
	g->busy = true;
	p = g->open;
	bit = p->next;
	pthread_mutex_unlock(&g->mutex);
	ok = decode(g, &bit, &block);
	pthread_mutex_lock(&g->mutex);
	if (ok) {
		p->begin[p->n] = bit;
		p->blocks[p->n++] = block;
		p->next = block.end;
		g->found = true;
	} else if (g->found) {
		g->open = NULL; /* the piece ends before that block */
	} else {
		p->next = bit + 1; /* that was none */
	}
	g->busy = false;
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
