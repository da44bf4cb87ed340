/* SPDX-License-Identifier: MIT */
/*
 * Finding values in bytes and blanking them; the mark that stands for one.
 */
#include <sys/stat.h>

#include "base/hash.h"
#include "harness/test.h"
#include "session/hostkey.h"
#include "snapshot/scrub.h"

static const char mark[] = "0123456789abcdef";

static size_t
clean(const struct scrub *s, char *text, unsigned how)
{

	return scrub_clean(s, (uint8_t *)text, strlen(text), how);
}

TEST(whole_values)
{
	static const struct {
		const char *in, *out;
		size_t n;
	} table[] = {
	    {"hunter22", "********", 1},
	    {"a hunter22 b hunter22", "a ******** b ********", 2},
	    {"hunter2", "hunter2", 0},
	    {"xhunter22x", "x********x", 1},
	    {"hunterhunter22", "hunter********", 1},
	    {"HUNTER22", "HUNTER22", 0},
	    {"", "", 0},
	    /* The longer of two that begin alike. */
	    {"hunter22-and-more", "*****************", 1},
	    {"hunter22-and-mor", "********-and-mor", 1},
	};
	struct scrub *s = scrub_new();

	assert_not_null(s);
	expect_false(scrub_touches(s, "hunter22", 8));
	expect_true(scrub_add(s, "hunter22", 8, ""));
	expect_true(scrub_add(s, "hunter22", 8, ""));
	expect_true(scrub_add(s, "hunter22-and-more", 17, ""));
	expect_uint(scrub_count(s), 2);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s", table[i].in);
		expect_uint(clean(s, text, SCRUB_TEXT), table[i].n);
		expect_str(text, table[i].out);
	}
	scrub_free(s);
}

TEST(what_is_not_looked_for)
{
	struct scrub *s = scrub_new();
	char big[SCRUB_MOST + 1] = {0};

	expect_false(scrub_add(s, "12345", 5, ""));
	expect_false(scrub_add(s, big, sizeof(big), ""));
	expect_true(scrub_add(s, big, SCRUB_MOST, ""));
	expect_uint(scrub_count(s), 1);
	for (int i = 0; i < SCRUB_VALUES_MAX + 10; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "value-%d", i);
		expect_true(scrub_add(s, text, strlen(text), "") ==
		    (i < SCRUB_VALUES_MAX - 1));
	}
	expect_uint(scrub_count(s), SCRUB_VALUES_MAX);
	scrub_free(s);
	scrub_free(NULL);
}

TEST(with_a_mark)
{
	struct scrub *s = scrub_new();
	char text[] = "(a value that is long enough)";
	char again[] = "123456789012345678901";

	expect_true(scrub_add(s, "a value that is long enough", 27, mark));
	expect_true(scrub_add(s, "12345678901234567890", 20, mark));
	expect_uint(clean(s, text, 0), 1);
	expect_str(text, "(<hmac 0123456789abcdef>****)");
	expect_uint(clean(s, again, 0), 1);
	expect_str(again, "********************1");
	scrub_free(s);
}

TEST(cut_values)
{
	static const struct {
		const char *in, *whole, *cut;
	} table[] = {
	    {"x correct-horse", "x correct-horse", "x *************"},
	    {"x correct", "x correct", "x *******"},
	    {"x correc", "x correc", "x ******"},
	    {"x corre", "x corre", "x corre"},
	    {"rse-battery y", "rse-battery y", "*********** y"},
	    {"battery y", "battery y", "******* y"},
	    {"attery y", "attery y", "****** y"},
	    {"ttery y", "ttery y", "ttery y"},
	    /* Neither at the beginning nor at the end. */
	    {"a battery, correct", "a battery, correct", "a battery, *******"},
	    {"correct, battery y", "correct, battery y", "correct, battery y"},
	};
	struct scrub *s = scrub_new();

	expect_true(scrub_add(s, "correct-horse-battery", 21, ""));
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s", table[i].in);
		(void)clean(s, text, 0);
		expect_str(text, table[i].whole);
		(void)clean(s, text, SCRUB_CUT);
		expect_str(text, table[i].cut);
	}
	scrub_free(s);
}

/* Half a character is no text any more. */
TEST(characters_stay_whole)
{
	struct scrub *s = scrub_new();
	char text[] = "\xc3\xa4"
		      "bcdefg\xc3\xa4.";

	/* The second half of one, and the first half of another. */
	expect_true(scrub_add(s,
	    "\xa4"
	    "bcdefg\xc3",
	    8, ""));
	expect_uint(clean(s, text, SCRUB_TEXT), 1);
	expect_str(text, "**********.");
	scrub_free(s);
}

/* RFC 4231, test cases 1, 2, and 6 (a key longer than a block). */
TEST(hmac_vectors)
{
	uint8_t key[131], digest[32];
	char hex[65];

	memset(key, 0x0b, 20);
	hmac_sha256(key, 20, "Hi There", 8, digest);
	sha256_hex(digest, hex);
	expect_str(hex,
	    "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	hmac_sha256((const uint8_t *)"Jefe", 4, "what do ya want for nothing?",
	    28, digest);
	sha256_hex(digest, hex);
	expect_str(hex,
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(key, sizeof(key),
	    "Test Using Larger Than Block-Size Key - Hash Key First", 54,
	    digest);
	sha256_hex(digest, hex);
	expect_str(hex,
	    "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
}

TEST(key_of_the_host)
{
	struct host_key first = {0}, second = {0}, third = {0};
	char a[17], b[17];
	struct stat st;

	(void)setenv("INQUEST_STATE_DIR", test_path("a/b"), 1);
	expect_true(host_key_digest(&first, "value", 5, a));
	expect_uint(strlen(a), 16);
	expect_int(stat(test_path("a/b/scrub.key"), &st), 0);
	expect_uint(st.st_mode & 07777, 0600);
	expect_uint((unsigned long long)st.st_size, HOST_KEY_SIZE);
	expect_true(host_key_digest(&second, "value", 5, b));
	expect_str(b, a);
	expect_true(host_key_digest(&second, "other", 5, b));
	expect_true(strcmp(a, b) != 0);
	/* One that is too short is none, and is not written over. */
	test_write_file(test_path("a/b/scrub.key"), "short", 5);
	expect_false(host_key_digest(&third, "value", 5, b));
	(void)setenv("INQUEST_STATE_DIR", "/proc/none", 1);
	memset(&third, 0, sizeof(third));
	expect_false(host_key_digest(&third, "value", 5, b));
}
