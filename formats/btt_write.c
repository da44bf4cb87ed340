/* SPDX-License-Identifier: MIT */
/*
 * The file around the sections: header, envelopes with codec and checksum,
 * directory, trailer.
 */
#include <zstd.h>

#include "base/hash.h"
#include "formats/btt_write.h"

static const char *const section_names[BTT_SECTION__COUNT] = {
    [BTT_PROCESS] = "process",
    [BTT_THREADS] = "threads",
    [BTT_MODULES] = "modules",
    [BTT_VARIABLES] = "variables",
    [BTT_OBJECTS] = "objects",
    [BTT_ANALYSIS] = "analysis",
    [BTT_MEMORY] = "memory",
    [BTT_RESOURCES] = "resources",
    [BTT_WARNINGS] = "warnings",
};

const char *
btt_section_name(enum btt_section section)
{
	if ((unsigned)section >= BTT_SECTION__COUNT)
		return "";
	return section_names[section];
}

struct btt_writer *
btt_writer_create(const struct snapshot *s)
{
	struct btt_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->s = s;
	w->sent_fingerprint = "";
	w->zstd = ZSTD_createCCtx();
	if (w->zstd == NULL) {
		free(w);
		return NULL;
	}
	return w;
}

void
btt_writer_destroy(struct btt_writer *w)
{
	if (w == NULL)
		return;
	ZSTD_freeCCtx(w->zstd);
	free(w->sent_attributes);
	free(w);
}

bool
btt_write_header(struct btt_writer *w, struct buf *out, bt_error_t *e)
{
	const struct snapshot *s = w->s;

	mp_map(out, 5);
	mp_str(out, "format");
	mp_str(out, "btt");
	mp_str(out, "version");
	mp_uint(out, BTT_VERSION);
	mp_str(out, "generator");
	mp_str(out, s->generator);
	mp_str(out, "uuid");
	mp_bin(out, s->uuid, sizeof(s->uuid));
	mp_str(out, "created");
	mp_array(out, 2);
	mp_int(out, s->created_seconds);
	mp_uint(out, s->created_nanoseconds);
	if (out->failed)
		return bt_fail(e, BT_E_LIMIT, "no room for the header");
	return true;
}

/* ---- sections ---- */

static void
put_warning(
    struct buf *b, const char *stage, const char *code, const char *text)
{
	mp_array(b, 3);
	mp_str(b, stage);
	mp_str(b, code);
	mp_str(b, text);
}

static bool
put_warnings(const struct snapshot *s, struct mp_table *t)
{
	struct buf *b;

	if (s->partial)
		mp_bool(mp_table_key(t, "partial"), true);
	if (s->warnings_lost > 0)
		mp_uint(mp_table_key(t, "lost"), s->warnings_lost);
	if (s->warnings.count == 0)
		return true;
	b = mp_table_key(t, "warnings");
	mp_array(b, s->warnings.count);
	for (size_t i = 0; i < s->warnings.count; i++) {
		const struct snap_warning *w = &s->warnings.items[i];

		put_warning(b, w->stage, w->code, w->text);
	}
	return true;
}

struct btt_part {
	struct btt_writer *w;
	enum btt_section section;
	struct btt_stacks stacks;	 /* THREADS */
	struct btt_variables *variables; /* VARIABLES */
	struct mp_table table;		 /* the others: the content itself */
};

static bool
put_now(struct btt_part *p)
{
	struct btt_writer *w = p->w;

	switch (p->section) {
	case BTT_PROCESS:
		return btt_put_process(w, &p->table);
	case BTT_MODULES:
		return btt_put_modules(w->s, &p->table);
	case BTT_OBJECTS:
		return btt_put_objects(w->s, &p->table);
	case BTT_ANALYSIS:
		return btt_put_analysis(w, &p->table);
	case BTT_MEMORY:
		return btt_put_memory(w->s, &p->table);
	case BTT_RESOURCES:
		return btt_put_resources(w->s, &p->table);
	case BTT_WARNINGS:
		return put_warnings(w->s, &p->table);
	case BTT_THREADS:
		return btt_stacks_take(&p->stacks, w->s);
	case BTT_VARIABLES:
		p->variables = btt_variables_take(w->s);
		return p->variables != NULL;
	case BTT_SECTION__COUNT:
		break;
	}
	return true;
}

static bool
put_later(struct btt_part *p)
{
	if (p->section == BTT_THREADS)
		return btt_put_threads(&p->stacks, &p->table);
	if (p->section == BTT_VARIABLES)
		return btt_put_variables(p->variables, &p->table);
	return true;
}

/* Measured on sections of real snapshots: 9 takes 0.2 ms for 8 KiB and 2 ms
 * for 32 KiB; 19 would be 3 % smaller for ten times that. */
static int
zstd_level(size_t size)
{
	if (size <= 32 << 10)
		return 9;
	if (size <= 256 << 10)
		return 6;
	return size <= 4 << 20 ? 3 : 1;
}

static void
put_envelope(struct buf *out, const char *name, const char *codec, size_t raw,
    const void *data, size_t size)
{
	mp_map(out, 5);
	mp_str(out, "section");
	mp_str(out, name);
	mp_str(out, "codec");
	mp_str(out, codec);
	mp_str(out, "size");
	mp_uint(out, raw);
	mp_str(out, "crc32c");
	mp_uint(out, crc32c(0, data, size));
	mp_str(out, "data");
	mp_bin(out, data, size);
}

