/* SPDX-License-Identifier: MIT */
/*
 * Leaves: integers, booleans, characters, floats, complex numbers, enums.
 * The bytes are the target's, little-endian.
 */
#include "base/buf.h"
#include "value/value_private.h"
#include <float.h>
#include <math.h>
#include <stdio.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

uint64_t
scalar_u64(const uint8_t *bytes, size_t size)
{
	uint64_t x = 0;

	memcpy(&x, bytes, size < sizeof(x) ? size : sizeof(x));
	return x;
}

static int64_t
sign_extend(uint64_t x, unsigned width)
{
	unsigned unused = 64 - width;

	return width == 0 || width >= 64 ? (int64_t)x
					 : (int64_t)(x << unused) >> unused;
}

/* ---- integers ---- */

static void
int_wide(struct value_reader *r, const struct shape *s, const uint8_t *bytes,
    size_t size, struct snap_variable *v)
{
	char text[48], *p = text + sizeof(text);
	uint128 x = 0;
	bool negative;

	memcpy(&x, bytes, size < sizeof(x) ? size : sizeof(x));
	negative = s->is_signed && (int128)x < 0;
	v->value.u = (uint64_t)x;
	v->flags |= SNAP_VAR_VALUE;
	/* The union holds it: no text needed. */
	if (s->is_signed ? (int128)x == (int64_t)x : x == (uint64_t)x)
		return;
	if (negative)
		x = -x;
	*--p = '\0';
	do {
		*--p = (char)('0' + (int)(x % 10));
		x /= 10;
	} while (x != 0);
	if (negative)
		*--p = '-';
	v->number = snapshot_string(r->snapshot, p);
}

void
scalar_int(struct value_reader *r, const struct shape *s, const uint8_t *bytes,
    size_t size, struct snap_variable *v)
{
	uint64_t x;

	v->kind = s->is_signed ? SNAP_INT : SNAP_UINT;
	if (size > 8) {
		int_wide(r, s, bytes, size, v);
		return;
	}
	x = scalar_u64(bytes, size);
	if (s->is_signed)
		v->value.i = sign_extend(x, (unsigned)size * 8);
	else
		v->value.u = x;
	v->flags |= SNAP_VAR_VALUE;
}

/* The member at that offset of a class or of one of its bases. */
static const struct field *
member_at(struct value_reader *r, struct shape *class, uint64_t offset)
{
	enum { LEVELS = 16 };

	for (int level = 0; level < LEVELS && class != NULL; level++) {
		struct shape *inner = NULL;
		uint64_t skip = 0;

		if (class->kind != SHAPE_STRUCT && class->kind != SHAPE_UNION)
			return NULL;
		shape_lay_out(r, class);
		for (uint32_t i = 0; i < class->n_fields; i++) {
			const struct field *f = &class->fields[i];

			if (f->computed || f->bit_size != 0)
				continue;
			if (f->is_base == false && f->offset == offset)
				return f;
			/* A member may lie in the padding of a base. */
			if (f->is_base && inner == NULL &&
			    offset >= f->offset &&
			    offset - f->offset < f->shape->size) {
				inner = f->shape;
				skip = f->offset;
			}
		}
		offset -= skip;
		class = inner;
	}
	return NULL;
}

/* Itanium C++ ABI 2.3: the offset of the member; -1 is null. */
static void
data_member_name(
    struct value_reader *r, const struct shape *s, struct snap_variable *v)
{
	const struct field *f;
	struct buf text;

	if (v->value.i < 0 || s->type->owner == NULL)
		return;
	f = member_at(r, shape_of(r, s->dwarf, s->type->owner), v->value.u);
	if (f == NULL || f->name[0] == '\0')
		return;
	buf_init(&text, r->limits.string_bytes);
	buf_printf(&text, "&%s::%s", s->type->owner->name, f->name);
	if (text.failed == false)
		text_set(r, v, text.data, text.size);
	buf_deinit(&text);
}

/* Neither true nor false is what the byte 0x5a says: then it is a number, as
 * GDB shows it. */
