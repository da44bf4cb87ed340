/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 as FIPS 180-4 describes it (sections 4.1.2, 4.2.2, 5.1.1, 6.2).
 */
#include "base/hash.h"

static const uint32_t round_constants[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
    0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
    0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
    0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
    0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
    0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static uint32_t
rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t
load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static void
schedule(uint32_t w[64], const uint8_t *block)
{
	for (int t = 0; t < 16; t++)
		w[t] = load_be32(block + 4 * t);
	for (int t = 16; t < 64; t++) {
		uint32_t a = w[t - 15], b = w[t - 2];
		uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;

		w[t] = w[t - 16] + s0 + w[t - 7] + s1;
	}
}

static void
compress(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], v[8];

	schedule(w, block);
	memcpy(v, state, sizeof(v));
	for (int t = 0; t < 64; t++) {
		uint32_t e = v[4], a = v[0];
		uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
		uint32_t choose = (e & v[5]) ^ (~e & v[6]);
		uint32_t t1 = v[7] + s1 + choose + round_constants[t] + w[t];
		uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
		uint32_t majority = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + s0 + majority;
	}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

void
sha256_init(struct sha256 *s)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->state, initial, sizeof(s->state));
}

void
sha256_update(struct sha256 *s, const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t have = (size_t)(s->length % 64);

	s->length += size;
	if (have > 0) {
		size_t part = 64 - have < size ? 64 - have : size;

		memcpy(s->block + have, p, part);
		p += part;
		size -= part;
		if (have + part < 64)
			return;
		compress(s->state, s->block);
	}
	for (; size >= 64; p += 64, size -= 64)
		compress(s->state, p);
	if (size > 0)
		memcpy(s->block, p, size);
}

void
sha256_final(struct sha256 *s, uint8_t digest[32])
{
	static const uint8_t padding[64] = {0x80};
	uint64_t bits = s->length * 8;
	size_t have = (size_t)(s->length % 64);
	uint8_t tail[8];

	for (int i = 0; i < 8; i++)
		tail[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_update(s, padding, have < 56 ? 56 - have : 120 - have);
	sha256_update(s, tail, sizeof(tail));
	for (int i = 0; i < 32; i++)
		digest[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void
sha256_hex(const uint8_t digest[32], char hex[65])
{
	static const char letters[] = "0123456789abcdef";

	for (int i = 0; i < 32; i++) {
		hex[2 * i] = letters[digest[i] >> 4];
		hex[2 * i + 1] = letters[digest[i] & 15];
	}
	hex[64] = '\0';
}

void
hmac_sha256(const uint8_t *key, size_t key_size, const void *data, size_t size,
    uint8_t digest[32])
{
	uint8_t block[64] = {0}, pad[64];
	struct sha256 s;

	if (key_size > sizeof(block)) {
		sha256_init(&s);
		sha256_update(&s, key, key_size);
		sha256_final(&s, block);
	} else if (key_size != 0) {
		memcpy(block, key, key_size);
	}
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = block[i] ^ 0x36;
	sha256_init(&s);
	sha256_update(&s, pad, sizeof(pad));
	sha256_update(&s, data, size);
	sha256_final(&s, digest);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = block[i] ^ 0x5c;
	sha256_init(&s);
	sha256_update(&s, pad, sizeof(pad));
	sha256_update(&s, digest, 32);
	sha256_final(&s, digest);
}
