/* SPDX-License-Identifier: MIT */
/* The MessagePack writer: see mp.h. The shortest form is always used. */
#include "base/text.h"
#include "formats/mp.h"

/* Columns and tables live only while a section is made; the section's own cap
 * is checked by whoever takes their content. */
static const size_t part_cap = (size_t)1 << 32;

static void
put(struct buf *b, uint8_t tag, uint64_t value, size_t size)
{
	uint8_t *p = buf_extend(b, 1 + size);

	if (p == NULL)
		return;
	*p++ = tag;
	while (size-- > 0)
		*p++ = (uint8_t)(value >> (8 * size));
}

void
mp_nil(struct buf *b)
{
	put(b, 0xc0, 0, 0);
}

void
mp_bool(struct buf *b, bool value)
{
	put(b, value ? 0xc3 : 0xc2, 0, 0);
}

/* Mostly the buffer has room already. */
static inline uint8_t *
widest(struct buf *b)
{
	if (!b->failed && b->data != NULL && b->room - b->size >= MP_WIDEST)
		return b->data + b->size;
	return NULL;
}

void
mp_uint(struct buf *b, uint64_t value)
{
	uint8_t *p = widest(b), bytes[MP_WIDEST];

	if (p != NULL)
		b->size = (size_t)(mp_encode_uint(p, value) - b->data);
	else
		buf_append(
		    b, bytes, (size_t)(mp_encode_uint(bytes, value) - bytes));
}

void
mp_int(struct buf *b, int64_t value)
{
	uint8_t *p = widest(b), bytes[MP_WIDEST];

	if (p != NULL)
		b->size = (size_t)(mp_encode_int(p, value) - b->data);
	else
		buf_append(
		    b, bytes, (size_t)(mp_encode_int(bytes, value) - bytes));
}

void
mp_float(struct buf *b, double value)
{
	float narrow = (float)value;
	double wide = narrow;
	uint32_t bits32;
	uint64_t bits64;

	/* Bits are compared, so that a NaN keeps what it carries. */
	if (memcmp(&wide, &value, sizeof(wide)) == 0) {
		memcpy(&bits32, &narrow, sizeof(bits32));
		put(b, 0xca, bits32, 4);
	} else {
		memcpy(&bits64, &value, sizeof(bits64));
		put(b, 0xcb, bits64, 8);
	}
}

void
mp_bin(struct buf *b, const void *data, size_t size)
{
	if (size <= UINT8_MAX)
		put(b, 0xc4, size, 1);
	else if (size <= UINT16_MAX)
		put(b, 0xc5, size, 2);
	else if (size <= UINT32_MAX)
		put(b, 0xc6, size, 4);
	else
		b->failed = true;
	buf_append(b, data, size);
}

void
mp_text(struct buf *b, const char *text, size_t len)
{
	if (!text_is_utf8(text, len)) {
		mp_bin(b, text, len);
		return;
	}
	if (len < 32)
		put(b, (uint8_t)(0xa0 | len), 0, 0);
	else if (len <= UINT8_MAX)
		put(b, 0xd9, len, 1);
	else if (len <= UINT16_MAX)
		put(b, 0xda, len, 2);
	else if (len <= UINT32_MAX)
		put(b, 0xdb, len, 4);
	else
		b->failed = true;
	buf_append(b, text, len);
}

void
mp_str(struct buf *b, const char *text)
{
	if (text == NULL)
		text = "";
	mp_text(b, text, strlen(text));
}

void
mp_array(struct buf *b, size_t count)
{
	if (count < 16)
		put(b, (uint8_t)(0x90 | count), 0, 0);
	else if (count <= UINT16_MAX)
		put(b, 0xdc, count, 2);
	else if (count <= UINT32_MAX)
		put(b, 0xdd, count, 4);
	else
		b->failed = true;
}

void
mp_map(struct buf *b, size_t count)
{
	if (count < 16)
		put(b, (uint8_t)(0x80 | count), 0, 0);
	else if (count <= UINT16_MAX)
		put(b, 0xde, count, 2);
	else if (count <= UINT32_MAX)
		put(b, 0xdf, count, 4);
	else
		b->failed = true;
}

/* ---- tables and columns ---- */

void
mp_table_init(struct mp_table *t)
{
	buf_init(&t->body, part_cap);
	t->count = 0;
}

void
mp_table_deinit(struct mp_table *t)
{
	buf_deinit(&t->body);
}

struct buf *
mp_table_key(struct mp_table *t, const char *key)
{
	t->count++;
	mp_str(&t->body, key);
	return &t->body;
}

void
mp_table_end(struct mp_table *t, struct buf *out)
{
	mp_map(out, t->count);
	buf_take(out, &t->body);
}

void
mp_column_init(struct mp_column *c)
{
	buf_init(&c->body, part_cap);
	c->count = 0;
	c->nonzero = false;
}

void
mp_column_deinit(struct mp_column *c)
{
	buf_deinit(&c->body);
}

struct buf *
mp_column_next(struct mp_column *c)
{
	c->count++;
	c->nonzero = true;
	return &c->body;
}

void
mp_column_int(struct mp_column *c, int64_t value)
{
	c->count++;
	c->nonzero |= value != 0;
	mp_int(&c->body, value);
}

void
mp_column_uint(struct mp_column *c, uint64_t value)
{
	c->count++;
	c->nonzero |= value != 0;
	mp_uint(&c->body, value);
}

void
mp_column_nil(struct mp_column *c)
{
	mp_nil(mp_column_next(c));
}

void
mp_column_float(struct mp_column *c, double value)
{
	mp_float(mp_column_next(c), value);
}

bool
mp_run_begin(struct mp_run *r, struct mp_column *c, size_t most)
{
	size_t bytes;

	/* The widest element, and what its store may write beyond it. */
	if (__builtin_mul_overflow(most, (size_t)9, &bytes) ||
	    __builtin_add_overflow(bytes, (size_t)8, &bytes)) {
		c->body.failed = true;
		return false;
	}
	r->column = c;
	r->start = r->at = buf_extend(&c->body, bytes);
	r->all = 0;
	if (r->at != NULL)
		c->body.size -= bytes;
	return r->at != NULL;
}

void
mp_run_end(struct mp_run *r, size_t count)
{
	struct mp_column *c = r->column;

	c->body.size += (size_t)(r->at - r->start);
	c->count += count;
	c->nonzero |= r->all != 0;
}

void
mp_column_end(struct mp_column *c, struct mp_table *t, const char *key)
{
	if (c->nonzero || c->body.failed) {
		struct buf *out = mp_table_key(t, key);

		mp_array(out, c->count);
		buf_take(out, &c->body);
	}
	mp_column_deinit(c);
}
