/* SPDX-License-Identifier: MIT */
/*
 * Variant parts (DWARF 5, section 5.7.10): enums of Rust that carry data, and
 * the variant records of Ada and Pascal. Which variant is active is told by a
 * discriminant: a member of the object, matched against values and ranges; the
 * variant without any is the default (Rust's "niche": a value that no other
 * variant can have).
 */
#include "dwarf/types.h"

enum { VARIANTS_MAX = 1 << 16, RANGES_MAX = 1 << 16 };

/* DWARF 5, table 7.27 */
enum { DSC_LABEL = 0, DSC_RANGE = 1 };

static void
set_wide(uint64_t out[2], bool is_signed, int64_t value)
{
	out[0] = (uint64_t)value;
	out[1] = is_signed && value < 0 ? UINT64_MAX : 0;
}

/* Values of more than 8 bytes come as blocks. */
static bool
read_wide(const struct dw_value *v, bool is_signed, uint64_t out[2])
{
	uint8_t bytes[16] = {0};
	struct view block;
	uint64_t u;
	int64_t i;

	if (is_signed ? dw_signed(v, &i) : dw_unsigned(v, &u)) {
		set_wide(out, is_signed, is_signed ? i : (int64_t)u);
		return true;
	}
	if (v->form == DW_FORM_data16 && v->data != NULL) {
		memcpy(bytes, v->data, sizeof(bytes));
	} else {
		if (!dw_block(v, &block) || block.size > sizeof(bytes))
			return false;
		memcpy(bytes, block.data, block.size);
	}
	memcpy(out, bytes, sizeof(bytes));
	return true;
}

struct ranges {
	VEC(struct dwarf_discriminant) items;
};

static void
add_range(struct ranges *ranges, const uint64_t low[2], const uint64_t high[2])
{
	struct dwarf_discriminant *d = vec_push(&ranges->items);

	if (d == NULL)
		return;
	memcpy(d->low, low, sizeof(d->low));
	memcpy(d->high, high, sizeof(d->high));
}

/* DW_AT_discr_list: labels and ranges, as LEB128 of the discriminant's sign. */
static void
read_list(struct ranges *ranges, struct view list, bool is_signed)
{
	uint64_t low[2], high[2];

	while (view_left(&list) != 0 && ranges->items.count < RANGES_MAX) {
		uint8_t kind = view_u8(&list);

		set_wide(low, is_signed,
		    is_signed ? view_sleb(&list) : (int64_t)view_uleb(&list));
		memcpy(high, low, sizeof(high));
		if (kind == DSC_RANGE)
			set_wide(high, is_signed,
			    is_signed ? view_sleb(&list)
				      : (int64_t)view_uleb(&list));
		else if (kind != DSC_LABEL)
			return;
		if (!view_ok(&list))
			return;
		add_range(ranges, low, high);
	}
}

/* A value that cannot be read must not turn its variant into the default. */
static bool
read_ranges(const struct dw_die *d, bool is_signed, struct dwarf_variant *out)
{
	struct ranges ranges;
	struct dw_value v;
	struct view list;
	uint64_t value[2];
	bool has = false;

	vec_init(&ranges.items, RANGES_MAX);
	if (dw_attr(d, DW_AT_discr_value, &v)) {
		has = true;
		if (read_wide(&v, is_signed, value))
			add_range(&ranges, value, value);
	} else if (dw_attr(d, DW_AT_discr_list, &v)) {
		has = true;
		if (dw_block(&v, &list))
			read_list(&ranges, list, is_signed);
	}
	out->is_default = !has;
	out->ranges = arena_array(&d->unit->file->dwarf->arena,
	    ranges.items.count, sizeof(*out->ranges));
	if (out->ranges != NULL && ranges.items.count != 0) {
		memcpy(out->ranges, ranges.items.items,
		    ranges.items.count * sizeof(*out->ranges));
		out->n_ranges = (unsigned)ranges.items.count;
	}
	vec_deinit(&ranges.items);
	return out->is_default || out->n_ranges != 0;
}

static bool
is_signed_type(const struct dwarf_type *type)
{
	type = dwarf_type_strip(type);
	return type->encoding == DW_ATE_signed ||
	    type->encoding == DW_ATE_signed_char;
}

static void
read_discriminant(struct dwarf_variant_part *part, const struct dw_die *d)
{
	struct dwarf_die ref = dw_attr_die(d, DW_AT_discr);
	struct dw_die die;

	part->has_discriminant = ref.unit != NULL && dw_die_open(ref, &die) &&
	    dw_member_read(&die, &part->discriminant);
	if (part->has_discriminant)
		part->is_signed = is_signed_type(part->discriminant.type);
}

static void
read_variants(struct dwarf_variant_part *part, const struct dw_die *d)
{
	struct arena *a = &d->unit->file->dwarf->arena;
	VEC(struct dwarf_variant) variants;
	struct dw_iter it;

	vec_init(&variants, VARIANTS_MAX);
	for (dw_children(&it, d); dw_next(&it);) {
		struct dwarf_variant variant = {0}, *place;

		if (it.die.abbrev->tag != DW_TAG_variant ||
		    !read_ranges(&it.die, part->is_signed, &variant))
			continue;
		dw_members_read(&it.die, &variant.members, &variant.n_members);
		place = vec_push(&variants);
		if (place == NULL)
			break;
		*place = variant;
	}
	part->variants = arena_array(
	    a, variants.count, sizeof(*part->variants));
	if (part->variants != NULL && variants.count != 0) {
		memcpy(part->variants, variants.items,
		    variants.count * sizeof(*part->variants));
		part->n_variants = (unsigned)variants.count;
	}
	vec_deinit(&variants);
}

/* The others have none: spares C++ a walk over all classes. */
static bool
has_variants(uint32_t language)
{
	switch (language) {
	case DW_LANG_Rust:
	case 0x03: /* Ada 83 */
	case 0x0d: /* Ada 95 */
	case 0x09: /* Pascal */
		return true;
	default:
		return false;
	}
}

const struct dwarf_variant_part *
dw_variants_of(const struct dw_die *d)
{
	struct dwarf_variant_part *part;
	struct dw_iter it;

	if (!has_variants(d->unit->language))
		return NULL;
	for (dw_children(&it, d); dw_next(&it);) {
		if (it.die.abbrev->tag != DW_TAG_variant_part)
			continue;
		part = ARENA_NEW(
		    &d->unit->file->dwarf->arena, struct dwarf_variant_part);
		if (part == NULL)
			return NULL;
		read_discriminant(part, &it.die);
		read_variants(part, &it.die);
		return part;
	}
	return NULL;
}
