/* SPDX-License-Identifier: MIT */
/*
 * A large compressed section of which little is read: only what was asked for
 * is kept. The rest is inflated on the way there and forgotten; should it be
 * wanted after all, inflating begins anew at one of the blocks that were marked
 * in passing.
 */
#ifndef IMAGE_SPARSE_H
#define IMAGE_SPARSE_H

#include "base/view.h"

struct guess;
struct sparse;

/* packed: deflate data, which inflates to size bytes at `bytes`, which were
 * mapped; both live as long as it does. guess: of the same data, for which this
 * is the reader; NULL allowed. NULL: no memory. */
struct sparse *sparse_new(
    struct view packed, uint8_t *bytes, size_t size, struct guess *guess);
void sparse_free(struct sparse *p); /* NULL allowed */

/* Fills bytes[from, to), to <= size; false: damaged, or no memory. */
bool sparse_range(struct sparse *p, size_t from, size_t to) BT_CHECK;

/* What lies wholly in [from, to) is not needed any more. */
void sparse_forget(struct sparse *p, size_t from, size_t to);

/* What follows the deflate data, when all of it was inflated. */
struct view sparse_rest(const struct sparse *p);

/* How much of packed was read and is not needed for going on. */
size_t sparse_passed(const struct sparse *p);

#endif /* IMAGE_SPARSE_H */
