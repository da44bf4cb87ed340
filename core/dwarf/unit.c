/* SPDX-License-Identifier: MIT */
/*
 * Units. A cheap pass over the lengths in a section gives the places of units;
 * it goes no further than the unit that is asked for, for the bytes may have to
 * be inflated. A unit's header and root DIE are read when it is first needed.
 */
#include "dwarf/split.h"

/* Reads a unit_length; sets the size of offsets. DWARF 5 section 7.4. */
static uint64_t
unit_length(struct view *v, uint8_t *offset_size)
{
	uint64_t length = view_u32(v);

	*offset_size = 4;
	if (length == UINT32_MAX) {
		*offset_size = 8;
		return view_u64(v);
	}
	if (length >= 0xfffffff0)
		v->failed = true; /* reserved values */
	return length;
}

static void
cut_short(struct dwarf_file *f, enum dw_section section, uint64_t offset)
{
	dw_warn(f->dwarf, "dwarf-unit",
	    "%s: the unit at 0x%llx of %s is cut short", image_path(f->image),
	    (unsigned long long)offset,
	    section == SEC_INFO ? ".debug_info" : ".debug_types");
}

/* The places of all units that begin at `to` or before. */
static void
scan(struct dwarf_file *f, enum dw_section section, uint64_t to)
{
	uint64_t size = dw_section_size(f, section), pos, length;
	struct unit_slot *slot;
	uint8_t offset_size;

	if (f->package != NULL) {
		dw_package_units(f, section);
		f->units[section].scanned = UINT64_MAX;
		f->dwarf->stats.units_total += f->units[section].slots.count;
		return;
	}
	while ((pos = f->units[section].scanned) <= to && pos < size &&
	    dw_step(f->dwarf)) {
		struct view v = dw_section_part(
		    f, section, pos, pos + DW_MARGIN);

		view_seek(&v, pos);
		length = unit_length(&v, &offset_size);
		if (!view_ok(&v) || length > size - v.pos) {
			cut_short(f, section, pos);
			break;
		}
		f->units[section].scanned = v.pos + length;
		if (length == 0)
			continue; /* padding of some linkers */
		slot = vec_push(&f->units[section].slots);
		if (slot == NULL)
			break;
		slot->offset = pos;
		f->dwarf->stats.units_total++;
	}
	if (pos <= to)
		f->units[section].scanned = UINT64_MAX;
}

/* How many units are known, among them those up to an offset. */
static size_t
units_to(struct dwarf_file *f, enum dw_section section, uint64_t offset)
{
	if (f->units[section].scanned <= offset)
		scan(f, section, offset);
	return f->units[section].slots.count;
}

size_t
dw_units(struct dwarf_file *f, enum dw_section section)
{
	return units_to(f, section, UINT64_MAX - 1);
}

/* In a package everything but the unit itself counts from where its part of
 * the section begins. */
static bool
add_contribution(struct dwarf_unit *u)
{
	struct dw_contribution c;

	if (u->file->package == NULL)
		return true;
	if (!dw_package_contribution(u->file, u->section, u->offset, &c))
		return false;
	u->info_base = c.info;
	u->str_offsets_part = c.str_offsets;
	u->loc_base = c.loc;
	u->rnglists_part = c.ranges;
	return !__builtin_add_overflow(
	    u->abbrev_offset, c.abbrev, &u->abbrev_offset);
}

bool
dw_unit_header(struct dwarf_file *f, enum dw_section section, uint64_t offset,
    struct dwarf_unit *u)
{
	struct view v = dw_section_part(f, section, offset, offset + DW_MARGIN);
	uint64_t length, size = dw_section_size(f, section);

	memset(u, 0, sizeof(*u));
	u->file = f;
	u->section = section;
	u->offset = offset;
	view_seek(&v, offset);
	length = unit_length(&v, &u->offset_size);
	if (!view_ok(&v) || length > size - v.pos)
		return false;
	u->end = v.pos + length;
	if (v.size > u->end)
		v.size = u->end;
	u->version = view_u16(&v);
	if (u->version < 2 || u->version > 5)
		return false;
	u->unit_type = section == SEC_TYPES ? DW_UT_type : DW_UT_compile;
	if (u->version >= 5) {
		u->unit_type = view_u8(&v);
		u->address_size = view_u8(&v);
	}
	u->abbrev_offset = view_uint(&v, u->offset_size);
	if (u->version < 5)
		u->address_size = view_u8(&v);
	if (u->unit_type == DW_UT_type || u->unit_type == DW_UT_split_type) {
		u->signature = view_u64(&v);
		u->type_offset = offset + view_uint(&v, u->offset_size);
	} else if (u->unit_type == DW_UT_skeleton ||
	    u->unit_type == DW_UT_split_compile) {
		u->dwo_id = view_u64(&v);
	}
	u->first_die = v.pos;
	return view_ok(&v) && (u->address_size == 8 || u->address_size == 4) &&
	    add_contribution(u);
}

static struct dwarf_unit *
make_unit(struct dwarf_file *f, enum dw_section section, uint64_t offset)
{
	struct dwarf_unit tmp, *u;

	if (!dw_unit_header(f, section, offset, &tmp)) {
		dw_warn(f->dwarf, "dwarf-unit",
		    "%s: the unit header at 0x%llx is damaged",
		    image_path(f->image), (unsigned long long)offset);
		return NULL;
	}
	u = ARENA_NEW(&f->dwarf->arena, struct dwarf_unit);
	if (u == NULL)
		return NULL;
	*u = tmp;
	dw_range_index_init(&u->functions);
	(void)dw_root_read(u);
	f->dwarf->stats.units_parsed++;
	return u;
}

