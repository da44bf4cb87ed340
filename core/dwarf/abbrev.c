/* SPDX-License-Identifier: MIT */
/*
 * Abbreviation tables. Each is read once; codes are nearly always 1, 2, 3 …,
 * so a declaration is found by index. For every declaration the way to skip a
 * DIE is worked out beforehand: its size when that is fixed, else a short list
 * of skips in which neighbouring fixed forms are merged.
 */
#include "dwarf/private.h"

enum {
	/* Real tables hold a few hundred declarations, those of merged LTO
	 * units some thousands (reliability.md case 73: 2M codes). */
	ABBREVS_MAX = 1 << 22,
	ABBREV_ATTRS_MAX = 1 << 24
};

static inline bool
spec_next(struct view *v, uint64_t *name, uint64_t *form, int64_t *implicit)
{
	*name = dw_uleb(v);
	*form = dw_uleb(v);
	*implicit = *form == DW_FORM_implicit_const ? view_sleb(v) : 0;
	return view_ok(v) && (*name != 0 || *form != 0);
}

bool
dw_abbrev_specs(const struct dwarf_unit *u, uint64_t code, uint16_t *tag,
    bool *children, struct view *specs)
{
	struct view all = dw_section(u->file, SEC_ABBREV);
	struct view v = view_from(&all, u->abbrev_offset);
	uint64_t name, form, found, n = 0;
	int64_t implicit;

	for (;;) {
		found = dw_uleb(&v);
		if (!view_ok(&v) || found == 0)
			return false;
		name = dw_uleb(&v);
		*tag = name <= UINT16_MAX ? (uint16_t)name : 0;
		*children = view_u8(&v) != 0;
		if (found == code)
			break;
		while (spec_next(&v, &name, &form, &implicit)) {
			if (++n % DW_SUBTREE_CHUNK == 0 &&
			    !dw_steps(u->file->dwarf, DW_SUBTREE_CHUNK))
				return false;
		}
	}
	*specs = v;
	return view_ok(&v);
}

static void
note_attr(struct dw_abbrev *a, uint64_t name)
{
	switch (name) {
	case DW_AT_low_pc:
	case DW_AT_ranges:
		a->flags |= DW_AB_PC;
		break;
	case DW_AT_declaration:
		a->flags |= DW_AB_DECLARATION;
		break;
	case DW_AT_name:
		a->flags |= DW_AB_NAME;
		break;
	case DW_AT_specification:
	case DW_AT_abstract_origin:
		a->flags |= DW_AB_ORIGIN;
		break;
	case DW_AT_signature:
		a->flags |= DW_AB_SIGNATURE;
		break;
	default:
		break;
	}
}

/* A skip: the kind in the low bits, the size of fixed ones above. */
enum skip_kind {
	SKIP_FIXED,
	SKIP_LEB,
	SKIP_STRING,
	SKIP_BLOCK1,
	SKIP_BLOCK2,
	SKIP_BLOCK4,
	SKIP_BLOCK,
	SKIP_FORM, /* anything else: the form itself */
	SKIP_BITS = 4
};

static enum skip_kind
skip_kind_of(uint16_t form)
{
	switch (form) {
	case DW_FORM_sdata:
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		return SKIP_LEB;
	case DW_FORM_string:
		return SKIP_STRING;
	case DW_FORM_block1:
		return SKIP_BLOCK1;
	case DW_FORM_block2:
		return SKIP_BLOCK2;
	case DW_FORM_block4:
		return SKIP_BLOCK4;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		return SKIP_BLOCK;
	default:
		return SKIP_FORM;
	}
}

static bool
add_skip(
    struct dw_abbrev_table *t, struct dw_abbrev *a, uint16_t form, int fixed)
{
	uint32_t *last = a->n_skips > 0
	    ? &t->skips.items[a->first_skip + a->n_skips - 1]
	    : NULL;
	uint32_t *skip;

	if (fixed == 0)
		return true;
	if (fixed > 0 && last != NULL &&
	    (*last & ((1 << SKIP_BITS) - 1)) == SKIP_FIXED &&
	    *last < UINT32_MAX / 2) {
		*last += (uint32_t)fixed << SKIP_BITS;
		return true;
	}
	skip = vec_push(&t->skips);
	if (skip == NULL)
		return false;
	if (fixed > 0)
		*skip = (uint32_t)fixed << SKIP_BITS | SKIP_FIXED;
	else
		*skip = (uint32_t)form << SKIP_BITS | skip_kind_of(form);
	a->n_skips++;
	return true;
}

static bool
read_attrs(struct dw_abbrev_table *t, const struct dwarf_unit *u,
    struct view *v, struct dw_abbrev *a)
{
	uint64_t name, form;
	int64_t implicit;

	while (spec_next(v, &name, &form, &implicit)) {
		struct dw_abbrev_attr *attr = vec_push(&t->attrs);
		int fixed;

		if (attr == NULL || form > UINT16_MAX ||
		    !dw_step(u->file->dwarf))
			return false;
		attr->name = name <= UINT16_MAX ? (uint16_t)name : 0;
		attr->form = (uint16_t)form;
		attr->implicit = implicit;
		a->n_attrs++;
		note_attr(a, name);
		fixed = dw_form_size(
		    attr->form, u->address_size, u->offset_size, u->version);
		attr->size = (int8_t)fixed;
		if (name == DW_AT_sibling && fixed > 0 && a->fixed_size >= 0 &&
		    a->sibling_size == 0) {
			a->sibling_size = (uint8_t)fixed;
			a->sibling_at = (uint32_t)a->fixed_size;
		}
		if (fixed < 0)
			a->fixed_size = -1;
		else if (a->fixed_size >= 0 && a->fixed_size < INT32_MAX / 2)
			a->fixed_size += fixed;
		if (!add_skip(t, a, attr->form, fixed))
			return false;
	}
	return view_ok(v);
}

