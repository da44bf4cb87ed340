/* SPDX-License-Identifier: MIT */
/*
 * Arena, buffer and array: caps hold exactly, memory is zeroed, running out is
 * remembered and leaves what was there.
 */
#include <wchar.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "harness/test.h"

static bool
is_zero(const void *p, size_t size)
{
	const uint8_t *bytes = p;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

TEST(arena_gives_zeroed_aligned_memory)
{
	static const size_t sizes[] = {
	    0, 1, 15, 16, 17, 4000, 5000, 100000, 3 << 20, 8};
	uint8_t *given[10];
	struct arena a;

	arena_init(&a, SIZE_MAX);
	for (size_t i = 0; i < 10; i++) {
		given[i] = arena_alloc(&a, sizes[i]);
		assert_not_null(given[i]);
		expect_uint((uintptr_t)given[i] % 16, 0);
		expect_true(is_zero(given[i], sizes[i]));
		memset(given[i], (int)i + 1, sizes[i]);
	}
	/* None of them overlaps another. */
	for (size_t i = 0; i < 10; i++) {
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int(given[i][j], (int)i + 1);
	}
	expect_false(a.exhausted);
	arena_deinit(&a);
	expect_uint(a.used, 0);
}

TEST(arena_cap_is_exact_and_remembered)
{
	struct arena a;

	arena_init(&a, 64);
	expect_not_null(arena_alloc(&a, 33));
	expect_uint(a.used, 48);
	expect_false(a.exhausted);
	expect_null(arena_alloc(&a, 17));
	expect_true(a.exhausted);
	/* What fits is still given. */
	expect_not_null(arena_alloc(&a, 16));
	expect_null(arena_alloc(&a, 0));
	arena_reset(&a);
	expect_false(a.exhausted);
	expect_not_null(arena_alloc(&a, 64));
	arena_deinit(&a);
	arena_init(&a, 0);
	expect_null(arena_alloc(&a, 0));
	arena_deinit(&a);
}

TEST(arena_refuses_sizes_that_wrap)
{
	struct arena a;

	arena_init(&a, SIZE_MAX);
	for (size_t less = 0; less < 40; less++) {
		a.exhausted = false;
		expect_null(arena_alloc(&a, SIZE_MAX - less));
		expect_true(a.exhausted);
	}
	a.exhausted = false;
	expect_null(arena_array(&a, SIZE_MAX / 2, 3));
	expect_true(a.exhausted);
	a.exhausted = false;
	expect_null(arena_strndup(&a, "x", SIZE_MAX));
	expect_true(a.exhausted);
	expect_uint(a.used, 0);
	arena_deinit(&a);
}

TEST(arena_reset_gives_clean_memory_again)
{
	static const size_t sizes[] = {100, 3000, 200000, 2 << 20};
	struct arena a;

	arena_init(&a, SIZE_MAX);
	for (size_t i = 0; i < 4; i++) {
		for (int round = 0; round < 3; round++) {
			uint8_t *p = arena_alloc(&a, sizes[i]);

			assert_not_null(p);
			expect_true(is_zero(p, sizes[i]));
			memset(p, 0xaa, sizes[i]);
			memset(arena_alloc(&a, 10), 0xbb, 10);
			arena_reset(&a);
			expect_uint(a.used, 0);
		}
	}
	/* A single outsized block is given back. */
	arena_reset(&a);
	memset(arena_alloc(&a, 8 << 20), 0xcc, 8 << 20);
	arena_reset(&a);
	expect_null(a.head);
	expect_true(is_zero(arena_alloc(&a, 100), 100));
	arena_deinit(&a);
	arena_reset(&a);
}

TEST(arena_text)
{
	struct arena a;

	arena_init(&a, 4096);
	expect_str(arena_strdup(&a, "hello"), "hello");
	expect_str(arena_strdup(&a, ""), "");
	expect_str(arena_strndup(&a, "abc", 2), "ab");
	expect_str(arena_strndup(&a, NULL, 0), "");
	expect_mem(arena_strndup(&a, "a\0b", 3), "a\0b", 4);
	expect_str(arena_printf(&a, "%s-%d", "x", 42), "x-42");
	expect_uint(*(int *)arena_array(&a, 3, sizeof(int)), 0);
	expect_null(arena_printf(&a, "%5000d", 1));
	expect_true(a.exhausted);
	arena_deinit(&a);
}

TEST(arena_without_memory)
{
	struct arena a;

	arena_init(&a, SIZE_MAX);
	test_alloc_allow(0);
	expect_null(arena_alloc(&a, 1));
	expect_true(test_alloc_restore());
	expect_true(a.exhausted);
	expect_uint(a.used, 0);
	expect_not_null(arena_alloc(&a, 1));
	arena_deinit(&a);
}

/* A character that the C locale cannot write makes vsnprintf fail. */
static const wchar_t unwritable[] = {0x20ac, 0};

TEST(printf_failures)
{
	struct arena a;
	struct buf b;

	arena_init(&a, 4096);
	expect_null(arena_printf(&a, "%ls", unwritable));
	expect_true(a.exhausted);
	arena_deinit(&a);
	buf_init(&b, 100);
	buf_puts(&b, "ab");
	buf_printf(&b, "%ls", unwritable);
	expect_true(b.failed);
	expect_str(buf_text(&b), "ab");
	buf_deinit(&b);
}

TEST(buf_grows_to_its_cap)
{
	struct buf b;

	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		buf_putc(&b, (char)('a' + i % 26));
	expect_false(b.failed);
	expect_uint(b.size, 1000);
	expect_uint(strlen(buf_text(&b)), 1000);
	for (int i = 0; i < 1000; i++)
		assert_int(b.data[i], 'a' + i % 26);
	buf_putc(&b, 'x');
	expect_true(b.failed);
	expect_uint(b.size, 1000);
	/* Sticky, also for what would fit. */
	buf_append(&b, "", 0);
	buf_printf(&b, "%s", "");
	expect_true(b.failed);
	buf_clear(&b);
	expect_false(b.failed);
	buf_puts(&b, "new");
	expect_str(buf_text(&b), "new");
	buf_deinit(&b);
	expect_uint(b.cap, 1000);
	expect_str(buf_text(&b), "");
}

TEST(buf_refuses_what_does_not_fit)
{
	struct buf b;

	buf_init(&b, 10);
	buf_puts(&b, "12345");
	buf_puts(&b, "678901");
	expect_true(b.failed);
	buf_puts(&b, "6");
	expect_str(buf_text(&b), "12345");
	expect_null(buf_extend(&b, 0));
	buf_clear(&b);
	expect_null(buf_extend(&b, SIZE_MAX));
	expect_true(b.failed);
	buf_deinit(&b);
	buf_init(&b, 0);
	buf_append(&b, "x", 0);
	expect_false(b.failed);
	buf_putc(&b, 'x');
	expect_true(b.failed);
	expect_str(buf_text(&b), "");
	buf_deinit(&b);
	buf_init(&b, SIZE_MAX);
	expect_null(buf_extend(&b, SIZE_MAX - 1));
	expect_true(b.failed);
	buf_deinit(&b);
}

TEST(buf_takes_parts)
{
	enum { LARGE = 100000 };
	static const size_t sizes[] = {0, 1, 1000, 65535, 65536, LARGE};
	static uint8_t bytes[LARGE];
	struct buf b, part;

	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t before = 0; before < 40000; before += 9999) {
			buf_init(&b, 1 << 20);
			buf_init(&part, 1 << 20);
			buf_append(&b, bytes + 5, before);
			buf_append(&part, bytes, sizes[i]);
			buf_take(&b, &part);
			expect_false(b.failed);
			expect_uint(b.size, before + sizes[i]);
			if (before != 0)
				expect_mem(b.data, bytes + 5, before);
			if (sizes[i] != 0)
				expect_mem(b.data + before, bytes, sizes[i]);
			expect_null(part.data);
			expect_uint(part.size, 0);
			/* It goes on growing as before. */
			buf_append(&b, bytes, 70000);
			expect_mem(b.data + before + sizes[i], bytes, 70000);
			buf_deinit(&b);
		}
	/* More than the cap, a part with more room than the cap, and a part
	 * that failed. */
	buf_init(&b, LARGE - 1);
	buf_init(&part, 1 << 20);
	buf_append(&part, bytes, LARGE);
	buf_take(&b, &part);
	expect_true(b.failed);
	expect_uint(b.size, 0);
	buf_clear(&b);
	expect_true(buf_reserve(&part, LARGE * 5));
	buf_append(&part, bytes, LARGE - 1);
	buf_take(&b, &part);
	expect_false(b.failed);
	buf_putc(&b, 'x');
	expect_true(b.failed);
	buf_clear(&b);
	expect_false(buf_reserve(&part, SIZE_MAX));
	buf_take(&b, &part);
	expect_true(b.failed);
	buf_deinit(&b);
}

