/* SPDX-License-Identifier: MIT */
/*
 * A thin, lazy, budgeted reader of DWARF 2 to 5: address -> unit -> scopes,
 * inlines, lines, variables, types, locations, call sites. Our own, because
 * no other part decides more about speed: a unit is parsed only when a frame,
 * a variable or an asked-for type needs it, and everything about a pc is
 * planned once (struct dwarf_plan) and then shared by all frames at that pc.
 *
 * One `struct dwarf` per debug image. All addresses here are the image's own
 * (run-time address minus the module's bias). All structs handed out live as
 * long as the struct dwarf and are immutable. Damaged DWARF gives absent
 * answers and a warning, never a crash or an endless loop; recursion over
 * DIEs is by explicit stack.
 */
#ifndef DWARF_DWARF_H
#define DWARF_DWARF_H

#include "base/arena.h"
#include "base/budget.h"
#include "image/debugfile.h"
#include "image/image.h"
#include "image/prefetch.h"

struct dwarf;
struct dwarf_unit;

/* A DIE: unit and offset in its section. unit NULL: no DIE. */
struct dwarf_die {
	struct dwarf_unit *unit;
	uint64_t offset;
};

struct dwarf_options {
	struct budget *budget; /* borrowed; shared over the session */
	/* Finds the dwz file and .dwo files on first need; may be NULL. */
	const struct debugfile_finder *finder;
	/* The program that the image describes, on this machine: .dwo files and
	 * their package may lie beside it. May be NULL. */
	const char *exe_path;
	/* Values will be asked for: locations are worth reading ahead. */
	bool locations;
	struct prefetch *prefetch; /* borrowed; may be NULL */
	void (*warn)(void *ctx, const char *code, const char *text);
	void *ctx;
};

/* Takes a reference on the image. False when it has no .debug_info. */
bool dwarf_open(struct image *debug, const struct dwarf_options *options,
    struct dwarf **out, bt_error_t *e) BT_CHECK;
void dwarf_close(struct dwarf *d);

/* What is at pc will be asked for, after something else (or now, when only what
 * is not needed at once matters): inflated meanwhile. A hint. True: there is
 * something to inflate before it can be answered. */
bool dwarf_expect(struct dwarf *d, uint64_t pc, bool now);

/* ---- expressions and locations ---- */

enum dwarf_location_kind {
	DWARF_LOC_NONE,	 /* no location attribute: optimized out */
	DWARF_LOC_EXPR,	 /* one expression, everywhere */
	DWARF_LOC_LIST,	 /* offset of a location list */
	DWARF_LOC_CONST, /* DW_AT_const_value: integer */
	DWARF_LOC_BYTES	 /* DW_AT_const_value: block or string */
};

struct dwarf_location {
	enum dwarf_location_kind kind;
	struct dwarf_unit *unit; /* of the expression or list */
	struct view block;	 /* EXPR, BYTES */
	uint64_t list;		 /* LIST: absolute section offset */
	int64_t constant;	 /* CONST */
	bool constant_is_signed;
};

/* The expression in force at pc: a view (may be empty: optimized out here).
 * False when no list entry covers pc (*e BT_E_NOTFOUND: optimized out at this
 * pc) or the list is damaged. An EXPR answers everywhere, but for an entry
 * value of DWARF 2 and 3 that may be an address: optimized out. */
bool dwarf_location_at(const struct dwarf_location *location, uint64_t pc,
    struct view *out, bt_error_t *e);

/* What expr/ needs of a unit. */
uint8_t dwarf_unit_address_size(const struct dwarf_unit *unit);
uint8_t dwarf_unit_offset_size(const struct dwarf_unit *unit);
uint16_t dwarf_unit_version(const struct dwarf_unit *unit);
bool dwarf_unit_addrx(struct dwarf_unit *unit, uint64_t index, uint64_t *out);
uint64_t dwarf_unit_offset(const struct dwarf_unit *unit);
/* DW_LANG_*, 0: unknown. */
uint32_t dwarf_unit_language(const struct dwarf_unit *unit);
const char *dwarf_unit_name(const struct dwarf_unit *unit);
struct dwarf *dwarf_unit_dwarf(const struct dwarf_unit *unit);
/* The DIE at an absolute .debug_info offset (DW_OP_call_ref,
 * implicit_pointer) or unit-relative one; unit NULL when it is none. */
struct dwarf_die dwarf_die_at(struct dwarf *d, uint64_t offset);
/* The same, seen from a unit: its own file counts (split DWARF, dwz). */
struct dwarf_die dwarf_unit_die_at(struct dwarf_unit *unit, uint64_t offset);
struct dwarf_die dwarf_die_in_unit(struct dwarf_unit *unit, uint64_t offset);
/* DW_AT_location of any DIE (DW_OP_call*, variable_value). */
bool dwarf_die_location(struct dwarf_die die, struct dwarf_location *out);
uint32_t dwarf_die_tag(struct dwarf_die die); /* DW_TAG_*, 0: none */

/* ---- types ---- */

