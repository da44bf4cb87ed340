/* SPDX-License-Identifier: MIT */
/*
 * Nodes -> template and row, and back. A frame is compared with the templates
 * that its place had before while its words are collected; mostly the first
 * one fits, and then the frame costs a pass over its nodes.
 */
#include "snapshot/pack.h"

#include <stdlib.h>
#include <string.h>

void
snap_packer_init(struct snap_packer *p, struct arena *arena)
{
	*p = (struct snap_packer){.arena = arena};
}

void
snap_packer_deinit(struct snap_packer *p)
{
	free(p->words);
	snap_packer_init(p, p->arena);
}

/* ---- what a node has ---- */

static uint32_t
words_of(const struct snap_variable *v)
{
	uint32_t words = 0;

	if (v->flags & SNAP_VAR_ADDRESS)
		words |= 1u << SNAP_WORD_ADDRESS;
	if (v->flags & SNAP_VAR_VALUE) {
		words |= 1u << SNAP_WORD_VALUE;
		if (v->kind == SNAP_COMPLEX)
			words |= 1u << SNAP_WORD_IMAGINARY;
	}
	if (v->number != NULL)
		words |= 1u << SNAP_WORD_NUMBER;
	if (v->flags & SNAP_VAR_STRING)
		words |= 1u << SNAP_WORD_STRING | 1u << SNAP_WORD_SIZE;
	if (v->reason != NULL)
		words |= 1u << SNAP_WORD_REASON;
	if (v->flags & SNAP_VAR_LENGTH)
		words |= 1u << SNAP_WORD_LENGTH;
	if (v->object != 0)
		words |= 1u << SNAP_WORD_OBJECT;
	if (v->flags & SNAP_VAR_HEAP) {
		words |= 1u << SNAP_WORD_HEAP_SIZE |
		    1u << SNAP_WORD_HEAP_OFFSET | 1u << SNAP_WORD_HEAP_PLACE;
		if (v->heap.allocated)
			words |= SNAP_NODE_ALLOCATED;
	}
	return words;
}

static uint32_t
children_of(const struct snap_variable *v, unsigned depth)
{
	return depth < SNAP_MAX_DEPTH ? v->n_children : 0;
}

static uint64_t
text_word(const char *text)
{
	return (uint64_t)(uintptr_t)text;
}

/* Its words behind the address. */
static uint64_t *
put_words(uint64_t *w, const struct snap_variable *v, uint32_t words)
{
	const uint32_t rare = ~(1u << SNAP_WORD_ADDRESS |
	    1u << SNAP_WORD_VALUE | 1u << SNAP_WORD_STRING |
	    1u << SNAP_WORD_SIZE | 1u << SNAP_WORD_REASON | SNAP_NODE_BELOW);

	if (words & 1u << SNAP_WORD_VALUE)
		*w++ = v->value.u;
	if ((words & rare) != 0) {
		if (words & 1u << SNAP_WORD_IMAGINARY)
			memcpy(w++, &v->value.complex_parts[1], sizeof(*w));
		if (words & 1u << SNAP_WORD_NUMBER)
			*w++ = text_word(v->number);
	}
	if (words & 1u << SNAP_WORD_STRING) {
		*w++ = text_word(v->string);
		*w++ = v->string_size;
	}
	if (words & 1u << SNAP_WORD_REASON)
		*w++ = text_word(v->reason);
	if ((words & rare) == 0)
		return w;
	if (words & 1u << SNAP_WORD_LENGTH)
		*w++ = v->length;
	if (words & 1u << SNAP_WORD_OBJECT)
		*w++ = v->object;
	if (words & 1u << SNAP_WORD_HEAP_SIZE) {
		*w++ = v->heap.size;
		*w++ = v->heap.offset;
		*w++ = text_word(v->heap.place);
	}
	return w;
}

/* ---- a row of a template that is there ---- */

