/* SPDX-License-Identifier: MIT */
/*
 * Which layout belongs to a version of jemalloc's, and how it makes a thread's
 * cache look: each is found by its own layout and by no other. (The walks of
 * real processes are in tests/heap; a library of 5.2 is not to be had there.)
 */
#include "allocators/jemalloc.h"
#include "harness/test.h"

enum { BINS = 36, LOCAL = 600, AT = 33 };

TEST(by_version)
{
	static const struct {
		const char *version, *first, *second;
	} cases[] = {
	    {"5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c", "5.3.", NULL},
	    {"5.3.1-0-g81034ce1f1373e37dc865038e1bc8eeecf559ce8", "5.3.", NULL},
	    {"5.2.1-0-gea6b3e973b477b8061e0076bb257dbd7f3faa756", "5.2.", NULL},
	    {"5.2.0-0-gb0b3e49a54ec29e32636f4577d9d5a896d67fd20", "5.2.", NULL},
	    {"5.1.0-0-g61efbda7098de6fe64c362d309824864308c36d4", NULL, NULL},
	    {"4.5.0-0-g04380e79f1e2428bd0ad000bbc6e3d2dfc6b66a5", NULL, NULL},
	    {"5.30.0-0-g04380e79f1e2428bd0ad000bbc6e3d2dfc6b66a5", NULL, NULL},
	    {"", NULL, NULL},
	    {"0.0.0-0-gmissing_version_try_git_fetch_tags", "5.3.", "5.2."},
	    {NULL, "5.3.", "5.2."},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *want[] = {cases[i].first, cases[i].second, NULL};

		for (size_t k = 0; k < 3; k++) {
			const struct je_layout *l = je_layout_of(
			    cases[i].version, k);

			if (want[k] == NULL) {
				expect_true(l == NULL);
				break;
			}
			assert_true(l != NULL);
			expect_str(l->prefix, want[k]);
		}
	}
}

/* A cache of 5.2 with its two words in front; slots: of each bin. */
static void
make_counted(uint64_t *words, uint64_t slots)
{
	uint64_t empty = 0x7f0000010000;

	memset(words, 0, LOCAL * sizeof(*words));
	words[AT] = 4711;
	words[AT + 1] = UINT64_C(228) << 32 | 100;
	for (unsigned i = 0; i < BINS; i++, empty += slots * 8) {
		uint64_t *bin = words + AT + 2 + 3 * i;

		bin[0] = (uint64_t)(i % 20) << 32 |
		    (i % 3 == 0 ? UINT32_MAX : 0);
		bin[1] = 1000 + i;
		bin[2] = empty;
	}
}

/* One of 5.3 with its one. */
static void
make_pointed(uint64_t *words)
{
	uint64_t full = 0x7f0000010000;

	memset(words, 0, LOCAL * sizeof(*words));
	words[AT] = 0x7f0000001000;
	for (unsigned i = 0; i < BINS; i++) {
		uint64_t *bin = words + AT + 1 + 3 * i, empty = full + 200 * 8;

		bin[0] = empty - i % 20 * 8;
		bin[1] = 1000 + i;
		bin[2] = (empty & 0xffff) << 32 | (full & 0xffff) << 16 |
		    (bin[0] & 0xffff);
		full = empty;
	}
}

TEST(by_caches)
{
	const struct je_layout *new = je_layout_of("5.3.0-0-g0", 0),
			       *old = je_layout_of("5.2.1-0-g0", 0);
	uint64_t words[LOCAL];
	size_t place;

	assert_true(new != NULL &&old != NULL);
	make_counted(words, 200);
	place = 0;
	expect_true(je_cache_find(old, words, LOCAL, &place));
	expect_uint(place, AT * 8);
	expect_false(je_cache_find(new, words, LOCAL, &place));
	/* Bins have 20 slots at least, 200 at most, and no more in them. */
	make_counted(words, 20);
	expect_true(je_cache_find(old, words, LOCAL, &place));
	make_counted(words, 19);
	expect_false(je_cache_find(old, words, LOCAL, &place));
	make_counted(words, 201);
	expect_false(je_cache_find(old, words, LOCAL, &place));
	make_counted(words, 20);
	for (unsigned i = 0; i < BINS; i += 5)
		words[AT + 2 + 3 * i] = UINT64_C(21) << 32;
	expect_false(je_cache_find(old, words, LOCAL, &place));

	make_pointed(words);
	place = 0;
	expect_true(je_cache_find(new, words, LOCAL, &place));
	expect_uint(place, AT * 8);
	expect_false(je_cache_find(old, words, LOCAL, &place));
	/* Cut short, and nothing. */
	expect_false(je_cache_find(new, words, AT + 20, &place));
	memset(words, 0, sizeof(words));
	expect_false(je_cache_find(new, words, LOCAL, &place));
	expect_false(je_cache_find(old, words, LOCAL, &place));
}
