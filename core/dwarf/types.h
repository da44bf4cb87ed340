/* SPDX-License-Identifier: MIT */
/*
 * What the files about types share: a type with the parts that only naming
 * needs.
 */
#ifndef DWARF_TYPES_H
#define DWARF_TYPES_H

#include "dwarf/private.h"

struct dw_type {
	struct dwarf_type type; /* first: handed out */
	const char *arguments;	/* FUNCTION: "(int, char *)" */
	bool cplus, rust;
	bool named; /* an array with a name of its own */
	bool done;  /* name and target are set */
};

/* Depth counts nested types: parameters of parameters, and so on. */
const struct dwarf_type *dw_type_of(struct dwarf_die ref, unsigned depth);
/* Writes the name of a type that has none of its own. */
const char *dw_type_spell(struct dwarf *d, const struct dwarf_type *t);
/* A member, base class or static member; false when the DIE is none. */
bool dw_member_read(const struct dw_die *d, struct dwarf_member *m);
/* All of a DIE's children that are members, in the arena. */
void dw_members_read(
    const struct dw_die *d, struct dwarf_member **members, unsigned *count);
/* The variant part of a structure, NULL: none. */
const struct dwarf_variant_part *dw_variants_of(const struct dw_die *d);
void dw_type_array(struct dw_type *t, const struct dw_die *d, unsigned depth);

extern const struct dwarf_type dw_type_void, dw_type_unknown;

#endif /* DWARF_TYPES_H */