struct row {
	const struct snap_node *node; /* the next one */
	uint64_t *word;
	uint64_t root; /* address of the variable */
};

/* Whether it has the node's words; flags and kind are the same. */
static bool
same_words(const struct snap_node *n, const struct snap_variable *v)
{
	const uint32_t unflagged = 1u << SNAP_WORD_NUMBER |
	    1u << SNAP_WORD_REASON | 1u << SNAP_WORD_OBJECT;
	uint32_t words = (uint32_t)(v->number != NULL) << SNAP_WORD_NUMBER |
	    (uint32_t)(v->reason != NULL) << SNAP_WORD_REASON |
	    (uint32_t)(v->object != 0) << SNAP_WORD_OBJECT;

	return (n->words & unflagged) == words &&
	    ((v->flags & SNAP_VAR_HEAP) == 0 ||
		v->heap.allocated == ((n->words & SNAP_NODE_ALLOCATED) != 0));
}

/* False: the template is another one's. */
static bool
row_list(struct row *r, const struct snap_variable *v, uint32_t count,
    unsigned depth)
{
	for (uint32_t i = 0; i < count; i++, v++) {
		const struct snap_node *n = r->node++;
		uint32_t children = children_of(v, depth);

		if (n->name != v->name || n->type != v->type ||
		    n->kind != v->kind || n->flags != v->flags ||
		    n->n_children != children || !same_words(n, v))
			return false;
		if (depth == 0)
			r->root = v->address;
		if (n->words & 1u << SNAP_WORD_ADDRESS)
			*r->word++ = v->address;
		else if ((n->words & SNAP_NODE_BELOW) != 0 &&
		    v->address - r->root != n->below)
			return false;
		r->word = put_words(r->word, v, n->words);
		if (children != 0 &&
		    !row_list(r, v->children, children, depth + 1))
			return false;
	}
	return true;
}

static bool
has_room(struct snap_packer *p, size_t n)
{
	uint64_t *words;

	if (n < p->room)
		return true;
	words = realloc(p->words, (n + 1) * 2 * sizeof(*words));
	if (words == NULL)
		return false;
	p->words = words;
	p->room = (n + 1) * 2;
	return true;
}

uint64_t *
snap_row_begin(struct snap_packer *p, const struct snap_template *t)
{
	return has_room(p, t->n_words) ? p->words : NULL;
}

bool
snap_row_variable(const struct snap_template *t, uint32_t node,
    const struct snap_variable *v, uint64_t **words)
{
	struct row r = {.node = &t->nodes[node], .word = *words};

	if (!row_list(&r, v, 1, 0))
		return false;
	*words = r.word;
	return true;
}

bool
snap_row_leaf(
    const struct snap_node *n, const struct snap_variable *v, uint64_t **words)
{
	const uint16_t of_place = SNAP_VAR_PARAMETER | SNAP_VAR_ADDRESS |
	    SNAP_VAR_BASE;

	if (n->kind != v->kind || (n->flags & ~of_place) != v->flags ||
	    n->n_children != 0 || v->n_children != 0 || !same_words(n, v))
		return false;
	*words = put_words(*words, v, n->words);
	return true;
}

const struct snap_packed *
snap_row_end(struct snap_packer *p, const struct snap_template *t)
{
	size_t size = t->n_words * sizeof(*p->words);
	struct snap_packed *out = arena_alloc(p->arena, sizeof(*out) + size);

	if (out == NULL)
		return NULL;
	out->template = t;
	if (size != 0)
		memcpy(out->words, p->words, size);
	return out;
}

static const struct snap_packed *
row_of(struct snap_packer *p, const struct snap_template *t,
    const struct snap_variable *variables, uint32_t count)
{
	struct row r = {.node = t->nodes};

	if (t->n_variables != count)
		return NULL;
	r.word = snap_row_begin(p, t);
	if (r.word == NULL)
		return NULL;
	return row_list(&r, variables, count, 0) ? snap_row_end(p, t) : NULL;
}

