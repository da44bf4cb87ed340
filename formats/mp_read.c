/* SPDX-License-Identifier: MIT */
/* The MessagePack reader: see mp.h. */
#include "formats/mp.h"

static uint64_t
big_endian(struct view *v, size_t size)
{
	const uint8_t *p = view_bytes(v, size);
	uint64_t x = 0;

	for (size_t i = 0; p != NULL && i < size; i++)
		x = x << 8 | p[i];
	return x;
}

static bool
read_bytes(
    struct view *v, struct mp_value *out, enum mp_type type, uint64_t size)
{
	out->type = type;
	out->size = size;
	out->data = size <= SIZE_MAX ? view_bytes(v, (size_t)size) : NULL;
	return view_ok(v);
}

/* A claimed count is believed only as far as bytes are left for it. */
static bool
read_count(
    struct view *v, struct mp_value *out, enum mp_type type, uint64_t count)
{
	uint64_t least = type == MP_MAP ? 2 * count : count;

	out->type = type;
	out->size = count;
	if (least > view_left(v))
		v->failed = true;
	return view_ok(v);
}

static bool
read_uint(struct view *v, struct mp_value *out, uint64_t value)
{
	out->type = MP_UINT;
	out->as.u = value;
	return view_ok(v);
}

static bool
read_int(struct view *v, struct mp_value *out, int64_t value)
{
	out->type = value < 0 ? MP_INT : MP_UINT;
	out->as.i = value;
	return view_ok(v);
}

static bool
read_float(struct view *v, struct mp_value *out, bool wide)
{
	out->type = MP_FLOAT;
	if (wide) {
		uint64_t bits = big_endian(v, 8);

		memcpy(&out->as.f, &bits, sizeof(bits));
	} else {
		uint32_t bits = (uint32_t)big_endian(v, 4);
		float f;

		memcpy(&f, &bits, sizeof(bits));
		out->as.f = f;
	}
	return view_ok(v);
}

/* The tags that name a size: 0xc4 to 0xdf. */
static bool
read_tagged(struct view *v, struct mp_value *out, uint8_t tag)
{
	switch (tag) {
	case 0xc4:
	case 0xc5:
	case 0xc6:
		return read_bytes(
		    v, out, MP_BIN, big_endian(v, (size_t)1 << (tag - 0xc4)));
	case 0xc7:
	case 0xc8:
	case 0xc9: /* a type byte comes before the data */
		return read_bytes(v, out, MP_EXT,
		    big_endian(v, (size_t)1 << (tag - 0xc7)) + 1);
	case 0xca:
	case 0xcb:
		return read_float(v, out, tag == 0xcb);
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xcf:
		return read_uint(
		    v, out, big_endian(v, (size_t)1 << (tag - 0xcc)));
	case 0xd0:
		return read_int(v, out, (int8_t)big_endian(v, 1));
	case 0xd1:
		return read_int(v, out, (int16_t)big_endian(v, 2));
	case 0xd2:
		return read_int(v, out, (int32_t)big_endian(v, 4));
	case 0xd3:
		return read_int(v, out, (int64_t)big_endian(v, 8));
	case 0xd4:
	case 0xd5:
	case 0xd6:
	case 0xd7:
	case 0xd8:
		return read_bytes(
		    v, out, MP_EXT, ((uint64_t)1 << (tag - 0xd4)) + 1);
	case 0xd9:
	case 0xda:
	case 0xdb:
		return read_bytes(
		    v, out, MP_STR, big_endian(v, (size_t)1 << (tag - 0xd9)));
	case 0xdc:
	case 0xdd:
		return read_count(
		    v, out, MP_ARRAY, big_endian(v, tag == 0xdc ? 2 : 4));
	case 0xde:
	case 0xdf:
		return read_count(
		    v, out, MP_MAP, big_endian(v, tag == 0xde ? 2 : 4));
	default: /* 0xc1 is never used */
		v->failed = true;
		return false;
	}
}

bool
mp_read(struct view *v, struct mp_value *out)
{
	uint8_t tag = view_u8(v);

	*out = (struct mp_value){0};
	if (!view_ok(v))
		return false;
	if (tag < 0x80)
		return read_uint(v, out, tag);
	if (tag < 0x90)
		return read_count(v, out, MP_MAP, tag & 0x0f);
	if (tag < 0xa0)
		return read_count(v, out, MP_ARRAY, tag & 0x0f);
	if (tag < 0xc0)
		return read_bytes(v, out, MP_STR, tag & 0x1f);
	if (tag >= 0xe0)
		return read_int(v, out, (int8_t)tag);
	if (tag == 0xc0)
		return true;
	if (tag == 0xc2 || tag == 0xc3) {
		out->type = MP_BOOL;
		out->as.b = tag == 0xc3;
		return true;
	}
	return read_tagged(v, out, tag);
}

