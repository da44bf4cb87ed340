/* SPDX-License-Identifier: MIT */
/*
 * Inflating: against zlib, whole, in parts, from the middle, and damaged; and
 * sections that are inflated only as far as they are read.
 */
#include "base/hash.h"
#include "image/deflate.h"
#include "image/image.h"
#include "image/internal.h"
#include "image/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "harness/deflated.h"
#include "harness/test.h"

enum { SIZE = 150000 };

static int
zlib_says(const uint8_t *in, size_t n, uint8_t *out, size_t room, size_t *size,
    size_t *used)
{
	z_stream s = {0};
	int result;

	assert_int(inflateInit2(&s, -15), Z_OK);
	s.next_in = (uint8_t *)(uintptr_t)in;
	s.avail_in = (uInt)n;
	s.next_out = out;
	s.avail_out = (uInt)room;
	result = inflate(&s, Z_FINISH);
	*size = s.total_out;
	*used = s.total_in;
	(void)inflateEnd(&s);
	return result;
}

/* By pieces of at most `most`, and at times anew from where a block began. */
static enum deflate_status
by_pieces(struct random *r, struct view in, uint8_t *out, size_t *pos,
    uint32_t most, struct deflate *d)
{
	enum deflate_status status = DEFLATE_MORE;
	uint64_t bit;

	*pos = 0;
	if (!deflate_init(d, in, 0))
		return DEFLATE_DAMAGED;
	while (status == DEFLATE_MORE && *pos < SIZE) {
		size_t end = *pos + 1 + next(r) % most;

		if (end > SIZE)
			end = SIZE;
		status = deflate_run(d, out, pos, end, next(r) % 2 == 0);
		if (status == DEFLATE_MORE && next(r) % 4 == 0 &&
		    deflate_block(d, &bit)) {
			memset(d, 0xee, sizeof(*d));
			if (!deflate_init(d, in, bit))
				return DEFLATE_DAMAGED;
		}
	}
	if (status == DEFLATE_MORE && deflate_finish(d))
		status = DEFLATE_END;
	return status;
}

/* The input is in a block of its own size, so that sanitizers and valgrind see
 * a byte too many. */
static void
compare(struct random *r, const uint8_t *in, size_t n, uint32_t most)
{
	static uint8_t theirs[SIZE], ours[SIZE];
	static struct deflate d;
	size_t size, used, pos;
	uint8_t *copy = malloc(n);
	int result = zlib_says(in, n, theirs, SIZE, &size, &used);
	enum deflate_status status;

	assert_not_null(copy);
	memcpy(copy, in, n);
	status = by_pieces(r, view_of(copy, n), ours, &pos, most, &d);
	if (result == Z_STREAM_END) {
		assert_int(status, DEFLATE_END);
		assert_uint(pos, size);
		assert_mem(ours, theirs, size);
		assert_uint(deflate_rest(&d).size, n - used);
	} else {
		assert_true(status != DEFLATE_END);
	}
	free(copy);
}

TEST(inflates_what_zlib_inflates)
{
	static uint8_t bytes[SIZE], packed[2 * SIZE];
	static const uint32_t pieces[] = {SIZE, 700, 20000, 1};
	struct random r = {88172645463325252};

	for (unsigned i = 0; i < 400; i++) {
		size_t n = next(&r) % (i % 8 == 0 ? SIZE : 4000), size;

		make_bytes(&r, bytes, n);
		size = pack(&r, bytes, n, packed, sizeof(packed), -15);
		compare(&r, packed, size, pieces[i % 4]);
	}
}

TEST(refuses_what_zlib_refuses)
{
	static uint8_t bytes[SIZE], packed[2 * SIZE];
	struct random r = {1234567};

	for (unsigned i = 0; i < 2000; i++) {
		size_t n = next(&r) % 3000, size;

		make_bytes(&r, bytes, n);
		size = pack(&r, bytes, n, packed, sizeof(packed), -15);
		for (uint32_t flips = next(&r) % 4; flips > 0; flips--)
			packed[next(&r) % size] ^=
			    (uint8_t)(1U << next(&r) % 8);
		if (i % 5 == 0)
			size = 1 + next(&r) % size;
		if (i % 50 == 0)
			make_bytes(&r, packed, size);
		compare(&r, packed, size, i % 2 ? SIZE : 900);
	}
}

