/* SPDX-License-Identifier: MIT */
/*
 * Inflating what ELF sections and cores are compressed with, with a cap on
 * size and ratio. Output is malloc'd and owned by the caller.
 */
#ifndef IMAGE_INFLATE_H
#define IMAGE_INFLATE_H

#include "base/view.h"

bool inflate_zlib(
    struct view in, size_t out_size, uint8_t **out, bt_error_t *e) BT_CHECK;
bool inflate_zstd(
    struct view in, size_t out_size, uint8_t **out, bt_error_t *e) BT_CHECK;
/* Unknown size, at most cap bytes (.gnu_debugdata). */
bool inflate_xz(struct view in, size_t cap, uint8_t **out, size_t *out_size,
    bt_error_t *e) BT_CHECK;

#endif /* IMAGE_INFLATE_H */
