/* SPDX-License-Identifier: MIT */
/*
 * The variables of one level of a pc's scopes (a function, an inlined function
 * or a block). A concrete instance names only what it changes; the rest comes
 * from its abstract origin: a child of the origin that no concrete child
 * refers to is shown too, as optimized out (GDB does so). Order is the
 * source's, that is the origin's where there is one.
 */
#include "dwarf/private.h"

enum { VARIABLES_MAX = 1 << 20, ABSTRACT_NESTING_MAX = 64 };

struct raw { /* attributes as found along the chain of origins */
	const char *name;
	struct dwarf_die type;
	struct dwarf_location location;
	uint64_t decl_line;
	bool has_location, has_constant, has_decl_line;
	bool artificial, external, declaration;
};

static void
take(struct raw *r, const struct dw_die *d, uint16_t name,
    const struct dw_value *v)
{
	switch (name) {
	case DW_AT_name:
		if (r->name == NULL)
			r->name = dw_string(d->unit, v);
		break;
	case DW_AT_type:
		if (r->type.unit == NULL)
			r->type = dw_reference(d->unit, v);
		break;
	case DW_AT_location:
		if (!r->has_location && !r->has_constant)
			r->has_location = dw_location_of(
			    d->unit, v, &r->location);
		break;
	case DW_AT_const_value:
		if (!r->has_constant)
			dw_location_of_constant(d->unit, v, &r->location);
		r->has_constant = true;
		break;
	case DW_AT_decl_line:
		if (!r->has_decl_line)
			r->has_decl_line = dw_unsigned(v, &r->decl_line);
		break;
	case DW_AT_artificial:
		r->artificial |= dw_flag(v);
		break;
	case DW_AT_external:
		r->external |= dw_flag(v);
		break;
	default:
		break;
	}
}

static void
read_raw(const struct dw_die *d, struct raw *r)
{
	struct dw_die at = *d, next;

	memset(r, 0, sizeof(*r));
	r->declaration = dw_attr_flag(d, DW_AT_declaration);
	for (int hop = 0; hop < DW_ORIGIN_HOPS_MAX; hop++) {
		struct dw_attrs attrs;
		struct dw_value v;
		uint16_t name;

		dw_attrs(&attrs, &at);
		while (dw_attr_next(&attrs, &name, &v))
			take(r, &at, name, &v);
		if (!dw_origin(&at, &next))
			break;
		at = next;
	}
}

/* A static variable that the linker dropped stays in the DWARF at 0. */
static bool
is_dropped(const struct dwarf_location *l)
{
	struct view v = l->block;
	uint64_t address;
	uint8_t op;

	if (l->kind != DWARF_LOC_EXPR)
		return false;
	op = view_u8(&v);
	if (op == DW_OP_addrx || op == DW_OP_GNU_addr_index)
		return dw_addrx(l->unit, view_uleb(&v), &address) &&
		    view_end(&v) && address == 0;
	return op == DW_OP_addr && v.size == 1u + l->unit->address_size &&
	    view_uint(&v, l->unit->address_size) == 0;
}

bool
dw_variable_read(const struct dw_die *d, struct dwarf_variable *out)
{
	struct raw r;
	bool parameter = d->abbrev->tag == DW_TAG_formal_parameter;

	read_raw(d, &r);
	if (!parameter) {
		if (r.name == NULL || is_dropped(&r.location))
			return false;
		if (!r.has_location && !r.has_constant && !r.external &&
		    r.declaration)
			return false;
	}
	memset(out, 0, sizeof(*out));
	out->name = r.name;
	out->type = dwarf_type_of(r.type);
	out->location = r.location;
	if (!r.has_location && !r.has_constant) {
		out->location.kind = DWARF_LOC_NONE;
		out->external_declaration = !parameter && r.external;
	}
	out->location.unit = out->location.unit != NULL ? out->location.unit
							: d->unit;
	out->parameter = parameter;
	out->artificial = r.artificial;
	out->decl_line = (uint32_t)r.decl_line;
	out->die = dw_die_ref(d);
	return true;
}

struct concrete {
	struct dw_die die;
	uint64_t origin; /* key; 0: none */
	bool variable;
	bool shown;
};

