/* SPDX-License-Identifier: MIT */
/*
 * Cores are often kept compressed (systemd-coredump: zstd; others xz, gzip).
 * They are inflated into anonymous memory, where long runs of zeros, of which
 * cores are full, cost nothing: blocks of zeros are not written. A stream that
 * is cut off or damaged gives what comes before the damage; the core's own
 * reader then finds what is missing.
 */
#include <elf.h>
#include <lzma.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "target/core_private.h"

enum { BLOCK = 1 << 16 };

/* Address space, and bytes that are not zero. */
static const size_t inflated_max = (size_t)1 << 34;
static const size_t filled_max = (size_t)1 << 32;

enum step { STEP_MORE, STEP_END, STEP_DAMAGED };

struct region {
	uint8_t *data;
	size_t size, room, filled;
	bool full;
};

struct stream {
	struct view in;
	union {
		ZSTD_DStream *zstd;
		lzma_stream xz;
		z_stream gzip;
	} u;
};

struct codec {
	const char *name;
	size_t magic_size;
	uint8_t magic[6];
	bool (*open)(struct stream *s);
	/* Fills out as far as it can; *got tells how far. */
	enum step (*step)(struct stream *s, uint8_t *out, size_t *got);
	void (*close)(struct stream *s);
};

/* ---- zstd ---- */

static bool
zstd_open(struct stream *s)
{
	const int window_log = 28; /* at most 256 MiB of history */

	s->u.zstd = ZSTD_createDStream();
	return s->u.zstd != NULL &&
	    !ZSTD_isError(ZSTD_DCtx_setParameter(
		s->u.zstd, ZSTD_d_windowLogMax, window_log));
}

static enum step
zstd_step(struct stream *s, uint8_t *out, size_t *got)
{
	ZSTD_inBuffer in = {s->in.data, s->in.size, s->in.pos};
	ZSTD_outBuffer to = {out, BLOCK, 0};
	size_t rc = 1;

	while (to.pos < to.size && !(in.pos == in.size && rc == 0)) {
		size_t in_before = in.pos, out_before = to.pos;

		rc = ZSTD_decompressStream(s->u.zstd, &to, &in);
		if (ZSTD_isError(rc))
			break;
		if (in.pos == in_before && to.pos == out_before)
			break;
	}
	*got = to.pos;
	s->in.pos = in.pos;
	if (to.pos == to.size)
		return STEP_MORE;
	return rc == 0 ? STEP_END : STEP_DAMAGED;
}

static void
zstd_close(struct stream *s)
{
	ZSTD_freeDStream(s->u.zstd);
}

/* ---- xz ---- */

static bool
xz_open(struct stream *s)
{
	const uint64_t memory = UINT64_C(1) << 28;
	const lzma_stream fresh = LZMA_STREAM_INIT;

	s->u.xz = fresh;
	s->u.xz.next_in = s->in.data;
	s->u.xz.avail_in = s->in.size;
	return lzma_stream_decoder(&s->u.xz, memory, LZMA_CONCATENATED) ==
	    LZMA_OK;
}

static enum step
xz_step(struct stream *s, uint8_t *out, size_t *got)
{
	lzma_ret rc = LZMA_OK;

	s->u.xz.next_out = out;
	s->u.xz.avail_out = BLOCK;
	while (rc == LZMA_OK && s->u.xz.avail_out != 0)
		rc = lzma_code(&s->u.xz, LZMA_FINISH);
	*got = BLOCK - s->u.xz.avail_out;
	s->in.pos = s->in.size - s->u.xz.avail_in;
	if (rc == LZMA_OK)
		return STEP_MORE;
	return rc == LZMA_STREAM_END ? STEP_END : STEP_DAMAGED;
}

static void
xz_close(struct stream *s)
{
	lzma_end(&s->u.xz);
}

/* ---- gzip ---- */

static bool
gzip_open(struct stream *s)
{
	memset(&s->u.gzip, 0, sizeof(s->u.gzip));
	return inflateInit2(&s->u.gzip, 15 + 16) == Z_OK;
}

/* zlib counts in 32 bits, so the input is handed over in parts; a file may
 * hold several members one behind the other (RFC 1952 2.2). */
