/* SPDX-License-Identifier: MIT */
/*
 * Checksums against published vectors, and in every cut of the input.
 */
#include "base/hash.h"

#include "harness/test.h"

static void
sha256_of(const void *data, size_t size, char hex[65])
{
	uint8_t digest[32];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, data, size);
	sha256_final(&s, digest);
	sha256_hex(digest, hex);
}

/* FIPS 180-4 examples of NIST (one block, two blocks, a million times "a"). */
TEST(sha256_vectors)
{
	static const struct {
		const char *text, *hex;
	} table[] = {
	    {"",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852"
		"b855"},
	    {"abc",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f200"
		"15ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db"
		"06c1"},
	    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
	     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		"cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afe"
		"e9d1"},
	};
	char hex[65];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		sha256_of(table[i].text, strlen(table[i].text), hex);
		expect_str(hex, table[i].hex);
	}
}

TEST(sha256_of_a_million)
{
	static char block[1000];
	uint8_t digest[32];
	struct sha256 s;
	char hex[65];

	memset(block, 'a', sizeof(block));
	sha256_init(&s);
	for (int i = 0; i < 1000; i++)
		sha256_update(&s, block, sizeof(block));
	sha256_final(&s, digest);
	sha256_hex(digest, hex);
	expect_str(hex,
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256_in_pieces)
{
	uint8_t data[200], digest[32];
	char whole[65], hex[65];
	struct sha256 s;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t size = 0; size <= sizeof(data); size++) {
		sha256_of(data, size, whole);
		for (size_t cut = 0; cut <= size; cut += 1 + size / 9) {
			sha256_init(&s);
			sha256_update(&s, data, cut);
			sha256_update(&s, data + cut, size - cut);
			sha256_final(&s, digest);
			sha256_hex(digest, hex);
			assert_str(hex, whole);
		}
	}
}

/* RFC 3720, B.4, and the check value of the catalogues ("123456789"). */
TEST(crc32c_vectors)
{
	uint8_t data[32];

	expect_uint(crc32c(0, "", 0), 0);
	expect_uint(crc32c(0, "123456789", 9), 0xe3069283);
	memset(data, 0, sizeof(data));
	expect_uint(crc32c(0, data, 32), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	expect_uint(crc32c(0, data, 32), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		data[i] = i;
	expect_uint(crc32c(0, data, 32), 0x46dd794e);
	for (uint8_t i = 0; i < 32; i++)
		data[i] = (uint8_t)(31 - i);
	expect_uint(crc32c(0, data, 32), 0x113fdb5c);
	expect_uint(crc32c_portable(0, data, 32), 0x113fdb5c);
	expect_uint(crc32c_portable(0, "123456789", 9), 0xe3069283);
}

TEST(crc32_ieee_vectors)
{
	expect_uint(crc32_ieee(0, "", 0), 0);
	expect_uint(crc32_ieee(0, "123456789", 9), 0xcbf43926);
	expect_uint(
	    crc32_ieee(0, "The quick brown fox jumps over the lazy dog", 43),
	    0x414fa339);
}

TEST(crc_in_pieces_and_both_ways)
{
	uint8_t data[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i + 3);
	for (size_t size = 0; size < 290; size += 7) {
		const uint8_t *p = data + size % 9; /* every alignment */
		uint32_t whole = crc32c(0, p, size);
		uint32_t other = crc32_ieee(0, p, size);

		expect_uint(crc32c_portable(0, p, size), whole);
		for (size_t cut = 0; cut <= size; cut += 5) {
			expect_uint(
			    crc32c(crc32c(0, p, cut), p + cut, size - cut),
			    whole);
			expect_uint(crc32_ieee(crc32_ieee(0, p, cut), p + cut,
					size - cut),
			    other);
		}
	}
}
