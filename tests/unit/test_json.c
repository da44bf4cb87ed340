/* SPDX-License-Identifier: MIT */
/* JSON: strings, numbers, validity, and the promises of the document. */
#include <math.h>

#include "formats/json.h"
#include "formats/json_out.h"
#include "harness/test.h"
#include "unit/snapshot_sample.h"

TEST(strings)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} cases[] = {
	    {"", 0, "\"\""},
	    {"plain", 5, "\"plain\""},
	    {"a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\""},
	    {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
	    {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\\u007f\""},
	    {"\0z", 2, "\"\\u0000z\""},
	    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9", 9,
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xa9\""},
	    {"\xff\xc3", 2, "\"\\\\xff\\\\xc3\""},
	    {"\xc0\x80", 2, "\"\\\\xc0\\\\x80\""}, /* overlong */
	    {"\xe0\x80\x80", 3, "\"\\\\xe0\\\\x80\\\\x80\""},
	    {"\xf0\x80\x80\x80", 4, "\"\\\\xf0\\\\x80\\\\x80\\\\x80\""},
	    {"\xed\xa0\x80", 3, "\"\\\\xed\\\\xa0\\\\x80\""}, /* surrogate */
	    {"\xf4\x90\x80\x80", 4, "\"\\\\xf4\\\\x90\\\\x80\\\\x80\""},
	    {"\xf5", 1, "\"\\\\xf5\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		json_string(&b, cases[i].text, cases[i].len);
		expect_str(buf_text(&b), cases[i].want);
		expect_true(json_valid(buf_text(&b), b.size));
		buf_deinit(&b);
	}
}

TEST(valid)
{
	static const char *const good[] = {"null", "true", "false", "0", "-0",
	    "-1.5e+10", "1E5", "1e-7", "\"\"", "[]", "{}", " [ 1 , 2 ] ",
	    "{\"a\":{\"b\":[{}]}}", "\"\\u00e9\\ud83d\\udca9\\n\\/\"",
	    "[[],[[]],{}]", "{\"a\":1,\"a\":2}", "\t\r\n 1 \n"};
	static const char *const bad[] = {"", " ", "nul", "truex", "01", "1.",
	    ".5", "-", "+1", "1e", "1e+", "0x10", "NaN", "Infinity", "\"",
	    "\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\ud83d\"", "\"\\udca9\"",
	    "\"\\ud83d\\u0041\"", "\"\n\"", "\"\xff\"", "[", "]", "[1,]",
	    "[,1]", "[1 2]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
	    "{1:1}", "[}", "{]", "1 2", "{} {}", "[1]]", "'a'",
	    "\xef\xbb\xbf [1]"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!json_valid(good[i], strlen(good[i])))
			fail("refused: %s", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (json_valid(bad[i], strlen(bad[i])))
			fail("accepted: %s", bad[i]);
	}
	/* The length counts, not a NUL. */
	expect_false(json_valid("1\0", 2));
	expect_true(json_valid("12x", 2));
}

TEST(valid_depth)
{
	char text[400];

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	expect_true(json_valid(text, 128));
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	expect_false(json_valid(text, 130));
	memset(text, '[', sizeof(text));
	expect_false(json_valid(text, sizeof(text)));
}

static const char *
number(void (*write)(struct json_out *, uint64_t), uint64_t value)
{
	static struct buf b;
	struct json_out j = {.buf = &b};

	buf_deinit(&b);
	buf_init(&b, 1000);
	write(&j, value);
	return buf_text(&b);
}

static void
write_signed(struct json_out *j, uint64_t value)
{
	json_i64(j, (int64_t)value);
}

