/* SPDX-License-Identifier: MIT */
/*
 * What the grammar of Rust's names is made of: numbers, identifiers and back
 * references are read, text is printed. Everything that is done is counted
 * here, printed or not, and back references must lead back.
 */
#include "base/text.h"
#include "image/demangle_rust_private.h"
#include <inttypes.h>
#include <stdio.h>

enum {
	DEPTH_MAX = 500,
	STEPS_MAX = 1 << 17, /* a few milliseconds */
	CODE_POINTS_MAX = 1024,
	PUNY_LETTERS = 26
};

/* ---- reading ---- */

void
rust_fail(struct rust *r)
{
	r->name.failed = true;
}

bool
rust_step(struct rust *r)
{
	if (r->steps++ >= STEPS_MAX)
		rust_fail(r);
	return view_ok(&r->name);
}

bool
rust_enter(struct rust *r)
{
	if (r->depth++ >= DEPTH_MAX)
		rust_fail(r);
	return rust_step(r);
}

char
rust_next(struct rust *r)
{
	return (char)view_u8(&r->name);
}

static char
peek(const struct rust *r)
{
	return view_end(&r->name) ? '\0' : (char)r->name.data[r->name.pos];
}

bool
rust_eat(struct rust *r, char c)
{
	if (peek(r) != c || c == '\0')
		return false;
	r->name.pos++;
	return true;
}

/* True at the end of a list, and when there is no going on. */
bool
rust_list_ends(struct rust *r)
{
	return !rust_step(r) || rust_eat(r, 'E');
}

/* value * base + digit; fails when that does not fit. */
static uint64_t
add_digit(struct rust *r, uint64_t value, unsigned base, unsigned digit)
{
	if (__builtin_mul_overflow(value, base, &value) ||
	    __builtin_add_overflow(value, digit, &value))
		rust_fail(r);
	return value;
}

/* "_" is 0, "0_" is 1. */
uint64_t
rust_integer_62(struct rust *r)
{
	uint64_t value = 0;

	if (rust_eat(r, '_'))
		return 0;
	while (view_ok(&r->name) && !rust_eat(r, '_')) {
		char c = rust_next(r);

		if (rust_is_digit(c))
			value = add_digit(r, value, 62, (unsigned)(c - '0'));
		else if (rust_is_lower(c))
			value = add_digit(
			    r, value, 62, (unsigned)(c - 'a') + 10);
		else if (rust_is_upper(c))
			value = add_digit(
			    r, value, 62, (unsigned)(c - 'A') + 36);
		else
			rust_fail(r);
	}
	return add_digit(r, value, 1, 1);
}

/* 0 when the tag is not there. */
uint64_t
rust_tagged_integer(struct rust *r, char tag)
{
	return rust_eat(r, tag) ? add_digit(r, rust_integer_62(r), 1, 1) : 0;
}

uint64_t
rust_disambiguator(struct rust *r)
{
	return rust_tagged_integer(r, 's');
}

struct rust_ident
rust_read_ident(struct rust *r)
{
	bool is_punycode = rust_eat(r, 'u');
	struct rust_ident id = {0};
	uint64_t size = 0;
	char c = rust_next(r);

	if (!rust_is_digit(c))
		rust_fail(r);
	size = (uint64_t)(c - '0');
	while (c != '0' && rust_is_digit(peek(r)))
		size = add_digit(r, size, 10, (unsigned)(rust_next(r) - '0'));
	(void)rust_eat(r, '_');
	if (!view_ok(&r->name) || size > view_left(&r->name)) {
		rust_fail(r);
		return id;
	}
	id.ascii = (const char *)view_bytes(&r->name, size);
	id.ascii_size = size;
	if (!is_punycode)
		return id;
	while (id.ascii_size != 0 && id.ascii[id.ascii_size - 1] != '_')
		id.ascii_size--;
	id.puny = id.ascii + id.ascii_size;
	id.puny_size = size - id.ascii_size;
	if (id.ascii_size != 0)
		id.ascii_size--; /* the last "_" only separates */
	if (id.puny_size == 0)
		rust_fail(r);
	return id;
}

/* Hexadecimal digits up to "_". */
struct view
rust_read_hex(struct rust *r)
{
	size_t from = r->name.pos;

	while (view_ok(&r->name) && !rust_eat(r, '_')) {
		char c = rust_next(r);

		if (!rust_is_digit(c) && !(c >= 'a' && c <= 'f'))
			rust_fail(r);
	}
	if (!view_ok(&r->name))
		return view_of(NULL, 0);
	return view_of(r->name.data + from, r->name.pos - from - 1);
}

uint64_t
rust_hex_value(struct view hex)
{
	uint64_t value = 0;

	for (size_t i = 0; i < hex.size; i++)
		value = value << 4 | rust_hex_digit(hex.data[i]);
	return value;
}

bool
rust_is_empty(const struct rust_ident *id)
{
	return id->ascii_size + id->puny_size == 0;
}

/* ---- back references ---- */

