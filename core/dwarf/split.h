/* SPDX-License-Identifier: MIT */
/*
 * Split DWARF (DWARF 5 section 7.3.2, and GNU's form before it): the program
 * holds skeleton units, which have addresses and lines, and a .dwo file or a
 * package of them (.dwp) has everything else.
 */
#ifndef DWARF_SPLIT_H
#define DWARF_SPLIT_H

#include "dwarf/private.h"

/* What of a package's sections belongs to one unit: DWARF 5 section 7.3.5. */
struct dw_contribution {
	uint64_t info, abbrev, str_offsets, loc, ranges;
};

/* split.c */
/* The full unit behind a skeleton; the unit itself when it is none, or when
 * its .dwo file is not to be had, which is warned of when `loud`. */
struct dwarf_unit *dw_split_unit(struct dwarf_unit *u, bool loud);
void dw_split_deinit(struct dwarf *d);

/* package.c */
struct dw_package *dw_package_open(struct dwarf_file *f);
void dw_package_free(struct dw_package *p);
/* Makes the list of units from the index, without touching them. */
void dw_package_units(struct dwarf_file *f, enum dw_section section);
bool dw_package_contribution(const struct dwarf_file *f,
    enum dw_section section, uint64_t offset, struct dw_contribution *out);
/* The unit with this id or signature, or NULL. */
struct dwarf_unit *dw_package_find(struct dwarf_file *f, uint64_t id);
struct dwarf_unit *dw_package_type(struct dwarf_file *f, uint64_t signature);

#endif /* DWARF_SPLIT_H */