static enum step
gzip_step(struct stream *s, uint8_t *out, size_t *got)
{
	const size_t part = (size_t)1 << 30;
	z_stream *z = &s->u.gzip;
	int rc = Z_OK;

	z->next_out = out;
	z->avail_out = BLOCK;
	while (rc == Z_OK && z->avail_out != 0) {
		size_t left = view_left(&s->in);

		z->next_in = (Bytef *)(uintptr_t)(s->in.data + s->in.pos);
		z->avail_in = (uInt)(left < part ? left : part);
		rc = inflate(z, Z_NO_FLUSH);
		s->in.pos = (size_t)(z->next_in - s->in.data);
		left = view_left(&s->in);
		if (rc == Z_STREAM_END && left >= 2 &&
		    s->in.data[s->in.pos] == 0x1f &&
		    s->in.data[s->in.pos + 1] == 0x8b)
			rc = inflateReset(z);
	}
	*got = BLOCK - z->avail_out;
	if (rc == Z_OK)
		return STEP_MORE;
	return rc == Z_STREAM_END ? STEP_END : STEP_DAMAGED;
}

static void
gzip_close(struct stream *s)
{
	(void)inflateEnd(&s->u.gzip);
}

static const struct codec codecs[] = {
    {"zstd", 4, {0x28, 0xb5, 0x2f, 0xfd}, zstd_open, zstd_step, zstd_close},
    {"xz", 6, {0xfd, '7', 'z', 'X', 'Z', 0}, xz_open, xz_step, xz_close},
    {"gzip", 2, {0x1f, 0x8b}, gzip_open, gzip_step, gzip_close},
};

static const struct codec *
codec_of(struct view file)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (file.size >= codecs[i].magic_size &&
		    memcmp(file.data, codecs[i].magic, codecs[i].magic_size) ==
			0)
			return &codecs[i];
	}
	return NULL;
}

static bool
region_grow(struct region *r)
{
	const size_t first = (size_t)1 << 26;
	size_t room = r->room == 0 ? first : 2 * r->room;
	void *data;

	if (room > inflated_max)
		return false;
	if (r->room == 0)
		data = mmap(NULL, room, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	else
		data = mremap(r->data, r->room, room, MREMAP_MAYMOVE);
	if (data == MAP_FAILED)
		return false;
	r->data = data;
	r->room = room;
	return true;
}

static bool
all_zero(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static bool
region_append(struct region *r, const uint8_t *block, size_t size)
{
	if (size == 0)
		return true;
	if (size > r->room - r->size && !region_grow(r))
		return false;
	if (!all_zero(block, size)) {
		if (size > filled_max - r->filled)
			return false;
		memcpy(r->data + r->size, block, size);
		r->filled += size;
	}
	r->size += size;
	return true;
}

static enum step
inflate_all(struct core *c, const struct codec *codec, struct stream *s,
    struct region *r)
{
	uint8_t *block = malloc(BLOCK);
	enum step step = STEP_MORE;

	while (block != NULL && step == STEP_MORE && !r->full) {
		size_t got = 0;

		step = codec->step(s, block, &got);
		/* Not worth inflating what is no core anyway. */
		if (r->size == 0 &&
		    (got < SELFMAG || memcmp(block, ELFMAG, SELFMAG) != 0))
			step = STEP_END;
		r->full = !region_append(r, block, got) ||
		    !budget_step(c->base.budget);
	}
	free(block);
	return block != NULL ? step : STEP_DAMAGED;
}

static bool
take_region(
    struct core *c, const struct codec *codec, struct region *r, bt_error_t *e)
{
	const size_t page = 4096;
	size_t keep = (r->size + page - 1) & ~(page - 1);

	if (r->size == 0) {
		if (r->data != NULL)
			munmap(r->data, r->room);
		return bt_fail_format(e, 0,
		    "%s is compressed with %s, and nothing of it can be "
		    "inflated",
		    c->path, codec->name);
	}
	if (keep < r->room)
		(void)munmap(r->data + keep, r->room - keep);
	(void)mprotect(r->data, keep, PROT_READ);
	munmap(c->map, c->size);
	c->map = r->data;
	c->inflated = true;
	c->size = r->size;
	c->file = view_of(c->map, c->size);
	return true;
}

bool
core_inflate(struct core *c, bt_error_t *e)
{
	const struct codec *codec = codec_of(c->file);
	struct stream s = {.in = c->file};
	struct region r = {0};
	enum step step;

	if (codec == NULL)
		return true;
	if (!codec->open(&s)) {
		codec->close(&s);
		return bt_fail(e, BT_E_NOMEM,
		    "%s: no memory to inflate it (%s)", c->path, codec->name);
	}
	step = inflate_all(c, codec, &s, &r);
	codec->close(&s);
	if (r.full)
		target_warn(&c->base, "core.limit",
		    "%s is too large to be inflated here; stopped after %zu "
		    "bytes (use %s -d first)",
		    c->path, r.size, codec->name);
	else if (step == STEP_DAMAGED)
		target_warn(&c->base, "core.truncated",
		    "%s: the %s stream is damaged or cut off at offset %zu; "
		    "%zu bytes could be inflated",
		    c->path, codec->name, s.in.pos, r.size);
	return take_region(c, codec, &r, e);
}