/* ---- a new template ---- */

struct making {
	struct snap_node *node;
	uint32_t words;
	uint64_t root;
	bool absolute; /* addresses inside variables differ: words for all */
};

static uint32_t
count_nodes(const struct snap_variable *v, uint32_t count, unsigned depth)
{
	uint32_t n = count;

	for (uint32_t i = 0; i < count; i++, v++)
		if (v->n_children != 0 && depth < SNAP_MAX_DEPTH)
			n += count_nodes(v->children, v->n_children, depth + 1);
	return n;
}

static void
make_list(struct making *m, const struct snap_variable *v, uint32_t count,
    unsigned depth)
{
	for (uint32_t i = 0; i < count; i++, v++) {
		struct snap_node *n = m->node++;

		*n = (struct snap_node){
		    .name = v->name,
		    .type = v->type,
		    .n_children = children_of(v, depth),
		    .words = words_of(v),
		    .first = m->words,
		    .flags = v->flags,
		    .kind = v->kind,
		};
		if (depth == 0)
			m->root =
			    (v->flags & SNAP_VAR_ADDRESS) != 0 ? v->address : 0;
		else if (m->root != 0 && !m->absolute &&
		    (n->words & 1u << SNAP_WORD_ADDRESS) != 0) {
			n->words &= ~(1u << SNAP_WORD_ADDRESS);
			n->words |= SNAP_NODE_BELOW;
			n->below = v->address - m->root;
		}
		m->words += snap_words_in(
		    n->words & ((1u << SNAP_WORD__COUNT) - 1));
		if (n->n_children != 0)
			make_list(m, v->children, n->n_children, depth + 1);
	}
}

static bool
is_pointer(const struct snap_node *n)
{
	return n->kind == SNAP_POINTER &&
	    (n->words & 1u << SNAP_WORD_VALUE) != 0;
}

static bool
list_pointers(struct snap_packer *p, struct snap_template *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n_nodes; i++)
		n += is_pointer(&t->nodes[i]);
	t->pointers = arena_array(p->arena, n, sizeof(*t->pointers));
	if (t->pointers == NULL)
		return false;
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		const struct snap_node *node = &t->nodes[i];

		/* Its value comes first, behind the address. */
		if (is_pointer(node))
			t->pointers[t->n_pointers++] = node->first +
			    ((node->words & 1u << SNAP_WORD_ADDRESS) != 0);
	}
	return true;
}

static const struct snap_template *
new_template(struct snap_packer *p, const struct snap_variable *variables,
    uint32_t count, bool absolute)
{
	struct snap_template *t = ARENA_NEW(p->arena, struct snap_template);
	struct making m = {.absolute = absolute};

	if (t == NULL)
		return NULL;
	t->n_variables = count;
	t->n_nodes = count_nodes(variables, count, 0);
	t->nodes = arena_array(p->arena, t->n_nodes, sizeof(*t->nodes));
	if (t->nodes == NULL)
		return NULL;
	m.node = t->nodes;
	make_list(&m, variables, count, 0);
	t->n_words = m.words;
	return list_pointers(p, t) ? t : NULL;
}

const struct snap_packed *
snap_pack(struct snap_packer *p, struct snap_templates *known,
    const struct snap_variable *variables, uint32_t count)
{
	const struct snap_template *t;
	const struct snap_packed *row;
	unsigned i;

	for (i = 0; i < SNAP_TEMPLATES && known->items[i] != NULL; i++) {
		t = known->items[i];
		row = row_of(p, t, variables, count);
		if (row == NULL)
			continue;
		snap_templates_used(known, i);
		return row;
	}
	/* The first one expects parts to lie where they lay; what is referred
	 * to or found by an expression need not. */
	t = new_template(p, variables, count, i != 0);
	if (t == NULL)
		return NULL;
	memmove(
	    known->items + 1, known->items, (SNAP_TEMPLATES - 1) * sizeof(t));
	known->items[0] = t;
	return row_of(p, t, variables, count);
}

