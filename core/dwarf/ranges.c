/* SPDX-License-Identifier: MIT */
/*
 * The ranges of a DIE: low_pc and high_pc, .debug_ranges (DWARF 3 section
 * 2.17.3) or .debug_rnglists (DWARF 5 section 2.17.3 and 7.25). Each step
 * consumes bytes of the list, so a list ends where its section ends at the
 * latest; no list can loop.
 */
#include "dwarf/private.h"

/* The position of a list given by index: DWARF 5 section 7.28. */
static bool
rnglist_position(const struct dwarf_unit *u, uint64_t index, uint64_t *out)
{
	struct view v;
	uint64_t at;

	if (__builtin_mul_overflow(index, (uint64_t)u->offset_size, &at) ||
	    __builtin_add_overflow(at, u->rnglists_base, &at) ||
	    at >= dw_section_size(u->file, SEC_RNGLISTS))
		return false;
	v = dw_section_to(u->file, SEC_RNGLISTS, at + DW_MARGIN);
	view_seek(&v, at);
	*out = u->rnglists_base + view_uint(&v, u->offset_size);
	return view_ok(&v);
}

static bool
start_list(struct dw_range_iter *it, const struct dwarf_unit *u,
    const struct dw_value *ranges)
{
	const struct dwarf_unit *owner = u->skeleton != NULL ? u->skeleton : u;
	uint64_t offset = ranges->u;

	it->base = u->low_pc;
	if (ranges->form == DW_FORM_rnglistx) {
		if (!rnglist_position(u, ranges->u, &offset))
			return false;
	} else if (__builtin_add_overflow(offset, u->ranges_base, &offset)) {
		return false;
	}
	if (u->version >= 5) {
		it->file = u->file;
		it->section = SEC_RNGLISTS;
		it->kind = DW_RANGE_V5;
	} else {
		/* GNU's split DWARF leaves .debug_ranges in the program. */
		it->file = owner->file;
		it->section = SEC_RANGES;
		it->kind = DW_RANGE_V4;
	}
	if (offset >= dw_section_size(it->file, it->section)) {
		it->v = (struct view){.failed = true};
		return false;
	}
	it->v = dw_section_to(it->file, it->section, offset + DW_AHEAD);
	view_seek(&it->v, offset);
	return view_ok(&it->v);
}

bool
dw_ranges_of(struct dw_range_iter *it, const struct dwarf_unit *u,
    const struct dw_value *low, const struct dw_value *high,
    const struct dw_value *ranges)
{
	memset(it, 0, sizeof(*it));
	it->unit = u;
	it->kind = DW_RANGE_NONE;
	if (ranges->form != 0) {
		(void)start_list(it, u, ranges);
		return true;
	}
	if (low->form == 0 || high->form == 0)
		return false;
	if (!dw_address(u, low, &it->low))
		return true;
	if (!dw_address(u, high, &it->high)) {
		uint64_t size;

		if (!dw_unsigned(high, &size) ||
		    __builtin_add_overflow(it->low, size, &it->high))
			return true;
	}
	it->kind = DW_RANGE_ONE;
	return true;
}

bool
dw_ranges_of_die(struct dw_range_iter *it, const struct dw_die *d)
{
	struct dw_value low = {0}, high = {0}, ranges = {0}, value;
	struct dw_attrs attrs;
	uint16_t name;

	it->kind = DW_RANGE_NONE;
	if ((d->abbrev->flags & DW_AB_PC) == 0)
		return false;
	dw_attrs(&attrs, d);
	while (dw_attr_next(&attrs, &name, &value)) {
		if (name == DW_AT_low_pc)
			low = value;
		else if (name == DW_AT_high_pc)
			high = value;
		else if (name == DW_AT_ranges)
			ranges = value;
	}
	return dw_ranges_of(it, d->unit, &low, &high, &ranges);
}

/* Addresses the linker gave to code it threw away: lld writes -1 or, in
 * .debug_ranges, -2. */
