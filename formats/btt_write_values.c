/* SPDX-License-Identifier: MIT */
/*
 * Variables, written so that what repeats costs nothing.
 *
 * A *shape* is what a variable is (name, type, kind, which fields it has, the
 * list of its members); a *list* is a sequence of shapes. Both are interned
 * bottom-up, so a thousand threads in one function share one list. What is
 * left are the values: roots with the same list are written together, node by
 * node, each as the difference to the same node of the root before. Threads
 * that do the same have the same differences, column after column.
 */
#include "formats/btt_write.h"

/* The file's numbers are the model's. */
_Static_assert(SNAP_INT == 0 && SNAP_ENUM == 6 && SNAP_POINTER == 7 &&
	SNAP_ARRAY == 10 && SNAP_FUNCTION == 11 && SNAP_UNAVAILABLE == 13 &&
	SNAP_KIND__COUNT == 14,
    "kinds are numbered in the file: add new ones at the end");
_Static_assert(
    SNAP_VAR_PARAMETER == 1 && SNAP_VAR_TRUNCATED == 8 && SNAP_VAR_ENTRY == 256,
    "flags are numbered in the file");

struct shape {
	const char *name, *type;
	uint32_t kind, flags, list;
};

struct shape_slot {
	struct shape shape;
	uint32_t id; /* + 1; 0: free */
};

enum { KNOWN = 512, KNOWN_WAYS = 2 };

struct values {
	struct texts *texts;
	struct shape_slot *slots;
	size_t room, n_shapes;
	struct mp_column shape_name, shape_type, shape_kind, shape_flags,
	    shape_list;
	struct sequences lists; /* list number - 1 */
	VEC(int64_t) pending;	/* shapes of the lists being made */
	struct mp_column address, integer, floats, string, length, ref, reason,
	    number, heap_size, heap_offset;
	/* The last value of the first root of a group, by kind of column. */
	uint64_t last_address, last_pointer, last_string, last_ref;
	/* The last roots with a list, by their first variable. */
	const struct btt_root *known[KNOWN][KNOWN_WAYS];
	bool failed;
};

/* ---- shapes ---- */

static uint32_t
flags_of(const struct snap_variable *v)
{
	uint32_t flags = v->flags & BTT_SHAPE_MODEL;

	if (v->object != 0)
		flags |= BTT_SHAPE_REF;
	if (v->number != NULL)
		flags |= BTT_SHAPE_NUMBER;
	if (v->reason != NULL)
		flags |= BTT_SHAPE_REASON;
	if ((flags & SNAP_VAR_HEAP) != 0 && v->heap.allocated)
		flags |= BTT_SHAPE_ALLOCATED;
	return flags;
}

static uint64_t
shape_hash(const struct shape *p)
{
	uint64_t h = (uint64_t)p->list << 32 | p->flags << 8 | p->kind;

	h = map_mix(h ^ (uint64_t)(uintptr_t)p->name);
	return map_mix(h ^ (uint64_t)(uintptr_t)p->type);
}

static bool
same_shape(const struct shape *a, const struct shape *b)
{
	return a->name == b->name && a->type == b->type && a->kind == b->kind &&
	    a->flags == b->flags && a->list == b->list;
}

static bool
grow_shapes(struct values *x)
{
	size_t room = x->room != 0 ? x->room * 2 : 256;
	struct shape_slot *slots = calloc(room, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < x->room; i++) {
		size_t at;

		if (x->slots[i].id == 0)
			continue;
		at = (size_t)shape_hash(&x->slots[i].shape) & (room - 1);
		while (slots[at].id != 0)
			at = (at + 1) & (room - 1);
		slots[at] = x->slots[i];
	}
	free(x->slots);
	x->slots = slots;
	x->room = room;
	return true;
}

