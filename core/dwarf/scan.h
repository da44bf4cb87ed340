/* SPDX-License-Identifier: MIT */
/*
 * Over all units, and over the top-level DIEs of one, with hashes of their
 * qualified names.
 */
#ifndef DWARF_SCAN_H
#define DWARF_SCAN_H

#include "dwarf/private.h"

#define DW_HASH_START UINT64_C(0xcbf29ce484222325)

enum { DW_TOP_DEPTH_MAX = DW_NAME_DEPTH_MAX };

struct dw_top {
	struct dw_scan scan;
	unsigned depth;
	uint64_t prefix[DW_TOP_DEPTH_MAX + 1]; /* hash up to each scope */
};

void dw_top_init(struct dw_top *top, struct dwarf_unit *u);
/* The next DIE that is not itself a namespace. */
bool dw_top_next(struct dw_top *top, struct dw_die *out);
/* The hash of the qualified name of the DIE just given, named `name`. */
uint64_t dw_top_hash(
    struct dw_top *top, const struct dw_die *d, const char *name);
uint64_t dw_hash_name(uint64_t hash, const char *name);

/* Over the units of all files and sections; start with a zeroed iterator. */
bool dw_each_unit(
    struct dwarf *d, struct dw_unit_iter *it, struct dwarf_unit **out);

#endif /* DWARF_SCAN_H */
