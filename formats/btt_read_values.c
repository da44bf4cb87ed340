/* SPDX-License-Identifier: MIT */
/*
 * Reading variables: shapes and lists, then the values in the order in which
 * btt_write_values.c wrote them.
 */
#include "formats/btt_read.h"

struct shape {
	const char *name, *type;
	uint32_t list;
	uint16_t flags;
	uint8_t kind;
	uint8_t depth; /* levels below and with it */
};

struct values {
	struct btt_input *in;
	struct shape *shapes;
	size_t n_shapes;
	size_t *starts; /* of list l (from 1) in items: starts[l - 1] */
	uint32_t *items;
	size_t n_lists, n_items;
	struct mp_reader address, integer, floats, string, length, ref, reason,
	    number, heap_size, heap_offset;
	uint64_t last_address, last_pointer, last_string, last_ref;
};

/* ---- shapes and lists ---- */

static bool
get_lists(struct values *x)
{
	struct btt_input *in = x->in;
	struct mp_fields f = btt_table(in, "lists");
	size_t n = btt_count(in, &f);
	struct mp_reader size = mp_reader_exact(&f, "size", n);
	struct mp_reader shape;
	int64_t last = 0;

	x->starts = calloc(n + 1, sizeof(*x->starts));
	if (x->starts == NULL)
		return btt_bad(in, "there is no memory for it");
	x->n_lists = n;
	for (size_t i = 0; i < n; i++) {
		uint64_t count = mp_next(&size);

		if (count > in->size - x->n_items)
			return btt_bad(
			    in, "a count is larger than the section");
		x->n_items += (size_t)count;
		x->starts[i + 1] = x->n_items;
	}
	btt_done(in, &size);
	x->items = calloc(x->n_items + 1, sizeof(*x->items));
	if (x->items == NULL)
		return btt_bad(in, "there is no memory for it");
	shape = mp_reader_exact(&f, "shape", x->n_items);
	for (size_t i = 0; i < x->n_items; i++) {
		last += (int64_t)mp_next(&shape);
		if (last < 0 || (uint64_t)last >= x->n_shapes)
			return btt_bad(in, "a shape is missing");
		x->items[i] = (uint32_t)last;
	}
	btt_done(in, &shape);
	return in->bad == NULL;
}

static bool
get_shapes(struct values *x)
{
	struct btt_input *in = x->in;
	struct mp_fields f = btt_table(in, "shapes");
	size_t n = btt_count(in, &f);
	struct mp_reader name = mp_reader_exact(&f, "name", n),
			 type = mp_reader_exact(&f, "type", n),
			 kind = mp_reader_exact(&f, "kind", n),
			 flags = mp_reader_exact(&f, "flags", n),
			 list = mp_reader_exact(&f, "list", n);

	x->shapes = calloc(n + 1, sizeof(*x->shapes));
	if (x->shapes == NULL)
		return btt_bad(in, "there is no memory for it");
	x->n_shapes = n;
	for (size_t i = 0; i < n && in->bad == NULL; i++) {
		struct shape *p = &x->shapes[i];
		uint64_t k = mp_next(&kind);

		p->name = btt_text(in, mp_next(&name));
		p->type = btt_text(in, mp_next(&type));
		p->kind = k < SNAP_KIND__COUNT ? (uint8_t)k : SNAP_UNAVAILABLE;
		p->flags = (uint16_t)mp_next(&flags);
		p->list = (uint32_t)mp_next(&list);
	}
	btt_done(in, &name);
	btt_done(in, &type);
	btt_done(in, &kind);
	btt_done(in, &flags);
	btt_done(in, &list);
	return in->bad == NULL;
}

/*
 * A list may only hold shapes that come before the shape that has it, so the
 * nesting has an end; and it must not be deeper than the model allows. Shapes
 * are taken in order: when one asks for its list, all that is in it is known.
 */
static bool
check_nesting(struct values *x)
{
	uint8_t *depths = calloc(x->n_lists + 1, 1); /* + 1; 0: not known */
	bool ok = depths != NULL;

	for (size_t s = 0; ok && s < x->n_shapes; s++) {
		uint32_t list = x->shapes[s].list;
		uint8_t depth = 0;

		x->shapes[s].depth = 1;
		if (list == 0)
			continue;
		ok = list <= x->n_lists;
		if (!ok || depths[list] != 0) {
			if (ok)
				x->shapes[s].depth = depths[list];
			continue;
		}
		for (size_t i = x->starts[list - 1]; ok && i < x->starts[list];
		     i++) {
			ok = x->items[i] < s;
			if (ok && x->shapes[x->items[i]].depth > depth)
				depth = x->shapes[x->items[i]].depth;
		}
		ok = ok && depth <= SNAP_MAX_DEPTH;
		depths[list] = x->shapes[s].depth = (uint8_t)(depth + 1);
	}
	free(depths);
	return ok || btt_bad(x->in, "its shapes are nested wrongly");
}