static uint32_t
shape_id(struct values *x, const struct shape *p)
{
	size_t at;

	if (x->n_shapes >= x->room / 2 && !grow_shapes(x)) {
		x->failed = true;
		return 0;
	}
	at = (size_t)shape_hash(p) & (x->room - 1);
	for (; x->slots[at].id != 0; at = (at + 1) & (x->room - 1)) {
		if (same_shape(&x->slots[at].shape, p))
			return x->slots[at].id - 1;
	}
	x->slots[at].shape = *p;
	x->slots[at].id = (uint32_t)++x->n_shapes;
	mp_column_uint(&x->shape_name, texts_id(x->texts, p->name));
	mp_column_uint(&x->shape_type, texts_id(x->texts, p->type));
	mp_column_uint(&x->shape_kind, p->kind);
	mp_column_uint(&x->shape_flags, p->flags);
	mp_column_uint(&x->shape_list, p->list);
	return (uint32_t)x->n_shapes - 1;
}

/* The list number (from 1) of these variables; what lies too deep is left
 * out. Recursion ends at SNAP_MAX_DEPTH. */
static uint32_t
list_id(struct values *x, const struct snap_variable *variables, uint32_t count,
    unsigned depth)
{
	size_t start = x->pending.count;
	uint32_t id;

	for (uint32_t i = 0; i < count; i++) {
		const struct snap_variable *v = &variables[i];
		struct shape p = {v->name, v->type, v->kind, flags_of(v), 0};
		int64_t *item;

		if (v->n_children > 0 && depth < SNAP_MAX_DEPTH)
			p.list = list_id(
			    x, v->children, v->n_children, depth + 1);
		item = vec_push(&x->pending);
		if (item == NULL) {
			x->failed = true;
			return 0;
		}
		*item = shape_id(x, &p);
	}
	id = sequences_id(&x->lists,
	    x->pending.items != NULL ? x->pending.items + start : NULL, count);
	x->pending.count = start;
	x->failed |= x->lists.failed;
	return id != SNAP_NONE ? id + 1 : 0;
}

/* ---- lists of roots ---- */

/* Whether list_id would give both the same number. */
static bool
same_list(const struct snap_variable *a, const struct snap_variable *b,
    uint32_t count, unsigned depth)
{
	for (uint32_t i = 0; i < count; i++, a++, b++) {
		if (a->name != b->name || a->type != b->type ||
		    a->kind != b->kind || a->n_children != b->n_children ||
		    flags_of(a) != flags_of(b))
			return false;
		if (a->n_children > 0 && depth < SNAP_MAX_DEPTH &&
		    !same_list(
			a->children, b->children, a->n_children, depth + 1))
			return false;
	}
	return true;
}

/* The frames of one function mostly have one list, and which fields its
 * variables have: comparing with the root before costs less than interning
 * each node. */
static uint32_t
root_list_id(struct values *x, const struct btt_root *root)
{
	const struct btt_root **known;
	uint64_t key = root->count;
	uint32_t id;

	for (uint32_t i = 0; i < root->count; i++) {
		const struct snap_variable *v = &root->variables[i];

		key = (key << 7 | key >> 57) ^ (uint64_t)(uintptr_t)v->type ^
		    v->kind;
	}
	known = x->known[map_mix(key) % KNOWN];
	for (unsigned i = 0; i < KNOWN_WAYS; i++) {
		if (known[i] == NULL || known[i]->count != root->count ||
		    !same_list(
			known[i]->variables, root->variables, root->count, 0))
			continue;
		id = known[i]->list;
		known[i] = known[0];
		known[0] = root;
		return id;
	}
	memmove(known + 1, known, (KNOWN_WAYS - 1) * sizeof(*known));
	known[0] = root;
	return list_id(x, root->variables, root->count, 0);
}

