/* SPDX-License-Identifier: MIT */
/*
 * Qualified names. A DIE does not know its parent, so each unit whose types
 * are named this way gets, once, a list of its containers (namespaces,
 * classes, functions) in order of their offsets, each with its end and its
 * own container. A DIE's parents are then found by binary search.
 */
#include "dwarf/private.h"
#include "image/demangle.h"

struct container {
	uint64_t offset, end;
	uint32_t parent; /* index + 1; 0: none */
	uint16_t tag;
};

struct dw_scopes {
	VEC(struct container) items;
};

static bool
is_class(uint16_t tag)
{
	return tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
	    tag == DW_TAG_union_type || tag == DW_TAG_interface_type;
}

static bool
is_container(uint16_t tag)
{
	return is_class(tag) || tag == DW_TAG_namespace || tag == DW_TAG_module;
}

static struct container *
add_container(struct dw_scopes *s, const struct dw_die *d, uint32_t parent)
{
	struct container *c = vec_push(&s->items);

	if (c == NULL)
		return NULL;
	c->offset = d->offset;
	c->end = d->unit->end;
	c->parent = parent;
	c->tag = d->abbrev->tag;
	return c;
}

static void
build_scopes(struct dwarf_unit *u, struct dw_scopes *s)
{
	struct dw_scan scan = dw_scan_unit(u);
	uint32_t open = 0; /* index + 1 of the innermost open container */
	struct dw_die d;

	for (;;) {
		uint16_t tag;
		struct container *c;

		if (!dw_scan_entry(&scan, &d)) {
			if (!scan.ended || open == 0)
				break;
			s->items.items[open - 1].end = scan.v.pos;
			open = s->items.items[open - 1].parent;
			continue;
		}
		if ((d.abbrev->flags & DW_AB_CHILDREN) == 0)
			continue;
		tag = d.abbrev->tag;
		if (is_container(tag) || d.offset == u->first_die) {
			if (add_container(s, &d, open) == NULL)
				break;
			open = (uint32_t)s->items.count;
			continue;
		}
		c = tag == DW_TAG_subprogram ? add_container(s, &d, open)
					     : NULL;
		dw_scan_over(&scan, &d);
		if (c != NULL)
			c->end = scan.v.pos;
	}
}

static struct dw_scopes *
scopes_of(struct dwarf_unit *u)
{
	if (u->scopes == NULL) {
		u->scopes = calloc(1, sizeof(*u->scopes));
		if (u->scopes == NULL)
			return NULL;
		vec_init(&u->scopes->items, 1 << 24);
		build_scopes(u, u->scopes);
	}
	return u->scopes;
}

void
dw_scopes_free(struct dw_scopes *s)
{
	if (s == NULL)
		return;
	vec_deinit(&s->items);
	free(s);
}

/* Inside a function body: the nearest class around an offset, or the function
 * itself. */
static bool
parent_in_function(struct dwarf_unit *u, uint64_t function, uint64_t offset,
    struct dw_die *out)
{
	struct dw_die at;
	struct dw_iter it;

	if (!dw_die_open((struct dwarf_die){u, function}, &at))
		return false;
	*out = at;
	for (int depth = 0; depth < DW_SCOPE_DEPTH_MAX; depth++) {
		bool found = false;

		dw_children(&it, &at);
		while (!found && dw_next(&it) && it.die.offset < offset)
			found = dw_subtree_end(&it.die) > offset;
		if (!found)
			return true;
		at = it.die;
		if (is_class(at.abbrev->tag) ||
		    at.abbrev->tag == DW_TAG_subprogram)
			*out = at;
	}
	return true;
}

/* The namespace, class or function around a DIE; false at the top. */
static bool
parent_of(const struct dw_die *d, struct dw_die *out)
{
	struct dw_scopes *s = scopes_of(d->unit);
	size_t low = 0, high;
	uint32_t at;

	if (s == NULL)
		return false;
	high = s->items.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->items.items[middle].offset < d->offset)
			low = middle + 1;
		else
			high = middle;
	}
	for (at = (uint32_t)low; at != 0; at = s->items.items[at - 1].parent) {
		const struct container *c = &s->items.items[at - 1];

		if (c->end <= d->offset)
			continue;
		if (c->offset == d->unit->first_die)
			return false;
		if (c->tag == DW_TAG_subprogram)
			return parent_in_function(
			    d->unit, c->offset, d->offset, out);
		return dw_die_open((struct dwarf_die){d->unit, c->offset}, out);
	}
	return false;
}

/* The DIE that declares: at the end of origins and specifications, or in the
 * type unit that a stub stands for. */
