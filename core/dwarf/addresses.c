/* SPDX-License-Identifier: MIT */
/*
 * Address -> unit: by .debug_aranges, or else by one pass over all units' root
 * DIEs. clang writes no .debug_aranges and other tools' tables have gaps, so
 * what they do not answer is asked of the units themselves, at half a
 * microsecond each.
 */
#include "dwarf/split.h"

/* Code without ranges in its root (old assemblers, hand-made DWARF): the
 * ranges of its functions stand in. Done only when nothing else covers a pc. */
static void
build_orphans(struct dwarf *d)
{
	size_t n = dw_units(&d->main, SEC_INFO);
	struct dw_range_iter it;

	d->orphans_ready = true;
	for (size_t i = 0; i < n && dw_step(d); i++) {
		struct dwarf_unit *u, tmp;

		if (!dw_unit_header(&d->main, SEC_INFO,
			d->main.units[SEC_INFO].slots.items[i].offset, &tmp) ||
		    !dw_root_read(&tmp) ||
		    (tmp.root_tag != DW_TAG_compile_unit &&
			tmp.root_tag != DW_TAG_skeleton_unit))
			continue;
		/* DWARF 2 cannot say that a unit has several ranges. */
		if (tmp.version > 2 &&
		    dw_ranges_of(&it, &tmp, &tmp.low, &tmp.high, &tmp.ranges))
			continue;
		u = dw_split_unit(dw_unit(&d->main, SEC_INFO, i), false);
		if (u == NULL)
			continue;
		dw_functions_build(u, 1);
		for (size_t k = 0; k < u->functions.items.count; k++) {
			const struct dw_range *r = &u->functions.items.items[k];

			(void)dw_range_add(&d->orphans, r->low, r->high, i);
		}
	}
	dw_range_sort(&d->orphans);
}

static void
build(struct dwarf *d)
{
	size_t n = dw_units(&d->main, SEC_INFO);
	uint64_t low, high;

	d->addresses_ready = true;
	for (size_t i = 0; i < n && dw_step(d); i++) {
		struct dw_range_iter it;
		struct dwarf_unit tmp;

		if (!dw_unit_header(&d->main, SEC_INFO,
			d->main.units[SEC_INFO].slots.items[i].offset, &tmp) ||
		    tmp.unit_type == DW_UT_type ||
		    tmp.unit_type == DW_UT_partial || !dw_root_read(&tmp) ||
		    !dw_ranges_of(&it, &tmp, &tmp.low, &tmp.high, &tmp.ranges))
			continue;
		while (dw_ranges_next(&it, &low, &high)) {
			if (!dw_range_add(&d->addresses, low, high, i))
				break;
		}
	}
	dw_range_sort(&d->addresses);
}

static size_t
find(struct dwarf *d, uint64_t pc, struct dwarf_unit *out[DW_UNIT_CANDIDATES])
{
	const struct dw_range *found[DW_UNIT_CANDIDATES];
	size_t n, count = 0;
	bool none;

	if (!d->addresses_ready) {
		count = dw_units_by_aranges(
		    d, pc, out, DW_UNIT_CANDIDATES, &none);
		if (count > 0 || none)
			return count;
		build(d);
	}
	n = dw_range_find(&d->addresses, pc, found, DW_UNIT_CANDIDATES);
	if (n == 0) {
		if (!d->orphans_ready)
			build_orphans(d);
		n = dw_range_find(&d->orphans, pc, found, DW_UNIT_CANDIDATES);
	}
	for (size_t i = 0; i < n; i++) {
		struct dwarf_unit *u = dw_split_unit(
		    dw_unit(&d->main, SEC_INFO, (size_t)found[i]->value), true);
		bool seen = u == NULL;

		for (size_t k = 0; k < count && !seen; k++)
			seen = out[k] == u;
		if (!seen)
			out[count++] = u;
	}
	return count;
}

size_t
dw_units_at(
    struct dwarf *d, uint64_t pc, struct dwarf_unit *out[DW_UNIT_CANDIDATES])
{
	struct dw_known_unit *known =
	    &d->known_units[map_mix(pc) % DW_KNOWN_UNITS];
	size_t n;

	/* Call sites are asked for at the same places again and again. */
	if (known->unit != NULL && known->pc == pc) {
		out[0] = known->unit;
		return 1;
	}
	n = find(d, pc, out);
	if (n == 1)
		*known = (struct dw_known_unit){pc, out[0]};
	return n;
}
