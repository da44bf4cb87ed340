/* SPDX-License-Identifier: MIT */
/*
 * Inflating what ELF sections and cores are compressed with, with a cap on
 * size and ratio. The output of xz is malloc'd and owned by the caller.
 */
#ifndef IMAGE_INFLATE_H
#define IMAGE_INFLATE_H

#include "base/view.h"

/* Can the format make so much of so little? */
bool inflate_plausible(
    bool zlib, size_t in, uint64_t out, bt_error_t *e) BT_CHECK;
/* All of it: size bytes to out. */
bool inflate_zstd(
    struct view in, uint8_t *out, size_t size, bt_error_t *e) BT_CHECK;
/* Unknown size, at most cap bytes (.gnu_debugdata). */
bool inflate_xz(struct view in, size_t cap, uint8_t **out, size_t *out_size,
    bt_error_t *e) BT_CHECK;

#endif /* IMAGE_INFLATE_H */
