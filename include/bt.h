/* SPDX-License-Identifier: MIT */
/*
 * Errors, addresses and the variables of a debugger: the vocabulary every
 * Inquest interface shares.
 *
 * A function that can fail returns bool and takes a bt_error_t that the caller
 * owns, usually on its stack. NULL is allowed where the reason does not
 * matter. The error is written only on failure and holds no allocated memory.
 */
#ifndef BT_H
#define BT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a program that loads modules lends to them. */
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* An address in the target, never in this process. */
typedef uint64_t bt_addr_t;

enum bt_error_code {
	BT_OK = 0,
	BT_E_NOMEM,	  /* allocation failed or an arena's cap was reached */
	BT_E_OS,	  /* a system call failed, see errnum */
	BT_E_LIMIT,	  /* a budget was exceeded (steps, depth, bytes) */
	BT_E_TIMEOUT,	  /* a deadline passed */
	BT_E_NOTFOUND,	  /* what was asked for does not exist */
	BT_E_FAULT,	  /* target memory is not readable, see address */
	BT_E_FORMAT,	  /* foreign data is damaged, see offset */
	BT_E_UNSUPPORTED, /* well-formed, but not known to us */
	BT_E_MISMATCH,	  /* a file is not the one that was used (build-id) */
	BT_E_PERMISSION,  /* not allowed to read or attach */
	BT_E_GONE,	  /* the process or thread ended */
	BT_E_USAGE,	  /* the caller's arguments are wrong */
	BT_E_INTERNAL,	  /* a fault of ours */
	BT_E__COUNT
};

typedef struct bt_error {
	uint32_t code; /* enum bt_error_code */
	int32_t errnum;
	bt_addr_t address; /* for BT_E_FAULT */
	uint64_t offset;   /* for BT_E_FORMAT: offset in the file or section */
	uint64_t reserved[2];
	char text[216]; /* one line, terminated, foreign bytes escaped */
} bt_error_t;

/*
 * A type of the target. It lives as long as the run; `name` is as GDB prints
 * it ("struct list *", "ns::T<int>").
 */
struct bt_type {
	const char *name;
	const void *die; /* opaque; NULL: the type has no description */
	void *dwarf;	 /* opaque: the debug information it comes from */
	uint64_t size;	 /* bytes, 0: unknown */
	void *opaque[4];
	uint64_t reserved[4];
};

/*
 * A variable of the target as debug information has it: a type and where its
 * bytes are. It may live on a module's stack, keeps nothing of its frame, and
 * is good for all of a run. Everything but `name` is for reading.
 */
typedef struct bt_variable {
	const char *name; /* NULL: none; may be set */
	struct bt_type *type;
	void *dwarf; /* as type->dwarf */
	uint64_t opaque[21];
	uint64_t reserved[8];
} bt_variable_t;

enum bt_type_lang { BT_TYPE_LANG_C = 1 };

/* The member of that name with its value, on the heap: bt_variable_deinit.
 * Members of base classes and of anonymous members count; a pointer is
 * followed first, through as many levels as it takes. NULL: there is none. */
bt_variable_t *bt_variable_member_value_get(bt_variable_t *v, const char *name);
/* Ends a variable; frees it when it is on the heap. NULL allowed. */
void bt_variable_deinit(bt_variable_t *v);
/* An integer, character, enumeration, boolean or pointer; else 0. */
unsigned long long bt_variable_ull(bt_variable_t *v);
long long bt_variable_ll(bt_variable_t *v);
/* The same, telling failure. */
bool bt_variable_number(bt_variable_t *v, uint64_t *out, bt_error_t *e);
/* The contents can be had. */
bool bt_variable_value(bt_variable_t *v);
/* The i-th member of a class as it was declared, base classes first: those have
 * the name of their type. *is_base may be NULL. False: there are not so many,
 * or it is no class. A reference is followed. */
bool bt_variable_field(
    bt_variable_t *out, bt_variable_t *v, unsigned i, bool *is_base);
/* What a pointer points to. e may be NULL. */
bool bt_variable_deref(
    bt_variable_t *out, bt_variable_t *pointer, bt_error_t *e);
/* v[i] of an array (i from 0) or of a pointer (before it, too): what lies i
 * elements behind the first, whatever the bounds are. e may be NULL. */
bool bt_variable_element(
    bt_variable_t *out, bt_variable_t *v, int64_t i, bt_error_t *e);
/* A variable of that type at an address; the rest is as in prototype. */
bool bt_variable_type_deref_at(bt_variable_t *out, bt_variable_t *prototype,
    struct bt_type *type, unsigned long long address);
/* Text: a character array, what a char pointer points to, or the text that
 * begins at a char. At most size - 1 bytes and a NUL; the length, -1: none. */
ssize_t bt_variable_strncpy(char *out, bt_variable_t *v, size_t size);
/* False: it is in registers or nowhere. */
bool bt_variable_address(const bt_variable_t *v, bt_addr_t *out);
/* Bytes of its type; 0: unknown. */
size_t bt_variable_sizeof(const bt_variable_t *v);
struct bt_type *bt_variable_bt_type(bt_variable_t *v);

/* "struct(foo)", "enum(color)", "int", "struct(foo) *". Borrowed. */
const char *bt_type_pp(struct bt_type *type, enum bt_type_lang lang);
/* Without qualifiers, pointers, arrays and typedefs. */
struct bt_type *bt_type_base(struct bt_type *type);
/* What it points to, or consists of (array); NULL: nothing. */
struct bt_type *bt_type_target(struct bt_type *type);

/* C++: the n-th (from 0) argument of a class template when it is a type, as
 * the debug information has it; those of a pack count one by one. NULL: there
 * is none, or it is none. */
struct bt_type *bt_type_template_type(struct bt_type *type, unsigned n);
/* The same when it is an integer. */
bool bt_type_template_value(struct bt_type *type, unsigned n, int64_t *out);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif /* BT_H */
