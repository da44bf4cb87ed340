/* SPDX-License-Identifier: MIT */
/*
 * Types by name: the definition behind a declaration ("struct foo;"), which
 * mostly lives in another unit. Units are gone through one after the other,
 * only as far as needed; what was seen on the way is kept, so that all searches
 * together pass over each unit once.
 */
#include "dwarf/scan.h"
#include "dwarf/types.h"

static bool
is_tagged(uint16_t tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
	    tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type ||
	    tag == DW_TAG_interface_type;
}

static void
remember(struct dwarf *d, uint64_t hash, const struct dw_die *die)
{
	struct dwarf_die *ref;
	bool is_new;
	uint64_t *value = map_put(&d->definitions, hash, &is_new);

	if (value == NULL || !is_new)
		return;
	ref = ARENA_NEW(&d->arena, struct dwarf_die);
	if (ref == NULL)
		return;
	*ref = dw_die_ref(die);
	*value = (uint64_t)(uintptr_t)ref;
}

static void
index_unit(struct dwarf *d, struct dwarf_unit *u)
{
	struct dw_top top;
	struct dw_die die;

	dw_top_init(&top, u);
	while (dw_top_next(&top, &die)) {
		const char *name;

		if ((!is_tagged(die.abbrev->tag) &&
			die.abbrev->tag != DW_TAG_base_type) ||
		    dw_attr_flag(&die, DW_AT_declaration))
			continue;
		name = dw_attr_string(&die, DW_AT_name);
		if (name != NULL)
			remember(d, dw_top_hash(&top, &die, name), &die);
	}
}

static struct dwarf_die
find(struct dwarf *d, const char *name)
{
	uint64_t hash = dw_hash_name(DW_HASH_START, name);
	struct dwarf_unit *u = NULL;
	const struct dwarf_die *ref;
	bool was_here = false;

	while ((ref = map_get_ptr(&d->definitions, hash)) == NULL) {
		/* The one where it is found will be read now. */
		if (u != NULL)
			dw_unit_forget(u, was_here);
		if (!dw_each_unit(d, &d->definitions_at, &u))
			return (struct dwarf_die){NULL, 0};
		was_here = u->here;
		index_unit(d, u);
	}
	return *ref;
}

/* A class inside a class, where only the outer one can be found by name. */
static struct dwarf_die
find_nested(struct dwarf *d, const char *name)
{
	struct dwarf_die none = {NULL, 0}, outer;
	const char *last = NULL;
	struct dw_die die;
	struct dw_iter it;
	char *prefix;

	for (const char *p = name; (p = strstr(p, "::")) != NULL; p += 2)
		last = p;
	if (last == NULL || strchr(last, '>') != NULL)
		return none;
	prefix = arena_strndup(&d->arena, name, (size_t)(last - name));
	if (prefix == NULL)
		return none;
	outer = find(d, prefix);
	if (!dw_die_open(outer, &die))
		return none;
	for (dw_children(&it, &die); dw_next(&it);) {
		const char *inner;

		if (!is_tagged(it.die.abbrev->tag) ||
		    dw_attr_flag(&it.die, DW_AT_declaration))
			continue;
		inner = dw_attr_string(&it.die, DW_AT_name);
		if (inner != NULL && strcmp(inner, last + 2) == 0)
			return dw_die_ref(&it.die);
	}
	return none;
}

struct dwarf_die
dw_definition_of(struct dwarf *d, const struct dw_die *decl)
{
	const char *name = dw_qualified_name(decl);
	struct dwarf_die found = {NULL, 0};

	if (name == NULL)
		return found;
	found = find(d, name);
	if (found.unit == NULL)
		found = find_nested(d, name);
	return found;
}

const struct dwarf_type *
dwarf_type_named(struct dwarf *d, const char *name)
{
	static const char *const words[] = {
	    "struct ", "class ", "union ", "enum "};
	struct dwarf_die found;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(name, words[i], strlen(words[i])) == 0) {
			name += strlen(words[i]);
			break;
		}
	}
	found = find(d, name);
	if (found.unit == NULL)
		found = find_nested(d, name);
	return found.unit != NULL ? dwarf_type_of(found) : NULL;
}

static bool
is_definition_of(const struct dw_die *die, const char *name)
{
	const char *own;

	if (!is_tagged(die->abbrev->tag) ||
	    dw_attr_flag(die, DW_AT_declaration))
		return false;
	own = dw_attr_string(die, DW_AT_name);
	return own != NULL && strcmp(own, name) == 0;
}

const struct dwarf_type *
dwarf_type_at(struct dwarf *d, uint64_t pc, const char *name)
{
	struct dwarf_unit *units[DW_UNIT_CANDIDATES];
	size_t n = dw_units_at(d, pc, units);

	for (size_t i = 0; i < n; i++) {
		struct dw_top top;
		struct dw_die die;

		dw_top_init(&top, units[i]);
		while (dw_top_next(&top, &die))
			if (is_definition_of(&die, name))
				return dwarf_type_of(dw_die_ref(&die));
	}
	return NULL;
}
