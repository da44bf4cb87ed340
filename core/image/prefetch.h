/* SPDX-License-Identifier: MIT */
/*
 * Threads that inflate compressed sections ahead of the one that reads them.
 * One of these for a session: all functions are called by the same thread.
 */
#ifndef IMAGE_PREFETCH_H
#define IMAGE_PREFETCH_H

#include "base/view.h"

struct image;
struct prefetch;

/* With threads for the other processors, of so many. NULL: there is only one,
 * or no memory. Everything below takes NULL. */
struct prefetch *prefetch_new(unsigned processors);
/* Images that were added may outlive it. */
void prefetch_free(struct prefetch *p);

struct prefetch_section {
	const char *name;
	bool part; /* only what image_prefetch_part says */
	bool late; /* asked for when all of the others are not any more */
};

/* These sections will be asked for soon, about in this order, where the image
 * has them, while the caller is reading `own`. A hint: asking for them gives
 * the same with and without it. Once for an image; without effect when there is
 * little to do. */
void image_prefetch(struct image *image, struct prefetch *p, const char *own,
    const struct prefetch_section *sections, size_t n);

/* About `part` of `all` will be asked for of the sections that were said to be
 * wanted in part; the largest part that was named counts. */
void image_prefetch_part(struct image *image, uint64_t part, uint64_t all);

/* All of that section will be asked for, whatever part was said to be wanted;
 * one of those of image_prefetch. A hint, too. */
void image_prefetch_all(struct image *image, const char *name);

/* The first `to` bytes of the section `own` will be asked for as well, but the
 * caller is going to do something else first. A hint, too. True: others have
 * them to inflate, so there is time for that. */
bool image_prefetch_own(struct image *image, uint64_t to);

#endif /* IMAGE_PREFETCH_H */
