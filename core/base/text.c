/* SPDX-License-Identifier: MIT */
/*
 * Foreign text made safe to show, and strict numbers. What a terminal would
 * act upon (controls, ESC sequences), what would reorder a line (bidirectional
 * controls, see CVE-2021-42574) and what nobody can see is spelled out.
 */
#include "base/text.h"

#include <stdio.h>

/* The longest piece is \u{10ffff} and its NUL. */
#define PIECE_SIZE 16

struct range {
	uint32_t first, last;
};

/* Code points above ASCII that are spelled out, in order. From the General
 * Category Cf, Zl, Zp of the Unicode Character Database, without the visible
 * signs among them, with the invisible letters of Hangul. */
static const struct range hidden[] = {
    {0x0080, 0x009f},	/* C1 controls */
    {0x00ad, 0x00ad},	/* soft hyphen */
    {0x034f, 0x034f},	/* combining grapheme joiner */
    {0x061c, 0x061c},	/* Arabic letter mark */
    {0x115f, 0x1160},	/* Hangul fillers */
    {0x17b4, 0x17b5},	/* Khmer inherent vowels */
    {0x180b, 0x180f},	/* Mongolian selectors */
    {0x200b, 0x200f},	/* zero width, direction marks */
    {0x2028, 0x202e},	/* line separators, embeddings, overrides */
    {0x2060, 0x206f},	/* joiners, isolates, deprecated controls */
    {0x3164, 0x3164},	/* Hangul filler */
    {0xfeff, 0xfeff},	/* byte order mark */
    {0xffa0, 0xffa0},	/* half width Hangul filler */
    {0xfff9, 0xfffb},	/* interlinear annotation */
    {0x1bca0, 0x1bca3}, /* shorthand format controls */
    {0x1d173, 0x1d17a}, /* musical format controls */
    {0xe0000, 0xe0fff}, /* tags, further variation selectors */
};

static bool
is_hidden(uint32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (c <= hidden[i].last)
			return c >= hidden[i].first;
	}
	return false;
}

/* Decodes one character of 2 to 4 bytes (RFC 3629, table of section 4);
 * returns its length, or 0 when the bytes are not valid. */
static size_t
utf8_decode(const uint8_t *s, size_t len, uint32_t *out)
{
	/* The smallest value each length may encode: no overlong forms. */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c;
	size_t n;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2, c = s[0] & 0x1f;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3, c = s[0] & 0x0f;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4, c = s[0] & 0x07;
	else
		return 0;
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

static bool
is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

/* Writes what stands for the first character of s (at least one byte) to
 * piece; returns the number of bytes it took from s. */
static size_t
next_piece(const uint8_t *s, size_t len, char piece[PIECE_SIZE], size_t *size)
{
	uint32_t c = 0;
	size_t n = 1;
	int printed;

	if (is_plain(s[0])) {
		piece[0] = (char)s[0];
		*size = 1;
		return 1;
	}
	if (s[0] == '\n' || s[0] == '\t') {
		printed = snprintf(
		    piece, PIECE_SIZE, s[0] == '\n' ? "\\n" : "\\t");
	} else if (s[0] < 0x80 || (n = utf8_decode(s, len, &c)) == 0) {
		n = 1;
		printed = snprintf(piece, PIECE_SIZE, "\\x%02x", s[0]);
	} else if (is_hidden(c)) {
		printed = snprintf(piece, PIECE_SIZE, "\\u{%x}", c);
	} else {
		memcpy(piece, s, n);
		printed = (int)n;
	}
	*size = (size_t)printed;
	return n;
}

void
text_escape(struct buf *b, const char *text, size_t len)
{
	const uint8_t *s = (const uint8_t *)text;
	char piece[PIECE_SIZE];
	size_t size;

	for (size_t i = 0; i < len && !b->failed;) {
		size_t run = 0;

		while (i + run < len && is_plain(s[i + run]))
			run++;
		buf_append(b, s + i, run);
		i += run;
		if (i >= len)
			break;
		i += next_piece(s + i, len - i, piece, &size);
		buf_append(b, piece, size);
	}
}

char *
text_escape_into(char *out, size_t out_size, const char *text)
{
	static const char dots[] = "...";
	const uint8_t *s = (const uint8_t *)text;
	size_t len = strlen(text), used = 0, cut = 0, size;
	char piece[PIECE_SIZE];

	if (out_size == 0)
		return out;
	for (size_t i = 0; i < len;) {
		i += next_piece(s + i, len - i, piece, &size);
		if (size > out_size - 1 - used) {
			size_t n = out_size - 1 - cut;

			if (n > sizeof(dots) - 1)
				n = sizeof(dots) - 1;
			memcpy(out + cut, dots, n);
			out[cut + n] = '\0';
			return out;
		}
		memcpy(out + used, piece, size);
		used += size;
		/* The last place where the dots would still fit. */
		if (used + sizeof(dots) <= out_size)
			cut = used;
	}
	out[used] = '\0';
	return out;
}

bool
text_is_code_point(uint64_t c)
{

	return c < 0xd800 || (c >= 0xe000 && c <= 0x10ffff);
}

size_t
text_utf8(uint32_t c, char out[static 4])
{
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
		return n;
	}
	if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			out[n++] = (char)(0xe0 | c >> 12);
		} else {
			out[n++] = (char)(0xf0 | c >> 18);
			out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		}
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	out[n++] = (char)(0x80 | (c & 0x3f));
	return n;
}

