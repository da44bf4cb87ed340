/* SPDX-License-Identifier: MIT */
/*
 * The bounded reader: nothing past the end is ever read (run under
 * AddressSanitizer: the data is on the heap, exactly as long as the view), and
 * a failure sticks.
 */
#include "base/view.h"

#include "harness/test.h"

static struct view
heap_view(const void *data, size_t size)
{
	void *copy = malloc(size > 0 ? size : 1);

	assert_not_null(copy);
	memcpy(copy, data, size);
	return view_of(copy, size);
}

static void
drop(struct view *v)
{
	free((void *)(uintptr_t)v->data);
}

TEST(little_endian_values)
{
	struct view v = heap_view("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"
				  "\x0b\x0c\x0d\x0e\x0f",
	    15);

	expect_uint(view_u8(&v), 0x01);
	expect_uint(view_u16(&v), 0x0302);
	expect_uint(view_u32(&v), 0x07060504);
	expect_uint(view_u64(&v), UINT64_C(0x0f0e0d0c0b0a0908));
	expect_true(view_ok(&v));
	expect_true(view_end(&v));
	expect_uint(view_left(&v), 0);
	drop(&v);
}

TEST(reading_past_the_end)
{
	/* Each read needs one byte more than there is. */
	for (size_t size = 1; size <= 8; size++) {
		struct view v = heap_view("\xff\xff\xff\xff\xff\xff\xff", 7);

		v.size = size - 1;
		expect_uint(view_uint(&v, size), 0);
		expect_false(view_ok(&v));
		expect_true(view_end(&v));
		expect_uint(v.pos, 0);
		/* Sticky, although this byte is there. */
		expect_uint(view_u8(&v), 0);
		drop(&v);
	}
}

TEST(sizes_of_view_uint)
{
	struct view v = heap_view("\x01\x02\x03\x04\x05\x06\x07\x08", 8);

	expect_uint(view_uint(&v, 3), 0x030201);
	expect_uint(view_uint(&v, 5), UINT64_C(0x0807060504));
	expect_true(view_ok(&v));
	view_seek(&v, 0);
	expect_uint(view_uint(&v, 8), UINT64_C(0x0807060504030201));
	view_seek(&v, 0);
	expect_uint(view_uint(&v, 9), 0);
	expect_false(view_ok(&v));
	v.failed = false;
	expect_uint(view_uint(&v, 0), 0);
	expect_false(view_ok(&v));
	drop(&v);
}

TEST(bytes_skip_and_seek)
{
	struct view v = heap_view("abcdef", 6);

	expect_mem(view_bytes(&v, 2), "ab", 2);
	view_skip(&v, 2);
	expect_mem(view_bytes(&v, 0), "", 0);
	expect_mem(view_bytes(&v, 2), "ef", 2);
	expect_not_null(view_bytes(&v, 0));
	expect_true(view_ok(&v));
	view_seek(&v, 6);
	expect_true(view_ok(&v));
	view_seek(&v, 1);
	expect_null(view_bytes(&v, SIZE_MAX));
	expect_false(view_ok(&v));
	expect_uint(v.pos, 1);
	view_seek(&v, 2); /* no way out of a failure */
	expect_uint(v.pos, 1);
	v.failed = false;
	view_seek(&v, 7);
	expect_false(view_ok(&v));
	drop(&v);
}

TEST(no_data)
{
	struct view v = view_of(NULL, 100);

	expect_uint(v.size, 0);
	expect_true(view_end(&v));
	expect_uint(view_u8(&v), 0);
	expect_false(view_ok(&v));
	v = view_of(NULL, 0);
	expect_null(view_cstr(&v));
}

static const struct {
	const char *bytes;
	size_t size;
	bool ok;
	uint64_t unsigned_value;
	int64_t signed_value;
} lebs[] = {
    {"\x00", 1, true, 0, 0},
    {"\x02", 1, true, 2, 2},
    {"\x7e", 1, true, 126, -2},
    {"\x7f", 1, true, 127, -1},
    {"\xff\x00", 2, true, 127, 127},
    {"\x80\x01", 2, true, 128, 128},
    {"\x80\x7f", 2, true, 16256, -128},
    {"\xe5\x8e\x26", 3, true, 624485, 624485},
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 10, true, UINT64_C(1) << 63,
	INT64_MIN},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, true, UINT64_MAX, -1},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, true, UINT64_MAX, -1},
    /* padding: longer than need be, and bits beyond 64 are dropped */
    {"\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12, true, 1, 1},
    {"\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 11, true, 1, 1},
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 16,
	true, 0, 0},
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 17,
	false, 0, 0},
    {"", 0, false, 0, 0},
    {"\x80", 1, false, 0, 0},
    {"\xff\xff", 2, false, 0, 0},
};

TEST(leb128)
{
	for (size_t i = 0; i < sizeof(lebs) / sizeof(lebs[0]); i++) {
		struct view v = heap_view(lebs[i].bytes, lebs[i].size);

		expect_uint(view_uleb(&v), lebs[i].unsigned_value);
		expect_int(view_ok(&v), lebs[i].ok);
		if (lebs[i].ok)
			expect_uint(v.pos, lebs[i].size);
		v.pos = 0;
		v.failed = false;
		expect_int(view_sleb(&v), lebs[i].signed_value);
		expect_int(view_ok(&v), lebs[i].ok);
		drop(&v);
	}
}

TEST(strings)
{
	struct view v = heap_view("ab\0\0cd", 6);

	expect_str(view_cstr(&v), "ab");
	expect_str(view_cstr(&v), "");
	expect_null(view_cstr(&v)); /* no NUL before the end */
	expect_false(view_ok(&v));
	expect_uint(v.pos, 4);
	v.failed = false;
	v.pos = 6;
	expect_null(view_cstr(&v));
	v.pos = 0;
	expect_null(view_cstr(&v)); /* sticky */
	drop(&v);
}

TEST(parts)
{
	static const struct {
		uint64_t offset, size;
		bool ok;
	} table[] = {
	    {0, 6, true},
	    {6, 0, true},
	    {2, 3, true},
	    {0, 7, false},
	    {6, 1, false},
	    {7, 0, false},
	    {UINT64_MAX, 1, false},
	    {1, UINT64_MAX, false},
	    {2, UINT64_MAX - 1, false},
	};
	struct view v = heap_view("abcdef", 6), part;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		part = view_sub(&v, table[i].offset, table[i].size);
		expect_int(view_ok(&part), table[i].ok);
		expect_uint(part.size, table[i].ok ? table[i].size : 0);
		part = view_from(&v, table[i].offset);
		expect_int(view_ok(&part), table[i].offset <= 6);
		expect_uint(
		    part.size, table[i].offset <= 6 ? 6 - table[i].offset : 0);
	}
	part = view_sub(&v, 2, 3);
	expect_mem(view_bytes(&part, 3), "cde", 3);
	expect_null(view_bytes(&part, 1));
	/* A part of what failed has failed. */
	v.failed = true;
	part = view_sub(&v, 0, 1);
	expect_false(view_ok(&part));
	part = view_from(&v, 0);
	expect_false(view_ok(&part));
	drop(&v);
}
