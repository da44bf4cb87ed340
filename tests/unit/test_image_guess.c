/* SPDX-License-Identifier: MIT */
/*
 * Blocks that are decoded before their turn: what they say is what inflating
 * them gives, wherever it is interrupted; and guessing where they begin changes
 * nothing of what a section inflates to, nor where it is damaged.
 */
#include "image/guess.h"
#include "image/internal.h"
#include "image/prefetch.h"
#include "image/stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "harness/deflated.h"
#include "harness/test.h"

enum {
	SIZE = 300000,
	TOKENS = 1 << 18,
	LARGE = 24 << 20,
	ROOM = LARGE + (1 << 20)
};

static struct deflate_token items[TOKENS];
static uint8_t literals[2 * SIZE];

/* What the block at a bit says; false: it is left to who reads it. */
static bool
block_at(struct view in, uint64_t bit, struct deflate_tokens *out)
{
	static struct deflate d;
	struct deflate_room room = {.items = items,
	    .max = TOKENS,
	    .literals = literals,
	    .max_literals = sizeof(literals)};

	return deflate_init(&d, in, bit) && deflate_tokens(&d, &room, out);
}

/* Goes on to the end of a block, by small steps or by one. */
static enum deflate_status
to_block_end(
    struct random *r, struct deflate *d, uint8_t *out, size_t *pos, size_t size)
{
	uint32_t most = next(r) % 2 == 0 ? 700 : SIZE;
	enum deflate_status status = DEFLATE_MORE;
	uint64_t bit;

	do {
		size_t n = 1 + next(r) % most;
		size_t end = size - *pos < n ? size : *pos + n;

		status = deflate_run(d, out, pos, end, true);
	} while (
	    status == DEFLATE_MORE && *pos < size && !deflate_block(d, &bit));
	return status;
}

TEST(tokens_say_what_a_block_says)
{
	static uint8_t bytes[SIZE], packed[2 * SIZE], out[SIZE];
	static struct deflate plain, d;
	struct random r = {88172645463325252};
	unsigned known = 0, others = 0;

	for (unsigned i = 0; i < 300; i++) {
		size_t n = 1 + next(&r) % (i % 8 == 0 ? SIZE : 40000);
		size_t a = 0, b = 0;
		struct view in;

		make_bytes(&r, bytes, n);
		in = view_of(
		    packed, pack(&r, bytes, n, packed, sizeof(packed), -15));
		assert_true(deflate_init(&plain, in, 0));
		assert_true(deflate_init(&d, in, 0));
		while (b < n) {
			struct deflate_tokens block;
			uint64_t bit, there;

			assert_true(deflate_block(&d, &bit));
			if (block_at(in, bit, &block)) {
				deflate_follow(&d, &block);
				known++;
			} else {
				others++;
			}
			assert_true(to_block_end(&r, &d, out, &b, n) !=
			    DEFLATE_DAMAGED);
			assert_true(deflate_run(&plain, bytes, &a, n, true) !=
			    DEFLATE_DAMAGED);
			if (b == n)
				break;
			assert_uint(b, a);
			assert_true(deflate_block(&d, &bit));
			assert_true(deflate_block(&plain, &there));
			assert_uint(bit, there);
		}
		assert_mem(out, bytes, n);
		assert_true(deflate_finish(&d));
		assert_uint(deflate_rest(&d).size, 0);
	}
	expect_true(known > 300 && others > 300);
}

TEST(tokens_have_no_more_room_than_there_is)
{
	static uint8_t bytes[SIZE], packed[2 * SIZE];
	static struct deflate d;
	struct random r = {5};

	for (unsigned i = 0; i < 200; i++) {
		size_t max = next(&r) % 3000, most = next(&r) % 3000;
		struct deflate_token *few = malloc(max * sizeof(*few) + 1);
		uint8_t *some = malloc(most + 1);
		struct deflate_room room = {few, 0, max, some, 0, most};
		struct deflate_tokens block;
		struct view in;

		assert_true(few != NULL && some != NULL);
		make_bytes(&r, bytes, 20000);
		in = view_of(packed,
		    pack(&r, bytes, 20000, packed, sizeof(packed), -15));
		assert_true(deflate_init(&d, in, 0));
		while (deflate_tokens(&d, &room, &block)) {
			assert_true(room.n <= max && room.n_literals <= most);
			assert_uint(
			    block.n, room.n - (size_t)(block.items - few));
		}
		free(few);
		free(some);
	}
}

