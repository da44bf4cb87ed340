/* SPDX-License-Identifier: MIT */
/*
 * The dimensions of arrays: constant counts, flexible ends, and bounds that
 * only a frame knows (DW_AT_upper_bound as an expression, a list or a
 * reference to a variable; GCC's VLAs).
 */
#include "dwarf/types.h"

enum { DIMENSIONS_MAX = 64 };

static int64_t
default_lower_bound(uint32_t language)
{
	switch (language) {
	case 0x07: /* Fortran 77 */
	case 0x08: /* Fortran 90 */
	case 0x0e: /* Fortran 95 */
	case 0x22: /* Fortran 03 */
	case 0x23: /* Fortran 08 */
	case 0x0d: /* Ada 95 */
	case 0x03: /* Ada 83 */
	case 0x05: /* COBOL */
	case 0x06:
	case 0x09: /* Pascal */
	case 0x0a: /* Modula-2 */
		return 1;
	default:
		return 0;
	}
}

/* A bound that is not a constant. */
static void
set_dynamic(struct dwarf_bound *b, const struct dw_die *d,
    const struct dw_value *v, bool is_count)
{
	struct dwarf_die die = dw_reference(d->unit, v);

	if (die.unit != NULL)
		b->die = die;
	else if (!dw_location_of(d->unit, v, &b->location))
		return;
	b->kind = DWARF_BOUND_DYNAMIC;
	b->is_count = is_count;
}

/* -1 as an upper bound means no elements: GCC wrote it for int a[0]. Unsigned
 * forms hold it as all ones of their own size. */
static bool
constant_bound(const struct dw_value *v, int64_t *out)
{
	uint64_t u;

	switch (v->form) {
	case DW_FORM_sec_offset:
	case DW_FORM_flag:
	case DW_FORM_flag_present:
		return false;
	case DW_FORM_data4:
		*out = (uint32_t)v->u == UINT32_MAX ? -1 : (int64_t)v->u;
		return true;
	default:
		if (!dw_unsigned(v, &u))
			return false;
		*out = (int64_t)u;
		return true;
	}
}

static void
read_bound(const struct dw_die *d, struct dwarf_bound *b)
{
	struct dw_value v;
	int64_t n;

	memset(b, 0, sizeof(*b));
	b->lower = default_lower_bound(d->unit->language);
	if (dw_attr(d, DW_AT_lower_bound, &v) && constant_bound(&v, &n))
		b->lower = n;
	if (dw_attr(d, DW_AT_count, &v)) {
		if (constant_bound(&v, &n)) {
			/* clang gives a flexible array the count -1. */
			b->kind = n < 0 ? DWARF_BOUND_NONE : DWARF_BOUND_COUNT;
			b->count = n < 0 ? 0 : (uint64_t)n;
		} else {
			set_dynamic(b, d, &v, true);
		}
	} else if (dw_attr(d, DW_AT_upper_bound, &v)) {
		if (constant_bound(&v, &n)) {
			b->kind = DWARF_BOUND_COUNT;
			if (n >= b->lower)
				b->count = (uint64_t)n - (uint64_t)b->lower + 1;
		} else {
			set_dynamic(b, d, &v, false);
		}
	}
}

/* GCC and clang write an enumeration as a dimension only for Ada, Pascal. */
static bool
is_dimension(uint16_t tag)
{
	return tag == DW_TAG_subrange_type || tag == DW_TAG_generic_subrange;
}

void
dw_type_array(struct dw_type *t, const struct dw_die *d, unsigned depth)
{
	struct dwarf_bound bounds[DIMENSIONS_MAX];
	uint64_t size = t->type.target->size;
	bool has_size = t->type.target->has_size;
	struct dw_iter it;
	unsigned n = 0;

	(void)depth;
	for (dw_children(&it, d); n < DIMENSIONS_MAX && dw_next(&it);) {
		if (is_dimension(it.die.abbrev->tag))
			read_bound(&it.die, &bounds[n++]);
	}
	if (n == 0) /* an array of unknown size */
		memset(&bounds[n++], 0, sizeof(bounds[0]));
	t->type.bounds = arena_array(
	    &d->unit->file->dwarf->arena, n, sizeof(bounds[0]));
	if (t->type.bounds == NULL)
		return;
	memcpy(t->type.bounds, bounds, n * sizeof(bounds[0]));
	t->type.n_bounds = n;
	for (unsigned i = 0; i < n; i++) {
		if (bounds[i].kind == DWARF_BOUND_DYNAMIC ||
		    __builtin_mul_overflow(size, bounds[i].count, &size))
			has_size = false;
	}
	if (!t->type.has_size && has_size) {
		t->type.size = size;
		t->type.has_size = true;
	}
}