static void
put_shapes(struct values *x, struct mp_table *t)
{
	struct mp_table shapes, lists;
	struct mp_column size, shape;
	int64_t last = 0;
	size_t at = 0;

	mp_table_init(&shapes);
	mp_column_end(&x->shape_name, &shapes, "name");
	mp_column_end(&x->shape_type, &shapes, "type");
	mp_column_end(&x->shape_kind, &shapes, "kind");
	mp_column_end(&x->shape_flags, &shapes, "flags");
	mp_column_end(&x->shape_list, &shapes, "list");
	mp_uint(mp_table_key(&shapes, "count"), x->n_shapes);
	mp_table_end(&shapes, mp_table_key(t, "shapes"));

	mp_table_init(&lists);
	mp_column_init(&size);
	mp_column_init(&shape);
	for (size_t i = 0; i < x->lists.ends.count; i++) {
		mp_column_uint(&size, x->lists.ends.items[i] - at);
		for (; at < x->lists.ends.items[i]; at++) {
			int64_t id = x->lists.values.items[at];

			mp_column_int(&shape, id - last);
			last = id;
		}
	}
	mp_uint(mp_table_key(&lists, "count"), x->lists.ends.count);
	mp_column_end(&size, &lists, "size");
	mp_column_end(&shape, &lists, "shape");
	mp_table_end(&lists, mp_table_key(t, "lists"));
}

/* ---- values ---- */

/* Below: one field of the same node of all n roots of a group. A column that
 * finds no room has failed, which its end reports. */

static void
put_delta(struct mp_run *r, uint64_t value, uint64_t *last)
{
	mp_run_int(r, (int64_t)(value - *last));
	*last = value;
}

static void
put_addresses(
    struct values *x, const struct snap_variable *const *nodes, size_t n)
{
	uint64_t last = x->last_address;
	struct mp_run r;

	if (!mp_run_begin(&r, &x->address, n))
		return;
	for (size_t i = 0; i < n; i++) {
		put_delta(&r, nodes[i]->address, &last);
		if (i == 0)
			x->last_address = last;
	}
	mp_run_end(&r, n);
}

/* Null is nil and leaves no trace: it says nothing about its neighbours. */
static void
put_pointers(
    struct values *x, const struct snap_variable *const *nodes, size_t n)
{
	uint64_t last = x->last_pointer;
	struct mp_run r;

	if (!mp_run_begin(&r, &x->integer, n))
		return;
	for (size_t i = 0; i < n; i++) {
		const struct snap_variable *v = nodes[i];

		if (v->value.u == 0)
			mp_run_nil(&r);
		else
			put_delta(&r, v->value.u, &last);
		if (i == 0)
			x->last_pointer = last;
	}
	mp_run_end(&r, n);
}

static void
put_integers(
    struct values *x, const struct snap_variable *const *nodes, size_t n)
{
	uint64_t last = 0;
	struct mp_run r;

	if (!mp_run_begin(&r, &x->integer, n))
		return;
	for (size_t i = 0; i < n; i++)
		put_delta(&r, nodes[i]->value.u, &last);
	mp_run_end(&r, n);
}

static void
put_floats(struct values *x, const struct snap_variable *const *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct snap_variable *v = nodes[i];

		mp_column_float(&x->floats, v->value.complex_parts[0]);
		if (v->kind == SNAP_COMPLEX)
			mp_column_float(&x->floats, v->value.complex_parts[1]);
	}
}

static void
put_value(struct values *x, const struct snap_variable *const *nodes, size_t n)
{
	switch ((enum snap_kind)nodes[0]->kind) {
	case SNAP_POINTER:
	case SNAP_FUNCTION:
		put_pointers(x, nodes, n);
		break;
	case SNAP_FLOAT:
	case SNAP_COMPLEX:
		put_floats(x, nodes, n);
		break;
	default:
		put_integers(x, nodes, n);
		break;
	}
}

static void
put_strings(
    struct values *x, const struct snap_variable *const *nodes, size_t n)
{
	uint64_t last = x->last_string;
	struct mp_run r;