/* Also where the first bytes of a match are not there. */
TEST(a_match_before_the_beginning_is_damage)
{
	static struct deflate d;
	static uint8_t out[4096];
	static const uint8_t in[64];
	const struct deflate_token item[2] = {{3, 5, 4}, {0, 0, 0}};
	struct deflate_tokens block = {item, 2, (const uint8_t *)"abc", 100};
	size_t pos = 0;

	assert_true(deflate_init(&d, view_of(in, sizeof(in)), 0));
	deflate_follow(&d, &block);
	expect_int(
	    deflate_run(&d, out, &pos, sizeof(out), true), DEFLATE_DAMAGED);
	expect_uint(pos, 3);
}

/* Every block with codes of its own, but the last, is found where it begins. */
TEST(finds_blocks)
{
	static uint8_t bytes[SIZE], packed[2 * SIZE], out[SIZE];
	static struct deflate d, at;
	struct random r = {77};
	unsigned found = 0;

	for (unsigned i = 0; i < 200; i++) {
		size_t n = SIZE / 2 + next(&r) % (SIZE / 2), pos = 0;
		uint64_t bit, from;
		struct view in;

		make_bytes(&r, bytes, n);
		in = view_of(
		    packed, pack(&r, bytes, n, packed, sizeof(packed), -15));
		assert_true(deflate_init(&d, in, 0));
		while (deflate_block(&d, &bit) && bit / 8 + 64 < in.size) {
			uint64_t head =
			    (packed[bit / 8] | packed[bit / 8 + 1] << 8) >>
			    bit % 8;

			from = bit;
			if ((head & 7) == 4) {
				assert_true(
				    deflate_find(&at, in, &from, bit + 1));
				assert_uint(from, bit);
				found++;
			}
			/* None from there on, or another one. */
			from = bit + 1;
			if (deflate_find(&at, in, &from, bit + 200))
				assert_true(from > bit && from < bit + 200);
			if (deflate_run(&d, out, &pos, n, true) !=
				DEFLATE_MORE ||
			    pos == n)
				break;
		}
	}
	expect_true(found > 500);
}

/* ---- guesses ---- */

static uint8_t *bytes, *packed, *out, *other;

static size_t
large(uint64_t seed, int bits)
{
	struct random r = {seed};
	size_t n;

	bytes = malloc(LARGE);
	packed = malloc(ROOM);
	out = malloc(LARGE);
	other = malloc(LARGE);
	assert_true(
	    bytes != NULL && packed != NULL && out != NULL && other != NULL);
	for (size_t at = 0; at < LARGE; at += 1 << 16)
		make_bytes(&r, bytes + at, 1 << 16);
	/* All of it can be compressed: stored blocks are not guessed. */
	for (size_t at = 0; at < LARGE; at++)
		bytes[at] &= 0x3f;
	n = pack(&r, bytes, LARGE, packed, ROOM, bits);
	return n;
}

static void
let_go(void)
{
	free(bytes);
	free(packed);
	free(out);
	free(other);
}

/* How often it stopped within a block that was known. */
static unsigned
with_guesses(struct random *r, struct view in, uint8_t *to, size_t *pos,
    enum deflate_status *status)
{
	static struct deflate d;
	struct guess *g = guess_new(in);
	unsigned known = 0;

	assert_not_null(g);
	assert_true(deflate_init(&d, in, 0));
	*pos = 0;
	*status = DEFLATE_MORE;
	while (*status == DEFLATE_MORE && *pos < LARGE) {
		size_t n = 1 + next(r) % 300000;
		size_t end = LARGE - *pos < n ? LARGE : *pos + n;

		for (uint32_t steps = next(r) % 16; steps > 0; steps--)
			(void)guess_step(g, in.size);
		*status = guess_run(g, &d, to, pos, end, next(r) % 2 == 0);
		if (next(r) % 16 == 0)
			guess_rest(g);
		known += d.at == DEFLATE_TOKENS;
	}
	if (*status == DEFLATE_MORE && deflate_finish(&d))
		*status = DEFLATE_END;
	guess_free(g);
	return known;
}

TEST_WITHIN(guesses_change_nothing, 120)
{
	struct random r = {3};
	size_t size = large(11, -15), pos;
	enum deflate_status status;
	unsigned known = with_guesses(
	    &r, view_of(packed, size), out, &pos, &status);

	expect_int(status, DEFLATE_END);
	assert_uint(pos, LARGE);
	expect_mem(out, bytes, LARGE);
	expect_true(known > 20);
	let_go();
}