/* One section around its raw payload. On failure out is as it was. */
static bool
put_stored(struct buf *out, ZSTD_CCtx *zstd, const char *name,
    const struct buf *raw, bt_error_t *e)
{
	size_t before = out->size, bound = ZSTD_compressBound(raw->size);
	void *packed;
	size_t size;

	if (out->failed)
		return bt_fail(e, BT_E_LIMIT, "the buffer has failed before");
	packed = zstd != NULL ? malloc(bound) : NULL;
	if (packed == NULL)
		return bt_fail(e, BT_E_NOMEM, "section %s: no memory", name);
	size = ZSTD_compressCCtx(
	    zstd, packed, bound, raw->data, raw->size, zstd_level(raw->size));
	if (!ZSTD_isError(size) && size < raw->size)
		put_envelope(out, name, "zstd", raw->size, packed, size);
	else
		put_envelope(
		    out, name, "none", raw->size, raw->data, raw->size);
	free(packed);
	if (!out->failed)
		return true;
	out->failed = false;
	out->size = before;
	return bt_fail(e, BT_E_LIMIT, "section %s does not fit", name);
}

struct btt_part *
btt_part_take(struct btt_writer *w, enum btt_section section)
{
	struct btt_part *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->w = w;
	p->section = section;
	mp_table_init(&p->table);
	if (!put_now(p)) {
		btt_part_destroy(p);
		return NULL;
	}
	return p;
}

enum btt_section
btt_part_section(const struct btt_part *p)
{

	return p->section;
}

void
btt_part_destroy(struct btt_part *p)
{
	if (p == NULL)
		return;
	btt_stacks_free(&p->stacks);
	btt_variables_free(p->variables);
	mp_table_deinit(&p->table);
	free(p);
}

bool
btt_part_write(struct btt_part *p, struct buf *out, bt_error_t *e)
{
	const char *name = btt_section_name(p->section);
	const struct scrub *scrub = p->w->s->scrub;
	bool ok = put_later(p);
	struct buf raw;

	if (ok && p->table.count == 0)
		return true;
	buf_init(&raw, BTT_MAX_SECTION);
	mp_table_end(&p->table, &raw);
	if (ok && !raw.failed && scrub != NULL)
		btt_scrub(scrub, &raw);
	if (!ok || raw.failed)
		ok = bt_fail(e, ok ? BT_E_LIMIT : BT_E_NOMEM,
		    "section %s: no memory", name);
	else
		ok = put_stored(out, p->w->zstd, name, &raw, e);
	buf_deinit(&raw);
	return ok;
}

bool
btt_write_section(struct btt_writer *w, enum btt_section section,
    struct buf *out, bt_error_t *e)
{
	struct btt_part *p = btt_part_take(w, section);
	bool ok;

	if (p == NULL)
		return bt_fail(e, BT_E_NOMEM, "section %s: no memory",
		    btt_section_name(section));
	ok = btt_part_write(p, out, e);
	btt_part_destroy(p);
	return ok;
}

bool
btt_write_warnings(const struct snap_warning *warnings, size_t count,
    bool partial, struct buf *out, bt_error_t *e)
{
	ZSTD_CCtx *zstd;
	struct mp_table t;
	struct buf raw, *b;
	bool ok;

	mp_table_init(&t);
	if (partial)
		mp_bool(mp_table_key(&t, "partial"), true);
	b = mp_table_key(&t, "warnings");
	mp_array(b, count);
	for (size_t i = 0; i < count; i++)
		put_warning(
		    b, warnings[i].stage, warnings[i].code, warnings[i].text);
	buf_init(&raw, BTT_MAX_SECTION);
	mp_table_end(&t, &raw);
	zstd = ZSTD_createCCtx();
	ok = raw.failed
	    ? bt_fail(e, BT_E_NOMEM, "warnings: no memory")
	    : put_stored(out, zstd, btt_section_name(BTT_WARNINGS), &raw, e);
	ZSTD_freeCCtx(zstd);
	buf_deinit(&raw);
	return ok;
}

/* ---- the end of the file ---- */

bool
btt_write_directory(const struct btt_entry *entries, size_t count,
    uint64_t offset, struct buf *out, bt_error_t *e)
{
	size_t before = out->size, n = 0;
	uint8_t trailer[BTT_TRAILER_BIN];

	for (size_t i = 0; i < count; i++)
		n += entries[i].length > 0;
	mp_map(out, 1);
	mp_str(out, "directory");
	mp_array(out, n);
	for (size_t i = 0; i < count; i++) {
		const struct btt_entry *entry = &entries[i];

		if (entry->length == 0)
			continue; /* an empty section writes nothing */
		mp_array(out, 3);
		mp_text(out, entry->name,
		    strnlen(entry->name, sizeof(entry->name)));
		mp_uint(out, entry->offset);
		mp_uint(out, entry->length);
	}
	for (int i = 0; i < 8; i++)
		trailer[i] = (uint8_t)(offset >> (56 - 8 * i));
	memcpy(trailer + 8, BTT_TRAILER_MAGIC, 4);
	mp_bin(out, trailer, sizeof(trailer));
	if (!out->failed)
		return true;
	out->failed = false;
	out->size = before;
	return bt_fail(e, BT_E_LIMIT, "the directory does not fit");
}
