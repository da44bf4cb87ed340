/* SPDX-License-Identifier: MIT */
/*
 * Escaping of foreign text, UTF-8, strict numbers.
 */
#include "base/text.h"

#include <time.h>

#include "harness/test.h"

/* {in, out}; in may contain NUL when len is given. */
static const struct {
	const char *in, *out;
	size_t len;
} escapes[] = {
    {"", "", 0},
    {"plain ASCII ~!\"'", "plain ASCII ~!\"'", 0},
    {"back\\slash \\n", "back\\slash \\n", 0},
    {"a\nb\tc\rd", "a\\nb\\tc\\x0dd", 0},
    {"\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07", 0},
    {"\x7f\x01\x1f", "\\x7f\\x01\\x1f", 0},
    {"a\0b", "a\\x00b", 3},
    /* visible characters of 2, 3 and 4 bytes stay */
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
	"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 0},
    /* C1: CSI as UTF-8, and as a lone byte */
    {"\xc2\x9b"
     "31m",
	"\\u{9b}31m", 0},
    {"\x9b"
     "31m",
	"\\x9b31m", 0},
    {"\xc2\xa0", "\xc2\xa0", 0}, /* no-break space is visible */
    /* bidirectional controls */
    {"a\xe2\x80\xae"
     "b",
	"a\\u{202e}b", 0},
    {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}", 0},
    {"\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "\\u{61c}\\u{200e}\\u{200f}", 0},
    /* what nobody sees, and what breaks the line */
    {"\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "\\u{200b}\\u{feff}\\u{ad}", 0},
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}", 0},
    {"\xf3\xa0\x81\x81", "\\u{e0041}", 0},
    /* invalid: lone continuation, overlong, surrogate, too large, cut */
    {"\x80", "\\x80", 0},
    {"\xc0\xaf", "\\xc0\\xaf", 0},
    {"\xc1\xbf", "\\xc1\\xbf", 0},
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf", 0},
    {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf", 0},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", 0},
    {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf", 0},
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", 0},
    {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80", 0},
    {"\xff\xfe", "\\xff\\xfe", 0},
    {"\xc3", "\\xc3", 0},
    {"\xe2\x82", "\\xe2\\x82", 0},
    {"\xe2\x82\xac", "\\xe2\\x82", 2},
    {"\xf0\x9f\x98", "\\xf0\\x9f\\x98", 0},
    {"\xc3(", "\\xc3(", 0},
    {"\xe2\x28\xa1", "\\xe2(\\xa1", 0},
    /* the first and the last valid ones of each length */
    {"\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80",
	"\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80", 0},
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", 0},
};

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))

TEST(escape)
{
	for (size_t i = 0; i < COUNT(escapes); i++) {
		size_t len = escapes[i].len;
		char room[200];
		struct buf b;

		if (len == 0)
			len = strlen(escapes[i].in);
		buf_init(&b, 1000);
		text_escape(&b, escapes[i].in, len);
		expect_str(buf_text(&b), escapes[i].out);
		/* What was escaped stays when escaped again. */
		text_escape_into(room, sizeof(room), buf_text(&b));
		expect_str(room, escapes[i].out);
		if (escapes[i].len == 0) {
			text_escape_into(room, sizeof(room), escapes[i].in);
			expect_str(room, escapes[i].out);
		}
		buf_deinit(&b);
	}
}

TEST(escape_stops_at_the_cap)
{
	struct buf b;

	buf_init(&b, 5);
	text_escape(&b,
	    "ab\x01"
	    "cd",
	    5);
	expect_true(b.failed);
	expect_str(buf_text(&b), "ab");
	buf_deinit(&b);
}

/* Whole escapes only, then the dots, as far as they fit. */
TEST(escape_into_any_size)
{
	static const char *const outs[] = {"", ".", "..", "...", "a...", "a...",
	    "a\\n...", "a\\n...", "a\\n...", "a\\n\\x01bc", "a\\n\\x01bc"};
	static const char in[] = "a\n\x01"
				 "bc";
	char room[32];

	for (size_t size = 1; size <= COUNT(outs); size++) {
		memset(room, '#', sizeof(room));
		expect_true(text_escape_into(room, size, in) == room);
		expect_int(room[size], '#');
		expect_str(room, outs[size - 1]);
	}
	room[0] = '#';
	expect_true(text_escape_into(room, 0, in) == room);
	expect_int(room[0], '#');
}

TEST(utf8)
{
	static const struct {
		const char *text;
		size_t len;
		bool valid;
	} table[] = {
	    {"", 0, true},
	    {"a\0b", 3, true},
	    {"\x1b", 1, true},
	    {"\xc3\xa4", 2, true},
	    {"\xc3\xa4", 1, false},
	    {"a\x80", 2, false},
	    {"\xed\xa0\x80", 3, false},
	    {"\xc0\x80", 2, false},
	    {"\xf4\x8f\xbf\xbf", 4, true},
	    {"\xf4\x90\x80\x80", 4, false},
	};

	for (size_t i = 0; i < COUNT(table); i++)
		expect_int(
		    text_is_utf8(table[i].text, table[i].len), table[i].valid);
}

TEST(unsigned_numbers)
{
	static const struct {
		const char *text;
		bool valid;
		uint64_t value;
	} table[] = {
	    {"0", true, 0},
	    {"007", true, 7},
	    {"18446744073709551615", true, UINT64_MAX},
	    {"18446744073709551616", false, 0},
	    {"99999999999999999999999", false, 0},
	    {"0x0", true, 0},
	    {"0xfFfFfFfFfFfFfFfF", true, UINT64_MAX},
	    {"0X10", true, 16},
	    {"0xAbCdEf", true, 0xabcdef},
	    {"0xF9", true, 0xf9},
	    {"0xG", false, 0},
	    {"0x10000000000000000", false, 0},
	    {"", false, 0},
	    {"0x", false, 0},
	    {" 1", false, 0},
	    {"1 ", false, 0},
	    {"+1", false, 0},
	    {"-1", false, 0},
	    {"1a", false, 0},
	    {"a", false, 0},
	    {"0xg", false, 0},
	    {"1.0", false, 0},
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		uint64_t value = 0xdead;

		expect_int(text_u64(table[i].text, &value), table[i].valid);
		expect_uint(value, table[i].valid ? table[i].value : 0xdead);
	}
}

TEST(signed_numbers)
{
	static const struct {
		const char *text;
		bool valid;
		int64_t value;
	} table[] = {
	    {"0", true, 0},
	    {"-0", true, 0},
	    {"-1", true, -1},
	    {"9223372036854775807", true, INT64_MAX},
	    {"9223372036854775808", false, 0},
	    {"-9223372036854775808", true, INT64_MIN},
	    {"-9223372036854775809", false, 0},
	    {"0x7fffffffffffffff", true, INT64_MAX},
	    {"-0x10", true, -16},
	    {"", false, 0},
	    {"-", false, 0},
	    {"--1", false, 0},
	    {"- 1", false, 0},
	    {"+1", false, 0},
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		int64_t value = 0xdead;

		expect_int(text_i64(table[i].text, &value), table[i].valid);
		expect_int(value, table[i].valid ? table[i].value : 0xdead);
	}
}

TEST(sizes)
{
	static const struct {
		const char *text;
		bool valid;
		uint64_t value;
	} table[] = {
	    {"0", true, 0},
	    {"123", true, 123},
	    {"1k", true, 1024},
	    {"1K", true, 1024},
	    {"32M", true, 32 << 20},
	    {"2m", true, 2 << 20},
	    {"3G", true, UINT64_C(3) << 30},
	    {"3g", true, UINT64_C(3) << 30},
	    {"17179869183G", true, UINT64_C(17179869183) << 30},
	    {"17179869184G", false, 0},
	    {"18446744073709551616", false, 0},
	    {"", false, 0},
	    {"k", false, 0},
	    {"1kk", false, 0},
	    {"1kB", false, 0},
	    {"1T", false, 0},
	    {"-1", false, 0},
	    {"1 k", false, 0},
	    {"0x10", false, 0},
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		uint64_t value = 0xdead;

		expect_int(text_size(table[i].text, &value), table[i].valid);
		expect_uint(value, table[i].valid ? table[i].value : 0xdead);
	}
}

TEST(basename)
{
	static const char *const table[][2] = {{"/a/b", "b"}, {"b", "b"},
	    {"/", ""}, {"a/", ""}, {"", ""}, {"../x.so", "x.so"}};

	for (size_t i = 0; i < COUNT(table); i++)
		expect_str(text_basename(table[i][0]), table[i][1]);
	expect_str(text_basename(NULL), "");
}

TEST(dates)
{
	static const struct {
		int64_t seconds;
		const char *want; /* NULL: none */
	} table[] = {
	    {0, "1970-01-01T00:00:00"},
	    {-1, "1969-12-31T23:59:59"},
	    {951782399, "2000-02-28T23:59:59"},
	    {951782400, "2000-02-29T00:00:00"},
	    {951868800, "2000-03-01T00:00:00"},
	    {1709164800, "2024-02-29T00:00:00"},
	    {1735689599, "2024-12-31T23:59:59"},
	    {4107542400, "2100-03-01T00:00:00"},
	    {253402300799, "9999-12-31T23:59:59"},
	    {253402300800, NULL},
	    {-62167219200, "0000-01-01T00:00:00"},
	    {-62167219201, NULL},
	    {INT64_MAX, NULL},
	    {INT64_MIN, NULL},
	};
	char date[20];

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (text_date(table[i].seconds, 'T', date))
			expect_str(date, table[i].want);
		else
			expect_null(table[i].want);
	}
}

/* Every day of 800 years follows the one before as the C library has it. */
TEST(every_day)
{
	char date[20], want[20];

	for (int64_t day = -146097; day < 146097; day++) {
		time_t seconds = (time_t)(day * 86400 + 86399);
		struct tm tm;

		assert_not_null(gmtime_r(&seconds, &tm));
		assert_true(strftime(want, sizeof(want), "%Y-%m-%d %H:%M:%S",
				&tm) == 19);
		assert_true(text_date(seconds, ' ', date));
		assert_str(date, want);
	}
}
