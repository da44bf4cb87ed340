/* SPDX-License-Identifier: MIT */
/*
 * Attribute values: reading and skipping every form of DWARF 2 to 5 and GNU's,
 * and turning a raw value into a string, an address, a number, a block or a
 * DIE. DWARF 5 section 7.5.6; the GNU forms are those of dwz and of GCC's
 * -gsplit-dwarf before DWARF 5.
 */
#include "dwarf/private.h"

int
dw_form_size(
    uint16_t form, uint8_t address_size, uint8_t offset_size, uint16_t version)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return address_size;
	case DW_FORM_ref_addr:
		/* DWARF 2 gave it the size of an address. */
		return version <= 2 ? address_size : offset_size;
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		return offset_size;
	default:
		return -1;
	}
}

bool
dw_form_is_block(uint16_t form)
{
	switch (form) {
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
	case DW_FORM_block:
	case DW_FORM_exprloc:
		return true;
	default:
		return false;
	}
}

static bool
read_block(struct view *v, uint64_t length, struct dw_value *out)
{
	if (length > view_left(v)) {
		v->failed = true;
		return false;
	}
	out->u = length;
	out->data = view_bytes(v, (size_t)length);
	return view_ok(v);
}

bool
dw_form_read(struct view *v, const struct dwarf_unit *u, uint16_t form,
    int64_t implicit, struct dw_value *out)
{
	int size = dw_form_size(
	    form, u->address_size, u->offset_size, u->version);
	uint64_t indirect;

	*out = (struct dw_value){.form = form};
	if (size > 0 && size <= 8) {
		out->u = view_uint(v, (size_t)size);
		return view_ok(v);
	}
	switch (form) {
	case DW_FORM_flag_present:
		out->u = 1;
		return true;
	case DW_FORM_implicit_const:
		out->u = (uint64_t)implicit;
		return true;
	case DW_FORM_data16:
		return read_block(v, 16, out);
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		out->u = view_uleb(v);
		return view_ok(v);
	case DW_FORM_sdata:
		out->u = (uint64_t)view_sleb(v);
		return view_ok(v);
	case DW_FORM_string:
		out->data = (const uint8_t *)view_cstr(v);
		return view_ok(v);
	case DW_FORM_block1:
		return read_block(v, view_u8(v), out);
	case DW_FORM_block2:
		return read_block(v, view_u16(v), out);
	case DW_FORM_block4:
		return read_block(v, view_u32(v), out);
	case DW_FORM_block:
	case DW_FORM_exprloc:
		return read_block(v, view_uleb(v), out);
	case DW_FORM_indirect:
		indirect = view_uleb(v);
		/* One step only, and a constant would have no place. */
		if (indirect == DW_FORM_indirect ||
		    indirect == DW_FORM_implicit_const || indirect > UINT16_MAX)
			break;
		return dw_form_read(v, u, (uint16_t)indirect, 0, out);
	default:
		break;
	}
	v->failed = true;
	return false;
}

bool
dw_form_skip(struct view *v, const struct dwarf_unit *u, uint16_t form)
{
	struct dw_value value;
	int size = dw_form_size(
	    form, u->address_size, u->offset_size, u->version);

	if (size >= 0) {
		view_skip(v, (size_t)size);
		return view_ok(v);
	}
	return dw_form_read(v, u, form, 0, &value);
}

static const char *
string_at(struct dwarf_file *f, enum dw_section s, uint64_t offset)
{
	struct view v;
	const char *text;

	if (f == NULL || offset >= dw_section_size(f, s))
		return NULL;
	/* Nearly always this is far enough. */
	v = dw_section_to(f, s, offset + DW_AHEAD);
	view_seek(&v, offset);
	text = view_cstr(&v);
	if (text != NULL || v.size == dw_section_size(f, s))
		return text;
	v = dw_section(f, s);
	view_seek(&v, offset);
	return view_cstr(&v);
}

static const char *
string_indexed(const struct dwarf_unit *u, uint64_t index)
{
	struct view v;
	uint64_t at;

	if (__builtin_mul_overflow(index, (uint64_t)u->offset_size, &at) ||
	    __builtin_add_overflow(at, u->str_offsets_base, &at) ||
	    at >= dw_section_size(u->file, SEC_STR_OFFSETS))
		return NULL;
	v = dw_section_to(u->file, SEC_STR_OFFSETS, at + DW_MARGIN);
	view_seek(&v, at);
	at = view_uint(&v, u->offset_size);
	return view_ok(&v) ? string_at(u->file, SEC_STR, at) : NULL;
}

const char *
dw_string(const struct dwarf_unit *u, const struct dw_value *v)
{
	switch (v->form) {
	case DW_FORM_string:
		return (const char *)v->data;
	case DW_FORM_strp:
		return string_at(u->file, SEC_STR, v->u);
	case DW_FORM_line_strp:
		return string_at(u->file, SEC_LINE_STR, v->u);
	case DW_FORM_GNU_strp_alt:
	case DW_FORM_strp_sup:
		return string_at(dw_alt(u->file->dwarf), SEC_STR, v->u);
	case DW_FORM_strx:
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
	case DW_FORM_GNU_str_index:
		return string_indexed(u, v->u);
	default:
		return NULL;
	}
}