/* From 2^53 on a number is a string: most readers have doubles only. */
TEST(integers)
{
	uint64_t limit = UINT64_C(1) << 53;

	expect_str(number(json_u64, 0), "0");
	expect_str(number(json_u64, limit - 1), "9007199254740991");
	expect_str(number(json_u64, limit), "\"9007199254740992\"");
	expect_str(number(json_u64, UINT64_MAX), "\"18446744073709551615\"");
	expect_str(number(write_signed, (uint64_t)-1), "-1");
	expect_str(number(write_signed, -(limit - 1)), "-9007199254740991");
	expect_str(number(write_signed, -limit), "\"-9007199254740992\"");
	expect_str(number(write_signed, UINT64_C(1) << 63),
	    "\"-9223372036854775808\"");
	expect_str(number(json_hex, 0), "\"0x0\"");
	expect_str(number(json_hex, UINT64_MAX), "\"0xffffffffffffffff\"");
	expect_str(number(json_hex, 0xABC), "\"0xabc\"");
	expect_str(number(json_object_id, 7), "\"7\"");
}

TEST(doubles)
{
	static const struct {
		double value;
		bool is_float;
		const char *want;
	} cases[] = {
	    {0, false, "0"},
	    {-0.0, false, "-0"},
	    {0.1, false, "0.1"},
	    {0.1f, false, "0.10000000149011612"},
	    {0.1f, true, "0.1"},
	    {5592405.5, true, "5592405.5"},
	    {1.0 / 3, false, "0.3333333333333333"},
	    {1e300, false, "1e+300"},
	    {5e-324, false, "4.94065645841247e-324"},
	    {NAN, false, "nan"},
	    {-INFINITY, true, "-inf"},
	    {INFINITY, false, "inf"},
	};
	uint64_t random = 7;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];

		json_double_text(text, cases[i].value, cases[i].is_float);
		expect_str(text, cases[i].want);
	}
	for (int i = 0; i < 2000; i++) {
		char text[32];
		double value;

		random = map_mix(random + 1);
		memcpy(&value, &random, sizeof(value));
		if (!isfinite(value))
			continue;
		json_double_text(text, value, false);
		expect_true(strtod(text, NULL) == value);
		expect_true(json_valid(text, strlen(text)));
	}
}

static const char *
document(struct snapshot *s, bool variables, struct buf *b)
{
	buf_init(b, SAMPLE_CAP);
	json_write(s, variables, b);
	assert_false(b->failed);
	assert_true(json_valid((const char *)b->data, b->size - 1));
	return buf_text(b);
}

/* Every key without '?' in an empty snapshot. */
TEST(empty_document)
{
	struct snapshot s;
	struct buf b;

	snapshot_init(&s, SAMPLE_CAP);
	sample_stamp(&s);
	expect_str(document(&s, true, &b),
	    "{\"version\":1,\"generator\":\"inquest sample\","
	    "\"uuid\":\"00112233-4455-6677-8899-aabbccddeeff\","
	    "\"created\":\"2025-11-21T10:00:00.123456789Z\","
	    "\"partial\":false,\"attributes\":{},\"classifiers\":[],"
	    "\"fingerprint\":\"\",\"callstack\":[],\"signal\":{},\"fault\":{},"
	    "\"findings\":[],\"threads\":[],\"globals\":[],\"objects\":{},"
	    "\"modules\":[],\"mappings\":[],\"heap\":[],\"locks\":[],"
	    "\"memory\":[],\"annotations\":[],\"warnings\":[],"
	    "\"resources\":[],"
	    "\"environment\":[],\"limits\":[],\"descriptors\":[]}\n");
	buf_deinit(&b);
	snapshot_deinit(&s);
}

