/* SPDX-License-Identifier: MIT */
/*
 * Checksums: SHA-256 (FIPS 180-4) for fingerprints, CRC-32C (Castagnoli, RFC
 * 3720 B.4 test vectors) for snapshot sections, CRC-32 (IEEE) for
 * .gnu_debuglink, Adler-32 (RFC 1950) for compressed sections.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/error.h"

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t size);
void sha256_final(struct sha256 *s, uint8_t digest[32]);
/* 64 lower-case hex digits and a NUL. */
void sha256_hex(const uint8_t digest[32], char hex[65]);

/* HMAC (RFC 2104) with SHA-256. */
void hmac_sha256(const uint8_t *key, size_t key_size, const void *data,
    size_t size, uint8_t digest[32]);

uint32_t crc32c(uint32_t crc, const void *data, size_t size); /* start 0 */
/* The same without special instructions: for other machines, and tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);
uint32_t crc32_ieee(uint32_t crc, const void *data, size_t size);
uint32_t adler32_of(const void *data, size_t size);
/* Goes on with bytes that follow; the first has 1. */
uint32_t adler32_on(uint32_t adler, const void *data, size_t size);

#endif /* BASE_HASH_H */
