/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of the demangler of Rust's names: reading and printing
 * (demangle_rust_text.c), paths and types (demangle_rust.c), constants
 * (demangle_rust_const.c). All of them do nothing more once the name failed.
 */
#ifndef IMAGE_DEMANGLE_RUST_PRIVATE_H
#define IMAGE_DEMANGLE_RUST_PRIVATE_H

#include "base/view.h"
#include "image/demangle_rust.h"

struct rust {
	struct view name; /* behind "_R"; failed: there is nothing to show */
	char *out;
	size_t size, used;
	unsigned steps, depth;
	uint64_t lifetimes; /* that the binders around it have bound */
	bool silent;
};

/* puny: Punycode, what is to be inserted into ascii. */
struct rust_ident {
	const char *ascii, *puny;
	size_t ascii_size, puny_size;
};

static inline bool
rust_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
rust_is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool
rust_is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline unsigned
rust_hex_digit(uint8_t c)
{
	return c <= '9' ? c - (unsigned)'0' : c - (unsigned)'a' + 10;
}

/* ---- reading ---- */

void rust_fail(struct rust *r);
/* One more thing is done: false when that is one too many. */
bool rust_step(struct rust *r);
/* The same one level further in; the caller takes 1 off the depth again. */
bool rust_enter(struct rust *r);
char rust_next(struct rust *r);
bool rust_eat(struct rust *r, char c);
/* True at the end of a list, and when there is no going on. */
bool rust_list_ends(struct rust *r);
uint64_t rust_integer_62(struct rust *r);
/* 0 when the tag is not there. */
uint64_t rust_tagged_integer(struct rust *r, char tag);
uint64_t rust_disambiguator(struct rust *r);
struct rust_ident rust_read_ident(struct rust *r);
bool rust_is_empty(const struct rust_ident *id);
/* Hexadecimal digits up to "_". */
struct view rust_read_hex(struct rust *r);
uint64_t rust_hex_value(struct view hex);
/* Behind the tag of a back reference: where the name goes on after it. True
 * when what stands there is to be printed now, in its place. */
bool rust_go_back(struct rust *r, size_t *here);

/* ---- printing ---- */

void rust_print_bytes(struct rust *r, const void *text, size_t size);
void rust_print(struct rust *r, const char *text);
void rust_print_char(struct rust *r, char c);
void rust_print_number(struct rust *r, uint64_t value);
/* A character of a literal between such quotes. */
void rust_print_quoted(struct rust *r, uint32_t c, char quote);
void rust_print_ident(struct rust *r, const struct rust_ident *id);

/* ---- productions ---- */

/* in_value: "T::<u8>", not "T<u8>". */
void rust_print_path(struct rust *r, bool in_value);
/* Outside of a value, what is more than a literal stands in braces. */
void rust_print_const(struct rust *r, bool in_value);

#endif /* IMAGE_DEMANGLE_RUST_PRIVATE_H */