TEST(adler_is_zlibs)
{
	static uint8_t bytes[SIZE];
	struct random r = {42};

	memset(bytes, 0xff, SIZE); /* the largest sums */
	expect_uint(adler32_of(bytes, SIZE), adler32(1, bytes, SIZE));
	for (size_t n = 0; n < 100; n++)
		expect_uint(adler32_of(bytes + n % 7, n),
		    adler32(1, bytes + n % 7, (uInt)n));
	make_bytes(&r, bytes, SIZE);
	for (unsigned i = 0; i < 200; i++) {
		size_t n = next(&r) % SIZE, at = next(&r) % (SIZE - n);

		expect_uint(
		    adler32_of(bytes + at, n), adler32(1, bytes + at, (uInt)n));
	}
}

/* ---- streams ---- */

enum { LARGE = 3 << 20 };

static struct image no_file; /* of a stream whose bytes are not mapped */

static uint8_t *
large(uint8_t **packed, size_t *size)
{
	static uint8_t bytes[LARGE], out[LARGE + 65536];
	struct random r = {99};

	for (size_t at = 0; at < LARGE; at += 1 << 16)
		make_bytes(&r, bytes + at, 1 << 16);
	*size = pack(&r, bytes, LARGE, out, sizeof(out), 15);
	*packed = out;
	return bytes;
}

static struct stream *
stream_of(const uint8_t *packed, size_t size, uint64_t claimed)
{
	struct packed p = {ELFCOMPRESS_ZLIB, claimed, view_of(packed, size)};
	bt_error_t e = {0};
	struct stream *s = stream_new(&no_file, &p, &e);

	assert_not_null(s);
	return s;
}

TEST(a_stream_goes_as_far_as_asked)
{
	uint8_t *packed, *bytes;
	size_t size;
	bt_error_t e = {0};
	struct stream *s;
	struct view v, whole;

	bytes = large(&packed, &size);
	s = stream_of(packed, size, LARGE);
	expect_uint(stream_size(s), LARGE);
	assert_ok(stream_reach(s, 1000, &v, &e), &e);
	expect_true(v.size >= 1000 && v.size < LARGE / 2);
	expect_mem(v.data, bytes, v.size);
	assert_ok(stream_reach(s, LARGE / 2, &whole, &e), &e);
	expect_true(whole.data == v.data);
	expect_true(whole.size >= LARGE / 2 && whole.size < LARGE);
	assert_ok(stream_reach(s, UINT64_MAX, &whole, &e), &e);
	assert_uint(whole.size, LARGE);
	expect_mem(whole.data, bytes, LARGE);
	expect_int(stream_advance(s, UINT64_MAX, true), STREAM_DONE);
	stream_free(s);
}

TEST(a_stream_ends_at_damage)
{
	uint8_t *packed, *bytes;
	size_t size;
	bt_error_t e = {0};
	struct stream *s;
	struct view v;

	bytes = large(&packed, &size);
	packed[size - 1] ^= 1; /* the checksum */
	s = stream_of(packed, size, LARGE);
	expect_code(stream_reach(s, LARGE, &v, &e), &e, BT_E_FORMAT);
	expect_true(v.size < LARGE);
	memset(&e, 0, sizeof(e));
	/* What came before can be had. */
	assert_ok(stream_reach(s, 1000, &v, &e), &e);
	expect_mem(v.data, bytes, v.size);
	expect_int(stream_advance(s, UINT64_MAX, true), STREAM_DONE);
	stream_free(s);
	packed[size - 1] ^= 1;
	/* It is longer, and shorter, than claimed. */
	for (int more = -1; more <= 1; more += 2) {
		s = stream_of(packed, size, (uint64_t)(LARGE + more));
		memset(&e, 0, sizeof(e));
		expect_code(
		    stream_reach(s, UINT64_MAX, &v, &e), &e, BT_E_FORMAT);
		stream_free(s);
	}
}