static struct dw_die
declaration_of(const struct dw_die *d)
{
	struct dw_die at = *d, next;

	for (int hop = 0; hop < DW_ORIGIN_HOPS_MAX; hop++) {
		if (!dw_origin(&at, &next) &&
		    ((at.abbrev->flags & DW_AB_SIGNATURE) == 0 ||
			!dw_die_open(dw_attr_die(&at, DW_AT_signature), &next)))
			break;
		at = next;
	}
	return at;
}

static const char *
canonical(const struct dw_die *d, const char *name)
{
	if (name == NULL || !dw_unit_is_cplus(d->unit))
		return name;
	return dw_cpp_canonical(&d->unit->file->dwarf->arena, name);
}

/* The name one container adds to a prefix; NULL: none, and none further out. */
static const char *
component(const struct dw_die *d)
{
	const char *name = dw_attr_string(d, DW_AT_name);
	struct dw_die extended;

	if (d->abbrev->tag != DW_TAG_namespace)
		return canonical(d, name);
	if (name == NULL &&
	    dw_die_open(dw_attr_die(d, DW_AT_extension), &extended))
		name = dw_attr_string(&extended, DW_AT_name);
	return name != NULL && name[0] != '\0' ? name : "(anonymous namespace)";
}

/* A function as a prefix of a local class: GDB gives none. */
static size_t
prefix_of(const struct dw_die *d, const char *parts[DW_NAME_DEPTH_MAX])
{
	struct dw_die at = declaration_of(d), parent;
	size_t n = 0;

	while (n < DW_NAME_DEPTH_MAX && parent_of(&at, &parent) &&
	    parent.abbrev->tag != DW_TAG_subprogram) {
		const char *name = component(&parent);

		at = declaration_of(&parent);
		if (name == NULL)
			name = component(&at);
		if (name == NULL)
			break;
		parts[n++] = name;
	}
	return n;
}

const char *
dw_name_prefix(const struct dw_die *d)
{
	const char *parts[DW_NAME_DEPTH_MAX];
	size_t n = prefix_of(d, parts), total = 1;
	char *text, *p;

	if (n == 0)
		return "";
	for (size_t i = 0; i < n; i++)
		total += strlen(parts[i]) + 2;
	text = arena_alloc(&d->unit->file->dwarf->arena, total);
	if (text == NULL)
		return "";
	p = text;
	for (size_t i = n; i > 0; i--) {
		p = stpcpy(p, parts[i - 1]);
		p = stpcpy(p, "::");
	}
	return text;
}

const char *
dw_qualified_name(const struct dw_die *d)
{
	struct arena *arena = &d->unit->file->dwarf->arena;
	const char *name, *prefix, *text;

	name = dw_attr_string(d, DW_AT_name);
	if (name == NULL)
		return NULL;
	/* GDB writes "unsigned long" in C, too. */
	if (d->abbrev->tag == DW_TAG_base_type)
		return dw_cpp_canonical(arena, name);
	if (!dw_unit_has_scopes(d->unit))
		return name;
	name = canonical(d, name);
	prefix = dw_name_prefix(d);
	if (prefix[0] == '\0')
		return name;
	text = arena_printf(arena, "%s%s", prefix, name);
	return text != NULL ? text : name;
}

const char *
dw_linkage_name(const struct dw_die *d)
{
	const char *name = dw_attr_string(d, DW_AT_linkage_name);

	if (name == NULL)
		name = dw_attr_string(d, DW_AT_MIPS_linkage_name);
	return name;
}

/* GDB takes a function's name from its linkage name when there is one, so
 * that glibc's read shows as __GI_read where the code is that alias. Rust's
 * exported functions have a name in their module as well, which says more
 * (std::panicking::begin_panic_handler, exported as rust_begin_unwind). */
const char *
dw_function_name(const struct dw_die *d, const char **linkage)
{
	const char *name;
	bool plain;

	*linkage = dw_linkage_name(d);
	if (*linkage != NULL && (*linkage)[0] == '\0')
		*linkage = NULL;
	if (*linkage != NULL) {
		name = demangle(&d->unit->file->dwarf->arena, *linkage, false);
		if (name != NULL)
			return name;
	}
	/* An empty name (damage) must not hide the symbol's. */
	name = dw_attr_string(d, DW_AT_name);
	plain = name != NULL && name[0] != '\0';
	if (*linkage != NULL &&
	    (d->unit->language != DW_LANG_Rust || plain == false)) {
		name = *linkage;
		*linkage = NULL;
		return name;
	}
	return plain ? dw_qualified_name(d) : NULL;
}
