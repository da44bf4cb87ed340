/* SPDX-License-Identifier: MIT */
/*
 * Decompression into one block of known size (zlib with libdeflate, which is
 * twice as fast as zlib: 670 against 300 MB/s on .debug_info; zstd), and of
 * unknown size (xz).
 *
 * A claimed size is believed only as far as the format can reach it, so that a
 * small file cannot make us ask for gigabytes.
 */
#include "image/inflate.h"
#include <libdeflate.h>
#include <lzma.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <zstd.h>

/* Deflate cannot do better than 258 bytes in 2 bits (zlib's "Technical
 * Details": 1032:1). */
#define ZLIB_RATIO 1032
/* Zstandard has no such bound (a block of one repeated byte is 128 KiB in four
 * bytes); real debug sections stay below 100:1. */
#define ZSTD_RATIO 4096
#define XZ_RATIO 8192
#define SMALL (UINT64_C(1) << 20) /* not worth a suspicion */
#define HUGE_PAGE ((size_t)2 << 20)
#define XZ_MEMORY (UINT64_C(128) << 20)

static bool
plausible(size_t in, uint64_t out, uint64_t ratio)
{
	return out <= SMALL || out / ratio <= in;
}

/* Large outputs go to huge pages where the system gives them: a page fault for
 * each 4 KiB costs a seventh of the time (libc's .debug_info: 11.6 ms, 10.0
 * with huge pages). */
static uint8_t *
get_memory(size_t size)
{
	size_t rounded = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *p;

	if (size < 2 * HUGE_PAGE || rounded < size)
		return malloc(size > 0 ? size : 1);
	p = aligned_alloc(HUGE_PAGE, rounded);
	if (p != NULL)
		(void)madvise(p, rounded, MADV_HUGEPAGE);
	return p;
}

static bool
allocate(
    struct view in, size_t size, uint64_t ratio, uint8_t **out, bt_error_t *e)
{
	*out = NULL;
	if (!plausible(in.size, size, ratio))
		return bt_fail(e, BT_E_LIMIT, "%zu bytes cannot inflate to %zu",
		    in.size, size);
	*out = get_memory(size);
	if (*out == NULL)
		return bt_fail(
		    e, BT_E_NOMEM, "no memory to inflate %zu bytes", size);
	return true;
}

static bool
fail_damaged(uint8_t **out, const char *what, bt_error_t *e)
{
	free(*out);
	*out = NULL;
	return bt_fail_format(e, 0, "damaged %s data", what);
}

bool
inflate_zlib(struct view in, size_t out_size, uint8_t **out, bt_error_t *e)
{
	struct libdeflate_decompressor *d;
	enum libdeflate_result result;

	if (!allocate(in, out_size, ZLIB_RATIO, out, e))
		return false;
	d = libdeflate_alloc_decompressor();
	if (d == NULL) {
		free(*out);
		*out = NULL;
		return bt_fail(e, BT_E_NOMEM, "no memory to inflate");
	}
	/* Without a place for the actual size, a shorter output is an error. */
	result = libdeflate_zlib_decompress(
	    d, in.data, in.size, *out, out_size, NULL);
	libdeflate_free_decompressor(d);
	if (result != LIBDEFLATE_SUCCESS)
		return fail_damaged(out, "zlib", e);
	return true;
}

bool
inflate_zstd(struct view in, size_t out_size, uint8_t **out, bt_error_t *e)
{
	size_t n;

	if (!allocate(in, out_size, ZSTD_RATIO, out, e))
		return false;
	n = ZSTD_decompress(*out, out_size, in.data, in.size);
	if (ZSTD_isError(n) || n != out_size)
		return fail_damaged(out, "zstd", e);
	return true;
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
	return fail_damaged(out, "xz", e);
}