struct collection {
	VEC(struct concrete) items;
	VEC(struct dw_iter) stack;
	/* Origins of all variables anywhere below the level, sorted; only made
	 * when asked for. */
	VEC(uint64_t) below;
	bool below_ready;
	struct dw_level *level;
	const struct dw_level *inner;
	struct dw_variables *parameters, *locals;
	uint64_t end; /* of the last walk that ended in order */
	size_t moved; /* depth of the stack: see in_moved_block */
};

static bool
is_variable(uint16_t tag)
{
	return tag == DW_TAG_variable || tag == DW_TAG_formal_parameter ||
	    tag == DW_TAG_constant;
}

/* What is looked into as if its children were here. */
static bool
is_transparent(const struct dw_die *d)
{
	return d->abbrev->tag == DW_TAG_GNU_formal_parameter_pack ||
	    (d->abbrev->tag == DW_TAG_lexical_block &&
		(d->abbrev->flags & DW_AB_PC) == 0);
}

static bool
final_origin(const struct dw_die *d, struct dw_die *out)
{
	struct dw_die at = *d, next;
	bool any = false;

	for (int hop = 0; hop < DW_ORIGIN_HOPS_MAX; hop++) {
		struct dwarf_die ref = dw_attr_die(&at, DW_AT_abstract_origin);

		if (!dw_die_open(ref, &next))
			break;
		at = next;
		any = true;
	}
	*out = at;
	return any;
}

/* The next DIE of the walk that c->stack stands for. */
static bool
next_die(struct collection *c, struct dw_die *out)
{
	while (c->stack.count > 0) {
		struct dw_iter *it = &c->stack.items[c->stack.count - 1];

		if (dw_next(it)) {
			*out = it->die;
			if (c->inner != NULL && c->inner->end != 0 &&
			    c->inner->die.unit == out->unit &&
			    c->inner->die.offset == out->offset)
				dw_resume(it, c->inner->end);
			return true;
		}
		if (--c->stack.count > 0)
			dw_after(it - 1, it);
		else if (it->die.abbrev == NULL)
			c->end = it->v.pos;
	}
	return false;
}

static void
push_children(struct collection *c, const struct dw_die *d)
{
	struct dw_iter *it;

	if ((d->abbrev->flags & DW_AB_CHILDREN) == 0)
		return;
	it = vec_push(&c->stack);
	if (it != NULL)
		dw_children(it, d);
}

static void
show(struct collection *c, const struct dw_die *d)
{
	struct dwarf_variable variable, *v;

	if (!dw_variable_read(d, &variable))
		return;
	v = variable.parameter ? vec_push(&c->parameters->items)
			       : vec_push(&c->locals->items);
	if (v == NULL)
		return;
	*v = variable;
	v->depth = c->level->depth;
}

static void
gather_concrete(struct collection *c, bool origins)
{
	struct dw_die d, origin;

	c->end = 0;
	push_children(c, &c->level->die);
	while (next_die(c, &d)) {
		bool variable = is_variable(d.abbrev->tag);
		struct concrete *item;

		if (is_transparent(&d))
			push_children(c, &d);
		if (d.abbrev->tag == DW_TAG_call_site ||
		    d.abbrev->tag == DW_TAG_GNU_call_site)
			continue;
		if (!variable &&
		    (!origins || (d.abbrev->flags & DW_AB_ORIGIN) == 0))
			continue;
		item = vec_push(&c->items);
		if (item == NULL)
			return;
		item->die = d;
		item->variable = variable;
		if (origins && final_origin(&d, &origin))
			item->origin = dw_die_key(dw_die_ref(&origin));
	}
}

struct by_origin {
	uint64_t origin;
	size_t index;
};

static int
compare_origin(const void *pa, const void *pb)
{
	const struct by_origin *a = pa, *b = pb;

	if (a->origin != b->origin)
		return a->origin < b->origin ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* The first concrete child with an origin, or NULL. */
static struct concrete *
concrete_of(struct collection *c, const struct by_origin *sorted, uint64_t key)
{
	size_t low = 0, high = c->items.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sorted[middle].origin < key)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == c->items.count || sorted[low].origin != key)
		return NULL;
	return &c->items.items[sorted[low].index];
}