static size_t
referred(struct rust *r)
{
	size_t from = r->name.pos - 1; /* of its tag */
	uint64_t to = rust_integer_62(r);

	if (to >= from)
		rust_fail(r);
	return (size_t)to;
}

/* Prints with it what stands there; true when that is to be done. */
bool
rust_go_back(struct rust *r, size_t *here)
{
	size_t to = referred(r);

	*here = r->name.pos;
	if (r->silent || !view_ok(&r->name))
		return false;
	r->name.pos = to;
	return true;
}

/* ---- printing ---- */

void
rust_print_bytes(struct rust *r, const void *text, size_t size)
{
	if (!rust_step(r) || r->silent || size == 0)
		return;
	if (size > r->size - r->used) {
		rust_fail(r);
		return;
	}
	memcpy(r->out + r->used, text, size);
	r->used += size;
}

void
rust_print(struct rust *r, const char *text)
{
	rust_print_bytes(r, text, strlen(text));
}

void
rust_print_char(struct rust *r, char c)
{
	rust_print_bytes(r, &c, 1);
}

void
rust_print_number(struct rust *r, uint64_t value)
{
	char text[24];
	int size = snprintf(text, sizeof(text), "%" PRIu64, value);

	rust_print_bytes(r, text, (size_t)size);
}

static void
print_code_point(struct rust *r, uint32_t c)
{
	char text[4];

	rust_print_bytes(r, text, text_utf8(c, text));
}

/* A character of a literal between such quotes. */
void
rust_print_quoted(struct rust *r, uint32_t c, char quote)
{
	char text[16];

	if (c == '\t' || c == '\n' || c == '\r' || c == '\\' ||
	    c == (unsigned char)quote) {
		rust_print_char(r, '\\');
		rust_print_char(r,
		    c == '\t'	    ? 't'
			: c == '\n' ? 'n'
			: c == '\r' ? 'r'
				    : (char)c);
	} else if (c >= ' ' && c < 0x7f) {
		rust_print_char(r, (char)c);
	} else {
		(void)snprintf(text, sizeof(text), "\\u{%" PRIx32 "}", c);
		rust_print(r, text);
	}
}

/* How far the next insertion is from the last one (RFC 3492, 6.2; digits are
 * "a" to "z" and "0" to "9"). */
static uint64_t
puny_delta(struct rust *r, struct view *digits, uint64_t bias)
{
	enum { BASE = 36, T_MIN = 1, T_MAX = 26 };
	uint64_t delta = 0, weight = 1;

	for (uint64_t k = BASE;; k += BASE) {
		uint64_t t = k <= bias	? T_MIN
		    : k >= bias + T_MAX ? T_MAX
					: k - bias;
		char c = (char)view_u8(digits);
		uint64_t digit, part;

		if (rust_is_lower(c))
			digit = (uint64_t)(c - 'a');
		else if (rust_is_digit(c))
			digit = (uint64_t)(c - '0') + PUNY_LETTERS;
		else
			digit = BASE;
		if (!view_ok(digits) || digit == BASE ||
		    __builtin_mul_overflow(digit, weight, &part) ||
		    __builtin_add_overflow(delta, part, &delta) ||
		    delta > UINT32_MAX) {
			rust_fail(r);
			return 0;
		}
		if (digit < t)
			return delta;
		weight *= BASE - t;
	}
}

static uint64_t
puny_bias(uint64_t delta, uint64_t points, bool first)
{
	uint64_t k = 0;

	delta /= first ? 700 : 2;
	delta += delta / points;
	for (; delta > (36 - 1) * 26 / 2; k += 36)
		delta /= 36 - 1;
	return k + 36 * delta / (delta + 38);
}

/* Characters other than ASCII are inserted, the smallest first. */
static void
print_punycode(struct rust *r, const struct rust_ident *id)
{
	uint32_t points[CODE_POINTS_MAX];
	struct view digits = view_of(id->puny, id->puny_size);
	uint64_t n = id->ascii_size, place = 0, bias = 72, c = 0x80;

	if (id->ascii_size + id->puny_size > CODE_POINTS_MAX) {
		rust_fail(r);
		return;
	}
	for (size_t i = 0; i < id->ascii_size; i++)
		points[i] = (unsigned char)id->ascii[i];
	for (bool first = true; !view_end(&digits) && rust_step(r);
	     first = false) {
		uint64_t delta = puny_delta(r, &digits, bias);

		n++;
		place += delta;
		c += place / n;
		place %= n;
		if (!view_ok(&r->name) || !text_is_code_point(c)) {
			rust_fail(r);
			return;
		}
		memmove(points + place + 1, points + place,
		    (n - 1 - place) * sizeof(*points));
		points[place++] = (uint32_t)c;
		bias = puny_bias(delta, n, first);
	}
	for (uint64_t i = 0; i < n && view_ok(&r->name); i++)
		print_code_point(r, points[i]);
}

void
rust_print_ident(struct rust *r, const struct rust_ident *id)
{

	if (r->silent || !view_ok(&r->name))
		return;
	if (id->puny_size != 0)
		print_punycode(r, id);
	else
		rust_print_bytes(r, id->ascii, id->ascii_size);
}