static bool
skip(struct view *v, uint64_t *steps)
{
	uint64_t left[MP_MAX_NESTING];
	size_t depth = 0;
	struct mp_value value;

	for (;;) {
		if (*steps == 0)
			v->failed = true;
		else
			--*steps;
		if (!mp_read(v, &value))
			return false;
		if ((value.type == MP_ARRAY || value.type == MP_MAP) &&
		    value.size > 0) {
			if (depth == MP_MAX_NESTING) {
				v->failed = true;
				return false;
			}
			left[depth++] = value.type == MP_MAP ? 2 * value.size
							     : value.size;
			continue;
		}
		while (depth > 0 && --left[depth - 1] == 0)
			depth--;
		if (depth == 0)
			return true;
	}
}

bool
mp_skip(struct view *v)
{
	uint64_t steps = UINT64_MAX;

	return skip(v, &steps);
}

uint64_t
mp_read_uint(struct view *v)
{
	struct mp_value value;

	if (!mp_read(v, &value))
		return 0;
	if (value.type != MP_UINT && value.type != MP_INT) {
		v->failed = true;
		return 0;
	}
	return value.as.u;
}

double
mp_read_float(struct view *v)
{
	struct mp_value value;

	if (!mp_read(v, &value))
		return 0;
	if (value.type == MP_FLOAT)
		return value.as.f;
	if (value.type == MP_UINT)
		return (double)value.as.u;
	if (value.type == MP_INT)
		return (double)value.as.i;
	v->failed = true;
	return 0;
}

bool
mp_read_bool(struct view *v)
{
	struct mp_value value;

	if (!mp_read(v, &value))
		return false;
	if (value.type == MP_BOOL)
		return value.as.b;
	if (value.type != MP_UINT)
		v->failed = true;
	return value.as.u != 0;
}

const char *
mp_read_text(struct view *v, size_t *len)
{
	struct mp_value value;

	*len = 0;
	if (!mp_read(v, &value))
		return NULL;
	if (value.type != MP_STR && value.type != MP_BIN) {
		v->failed = true;
		return NULL;
	}
	*len = (size_t)value.size;
	return (const char *)value.data;
}

static size_t
read_container(struct view *v, enum mp_type type)
{
	struct mp_value value;

	if (!mp_read(v, &value))
		return 0;
	if (value.type != type) {
		v->failed = true;
		return 0;
	}
	return (size_t)value.size;
}

size_t
mp_read_array(struct view *v)
{
	return read_container(v, MP_ARRAY);
}

size_t
mp_read_map(struct view *v)
{
	return read_container(v, MP_MAP);
}

bool
mp_read_fields_within(struct view *v, struct mp_fields *f, uint64_t *steps)
{
	size_t n = mp_read_map(v);

	f->count = 0;
	while (n-- > 0 && view_ok(v)) {
		struct mp_value key;
		size_t start;

		if (!mp_read(v, &key))
			break;
		if (key.type == MP_ARRAY || key.type == MP_MAP) {
			v->failed = true;
			break;
		}
		start = v->pos;
		if (!skip(v, steps))
			break;
		if (key.type != MP_STR || f->count == MP_FIELDS)
			continue;
		f->items[f->count].key = (const char *)key.data;
		f->items[f->count].len = (size_t)key.size;
		f->items[f->count].value = view_sub(v, start, v->pos - start);
		f->count++;
	}
	return view_ok(v);
}

bool
mp_read_fields(struct view *v, struct mp_fields *f)
{
	uint64_t steps = UINT64_MAX;

	return mp_read_fields_within(v, f, &steps);
}

struct view
mp_field(const struct mp_fields *f, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < f->count; i++) {
		if (f->items[i].len == len &&
		    memcmp(f->items[i].key, key, len) == 0)
			return f->items[i].value;
	}
	return (struct view){NULL, 0, 0, true};
}

bool
mp_has(const struct mp_fields *f, const char *key)
{
	struct view v = mp_field(f, key);

	return view_ok(&v);
}

/* ---- columns ---- */

struct mp_reader
mp_reader_of(const struct mp_fields *f, const char *key)
{
	struct mp_reader r = {.v = mp_field(f, key)};

	if (view_ok(&r.v)) {
		r.left = mp_read_array(&r.v);
	} else {
		r.absent = true;
	}
	return r;
}

struct mp_reader
mp_reader_exact(const struct mp_fields *f, const char *key, size_t count)
{
	struct mp_reader r = mp_reader_of(f, key);

	if (!r.absent && r.left != count)
		r.v.failed = true;
	return r;
}

/* Takes one element; false when the column is absent, at its end or bad. */
static bool
take_one(struct mp_reader *r)
{
	if (r->absent)
		return false;
	if (r->left == 0) {
		r->v.failed = true;
		return false;
	}
	r->left--;
	return view_ok(&r->v);
}

uint64_t
mp_next(struct mp_reader *r)
{
	return take_one(r) ? mp_read_uint(&r->v) : 0;
}

double
mp_next_float(struct mp_reader *r)
{
	return take_one(r) ? mp_read_float(&r->v) : 0;
}

bool
mp_next_or_nil(struct mp_reader *r, uint64_t *value)
{
	struct mp_value got;

	*value = 0;
	if (!take_one(r))
		return r->absent;
	if (!mp_read(&r->v, &got) || got.type == MP_NIL)
		return false;
	if (got.type != MP_UINT && got.type != MP_INT)
		r->v.failed = true;
	*value = got.as.u;
	return view_ok(&r->v);
}
