/* SPDX-License-Identifier: MIT */
/*
 * Reading a snapshot file: header, then section after section. Where a value
 * does not parse, the reader looks for the next section's beginning; a file
 * that ends without its directory was cut.
 */
#include <zstd.h>

#include "base/hash.h"
#include "base/text.h"
#include "formats/btt_read.h"

/* All sections together may unpack to this much. */
#define MAX_UNPACKED ((uint64_t)2 << 30)

/* Values in header, envelopes and directory, also in those that turn out to be
 * none: a file of a million false beginnings must not take forever. */
#define MAX_STEPS (UINT64_C(1) << 24)

/* So many damaged places are named. */
enum { MAX_DAMAGES = 16 };

struct file {
	struct view v;
	uint64_t steps;
	struct snapshot *s;
	uint64_t unpacked;
	unsigned damages; /* places where reading had to begin anew */
	bool seen[BTT_SECTION__COUNT];
	bool complete; /* directory and trailer were there */
};

struct envelope {
	const char *name, *codec;
	size_t name_len, codec_len;
	uint64_t size;
	uint32_t crc;
	const uint8_t *data;
	size_t data_size;
};

/* ---- header ---- */

static bool
field_is(const struct mp_fields *f, const char *key, const char *value)
{
	struct view v = mp_field(f, key);
	size_t len;
	const char *text = mp_read_text(&v, &len);

	return text != NULL && len == strlen(value) &&
	    memcmp(text, value, len) == 0;
}

static void
read_stamp(const struct mp_fields *f, struct snapshot *s)
{
	struct view v = mp_field(f, "uuid");
	size_t len;
	const char *text = mp_read_text(&v, &len);

	memset(s->uuid, 0, sizeof(s->uuid));
	if (text != NULL && len == sizeof(s->uuid))
		memcpy(s->uuid, text, len);
	v = mp_field(f, "generator");
	text = mp_read_text(&v, &len);
	s->generator = text != NULL ? snapshot_stringn(s, text, len) : "";
	v = mp_field(f, "created");
	s->created_seconds = 0;
	s->created_nanoseconds = 0;
	if (mp_read_array(&v) >= 2) {
		int64_t seconds = (int64_t)mp_read_uint(&v);
		uint64_t nanoseconds = mp_read_uint(&v);

		if (view_ok(&v) && nanoseconds < 1000000000) {
			s->created_seconds = seconds;
			s->created_nanoseconds = (uint32_t)nanoseconds;
		}
	}
}

static bool
read_header(struct file *f, bt_error_t *e)
{
	struct mp_fields fields;
	struct view v;
	uint64_t version;

	if (f->v.size == 0)
		return bt_fail_format(e, 0, "the file is empty");
	if (!mp_read_fields_within(&f->v, &fields, &f->steps) ||
	    fields.count == 0 || !field_is(&fields, "format", "btt"))
		return bt_fail_format(e, 0, "not a snapshot (.btt) file");
	v = mp_field(&fields, "version");
	version = mp_read_uint(&v);
	if (!view_ok(&v) || version == 0)
		return bt_fail_format(e, 0, "a snapshot without a version");
	if (version > BTT_VERSION)
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "snapshot format version %llu; this program reads up to %d",
		    (unsigned long long)version, BTT_VERSION);
	read_stamp(&fields, f->s);
	return true;
}

/* ---- one section ---- */

static bool
read_envelope(const struct mp_fields *f, struct envelope *env)
{
	struct view name = mp_field(f, "section"), codec = mp_field(f, "codec");
	struct view size = mp_field(f, "size"), crc = mp_field(f, "crc32c");
	struct view data = mp_field(f, "data");

	env->name = mp_read_text(&name, &env->name_len);
	env->codec = mp_read_text(&codec, &env->codec_len);
	env->size = mp_read_uint(&size);
	env->crc = (uint32_t)mp_read_uint(&crc);
	env->data = (const uint8_t *)mp_read_text(&data, &env->data_size);
	return view_ok(&name) && view_ok(&codec) && view_ok(&size) &&
	    view_ok(&crc) && view_ok(&data);
}

static bool
codec_is(const struct envelope *env, const char *codec)
{
	return env->codec_len == strlen(codec) &&
	    memcmp(env->codec, codec, env->codec_len) == 0;
}

/* The raw payload: *owned is to be freed, or NULL when it is borrowed. */
static const char *
unpack(struct file *f, const struct envelope *env, const uint8_t **raw,
    void **owned)
{
	*owned = NULL;
	*raw = env->data;
	if (crc32c(0, env->data, env->data_size) != env->crc)
		return "its checksum is wrong";
	if (codec_is(env, "none"))
		return env->size == env->data_size ? NULL : "its size is wrong";
	if (!codec_is(env, "zstd"))
		return "its codec is unknown";
	if (env->size > BTT_MAX_SECTION ||
	    env->size > MAX_UNPACKED - f->unpacked)
		return "it is too large";
	if (ZSTD_getFrameContentSize(env->data, env->data_size) != env->size)
		return "its size is wrong";
	f->unpacked += env->size;
	*owned = malloc(env->size > 0 ? (size_t)env->size : 1);
	if (*owned == NULL)
		return "there is no memory for it";
	*raw = *owned;
	if (ZSTD_decompress(*owned, (size_t)env->size, env->data,
		env->data_size) != env->size)
		return "it cannot be decompressed";
	return NULL;
}

