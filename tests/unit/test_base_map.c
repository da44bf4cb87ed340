/* SPDX-License-Identifier: MIT */
/*
 * The map and the interned strings, against a plain model, at their limits and
 * without memory.
 */
#include "base/map.h"

#include "base/strings.h"
#include "harness/test.h"

TEST(empty_map)
{
	struct map m;

	map_init(&m, 10);
	expect_null(map_get(&m, 0));
	expect_null(map_get(&m, 1));
	map_clear(&m);
	map_deinit(&m);
}

TEST(map_keeps_every_key)
{
	enum { COUNT = 20000 };
	struct map m;
	bool is_new;

	map_init(&m, COUNT);
	/* Dense, sparse and extreme keys, key 0 among them. */
	for (uint64_t i = 0; i < COUNT; i++) {
		uint64_t key = i % 2 == 0 ? i << 32 : UINT64_MAX - i;
		uint64_t *value = map_put(&m, key, &is_new);

		assert_not_null(value);
		expect_true(is_new);
		expect_uint(*value, 0);
		*value = i + 1;
	}
	expect_uint(m.count, COUNT);
	for (uint64_t i = 0; i < COUNT; i++) {
		uint64_t key = i % 2 == 0 ? i << 32 : UINT64_MAX - i;

		assert_not_null(map_get(&m, key));
		expect_uint(*map_get(&m, key), i + 1);
		expect_uint(*map_put(&m, key, &is_new), i + 1);
		expect_false(is_new);
		expect_null(map_get(&m, key ^ 1));
	}
	expect_uint(m.count, COUNT);
	map_clear(&m);
	expect_uint(m.count, 0);
	expect_null(map_get(&m, 0));
	expect_null(map_get(&m, UINT64_MAX - 1));
	expect_uint(*map_put(&m, 0, &is_new), 0);
	expect_true(is_new);
	map_deinit(&m);
}

TEST(map_limit)
{
	struct map m;
	bool is_new;

	map_init(&m, 2);
	expect_not_null(map_put(&m, 5, NULL));
	expect_not_null(map_put(&m, 0, NULL));
	expect_null(map_put(&m, 6, &is_new));
	expect_false(is_new);
	expect_not_null(map_put(&m, 5, NULL));
	expect_not_null(map_put(&m, 0, NULL));
	map_deinit(&m);
	map_init(&m, 0);
	expect_null(map_put(&m, 0, NULL));
	expect_null(map_put(&m, 1, NULL));
	map_deinit(&m);
}

TEST(map_pointers)
{
	struct map m;
	int x;

	map_init(&m, 2);
	expect_null(map_get_ptr(&m, 9));
	expect_true(map_put_ptr(&m, 9, &x));
	expect_true(map_get_ptr(&m, 9) == &x);
	expect_true(map_put_ptr(&m, 10, NULL));
	expect_false(map_put_ptr(&m, 11, &x));
	map_deinit(&m);
}

TEST(map_without_memory)
{
	struct map m;

	map_init(&m, 1000);
	test_alloc_allow(0);
	expect_null(map_put(&m, 1, NULL));
	expect_true(test_alloc_restore());
	expect_uint(m.count, 0);
	for (uint64_t i = 1; m.count == 0 || m.count < m.room - m.room / 3; i++)
		*map_put(&m, i, NULL) = i;
	test_alloc_allow(0);
	expect_null(map_put(&m, 1000, NULL));
	expect_true(test_alloc_restore());
	for (uint64_t i = 1; i <= m.count; i++)
		expect_uint(*map_get(&m, i), i);
	map_deinit(&m);
}

TEST(equal_text_is_one_pointer)
{
	enum { COUNT = 5000 };
	static const char *first[COUNT];
	struct arena arena;
	struct strings s;
	char text[40];

	arena_init(&arena, SIZE_MAX);
	strings_init(&s, &arena);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < COUNT; i++) {
			/* Lengths on both sides of a word. */
			(void)snprintf(text, sizeof(text), "%*d", i % 20, i);
			const char *got = strings_add(&s, text);

			expect_str(got, text);
			expect_true(got != text);
			if (round == 0)
				first[i] = got;
			expect_true(first[i] == got);
		}
	}
	expect_uint(s.count, COUNT);
	strings_deinit(&s);
	arena_deinit(&arena);
}

TEST(text_that_is_a_part_of_another)
{
	struct arena arena;
	struct strings s;

	arena_init(&arena, SIZE_MAX);
	strings_init(&s, &arena);
	expect_str(strings_addn(&s, "abcdef", 3), "abc");
	expect_true(strings_add(&s, "abc") == strings_addn(&s, "abcx", 3));
	expect_true(strings_add(&s, "abc") != strings_add(&s, "abcdef"));
	/* Behind a NUL nobody looks. */
	expect_true(strings_addn(&s, "abc\0def", 7) == strings_add(&s, "abc"));
	expect_str(strings_add(&s, NULL), "");
	expect_str(strings_addn(&s, NULL, 3), "");
	expect_str(strings_add(&s, ""), "");
	expect_str(strings_addn(&s, "x", 0), "");
	expect_uint(s.count, 2);
	strings_deinit(&s);
	arena_deinit(&arena);
}

TEST(strings_without_memory)
{
	struct arena arena;
	struct strings s;
	char text[20];

	arena_init(&arena, 32);
	strings_init(&s, &arena);
	test_alloc_allow(0);
	expect_str(strings_add(&s, "a"), "");
	expect_true(test_alloc_restore());
	expect_str(strings_add(&s, "a"), "a");
	expect_str(strings_add(&s, "b"), "b");
	expect_str(strings_add(&s, "c"), ""); /* the arena's cap */
	expect_str(strings_add(&s, "a"), "a");
	expect_uint(s.count, 2);
	arena.cap = SIZE_MAX;
	for (int i = 0; s.count < s.room - s.room / 3; i++) {
		(void)snprintf(text, sizeof(text), "t%d", i);
		expect_str(strings_add(&s, text), text);
	}
	test_alloc_allow(0);
	expect_str(strings_add(&s, "new"), "");
	expect_true(test_alloc_restore());
	expect_str(strings_add(&s, "t0"), "t0");
	strings_deinit(&s);
	arena_deinit(&arena);
}

TEST(maps_are_walked)
{
	uint64_t key, value, keys = 0, values = 0;
	struct map m;
	size_t at = 0, n = 0;

	map_init(&m, 1000);
	expect_false(map_next(&m, &at, &key, &value));
	for (uint64_t i = 0; i < 100; i++)
		*map_put(&m, i, NULL) = 1000 + i;
	for (at = 0; map_next(&m, &at, &key, &value); n++) {
		keys += key;
		values += value;
		expect_uint(value, 1000 + key);
	}
	expect_uint(n, 100);
	expect_uint(keys, 4950);
	expect_uint(values, 104950);
	expect_false(map_next(&m, &at, &key, &value));
	map_deinit(&m);
	/* The zero key alone. */
	*map_put(&m, 0, NULL) = 7;
	at = 0;
	expect_true(map_next(&m, &at, &key, &value));
	expect_uint(value, 7);
	expect_false(map_next(&m, &at, &key, &value));
	map_deinit(&m);
}
