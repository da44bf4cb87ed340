/* SPDX-License-Identifier: MIT */
/*
 * Variables as a debugger has them, for analysis modules: a type and the place
 * of the bytes, from which members, elements and what pointers point to can be
 * had one step at a time. A struct value_raw stands on its own: it needs
 * neither its frame nor its thread any more and is good as long as the reader.
 */
#ifndef VALUE_RAW_H
#define VALUE_RAW_H

#include "value/value.h"

struct shape;

/* Plain data, to be copied at will. */
struct value_raw {
	struct value_reader *r;
	struct shape *shape;
	struct target_module *module;
	const char *name; /* interned, "" none */
	uint64_t pc;
	/* Bytes: at address when in_memory, else `bytes` (NULL: in small). */
	uint64_t address, size;
	const uint8_t *bytes;
	/* Of each byte: enum byte_state, and the bits that are missing. NULL:
	 * all are there. */
	const uint8_t *state, *gaps;
	const char *reason; /* not NULL: it is not there, and why */
	uint8_t small[32];
	bool in_memory;
};

/* What a type looks like from outside. */
enum value_raw_kind {
	VALUE_RAW_INT,
	VALUE_RAW_UINT,
	VALUE_RAW_FLOAT,
	VALUE_RAW_COMPLEX,
	VALUE_RAW_ENUM,
	VALUE_RAW_POINTER,
	VALUE_RAW_STRUCT, /* also unions */
	VALUE_RAW_ARRAY,
	VALUE_RAW_TEXT, /* array of characters */
	VALUE_RAW_FUNCTION,
	VALUE_RAW_VOID
};

/* The i-th variable value_frame_variables shows of the frame. */
bool value_raw_frame(struct value_reader *r, const struct value_frame *f,
    uint32_t i, struct value_raw *out);
/* thread: whose instance of a thread-local variable; NULL: none. */
bool value_raw_global(struct value_reader *r,
    const struct target_thread *thread, struct target_module *module,
    struct dwarf *dwarf, const struct dwarf_variable *variable,
    struct value_raw *out, bt_error_t *e);
/* The followed object, as the snapshot has it. */
bool value_raw_object(
    struct value_reader *r, uint64_t id, struct value_raw *out);

/* The member of that name, also of base classes and anonymous members. A
 * pointer is followed first, through as many levels as it takes. */
bool value_raw_member(const struct value_raw *v, const char *name,
    struct value_raw *out, bt_error_t *e);
/* The i-th child as the snapshot shows it: member or element. */
bool value_raw_child(
    const struct value_raw *v, uint32_t i, struct value_raw *out);
/* The i-th field of a struct, base classes (*is_base) and all. */
bool value_raw_field(const struct value_raw *v, uint32_t i,
    struct value_raw *out, bool *is_base);
/* v[i] of an array (i from 0) or a pointer: what lies i elements behind its
 * first. Bounds are not looked at. */
bool value_raw_element(
    const struct value_raw *v, int64_t i, struct value_raw *out, bt_error_t *e);
/* What a pointer points to; of a reference, what that refers to. */
bool value_raw_deref(
    const struct value_raw *v, struct value_raw *out, bt_error_t *e);
/* An object of that type at an address; the rest is taken from proto. */
bool value_raw_at(const struct value_raw *proto, struct shape *shape,
    uint64_t address, struct value_raw *out, bt_error_t *e);

/* An integer, character, enumeration, boolean or pointer as 64 bits. */
bool value_raw_number(const struct value_raw *v, uint64_t *out, bt_error_t *e);
/* All bytes of the value can be had. */
bool value_raw_readable(const struct value_raw *v, bt_error_t *e);
/* Text: an array of characters, what a char pointer points to, or the string
 * that begins at a character. At most size - 1 bytes and a NUL; -1: none. */
ssize_t value_raw_text(
    const struct value_raw *v, char *out, size_t size, bt_error_t *e);
/* The value as a variable of the snapshot. */
void value_raw_fill(const struct value_raw *v, struct snap_variable *out);

/* The debug information of a module, as the reader finds it. */
struct dwarf *value_reader_dwarf(
    struct value_reader *r, struct target_module *module);

/* ---- types ---- */

const char *value_shape_name(const struct shape *s);
uint64_t value_shape_size(struct value_reader *r, struct shape *s);
enum value_raw_kind value_shape_kind(const struct shape *s);
bool value_shape_is_union(const struct shape *s);
bool value_shape_is_reference(const struct shape *s);
/* Pointed to, element, referred to; NULL: none. */
struct shape *value_shape_target(struct value_reader *r, struct shape *s);
/* Through pointers, references, arrays, typedefs, const. Never NULL. */
struct shape *value_shape_base(struct value_reader *r, struct shape *s);
/* The n-th template argument: a type, or a number in *value (then *is_value).
 * False: there is none that could be told. */
bool value_shape_argument(struct value_reader *r, struct shape *s, unsigned n,
    struct shape **type, bool *is_value, int64_t *value);
/* The DIE, NULL: none. */
const struct dwarf_die *value_shape_die(const struct shape *s);
struct dwarf *value_shape_dwarf(const struct shape *s);
struct shape *value_shape_named(
    struct value_reader *r, struct dwarf *dwarf, const char *name);
/* The names of all types met so far, without qualifiers and the word for the
 * kind ("foo *"), in no order and maybe repeated, until fn says false. */
void value_types_each(
    struct value_reader *r, bool (*fn)(void *ctx, const char *name), void *ctx);
/* "foo" of "const struct foo *": what is left without qualifiers, pointers and
 * the word for its kind. A type without a name goes by its typedef. */
const char *value_base_name(struct value_reader *r, struct shape *s);

#endif /* VALUE_RAW_H */