/* ---- values ---- */

/* The next value of a column of differences. */
static uint64_t
next(struct mp_reader *r, uint64_t *last)
{
	*last += mp_next(r);
	return *last;
}

static void
get_addresses(struct values *x, struct snap_variable **nodes, size_t n)
{
	uint64_t last = x->last_address;

	for (size_t i = 0; i < n; i++) {
		nodes[i]->address = next(&x->address, &last);
		if (i == 0)
			x->last_address = last;
	}
}

static void
get_pointers(struct values *x, struct snap_variable **nodes, size_t n)
{
	uint64_t last = x->last_pointer, difference;

	for (size_t i = 0; i < n; i++) {
		if (mp_next_or_nil(&x->integer, &difference)) {
			last += difference;
			nodes[i]->value.u = last;
		}
		if (i == 0)
			x->last_pointer = last;
	}
}

static void
get_value(struct values *x, struct snap_variable **nodes, size_t n)
{
	uint64_t last = 0;

	switch ((enum snap_kind)nodes[0]->kind) {
	case SNAP_POINTER:
	case SNAP_FUNCTION:
		get_pointers(x, nodes, n);
		break;
	case SNAP_FLOAT:
		for (size_t i = 0; i < n; i++)
			nodes[i]->value.f = mp_next_float(&x->floats);
		break;
	case SNAP_COMPLEX:
		for (size_t i = 0; i < n; i++) {
			double *parts = nodes[i]->value.complex_parts;

			parts[0] = mp_next_float(&x->floats);
			parts[1] = mp_next_float(&x->floats);
		}
		break;
	default:
		for (size_t i = 0; i < n; i++)
			nodes[i]->value.u = next(&x->integer, &last);
		break;
	}
}

static void
get_strings(struct values *x, struct snap_variable **nodes, size_t n)
{
	uint64_t last = x->last_string;

	for (size_t i = 0; i < n; i++) {
		nodes[i]->string = btt_bytes(
		    x->in, next(&x->string, &last), &nodes[i]->string_size);
		if (i == 0)
			x->last_string = last;
	}
}

static void
get_rest(struct values *x, const struct shape *p, struct snap_variable **nodes,
    size_t n)
{
	uint64_t length = 0, ref = x->last_ref, size = 0, offset = 0;

	for (size_t i = 0; i < n; i++) {
		struct snap_variable *v = nodes[i];

		if (p->flags & SNAP_VAR_LENGTH)
			v->length = next(&x->length, &length);
		if (p->flags & BTT_SHAPE_REF)
			v->object = next(&x->ref, &ref);
		if (i == 0)
			x->last_ref = ref;
		if (p->flags & SNAP_VAR_HEAP) {
			v->heap.size = next(&x->heap_size, &size);
			v->heap.offset = next(&x->heap_offset, &offset);
			v->heap.allocated = (p->flags & BTT_SHAPE_ALLOCATED) !=
			    0;
		}
	}
}

static void
get_fields(struct values *x, const struct shape *p,
    struct snap_variable **nodes, size_t n)
{
	uint64_t number = 0, reason = 0;

	for (size_t i = 0; i < n; i++) {
		nodes[i]->name = p->name;
		nodes[i]->type = p->type;
		nodes[i]->kind = p->kind;
		nodes[i]->flags = p->flags & BTT_SHAPE_MODEL;
	}
	if (p->flags & SNAP_VAR_ADDRESS)
		get_addresses(x, nodes, n);
	if (p->flags & SNAP_VAR_VALUE)
		get_value(x, nodes, n);
	for (size_t i = 0; (p->flags & BTT_SHAPE_NUMBER) && i < n; i++)
		nodes[i]->number = btt_text(x->in, next(&x->number, &number));
	if (p->flags & SNAP_VAR_STRING)
		get_strings(x, nodes, n);
	for (size_t i = 0; (p->flags & BTT_SHAPE_REASON) && i < n; i++)
		nodes[i]->reason = btt_text(x->in, next(&x->reason, &reason));
	if (p->flags & (SNAP_VAR_LENGTH | BTT_SHAPE_REF | SNAP_VAR_HEAP))
		get_rest(x, p, nodes, n);
}

/* Room for the children of n nodes alike; heads[i] becomes the first. */
static bool
make_children(struct values *x, struct snap_variable **nodes, size_t n,
    uint32_t count, struct snap_variable **heads)
{
	for (size_t i = 0; i < n; i++) {
		struct snap_variable *v = arena_array(
		    &x->in->s->arena, count, sizeof(*v));

		if (v == NULL)
			return btt_bad(x->in, "it does not fit into memory");
		if (nodes != NULL) {
			nodes[i]->children = v;
			nodes[i]->n_children = count;
		}
		heads[i] = v;
	}
	return true;
}