void
snap_templates_used(struct snap_templates *known, unsigned i)
{
	const struct snap_template *t = known->items[i];

	memmove(known->items + 1, known->items, i * sizeof(t));
	known->items[0] = t;
}

uint32_t
snap_next_variable(const struct snap_template *t, uint32_t node)
{
	uint32_t left = 1;

	for (; left != 0 && node < t->n_nodes; node++)
		left += t->nodes[node].n_children - 1;
	return node;
}

/* ---- nodes again ---- */

struct unpacking {
	const struct snap_node *node;
	const uint64_t *word; /* of the next node */
	struct snap_variable *free;
	uint64_t root;
};

static const char *
word_text(uint64_t word)
{
	return (const char *)(uintptr_t)word;
}

static void
fill_node(struct unpacking *u, const struct snap_node *n,
    struct snap_variable *v, unsigned depth)
{
	const uint64_t *w = u->word;

	v->name = n->name;
	v->type = n->type;
	v->kind = n->kind;
	v->flags = n->flags;
	if (n->words & 1u << SNAP_WORD_ADDRESS)
		v->address = *w++;
	else if (n->words & SNAP_NODE_BELOW)
		v->address = u->root + n->below;
	if (depth == 0)
		u->root = v->address;
	if (n->words & 1u << SNAP_WORD_VALUE)
		v->value.u = *w++;
	if (n->words & 1u << SNAP_WORD_IMAGINARY)
		memcpy(&v->value.complex_parts[1], w++, sizeof(*w));
	if (n->words & 1u << SNAP_WORD_NUMBER)
		v->number = word_text(*w++);
	if (n->words & 1u << SNAP_WORD_STRING) {
		v->string = word_text(*w++);
		v->string_size = (uint32_t)*w++;
	}
	if (n->words & 1u << SNAP_WORD_REASON)
		v->reason = word_text(*w++);
	if (n->words & 1u << SNAP_WORD_LENGTH)
		v->length = *w++;
	if (n->words & 1u << SNAP_WORD_OBJECT)
		v->object = *w++;
	if (n->words & 1u << SNAP_WORD_HEAP_SIZE) {
		v->heap.allocated = (n->words & SNAP_NODE_ALLOCATED) != 0;
		v->heap.size = *w++;
		v->heap.offset = *w++;
		v->heap.place = word_text(*w++);
	}
	u->word = w;
}

static void
fill_list(struct unpacking *u, struct snap_variable *out, uint32_t count,
    unsigned depth)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct snap_node *n = u->node++;

		fill_node(u, n, &out[i], depth);
		if (n->n_children == 0)
			continue;
		out[i].n_children = n->n_children;
		out[i].children = u->free;
		u->free += n->n_children;
		fill_list(u, out[i].children, n->n_children, depth + 1);
	}
}

void
snapshot_unpack(struct snapshot *s, struct snap_frame *f)
{
	const struct snap_packed *p = f->packed;
	struct snap_variable *out;

	if (p == NULL)
		return;
	f->packed = NULL;
	out = arena_array(&s->arena, p->template->n_nodes, sizeof(*out));
	if (out == NULL) {
		f->variables_collected = false;
		return;
	}
	struct unpacking u = {
	    .node = p->template->nodes,
	    .word = p->words,
	    .free = out + p->template->n_variables,
	};
	fill_list(&u, out, p->template->n_variables, 0);
	f->variables = out;
	f->n_variables = p->template->n_variables;
}

bool
snap_packed_pointers(
    const struct snap_packed *p, snap_pointer_fn *fn, void *ctx)
{
	const struct snap_template *t = p->template;

	for (uint32_t i = 0; i < t->n_pointers; i++)
		if (!fn(ctx, p->words[t->pointers[i]]))
			return false;
	return true;
}
