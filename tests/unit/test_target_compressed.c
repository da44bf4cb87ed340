/* SPDX-License-Identifier: MIT */
/*
 * Compressed cores: whole, cut off, with garbage behind, and bombs.
 */
#include <lzma.h>
#include <signal.h>
#include <zlib.h>
#include <zstd.h>

#include "unit/target_fixture.h"

enum { PAGES = 64 };

static uint8_t memory[PAGES * 4096];

enum codec { ZSTD, XZ, GZIP, CODECS };
static const char *const names[] = {"zstd", "xz", "gzip"};

static size_t
pack(enum codec codec, const void *in, size_t size, uint8_t *out, size_t room)
{
	z_stream z = {0};
	size_t got = 0;

	switch (codec) {
	case ZSTD:
		return ZSTD_compress(out, room, in, size, 3);
	case XZ:
		assert_int(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL,
			       in, size, out, &got, room),
		    LZMA_OK);
		return got;
	default:
		assert_int(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8,
			       Z_DEFAULT_STRATEGY),
		    Z_OK);
		z.next_in = (Bytef *)(uintptr_t)in;
		z.avail_in = (uInt)size;
		z.next_out = out;
		z.avail_out = (uInt)room;
		assert_int(deflate(&z, Z_FINISH), Z_STREAM_END);
		got = z.total_out;
		deflateEnd(&z);
		return got;
	}
}

/* One thread and 64 pages, every other of them zero. */
static void
usual(struct core_file *c)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(memory); i++) {
		x = x * 1664525 + 1013904223;
		memory[i] = i / 4096 % 2 == 0 ? (uint8_t)(x >> 24) : 0;
	}
	core_file_init(c);
	core_thread(c, 7, SIGSEGV, 0);
	core_segment(c, 0x10000, sizeof(memory), PF_R, memory, sizeof(memory));
	core_file_layout(c);
}

TEST(whole)
{
	for (enum codec codec = 0; codec < CODECS; codec++) {
		const struct target_warning *w;
		struct target_thread *threads;
		static uint8_t packed[2 * sizeof(memory)];
		static uint8_t got[sizeof(memory)];
		struct core_file c;
		struct opened o;
		size_t size;

		printf("%s\n", names[codec]);
		usual(&c);
		size = pack(
		    codec, c.bytes.data, c.bytes.size, packed, sizeof(packed));
		open_bytes(&o, packed, size);
		if (o.t == NULL)
			fail("%s", o.e.text);
		assert_uint(target_threads(o.t, &threads), 1);
		expect_uint(threads[0].tid, 7);
		assert_uint(
		    target_read(o.t, 0x10000, got, sizeof(got)), sizeof(got));
		expect_mem(got, memory, sizeof(memory));
		expect_uint(target_warnings(o.t, &w), 1); /* no file table */
		close_core(&o);
		core_file_deinit(&c);
	}
}

TEST(cut_off)
{
	for (enum codec codec = 0; codec < CODECS; codec++) {
		static uint8_t packed[2 * sizeof(memory)];
		struct target_thread *threads;
		struct core_file c;
		struct opened o;
		uint8_t byte;
		size_t size;

		printf("%s\n", names[codec]);
		usual(&c);
		size = pack(
		    codec, c.bytes.data, c.bytes.size, packed, sizeof(packed));
		open_bytes(&o, packed, size / 2);
		if (codec == ZSTD && o.t == NULL) {
			/* zstd may hold all in one block */
			expect_contains(o.e.text, "zstd");
			close_core(&o);
			core_file_deinit(&c);
			continue;
		}
		if (o.t == NULL)
			fail("%s", o.e.text);
		assert_uint(target_threads(o.t, &threads), 1);
		expect_true(target_process(o.t)->core_truncated);
		expect_contains(
		    warning_of(o.t, "core.truncated"), names[codec]);
		expect_uint(target_read(o.t, 0x10000, &byte, 1), 1);
		expect_uint(
		    target_read(o.t, 0x10000 + sizeof(memory) - 1, &byte, 1),
		    0);
		close_core(&o);
		for (size_t cut = 0; cut < 200; cut += 3) {
			open_bytes(&o, packed, cut);
			if (o.t == NULL)
				expect_true(o.e.text[0] != '\0');
			else
				expect_true(warning_of(o.t,
						"core.truncated")[0] != '\0');
			close_core(&o);
		}
		core_file_deinit(&c);
	}
}

/* Damage in the middle, members one behind the other, garbage at the end. */
TEST(odd_streams)
{
	for (enum codec codec = 0; codec < CODECS; codec++) {
		static uint8_t packed[4 * sizeof(memory)];
		struct target_thread *threads;
		struct core_file c;
		struct opened o;
		size_t size, half;
		uint8_t byte;

		printf("%s\n", names[codec]);
		usual(&c);
		half = c.bytes.size / 2;
		size = pack(codec, c.bytes.data, half, packed, sizeof(packed));
		size += pack(codec, c.bytes.data + half, c.bytes.size - half,
		    packed + size, sizeof(packed) - size);
		memcpy(packed + size, "garbage", 8);
		for (int garbage = 0; garbage < 2; garbage++) {
			open_bytes(&o, packed, size + (garbage != 0 ? 8 : 0));
			if (o.t == NULL)
				fail("%s", o.e.text);
			assert_uint(target_threads(o.t, &threads), 1);
			expect_uint(target_read(o.t,
					0x10000 + sizeof(memory) - 1, &byte, 1),
			    1);
			close_core(&o);
		}
		memset(packed + size * 3 / 4, 0xa5, 64);
		open_bytes(&o, packed, size);
		if (o.t == NULL)
			fail("%s", o.e.text);
		expect_uint(target_threads(o.t, &threads), 1);
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* What inflates to no core is not inflated to its end. */
TEST(bomb)
{
	const size_t size = (size_t)1 << 28;
	uint8_t *zeros = calloc(1, size), *packed = malloc(size / 500);
	uint64_t started;
	struct opened o;
	size_t n;

	assert_true(zeros != NULL && packed != NULL);
	n = pack(GZIP, zeros, size, packed, size / 500);
	started = bt_now_ns();
	open_bytes(&o, packed, n);
	expect_null(o.t);
	expect_contains(o.e.text, "no ELF magic");
	expect_true(bt_now_ns() - started < UINT64_C(100000000));
	close_core(&o);
	free(zeros);
	free(packed);
}