bool
dw_addrx(const struct dwarf_unit *u, uint64_t index, uint64_t *out)
{
	const struct dwarf_unit *owner = u->skeleton != NULL ? u->skeleton : u;
	struct view v;
	uint64_t at;

	if (__builtin_mul_overflow(index, (uint64_t)u->address_size, &at) ||
	    __builtin_add_overflow(at, owner->addr_base, &at) ||
	    at >= dw_section_size(owner->file, SEC_ADDR))
		return false;
	v = dw_section_to(owner->file, SEC_ADDR, at + DW_MARGIN);
	view_seek(&v, at);
	*out = view_uint(&v, u->address_size);
	return view_ok(&v);
}

bool
dw_address(const struct dwarf_unit *u, const struct dw_value *v, uint64_t *out)
{
	switch (v->form) {
	case DW_FORM_addr:
		*out = v->u;
		return true;
	case DW_FORM_addrx:
	case DW_FORM_addrx1:
	case DW_FORM_addrx2:
	case DW_FORM_addrx3:
	case DW_FORM_addrx4:
	case DW_FORM_GNU_addr_index:
		return dw_addrx(u, v->u, out);
	default:
		return false;
	}
}

bool
dw_unsigned(const struct dw_value *v, uint64_t *out)
{
	switch (v->form) {
	case DW_FORM_data1:
	case DW_FORM_data2:
	case DW_FORM_data4:
	case DW_FORM_data8:
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_implicit_const:
	case DW_FORM_sec_offset:
	case DW_FORM_flag:
	case DW_FORM_flag_present:
		*out = v->u;
		return true;
	default:
		return false;
	}
}

bool
dw_signed(const struct dw_value *v, int64_t *out)
{
	switch (v->form) {
	case DW_FORM_data1:
		*out = (int8_t)v->u;
		return true;
	case DW_FORM_data2:
		*out = (int16_t)v->u;
		return true;
	case DW_FORM_data4:
		*out = (int32_t)v->u;
		return true;
	case DW_FORM_data8:
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_implicit_const:
		*out = (int64_t)v->u;
		return true;
	default:
		return false;
	}
}

bool
dw_flag(const struct dw_value *v)
{
	return (v->form == DW_FORM_flag || v->form == DW_FORM_flag_present ||
		   v->form == DW_FORM_implicit_const) &&
	    v->u != 0;
}

bool
dw_block(const struct dw_value *v, struct view *out)
{
	if (!dw_form_is_block(v->form))
		return false;
	*out = view_of(v->data, (size_t)v->u);
	return true;
}

static struct dwarf_die
die_in(struct dwarf_unit *u, uint64_t offset, const struct dwarf_unit *from)
{
	if (u == NULL || offset < u->first_die || offset >= u->end)
		return (struct dwarf_die){NULL, 0};
	/* dwz and GCC leave the language out of partial units: such a unit
	 * speaks the language of the first unit that uses it. */
	if (u->language == 0)
		u->language = from->language;
	return (struct dwarf_die){u, offset};
}

static struct dwarf_die
die_in_file(
    struct dwarf_file *f, uint64_t offset, const struct dwarf_unit *from)
{
	if (f == NULL)
		return (struct dwarf_die){NULL, 0};
	return die_in(dw_unit_containing(f, SEC_INFO, offset), offset, from);
}

struct dwarf_die
dwarf_unit_die_at(struct dwarf_unit *u, uint64_t offset)
{
	if (__builtin_add_overflow(offset, u->info_base, &offset))
		return (struct dwarf_die){NULL, 0};
	if (u->section == SEC_INFO && offset >= u->first_die && offset < u->end)
		return die_in(u, offset, u);
	return die_in_file(u->file, offset, u);
}

struct dwarf_die
dw_reference(struct dwarf_unit *u, const struct dw_value *v)
{
	struct dwarf_unit *type_unit;

	switch (v->form) {
	case DW_FORM_ref1:
	case DW_FORM_ref2:
	case DW_FORM_ref4:
	case DW_FORM_ref8:
	case DW_FORM_ref_udata:
		if (v->u > u->end - u->offset)
			break;
		return die_in(u, u->offset + v->u, u);
	case DW_FORM_ref_addr:
		return dwarf_unit_die_at(u, v->u);
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_ref_sup4:
	case DW_FORM_ref_sup8:
		return die_in_file(dw_alt(u->file->dwarf), v->u, u);
	case DW_FORM_ref_sig8:
		type_unit = dw_unit_by_signature(u->file, v->u);
		if (type_unit == NULL)
			break;
		return die_in(type_unit, type_unit->type_offset, u);
	default:
		break;
	}
	return (struct dwarf_die){NULL, 0};
}