	if (!mp_run_begin(&r, &x->string, n))
		return;
	for (size_t i = 0; i < n; i++) {
		const struct snap_variable *v = nodes[i];

		put_delta(
		    &r, texts_idn(x->texts, v->string, v->string_size), &last);
		if (i == 0)
			x->last_string = last;
	}
	mp_run_end(&r, n);
}

static void
put_texts(struct values *x, struct mp_column *c, bool reason,
    const struct snap_variable *const *nodes, size_t n)
{
	const char *known = NULL; /* roots that are alike share the text */
	uint64_t last = 0, id = 0;
	struct mp_run r;

	if (!mp_run_begin(&r, c, n))
		return;
	for (size_t i = 0; i < n; i++) {
		const char *text = reason ? nodes[i]->reason : nodes[i]->number;

		if (text != known)
			id = texts_id(x->texts, text);
		known = text;
		put_delta(&r, id, &last);
	}
	mp_run_end(&r, n);
}

enum rest_field { REST_LENGTH, REST_REF, REST_HEAP_SIZE, REST_HEAP_OFFSET };

static uint64_t
rest_of(const struct snap_variable *v, enum rest_field field)
{
	switch (field) {
	case REST_LENGTH:
		return v->length;
	case REST_REF:
		return v->object;
	case REST_HEAP_SIZE:
		return v->heap.size;
	default:
		return v->heap.offset;
	}
}

/* first: where the differences start, and the first root's value after. */
static void
put_rest(struct mp_column *c, enum rest_field field, uint64_t *first,
    const struct snap_variable *const *nodes, size_t n)
{
	uint64_t last = *first;
	struct mp_run r;

	if (!mp_run_begin(&r, c, n))
		return;
	for (size_t i = 0; i < n; i++) {
		put_delta(&r, rest_of(nodes[i], field), &last);
		if (i == 0)
			*first = last;
	}
	mp_run_end(&r, n);
}

static void
put_node(struct values *x, uint32_t flags,
    const struct snap_variable *const *nodes, size_t n)
{
	uint64_t length = 0, size = 0, offset = 0;

	if (flags & SNAP_VAR_ADDRESS)
		put_addresses(x, nodes, n);
	if (flags & SNAP_VAR_VALUE)
		put_value(x, nodes, n);
	if (flags & BTT_SHAPE_NUMBER)
		put_texts(x, &x->number, false, nodes, n);
	if (flags & SNAP_VAR_STRING)
		put_strings(x, nodes, n);
	if (flags & BTT_SHAPE_REASON)
		put_texts(x, &x->reason, true, nodes, n);
	if (flags & SNAP_VAR_LENGTH)
		put_rest(&x->length, REST_LENGTH, &length, nodes, n);
	if (flags & BTT_SHAPE_REF)
		put_rest(&x->ref, REST_REF, &x->last_ref, nodes, n);
	if (flags & SNAP_VAR_HEAP) {
		put_rest(&x->heap_size, REST_HEAP_SIZE, &size, nodes, n);
		put_rest(&x->heap_offset, REST_HEAP_OFFSET, &offset, nodes, n);
	}
}

/* All nodes below the lists that start at heads[], in preorder; n of them,
 * alike. scratch has room for n pointers on every level still to come. */
static void
put_nodes(struct values *x, const struct snap_variable **heads, uint32_t count,
    size_t n, const struct snap_variable **scratch, unsigned depth)
{
	for (uint32_t k = 0; k < count; k++) {
		uint32_t flags = flags_of(&heads[0][k]);

		for (size_t i = 0; i < n; i++)
			scratch[i] = &heads[i][k];
		put_node(x, flags, scratch, n);
		if (heads[0][k].n_children == 0 || depth >= SNAP_MAX_DEPTH)
			continue;
		for (size_t i = 0; i < n; i++)
			scratch[i] = heads[i][k].children;
		put_nodes(x, scratch, heads[0][k].n_children, n, scratch + n,
		    depth + 1);
	}
}

