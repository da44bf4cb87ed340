/* SPDX-License-Identifier: MIT */
/*
 * A unit's root DIE, read without its abbreviation table: only the one
 * declaration it uses is looked up, so that a pass over thousands of units
 * (addresses.c) stays cheap. Indexed forms (addrx, strx, rnglistx) depend on
 * base attributes that may come later in the same DIE; so values are kept as
 * they are and resolved afterwards.
 */
#include "dwarf/private.h"

static void
take(struct dwarf_unit *u, uint16_t name, const struct dw_value *v)
{
	uint64_t number = 0;

	(void)dw_unsigned(v, &number);
	switch (name) {
	case DW_AT_name:
		u->name = *v;
		break;
	case DW_AT_comp_dir:
		u->comp_dir = *v;
		break;
	case DW_AT_low_pc:
		u->low = *v;
		break;
	case DW_AT_high_pc:
		u->high = *v;
		break;
	case DW_AT_ranges:
		u->ranges = *v;
		break;
	case DW_AT_stmt_list:
		u->stmt_list = *v;
		break;
	case DW_AT_language:
		u->language = (uint32_t)number;
		break;
	case DW_AT_str_offsets_base:
		/* Split units have none, but for a bug of clang 9. */
		if (!u->file->dwo)
			u->str_offsets_base = number;
		break;
	case DW_AT_addr_base:
	case DW_AT_GNU_addr_base:
		u->addr_base = number;
		break;
	case DW_AT_rnglists_base:
		u->rnglists_base = number;
		break;
	case DW_AT_loclists_base:
		u->loclists_base = number;
		break;
	case DW_AT_GNU_ranges_base:
		u->gnu_ranges_base = number;
		break;
	case DW_AT_dwo_name:
	case DW_AT_GNU_dwo_name:
		u->dwo_name = *v;
		break;
	case DW_AT_GNU_dwo_id:
		u->dwo_id = number;
		break;
	default:
		break;
	}
}

/* What index tables start with when no base is given: behind the header of the
 * first table (DWARF 5 sections 7.26 to 7.29), of the unit's part of it in a
 * package. GNU's split DWARF 4 has tables without headers. */
static void
set_bases(struct dwarf_unit *u)
{
	uint64_t addresses = u->offset_size == 8 ? 16 : 8;
	uint64_t lists = u->offset_size == 8 ? 20 : 12;

	u->str_offsets_base = addresses;
	u->addr_base = u->version >= 5 ? addresses : 0;
	if (!u->file->dwo)
		return;
	if (u->version < 5)
		u->str_offsets_base = 0;
	u->str_offsets_base += u->str_offsets_part;
	u->rnglists_base = u->rnglists_part + lists;
	u->loclists_base = u->loc_base + lists;
	u->ranges_base = u->rnglists_part;
}

static bool
read_root(struct dwarf_unit *u, struct view v)
{
	uint64_t code;
	struct view specs;
	bool children;

	view_seek(&v, u->first_die);
	code = view_uleb(&v);
	set_bases(u);
	if (!view_ok(&v) || code == 0 ||
	    !dw_abbrev_specs(u, code, &u->root_tag, &children, &specs))
		return false;
	for (;;) {
		uint64_t name = dw_uleb(&specs), form = dw_uleb(&specs);
		int64_t implicit =
		    form == DW_FORM_implicit_const ? view_sleb(&specs) : 0;
		struct dw_value value;

		if (!view_ok(&specs) || (name == 0 && form == 0))
			break;
		if (form > UINT16_MAX || !dw_step(u->file->dwarf) ||
		    !dw_form_read(&v, u, (uint16_t)form, implicit, &value))
			return false;
		if (name <= UINT16_MAX)
			take(u, (uint16_t)name, &value);
	}
	(void)dw_address(u, &u->low, &u->low_pc);
	u->root_end = v.pos;
	return true;
}

bool
dw_root_read(struct dwarf_unit *u)
{
	/* Nearly always this is far enough, and the unit itself may never be
	 * needed. */
	uint64_t to = u->first_die + DW_ROOT_AHEAD;
	struct view v = dw_section_part(
	    u->file, u->section, u->offset, to < u->end ? to : u->end);

	u->root_read = true;
	if (v.size > u->end)
		v.size = u->end;
	if (read_root(u, v))
		return true;
	return v.size < u->end && read_root(u, dw_unit_view(u, u->first_die));
}
