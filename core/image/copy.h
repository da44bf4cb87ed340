/* SPDX-License-Identifier: MIT */
/*
 * Copies of ELF files whose compressed sections (SHF_COMPRESSED) are inflated:
 * everything else, offsets and numbers of sections among it, is as it was, so
 * that whoever reads the copy finds what he would have found in the file. Such
 * copies are kept in a cache (base/cache.h), for of many debug files inflating
 * takes most of the time.
 */
#ifndef IMAGE_COPY_H
#define IMAGE_COPY_H

#include "image/image.h"

/* Is inflating its sections so much work that a copy is worth having? */
bool image_copy_pays(const struct image *image);

/*
 * Writes the copy to fd, which is empty, from its beginning; bytes that nobody
 * reads any more become holes. False with *e: a compressed section is damaged,
 * or shares its bytes with something else, or the copy would be longer than
 * `most` bytes (BT_E_LIMIT), or cannot be written. */
bool image_copy_write(
    struct image *image, int fd, uint64_t most, bt_error_t *e) BT_CHECK;

/* The image was opened by kind and path. Where the opener has a copy of it,
 * that takes its place: a reference is given for the other. */
void image_prefer_copy(
    struct opener *o, enum opener_kind kind, struct image **image);

#endif /* IMAGE_COPY_H */