TEST_WITHIN(guesses_do_not_hide_damage, 120)
{
	static struct deflate d;
	struct random r = {31};
	size_t size = large(12, -15);
	struct view in = view_of(packed, size);

	for (int i = 0; i < 12; i++) {
		size_t at = size / 4 + next(&r) % (size / 2), pos = 0, there;
		uint8_t bit = (uint8_t)(1U << next(&r) % 8);
		enum deflate_status status, plain;

		packed[at] ^= bit;
		assert_true(deflate_init(&d, in, 0));
		plain = deflate_run(&d, other, &pos, LARGE, false);
		if (plain == DEFLATE_MORE && deflate_finish(&d))
			plain = DEFLATE_END;
		(void)with_guesses(&r, in, out, &there, &status);
		expect_int(status == DEFLATE_END, plain == DEFLATE_END);
		assert_uint(there, pos);
		expect_mem(out, other, pos);
		packed[at] ^= bit;
	}
	let_go();
}

/* Of one byte after the other of a file that is compressed itself, and so full
 * of what looks like blocks and is none. */
static size_t
store(const uint8_t *in, size_t n, uint8_t *to)
{
	size_t at = 0, used = 0;

	while (at < n) {
		size_t part = n - at < 3000 ? n - at : 3000;
		uint8_t head[5] = {at + part == n, (uint8_t)part,
		    (uint8_t)(part >> 8), (uint8_t)~part,
		    (uint8_t)(~part >> 8)};

		memcpy(to + used, head, sizeof(head));
		memcpy(to + used + sizeof(head), in + at, part);
		used += sizeof(head) + part;
		at += part;
	}
	return used;
}

TEST_WITHIN(wrong_guesses_change_nothing, 120)
{
	struct random r = {8};
	size_t size = large(14, -15), pos, n;
	static struct deflate d;
	uint8_t *twice = malloc(ROOM);
	struct guess *g;
	bool any = false;

	assert_not_null(twice);
	n = store(packed, size, twice);
	g = guess_new(view_of(twice, n));
	assert_not_null(g);
	assert_true(deflate_init(&d, view_of(twice, n), 0));
	for (pos = 0; pos < size;) {
		size_t end = pos + 1 + next(&r) % 300000;

		for (uint32_t steps = next(&r) % 16; steps > 0; steps--)
			any = guess_step(g, n) || any;
		assert_true(guess_run(g, &d, out, &pos, end < size ? end : size,
				false) != DEFLATE_DAMAGED);
		assert_true(d.at != DEFLATE_TOKENS);
	}
	expect_true(any);
	expect_mem(out, packed, size);
	assert_true(deflate_finish(&d));
	guess_free(g);
	free(twice);
	let_go();
}

/* ---- threads ---- */

static struct image no_file; /* of a stream whose bytes are not mapped */
static atomic_bool stop;

static void *
guess(void *s)
{
	while (!atomic_load(&stop))
		(void)stream_guess(s, UINT64_MAX);
	return NULL;
}

static void
with_guessers(size_t size, bool sparse, size_t n)
{
	struct packed p = {ELFCOMPRESS_ZLIB, LARGE, view_of(packed, size)};
	bt_error_t e = {0};
	struct stream *s = stream_new(&no_file, &p, &e);
	struct view v;
	pthread_t t[4];

	assert_not_null(s);
	if (sparse)
		stream_sparse(s);
	atomic_store(&stop, false);
	for (size_t i = 0; i < n; i++)
		assert_int(pthread_create(&t[i], NULL, guess, s), 0);
	for (size_t from = 0; from < LARGE; from += LARGE / 32) {
		size_t to = from + LARGE / 32;

		assert_ok(stream_range(s, from, to, &v, &e), &e);
		assert_true(v.size >= to);
		assert_mem(v.data + from, bytes + from, to - from);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < n; i++)
		assert_int(pthread_join(t[i], NULL), 0);
	stream_free(s);
}

TEST_WITHIN(threads_guess_while_another_reads, 120)
{
	size_t size = large(13, 15);

	no_file.prefetch = prefetch_new(2);
	assert_not_null(no_file.prefetch);
	for (size_t n = 1; n <= 4; n++) {
		with_guessers(size, false, n);
		with_guessers(size, true, n);
	}
	prefetch_free(no_file.prefetch);
	no_file.prefetch = NULL;
	let_go();
}