/* One line of the promises each. */
TEST(full_document)
{
	static const char *const parts[] = {
	    "\"attributes\":{\"hostname\":\"night.example\"",
	    "\"process.id\":77",
	    "\"nice\":-5",
	    "\"huge\":\"9223372036854775808\"",
	    "\"snapshot.partial\":false",
	    "\"fault.address\":\"0x18\"",
	    "\"od\\\"d\\n\":\"tab\\there \\\\xff\"",
	    "\"classifiers\":[\"segv\",\"null\"]",
	    "\"signal\":{\"number\":11,\"name\":\"SIGSEGV\",\"code\":1,"
	    "\"code_name\":\"SEGV_MAPERR\",\"address\":\"0x18\","
	    "\"sender_pid\":null,\"sender_uid\":null}",
	    "\"fault\":{\"tid\":78,\"frame\":0,\"direction\":\"write\","
	    "\"address\":\"0x18\",\"instruction\":\"mov dword ptr [r0 + 0x18], "
	    "r1\",\"operand\":\"[r0 + 0x18]\"}",
	    "{\"class\":\"wild-access\",\"confidence\":0.3,\"primary\":false,"
	    "\"module\":null,\"tid\":null,\"frame\":null,\"address\":null,"
	    "\"text\":\"or not\",\"evidence\":[]}",
	    "{\"tid\":78,\"name\":\"worker \\u001b[31m\",\"state\":\"F\","
	    "\"fault\":true,\"stop_reason\":\"end of stack\","
	    "\"frames_skipped\":90000,\"frames_skipped_at\":4,\"registers\":{"
	    "\"r0\":\"0x",
	    "\"frames\":[{\"index\":0,\"ip\":\"0x401136\",\"sp\":\"0x",
	    "\"symbol\":\"hit\",\"linkage_name\":\"hit\",\"object\":\"exe\","
	    "\"object_path\":\"/usr/bin/exe\",\"offset\":41,"
	    "\"path\":\"/src/a.c\",\"line\":41,\"inline\":true,"
	    "\"trust\":\"context\",\"signal_frame\":false,\"variables\":[",
	    "\"symbol\":null,\"linkage_name\":null,\"object\":null",
	    "\"path\":null,\"line\":null",
	    "\"sp\":null",
	    "\"kernel_frames\":[\"futex_wait\",\"do_syscall_64\"]",
	    "{\"name\":\"i\",\"type\":\"int\",\"kind\":\"int\","
	    "\"parameter\":true,\"address\":\"0x7ffd12340000\",\"value\":-42}",
	    "\"name\":\"big\",\"type\":\"long\",\"kind\":\"int\","
	    "\"parameter\":false,\"address\":\"0x7ffd12340008\","
	    "\"value\":\"1152921504606846976\"",
	    "\"value\":\"18446744073709551615\"",
	    "\"value\":3.141592653589793",
	    "\"value\":\"nan\"",
	    "\"value\":\"-inf\"",
	    "\"kind\":\"bool\",\"parameter\":false,\"value\":true",
	    "\"value\":120,\"string\":\"x\"",
	    "\"string\":\"caf\xc3\xa9 \\\\xff\\u0000z\","
	    "\"bytes\":\"636166c3a920ff007a\"",
	    "\"kind\":\"enum\",\"parameter\":false,\"address\":\"0x7ffd12340048"
	    "\",\"value\":2,\"string\":\"GREEN\"",
	    "\"value\":\"0x555500001000\",\"ref\":\"1\",\"heap\":{\"state\":"
	    "\"allocated\",\"size\":64,\"offset\":16}",
	    "\"value\":\"0x0\"",
	    "\"elements\":[{\"name\":\"\",\"type\":\"int\"",
	    "],\"length\":100,\"truncated\":true}",
	    "\"value\":\"0x401136\",\"string\":\"on_event\"",
	    "\"value\":[1.5,-0.25]",
	    "\"kind\":\"unavailable\",\"parameter\":false,"
	    "\"reason\":\"optimized out\"}",
	    "\"value\":\"170141183460469231731687303715884105727\"",
	    "\"value\":3.14159265358979323851,\"base\":true,\"entry\":true",
	    "\"objects\":{\"1\":{\"name\":\"\",\"type\":\"struct node\"",
	    "\"2\":{\"name\":\"\",\"type\":\"struct node\",\"kind\":"
	    "\"unavailable\"",
	    "\"build_id\":\"0123456789abcdef0123456789abcdef01234567\","
	    "\"start\":\"0x400000\",\"end\":\"0x405000\",\"debug\":\"dwarf\"}",
	    "\"build_id\":null",
	    "\"path\":\"/lib/libm.so.6\",\"build_id\":null,\"start\":"
	    "\"0x7f0000300000\",\"end\":\"0x7f0000400000\",\"debug\":null}",
	    "\"debug_path\":\"/usr/lib/debug/x.debug\"",
	    "{\"start\":\"0x401000\",\"end\":\"0x402000\",\"offset\":4096,"
	    "\"perms\":\"r-xp\",\"path\":\"/usr/bin/exe\"}",
	    "\"heap\":[{\"allocator\": \"ptmalloc\"}],\"locks\":[[]]",
	    "\"memory\":[{\"address\":\"0x7ffd12340000\",\"size\":5,"
	    "\"why\":\"stack\"}",
	    "{\"level\":\"json\",\"json\":{\"json\": {\"context\": \"Signal\", "
	    "\"n\": 11}},\"module\":\"lua\"}",
	    "{\"level\":\"json\",\"text\":\"{broken\",\"module\":\"lua\"}",
	    "{\"level\":\"comment\",\"text\":\"busy\",\"module\":null,"
	    "\"tid\":78}",
	    "\"module\":\"m\",\"tid\":78,\"frame\":1}",
	    "\"tid\":78,\"frame\":0,\"variable\":\"pair.low\"}",
	    "\"object\":\"1\",\"variable\":\"next\"}",
	    "{\"stage\":\"core\",\"code\":\"truncated\","
	    "\"text\":\"the core ends 9 bytes early\"}",
	    "\"resources\":[{\"name\":\"log.txt\",\"size\":5,"
	    "\"truncated\":true}]",
	};
	struct snapshot s;
	struct buf b;
	const char *text;

	snapshot_init(&s, SAMPLE_CAP);
	sample_full(&s);
	text = document(&s, true, &b);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strstr(text, parts[i]) == NULL)
			fail("not there: %s", parts[i]);
	}
	buf_deinit(&b);
	snapshot_deinit(&s);
}

