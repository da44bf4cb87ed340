/* SPDX-License-Identifier: MIT */
/*
 * Deflate data. The first byte chooses by how many bytes it is inflated at a
 * time; it is done three times, by zlib, by us, and by us with every block that
 * can be known in advance known in advance, and all must come to the same.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <zlib.h>

#include "image/guess.h"

enum { ROOM = 1 << 17, TOKENS = 1 << 14, PLACES = 64 };

struct result {
	enum deflate_status status;
	size_t pos, rest;
	uint8_t bytes[ROOM];
};

static void
theirs(struct view in, struct result *r)
{
	z_stream s = {0};
	int status;

	if (inflateInit2(&s, -15) != Z_OK)
		abort();
	s.next_in = (uint8_t *)(uintptr_t)in.data;
	s.avail_in = (uInt)in.size;
	s.next_out = r->bytes;
	s.avail_out = ROOM;
	status = inflate(&s, Z_FINISH);
	r->status = status == Z_STREAM_END	? DEFLATE_END
	    : s.avail_out == 0 && s.msg == NULL ? DEFLATE_MORE
						: DEFLATE_DAMAGED;
	r->pos = s.total_out;
	r->rest = s.avail_in;
	(void)inflateEnd(&s);
}

/* The next block, if it can be known without what lies before it. */
static bool
look_ahead(struct view in, uint64_t bit, struct deflate_tokens *out)
{
	static struct deflate_token items[TOKENS];
	static uint8_t literals[ROOM];
	static struct deflate d;
	struct deflate_room room = {.items = items,
	    .max = TOKENS,
	    .literals = literals,
	    .max_literals = ROOM};

	return deflate_init(&d, in, bit) && deflate_tokens(&d, &room, out);
}

static void
ours(struct view in, size_t step, bool ahead, struct result *r)
{
	static struct deflate d;

	r->pos = 0;
	r->status = DEFLATE_DAMAGED;
	if (!deflate_init(&d, in, 0))
		return;
	do {
		size_t end = ROOM - r->pos < step ? ROOM : r->pos + step;
		struct deflate_tokens block;
		uint64_t bit;

		if (ahead && deflate_block(&d, &bit) &&
		    look_ahead(in, bit, &block))
			deflate_follow(&d, &block);
		r->status = deflate_run(&d, r->bytes, &r->pos, end, ahead);
	} while (r->status == DEFLATE_MORE && r->pos < ROOM);
	if (r->status == DEFLATE_MORE && deflate_finish(&d))
		r->status = DEFLATE_END;
	r->rest = r->status == DEFLATE_END ? deflate_rest(&d).size : 0;
}

/* Wherever a block seems to begin. */
static void
search(struct view in)
{
	static struct deflate d;
	uint64_t bit = 0;

	for (int i = 0; i < PLACES && deflate_find(&d, in, &bit, UINT64_MAX);
	     i++) {
		struct deflate_tokens block;

		if (look_ahead(in, bit, &block))
			fuzz_use(block.items, block.n * sizeof(*block.items));
		bit++;
	}
}

static void
expect_same(const struct result *a, const struct result *b)
{
	if (a->status != b->status || a->pos != b->pos || a->rest != b->rest ||
	    memcmp(a->bytes, b->bytes, a->pos) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result zlib, plain, known;
	struct view in;

	if (size < 2)
		return 0;
	in = view_of(data + 1, size - 1);
	theirs(in, &zlib);
	ours(in, 1 + (size_t)data[0] * data[0], false, &plain);
	ours(in, 1 + (size_t)data[0] * data[0], true, &known);
	expect_same(&plain, &known);
	if ((plain.status == DEFLATE_END) != (zlib.status == DEFLATE_END))
		abort();
	if (zlib.status == DEFLATE_END)
		expect_same(&plain, &zlib);
	search(in);
	return 0;
}