TEST(buf_printf_at_every_length)
{
	/* Around the first room, where the text is formatted twice. */
	for (int n = 0; n < 700; n++) {
		struct buf b;

		buf_init(&b, 600);
		buf_printf(&b, "%s", "");
		buf_puts(&b, "ab");
		buf_printf(&b, "%*d", n, 7);
		if (n <= 598) {
			expect_false(b.failed);
			expect_uint(b.size, 2 + (n > 0 ? (size_t)n : 1));
			expect_int(buf_text(&b)[b.size - 1], '7');
		} else {
			expect_true(b.failed);
			expect_str(buf_text(&b), "ab");
		}
		buf_deinit(&b);
	}
}

TEST(buf_extend_counts)
{
	uint8_t *place;
	struct buf b;

	buf_init(&b, 5000);
	expect_not_null(buf_extend(&b, 0));
	place = buf_extend(&b, 4999);
	assert_not_null(place);
	memset(place, 'x', 4999);
	expect_uint(b.size, 4999);
	expect_not_null(buf_extend(&b, 1));
	expect_null(buf_extend(&b, 1));
	buf_deinit(&b);
}

TEST(buf_without_memory)
{
	struct buf b;

	buf_init(&b, 100000);
	test_alloc_allow(0);
	expect_null(buf_extend(&b, 0));
	expect_true(b.failed);
	buf_clear(&b);
	buf_putc(&b, 'x');
	expect_true(b.failed);
	expect_true(test_alloc_restore());
	expect_str(buf_text(&b), "");
	buf_clear(&b);
	buf_puts(&b, "kept");
	test_alloc_allow(0);
	buf_printf(&b, "%1000d", 1);
	expect_true(test_alloc_restore());
	expect_true(b.failed);
	expect_str(buf_text(&b), "kept");
	buf_deinit(&b);
}

