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

enum {
	KNOWN = 256,
	RECENT = 256, /* power of two */
	PACKED_CAP_MIB = 1024,
	KEY_ROOM = 32 /* a column's name and its array's head */
};

struct btt_values {
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
	/* What came as nodes is packed here, */
	struct arena arena;
	struct snap_packer packer;
	struct snap_templates known[KNOWN]; /* by a hash of the roots */
	struct map list_of;		    /* template -> list number */
	struct {
		const struct snap_template *template;
		uint32_t list;
	} recent[RECENT]; /* of those, by a hash of the template */
	/* One word of the same node of each root of a group. */
	uint64_t *words;
	bool failed;
};

/* ---- shapes ---- */

static uint32_t
flags_of(const struct snap_node *n)
{
	uint32_t flags = n->flags & BTT_SHAPE_MODEL;

	if (n->words & 1u << SNAP_WORD_OBJECT)
		flags |= BTT_SHAPE_REF;
	if (n->words & 1u << SNAP_WORD_NUMBER)
		flags |= BTT_SHAPE_NUMBER;
	if (n->words & 1u << SNAP_WORD_REASON)
		flags |= BTT_SHAPE_REASON;
	if (n->words & SNAP_NODE_ALLOCATED)
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
grow_shapes(struct btt_values *x)
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
shape_id(struct btt_values *x, const struct shape *p)
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

/* The list number (from 1) of the next `count` nodes and what is below them.
 * Recursion ends at SNAP_MAX_DEPTH, as templates do. */
static uint32_t
list_id(struct btt_values *x, const struct snap_node **next, uint32_t count)
{
	size_t start = x->pending.count;
	uint32_t id;

	for (uint32_t i = 0; i < count; i++) {
		const struct snap_node *n = (*next)++;
		struct shape p = {n->name, n->type, n->kind, flags_of(n), 0};
		int64_t *item;

		if (n->n_children > 0)
			p.list = list_id(x, next, n->n_children);
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

/* Roots whose variables have the same types mostly have one template. */
const struct snap_packed *
btt_values_pack(
    struct btt_values *x, const struct snap_variable *variables, uint32_t count)
{
	uint64_t key = count;

	for (uint32_t i = 0; i < count; i++)
		key = (key << 7 | key >> 57) ^
		    (uint64_t)(uintptr_t)variables[i].type ^ variables[i].kind;
	return snap_pack(
	    &x->packer, &x->known[map_mix(key) % KNOWN], variables, count);
}

/* Once for each template. */
static uint32_t
template_list_id(struct btt_values *x, const struct snap_template *t)
{
	const struct snap_node *nodes = t->nodes;
	uint64_t *id;
	bool is_new;

	id = map_put(&x->list_of, (uint64_t)(uintptr_t)t, &is_new);
	if (id == NULL) {
		x->failed = true;
		return 0;
	}
	if (is_new)
		*id = list_id(x, &nodes, t->n_variables);
	return (uint32_t)*id;
}

/* Stacks that are alike have the same few templates, one after the other. */
static uint32_t
root_list_id(struct btt_values *x, const struct btt_root *root)
{
	const struct snap_template *t;
	size_t at;

	if (root->packed == NULL)
		return 0;
	t = root->packed->template;
	at = (size_t)map_mix((uint64_t)(uintptr_t)t) % RECENT;
	if (x->recent[at].template != t) {
		x->recent[at].list = template_list_id(x, t);
		x->recent[at].template = t;
	}
	return x->recent[at].list;
}

static void
put_shapes(struct btt_values *x, struct mp_table *t)
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

/* Roots that have the same list: the same node of all of them is written at
 * once. */
struct group {
	const struct snap_packed *const *rows; /* of the roots */
	size_t count;
	/* Of the first root; the others have the same nodes, but may keep their
	 * words elsewhere when the template is another one. */
	const struct snap_template *template;
	bool mixed;
	uint32_t root; /* node of the variable that is being written */
	/* Where its addresses stand in the column, but for the first: parts of
	 * a variable lie at the same distances. */
	size_t differences, size;
};

/* Below: one word of the same node of all roots of a group. A column that
 * finds no room has failed, which its end reports. */

/* The words, in x->words. */
static const uint64_t *
gather(struct btt_values *x, const struct group *g, uint32_t node,
    enum snap_word which)
{
	const struct snap_node *n = &g->template->nodes[node];
	uint32_t at = n->first + snap_words_in(n->words & ((1u << which) - 1));

	for (size_t i = 0; i < g->count; i++) {
		const struct snap_packed *p = g->rows[i];

		x->words[i] = g->mixed
		    ? snap_word(&p->template->nodes[node], p->words, which)
		    : p->words[at];
	}
	return x->words;
}

static void
put_delta(struct mp_run *r, uint64_t value, uint64_t *last)
{
	mp_run_int(r, (int64_t)(value - *last));
	*last = value;
}

/* first: where the differences start, and the first root's value after. */
static void
put_deltas(
    struct mp_column *c, const uint64_t *words, size_t n, uint64_t *first)
{
	uint64_t last = *first;
	struct mp_run r;

	if (!mp_run_begin(&r, c, n))
		return;
	for (size_t i = 0; i < n; i++) {
		put_delta(&r, words[i], &last);
		if (i == 0)
			*first = last;
	}
	mp_run_end(&r, n);
}

/* A part of the variable: from root to root the differences are those of the
 * variable itself. */
static void
put_part_addresses(struct btt_values *x, struct group *g, uint32_t node)
{
	const struct snap_template *t = g->template;
	uint64_t first = snap_node_address(
	    &t->nodes[node], &t->nodes[g->root], g->rows[0]->words);
	struct mp_run r;

	if (!mp_run_begin(&r, &x->address, g->count))
		return;
	put_delta(&r, first, &x->last_address);
	memcpy(r.at, x->address.body.data + g->differences, g->size);
	r.at += g->size;
	mp_run_end(&r, g->count);
}

static void
put_addresses(struct btt_values *x, struct group *g, uint32_t node)
{
	const struct snap_template *t = g->template;
	struct mp_column *c = &x->address;
	uint64_t last = x->last_address;
	struct mp_run r;

	if (!g->mixed && (t->nodes[node].words & SNAP_NODE_BELOW) != 0) {
		put_part_addresses(x, g, node);
		return;
	}
	if (!mp_run_begin(&r, c, g->count))
		return;
	for (size_t i = 0; i < g->count; i++) {
		const struct snap_packed *p = g->rows[i];
		const struct snap_node *nodes = p->template->nodes;

		put_delta(&r,
		    snap_node_address(&nodes[node], &nodes[g->root], p->words),
		    &last);
		if (i == 0) {
			x->last_address = last;
			g->differences = (size_t)(r.at - c->body.data);
		}
	}
	g->size = (size_t)(r.at - c->body.data) - g->differences;
	mp_run_end(&r, g->count);
}

/* Null is nil and leaves no trace: it says nothing about its neighbours. */
static void
put_pointers(struct btt_values *x, const uint64_t *words, size_t n)
{
	uint64_t last = x->last_pointer;
	struct mp_run r;

	if (!mp_run_begin(&r, &x->integer, n))
		return;
	for (size_t i = 0; i < n; i++) {
		if (words[i] == 0)
			mp_run_nil(&r);
		else
			put_delta(&r, words[i], &last);
		if (i == 0)
			x->last_pointer = last;
	}
	mp_run_end(&r, n);
}

static double
as_double(uint64_t word)
{
	double value;

	memcpy(&value, &word, sizeof(value));
	return value;
}

static void
put_complex(struct btt_values *x, const struct group *g, uint32_t node)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct snap_packed *p = g->rows[i];
		const struct snap_node *n = &p->template->nodes[node];

		mp_column_float(&x->floats,
		    as_double(snap_word(n, p->words, SNAP_WORD_VALUE)));
		mp_column_float(&x->floats,
		    as_double(snap_word(n, p->words, SNAP_WORD_IMAGINARY)));
	}
}

static void
put_value(struct btt_values *x, const struct group *g, uint32_t node)
{
	uint8_t kind = g->template->nodes[node].kind;
	const uint64_t *words;
	uint64_t first = 0;

	if (kind == SNAP_COMPLEX) {
		put_complex(x, g, node);
		return;
	}
	words = gather(x, g, node, SNAP_WORD_VALUE);
	if (kind == SNAP_POINTER || kind == SNAP_FUNCTION)
		put_pointers(x, words, g->count);
	else if (kind == SNAP_FLOAT)
		for (size_t i = 0; i < g->count; i++)
			mp_column_float(&x->floats, as_double(words[i]));
	else
		put_deltas(&x->integer, words, g->count, &first);
}

static void
put_strings(struct btt_values *x, const struct group *g, uint32_t node)
{
	const char *known = NULL; /* neighbours often have the same */
	size_t known_size = 0;
	uint64_t id = 0;

	for (size_t i = 0; i < g->count; i++) {
		const struct snap_packed *p = g->rows[i];
		const struct snap_node *n = &p->template->nodes[node];
		const char *text = (const char *)(uintptr_t)snap_word(
		    n, p->words, SNAP_WORD_STRING);
		size_t size = snap_word(n, p->words, SNAP_WORD_SIZE);

		if (text != known || size != known_size)
			id = texts_idn(x->texts, text, size);
		known = text;
		known_size = size;
		x->words[i] = id;
	}
	put_deltas(&x->string, x->words, g->count, &x->last_string);
}

static void
put_texts(struct btt_values *x, struct mp_column *c, const struct group *g,
    uint32_t node, enum snap_word which)
{
	const uint64_t *words = gather(x, g, node, which);
	const char *known = NULL; /* roots that are alike share the text */
	uint64_t last = 0, id = 0;
	struct mp_run r;

	if (!mp_run_begin(&r, c, g->count))
		return;
	for (size_t i = 0; i < g->count; i++) {
		const char *text = (const char *)(uintptr_t)words[i];

		if (text != known)
			id = texts_id(x->texts, text);
		known = text;
		put_delta(&r, id, &last);
	}
	mp_run_end(&r, g->count);
}

static void
put_rest(struct btt_values *x, struct mp_column *c, const struct group *g,
    uint32_t node, enum snap_word which, uint64_t *first)
{
	put_deltas(c, gather(x, g, node, which), g->count, first);
}

static void
put_node(struct btt_values *x, struct group *g, uint32_t node)
{
	uint32_t flags = flags_of(&g->template->nodes[node]);
	uint64_t length = 0, size = 0, offset = 0;

	if (flags & SNAP_VAR_ADDRESS)
		put_addresses(x, g, node);
	if (flags & SNAP_VAR_VALUE)
		put_value(x, g, node);
	if (flags & BTT_SHAPE_NUMBER)
		put_texts(x, &x->number, g, node, SNAP_WORD_NUMBER);
	if (flags & SNAP_VAR_STRING)
		put_strings(x, g, node);
	if (flags & BTT_SHAPE_REASON)
		put_texts(x, &x->reason, g, node, SNAP_WORD_REASON);
	if (flags & SNAP_VAR_LENGTH)
		put_rest(x, &x->length, g, node, SNAP_WORD_LENGTH, &length);
	if (flags & BTT_SHAPE_REF)
		put_rest(x, &x->ref, g, node, SNAP_WORD_OBJECT, &x->last_ref);
	if (flags & SNAP_VAR_HEAP) {
		put_rest(x, &x->heap_size, g, node, SNAP_WORD_HEAP_SIZE, &size);
		put_rest(x, &x->heap_offset, g, node, SNAP_WORD_HEAP_OFFSET,
		    &offset);
	}
}

/* All nodes of the group's roots, in preorder. */
static void
put_group(struct btt_values *x, const struct snap_packed *const *rows, size_t n)
{
	struct group g = {
	    .rows = rows, .count = n, .template = rows[0]->template};
	uint32_t left = 0; /* nodes of the variable, itself not counted */

	for (size_t i = 1; i < n && !g.mixed; i++)
		g.mixed = rows[i]->template != g.template;
	for (uint32_t i = 0; i < g.template->n_nodes; i++) {
		if (left == 0) {
			g.root = i;
			left = 1;
		}
		left += g.template->nodes[i].n_children - 1;
		put_node(x, &g, i);
	}
}

/* Groups in the order of their list numbers, roots in their own order: a
 * counting sort. */
static bool
put_groups(struct btt_values *x, const struct btt_root *roots, size_t count)
{
	size_t n_lists = x->lists.ends.count + 1;
	size_t *starts = calloc(n_lists + 1, sizeof(*starts));
	const struct snap_packed **order = calloc(count + 1, sizeof(*order));
	bool ok;

	x->words = calloc(count + 1, sizeof(*x->words));
	ok = starts != NULL && order != NULL && x->words != NULL;
	for (size_t i = 0; ok && i < count; i++)
		starts[roots[i].list + 1]++;
	for (size_t i = 1; ok && i <= n_lists; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; ok && i < count; i++)
		order[starts[roots[i].list]++] = roots[i].packed;
	/* starts[l] is now the end of list l's roots. */
	for (size_t l = 1; ok && l < n_lists; l++) {
		size_t from = starts[l - 1], n = starts[l] - from;

		if (n > 0)
			put_group(x, &order[from], n);
	}
	free(starts);
	free(order);
	return ok;
}

static void
put_columns(struct btt_values *x, struct mp_table *t)
{
	const struct mp_column *columns[] = {&x->address, &x->integer,
	    &x->floats, &x->number, &x->string, &x->reason, &x->length, &x->ref,
	    &x->heap_size, &x->heap_offset};
	struct mp_table values;
	size_t size = 0;

	mp_table_init(&values);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		size += columns[i]->body.size + KEY_ROOM;
	(void)buf_reserve(&values.body, size);
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
values_deinit(struct btt_values *x)
{
	struct mp_column *columns[] = {&x->shape_name, &x->shape_type,
	    &x->shape_kind, &x->shape_flags, &x->shape_list, &x->address,
	    &x->integer, &x->floats, &x->string, &x->length, &x->ref,
	    &x->reason, &x->number, &x->heap_size, &x->heap_offset};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		mp_column_deinit(columns[i]);
	sequences_deinit(&x->lists);
	vec_deinit(&x->pending);
	map_deinit(&x->list_of);
	snap_packer_deinit(&x->packer);
	arena_deinit(&x->arena);
	free(x->words);
	free(x->slots);
}

static void
values_init(struct btt_values *x, struct texts *texts)
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
	map_init(&x->list_of, UINT32_MAX);
	arena_init(&x->arena, (size_t)PACKED_CAP_MIB << 20);
	snap_packer_init(&x->packer, &x->arena);
}

struct btt_values *
btt_values_new(struct texts *texts)
{
	struct btt_values *x = malloc(sizeof(*x));

	if (x != NULL)
		values_init(x, texts);
	return x;
}

bool
btt_put_values(struct btt_values *x, struct btt_root *roots, size_t count,
    struct mp_table *t)
{
	for (size_t i = 0; i < count && !x->failed; i++)
		roots[i].list = root_list_id(x, &roots[i]);
	if (x->failed || !put_groups(x, roots, count))
		return false;
	put_shapes(x, t);
	put_columns(x, t);
	return true;
}

void
btt_values_free(struct btt_values *x)
{
	if (x == NULL)
		return;
	values_deinit(x);
	free(x);
}
