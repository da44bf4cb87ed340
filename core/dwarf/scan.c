/* SPDX-License-Identifier: MIT */
/*
 * Walks what a unit declares at its top and in its namespaces, with the
 * namespaces' names at hand, without the lists of containers that name.c
 * makes: the search for a definition or a global passes over all units.
 */
#include "dwarf/scan.h"
#include "dwarf/split.h"

void
dw_top_init(struct dw_top *top, struct dwarf_unit *u)
{
	memset(top, 0, sizeof(*top));
	top->scan = dw_scan_unit(u);
	top->prefix[0] = DW_HASH_START;
}

uint64_t
dw_hash_name(uint64_t hash, const char *name)
{
	/* FNV-1a, 64 bits. */
	for (; *name != '\0'; name++) {
		hash ^= (uint8_t)*name;
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

static bool
enters(uint16_t tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module ||
	    tag == DW_TAG_compile_unit || tag == DW_TAG_partial_unit ||
	    tag == DW_TAG_type_unit || tag == DW_TAG_skeleton_unit;
}

static void
open_scope(struct dw_top *top, const struct dw_die *d)
{
	uint64_t hash = top->prefix[top->depth];
	const char *name;

	if (d->abbrev->tag == DW_TAG_namespace ||
	    d->abbrev->tag == DW_TAG_module) {
		name = dw_attr_string(d, DW_AT_name);
		hash = dw_hash_name(
		    hash, name != NULL ? name : "(anonymous namespace)");
		hash = dw_hash_name(hash, "::");
	}
	top->prefix[++top->depth] = hash;
}

bool
dw_top_next(struct dw_top *top, struct dw_die *out)
{
	for (;;) {
		if (!dw_scan_entry(&top->scan, out)) {
			if (!top->scan.ended || top->depth == 0)
				return false;
			top->depth--;
			continue;
		}
		if (!enters(out->abbrev->tag) ||
		    top->depth >= DW_TOP_DEPTH_MAX) {
			dw_scan_over(&top->scan, out);
			return true;
		}
		if ((out->abbrev->flags & DW_AB_CHILDREN) != 0)
			open_scope(top, out);
	}
}

uint64_t
dw_top_hash(struct dw_top *top, const struct dw_die *d, const char *name)
{
	const char *qualified;

	if ((d->abbrev->flags & DW_AB_ORIGIN) != 0) {
		/* Defined here, declared in a class or another namespace. */
		qualified = dw_qualified_name(d);
		return dw_hash_name(
		    DW_HASH_START, qualified != NULL ? qualified : name);
	}
	if (dw_unit_is_cplus(d->unit))
		name = dw_cpp_canonical(&d->unit->file->dwarf->arena, name);
	if (!dw_unit_has_scopes(d->unit))
		return dw_hash_name(DW_HASH_START, name);
	return dw_hash_name(top->prefix[top->depth], name);
}

typedef VEC(struct dwarf_unit *) unit_vec;

/* The units that one imports, which it gives its language by the way; dwz puts
 * them before everything else. */
static void
follow_imports(struct dwarf_unit *u, unit_vec *left)
{
	struct dw_scan scan = dw_scan_unit(u);
	struct dw_die die;

	u->imports_followed = true;
	if (!dw_scan_next(&scan, &die)) /* the unit itself */
		return;
	while (dw_scan_next(&scan, &die) &&
	    die.abbrev->tag == DW_TAG_imported_unit) {
		struct dwarf_die other = dw_attr_die(&die, DW_AT_import);
		struct dwarf_unit **place;

		if (other.unit == NULL || other.unit->imports_followed)
			continue;
		place = vec_push(left);
		if (place == NULL)
			return;
		*place = other.unit;
	}
}

/*
 * dwz moves what units share into partial units without a language, which lie
 * before those that import them. Whether names there have scopes cannot be
 * told until the importing units were looked at.
 */
static void
spread_languages(struct dwarf *d)
{
	unit_vec left;

	d->languages_spread = true;
	vec_init(&left, DW_UNITS_MAX);
	for (size_t i = 0; i < dw_units(&d->main, SEC_INFO); i++) {
		struct dwarf_unit *u = dw_unit(&d->main, SEC_INFO, i);

		while (u != NULL && dw_step(d)) {
			if (u->language != 0 && u->imports_followed == false)
				follow_imports(u, &left);
			if (left.count == 0)
				break;
			u = left.items[--left.count];
		}
	}
	vec_deinit(&left);
}

/* The next unit of a file, full units in place of skeletons. */
static bool
next_in(struct dwarf_file *f, struct dw_unit_iter *it, struct dwarf_unit **out)
{
	do {
		enum dw_section section = it->types ? SEC_TYPES : SEC_INFO;

		while (it->slot < dw_units(f, section)) {
			*out = dw_split_unit(
			    dw_unit(f, section, it->slot++), false);
			/* Of a .dwo file the others come by their skeletons. */
			if (*out == NULL || (f->dwo && !(*out)->type_offset))
				continue;
			if ((*out)->language == 0 &&
			    (*out)->root_tag == DW_TAG_partial_unit &&
			    f->dwarf->languages_spread == false)
				spread_languages(f->dwarf);
			return true;
		}
		it->slot = 0;
		it->types = !it->types;
	} while (it->types);
	return false;
}

bool
dw_each_unit(struct dwarf *d, struct dw_unit_iter *it, struct dwarf_unit **out)
{
	if (it->phase == DW_ITER_MAIN) {
		if (next_in(&d->main, it, out))
			return true;
		it->phase = DW_ITER_DWO;
	}
	while (it->phase == DW_ITER_DWO) {
		struct dwarf_file *f = it->done != NULL ? it->done->next
							: d->dwo_files;

		if (f != NULL && next_in(f, it, out))
			return true;
		if (f == NULL)
			it->phase = DW_ITER_ALT;
		else
			it->done = f;
	}
	return d->alt != NULL && next_in(d->alt, it, out);
}
