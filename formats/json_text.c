/* SPDX-License-Identifier: MIT */
/*
 * JSON text (RFC 8259): writing a string, and checking that somebody else's
 * text is one value.
 */
#include "formats/json.h"

/* Deeper or longer texts from modules are refused. */
enum { MAX_DEPTH = 64, MAX_SIZE = 16 << 20 };

/* ---- strings ---- */

/* Length of the valid UTF-8 sequence at p, 0 when invalid (RFC 3629: no
 * surrogates, no overlong forms, nothing above U+10FFFF). */
static size_t
utf8_length(const uint8_t *p, size_t left)
{
	size_t len;
	uint8_t low = 0x80, high = 0xbf;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3;
		if (p[0] == 0xe0)
			low = 0xa0;
		if (p[0] == 0xed)
			high = 0x9f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		if (p[0] == 0xf0)
			low = 0x90;
		if (p[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	if (left < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return len;
}

static bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void
put_escape(struct buf *out, uint8_t c)
{
	static const char digits[] = "0123456789abcdef";
	char u[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
	const char *at = strchr("\"\\\bb\ff\nn\rr\tt", c);

	if (c == '"' || c == '\\') {
		char pair[2] = {'\\', (char)c};
		buf_append(out, pair, 2);
	} else if (c != 0 && c < 0x20 && at != NULL) {
		char pair[2] = {'\\', at[1]};
		buf_append(out, pair, 2);
	} else {
		buf_append(out, u, sizeof(u));
	}
}

/* The text \xNN, its backslash escaped. */
static void
put_invalid(struct buf *out, uint8_t c)
{
	static const char digits[] = "0123456789abcdef";
	char x[5] = {'\\', '\\', 'x', digits[c >> 4], digits[c & 15]};

	buf_append(out, x, sizeof(x));
}

void
json_string(struct buf *out, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t i = 0;

	buf_putc(out, '"');
	while (i < len) {
		size_t start = i;

		while (i < len && is_plain(p[i]))
			i++;
		if (i > start)
			buf_append(out, p + start, i - start);
		if (i == len)
			break;

		size_t n = utf8_length(p + i, len - i);
		if (n == 0)
			put_invalid(out, p[i]);
		else if (n == 1)
			put_escape(out, p[i]);
		else
			buf_append(out, p + i, n);
		i += n > 0 ? n : 1;
	}
	buf_putc(out, '"');
}

/* ---- validity ---- */

struct scan {
	const uint8_t *p, *end;
};

static void
skip_blanks(struct scan *s)
{
	while (s->p < s->end &&
	    (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool
scan_char(struct scan *s, char c)
{
	if (s->p >= s->end || *s->p != (uint8_t)c)
		return false;
	s->p++;
	return true;
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	    (c >= 'A' && c <= 'F');
}

static unsigned
digit_of(uint8_t c)
{
	return c <= '9' ? c - 0x30U : (c | 0x20U) - 0x61U + 10U;
}

/* The four digits of a \u escape; *unit is the UTF-16 code unit. */
static bool
scan_unit(struct scan *s, unsigned *unit)
{
	*unit = 0;
	if (s->end - s->p < 4)
		return false;
	for (int i = 0; i < 4; i++, s->p++) {
		uint8_t c = *s->p;

		if (!is_hex(c))
			return false;
		*unit = *unit << 4 | digit_of(c);
	}
	return true;
}

/* After the backslash. A lone surrogate cannot become UTF-8: refused. */
static bool
scan_escape(struct scan *s)
{
	unsigned unit;

	if (s->p >= s->end)
		return false;

	uint8_t c = *s->p++;
	if (c != 'u')
		return c != 0 && strchr("\"\\/bfnrt", c) != NULL;
	if (!scan_unit(s, &unit) || (unit >= 0xdc00 && unit <= 0xdfff))
		return false;
	if (unit < 0xd800 || unit > 0xdbff)
		return true;
	return scan_char(s, '\\') && scan_char(s, 'u') && scan_unit(s, &unit) &&
	    unit >= 0xdc00 && unit <= 0xdfff;
}

static bool
scan_string(struct scan *s)
{
	if (!scan_char(s, '"'))
		return false;
	while (s->p < s->end) {
		if (*s->p == '"') {
			s->p++;
			return true;
		}
		if (*s->p == '\\') {
			s->p++;
			if (!scan_escape(s))
				return false;
			continue;
		}
		if (*s->p < 0x20)
			return false;

		size_t n = utf8_length(s->p, (size_t)(s->end - s->p));
		if (n == 0)
			return false;
		s->p += n;
	}
	return false;
}

static size_t
scan_digits(struct scan *s)
{
	const uint8_t *start = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - start);
}

static bool
scan_number(struct scan *s)
{
	(void)scan_char(s, '-');
	if (!scan_char(s, '0') && scan_digits(s) == 0)
		return false;
	if (scan_char(s, '.') && scan_digits(s) == 0)
		return false;
	if (s->p < s->end && (*s->p | 0x20) == 'e') {
		s->p++;
		if (!scan_char(s, '+'))
			(void)scan_char(s, '-');
		return scan_digits(s) > 0;
	}
	return true;
}

static bool
scan_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return false;
	s->p += len;
	return true;
}

static bool
scan_scalar(struct scan *s)
{
	if (s->p >= s->end)
		return false;
	switch (*s->p) {
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

/* A key and its colon. */
static bool
scan_key(struct scan *s)
{
	skip_blanks(s);
	if (!scan_string(s))
		return false;
	skip_blanks(s);
	return scan_char(s, ':');
}

/* After a value: closes what ends here, stops at a comma that asks for the
 * next value. False on a fault; *depth 0 means that the outermost is done. */
static bool
scan_after_value(struct scan *s, const char *stack, size_t *depth)
{
	while (*depth > 0) {
		skip_blanks(s);
		if (scan_char(s, ',')) {
			return stack[*depth - 1] != '}' || scan_key(s);
		}
		if (!scan_char(s, stack[*depth - 1]))
			return false;
		--*depth;
	}
	return true;
}

bool
json_valid(const char *text, size_t len)
{
	struct scan s = {(const uint8_t *)text, (const uint8_t *)text + len};
	char stack[MAX_DEPTH];
	size_t depth = 0;

	if (len > MAX_SIZE)
		return false;
	do {
		skip_blanks(&s);
		bool object = s.p < s.end && *s.p == '{';
		if (object || (s.p < s.end && *s.p == '[')) {
			s.p++;
			if (depth == MAX_DEPTH)
				return false;
			stack[depth++] = object ? '}' : ']';
			skip_blanks(&s);
			if (s.p >= s.end)
				return false;
			if (*s.p != (uint8_t)stack[depth - 1]) {
				if (object && !scan_key(&s))
					return false;
				continue;
			}
		} else if (!scan_scalar(&s)) {
			return false;
		}
		if (!scan_after_value(&s, stack, &depth))
			return false;
	} while (depth > 0);
	skip_blanks(&s);
	return s.p == s.end;
}