static int
by_code(const void *pa, const void *pb)
{
	const struct dw_abbrev *a = pa, *b = pb;

	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	/* Of two declarations with one code the first counts. */
	return a->first_attr < b->first_attr ? -1 : 1;
}

static void
finish(struct dw_abbrev_table *t)
{
	while (t->n_sequential < t->items.count &&
	    t->items.items[t->n_sequential].code == t->n_sequential + 1)
		t->n_sequential++;
	if (t->items.count > t->n_sequential)
		qsort(t->items.items + t->n_sequential,
		    t->items.count - t->n_sequential, sizeof(t->items.items[0]),
		    by_code);
}

static bool
read_table(struct dw_abbrev_table *t, const struct dwarf_unit *u)
{
	struct view all = dw_section(u->file, SEC_ABBREV);
	struct view v = view_from(&all, u->abbrev_offset);

	for (;;) {
		uint64_t code = view_uleb(&v), tag;
		struct dw_abbrev *a;

		/* The last table of a section may lack its end mark. */
		if (!view_ok(&v) || code == 0)
			break;
		a = vec_push(&t->items);
		if (a == NULL || code > UINT32_MAX)
			return false;
		tag = view_uleb(&v);
		a->code = (uint32_t)code;
		a->tag = tag <= UINT16_MAX ? (uint16_t)tag : 0;
		a->flags = view_u8(&v) != 0 ? DW_AB_CHILDREN : 0;
		a->first_attr = (uint32_t)t->attrs.count;
		a->first_skip = (uint32_t)t->skips.count;
		if (!read_attrs(t, u, &v, a))
			return false;
	}
	finish(t);
	return true;
}

/* Tables are shared by units whose forms have the same sizes. */
static uint64_t
table_key(const struct dwarf_unit *u)
{
	return u->abbrev_offset << 3 | (uint64_t)(u->offset_size == 8) << 2 |
	    (uint64_t)(u->address_size == 8) << 1 | (u->version == 2);
}

bool
dw_unit_abbrevs(struct dwarf_unit *u)
{
	struct dwarf_file *f = u->file;
	struct dw_abbrev_table *t;

	if (u->abbrevs != NULL)
		return true;
	if (u->abbrevs_failed)
		return false;
	u->abbrevs = map_get_ptr(&f->abbrevs, table_key(u));
	if (u->abbrevs != NULL)
		return true;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return false;
	vec_init(&t->items, ABBREVS_MAX);
	vec_init(&t->attrs, ABBREV_ATTRS_MAX);
	vec_init(&t->skips, ABBREV_ATTRS_MAX);
	if (!read_table(t, u) ||
	    (f->abbrev_attrs += t->attrs.count) > ABBREV_ATTRS_MAX ||
	    !map_put_ptr(&f->abbrevs, table_key(u), t)) {
		dw_warn(f->dwarf, "dwarf-abbrev",
		    "%s: the abbreviation table at 0x%llx is damaged",
		    image_path(f->image), (unsigned long long)u->abbrev_offset);
		u->abbrevs_failed = true;
		dw_abbrev_table_free(t);
		return false;
	}
	t->next = f->all_abbrevs;
	f->all_abbrevs = t;
	u->abbrevs = t;
	return true;
}

void
dw_abbrev_table_free(struct dw_abbrev_table *t)
{
	vec_deinit(&t->items);
	vec_deinit(&t->attrs);
	vec_deinit(&t->skips);
	free(t);
}

const struct dw_abbrev *
dw_abbrev_find(const struct dw_abbrev_table *t, uint64_t code)
{
	size_t low = t->n_sequential, high = t->items.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->items.items[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->items.count && t->items.items[low].code == code
	    ? &t->items.items[low]
	    : NULL;
}

static inline void
skip_leb(struct view *v)
{
	for (int i = 0; i < 16; i++) {
		if ((view_u8(v) & 0x80) == 0)
			return;
	}
	v->failed = true;
}

static inline void
skip_one(struct view *v, const struct dwarf_unit *u, uint32_t skip)
{
	uint32_t rest = skip >> SKIP_BITS;

	switch (skip & ((1 << SKIP_BITS) - 1)) {
	case SKIP_FIXED:
		view_skip(v, rest);
		break;
	case SKIP_LEB:
		skip_leb(v);
		break;
	case SKIP_STRING:
		(void)view_cstr(v);
		break;
	case SKIP_BLOCK1:
		view_skip(v, view_u8(v));
		break;
	case SKIP_BLOCK2:
		view_skip(v, view_u16(v));
		break;
	case SKIP_BLOCK4:
		view_skip(v, view_u32(v));
		break;
	case SKIP_BLOCK:
		view_skip(v, (size_t)view_uleb(v));
		break;
	default:
		if (!dw_form_skip(v, u, (uint16_t)rest))
			v->failed = true;
		break;
	}
}

void
dw_abbrev_skip(
    struct view *v, const struct dwarf_unit *u, const struct dw_abbrev *a)
{
	const uint32_t *skips;
	struct view at = *v; /* kept in registers */

	if (a->fixed_size >= 0) {
		view_skip(v, (size_t)a->fixed_size);
		return;
	}
	skips = u->abbrevs->skips.items + a->first_skip;
	for (uint32_t i = 0; i < a->n_skips; i++)
		skip_one(&at, u, skips[i]);
	*v = at;
}