TEST(vec_grows_and_zeroes)
{
	VEC(struct {
		uint64_t a;
		char b[5];
	})
	v;

	vec_init(&v, 1000);
	for (size_t i = 0; i < 1000; i++) {
		assert_not_null(vec_push(&v));
		expect_uint(v.count, i + 1);
		expect_true(is_zero(&v.items[i], sizeof(v.items[i])));
		memset(&v.items[i], 0xff, sizeof(v.items[i]));
		v.items[i].a = i;
	}
	expect_null(vec_push(&v));
	expect_uint(v.count, 1000);
	for (size_t i = 0; i < 1000; i++)
		expect_uint(v.items[i].a, i);
	vec_clear(&v);
	expect_uint(vec_push(&v)->a, 0);
	vec_deinit(&v);
	expect_uint(v.count, 0);
	expect_null(v.items);
}

TEST(vec_limits)
{
	void *items = NULL;
	size_t room = 0;
	VEC(int) v;

	vec_init(&v, 0);
	expect_null(vec_push(&v));
	vec_init(&v, 3); /* below the first room */
	for (int i = 0; i < 3; i++)
		expect_not_null(vec_push(&v));
	expect_uint(v.room, 3);
	expect_null(vec_push(&v));
	vec_deinit(&v);
	/* Sizes that would wrap. */
	expect_false(vec_grow(&items, &room, 0, SIZE_MAX, SIZE_MAX / 2));
	room = SIZE_MAX / 2 + 1;
	expect_false(vec_grow(&items, &room, room, SIZE_MAX, 1));
	expect_null(items);
}

TEST(vec_without_memory)
{
	VEC(int) v;

	vec_init(&v, 100);
	test_alloc_allow(0);
	expect_null(vec_push(&v));
	expect_true(test_alloc_restore());
	for (int i = 0; i < 8; i++)
		*vec_push(&v) = i;
	test_alloc_allow(0);
	expect_null(vec_push(&v));
	expect_true(test_alloc_restore());
	expect_uint(v.count, 8);
	expect_int(v.items[7], 7);
	vec_deinit(&v);
}