bool
text_is_utf8(const void *text, size_t len)
{
	const uint8_t *s = text;
	uint32_t c;

	for (size_t i = 0; i < len;) {
		size_t n = s[i] < 0x80 ? 1 : utf8_decode(s + i, len - i, &c);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Reads digits up to the first other character, which *end names. */
static bool
digits(const char *s, unsigned base, uint64_t *out, const char **end)
{
	uint64_t value = 0;
	const char *p = s;
	unsigned digit;

	while ((digit = (unsigned)digit_of(*p)) < base) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
		p++;
	}
	*end = p;
	*out = value;
	return p != s;
}

bool
text_u64(const char *s, uint64_t *out)
{
	const char *end;
	uint64_t value;
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');

	if (!digits(hex ? s + 2 : s, hex ? 16 : 10, &value, &end) ||
	    *end != '\0')
		return false;
	*out = value;
	return true;
}

bool
text_i64(const char *s, int64_t *out)
{
	bool negative = s[0] == '-';
	uint64_t value;

	if (!text_u64(negative ? s + 1 : s, &value))
		return false;
	if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	*out = (int64_t)(negative ? -value : value);
	return true;
}

bool
text_size(const char *s, uint64_t *out)
{
	const char *end;
	uint64_t value, factor = 1;

	if (!digits(s, 10, &value, &end))
		return false;
	switch (*end) {
	case 'k':
	case 'K':
		factor = UINT64_C(1) << 10;
		break;
	case 'm':
	case 'M':
		factor = UINT64_C(1) << 20;
		break;
	case 'g':
	case 'G':
		factor = UINT64_C(1) << 30;
		break;
	default:
		end--;
		break;
	}
	if (end[1] != '\0' || __builtin_mul_overflow(value, factor, &value))
		return false;
	*out = value;
	return true;
}

const char *
text_basename(const char *path)
{
	const char *slash;

	if (path == NULL)
		return "";
	slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* Days since 1970-01-01 in the Gregorian calendar, counted in eras of 400 years
 * (146,097 days) that begin on 1 March, so that the leap day comes last. */
bool
text_date(int64_t seconds, char separator, char out[static 20])
{
	const int64_t day_seconds = 86400, era_days = 146097;
	const int64_t least = -62167219200, most = 253402300799;
	int64_t days, rest, era, day, year, month;
	char text[80];

	if (seconds < least || seconds > most)
		return false;
	days = seconds / day_seconds;
	rest = seconds % day_seconds;
	if (rest < 0) {
		rest += day_seconds;
		days--;
	}
	days += 719468; /* from 0000-03-01 */
	era = (days >= 0 ? days : days - era_days + 1) / era_days;
	day = days - era * era_days; /* of the era */
	year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100; /* of the year */
	year += era * 400;
	month = (5 * day + 2) / 153; /* 0: March */
	day -= (153 * month + 2) / 5;
	month = month < 10 ? month + 3 : month - 9;
	if (month <= 2)
		year++;
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02d%c%02d:%02d:%02d",
	    (int)year, (int)month, (int)day + 1, separator, (int)(rest / 3600),
	    (int)(rest / 60 % 60), (int)(rest % 60));
	memcpy(out, text, 20);
	return true;
}