enum { HUGE_SIZE = 20 << 20 };

static void
expect_part(struct stream *s, const uint8_t *bytes, uint64_t from, uint64_t to)
{
	bt_error_t e = {0};
	struct view v;

	assert_ok(stream_range(s, from, to, &v, &e), &e);
	assert_uint(v.size, to < HUGE_SIZE ? to : HUGE_SIZE);
	if (from < v.size)
		assert_mem(v.data + from, bytes + from, v.size - (size_t)from);
}

TEST_WITHIN(parts_of_a_sparse_stream, 120)
{
	uint8_t *bytes = malloc(HUGE_SIZE), *packed;
	size_t room = HUGE_SIZE + (1 << 20), size;
	struct random r = {7};
	bt_error_t e = {0};
	struct stream *s;
	struct view v;

	packed = malloc(room);
	assert_true(bytes != NULL && packed != NULL);
	for (size_t at = 0; at < HUGE_SIZE; at += 1 << 16)
		make_bytes(&r, bytes + at, 1 << 16);
	size = pack(&r, bytes, HUGE_SIZE, packed, room, 15);
	s = stream_of(packed, size, HUGE_SIZE);
	stream_sparse(s);
	expect_int(stream_advance(s, UINT64_MAX, true), STREAM_DONE);
	/* Forward, back, over what was passed and over what is kept. */
	expect_part(s, bytes, 5 << 20, (5 << 20) + 100);
	expect_part(s, bytes, 0, 1);
	expect_part(s, bytes, 17 << 20, 18 << 20);
	expect_part(s, bytes, 3 << 20, 6 << 20);
	for (int i = 0; i < 200; i++) {
		uint64_t from = next(&r) % HUGE_SIZE;
		uint64_t n = next(&r) % 300000;

		expect_part(s, bytes, from, from + n);
		if (i % 3 == 0)
			stream_forget(s, from,
			    from + n < HUGE_SIZE ? from + n : HUGE_SIZE);
	}
	expect_part(s, bytes, 0, UINT64_MAX);
	stream_free(s);

	/* Damage in the middle: what lies before it can be had all the same. */
	memset(packed + size / 2, 0xff, 4096);
	s = stream_of(packed, size, HUGE_SIZE);
	stream_sparse(s);
	expect_code(
	    stream_range(s, HUGE_SIZE - 1, HUGE_SIZE, &v, &e), &e, BT_E_FORMAT);
	expect_uint(v.size, 0);
	expect_part(s, bytes, 2 << 20, 3 << 20);
	stream_free(s);
	free(packed);
	free(bytes);
}

static void *
advance(void *s)
{
	while (stream_advance(s, UINT64_MAX, true) == STREAM_MORE)
		;
	return NULL;
}

TEST(two_threads_share_a_stream)
{
	uint8_t *packed, *bytes;
	size_t size;
	bt_error_t e = {0};

	bytes = large(&packed, &size);
	for (int i = 0; i < 20; i++) {
		struct stream *s = stream_of(packed, size, LARGE);
		struct view v;
		pthread_t t;

		assert_int(pthread_create(&t, NULL, advance, s), 0);
		for (size_t to = 1; to <= LARGE; to += LARGE / 64) {
			assert_ok(stream_reach(s, to, &v, &e), &e);
			assert_true(v.size >= to);
			assert_mem(v.data + v.size - 1, bytes + v.size - 1, 1);
		}
		assert_ok(stream_reach(s, LARGE, &v, &e), &e);
		assert_mem(v.data, bytes, LARGE);
		assert_int(pthread_join(t, NULL), 0);
		stream_free(s);
	}
}