struct dwarf_unit *
dw_unit(struct dwarf_file *f, enum dw_section section, size_t slot)
{
	struct unit_slot *s;

	if (slot >= f->units[section].slots.count &&
	    slot >= dw_units(f, section))
		return NULL;
	s = &f->units[section].slots.items[slot];
	if (s->unit == NULL && !s->damaged) {
		s->unit = make_unit(f, section, s->offset);
		s->damaged = s->unit == NULL;
	}
	return s->unit;
}

struct dwarf_unit *
dw_unit_containing(
    struct dwarf_file *f, enum dw_section section, uint64_t offset)
{
	size_t low = 0, high = units_to(f, section, offset);
	struct dwarf_unit *u;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->units[section].slots.items[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	u = dw_unit(f, section, low - 1);
	if (u == NULL || offset < u->first_die || offset >= u->end)
		return NULL;
	return u;
}

struct dwarf_unit *
dw_unit_starting(struct dwarf_file *f, enum dw_section section, uint64_t offset)
{
	size_t low = 0, high = units_to(f, section, offset);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->units[section].slots.items[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == f->units[section].slots.count ||
	    f->units[section].slots.items[low].offset != offset)
		return NULL;
	return dw_unit(f, section, low);
}

/* Type units of both sections, by signature. Only headers are read. */
static void
index_signatures(struct dwarf_file *f)
{
	static const enum dw_section sections[] = {SEC_TYPES, SEC_INFO};
	struct dwarf_unit tmp;

	f->signatures_ready = true;
	for (int i = 0; i < 2; i++) {
		size_t n = dw_units(f, sections[i]);

		for (size_t k = 0; k < n && dw_step(f->dwarf); k++) {
			uint64_t offset =
			    f->units[sections[i]].slots.items[k].offset;
			uint64_t *value;
			bool is_new;

			if (!dw_unit_header(f, sections[i], offset, &tmp) ||
			    tmp.type_offset == 0)
				continue;
			value = map_put(&f->signatures, tmp.signature, &is_new);
			if (value != NULL && is_new)
				*value = (uint64_t)k << 1 | (uint64_t)i;
		}
	}
}

struct dwarf_unit *
dw_unit_by_signature(struct dwarf_file *f, uint64_t signature)
{
	uint64_t *value;

	if (f->package != NULL)
		return dw_package_type(f, signature);
	if (!f->signatures_ready)
		index_signatures(f);
	value = map_get(&f->signatures, signature);
	if (value == NULL)
		return NULL;
	return dw_unit(
	    f, (*value & 1) == 0 ? SEC_TYPES : SEC_INFO, (size_t)(*value >> 1));
}

struct view
dw_unit_view(struct dwarf_unit *u, uint64_t pos)
{
	struct view v;

	if (u->here) {
		v = view_of(dw_section_start(u->file, u->section), u->end);
	} else {
		v = dw_section_part(u->file, u->section, u->offset, u->end);
		u->here = v.size >= u->end;
		if (v.size > u->end)
			v.size = u->end;
	}
	view_seek(&v, pos);
	return v;
}

void
dw_unit_forget(struct dwarf_unit *u, bool was)
{
	if (was || u->here == false || u->root_end == 0)
		return;
	u->here = false;
	image_section_forget(
	    &u->file->sections[u->section].bytes, u->root_end, u->end);
}

void
dw_unit_deinit(struct dwarf_unit *u)
{
	if (u == NULL)
		return;
	dw_range_index_deinit(&u->functions);
	dw_scopes_free(u->scopes);
}

const char *
dw_unit_comp_dir(struct dwarf_unit *u)
{
	if (u->skeleton != NULL)
		u = u->skeleton;
	if (u->comp_dir_text == NULL)
		u->comp_dir_text = dw_string(u, &u->comp_dir);
	return u->comp_dir_text;
}

bool
dw_unit_is_cplus(const struct dwarf_unit *u)
{
	switch (u->language) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_ObjC_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_C_plus_plus_17:
	case DW_LANG_C_plus_plus_20:
		return true;
	default:
		return false;
	}
}

bool
dw_unit_has_scopes(const struct dwarf_unit *u)
{
	return dw_unit_is_cplus(u) || u->language == DW_LANG_Rust ||
	    u->language == DW_LANG_D || u->language == DW_LANG_Swift ||
	    u->language == DW_LANG_Go;
}

uint8_t
dwarf_unit_address_size(const struct dwarf_unit *unit)
{
	return unit->address_size;
}

uint8_t
dwarf_unit_offset_size(const struct dwarf_unit *unit)
{
	return unit->offset_size;
}

uint16_t
dwarf_unit_version(const struct dwarf_unit *unit)
{
	return unit->version;
}

bool
dwarf_unit_addrx(struct dwarf_unit *unit, uint64_t index, uint64_t *out)
{
	return dw_addrx(unit, index, out);
}

uint64_t
dwarf_unit_offset(const struct dwarf_unit *unit)
{
	return unit->offset;
}

uint32_t
dwarf_unit_language(const struct dwarf_unit *unit)
{
	return unit->language;
}

const char *
dwarf_unit_name(const struct dwarf_unit *unit)
{
	return dw_string(unit, &unit->name);
}

struct dwarf *
dwarf_unit_dwarf(const struct dwarf_unit *unit)
{
	return unit->file->dwarf;
}
