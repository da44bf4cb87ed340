/* SPDX-License-Identifier: MIT */
/*
 * Memory that was touched ahead: blocks are zeroed, whole and one's own, with
 * and without a stock, and an arena that takes its large blocks there is like
 * any other.
 */
#include "base/spare.h"

#include <stdlib.h>

#include "base/arena.h"
#include "harness/test.h"

enum { BLOCKS = 24 };

static void
expect_filled(const uint8_t *block, int with)
{
	for (size_t i = 0; i < SPARE_BLOCK; i++)
		assert_int(block[i], with);
}

/* All at once, then one after the other, so that the stock is met empty, full
 * and in between. */
static void
take_and_give(struct spare *s)
{
	uint8_t *blocks[BLOCKS];

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = spare_take(s);
		assert_not_null(blocks[i]);
		expect_uint((uintptr_t)blocks[i] % 4096, 0);
		expect_filled(blocks[i], 0);
		memset(blocks[i], i + 1, SPARE_BLOCK);
	}
	for (int i = 0; i < BLOCKS; i++) {
		expect_filled(blocks[i], i + 1);
		spare_give(blocks[i]);
		blocks[i] = spare_take(s);
		assert_not_null(blocks[i]);
		expect_filled(blocks[i], 0);
	}
	spare_free(s); /* what was taken stays */
	for (int i = 0; i < BLOCKS; i++) {
		memset(blocks[i], 0xff, SPARE_BLOCK);
		spare_give(blocks[i]);
	}
}

TEST(blocks_are_zeroed_and_ones_own)
{
	take_and_give(spare_new());
}

TEST(no_stock_gives_the_same)
{
	take_and_give(NULL);
	spare_give(NULL);
}

TEST(a_stock_ends_at_any_time)
{
	for (int i = 0; i < 200; i++) {
		struct spare *s = spare_new();

		for (int k = 0; k < i % 4; k++) {
			void *block = spare_take(s);

			assert_not_null(block);
			spare_give(block);
		}
		spare_free(s);
	}
}

TEST(no_memory_for_a_stock)
{
	struct spare *s;
	void *block;

	test_alloc_allow(0);
	s = spare_new();
	(void)test_alloc_restore();
	expect_null(s);
	block = spare_take(s);
	expect_not_null(block);
	spare_give(block);
}

/* Small ones, up to several blocks, and some that are larger than a block. */
static void
fill(struct arena *a)
{
	enum { PIECES = 60 };
	uint8_t *pieces[PIECES];
	size_t sizes[PIECES];

	for (size_t i = 0; i < PIECES; i++) {
		sizes[i] = i % 20 == 19 ? 3 << 20 : i * 4000 + 1;
		pieces[i] = arena_alloc(a, sizes[i]);
		assert_not_null(pieces[i]);
		expect_uint((uintptr_t)pieces[i] % 16, 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int(pieces[i][k], 0);
		memset(pieces[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < PIECES; i++) {
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int(pieces[i][k], (int)i + 1);
	}
}

TEST(an_arena_takes_its_large_blocks_there)
{
	struct spare *s = spare_new();
	struct arena a;

	arena_init(&a, SIZE_MAX);
	a.spare = s;
	for (int round = 0; round < 3; round++) {
		fill(&a);
		arena_reset(&a);
		expect_uint(a.used, 0);
	}
	arena_deinit(&a);
	expect_true(a.spare == s);
	fill(&a);
	/* It may outlive the stock. */
	a.spare = NULL;
	spare_free(s);
	fill(&a);
	arena_deinit(&a);
}
