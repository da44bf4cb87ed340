/* SPDX-License-Identifier: MIT */
/*
 * MessagePack (github.com/msgpack/msgpack, spec.md): a writer into a buf, and
 * a reader over a view that trusts nothing: nesting is capped, a claimed count
 * must fit into the bytes that are left (every element has at least one), and
 * a failure is sticky, as the view's own.
 */
#ifndef FORMATS_MP_H
#define FORMATS_MP_H

#include "base/buf.h"
#include "base/view.h"

#include <string.h>

#define MP_MAX_NESTING 16

/* ---- writing ---- */

void mp_nil(struct buf *b);
void mp_bool(struct buf *b, bool value);
void mp_uint(struct buf *b, uint64_t value);
void mp_int(struct buf *b, int64_t value);
/* As float 32 when that holds the same value. */
void mp_float(struct buf *b, double value);
/* A str when the bytes are UTF-8, else a bin. */
void mp_text(struct buf *b, const char *text, size_t len);
void mp_str(struct buf *b, const char *text); /* NULL counts as "" */
void mp_bin(struct buf *b, const void *data, size_t size);
void mp_array(struct buf *b, size_t count);
void mp_map(struct buf *b, size_t count);

/* A map whose number of entries is known only at its end. */
struct mp_table {
	struct buf body;
	size_t count;
};
void mp_table_init(struct mp_table *t);
void mp_table_deinit(struct mp_table *t);
/* Writes the key; the caller writes the value into the returned buf. */
struct buf *mp_table_key(struct mp_table *t, const char *key);
/* Appends the map to out and frees the table. */
void mp_table_end(struct mp_table *t, struct buf *out);

/* An array whose number of elements is known only at its end. */
struct mp_column {
	struct buf body;
	size_t count;
	bool nonzero; /* some element is not 0 */
};
void mp_column_init(struct mp_column *c);
void mp_column_deinit(struct mp_column *c);
void mp_column_int(struct mp_column *c, int64_t value);
void mp_column_uint(struct mp_column *c, uint64_t value);
void mp_column_nil(struct mp_column *c);
void mp_column_float(struct mp_column *c, double value);
/* For any other value: counts an element, returns where to write it. */
struct buf *mp_column_next(struct mp_column *c);

/* Many integers at once: room for all of them is taken at the start, so that
 * an element costs its bytes. False: no room, nothing may be put. */
struct mp_run {
	struct mp_column *column;
	uint8_t *start, *at;
	uint64_t all; /* bits that were set in some element */
};
bool mp_run_begin(struct mp_run *r, struct mp_column *c, size_t most);
void mp_run_end(struct mp_run *r, size_t count);

static inline uint8_t *
mp_tagged(uint8_t *p, uint8_t tag, uint64_t value, unsigned size)
{
	uint64_t big = __builtin_bswap64(value << (64 - 8 * size));

	p[0] = tag;
	memcpy(p + 1, &big, sizeof(big)); /* the room is for the widest */
	return p + 1 + size;
}

/* Where there is room for MP_WIDEST bytes; returns what follows. */
#define MP_WIDEST 9

static inline uint8_t *
mp_encode_uint(uint8_t *p, uint64_t u)
{
	if (u < 0x80) {
		*p = (uint8_t)u;
		return p + 1;
	}
	return u <= UINT8_MAX ? mp_tagged(p, 0xcc, u, 1)
	    : u <= UINT16_MAX ? mp_tagged(p, 0xcd, u, 2)
	    : u <= UINT32_MAX ? mp_tagged(p, 0xce, u, 4)
			      : mp_tagged(p, 0xcf, u, 8);
}

static inline uint8_t *
mp_encode_int(uint8_t *p, int64_t value)
{
	uint64_t u = (uint64_t)value;

	if (value >= 0)
		return mp_encode_uint(p, u);
	if (value >= -32) {
		*p = (uint8_t)value;
		return p + 1;
	}
	return value >= INT8_MIN ? mp_tagged(p, 0xd0, u, 1)
	    : value >= INT16_MIN ? mp_tagged(p, 0xd1, u, 2)
	    : value >= INT32_MIN ? mp_tagged(p, 0xd2, u, 4)
				 : mp_tagged(p, 0xd3, u, 8);
}

static inline void
mp_run_int(struct mp_run *r, int64_t value)
{
	r->all |= (uint64_t)value;
	r->at = mp_encode_int(r->at, value);
}

static inline void
mp_run_nil(struct mp_run *r)
{
	*r->at++ = 0xc0;
	r->all = 1;
}

/* Adds the column to the table, unless all is zero: an absent column reads as
 * zeros. Frees it. */
void mp_column_end(struct mp_column *c, struct mp_table *t, const char *key);

/* ---- reading ---- */

enum mp_type {
	MP_NIL,
	MP_BOOL,
	MP_UINT,
	MP_INT, /* negative */
	MP_FLOAT,
	MP_STR,
	MP_BIN,
	MP_ARRAY,
	MP_MAP,
	MP_EXT
};

struct mp_value {
	enum mp_type type;
	union {
		bool b;
		uint64_t u;
		int64_t i;
		double f;
	} as;
	const uint8_t *data; /* str, bin, ext */
	uint64_t size;	     /* bytes of those, elements of array and map */
};

/* The next value's head; of an array or map the elements follow. */
bool mp_read(struct view *v, struct mp_value *out);
/* One whole value, elements included. */
bool mp_skip(struct view *v);
/* Typed reads: anything else fails the view. An integer is taken modulo 2^64,
 * so deltas of addresses need no care for the sign. */
uint64_t mp_read_uint(struct view *v);
double mp_read_float(struct view *v);
bool mp_read_bool(struct view *v);
/* str or bin. */
const char *mp_read_text(struct view *v, size_t *len);
size_t mp_read_array(struct view *v);
size_t mp_read_map(struct view *v);

/* The entries of one map, to be asked for by key. Of a key that comes twice
 * the first counts; what does not fit is as unknown keys are: skipped. */
enum { MP_FIELDS = 48 };
struct mp_fields {
	struct {
		const char *key;
		size_t len;
		struct view value;
	} items[MP_FIELDS];
	size_t count;
};
bool mp_read_fields(struct view *v, struct mp_fields *f);
/* As above; takes one of *steps for every value passed over, and fails when
 * there are none left: for bytes that may be tried many times. */
bool mp_read_fields_within(
    struct view *v, struct mp_fields *f, uint64_t *steps);
/* The value, or a failed view when there is no such key. */
struct view mp_field(const struct mp_fields *f, const char *key);
bool mp_has(const struct mp_fields *f, const char *key);

/* A column being read: absent ones give zeros for ever. */
struct mp_reader {
	struct view v;
	size_t left;
	bool absent;
};
struct mp_reader mp_reader_of(const struct mp_fields *f, const char *key);
/* As above; the column must have exactly count elements (or be absent). */
struct mp_reader mp_reader_exact(
    const struct mp_fields *f, const char *key, size_t count);
uint64_t mp_next(struct mp_reader *r);
double mp_next_float(struct mp_reader *r);
/* False: the next one was nil (and is taken). */
bool mp_next_or_nil(struct mp_reader *r, uint64_t *value);
static inline bool
mp_reader_ok(const struct mp_reader *r)
{
	return r->absent || view_ok(&r->v);
}

#endif /* FORMATS_MP_H */
