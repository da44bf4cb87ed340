/* SPDX-License-Identifier: MIT */
/*
 * Objects of which a discriminant selects the members: Rust's enums with data.
 * Shown is the active variant alone, as GDB does: a struct with one member,
 * named and typed as the variant, whose name is also the struct's text. A
 * discriminant that no variant has is said, not guessed at.
 */
#include "value/value_private.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* The members that all variants have, then its own. */
static void
lay_out_variant(struct value_reader *r, struct shape *s,
    const struct dwarf_variant *variant, struct shape_variant *out)
{
	uint32_t n = s->n_fields;

	out->variant = variant;
	out->name = variant->n_members == 1
	    ? value_name(r, variant->members[0].name)
	    : "";
	out->fields = arena_array(&r->arena,
	    (size_t)s->n_fields + variant->n_members, sizeof(*out->fields));
	if (out->fields == NULL)
		return;
	if (n != 0)
		memcpy(out->fields, s->fields, n * sizeof(*out->fields));
	for (unsigned i = 0; i < variant->n_members; i++) {
		if (budget_step(r->budget) == false)
			break;
		shape_field(r, s, &out->fields[n], &variant->members[i]);
		if (out->fields[n].shape != NULL)
			n++;
	}
	out->n_fields = n;
}

void
variant_lay_out(struct value_reader *r, struct shape *s)
{
	const struct dwarf_variant_part *part = s->type->variants;

	if (part == NULL || part->n_variants == 0)
		return;
	s->variants = arena_array(
	    &r->arena, part->n_variants, sizeof(*s->variants));
	if (s->variants == NULL)
		return;
	s->n_variants = part->n_variants;
	for (unsigned i = 0; i < part->n_variants; i++)
		lay_out_variant(r, s, &part->variants[i], &s->variants[i]);
}

static uint128
wide(const uint64_t halves[2])
{

	return (uint128)halves[1] << 64 | halves[0];
}

/* The number that the low `size` bytes are. */
static uint128
fit(uint128 x, uint64_t size, bool is_signed)
{
	unsigned unused = size < 16 ? 128 - (unsigned)size * 8 : 0;

	x <<= unused;
	return is_signed ? (uint128)((int128)x >> unused) : x >> unused;
}

static bool
in_range(const struct dwarf_discriminant *d, uint128 x, uint64_t size,
    bool is_signed)
{
	uint128 low = fit(wide(d->low), size, is_signed);
	uint128 high = fit(wide(d->high), size, is_signed);

	if (is_signed)
		return (int128)low <= (int128)x && (int128)x <= (int128)high;
	return low <= x && x <= high;
}

static const struct shape_variant *
find_variant(const struct shape *s, uint128 x, uint64_t size)
{
	const struct shape_variant *fallback = NULL;
	bool is_signed = s->type->variants->is_signed;

	for (uint32_t i = 0; i < s->n_variants; i++) {
		const struct dwarf_variant *v = s->variants[i].variant;

		if (v->is_default)
			fallback = &s->variants[i];
		for (unsigned k = 0; k < v->n_ranges; k++) {
			if (in_range(&v->ranges[k], x, size, is_signed))
				return &s->variants[i];
		}
	}
	return fallback;
}

const struct shape_variant *
variant_active(struct evaluator *ev, const struct shape *s,
    const struct source *src, uint64_t offset, const char **reason)
{
	const struct dwarf_variant_part *part = s->type->variants;
	const struct dwarf_type *type = part->discriminant.type;
	const struct shape_variant *found;
	const uint8_t *bytes;
	uint8_t room[16];
	uint128 x = 0;

	if (part->has_discriminant == false)
		return &s->variants[0];
	*reason = "discriminant of unknown type";
	if (type->has_size == false || type->size == 0 ||
	    type->size > sizeof(room) || part->discriminant.offset_is_expr)
		return NULL;
	bytes = source_get(ev->r, src, offset + part->discriminant.offset,
	    type->size, room, reason);
	if (bytes == NULL)
		return NULL;
	memcpy(&x, bytes, type->size);
	x = fit(x, type->size, part->is_signed);
	found = find_variant(s, x, type->size);
	if (found == NULL)
		*reason = snapshot_printf(ev->r->snapshot,
		    "no variant has the discriminant 0x%llx",
		    (unsigned long long)x);
	return found;
}