static bool
put_group(struct values *x, const struct btt_root *const *group, size_t n)
{
	size_t bytes;
	const struct snap_variable **scratch;

	if (group[0]->count == 0)
		return true;
	if (__builtin_mul_overflow(
		n, (SNAP_MAX_DEPTH + 3) * sizeof(*scratch), &bytes) ||
	    (scratch = malloc(bytes)) == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		scratch[i] = group[i]->variables;
	put_nodes(x, scratch, group[0]->count, n, scratch + n, 0);
	free(scratch);
	return true;
}

/* Groups in the order of their list numbers, roots in their own order: a
 * counting sort. */
static bool
put_groups(struct values *x, const struct btt_root *roots, size_t count)
{
	size_t n_lists = x->lists.ends.count + 1;
	size_t *starts = calloc(n_lists + 1, sizeof(*starts));
	const struct btt_root **order = calloc(count + 1, sizeof(*order));
	bool ok = starts != NULL && order != NULL;

	for (size_t i = 0; ok && i < count; i++)
		starts[roots[i].list + 1]++;
	for (size_t i = 1; ok && i <= n_lists; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; ok && i < count; i++)
		order[starts[roots[i].list]++] = &roots[i];
	/* starts[l] is now the end of list l's roots. */
	for (size_t l = 1; ok && l < n_lists; l++) {
		size_t from = starts[l - 1], n = starts[l] - from;

		if (n > 0)
			ok = put_group(x, &order[from], n);
	}
	free(starts);
	free(order);
	return ok;
}

static void
put_columns(struct values *x, struct mp_table *t)
{
	struct mp_table values;

	mp_table_init(&values);
	mp_column_end(&x->address, &values, "address");
	mp_column_end(&x->integer, &values, "integer");
	mp_column_end(&x->floats, &values, "float");
	mp_column_end(&x->number, &values, "number");
	mp_column_end(&x->string, &values, "string");
	mp_column_end(&x->reason, &values, "reason");
	mp_column_end(&x->length, &values, "length");
	mp_column_end(&x->ref, &values, "ref");
	mp_column_end(&x->heap_size, &values, "heap_size");
	mp_column_end(&x->heap_offset, &values, "heap_offset");
	mp_table_end(&values, mp_table_key(t, "values"));
}

static void
values_deinit(struct values *x)
{
	struct mp_column *columns[] = {&x->shape_name, &x->shape_type,
	    &x->shape_kind, &x->shape_flags, &x->shape_list, &x->address,
	    &x->integer, &x->floats, &x->string, &x->length, &x->ref,
	    &x->reason, &x->number, &x->heap_size, &x->heap_offset};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		mp_column_deinit(columns[i]);
	sequences_deinit(&x->lists);
	vec_deinit(&x->pending);
	free(x->slots);
}

static void
values_init(struct values *x, struct texts *texts)
{
	struct mp_column *columns[] = {&x->shape_name, &x->shape_type,
	    &x->shape_kind, &x->shape_flags, &x->shape_list, &x->address,
	    &x->integer, &x->floats, &x->string, &x->length, &x->ref,
	    &x->reason, &x->number, &x->heap_size, &x->heap_offset};

	memset(x, 0, sizeof(*x));
	x->texts = texts;
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		mp_column_init(columns[i]);
	sequences_init(&x->lists);
	vec_init(&x->pending, UINT32_MAX);
}

bool
btt_put_values(struct btt_root *roots, size_t count, struct texts *texts,
    struct mp_table *t)
{
	struct values x;
	bool ok;

	values_init(&x, texts);
	for (size_t i = 0; i < count && !x.failed; i++)
		roots[i].list = roots[i].collected ? root_list_id(&x, &roots[i])
						   : 0;
	ok = !x.failed && put_groups(&x, roots, count);
	if (ok) {
		put_shapes(&x, t);
		put_columns(&x, t);
	}
	values_deinit(&x);
	return ok;
}