TEST(without_variables)
{
	struct snapshot s;
	struct buf b;
	const char *text;

	snapshot_init(&s, SAMPLE_CAP);
	sample_full(&s);
	text = document(&s, false, &b);
	expect_lacks(text, "\"variables\":[{");
	expect_contains(text, "\"variables\":[]");
	expect_contains(text, "\"globals\":[],\"objects\":{}");
	expect_contains(text, "\"symbol\":\"hit\"");
	buf_deinit(&b);
	snapshot_deinit(&s);
}

TEST(odd_times)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
	    {0, "\"created\":\"1970-01-01T00:00:00Z\""},
	    {-1, "\"created\":\"1969-12-31T23:59:59Z\""},
	    {INT64_MAX, "\"created\":null"}, {INT64_MIN, "\"created\":null"},
	    {253402300800, "\"created\":null"}, /* year 10000 */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot s;
		struct buf b;

		snapshot_init(&s, SAMPLE_CAP);
		s.created_seconds = cases[i].seconds;
		s.created_nanoseconds = 0;
		expect_contains(document(&s, true, &b), cases[i].want);
		buf_deinit(&b);
		snapshot_deinit(&s);
	}
}

/* What found no room is said. */
TEST(lost_entries)
{
	struct snapshot s;
	struct buf b;

	snapshot_init(&s, 4096);
	for (int i = 0; i < 1000; i++)
		snapshot_warn(&s, "test", "flood", "warning number %d", i);
	expect_true(s.warnings_lost > 500);
	expect_contains(
	    document(&s, true, &b), "further entries found no room");
	buf_deinit(&b);
	snapshot_deinit(&s);
}
