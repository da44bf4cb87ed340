/* SPDX-License-Identifier: MIT */
/*
 * Constants in Rust's names: arguments of generic types and lengths of arrays.
 */
#include "base/text.h"
#include "image/demangle_rust_private.h"

static void
print_integer(struct rust *r)
{
	struct view hex = rust_read_hex(r);

	if (hex.size == 0) {
		rust_fail(r);
	} else if (hex.size > 16) {
		rust_print(r, "0x");
		rust_print_bytes(r, hex.data, hex.size);
	} else {
		rust_print_number(r, rust_hex_value(hex));
	}
}

static void
print_bool(struct rust *r)
{
	struct view hex = rust_read_hex(r);
	uint64_t value = hex.size == 1 ? rust_hex_value(hex) : 2;

	if (value > 1)
		rust_fail(r);
	rust_print(r, value != 0 ? "true" : "false");
}

static void
print_character(struct rust *r)
{
	struct view hex = rust_read_hex(r);

	if (hex.size == 0 || hex.size > 8 ||
	    !text_is_code_point(rust_hex_value(hex))) {
		rust_fail(r);
		return;
	}
	rust_print_char(r, '\'');
	rust_print_quoted(r, (uint32_t)rust_hex_value(hex), '\'');
	rust_print_char(r, '\'');
}

/* The bytes of its UTF-8, two digits each. */
static void
print_text(struct rust *r)
{
	struct view hex = rust_read_hex(r);
	size_t from;

	if (hex.size % 2 != 0)
		rust_fail(r);
	rust_print_char(r, '"');
	from = r->used;
	for (size_t i = 0; i + 1 < hex.size && view_ok(&r->name); i += 2) {
		unsigned byte = rust_hex_digit(hex.data[i]) << 4 |
		    rust_hex_digit(hex.data[i + 1]);

		if (byte < 0x80)
			rust_print_quoted(r, byte, '"');
		else
			rust_print_char(r, (char)byte);
	}
	if (!r->silent && !text_is_utf8(r->out + from, r->used - from))
		rust_fail(r);
	rust_print_char(r, '"');
}

static size_t
print_consts(struct rust *r)
{
	size_t n = 0;

	for (; !rust_list_ends(r); n++) {
		if (n != 0)
			rust_print(r, ", ");
		rust_print_const(r, true);
	}
	return n;
}

static void
print_fields(struct rust *r)
{

	rust_print(r, " { ");
	for (bool first = true; !rust_list_ends(r); first = false) {
		struct rust_ident id;

		if (!first)
			rust_print(r, ", ");
		(void)rust_disambiguator(r);
		id = rust_read_ident(r);
		rust_print_ident(r, &id);
		rust_print(r, ": ");
		rust_print_const(r, true);
	}
	rust_print(r, " }");
}

/* A value of a struct or an enum: the path, and what it is made of. */
static void
print_adt(struct rust *r)
{

	rust_print_path(r, true);
	switch (rust_next(r)) {
	case 'U':
		break;
	case 'T':
		rust_print(r, "(");
		(void)print_consts(r);
		rust_print(r, ")");
		break;
	case 'S':
		print_fields(r);
		break;
	default:
		rust_fail(r);
	}
}

static void
print_compound_const(struct rust *r, char tag)
{

	switch (tag) {
	case 'e': /* a str is what a literal refers to */
		rust_print(r, "*");
		print_text(r);
		break;
	case 'R':
	case 'Q':
		rust_print(r, tag == 'R' ? "&" : "&mut ");
		rust_print_const(r, true);
		break;
	case 'A':
		rust_print(r, "[");
		(void)print_consts(r);
		rust_print(r, "]");
		break;
	case 'T':
		rust_print(r, "(");
		rust_print(r, print_consts(r) == 1 ? ",)" : ")");
		break;
	case 'V':
		print_adt(r);
		break;
	default:
		rust_fail(r);
	}
}

static bool
print_literal(struct rust *r, char tag)
{

	switch (tag) {
	case 'p':
		rust_print(r, "_");
		return true;
	case 'a':
	case 'i':
	case 'l':
	case 'n':
	case 's':
	case 'x':
		if (rust_eat(r, 'n'))
			rust_print(r, "-");
		print_integer(r);
		return true;
	case 'h':
	case 'j':
	case 'm':
	case 'o':
	case 't':
	case 'y':
		print_integer(r);
		return true;
	case 'b':
		print_bool(r);
		return true;
	case 'c':
		print_character(r);
		return true;
	default:
		return false;
	}
}

/* Outside of a value, what is more than a literal stands in braces. */
void
rust_print_const(struct rust *r, bool in_value)
{
	size_t here;
	char tag;

	if (!rust_enter(r))
		return;
	tag = rust_next(r);
	if (tag == 'B') {
		if (rust_go_back(r, &here))
			rust_print_const(r, in_value);
		r->name.pos = here;
	} else if (tag == 'R' && rust_eat(r, 'e')) {
		print_text(r);
	} else if (!print_literal(r, tag)) {
		rust_print(r, in_value ? "" : "{");
		print_compound_const(r, tag);
		rust_print(r, in_value ? "" : "}");
	}
	r->depth--;
}
