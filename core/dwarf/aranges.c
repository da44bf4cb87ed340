/* SPDX-License-Identifier: MIT */
/*
 * .debug_aranges (DWARF 5 section 6.1.2): the addresses of each unit, in a
 * small table of their own. By it a unit is found without reading, or
 * inflating, those before it: of libc6-dbg's .debug_info it saves a third, and
 * a pass over four thousand units. What it says is believed only of a unit that
 * says the same of itself.
 */
#include "dwarf/split.h"

/* One unit's tuples. */
static void
read_set(struct dwarf *d, struct view v, uint64_t start, uint8_t offset_size)
{
	uint16_t version = view_u16(&v);
	uint64_t unit = view_uint(&v, offset_size), low, length;
	uint8_t address_size = view_u8(&v), selector_size = view_u8(&v);
	uint64_t used = v.pos - start, tuple = 2 * (uint64_t)address_size;

	if (version != 2 || selector_size != 0 ||
	    (address_size != 8 && address_size != 4))
		return;
	/* The first tuple is aligned to its size, from the set's start. */
	view_skip(&v, (size_t)((tuple - used % tuple) % tuple));
	while (dw_step(d)) {
		low = view_uint(&v, address_size);
		length = view_uint(&v, address_size);
		if (!view_ok(&v) || (low == 0 && length == 0))
			break;
		if (length <= UINT64_MAX - low &&
		    !dw_range_add(&d->aranges, low, low + length, unit))
			break;
	}
}

static void
read_all(struct dwarf *d)
{
	struct view v = dw_section(&d->main, SEC_ARANGES);

	d->aranges_ready = true;
	while (!view_end(&v) && dw_step(d)) {
		uint64_t start = v.pos, length = view_u32(&v);
		uint8_t offset_size = 4;
		struct view set;

		if (length == UINT32_MAX) {
			offset_size = 8;
			length = view_u64(&v);
		}
		if (!view_ok(&v) || length > view_left(&v))
			break;
		set = v;
		set.size = v.pos + (size_t)length;
		view_skip(&v, (size_t)length);
		read_set(d, set, start, offset_size);
	}
	dw_range_sort(&d->aranges);
}

static bool
covers(const struct dwarf_unit *u, uint64_t pc)
{
	struct dw_range_iter it;
	uint64_t low, high;

	if (!dw_ranges_of(&it, u, &u->low, &u->high, &u->ranges))
		return false;
	while (dw_ranges_next(&it, &low, &high)) {
		if (pc >= low && pc < high)
			return true;
	}
	return false;
}

size_t
dw_units_by_aranges(
    struct dwarf *d, uint64_t pc, struct dwarf_unit **out, size_t max)
{
	const struct dw_range *found[DW_UNIT_CANDIDATES];
	size_t n, count = 0;

	if (!d->aranges_ready)
		read_all(d);
	n = dw_range_find(&d->aranges, pc, found, DW_UNIT_CANDIDATES);
	for (size_t i = 0; i < n && count < max; i++) {
		struct dwarf_unit *u = dw_unit_starting(
		    &d->main, SEC_INFO, found[i]->value);
		bool seen = false;

		if (u == NULL || u->unit_type == DW_UT_type ||
		    u->unit_type == DW_UT_partial || !covers(u, pc))
			return 0; /* not to be trusted */
		u = dw_split_unit(u, true);
		for (size_t k = 0; k < count && !seen; k++)
			seen = out[k] == u;
		if (u != NULL && !seen)
			out[count++] = u;
	}
	return count;
}
