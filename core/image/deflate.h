/* SPDX-License-Identifier: MIT */
/*
 * A decoder for deflate data (RFC 1951) that can stop anywhere and go on, and
 * can begin again at a block that it has seen. Debug sections are inflated as
 * far as somebody asks, and no further; libraries that are as fast inflate all
 * or nothing.
 *
 * What a block says can be found out without the bytes that lie before it, of
 * which its matches are copies, and be carried out when they are there: so
 * another thread can do the greater part of the work in advance (guess.h).
 */
#ifndef IMAGE_DEFLATE_H
#define IMAGE_DEFLATE_H

#include "base/view.h"

enum {
	DEFLATE_WINDOW = 32 << 10, /* how far back a match may reach */
	DEFLATE_LITERAL_BITS = 11,
	DEFLATE_DISTANCE_BITS = 8,
	/* The first level, and room for any complete code's second level:
	 * 15 - 11 and 15 - 8 bits more for at most 286 and 30 symbols (zlib's
	 * enough.c: 2342 and 402). */
	DEFLATE_LITERAL_ROOM = 2048 + 512,
	DEFLATE_DISTANCE_ROOM = 256 + 256
};

enum deflate_status {
	DEFLATE_MORE, /* the output is full */
	DEFLATE_END,  /* of the last block */
	DEFLATE_DAMAGED
};

/* So many literals, then a match; distance 0: no match (the last of a block).
 */
struct deflate_token {
	uint32_t literals;
	uint16_t length, distance;
};

/* A block, but the last one. What it points to belongs to whoever had it made.
 */
struct deflate_tokens {
	const struct deflate_token *items;
	size_t n;
	const uint8_t *literals;
	uint64_t end; /* bit where the next block begins */
};

/* Where tokens are put; n and n_literals are in use. */
struct deflate_room {
	struct deflate_token *items;
	size_t n, max;
	uint8_t *literals;
	size_t n_literals, max_literals;
};

struct deflate {
	const uint8_t *start, *next, *end; /* of the compressed bytes */
	uint64_t bits; /* read and not yet used, lowest first */
	unsigned n_bits;
	enum {
		DEFLATE_HEADER,
		DEFLATE_STORED,
		DEFLATE_CODES,
		DEFLATE_TOKENS,
		DEFLATE_OVER
	} at;
	bool last; /* block */
	bool failed;
	uint32_t stored; /* bytes left of a stored block */
	uint32_t match;	 /* bytes left of a match that met the end of output */
	uint32_t distance; /* of that match */
	struct deflate_tokens
	    tokens;	  /* what is left of a block that is known */
	uint32_t written; /* literals of tokens.items[0] */
	uint32_t literals[DEFLATE_LITERAL_ROOM];
	uint32_t distances[DEFLATE_DISTANCE_ROOM];
};

/* in must live as long as the decoder. bit: where a block begins (0, or what
 * deflate_block said); false when it is past the end. */
bool deflate_init(struct deflate *d, struct view in, uint64_t bit) BT_CHECK;

/*
 * Inflates to out[*pos] and on, at most to out[end]; moves *pos. Matches read
 * the up to DEFLATE_WINDOW bytes before it, which the caller has kept, and are
 * damage where they reach before out[0]. With `blocks` it also stops
 * (DEFLATE_MORE, *pos < end) where a block has ended.
 */
enum deflate_status deflate_run(
    struct deflate *d, uint8_t *out, size_t *pos, size_t end, bool blocks);

/* True between two blocks: *bit is where the next one begins. */
bool deflate_block(const struct deflate *d, uint64_t *bit);

/*
 * Between two blocks: the next one is not read, but is what the tokens say that
 * deflate_tokens made of it. They must stay there until deflate_block is true.
 */
void deflate_follow(struct deflate *d, const struct deflate_tokens *tokens);

/*
 * Between two blocks: reads one of codes and puts what it says into the room.
 * False: no such block, the last one, damage, or not enough room (in which case
 * the room is as it was); d can only be used anew then.
 */
bool deflate_tokens(struct deflate *d, struct deflate_room *room,
    struct deflate_tokens *out) BT_CHECK;

/* The next bit in [*bit, end) where a block may begin: one with codes of its
 * own that are complete, and not the last. Where one begins it is found, but
 * what is found need not be one. d is then at it. */
bool deflate_find(
    struct deflate *d, struct view in, uint64_t *bit, uint64_t end) BT_CHECK;

/* When all output is there: true when the data ends with it. */
bool deflate_finish(struct deflate *d) BT_CHECK;
/* What follows the data: zlib's checksum. */
struct view deflate_rest(const struct deflate *d);

#endif /* IMAGE_DEFLATE_H */