enum dwarf_type_kind {
	DWARF_TYPE_VOID,
	DWARF_TYPE_BASE, /* encoding, size */
	DWARF_TYPE_POINTER,
	DWARF_TYPE_REFERENCE,
	DWARF_TYPE_RVALUE_REFERENCE,
	DWARF_TYPE_MEMBER_POINTER, /* target; containing class in `owner` */
	DWARF_TYPE_STRUCT,	   /* also class */
	DWARF_TYPE_UNION,
	DWARF_TYPE_ENUM,
	DWARF_TYPE_ARRAY,
	DWARF_TYPE_FUNCTION,
	DWARF_TYPE_TYPEDEF,
	DWARF_TYPE_CONST,
	DWARF_TYPE_VOLATILE,
	DWARF_TYPE_RESTRICT,
	DWARF_TYPE_ATOMIC,
	DWARF_TYPE_UNSPECIFIED, /* decltype(nullptr) */
	DWARF_TYPE_UNKNOWN	/* damaged or unknown tag */
};

struct dwarf_bound { /* element count of one array dimension */
	enum {
		DWARF_BOUND_NONE,   /* flexible: [] */
		DWARF_BOUND_COUNT,  /* constant */
		DWARF_BOUND_DYNAMIC /* VLA: evaluate */
	} kind;
	uint64_t count;
	int64_t lower;
	/* DYNAMIC: an expression or list giving the upper bound (or the count
	 * when is_count); or a variable DIE that holds it. */
	bool is_count;
	struct dwarf_location location;
	struct dwarf_die die;
};

struct dwarf_member {
	const char *name; /* NULL: anonymous */
	const struct dwarf_type *type;
	uint64_t offset;     /* bytes from the start, when constant */
	bool is_base;	     /* DW_TAG_inheritance */
	bool is_virtual;     /* virtual base */
	bool is_artificial;  /* _vptr */
	bool is_static;	     /* no storage in the object */
	bool offset_is_expr; /* location below (virtual bases) */
	struct dwarf_location location;
	uint16_t bit_size;   /* 0: not a bit-field */
	uint64_t bit_offset; /* from the start of the struct, little-endian */
	struct dwarf_die die;
};

struct dwarf_enumerator {
	const char *name; /* C++: with its scopes, "ns::Color::red" */
	int64_t value;
};

/* An inclusive range of 128-bit numbers, low half first. */
struct dwarf_discriminant {
	uint64_t low[2], high[2];
};

struct dwarf_variant {
	bool is_default; /* active when no other is */
	unsigned n_ranges;
	struct dwarf_discriminant *ranges;
	unsigned n_members; /* Rust: one, with the variant's name */
	struct dwarf_member *members;
};

struct dwarf_variant_part {
	bool has_discriminant; /* no: there is but one variant */
	bool is_signed;	       /* ranges are sign-extended, else zero */
	struct dwarf_member discriminant;
	unsigned n_variants;
	struct dwarf_variant *variants;
};

struct dwarf_type {
	enum dwarf_type_kind kind;
	struct dwarf_die die;
	/* As GDB prints it: "struct foo *", "const char [16]", "unsigned
	 * int", "ns::T<int>", "void (*)(int)". */
	const char *name;
	uint64_t size; /* bytes; of an array with constant bounds: all of it */
	bool has_size;
	bool declaration; /* incomplete: no definition found in this dwarf */
	uint8_t encoding; /* DW_ATE_* of BASE, underlying of ENUM */
	bool is_class, is_enum_class, is_flag_enum, is_vector;
	const struct dwarf_type
	    *target; /* pointed to, element, aliased, return */
	const struct dwarf_type *owner; /* MEMBER_POINTER */
	unsigned n_bounds;
	struct dwarf_bound *bounds; /* ARRAY, outermost first */
	/* Filled by dwarf_type_complete. */
	bool completed;
	unsigned n_members;
	struct dwarf_member *members;
	unsigned n_enumerators;
	struct dwarf_enumerator *enumerators; /* in declaration order */
	/* Of a STRUCT whose discriminant selects further members (enums of Rust
	 * that carry data), behind the members above; else NULL. */
	const struct dwarf_variant_part *variants;
};

/* Members and enumerators, read on first need. A declaration is resolved to a
 * definition of the same name in this dwarf when there is one: use the type
 * returned. Never NULL. */
const struct dwarf_type *dwarf_type_complete(
    struct dwarf *d, const struct dwarf_type *type);
/* Through typedef, const, volatile, restrict, atomic. */
const struct dwarf_type *dwarf_type_strip(const struct dwarf_type *type);
/* A struct, class, union or enum defined in this dwarf, by qualified name
 * ("ns::T", "struct foo"), or a base type ("int"); NULL: none. Also completes
 * declarations of other images. */
const struct dwarf_type *dwarf_type_named(struct dwarf *d, const char *name);
/* A struct, class, union or enum that the compilation unit of the code at pc
 * declares outside of functions, by its own name; no other unit is read. NULL:
 * none. */
const struct dwarf_type *dwarf_type_at(
    struct dwarf *d, uint64_t pc, const char *name);
