/* SPDX-License-Identifier: MIT */
/*
 * Errors: codes, texts, errnum, escaping and cutting of foreign text.
 */
#include "base/error.h"

#include <errno.h>
#include <wchar.h>

#include "base/text.h"
#include "harness/test.h"

TEST(every_code_has_a_name_of_its_own)
{
	for (uint32_t i = 0; i < BT_E__COUNT; i++) {
		assert_not_null(bt_error_code_name(i));
		expect_true(bt_error_code_name(i)[0] != '\0');
		for (uint32_t j = 0; j < i; j++)
			expect_true(strcmp(bt_error_code_name(i),
					bt_error_code_name(j)) != 0);
	}
	expect_str(bt_error_code_name(BT_E_FORMAT), "format");
	expect_str(bt_error_code_name(BT_E__COUNT), "unknown");
	expect_str(bt_error_code_name(UINT32_MAX), "unknown");
}

TEST(fail_fills_everything)
{
	bt_error_t e;

	memset(&e, 0xff, sizeof(e));
	expect_false(bt_fail(&e, BT_E_LIMIT, "%d too many", 7));
	expect_uint(e.code, BT_E_LIMIT);
	expect_str(e.text, "7 too many");
	expect_int(e.errnum, 0);
	expect_uint(e.address, 0);
	expect_uint(e.offset, 0);
}

TEST(null_error_is_allowed)
{
	expect_false(bt_fail(NULL, BT_E_LIMIT, "x"));
	expect_false(bt_fail_os(NULL, ENOENT, "x"));
	expect_false(bt_fail_format(NULL, 1, "x"));
	expect_false(bt_fail_fault(NULL, 1, "x"));
	expect_false(bt_wrap(NULL, "x"));
	bt_error_clear(NULL);
}

TEST(errno_to_code)
{
	static const struct {
		int errnum;
		enum bt_error_code code;
	} table[] = {
	    {ENOENT, BT_E_NOTFOUND},
	    {EPERM, BT_E_PERMISSION},
	    {EACCES, BT_E_PERMISSION},
	    {ENOMEM, BT_E_NOMEM},
	    {ESRCH, BT_E_GONE},
	    {EIO, BT_E_OS},
	    {ENOSPC, BT_E_OS},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		bt_error_t e;

		expect_false(bt_fail_os(&e, table[i].errnum, "open %s", "f"));
		expect_uint(e.code, table[i].code);
		expect_int(e.errnum, table[i].errnum);
		expect_contains(e.text, "open f: ");
		expect_contains(e.text, strerror(table[i].errnum));
	}
}

TEST(places)
{
	bt_error_t e;

	expect_false(bt_fail_format(&e, 0x123456789a, "note %d", 3));
	expect_uint(e.code, BT_E_FORMAT);
	expect_uint(e.offset, 0x123456789a);
	expect_str(e.text, "note 3");
	expect_false(bt_fail_fault(&e, UINT64_MAX, "stack"));
	expect_uint(e.code, BT_E_FAULT);
	expect_uint(e.address, UINT64_MAX);
	expect_uint(e.offset, 0);
}

TEST(wrap_keeps_all_but_the_text)
{
	bt_error_t e;

	(void)bt_fail_format(&e, 77, "no %s", "name");
	expect_false(bt_wrap(&e, "reading %s", "core"));
	expect_str(e.text, "reading core: no name");
	expect_uint(e.code, BT_E_FORMAT);
	expect_uint(e.offset, 77);
	(void)bt_wrap(&e, "outer");
	expect_str(e.text, "outer: reading core: no name");
}

TEST(foreign_text_is_escaped_once)
{
	bt_error_t e;

	(void)bt_fail(&e, BT_E_NOTFOUND, "no %s", "a\x1b[31m\nb\xff");
	expect_str(e.text, "no a\\x1b[31m\\nb\\xff");
	(void)bt_wrap(&e, "in %s", "\t");
	expect_str(e.text, "in \\t: no a\\x1b[31m\\nb\\xff");
}

TEST(long_text_is_cut_visibly)
{
	char text[2000];
	bt_error_t e;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)bt_fail(&e, BT_E_OS, "%s", text);
	expect_uint(strlen(e.text), sizeof(e.text) - 1);
	expect_str(e.text + sizeof(e.text) - 4, "...");
	(void)bt_fail_os(&e, EIO, "%s", text);
	expect_str(e.text + sizeof(e.text) - 4, "...");
	(void)bt_wrap(&e, "%s", text);
	expect_str(e.text + sizeof(e.text) - 4, "...");
	(void)bt_fail(&e, BT_E_OS, "short");
	(void)bt_wrap(&e, "%s", text);
	expect_str(e.text + sizeof(e.text) - 4, "...");
	/* A character of several bytes is not cut in two. */
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[1001] = '\0';
	(void)bt_fail(&e, BT_E_OS, "%s", text);
	expect_true(text_is_utf8(e.text, strlen(e.text)));
}

/* vsnprintf fails on a character that the C locale cannot write. */
TEST(text_that_cannot_be_formatted)
{
	static const wchar_t unwritable[] = {0x20ac, 0};
	bt_error_t e;

	expect_false(bt_fail_os(&e, EIO, "a %ls", unwritable));
	expect_uint(e.code, BT_E_OS);
	expect_contains(e.text, strerror(EIO));
	expect_false(bt_fail(&e, BT_E_LIMIT, "a %ls", unwritable));
	expect_uint(e.code, BT_E_LIMIT);
	expect_str(e.text, "");
	(void)bt_fail(&e, BT_E_LIMIT, "kept");
	expect_false(bt_wrap(&e, "a %ls", unwritable));
	expect_str(e.text, "kept");
}

TEST(clear)
{
	static const bt_error_t zero;
	bt_error_t e;

	(void)bt_fail_os(&e, EIO, "x");
	bt_error_clear(&e);
	expect_mem(&e, &zero, sizeof(e));
}