static void
scalar_bool(struct value_reader *r, const struct shape *s, const uint8_t *bytes,
    size_t size, struct snap_variable *v)
{
	scalar_int(r, s, bytes, size, v);
	if (v->value.u <= 1 && v->number == NULL)
		v->kind = SNAP_BOOL;
}

static void
scalar_char(struct value_reader *r, const struct shape *s, const uint8_t *bytes,
    size_t size, struct snap_variable *v)
{
	scalar_int(r, s, bytes, size, v);
	v->kind = SNAP_CHAR;
	text_char(r, scalar_u64(bytes, size), size, v);
}

/* ---- enums ---- */

static uint64_t
low_bits(uint64_t x, unsigned width)
{
	return width >= 64 ? x : x & ((UINT64_C(1) << width) - 1);
}

static const struct label *
find_label(const struct shape *s, int64_t value)
{
	uint32_t low = 0, high = s->n_labels;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (s->labels[s->by_value[mid]].value < value)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < s->n_labels && s->labels[s->by_value[low]].value == value)
		return &s->labels[s->by_value[low]];
	return NULL;
}

/* "A | B | unknown: 0x8", as GDB shows flag enums; nothing when no flag fits.*/
static void
flags_text(struct value_reader *r, const struct shape *s, uint64_t bits,
    struct snap_variable *v)
{
	struct buf text;
	uint64_t left = bits;

	buf_init(&text, r->limits.string_bytes);
	for (uint32_t i = 0; i < s->n_labels; i++) {
		uint64_t flag = (uint64_t)s->labels[i].value;

		if ((left & flag) == 0)
			continue;
		buf_printf(&text, "%s%s", text.size != 0 ? " | " : "",
		    s->labels[i].name);
		left &= ~flag;
	}
	if (text.size != 0 && left != 0)
		buf_printf(
		    &text, " | unknown: 0x%llx", (unsigned long long)left);
	if (text.size != 0 && text.failed == false)
		text_set(r, v, text.data, text.size);
	buf_deinit(&text);
}

void
scalar_enum(struct value_reader *r, struct shape *s, uint64_t bits,
    unsigned width, struct snap_variable *v)
{
	const struct label *label;

	shape_lay_out(r, s);
	bits = low_bits(bits, width);
	v->kind = SNAP_ENUM;
	v->flags |= SNAP_VAR_VALUE;
	v->value.i = s->is_signed ? sign_extend(bits, width) : (int64_t)bits;
	label = find_label(s, v->value.i);
	if (label != NULL) {
		v->string = label->name;
		v->string_size = (uint32_t)strlen(label->name);
		v->flags |= SNAP_VAR_STRING;
	} else if (s->type->is_flag_enum) {
		flags_text(r, s, bits, v);
	}
}

/* ---- floating point ---- */

/* IEEE 754 binary16 and bfloat16 widen exactly. */
static double
widen(uint16_t x, unsigned exponent_bits)
{
	unsigned fraction_bits = 15 - exponent_bits;
	int bias = (1 << (exponent_bits - 1)) - 1;
	int exponent = x >> fraction_bits & ((1 << exponent_bits) - 1);
	int fraction = x & ((1 << fraction_bits) - 1);
	double d;

	if (exponent == (1 << exponent_bits) - 1)
		d = fraction != 0 ? (double)NAN : (double)INFINITY;
	else if (exponent == 0)
		d = ldexp(fraction, 1 - bias - (int)fraction_bits);
	else
		d = ldexp(fraction + (1 << fraction_bits),
		    exponent - bias - (int)fraction_bits);
	return x >> 15 ? -d : d;
}

/* glibc prints binary128 exactly (ISO/IEC TS 18661-3). Declared under a name of
 * our own because clang knows the type only as __float128 and glibc's header
 * then leaves the function out. */
__extension__ typedef __float128 quad_float;
int quad_format(char *out, size_t size, const char *format,
    quad_float x) __asm__("strfromf128");

static quad_float
quad(const uint8_t *bytes)
{
	quad_float x;

	memcpy(&x, bytes, sizeof(x));
	return x;
}

