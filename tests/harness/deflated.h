/* SPDX-License-Identifier: MIT */
/*
 * Bytes of several kinds, compressed in many ways: what tests of inflating
 * begin with.
 */
#ifndef HARNESS_DEFLATED_H
#define HARNESS_DEFLATED_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "harness/test.h"

struct random {
	uint64_t state;
};

static inline uint32_t
next(struct random *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (uint32_t)(r->state >> 11);
}

/* Noise, few symbols, near and far repetitions, skewed symbols. */
static inline void
make_bytes(struct random *r, uint8_t *out, size_t n)
{
	unsigned kind = next(r) % 5;

	for (size_t i = 0; i < n; i++) {
		out[i] = (uint8_t)(next(r) % (kind == 1 ? 3 : 256));
		if (kind == 2 && i > 200 && next(r) % 4 != 0)
			out[i] = out[i - 1 - next(r) % 200];
		else if (kind == 3)
			out[i] = (uint8_t)__builtin_ctz(next(r) | 1 << 20);
		else if (kind == 4 && i > 32700 && next(r) % 8 != 0)
			out[i] = out[i - 32700 + next(r) % 3];
	}
}

/* Bits: 15 raw deflate (negative) or zlib. */
static inline size_t
pack(struct random *r, const uint8_t *in, size_t n, uint8_t *out, size_t room,
    int bits)
{
	z_stream s = {0};

	assert_int(deflateInit2(&s, (int)(next(r) % 10), Z_DEFLATED, bits,
		       1 + (int)(next(r) % 9), (int)(next(r) % 5)),
	    Z_OK);
	s.next_in = (uint8_t *)(uintptr_t)in;
	s.avail_in = (uInt)n / 2;
	s.next_out = out;
	s.avail_out = (uInt)room;
	assert_int(deflate(&s, next(r) % 2 ? Z_FULL_FLUSH : Z_NO_FLUSH), Z_OK);
	s.avail_in += (uInt)(n - n / 2);
	assert_int(deflate(&s, Z_FINISH), Z_STREAM_END);
	assert_int(deflateEnd(&s), Z_OK);
	return s.total_out;
}

#endif /* HARNESS_DEFLATED_H */
