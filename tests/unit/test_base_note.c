/* SPDX-License-Identifier: MIT */
#include "base/note.h"

#include "harness/test.h"

/* Two notes: type 7, "GNU" with the descriptor "abcde"; type 8, nothing. The
 * first begins, as all do, where the alignment says. */
#define FIRST "\4\0\0\0\5\0\0\0\7\0\0\0GNU\0"
#define SECOND "\0\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0" /* to 8 */

static struct view
text(const char *bytes, size_t size)
{

	return view_of(bytes, size);
}

TEST(reads_one_after_the_other)
{
	static const char bytes[] = FIRST "abcde\0\0\0" SECOND;
	struct note n;

	for (uint64_t align = 0; align <= 8; align += 4) {
		struct view v = text(bytes, sizeof(bytes) - 1);

		assert_true(note_next(&v, align, &n));
		expect_uint(n.type, 7);
		assert_true(n.name.size == 4 && n.desc.size == 5);
		expect_true(memcmp(n.name.data, "GNU", 4) == 0);
		expect_true(memcmp(n.desc.data, "abcde", 5) == 0);
		assert_true(note_next(&v, align, &n));
		expect_uint(n.type, 8);
		expect_true(n.name.size == 0 && n.desc.size == 0);
		expect_false(note_next(&v, align, &n));
	}
}

/* A descriptor of 2 bytes: the next note is 4 or 8 bytes behind its begin. */
TEST(aligns_as_the_segment_says)
{
	static const char bytes[] = "\4\0\0\0\2\0\0\0\1\0\0\0GNU\0"
				    "ab\0\0\0\0\0\0" SECOND;
	struct view v = text(bytes, sizeof(bytes) - 1);
	struct note n;

	assert_true(note_next(&v, 8, &n) && note_next(&v, 8, &n));
	expect_uint(n.type, 8);
	v = text(bytes, sizeof(bytes) - 1);
	assert_true(note_next(&v, 4, &n) && note_next(&v, 4, &n));
	expect_uint(n.type, 0);
}

TEST(ends_where_one_does_not_fit)
{
	static const char sizes[][13] = {
	    "\377\377\377\377\0\0\0\0\1\0\0\0", /* its name */
	    "\0\0\0\0\377\377\377\377\1\0\0\0", /* its descriptor */
	    "\375\377\377\377\375\377\377\377\1\0\0\0",
	};
	static const char whole[] = FIRST "abcde";
	struct note n;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct view v = text(sizes[i], 12);

		expect_false(note_next(&v, 4, &n));
	}
	/* Only what is behind the last may be missing. */
	for (size_t size = 0; size < sizeof(whole); size++) {
		struct view v = text(whole, size);

		expect_true(
		    note_next(&v, 4, &n) == (size == sizeof(whole) - 1));
		expect_false(note_next(&v, 4, &n));
	}
}