static long double
extended(const uint8_t *bytes)
{
	long double x = 0;

	_Static_assert(LDBL_MANT_DIG == 64, "the host has x87 long double");
	memcpy(&x, bytes, 10);
	return x;
}

static bool
float_value(enum float_format format, const uint8_t *bytes, size_t size,
    long double *out)
{
	double d;
	float f;

	switch (format) {
	case FLOAT_HALF:
		*out = widen((uint16_t)scalar_u64(bytes, 2), 5);
		return size >= 2;
	case FLOAT_BRAIN:
		*out = widen((uint16_t)scalar_u64(bytes, 2), 8);
		return size >= 2;
	case FLOAT_SINGLE:
		memcpy(&f, bytes, sizeof(f));
		*out = f;
		return true;
	case FLOAT_DOUBLE:
		memcpy(&d, bytes, sizeof(d));
		*out = d;
		return true;
	case FLOAT_EXTENDED:
		*out = extended(bytes);
		return size >= 10;
	case FLOAT_QUAD:
		*out = (double)quad(bytes);
		return true;
	default:
		return false;
	}
}

/* Text where a double would lose digits: as many as bring the same number
 * back, ceil(1 + p log10 2) for a precision of p bits. */
static void
float_number(struct value_reader *r, const struct shape *s,
    const uint8_t *bytes, long double x, struct snap_variable *v)
{
	char text[64];

	if (isfinite(v->value.f) == 0 && isfinite(x) == 0)
		return;
	if (s->format == FLOAT_QUAD) {
		if (quad(bytes) == (quad_float)v->value.f ||
		    quad_format(text, sizeof(text), "%.36g", quad(bytes)) <= 0)
			return;
	} else {
		if (x == (long double)v->value.f)
			return;
		snprintf(text, sizeof(text), "%.21Lg", x);
	}
	v->number = snapshot_string(r->snapshot, text);
}

static void
scalar_float(struct value_reader *r, const struct shape *s,
    const uint8_t *bytes, size_t size, struct snap_variable *v)
{
	long double x;

	if (float_value((enum float_format)s->format, bytes, size, &x) ==
	    false) {
		value_unavailable(v, "unknown float format");
		return;
	}
	v->kind = SNAP_FLOAT;
	v->flags |= SNAP_VAR_VALUE;
	v->value.f = (double)x;
	if (s->format >= FLOAT_EXTENDED)
		float_number(r, s, bytes, x, v);
}

static void
scalar_complex(const struct shape *s, const uint8_t *bytes, size_t size,
    struct snap_variable *v)
{
	enum float_format format = (enum float_format)s->format;
	long double re, im;

	if (float_value(format, bytes, size / 2, &re) == false ||
	    float_value(format, bytes + size / 2, size / 2, &im) == false) {
		value_unavailable(v, "unknown float format");
		return;
	}
	v->kind = SNAP_COMPLEX;
	v->flags |= SNAP_VAR_VALUE;
	v->value.complex_parts[0] = (double)re;
	v->value.complex_parts[1] = (double)im;
}

void
scalar_read(struct value_reader *r, struct shape *s, const uint8_t *bytes,
    size_t size, struct snap_variable *v)
{
	switch (s->kind) {
	case SHAPE_INT:
		scalar_int(r, s, bytes, size, v);
		if (s->type->kind == DWARF_TYPE_MEMBER_POINTER)
			data_member_name(r, s, v);
		break;
	case SHAPE_BOOL:
		scalar_bool(r, s, bytes, size, v);
		break;
	case SHAPE_CHAR:
		scalar_char(r, s, bytes, size, v);
		break;
	case SHAPE_FLOAT:
		scalar_float(r, s, bytes, size, v);
		break;
	case SHAPE_COMPLEX:
		scalar_complex(s, bytes, size, v);
		break;
	case SHAPE_ENUM:
		scalar_enum(r, s, scalar_u64(bytes, size),
		    (unsigned)(size < 8 ? size : 8) * 8, v);
		break;
	default:
		value_unavailable(v, "unknown type");
		break;
	}
}