/* The n lists that start at heads[], all of them of this list number. scratch
 * has room for n pointers on each level below. The depth was checked. */
static bool
get_nodes(struct values *x, struct snap_variable **heads, uint32_t list,
    size_t n, struct snap_variable **scratch)
{
	size_t start = x->starts[list - 1];
	size_t count = x->starts[list] - start;

	for (size_t k = 0; k < count; k++) {
		const struct shape *p = &x->shapes[x->items[start + k]];
		size_t members;

		for (size_t i = 0; i < n; i++)
			scratch[i] = &heads[i][k];
		get_fields(x, p, scratch, n);
		if (x->in->bad != NULL)
			return false;
		if (p->list == 0)
			continue;
		members = x->starts[p->list] - x->starts[p->list - 1];
		if (members == 0)
			continue;
		if (!make_children(x, scratch, n, (uint32_t)members, scratch) ||
		    !get_nodes(x, scratch, p->list, n, scratch + n))
			return false;
	}
	return true;
}

/* Levels of pointers that get_nodes needs for this list. */
static size_t
levels_of(const struct values *x, uint32_t list)
{
	uint8_t depth = 0;

	for (size_t i = x->starts[list - 1]; i < x->starts[list]; i++) {
		if (x->shapes[x->items[i]].depth > depth)
			depth = x->shapes[x->items[i]].depth;
	}
	return (size_t)depth + 1;
}

static bool
get_group(struct values *x, struct btt_tree *const *group, size_t n)
{
	uint32_t list = group[0]->list;
	size_t count = x->starts[list] - x->starts[list - 1], bytes;
	struct snap_variable **scratch;
	bool ok;

	if (count == 0)
		return true;
	if (__builtin_mul_overflow(
		n, levels_of(x, list) * sizeof(*scratch), &bytes) ||
	    (scratch = malloc(bytes)) == NULL)
		return btt_bad(x->in, "there is no memory for it");
	ok = make_children(x, NULL, n, (uint32_t)count, scratch);
	for (size_t i = 0; ok && i < n; i++) {
		group[i]->variables = scratch[i];
		group[i]->count = (uint32_t)count;
	}
	ok = ok && get_nodes(x, scratch, list, n, scratch + n);
	free(scratch);
	return ok;
}

static bool
get_groups(struct values *x, struct btt_tree *trees, size_t n_trees)
{
	size_t *starts = calloc(x->n_lists + 2, sizeof(*starts));
	struct btt_tree **order = calloc(n_trees + 1, sizeof(*order));
	bool ok = starts != NULL && order != NULL;

	if (!ok)
		btt_bad(x->in, "there is no memory for it");
	for (size_t i = 0; ok && i < n_trees; i++) {
		ok = trees[i].list <= x->n_lists;
		if (ok)
			starts[trees[i].list + 1]++;
		else
			btt_bad(x->in, "a list is missing");
	}
	for (size_t i = 1; ok && i <= x->n_lists + 1; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; ok && i < n_trees; i++)
		order[starts[trees[i].list]++] = &trees[i];
	for (size_t l = 1; ok && l <= x->n_lists; l++) {
		size_t from = starts[l - 1], n = starts[l] - from;

		if (n > 0)
			ok = get_group(x, &order[from], n);
	}
	free(starts);
	free(order);
	return ok;
}

static void
open_columns(struct values *x)
{
	struct mp_fields f = btt_table(x->in, "values");

	x->address = mp_reader_of(&f, "address");
	x->integer = mp_reader_of(&f, "integer");
	x->floats = mp_reader_of(&f, "float");
	x->number = mp_reader_of(&f, "number");
	x->string = mp_reader_of(&f, "string");
	x->reason = mp_reader_of(&f, "reason");
	x->length = mp_reader_of(&f, "length");
	x->ref = mp_reader_of(&f, "ref");
	x->heap_size = mp_reader_of(&f, "heap_size");
	x->heap_offset = mp_reader_of(&f, "heap_offset");
}

static void
close_columns(struct values *x)
{
	const struct mp_reader *all[] = {&x->address, &x->integer, &x->floats,
	    &x->number, &x->string, &x->reason, &x->length, &x->ref,
	    &x->heap_size, &x->heap_offset};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		btt_done(x->in, all[i]);
}

bool
btt_get_values(struct btt_input *in, struct btt_tree *trees, size_t n_trees)
{
	struct values x = {.in = in};

	if (get_shapes(&x) && get_lists(&x) && check_nesting(&x)) {
		open_columns(&x);
		if (get_groups(&x, trees, n_trees))
			close_columns(&x);
	}
	free(x.shapes);
	free(x.starts);
	free(x.items);
	return in->bad == NULL;
}
