/* SPDX-License-Identifier: MIT */
/*
 * Deflate data that several threads decode: while one inflates, the others look
 * for places further on where a block seems to begin and find out what the
 * blocks from there on say. When the first comes to just that place, it only
 * carries that out, in a fifth of the time; when it comes by without meeting
 * it, the guess was wrong and is forgotten. What is inflated is the same in any
 * case.
 */
#ifndef IMAGE_GUESS_H
#define IMAGE_GUESS_H

#include "image/deflate.h"

struct guess;

/* packed: the deflate data, which must live as long. NULL: no memory. */
struct guess *guess_new(struct view packed);
void guess_free(struct guess *g); /* NULL allowed */

/* One block more, before the first `limit` bytes of the data; by any threads
 * but the reader. False: there is nothing to do now. */
bool guess_step(struct guess *g, uint64_t limit);

/* The reader stops for now, or for good: what is not needed where he stands is
 * given back. By any thread. */
void guess_rest(struct guess *g); /* NULL allowed */

/* By the one reader: deflate_run with a decoder of the whole data. g may be
 * NULL. */
enum deflate_status guess_run(struct guess *g, struct deflate *d, uint8_t *out,
    size_t *pos, size_t end, bool blocks);

#endif /* IMAGE_GUESS_H */
