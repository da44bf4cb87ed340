/* SPDX-License-Identifier: MIT */
/*
 * Global and static variables by name. The list of all of them is made at the
 * first question, in one pass over the tops of all units.
 */
#include "dwarf/scan.h"

struct global {
	struct global *next; /* same name, other units */
	struct dwarf_die die;
};

static void
add(struct dwarf *d, uint64_t hash, const struct dw_die *die)
{
	uint64_t *value = map_put(&d->globals, hash, NULL);
	struct global *g;

	if (value == NULL)
		return;
	g = ARENA_NEW(&d->arena, struct global);
	if (g == NULL)
		return;
	g->die = dw_die_ref(die);
	g->next = (struct global *)(uintptr_t)*value; /* newest in front */
	*value = (uint64_t)(uintptr_t)g;
}

static void
index_globals(struct dwarf *d)
{
	struct dw_unit_iter it = {0};
	struct dwarf_unit *u;
	struct dw_top top;
	struct dw_die die;

	d->globals_ready = true;
	while (dw_each_unit(d, &it, &u)) {
		bool was_here = u->here;

		dw_top_init(&top, u);
		while (dw_top_next(&top, &die)) {
			const char *name, *linkage;

			if (die.abbrev->tag != DW_TAG_variable ||
			    dw_attr_flag(&die, DW_AT_declaration))
				continue;
			name = dw_attr_string(&die, DW_AT_name);
			if (name == NULL)
				continue;
			add(d, dw_top_hash(&top, &die, name), &die);
			linkage = dw_linkage_name(&die);
			if (linkage != NULL && strcmp(linkage, name) != 0)
				add(d, dw_hash_name(DW_HASH_START, linkage),
				    &die);
		}
		dw_unit_forget(u, was_here);
	}
}

static bool
in_unit(const struct dwarf_unit *u, const char *cu)
{
	const char *name;

	if (cu == NULL)
		return true;
	name = dwarf_unit_name(u);
	return name != NULL && strstr(name, cu) != NULL;
}

bool
dwarf_global(struct dwarf *d, const char *name, const char *cu,
    struct dwarf_variable *out)
{
	const struct global *g;
	struct dwarf_variable variable;
	struct dw_die die;
	bool found = false;

	if (!d->globals_ready)
		index_globals(d);
	g = map_get_ptr(&d->globals, dw_hash_name(DW_HASH_START, name));
	for (; g != NULL; g = g->next) {
		bool has;

		if (!in_unit(g->die.unit, cu) || !dw_die_open(g->die, &die) ||
		    !dw_variable_read(&die, &variable))
			continue;
		/* The first unit's, but one with a location before one
		 * without; the chain is in reverse order. */
		has = variable.location.kind != DWARF_LOC_NONE;
		if (!found || has || out->location.kind == DWARF_LOC_NONE)
			*out = variable;
		found = true;
	}
	return found;
}

void
dwarf_globals_named(struct dwarf *d, const char *name, const char *cu,
    bool (*visit)(void *ctx, const struct dwarf_variable *variable), void *ctx)
{
	const struct global *first;
	struct dwarf_variable variable;
	struct dw_die die;

	if (!d->globals_ready)
		index_globals(d);
	first = map_get_ptr(&d->globals, dw_hash_name(DW_HASH_START, name));
	for (int located = 1; located >= 0; located--) {
		for (const struct global *g = first; g != NULL; g = g->next) {
			if (!in_unit(g->die.unit, cu) ||
			    !dw_die_open(g->die, &die) ||
			    !dw_variable_read(&die, &variable) ||
			    (variable.location.kind != DWARF_LOC_NONE) !=
				located)
				continue;
			if (!visit(ctx, &variable))
				return;
		}
	}
}

void
dwarf_globals_each(struct dwarf *d, const char *cu, const char *name,
    bool (*visit)(void *ctx, const struct dwarf_variable *variable), void *ctx)
{
	struct dw_unit_iter it = {0};
	struct dwarf_variable variable;
	struct dwarf_unit *u;
	struct dw_top top;
	struct dw_die die;

	while (dw_each_unit(d, &it, &u)) {
		if (in_unit(u, cu) == false)
			continue;
		dw_top_init(&top, u);
		while (dw_top_next(&top, &die)) {
			const char *found;

			if (die.abbrev->tag != DW_TAG_variable ||
			    dw_attr_flag(&die, DW_AT_declaration))
				continue;
			found = dw_attr_string(&die, DW_AT_name);
			if (found == NULL ||
			    (name != NULL && strcmp(found, name) != 0) ||
			    !dw_variable_read(&die, &variable))
				continue;
			if (visit(ctx, &variable) == false)
				return;
		}
	}
}
