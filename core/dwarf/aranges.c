/* SPDX-License-Identifier: MIT */
/*
 * .debug_aranges (DWARF 5 section 6.1.2): the addresses of each unit, in a
 * small table of their own. By it a unit is found without reading, or
 * inflating, those before it: of libc6-dbg's .debug_info it saves a third, and
 * a pass over four thousand units. What it says is believed only of a unit that
 * says the same of itself.
 */
#include "dwarf/split.h"

/* From one unit with code to the next, or to the end. */
static void
note_gap(struct dwarf *d, uint64_t next)
{
	if (next - d->aranges_last > d->aranges_gap) {
		d->aranges_gap = next - d->aranges_last;
		d->aranges_gap_end = next;
	}
}

/* One unit's tuples. */
static void
read_set(struct dwarf *d, struct view v, uint64_t start, uint8_t offset_size)
{
	uint16_t version = view_u16(&v);
	uint64_t unit = view_uint(&v, offset_size), low, length;
	uint8_t address_size = view_u8(&v), selector_size = view_u8(&v);
	uint64_t used = v.pos - start, tuple = 2 * (uint64_t)address_size;
	bool any = false;

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
		any = true;
	}
	/* Sets are in the order of their units. */
	if (any && (d->aranges_units == 0 || unit > d->aranges_last)) {
		note_gap(d, unit);
		d->aranges_units++;
		d->aranges_last = unit;
	}
}

static void
read_all(struct dwarf *d)
{
	struct view v = dw_section(&d->main, SEC_ARANGES);
	uint64_t size;

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
	size = dw_section_size(&d->main, SEC_INFO);
	if (size > d->aranges_last)
		note_gap(d, size);
	dw_range_sort(&d->aranges);
}

/* How many line programs there are, of any length; false: damaged. */
static bool
count_line_programs(struct dwarf *d, uint64_t *count)
{
	uint64_t size = dw_section_size(&d->main, SEC_LINE), pos = 0;

	*count = 0;
	while (pos < size && dw_step(d)) {
		struct view v = dw_section_to(
		    &d->main, SEC_LINE, pos + DW_MARGIN);
		uint8_t offset_size = 4;
		uint64_t length, header, end;

		view_seek(&v, (size_t)pos);
		length = view_u32(&v);
		if (length == UINT32_MAX) {
			offset_size = 8;
			length = view_u64(&v);
		}
		if (!view_ok(&v) || length > size - v.pos)
			return false;
		end = v.pos + length;
		if (view_u16(&v) >= 5)
			view_skip(&v, 2); /* sizes of address and selector */
		header = view_uint(&v, offset_size);
		if (!view_ok(&v) || header > size)
			return false;
		*count += v.pos + header < end;
		pos = end;
	}
	return pos >= size;
}

/*
 * Whether no unit has what .debug_aranges does not have: there are as many line
 * programs as units with a table. Compilers write both or, like clang, the
 * program only; units without code (the early ones of GCC's LTO) have neither.
 * The programs are hopped over, in a section a tenth as large as .debug_info.
 * Every process has a frame in _start, which is in no unit; to find that out by
 * a pass over all units took ceph-mon 0.4 seconds of 0.5.
 */
static bool
is_complete(struct dwarf *d)
{
	uint64_t programs;

	if (!d->aranges_judged) {
		d->aranges_judged = true;
		d->aranges_complete = d->aranges_units > 0 &&
		    count_line_programs(d, &programs) &&
		    programs == d->aranges_units;
	}
	return d->aranges_complete;
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

/*
 * Line programs and lists of ranges and locations are as long as the code that
 * they are about, and lie in the order of the units: of CPython 3.11, half of
 * whose code lies in units behind the last one in its stacks, 52 to 65 % are
 * read, of libc 56 to 60 where it has 79 % of the code.
 */
static void
expect_part(struct dwarf *d, uint64_t unit)
{
	enum { MANY = 1 << 16 };
	uint64_t part = 0, all = 0;

	/* Nobody knows, or it would take long to find out. */
	if (d->aranges.items.count == 0 || d->aranges.items.count > MANY) {
		image_prefetch_part(d->main.image, 1, 1);
		return;
	}
	if (d->aranges_expected && unit <= d->aranges_farthest)
		return;
	d->aranges_expected = true;
	d->aranges_farthest = unit;
	for (size_t i = 0; i < d->aranges.items.count; i++) {
		const struct dw_range *r = &d->aranges.items.items[i];

		all += r->high - r->low;
		if (r->value <= unit)
			part += r->high - r->low;
	}
	image_prefetch_part(d->main.image, part, all);
}

/*
 * GCC's LTO puts functions into units that have nothing else; names and types
 * of all of them are in the units that they were taken from, which have no code
 * and follow each other. So when much of the section has none, the end of that
 * will be wanted as well.
 */
bool
dwarf_expect(struct dwarf *d, uint64_t pc, bool now)
{
	enum { MUCH = 4 }; /* a fourth */
	const struct dw_range *found;
	uint64_t to;

	if (!d->aranges_ready)
		read_all(d);
	if (d->aranges.items.count == 0)
		expect_part(d, 0);
	if (dw_range_find(&d->aranges, pc, &found, 1) != 1) {
		/* By which is_complete will tell that it is in none. */
		if (!d->aranges_judged && d->aranges_units > 0)
			image_prefetch_all(d->main.image, ".debug_line");
		return false;
	}
	expect_part(d, found->value);
	if (now)
		return false;
	/* It begins there; how long it is, does not matter to a hint. */
	to = found->value + DW_MARGIN;
	if (d->aranges_gap > dw_section_size(&d->main, SEC_INFO) / MUCH &&
	    d->aranges_gap_end > to)
		to = d->aranges_gap_end;
	return image_prefetch_own(d->main.image, to);
}

size_t
dw_units_by_aranges(struct dwarf *d, uint64_t pc, struct dwarf_unit **out,
    size_t max, bool *none)
{
	const struct dw_range *found[DW_UNIT_CANDIDATES];
	size_t n, count = 0;

	if (!d->aranges_ready)
		read_all(d);
	n = dw_range_find(&d->aranges, pc, found, DW_UNIT_CANDIDATES);
	*none = n == 0 && is_complete(d);
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