/* The section's number, or BTT_SECTION__COUNT when it is unknown. */
static unsigned
section_of(const struct envelope *env)
{
	for (unsigned i = 0; i < BTT_SECTION__COUNT; i++) {
		const char *name = btt_section_name((enum btt_section)i);

		if (strlen(name) == env->name_len &&
		    memcmp(name, env->name, env->name_len) == 0)
			return i;
	}
	return BTT_SECTION__COUNT;
}

static bool
read_strings(struct btt_input *in)
{
	struct view v = mp_field(&in->fields, "strings");
	size_t count;

	if (!view_ok(&v))
		return true;
	count = mp_read_array(&v);
	in->strings = calloc(count + 1, sizeof(*in->strings));
	if (in->strings == NULL)
		return btt_bad(in, "there is no memory for it");
	for (size_t i = 0; i < count; i++) {
		struct btt_string *str = &in->strings[i];

		str->data = mp_read_text(&v, &str->len);
	}
	if (!view_ok(&v))
		return btt_bad(in, "its strings are damaged");
	in->n_strings = count;
	return true;
}

static const char *
decode(struct file *f, unsigned section, const uint8_t *raw, size_t size)
{
	static bool (*const getters[BTT_SECTION__COUNT])(struct btt_input *) = {
	    [BTT_PROCESS] = btt_get_process,
	    [BTT_THREADS] = btt_get_threads,
	    [BTT_MODULES] = btt_get_modules,
	    [BTT_VARIABLES] = btt_get_variables,
	    [BTT_OBJECTS] = btt_get_objects,
	    [BTT_ANALYSIS] = btt_get_analysis,
	    [BTT_MEMORY] = btt_get_memory,
	    [BTT_RESOURCES] = btt_get_resources,
	    [BTT_WARNINGS] = btt_get_warnings,
	};
	struct btt_input in = {.s = f->s, .size = size};
	struct view v = view_of(raw, size);

	if (!mp_read_fields(&v, &in.fields))
		btt_bad(&in, "its content is damaged");
	else if (read_strings(&in) && !getters[section](&in))
		btt_bad(&in, "its content is damaged");
	free(in.strings);
	return in.bad;
}

static void
read_section(struct file *f, const struct envelope *env)
{
	unsigned section = section_of(env);
	const uint8_t *raw;
	const char *bad;
	void *owned;

	if (section == BTT_SECTION__COUNT)
		return; /* from a newer writer */
	if (f->seen[section] && section != BTT_WARNINGS &&
	    section != BTT_RESOURCES && section != BTT_MEMORY) {
		snapshot_warn(f->s, "read", "duplicate",
		    "a second section %s is not read",
		    btt_section_name((enum btt_section)section));
		return;
	}
	bad = unpack(f, env, &raw, &owned);
	if (bad == NULL) {
		bad = decode(f, section, raw, (size_t)env->size);
		f->seen[section] = true;
	}
	free(owned);
	if (bad == NULL)
		return;
	f->s->partial = true;
	snapshot_warn(f->s, "read", "damaged", "section %s is not read: %s",
	    btt_section_name((enum btt_section)section), bad);
}

/* ---- the stream ---- */

/* The next place after pos where a section seems to begin, or the end: a small
 * map whose first key is "section". */
static size_t
next_section(const struct view *v, size_t pos)
{
	static const char mark[] = "\xa7section";
	const uint8_t *at = v->data + pos + 1, *end = v->data + v->size;

	while (at < end) {
		at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1);
		if (at == NULL)
			break;
		if (at > v->data + pos + 1 && (at[-1] & 0xf0) == 0x80)
			return (size_t)(at - v->data) - 1;
		at++;
	}
	return v->size;
}

static bool
read_trailer(struct file *f)
{
	size_t len;
	const char *data = mp_read_text(&f->v, &len);

	return data != NULL && len == BTT_TRAILER_BIN &&
	    memcmp(data + 8, BTT_TRAILER_MAGIC, 4) == 0;
}

/* False at the directory: nothing follows it. */
static bool
read_value(struct file *f)
{
	size_t start = f->v.pos;
	struct mp_fields fields;
	struct envelope env;

	if (mp_read_fields_within(&f->v, &fields, &f->steps)) {
		if (mp_has(&fields, "directory")) {
			f->complete = read_trailer(f);
			return false;
		}
		if (!mp_has(&fields, "section"))
			return true; /* from a newer writer */
		if (read_envelope(&fields, &env)) {
			read_section(f, &env);
			return true;
		}
	}
	f->v.failed = false;
	f->v.pos = next_section(&f->v, start);
	f->s->partial = true;
	if (f->v.pos < f->v.size && f->damages++ < MAX_DAMAGES)
		snapshot_warn(f->s, "read", "damaged",
		    "the file is damaged at offset %zu", start);
	return true;
}

bool
btt_read(const void *data, size_t size, struct snapshot *out, bt_error_t *e)
{
	struct file f = {
	    .v = view_of(data, size), .steps = MAX_STEPS, .s = out};

	if (!read_header(&f, e))
		return false;
	while (!view_end(&f.v) && f.steps > 0) {
		if (!read_value(&f))
			break;
	}
	if (!f.complete) {
		out->partial = true;
		snapshot_warn(out, "read", "cut",
		    "the file ends before its directory; what came before "
		    "was read");
	}
	return true;
}