static int
compare_u64(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

/* Whether a concrete variable further in stands for an abstract one. */
static bool
lives_below(struct collection *c, uint64_t key)
{
	const struct dw_die *top = &c->level->die;
	struct dw_scan scan;
	struct dw_die d, origin;

	if (!c->below_ready) {
		c->below_ready = true;
		scan = dw_scan_unit(top->unit);
		scan.v = dw_unit_view(top->unit, top->offset);
		scan.v.size = dw_subtree_end(top);
		while (dw_scan_next(&scan, &d)) {
			uint64_t *place;

			if (!is_variable(d.abbrev->tag) ||
			    !final_origin(&d, &origin))
				continue;
			place = vec_push(&c->below);
			if (place == NULL)
				break;
			*place = dw_die_key(dw_die_ref(&origin));
		}
		if (c->below.count > 0)
			qsort(c->below.items, c->below.count,
			    sizeof(*c->below.items), compare_u64);
	}
	return c->below.count > 0 &&
	    bsearch(&key, c->below.items, c->below.count, sizeof(key),
		compare_u64) != NULL;
}

/* clang gives a concrete block no origin, and GCC may move one: then an
 * abstract block looks unused although its variables live on; they are in scope
 * only inside that block. Its static variables have a place nevertheless. */
static bool
block_lives_below(struct collection *c, const struct dw_die *block)
{
	struct dw_iter it;

	for (dw_children(&it, block); dw_next(&it);) {
		if (is_variable(it.die.abbrev->tag) &&
		    lives_below(c, dw_die_key(dw_die_ref(&it.die))))
			return true;
	}
	return false;
}

/* Inside an abstract block that lives on elsewhere. */
static bool
in_moved_block(struct collection *c)
{
	if (c->stack.count < c->moved)
		c->moved = 0;
	return c->moved != 0;
}

static bool
has_place(const struct dw_die *d)
{
	struct dw_value v;

	return dw_attr(d, DW_AT_location, &v) ||
	    dw_attr(d, DW_AT_const_value, &v);
}

/* Shows the origin's children in order, concrete ones in their place. */
static void
merge_abstract(struct collection *c, const struct dw_die *origin)
{
	size_t n = c->items.count;
	struct by_origin *sorted = calloc(n + 1, sizeof(*sorted));
	struct dw_die d;

	if (sorted == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct by_origin){c->items.items[i].origin, i};
	qsort(sorted, n, sizeof(*sorted), compare_origin);
	vec_clear(&c->stack);
	push_children(c, origin);
	while (next_die(c, &d)) {
		struct concrete *item;
		struct dw_die last;
		uint64_t key;

		(void)final_origin(&d, &last);
		key = dw_die_key(dw_die_ref(&last));
		item = concrete_of(c, sorted, key);

		if (item != NULL) {
			if (item->variable && !item->shown)
				show(c, &item->die);
			item->shown = true;
		} else if (is_variable(d.abbrev->tag)) {
			if (!in_moved_block(c) ||
			    (has_place(&d) && !lives_below(c, key)))
				show(c, &d);
		} else if (is_transparent(&d)) {
			push_children(c, &d);
			if (!in_moved_block(c) && block_lives_below(c, &d))
				c->moved = c->stack.count;
		}
	}
	free(sorted);
}

void
dw_level_variables(struct dw_level *level, const struct dw_level *inner,
    struct dw_variables *parameters, struct dw_variables *locals)
{
	struct collection c = {.level = level,
	    .inner = inner,
	    .parameters = parameters,
	    .locals = locals};
	struct dw_die origin;
	/* One step only, as GDB: a constructor's two variants have one origin
	 * with the parameters of both. */
	bool abstract = dw_die_open(
	    dw_attr_die(&level->die, DW_AT_abstract_origin), &origin);

	vec_init(&c.items, VARIABLES_MAX);
	vec_init(&c.stack, ABSTRACT_NESTING_MAX);
	vec_init(&c.below, VARIABLES_MAX);
	gather_concrete(&c, abstract);
	level->end = c.end;
	if (abstract)
		merge_abstract(&c, &origin);
	for (size_t i = 0; i < c.items.count; i++) {
		if (c.items.items[i].variable && !c.items.items[i].shown)
			show(&c, &c.items.items[i].die);
	}
	vec_deinit(&c.items);
	vec_deinit(&c.stack);
	vec_deinit(&c.below);
}
