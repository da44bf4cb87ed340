/* SPDX-License-Identifier: MIT */
/*
 * Arguments of C++ templates, as types and numbers: the children of the
 * class's DIE, in order, those of a parameter pack in its place. The name of a
 * class spells them, too, but a name is no type.
 */
#include "dwarf/types.h"

static bool
is_parameter(uint16_t tag)
{
	return tag == DW_TAG_template_type_parameter ||
	    tag == DW_TAG_template_value_parameter ||
	    tag == DW_TAG_GNU_template_template_param;
}

static bool
is_signed(const struct dwarf_type *type)
{
	return (type->kind == DWARF_TYPE_BASE ||
		   type->kind == DWARF_TYPE_ENUM) &&
	    (type->encoding == DW_ATE_signed ||
		type->encoding == DW_ATE_signed_char);
}

static void
read_argument(const struct dw_die *d, struct dwarf_argument *out)
{
	struct dw_value v;
	uint64_t u;

	memset(out, 0, sizeof(*out));
	if (d->abbrev->tag == DW_TAG_GNU_template_template_param)
		return;
	out->type = dwarf_type_of(dw_attr_die(d, DW_AT_type));
	if (d->abbrev->tag != DW_TAG_template_value_parameter)
		return;
	out->is_value = true;
	if (!dw_attr(d, DW_AT_const_value, &v))
		return;
	/* DW_FORM_data1 has no sign of its own: 200 could be -56. */
	if (is_signed(dwarf_type_strip(out->type))) {
		out->has_value = dw_signed(&v, &out->value);
	} else if (dw_unsigned(&v, &u)) {
		out->has_value = true;
		out->value = (int64_t)u;
	}
}

/* Of the children of d; *n counts down over both levels. */
static bool
find_argument(
    const struct dw_die *d, unsigned *n, bool packs, struct dwarf_argument *out)
{
	struct dw_iter it;

	for (dw_children(&it, d); dw_next(&it);) {
		uint16_t tag = it.die.abbrev->tag;

		if (packs && tag == DW_TAG_GNU_template_parameter_pack) {
			if (find_argument(&it.die, n, false, out))
				return true;
			continue;
		}
		if (!is_parameter(tag) || (*n)-- != 0)
			continue;
		read_argument(&it.die, out);
		return true;
	}
	return false;
}

bool
dwarf_type_argument(
    const struct dwarf_type *type, unsigned n, struct dwarf_argument *out)
{
	struct dw_die d;

	return (type->kind == DWARF_TYPE_STRUCT ||
		   type->kind == DWARF_TYPE_UNION) &&
	    dw_die_open(type->die, &d) && find_argument(&d, &n, true, out);
}
