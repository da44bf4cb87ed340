/* SPDX-License-Identifier: MIT */
/* What the readers of all sections share: see btt_read.h. */
#include "formats/btt_read.h"

bool
btt_bad(struct btt_input *in, const char *why)
{
	if (in->bad == NULL)
		in->bad = why;
	return false;
}

void
btt_done(struct btt_input *in, const struct mp_reader *r)
{
	if (!mp_reader_ok(r) || (!r->absent && r->left > 0))
		btt_bad(in, "a column does not fit its table");
}

size_t
btt_count(struct btt_input *in, const struct mp_fields *f)
{
	struct view v = mp_field(f, "count");
	uint64_t count = mp_read_uint(&v);

	if (!view_ok(&v))
		return 0;
	if (count > in->size) {
		btt_bad(in, "a count is larger than the section");
		return 0;
	}
	return (size_t)count;
}

struct mp_fields
btt_table(struct btt_input *in, const char *key)
{
	struct view v = mp_field(&in->fields, key);
	struct mp_fields f;

	f.count = 0;
	if (view_ok(&v) && !mp_read_fields(&v, &f)) {
		btt_bad(in, "a table is damaged");
		f.count = 0;
	}
	return f;
}

static struct btt_string *
string_of(struct btt_input *in, uint64_t id)
{
	if (id > in->n_strings) {
		btt_bad(in, "a string is missing");
		return NULL;
	}
	return id != 0 ? &in->strings[id - 1] : NULL;
}

const char *
btt_text(struct btt_input *in, uint64_t id)
{
	struct btt_string *str = string_of(in, id);

	if (str == NULL)
		return "";
	if (str->text == NULL)
		str->text = snapshot_stringn(in->s, str->data, str->len);
	return str->text;
}

const char *
btt_bytes(struct btt_input *in, uint64_t id, uint32_t *size)
{
	struct btt_string *str = string_of(in, id);

	*size = 0;
	if (str == NULL || str->len > UINT32_MAX)
		return "";
	if (str->copy == NULL)
		str->copy = arena_strndup(&in->s->arena, str->data, str->len);
	if (str->copy == NULL) {
		btt_bad(in, "it does not fit into memory");
		return "";
	}
	*size = (uint32_t)str->len;
	return str->copy;
}

const char *
btt_read_text(struct btt_input *in, struct view *v)
{
	size_t len;
	const char *text = mp_read_text(v, &len);

	if (text == NULL) {
		btt_bad(in, "a text is damaged");
		return "";
	}
	return snapshot_stringn(in->s, text, len);
}

const char *
btt_read_hex(struct btt_input *in, struct view *v)
{
	static const char digits[] = "0123456789abcdef";
	struct mp_value value;
	char hex[129];

	if (!mp_read(v, &value)) {
		btt_bad(in, "a hash is damaged");
		return "";
	}
	if (value.type == MP_STR)
		return snapshot_stringn(
		    in->s, (const char *)value.data, (size_t)value.size);
	if (value.type != MP_BIN || value.size > 64)
		return "";
	for (size_t i = 0; i < value.size; i++) {
		hex[2 * i] = digits[value.data[i] >> 4];
		hex[2 * i + 1] = digits[value.data[i] & 15];
	}
	return snapshot_stringn(in->s, hex, 2 * (size_t)value.size);
}

/* ---- sequences ---- */

static bool
read_starts(
    struct btt_input *in, const struct mp_fields *f, struct btt_sequences *out)
{
	struct mp_reader size = mp_reader_exact(f, "size", out->count);

	out->starts = calloc(out->count + 1, sizeof(*out->starts));
	if (out->starts == NULL)
		return btt_bad(in, "there is no memory for it");
	for (size_t i = 0; i < out->count; i++) {
		uint64_t n = mp_next(&size);

		if (n > in->size - out->total)
			return btt_bad(
			    in, "a count is larger than the section");
		out->total += (size_t)n;
		out->starts[i + 1] = out->total;
	}
	btt_done(in, &size);
	return in->bad == NULL;
}

bool
btt_read_sequences(struct btt_input *in, const char *key,
    const char *const *columns, size_t width, struct btt_sequences *out)
{
	struct mp_fields f = btt_table(in, key);

	memset(out, 0, sizeof(*out));
	out->count = btt_count(in, &f);
	if (in->bad != NULL || !read_starts(in, &f, out))
		return false;
	for (size_t k = 0; k < width; k++) {
		struct mp_reader r = mp_reader_exact(
		    &f, columns[k], out->total);

		out->columns[k] = calloc(
		    out->total + 1, sizeof(*out->columns[k]));
		if (out->columns[k] == NULL)
			return btt_bad(in, "there is no memory for it");
		for (size_t i = 0; i < out->total; i++)
			out->columns[k][i] = mp_next(&r);
		btt_done(in, &r);
	}
	return in->bad == NULL;
}

void
btt_free_sequences(struct btt_sequences *q)
{
	free(q->starts);
	for (size_t k = 0; k < BTT_MAX_WIDTH; k++)
		free(q->columns[k]);
	memset(q, 0, sizeof(*q));
}
