/* SPDX-License-Identifier: MIT */
/*
 * Members of classes, enumerators of enumerations: read when first asked for.
 */
#include "dwarf/types.h"

enum { MEMBERS_MAX = 1 << 20 };

struct layout { /* attributes that place a member */
	uint64_t bit_size, bit_offset, data_bit_offset, byte_size;
	bool has_bit_offset, has_data_bit_offset, has_byte_size;
	bool external, declaration;
};

/* DW_AT_data_member_location: a constant, DW_OP_plus_uconst N (DWARF 2), or
 * an expression that needs the object (virtual bases). */
static void
set_offset(
    struct dwarf_member *m, struct dwarf_unit *u, const struct dw_value *v)
{
	struct view block;
	uint64_t n;

	/* Before DWARF 4 data4 and data8 could be a list's offset; no compiler
	 * places members by lists, and GCC 4 did use data4 for constants. */
	if (dw_unsigned(v, &m->offset))
		return;
	if (!dw_block(v, &block))
		return;
	if (view_u8(&block) == DW_OP_plus_uconst) {
		n = view_uleb(&block);
		if (view_ok(&block) && view_end(&block)) {
			m->offset = n;
			return;
		}
	}
	m->offset_is_expr = dw_location_of(u, v, &m->location);
}

static void
take(struct dwarf_member *m, struct layout *l, const struct dw_die *d,
    uint16_t name, const struct dw_value *v)
{
	uint64_t n = 0;

	switch (name) {
	case DW_AT_name:
		m->name = dw_string(d->unit, v);
		break;
	case DW_AT_data_member_location:
		set_offset(m, d->unit, v);
		break;
	case DW_AT_bit_size:
		(void)dw_unsigned(v, &l->bit_size);
		break;
	case DW_AT_bit_offset:
		l->has_bit_offset = dw_unsigned(v, &l->bit_offset);
		break;
	case DW_AT_data_bit_offset:
		l->has_data_bit_offset = dw_unsigned(v, &l->data_bit_offset);
		break;
	case DW_AT_byte_size:
		l->has_byte_size = dw_unsigned(v, &l->byte_size);
		break;
	case DW_AT_artificial:
		m->is_artificial = dw_flag(v);
		break;
	case DW_AT_external:
		l->external = dw_flag(v);
		break;
	case DW_AT_declaration:
		l->declaration = dw_flag(v);
		break;
	case DW_AT_virtuality:
		m->is_virtual = dw_unsigned(v, &n) && n != DW_VIRTUALITY_none;
		break;
	default:
		break;
	}
}

static void
place_bits(struct dwarf_member *m, const struct layout *l)
{
	if (l->bit_size == 0 || l->bit_size > UINT16_MAX)
		return;
	m->bit_size = (uint16_t)l->bit_size;
	if (l->has_data_bit_offset) {
		m->bit_offset = m->offset * 8 + l->data_bit_offset;
	} else if (l->has_bit_offset) {
		/* DWARF 2: counted from the most significant bit of a storage
		 * unit of byte_size bytes (DWARF 3 section 5.5.6). */
		uint64_t storage = l->has_byte_size ? l->byte_size
						    : m->type->size;

		m->bit_offset = m->offset * 8 + storage * 8 - l->bit_offset -
		    l->bit_size;
	} else {
		m->bit_offset = m->offset * 8;
	}
	m->offset = m->bit_offset / 8;
}

bool
dw_member_read(const struct dw_die *d, struct dwarf_member *m)
{
	struct layout l = {0};
	struct dw_attrs attrs;
	struct dw_value v;
	uint16_t name, tag = d->abbrev->tag;

	if (tag != DW_TAG_member && tag != DW_TAG_inheritance &&
	    tag != DW_TAG_variable)
		return false;
	memset(m, 0, sizeof(*m));
	m->die = dw_die_ref(d);
	m->type = dwarf_type_of(dw_attr_die(d, DW_AT_type));
	dw_attrs(&attrs, d);
	while (dw_attr_next(&attrs, &name, &v))
		take(m, &l, d, name, &v);
	m->is_base = tag == DW_TAG_inheritance;
	if (m->is_base)
		m->name = NULL;
	/* DWARF 5 makes static members variables, before that they were
	 * members that are external declarations. */
	m->is_static = tag == DW_TAG_variable || (l.external && l.declaration);
	place_bits(m, &l);
	return true;
}

