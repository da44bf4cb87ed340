/* SPDX-License-Identifier: MIT */
/*
 * Decompression with libraries: of known size (zstd), and of unknown size (xz).
 * Deflate is our own (deflate.c), for it must be able to stop in the middle.
 *
 * A claimed size is believed only as far as the format can reach it, so that a
 * small file cannot make us ask for gigabytes.
 */
#include "image/inflate.h"
#include <lzma.h>
#include <stdlib.h>
#include <zstd.h>

/* Deflate cannot do better than 258 bytes in 2 bits (zlib's "Technical
 * Details": 1032:1). */
#define ZLIB_RATIO 1032
/* Zstandard has no such bound (a block of one repeated byte is 128 KiB in four
 * bytes); real debug sections stay below 100:1. */
#define ZSTD_RATIO 4096
#define XZ_RATIO 8192
#define SMALL (UINT64_C(1) << 20) /* not worth a suspicion */
#define XZ_MEMORY (UINT64_C(128) << 20)

static bool
plausible(size_t in, uint64_t out, uint64_t ratio)
{
	return out <= SMALL || out / ratio <= in;
}

bool
inflate_plausible(bool zlib, size_t in, uint64_t out, bt_error_t *e)
{
	return plausible(in, out, zlib ? ZLIB_RATIO : ZSTD_RATIO) ||
	    bt_fail(e, BT_E_LIMIT, "%zu bytes cannot inflate to %llu", in,
		(unsigned long long)out);
}

bool
inflate_zstd(struct view in, uint8_t *out, size_t size, bt_error_t *e)
{
	size_t n = ZSTD_decompress(out, size, in.data, in.size);

	return (!ZSTD_isError(n) && n == size) ||
	    bt_fail_format(e, 0, "damaged zstd data");
}

/* Twice the room, at most cap + 1 bytes: the one more shows an overflow. */
static bool
xz_grow(uint8_t **out, size_t *room, size_t cap, lzma_stream *s)
{
	size_t used = *room - s->avail_out;
	size_t more = *room < 32768 ? 65536 : *room * 2;
	uint8_t *p;

	if (*room > cap)
		return false;
	if (more > cap)
		more = cap + 1;
	p = realloc(*out, more);
	if (p == NULL)
		return false;
	*out = p;
	*room = more;
	s->next_out = p + used;
	s->avail_out = more - used;
	return true;
}

bool
inflate_xz(
    struct view in, size_t cap, uint8_t **out, size_t *out_size, bt_error_t *e)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret result = LZMA_OK;
	size_t room = 0;

	*out = NULL;
	*out_size = 0;
	if (cap > SIZE_MAX / 4)
		cap = SIZE_MAX / 4;
	if (in.size < SIZE_MAX / XZ_RATIO && cap > in.size * XZ_RATIO + SMALL)
		cap = in.size * XZ_RATIO + SMALL;
	if (lzma_stream_decoder(&s, XZ_MEMORY, 0) != LZMA_OK)
		return bt_fail(e, BT_E_NOMEM, "no memory to inflate");
	s.next_in = in.data;
	s.avail_in = in.size;
	while (result == LZMA_OK) {
		if (s.avail_out == 0 && !xz_grow(out, &room, cap, &s))
			break;
		result = lzma_code(&s, LZMA_FINISH);
	}
	*out_size = room - s.avail_out;
	lzma_end(&s);
	if (result == LZMA_STREAM_END && *out_size <= cap)
		return true;
	if (result == LZMA_OK || *out_size > cap ||
	    result == LZMA_MEMLIMIT_ERROR) {
		free(*out);
		*out = NULL;
		return bt_fail(e, BT_E_LIMIT,
		    "xz data inflates to more than %zu bytes", cap);
	}
	free(*out);
	*out = NULL;
	return bt_fail_format(e, 0, "damaged xz data");
}
