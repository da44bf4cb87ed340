/* SPDX-License-Identifier: MIT */
/*
 * Where a variable is: a single expression, a constant, or a list by pc in
 * .debug_loc (DWARF 3 section 2.6.2) or .debug_loclists (DWARF 5 section
 * 2.6.2). Finding the entry is here; evaluating it is the caller's, with
 * expr/.
 */
#include "dwarf/private.h"

static bool
loclist_position(const struct dwarf_unit *u, uint64_t index, uint64_t *out)
{
	struct view v;
	uint64_t at;

	if (__builtin_mul_overflow(index, (uint64_t)u->offset_size, &at) ||
	    __builtin_add_overflow(at, u->loclists_base, &at) ||
	    at >= dw_section_size(u->file, SEC_LOCLISTS))
		return false;
	v = dw_section_to(u->file, SEC_LOCLISTS, at + DW_MARGIN);
	view_seek(&v, at);
	*out = u->loclists_base + view_uint(&v, u->offset_size);
	return view_ok(&v);
}

bool
dw_location_of(
    struct dwarf_unit *u, const struct dw_value *v, struct dwarf_location *out)
{
	memset(out, 0, sizeof(*out));
	out->unit = u;
	if (dw_block(v, &out->block)) {
		out->kind = DWARF_LOC_EXPR;
		return true;
	}
	out->kind = DWARF_LOC_LIST;
	switch (v->form) {
	case DW_FORM_loclistx:
		if (loclist_position(u, v->u, &out->list))
			return true;
		break;
	case DW_FORM_sec_offset:
	case DW_FORM_data4: /* loclistptr before DWARF 4 */
	case DW_FORM_data8:
		if (__builtin_add_overflow(v->u, u->loc_base, &out->list))
			break;
		return true;
	default:
		break;
	}
	out->kind = DWARF_LOC_NONE;
	return false;
}

void
dw_location_of_constant(
    struct dwarf_unit *u, const struct dw_value *v, struct dwarf_location *out)
{
	const char *text;

	memset(out, 0, sizeof(*out));
	out->unit = u;
	out->kind = DWARF_LOC_BYTES;
	if (dw_block(v, &out->block))
		return;
	if (v->form == DW_FORM_data16) {
		out->block = view_of(v->data, (size_t)v->u);
		return;
	}
	text = dw_string(u, v);
	if (text != NULL) {
		out->block = view_of(text, strlen(text) + 1);
		return;
	}
	out->kind = DWARF_LOC_CONST;
	out->constant = (int64_t)v->u;
	out->constant_is_signed = v->form == DW_FORM_sdata ||
	    v->form == DW_FORM_implicit_const;
	if (v->form == DW_FORM_addr)
		return;
	if (!dw_unsigned(v, &(uint64_t){0}))
		out->kind = DWARF_LOC_NONE;
}

struct entry {
	uint64_t low, high;
	struct view block;
	bool is_default;
};

/* False at the end of the list, or when it is damaged (v failed). */
static bool
next_v4(struct view *v, const struct dwarf_unit *u, uint64_t *base,
    struct entry *out)
{
	uint64_t selector = u->address_size == 8 ? UINT64_MAX : UINT32_MAX;

	for (;;) {
		uint64_t low = view_uint(v, u->address_size);
		uint64_t high = view_uint(v, u->address_size);
		const uint8_t *data;
		size_t size;

		if (!view_ok(v) || (low == 0 && high == 0))
			return false;
		if (low == selector) {
			*base = high;
			continue;
		}
		size = view_u16(v);
		data = view_bytes(v, size);
		out->low = *base + low;
		out->high = *base + high;
		out->block = view_of(data, size);
		out->is_default = false;
		return view_ok(v);
	}
}

/* GNU's form of .debug_loc.dwo, with indices in place of addresses (GCC wiki,
 * DebugFission): like DWARF 5's, but for the fixed sizes of numbers. */
static bool
next_gnu(struct view *v, const struct dwarf_unit *u, uint64_t *base,
    struct entry *out)
{
	bool ok = true;
	size_t size;

	out->is_default = false;
	for (;;) {
		switch (view_u8(v)) {
		case DW_LLE_base_addressx:
			if (dw_addrx(u, view_uleb(v), base))
				continue;
			ok = false;
			break;
		case DW_LLE_startx_endx:
			ok = dw_addrx(u, view_uleb(v), &out->low);
			ok = dw_addrx(u, view_uleb(v), &out->high) && ok;
			break;
		case DW_LLE_startx_length:
			ok = dw_addrx(u, view_uleb(v), &out->low);
			out->high = out->low + view_u32(v);
			break;
		case DW_LLE_offset_pair:
			out->low = *base + view_u32(v);
			out->high = *base + view_u32(v);
			break;
		case DW_LLE_end_of_list:
			return false;
		default:
			ok = false;
			break;
		}
		break;
	}
	size = view_u16(v);
	out->block = view_of(view_bytes(v, size), size);
	if (!ok)
		v->failed = true;
	return view_ok(v);
}

/* The addresses of a DWARF 5 entry. *has: an expression follows. False at the
 * end of the list or when damaged. */
static bool
bounds_v5(struct view *v, const struct dwarf_unit *u, uint64_t *base,
    struct entry *out, bool *has)
{
	bool ok = true;