void
dw_members_read(
    const struct dw_die *d, struct dwarf_member **out, unsigned *count)
{
	VEC(struct dwarf_member) members;
	struct dw_iter it;

	vec_init(&members, MEMBERS_MAX);
	for (dw_children(&it, d); dw_next(&it);) {
		struct dwarf_member m, *place;

		if (!dw_member_read(&it.die, &m))
			continue;
		place = vec_push(&members);
		if (place == NULL)
			break;
		*place = m;
	}
	*out = arena_array(&d->unit->file->dwarf->arena, members.count,
	    sizeof(*members.items));
	if (*out != NULL && members.count > 0) {
		memcpy(*out, members.items,
		    members.count * sizeof(*members.items));
		*count = (unsigned)members.count;
	}
	vec_deinit(&members);
}

static bool
is_contiguous(uint64_t bits)
{
	while (bits != 0 && (bits & 1) == 0)
		bits >>= 1;
	return (bits & (bits + 1)) == 0;
}

static void
finish_enum(struct dwarf_type *t)
{
	bool negative = false;

	t->is_flag_enum = true;
	for (unsigned i = 0; i < t->n_enumerators; i++) {
		int64_t value = t->enumerators[i].value;

		negative = negative || value < 0;
		if (value < 0 || !is_contiguous((uint64_t)value))
			t->is_flag_enum = false;
	}
	if (t->encoding == 0)
		t->encoding = negative ? DW_ATE_signed : DW_ATE_unsigned;
}

/* In C++ an enumerator is named with its scopes: "ns::red", and with its
 * enumeration when that is a class: "ns::Color::red". */
static const char *
enumerator_prefix(const struct dwarf_type *t, const struct dw_die *d)
{
	struct arena *a = &d->unit->file->dwarf->arena;

	if (!dw_unit_has_scopes(d->unit))
		return "";
	if (t->is_enum_class)
		return arena_printf(a, "%s::", t->name);
	return dw_name_prefix(d);
}

static const char *
enumerator_name(const struct dw_die *d, const char *prefix)
{
	const char *name = dw_attr_string(d, DW_AT_name);

	if (name == NULL)
		return "";
	if (prefix == NULL || prefix[0] == '\0')
		return name;
	prefix = arena_printf(
	    &d->unit->file->dwarf->arena, "%s%s", prefix, name);
	return prefix != NULL ? prefix : name;
}

static void
read_enumerators(struct dwarf_type *t, const struct dw_die *d)
{
	VEC(struct dwarf_enumerator) items;
	const char *prefix = enumerator_prefix(t, d);
	struct dw_iter it;
	struct dw_value v;

	vec_init(&items, MEMBERS_MAX);
	for (dw_children(&it, d); dw_next(&it);) {
		struct dwarf_enumerator *e;

		if (it.die.abbrev->tag != DW_TAG_enumerator ||
		    !dw_attr(&it.die, DW_AT_const_value, &v))
			continue;
		e = vec_push(&items);
		if (e == NULL)
			break;
		/* Compilers write a negative value as sdata. */
		e->value = (int64_t)v.u;
		e->name = enumerator_name(&it.die, prefix);
	}
	t->enumerators = arena_array(
	    &d->unit->file->dwarf->arena, items.count, sizeof(*items.items));
	if (t->enumerators != NULL && items.count > 0) {
		memcpy(t->enumerators, items.items,
		    items.count * sizeof(*items.items));
		t->n_enumerators = (unsigned)items.count;
	}
	vec_deinit(&items);
	finish_enum(t);
}

static const struct dwarf_type *
definition_of(struct dwarf *d, struct dwarf_type *t, const struct dw_die *die)
{
	const struct dwarf_type *found = NULL;
	struct dwarf_die ref = dw_definition_of(d, die);

	if (ref.unit != NULL)
		found = dwarf_type_of(ref);
	if (found == NULL || found->declaration || found->kind != t->kind)
		found = t; /* remembered as a miss */
	(void)map_put_ptr(&d->resolved, (uint64_t)(uintptr_t)t, (void *)found);
	return found == t ? t : dwarf_type_complete(d, found);
}

const struct dwarf_type *
dwarf_type_complete(struct dwarf *d, const struct dwarf_type *type)
{
	/* All types are made here, in memory of our own. */
	struct dwarf_type *t = (struct dwarf_type *)type;
	const struct dwarf_type *resolved;
	struct dw_die die;

	if (type->completed)
		return type;
	if (type->declaration) {
		resolved = map_get_ptr(&d->resolved, (uint64_t)(uintptr_t)type);
		if (resolved != NULL)
			return resolved;
	}
	if (!dw_die_open(type->die, &die)) {
		t->completed = true;
		return type;
	}
	if (type->declaration)
		return definition_of(d, t, &die);
	t->completed = true;
	if (t->kind == DWARF_TYPE_ENUM) {
		read_enumerators(t, &die);
		return t;
	}
	dw_members_read(&die, &t->members, &t->n_members);
	if (t->kind == DWARF_TYPE_STRUCT)
		t->variants = dw_variants_of(&die);
	return t;
}
