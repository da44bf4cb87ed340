/* SPDX-License-Identifier: MIT */
/*
 * pc -> subprogram, by a sorted index of one unit's functions, made when a pc
 * first falls into the unit. The first level walks only what lies directly in
 * the unit and in namespaces, skipping bodies and classes by their siblings.
 * When that misses (GNU C nested functions, member functions of local classes,
 * Rust), the second level goes through every DIE of the unit.
 */
#include "dwarf/private.h"

static void
add_function(struct dwarf_unit *u, const struct dw_die *d)
{
	struct dw_range_iter it;
	uint64_t low, high;

	if ((d->abbrev->flags & DW_AB_PC) == 0 || !dw_ranges_of_die(&it, d))
		return;
	while (dw_ranges_next(&it, &low, &high)) {
		if (!dw_range_add(&u->functions, low, high, d->offset))
			return;
	}
}

static bool
enters(uint16_t tag, int level)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_compile_unit:
	case DW_TAG_partial_unit:
	case DW_TAG_skeleton_unit:
	case DW_TAG_type_unit:
		return true;
	default:
		return level > 1;
	}
}

void
dw_functions_build(struct dwarf_unit *u, int level)
{
	struct dw_die d;

	if (u->functions_level >= level)
		return;
	u->functions_level = level;
	vec_clear(&u->functions.items);
	if (!dw_unit_abbrevs(u))
		return;
	/* Structure does not matter here: all DIEs in order, where an end of
	 * children is just another entry to pass. */
	for (struct dw_scan s = dw_scan_unit(u); dw_scan_next(&s, &d);) {
		if (d.abbrev->tag == DW_TAG_subprogram)
			add_function(u, &d);
		if (!enters(d.abbrev->tag, level))
			dw_scan_over(&s, &d);
	}
	dw_range_sort(&u->functions);
}

bool
dw_function_at(struct dwarf_unit *u, uint64_t pc, struct dw_die *out)
{
	const struct dw_range *found;

	for (int level = 1; level <= 2; level++) {
		dw_functions_build(u, level);
		if (dw_range_find(&u->functions, pc, &found, 1) == 1)
			return dw_die_open(
			    (struct dwarf_die){u, found->value}, out);
	}
	return false;
}

bool
dw_function_find(struct dwarf *d, uint64_t pc, struct dw_die *out)
{
	struct dwarf_unit *units[DW_UNIT_CANDIDATES];
	size_t n = dw_units_at(d, pc, units);

	for (size_t i = 0; i < n; i++) {
		if (dw_function_at(units[i], pc, out))
			return true;
	}
	return false;
}