	*has = true;
	out->is_default = false;
	out->low = out->high = 0;
	switch (view_u8(v)) {
	case DW_LLE_base_addressx:
		ok = dw_addrx(u, view_uleb(v), base);
		*has = false;
		break;
	case DW_LLE_startx_endx:
		ok = dw_addrx(u, view_uleb(v), &out->low);
		ok = dw_addrx(u, view_uleb(v), &out->high) && ok;
		break;
	case DW_LLE_startx_length:
		ok = dw_addrx(u, view_uleb(v), &out->low);
		out->high = out->low + view_uleb(v);
		break;
	case DW_LLE_offset_pair:
		out->low = *base + view_uleb(v);
		out->high = *base + view_uleb(v);
		break;
	case DW_LLE_default_location:
		out->is_default = true;
		break;
	case DW_LLE_base_address:
		*base = view_uint(v, u->address_size);
		*has = false;
		break;
	case DW_LLE_start_end:
		out->low = view_uint(v, u->address_size);
		out->high = view_uint(v, u->address_size);
		break;
	case DW_LLE_start_length:
		out->low = view_uint(v, u->address_size);
		out->high = out->low + view_uleb(v);
		break;
	case DW_LLE_GNU_view_pair:
		(void)view_uleb(v);
		(void)view_uleb(v);
		*has = false;
		break;
	case DW_LLE_end_of_list:
		return false;
	default:
		v->failed = true;
		return false;
	}
	if (!ok)
		v->failed = true;
	return view_ok(v);
}

static bool
next_v5(struct view *v, const struct dwarf_unit *u, uint64_t *base,
    struct entry *out)
{
	bool has;

	while (bounds_v5(v, u, base, out, &has)) {
		uint64_t size;

		if (!has)
			continue;
		size = view_uleb(v);
		if (size > view_left(v)) {
			v->failed = true;
			return false;
		}
		out->block = view_of(view_bytes(v, (size_t)size), (size_t)size);
		return view_ok(v);
	}
	return false;
}

static bool
next_entry(struct view *v, const struct dwarf_unit *u, uint64_t *base,
    struct entry *out)
{
	if (u->version >= 5)
		return next_v5(v, u, base, out);
	return u->file->dwo ? next_gnu(v, u, base, out)
			    : next_v4(v, u, base, out);
}

/* In the part of the section that v is; BT_E_FORMAT where that is too short. */
static bool
list_in(struct view v, const struct dwarf_location *l, uint64_t pc,
    struct view *out, bt_error_t *e)
{
	struct dwarf_unit *u = l->unit;
	bool have_default = false;
	uint64_t base = u->low_pc;
	struct entry entry;

	view_seek(&v, l->list);
	for (;;) {
		if (!dw_step(u->file->dwarf))
			return bt_fail(e, BT_E_LIMIT, "location list: budget");
		if (!next_entry(&v, u, &base, &entry))
			break;
		if (entry.is_default) {
			have_default = true;
			*out = entry.block;
		} else if (pc >= entry.low && pc < entry.high) {
			*out = entry.block;
			return true;
		}
	}
	if (!view_ok(&v))
		return bt_fail_format(e, l->list, "damaged location list");
	if (have_default)
		return true;
	return bt_fail(e, BT_E_NOTFOUND, "optimized out");
}

static bool
list_at(const struct dwarf_location *l, uint64_t pc, struct view *out,
    bt_error_t *e)
{
	struct dwarf_file *f = l->unit->file;
	enum dw_section s = l->unit->version >= 5 ? SEC_LOCLISTS : SEC_LOC;
	bt_error_t why = {0};
	struct view v;

	if (l->list >= dw_section_size(f, s))
		return bt_fail_format(e, l->list, "damaged location list");
	/* How long it is, nobody says; few are longer than this. */
	v = dw_section_to(f, s, l->list + DW_AHEAD);
	if (v.size == dw_section_size(f, s))
		return list_in(v, l, pc, out, e);
	if (list_in(v, l, pc, out, &why))
		return true;
	if (why.code == BT_E_FORMAT)
		return list_in(dw_section(f, s), l, pc, out, e);
	if (e != NULL)
		*e = why;
	return false;
}

/* LLVM writes DW_OP_entry_value alone also where the version has no
 * DW_OP_stack_value to say that it is the value itself and not its address. */
static bool
is_ambiguous(const struct dwarf_unit *u, struct view block)
{
	uint8_t op = view_u8(&block);
	uint64_t size;

	if (u->version >= 4 ||
	    (op != DW_OP_entry_value && op != DW_OP_GNU_entry_value))
		return false;
	size = view_uleb(&block);
	return view_ok(&block) && size == view_left(&block);
}

static bool
find_block(const struct dwarf_location *location, uint64_t pc, struct view *out,
    bt_error_t *e)
{
	switch (location->kind) {
	case DWARF_LOC_EXPR:
		*out = location->block;
		return true;
	case DWARF_LOC_LIST:
		return list_at(location, pc, out, e);
	case DWARF_LOC_NONE:
	case DWARF_LOC_CONST:
	case DWARF_LOC_BYTES:
	default:
		return bt_fail(e, BT_E_NOTFOUND, "optimized out");
	}
}

bool
dwarf_location_at(const struct dwarf_location *location, uint64_t pc,
    struct view *out, bt_error_t *e)
{
	if (!find_block(location, pc, out, e))
		return false;
	return !is_ambiguous(location->unit, *out) ||
	    bt_fail(e, BT_E_NOTFOUND, "optimized out");
}

bool
dwarf_die_location(struct dwarf_die die, struct dwarf_location *out)
{
	struct dw_value v;
	struct dw_die d, owner;

	if (!dw_die_open(die, &d))
		return false;
	if (dw_attr_inherited(&d, DW_AT_const_value, &v, &owner)) {
		dw_location_of_constant(owner.unit, &v, out);
		return true;
	}
	return dw_attr_inherited(&d, DW_AT_location, &v, &owner) &&
	    dw_location_of(owner.unit, &v, out);
}