static bool
is_tombstone(const struct dwarf_unit *u, uint64_t address)
{
	return u->address_size == 8 ? address >= UINT64_MAX - 1
				    : address >= UINT32_MAX - 1;
}

static bool
next_v4(struct dw_range_iter *it, uint64_t *low, uint64_t *high)
{
	uint8_t size = it->unit->address_size;
	uint64_t selector = size == 8 ? UINT64_MAX : UINT32_MAX;

	for (;;) {
		uint64_t a, b;

		dw_section_more(&it->v, it->file, it->section);
		a = view_uint(&it->v, size);
		b = view_uint(&it->v, size);

		if (!view_ok(&it->v) || (a == 0 && b == 0))
			return false;
		if (a == selector) {
			it->base = b;
			continue;
		}
		if (is_tombstone(it->unit, a) ||
		    is_tombstone(it->unit, it->base))
			continue;
		if (a >= b)
			continue;
		*low = it->base + a;
		*high = it->base + b;
		return true;
	}
}

/* One DW_RLE entry. *has: it was a range. */
static bool
entry_v5(struct dw_range_iter *it, uint64_t *low, uint64_t *high, bool *has)
{
	const struct dwarf_unit *u = it->unit;
	uint64_t a, b;
	bool ok = true;

	*has = true;
	dw_section_more(&it->v, it->file, it->section);
	switch (view_u8(&it->v)) {
	case DW_RLE_base_addressx:
		ok = dw_addrx(u, view_uleb(&it->v), &it->base);
		*has = false;
		break;
	case DW_RLE_startx_endx:
		ok = dw_addrx(u, view_uleb(&it->v), low);
		ok = dw_addrx(u, view_uleb(&it->v), high) && ok;
		break;
	case DW_RLE_startx_length:
		ok = dw_addrx(u, view_uleb(&it->v), low);
		*high = *low + view_uleb(&it->v);
		break;
	case DW_RLE_offset_pair:
		a = view_uleb(&it->v);
		b = view_uleb(&it->v);
		*low = it->base + a;
		*high = it->base + b;
		if (is_tombstone(u, it->base))
			*has = false;
		break;
	case DW_RLE_base_address:
		it->base = view_uint(&it->v, u->address_size);
		*has = false;
		break;
	case DW_RLE_start_end:
		*low = view_uint(&it->v, u->address_size);
		*high = view_uint(&it->v, u->address_size);
		break;
	case DW_RLE_start_length:
		*low = view_uint(&it->v, u->address_size);
		*high = *low + view_uleb(&it->v);
		break;
	default: /* DW_RLE_end_of_list, or damage */
		return false;
	}
	return ok && view_ok(&it->v);
}

bool
dw_ranges_next(struct dw_range_iter *it, uint64_t *low, uint64_t *high)
{
	bool has;

	switch (it->kind) {
	case DW_RANGE_ONE:
		it->kind = DW_RANGE_NONE;
		*low = it->low;
		*high = it->high;
		return *low < *high && !is_tombstone(it->unit, *low);
	case DW_RANGE_V4:
		return dw_step(it->unit->file->dwarf) && next_v4(it, low, high);
	case DW_RANGE_V5:
		*low = *high = 0;
		while (dw_step(it->unit->file->dwarf) &&
		    entry_v5(it, low, high, &has)) {
			if (has && *low < *high &&
			    !is_tombstone(it->unit, *low))
				return true;
		}
		return false;
	case DW_RANGE_NONE:
	default:
		return false;
	}
}

enum dw_cover
dw_die_covers(const struct dw_die *d, uint64_t pc)
{
	struct dw_range_iter it;
	uint64_t low, high;

	if (!dw_ranges_of_die(&it, d))
		return DW_NO_BOUNDS;
	while (dw_ranges_next(&it, &low, &high)) {
		if (pc >= low && pc < high)
			return DW_COVERED;
	}
	return DW_NOT_COVERED;
}