/* The type of a DIE (type DIE), cached. Never NULL (UNKNOWN). */
const struct dwarf_type *dwarf_type_of(struct dwarf_die type_die);

/* An argument of a C++ template. */
struct dwarf_argument {
	const struct dwarf_type *type; /* NULL: it is a template itself */
	bool is_value;		       /* a value of that type, not the type */
	bool has_value;		       /* an integer that is known */
	int64_t value;
};

/* The n-th (from 0) of a class; those of a pack count one by one. False: there
 * are not so many, or it is no class. */
bool dwarf_type_argument(
    const struct dwarf_type *type, unsigned n, struct dwarf_argument *out);

/* ---- variables, scopes, frames ---- */

struct dwarf_variable {
	const char *name; /* NULL: unnamed parameter */
	const struct dwarf_type *type;
	struct dwarf_location location;
	bool parameter;
	bool artificial;	   /* this, __func__-likes, VLA bounds */
	bool external_declaration; /* extern: lives elsewhere */
	uint32_t decl_line;
	uint32_t
	    depth; /* lexical block nesting in its function, 0: outermost */
	struct dwarf_die die;
};

/* One function activation at a pc: the physical function or one inlined into
 * it. */
struct dwarf_scope {
	const char *name;	  /* source name incl. namespace and class:
				     "ns::C::f"; without parameters */
	const char *linkage_name; /* NULL when the same */
	bool inlined;
	/* Where this activation stands: for the innermost the line of pc, for
	 * others the call line of the scope inlined into it. */
	const char *path; /* full source path, NULL: unknown */
	uint32_t line, column;
	uint32_t decl_line;
	uint64_t low_pc;		  /* entry address of the function */
	struct dwarf_location frame_base; /* physical scope only */
	/* Parameters in order, then locals in scope at pc: of the innermost
	 * block first as GDB's "info locals", each block in source order. A
	 * variable hidden by an inner one of the same name is listed too. */
	unsigned n_variables;
	struct dwarf_variable *variables;
	struct dwarf_die die; /* subprogram or inlined_subroutine */
	bool noreturn;
};

/* Everything about one pc. */
struct dwarf_plan {
	uint64_t pc;
	unsigned
	    n_scopes; /* innermost first; the last is the physical function.
			 0: no DIE covers pc (maybe a line is known) */
	struct dwarf_scope *scopes;
	const char *path; /* from the line table alone */
	uint32_t line, column;
	struct dwarf_unit *unit; /* NULL: no unit covers pc */
};

/* The plan for a look-up pc (cached). variables: also list them (else
 * n_variables is 0; asking again with true completes it). Never NULL except
 * out of memory. */
const struct dwarf_plan *dwarf_plan_at(
    struct dwarf *d, uint64_t pc, bool variables);

/* ---- call sites (entry values, tail calls) ---- */

struct dwarf_call_parameter {
	struct view location; /* DW_AT_location: usually one register */
	struct view value;    /* DW_AT_call_value */
	/* DW_AT_call_parameter: the callee's parameter, where no place holds
	 * it (then location is empty); unit NULL: none. */
	struct dwarf_die parameter;
};

struct dwarf_call_site {
	struct dwarf_unit *unit;
	uint64_t return_pc;
	bool tail_call;
	bool only_call_pc; /* return_pc is one past the start of the jump */
	const char *target_name; /* linkage name of DW_AT_call_origin; NULL */
	uint64_t target_low_pc;	 /* 0: unknown or not defined here */
	struct view target; /* DW_AT_call_target expression; may be empty */
	unsigned n_parameters;
	struct dwarf_call_parameter *parameters;
};

/* The call site whose return address is return_pc. NULL when there is none. */
const struct dwarf_call_site *dwarf_call_site_at(
    struct dwarf *d, uint64_t return_pc);
/* The tail call sites inside the physical function that contains pc (for
 * tail-call frames): count, *out valid as long as d. */
size_t dwarf_tail_calls(struct dwarf *d, uint64_t function_pc,
    const struct dwarf_call_site *const **out);

/* ---- globals ---- */

/* A global or static variable by name (linkage or qualified source name).
 * cu: substring of the unit's name, or NULL. */
bool dwarf_global(struct dwarf *d, const char *name, const char *cu,
    struct dwarf_variable *out);

/* Visits all of that name (as dwarf_global's) until the visitor says false;
 * of several in one unit, those without a location (declarations that GCC
 * keeps beside the definition) come last. */
void dwarf_globals_named(struct dwarf *d, const char *name, const char *cu,
    bool (*visit)(void *ctx, const struct dwarf_variable *variable), void *ctx);

/* Visits the globals and statics at file scope until the visitor says false.
 * cu: substring of the unit's name, name: exact; both may be NULL. */
void dwarf_globals_each(struct dwarf *d, const char *cu, const char *name,
    bool (*visit)(void *ctx, const struct dwarf_variable *variable), void *ctx);

struct dwarf_stats {
	uint64_t units_total, units_parsed, dies, plans;
};
const struct dwarf_stats *dwarf_stats(const struct dwarf *d);

#endif /* DWARF_DWARF_H */
