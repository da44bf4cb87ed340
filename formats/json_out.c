/* SPDX-License-Identifier: MIT */
/* Writing JSON values: see json_out.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/json.h"
#include "formats/json_out.h"

/* From here on a double (and so most JSON readers) cannot tell neighbours
 * apart. */
#define JSON_EXACT (UINT64_C(1) << 53)

static void
before(struct json_out *j)
{
	if (j->comma)
		buf_putc(j->buf, ',');
	j->comma = true;
}

void
json_open(struct json_out *j, char bracket)
{
	before(j);
	buf_putc(j->buf, bracket);
	j->comma = false;
}

void
json_close(struct json_out *j, char bracket)
{
	buf_putc(j->buf, bracket);
	j->comma = true;
}

void
json_key(struct json_out *j, const char *key)
{
	size_t len = strlen(key);
	uint8_t *p;

	before(j);
	j->comma = false;
	if ((p = buf_extend(j->buf, len + 3)) == NULL)
		return;
	p[0] = '"';
	memcpy(p + 1, key, len);
	p[len + 1] = '"';
	p[len + 2] = ':';
}

void
json_foreign_key(struct json_out *j, const char *key)
{
	before(j);
	j->comma = false;
	json_string(j->buf, key, strlen(key));
	buf_putc(j->buf, ':');
}

void
json_null(struct json_out *j)
{
	before(j);
	buf_puts(j->buf, "null");
}

void
json_bool(struct json_out *j, bool value)
{
	before(j);
	buf_puts(j->buf, value ? "true" : "false");
}

static void
put_decimal(struct json_out *j, uint64_t value, bool negative, bool quote)
{
	char text[24], *p = text + sizeof(text);

	before(j);
	if (quote)
		*--p = '"';
	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	if (negative)
		*--p = '-';
	if (quote)
		*--p = '"';
	buf_append(j->buf, p, (size_t)(text + sizeof(text) - p));
}

void
json_i64(struct json_out *j, int64_t value)
{
	uint64_t u = (uint64_t)value;

	put_decimal(j, value < 0 ? -u : u, value < 0,
	    (value < 0 ? -u : u) >= JSON_EXACT);
}

void
json_u64(struct json_out *j, uint64_t value)
{
	put_decimal(j, value, false, value >= JSON_EXACT);
}

void
json_object_id(struct json_out *j, uint64_t id)
{
	put_decimal(j, id, false, true);
}

void
json_hex(struct json_out *j, uint64_t value)
{
	static const char digits[] = "0123456789abcdef";
	char text[20], *p = text + sizeof(text);

	before(j);
	*--p = '"';
	do {
		*--p = digits[value & 15];
		value >>= 4;
	} while (value != 0);
	*--p = 'x';
	*--p = '0';
	*--p = '"';
	buf_append(j->buf, p, (size_t)(text + sizeof(text) - p));
}

void
json_double_text(char out[32], double value, bool is_float)
{
	if (isnan(value)) {
		memcpy(out, "nan", 4);
		return;
	}
	if (isinf(value)) {
		snprintf(out, 32, "%s", value < 0 ? "-inf" : "inf");
		return;
	}
	/* FLT_DIG and DBL_DIG digits are often enough; FLT_DECIMAL_DIG and
	 * DBL_DECIMAL_DIG always are (C17 5.2.4.2.2). */
	for (int n = is_float ? 6 : 15, end = is_float ? 9 : 17;; n++) {
		snprintf(out, 32, "%.*g", n, value);
		if (n == end)
			return;
		if (is_float ? strtof(out, NULL) == (float)value
			     : strtod(out, NULL) == value)
			return;
	}
}

void
json_double(struct json_out *j, double value)
{
	char text[32];

	json_double_text(text, value, false);
	if (isfinite(value)) {
		before(j);
		buf_puts(j->buf, text);
	} else {
		json_text(j, text);
	}
}

void
json_text(struct json_out *j, const char *text)
{
	before(j);
	if (text == NULL)
		text = "";
	json_string(j->buf, text, strlen(text));
}

void
json_text_or_null(struct json_out *j, const char *text)
{
	if (text == NULL || text[0] == '\0')
		json_null(j);
	else
		json_text(j, text);
}

void
json_raw(struct json_out *j, const char *text)
{
	size_t len = strlen(text);

	if (!json_valid(text, len)) {
		json_text(j, text);
		return;
	}
	before(j);
	buf_append(j->buf, text, len);
}
