/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the decoder share: deflate_header.c makes the tables of a
 * block, deflate.c decodes its symbols, deflate_tokens.c carries out those that
 * are known.
 *
 * A code is looked up by its next 11 (literals and lengths) or 8 (distances)
 * bits; longer codes go through a second level. An entry has all that its
 *symbol needs, so that the loop has no other table:
 *
 *	bits 0-7    how many bits the symbol takes, with its extra bits
 *	bits 8-11   those of the code alone; of a second level: log2 of its size
 *	bits 13-15  ENTRY_END, ENTRY_LEVEL; ENTRY_OTHER: one of these, or damage
 *	bits 16-30  the literal, the base of the length or distance, or where
 *		    the second level begins
 *	bit 31	    ENTRY_LITERAL
 */
#ifndef IMAGE_DEFLATE_PRIVATE_H
#define IMAGE_DEFLATE_PRIVATE_H

#include "image/deflate.h"

#define ENTRY_LITERAL UINT32_C(0x80000000)
#define ENTRY_OTHER UINT32_C(0x8000)
#define ENTRY_LEVEL UINT32_C(0x4000)
#define ENTRY_END UINT32_C(0x2000)

enum {
	MATCH_MAX = 258,
	COPY = 32 /* of a match at once: few are longer */
};

/* Reads the header of the next block: d->last, d->at, its tables or the bytes
 * that are stored. False: damaged. */
bool deflate_header(struct deflate *d) BT_CHECK;

/* At a bit; past the end there is nothing to read. */
void deflate_go_to(struct deflate *d, uint64_t bit);

/* What is left of the block of tokens, and what is left of its last match, as
 * deflate_run; DEFLATE_END: the block ends. */
enum deflate_status deflate_run_tokens(
    struct deflate *d, uint8_t *out, size_t *pos, size_t end);
void deflate_run_match(
    struct deflate *d, uint8_t *out, size_t *pos, size_t end);

/* At least 48 bits, or all that are left. */
static inline void
deflate_refill(struct deflate *d)
{
	while (d->n_bits <= 56 && d->next < d->end) {
		d->bits |= (uint64_t)*d->next++ << d->n_bits;
		d->n_bits += 8;
	}
}

static inline uint32_t
low(uint64_t bits, unsigned n)
{
	return (uint32_t)(bits & ((UINT64_C(1) << n) - 1));
}

/* n <= 32 bits; past the end: zero, and failed. */
static inline uint32_t
deflate_take(struct deflate *d, unsigned n)
{
	uint32_t value;

	if (d->n_bits < n)
		deflate_refill(d);
	if (d->n_bits < n) {
		d->failed = true;
		return 0;
	}
	value = low(d->bits, n);
	d->bits >>= n;
	d->n_bits -= n;
	return value;
}

static inline uint64_t
load_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline void
copy_word(uint8_t *to, const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	memcpy(to, &word, sizeof(word));
}

/* May write up to 31 bytes more than n; n > 0. Words are copied one after the
 * other, so a distance of one word repeats what was just written. */
static inline void
copy_match(uint8_t *to, uint32_t distance, uint32_t n)
{
	const uint8_t *from = to - distance;
	uint8_t *end = to + n;

	if (distance >= sizeof(uint64_t)) {
		do {
			for (int i = 0; i < COPY; i += 8)
				copy_word(to + i, from + i);
			to += COPY;
			from += COPY;
		} while (to < end);
	} else if (distance == 1) {
		uint64_t word = *from * UINT64_C(0x0101010101010101);

		do {
			memcpy(to, &word, sizeof(word));
			to += sizeof(word);
		} while (to < end);
	} else {
		/* Of each word as many bytes are right as lie between. */
		do {
			copy_word(to, from);
			to += distance;
			from += distance;
		} while (to < end);
	}
}

#endif /* IMAGE_DEFLATE_PRIVATE_H */
