/* SPDX-License-Identifier: MIT */
/*
 * Frames become rows without nodes in between. The first frames of a scope are
 * read as nodes and packed, which tells what its variables look like: the
 * template. Then each variable is compiled against it, into a list of what is
 * to be read where, and a frame costs a few nanoseconds a value.
 *
 * What a frame has must be what the template says, word by word: a boolean
 * that is neither, a pointer that leads to no text any more, memory that is
 * missing are seen here, and then the frame is read as nodes like the first.
 * The same goes for single variables that are not of the simple kinds.
 */
#include "value/slots.h"

enum {
	OPS_MAX = 512,	  /* of one variable; more are read as nodes */
	SCALAR_MAX = 32,  /* bytes, as of a leaf that is read as a node */
	FRAMES_BEFORE = 2 /* most places have no more than one or two frames */
};

enum op_kind {
	OP_ADDRESS, /* nothing but the address: structs, arrays */
	OP_UNSIGNED,
	OP_SIGNED,
	OP_BOOL,
	OP_FLOAT,
	OP_DOUBLE,
	OP_TEXT_POINTER,
	OP_TEXT,
	OP_CODE,   /* pointer to a function */
	OP_SCALAR, /* characters, enums, other floats: as for a node */
	OP_LENGTH, /* of an array that is cut: always the same */
	OP_POINTER
};

struct seen_text {	  /* that an array held in the last frame */
	const char *text; /* NULL: none yet */
	size_t size;
};

struct row_op {
	uint8_t kind;
	uint8_t size;	  /* of numbers */
	bool has_address; /* a word for it */
	bool has_object;  /* POINTER: a word for what it points to */
	bool is_data;	  /* POINTER: it may be followed */
	uint16_t flags;	  /* that the node has */
	uint32_t offset, count;
	struct shape *shape;
	const struct snap_node *node; /* that it is to be like */
	struct seen_text *seen;	      /* TEXT */
};

enum row_how {
	ROW_NODES,  /* read as nodes */
	ROW_REASON, /* not there: the reason is all */
	ROW_MEMORY,
	ROW_BYTES
};

struct row_slot {
	uint8_t how;
	int8_t reg;    /* a general one that holds it; -1: found otherwise */
	uint32_t node; /* of the template */
	uint32_t n_ops;
	uint64_t size; /* bytes that are read */
	const struct row_op *ops;
};

struct row_plan {
	const struct snap_template *template;
	struct row_slot slots[];
};

/* ---- compiling ---- */

struct compile {
	struct value_reader *r;
	const struct snap_node *nodes; /* of the template */
	uint32_t next;		       /* node */
	bool in_memory;
	bool vptr; /* of the field: it is no data */
	struct row_op ops[OPS_MAX];
	uint32_t n_ops;
};

static const uint32_t word_value = 1u << SNAP_WORD_VALUE;
static const uint32_t word_text = 1u << SNAP_WORD_STRING | 1u << SNAP_WORD_SIZE;
static const uint16_t text_flags = SNAP_VAR_STRING | SNAP_VAR_TRUNCATED |
    SNAP_VAR_LENGTH;

/* The words behind the address. */
static uint32_t
contents_of(const struct snap_node *n)
{
	return n->words &
	    ~(uint32_t)(1u << SNAP_WORD_ADDRESS | SNAP_NODE_BELOW);
}

static struct row_op *
add_op(struct compile *c, const struct snap_node *n, enum op_kind kind,
    uint64_t offset, struct shape *s)
{
	struct row_op *op;

	if (c->n_ops == OPS_MAX)
		return NULL;
	op = &c->ops[c->n_ops++];
	*op = (struct row_op){
	    .kind = (uint8_t)kind,
	    .size = s->size <= 8 ? (uint8_t)s->size : 0,
	    .has_address = (n->words & 1u << SNAP_WORD_ADDRESS) != 0,
	    .flags = n->flags & text_flags,
	    .offset = (uint32_t)offset,
	    .shape = s,
	    .node = n,
	};
	return op;
}

static bool compile(
    struct compile *c, struct shape *s, uint64_t offset, unsigned depth);

/* Leaves of other kinds are read as for a node and must be like it. */
static bool
compile_like_node(struct compile *c, const struct snap_node *n, struct shape *s,
    uint64_t offset)
{
	enum op_kind kind = s->kind == SHAPE_CODE_POINTER ? OP_CODE : OP_SCALAR;

	shape_lay_out(c->r, s);
	return n->kind != SNAP_UNAVAILABLE && s->has_size && s->size != 0 &&
	    s->size <= SCALAR_MAX && (kind != OP_CODE || s->size == 8) &&
	    add_op(c, n, kind, offset, s) != NULL;
}

static bool
compile_pointer(struct compile *c, const struct snap_node *n, struct shape *s,
    uint64_t offset)
{
	uint32_t object = n->words & 1u << SNAP_WORD_OBJECT;
	struct row_op *op;

	if (n->kind != SNAP_POINTER ||
	    contents_of(n) != (word_value | object) || s->has_size == false ||
	    s->size == 0 || s->size > 8 ||
	    (op = add_op(c, n, OP_POINTER, offset, s)) == NULL)
		return false;
	op->has_object = object != 0;
	op->is_data = c->vptr == false;
	return true;
}

/* Numbers: what scalar_int and its like make of the bytes. */
static bool
compile_number(struct compile *c, const struct snap_node *n, struct shape *s,
    uint64_t offset)
{
	enum op_kind kind;
	uint8_t wanted;

	switch (s->kind) {
	case SHAPE_INT:
		if (s->type->kind == DWARF_TYPE_MEMBER_POINTER)
			return false;
		kind = s->is_signed ? OP_SIGNED : OP_UNSIGNED;
		wanted = s->is_signed ? SNAP_INT : SNAP_UINT;
		break;
	case SHAPE_BOOL:
		kind = OP_BOOL;
		wanted = SNAP_BOOL;
		break;
	case SHAPE_POINTER:
		return compile_pointer(c, n, s, offset);
	default:
		if (s->format != FLOAT_SINGLE && s->format != FLOAT_DOUBLE)
			return compile_like_node(c, n, s, offset);
		kind = s->format == FLOAT_SINGLE ? OP_FLOAT : OP_DOUBLE;
		wanted = SNAP_FLOAT;
		break;
	}
	return n->kind == wanted && contents_of(n) == word_value &&
	    s->has_size && s->size != 0 && s->size <= 8 &&
	    (kind != OP_FLOAT || s->size == 4) &&
	    (kind != OP_DOUBLE || s->size == 8) &&
	    add_op(c, n, kind, offset, s) != NULL;
}

static bool
compile_text_pointer(struct compile *c, const struct snap_node *n,
    struct shape *s, uint64_t offset)
{
	uint32_t words = word_value;

	if (n->flags & SNAP_VAR_STRING)
		words |= word_text;
	if (n->flags & SNAP_VAR_LENGTH)
		words |= 1u << SNAP_WORD_LENGTH;
	shape_lay_out(c->r, s);
	return n->kind == SNAP_POINTER && contents_of(n) == words &&
	    s->has_size && s->size == 8 &&
	    add_op(c, n, OP_TEXT_POINTER, offset, s) != NULL;
}

/* The number of elements, when the type tells it. */
static bool
count_of(struct compile *c, struct shape *s, uint64_t *count)
{
	const struct dwarf_bound *bound;

	shape_lay_out(c->r, s);
	if (s->has_size == false || s->target == NULL || s->dim != 0 ||
	    s->type->n_bounds != 1)
		return false;
	bound = &s->type->bounds[0];
	if (bound->kind != DWARF_BOUND_COUNT || bound->count == 0 ||
	    s->target->has_size == false || s->target->size == 0)
		return false;
	*count = bound->count;
	return s->size == *count * s->target->size;
}

static bool
compile_text(struct compile *c, const struct snap_node *n, struct shape *s,
    uint64_t offset)
{
	struct row_op *op;
	uint64_t count;

	if (c->in_memory == false || n->kind != SNAP_STRING ||
	    contents_of(n) != word_text || count_of(c, s, &count) == false ||
	    s->target->size != 1 || count > c->r->limits.string_bytes ||
	    (op = add_op(c, n, OP_TEXT, offset, s)) == NULL)
		return false;
	op->count = (uint32_t)count;
	op->seen = ARENA_NEW(&c->r->arena, struct seen_text);
	return op->seen != NULL;
}

static bool
compile_array(struct compile *c, const struct snap_node *n, struct shape *s,
    uint64_t offset, unsigned depth)
{
	uint32_t most = c->r->limits.array_elements;
	uint64_t count;
	struct row_op *op;
	bool cut;

	if (c->in_memory == false || n->kind != SNAP_ARRAY ||
	    count_of(c, s, &count) == false || depth >= c->r->limits.depth)
		return false;
	cut = count > most;
	if (n->n_children != (cut ? most : count) ||
	    contents_of(n) != (cut ? 1u << SNAP_WORD_LENGTH : 0) ||
	    count > UINT32_MAX ||
	    (op = add_op(c, n, cut ? OP_LENGTH : OP_ADDRESS, offset, s)) ==
		NULL)
		return false;
	op->count = (uint32_t)count;
	for (uint32_t i = 0; i < n->n_children; i++)
		if (compile(c, s->target, offset + i * s->target->size,
			depth + 1) == false)
			return false;
	return true;
}

static bool
compile_struct(struct compile *c, const struct snap_node *n, struct shape *s,
    uint64_t offset, unsigned depth)
{
	shape_lay_out(c->r, s);
	if (c->in_memory == false || contents_of(n) != 0 ||
	    n->kind != (s->kind == SHAPE_UNION ? SNAP_UNION : SNAP_STRUCT) ||
	    s->type->declaration || s->variants != NULL ||
	    s->form != FORM_PLAIN || s->n_fields == 0 || s->size == 0 ||
	    n->n_children != s->n_fields || depth >= c->r->limits.depth ||
	    add_op(c, n, OP_ADDRESS, offset, s) == NULL)
		return false;
	for (uint32_t i = 0; i < s->n_fields; i++) {
		const struct field *f = &s->fields[i];

		c->vptr = f->is_vptr;
		if (f->bit_size != 0 || f->computed ||
		    f->shape->size > s->size ||
		    f->offset > s->size - f->shape->size ||
		    compile(c, f->shape, offset + f->offset, depth + 1) ==
			false)
			return false;
	}
	c->vptr = false;
	return true;
}

/* The next node of the template, as that shape at that offset of the bytes.
 * False: it is not as simple as that. */
static bool
compile(struct compile *c, struct shape *s, uint64_t offset, unsigned depth)
{
	const struct snap_node *n = &c->nodes[c->next++];
	bool has_address = (n->flags & SNAP_VAR_ADDRESS) != 0;

	if (n->type != s->name || has_address != c->in_memory ||
	    offset > UINT32_MAX ||
	    ((n->words & SNAP_NODE_BELOW) != 0 && n->below != offset))
		return false;
	switch (s->kind) {
	case SHAPE_INT:
	case SHAPE_BOOL:
	case SHAPE_FLOAT:
	case SHAPE_POINTER:
		return compile_number(c, n, s, offset);
	case SHAPE_TEXT_POINTER:
		return compile_text_pointer(c, n, s, offset);
	case SHAPE_CHAR:
	case SHAPE_ENUM:
	case SHAPE_COMPLEX:
	case SHAPE_CODE_POINTER:
		return compile_like_node(c, n, s, offset);
	case SHAPE_TEXT:
		return compile_text(c, n, s, offset);
	case SHAPE_ARRAY:
		return compile_array(c, n, s, offset, depth);
	case SHAPE_STRUCT:
	case SHAPE_UNION:
		return compile_struct(c, n, s, offset, depth);
	default:
		return false;
	}
}

/* The place of DW_OP_regN alone. */
static int8_t
register_of(const struct arch *arch, const struct slot *slot)
{
	enum { REG0 = 0x50 };
	unsigned place;

	if (slot->how != SLOT_BLOCK || slot->block.size != 1 ||
	    slot->block.failed || slot->block.data[0] < REG0 ||
	    slot->shape->size > 8)
		return -1;
	place = arch_place(arch, slot->block.data[0] - REG0);
	return place < ARCH_REGS ? (int8_t)place : -1;
}

static void
compile_slot(struct compile *c, const struct slot *slot, struct row_slot *out)
{
	const struct snap_node *n = &c->nodes[out->node];
	struct row_op *ops;

	out->how = ROW_NODES;
	out->reg = -1;
	if (slot->size == UINT64_MAX || slot->shape->has_size == false ||
	    slot->shape->size == 0 || slot->shape->size > VALUE_BYTES_MAX)
		return;
	if (n->kind == SNAP_UNAVAILABLE && n->words == 1u << SNAP_WORD_REASON) {
		out->how = ROW_REASON;
		return;
	}
	c->in_memory = (n->flags & SNAP_VAR_ADDRESS) != 0;
	c->vptr = false;
	c->next = out->node;
	c->n_ops = 0;
	if (compile(c, slot->shape, 0, 0) == false)
		return;
	ops = arena_array(&c->r->arena, c->n_ops, sizeof(*ops));
	if (ops == NULL)
		return;
	memcpy(ops, c->ops, c->n_ops * sizeof(*ops));
	out->ops = ops;
	out->n_ops = c->n_ops;
	out->size = slot->shape->size;
	out->how = c->in_memory ? ROW_MEMORY : ROW_BYTES;
	out->reg = register_of(c->r->arch, slot);
}

static struct row_plan *
compile_plan(struct value_reader *r, const struct scope_plan *plan,
    const struct snap_template *t)
{
	struct row_plan *out = arena_alloc(
	    &r->arena, sizeof(*out) + plan->n_slots * sizeof(out->slots[0]));
	struct compile c = {.r = r, .nodes = t->nodes};
	uint32_t node = 0;

	if (out == NULL || t->n_variables != plan->n_slots)
		return NULL;
	out->template = t;
	for (uint32_t i = 0; i < plan->n_slots; i++) {
		out->slots[i].node = node;
		compile_slot(&c, &plan->slots[i], &out->slots[i]);
		node = snap_next_variable(t, node);
	}
	return out;
}

/* ---- a frame ---- */

/* Text that the node has must be there, and no other. */
static bool
put_text(uint64_t **w, const struct row_op *op, const struct snap_variable *v)
{
	if ((v->flags & text_flags) != op->flags)
		return false;
	if (op->flags & SNAP_VAR_STRING) {
		*(*w)++ = (uint64_t)(uintptr_t)v->string;
		*(*w)++ = v->string_size;
	}
	if (op->flags & SNAP_VAR_LENGTH)
		*(*w)++ = v->length;
	return true;
}

static bool
put_text_pointer(struct value_reader *r, const struct row_op *op,
    const uint8_t *bytes, uint64_t **w)
{
	struct snap_variable v;
	uint64_t address;

	memcpy(&address, bytes, sizeof(address));
	v.flags = 0;
	v.length = 0;
	v.string = NULL;
	*(*w)++ = address;
	if (address != 0)
		text_pointer(r, op->shape, address, &v);
	return put_text(w, op, &v);
}

static bool
put_text_array(struct value_reader *r, const struct row_op *op,
    const uint8_t *bytes, uint64_t **w)
{
	struct seen_text *seen = op->seen;
	struct snap_variable v;
	size_t size = op->count;
	uint64_t word;

	while (size >= sizeof(word) &&
	    (memcpy(&word, bytes + size - sizeof(word), sizeof(word)),
		word == 0))
		size -= sizeof(word);
	while (size > 0 && bytes[size - 1] == 0)
		size--;
	v.flags = 0;
	if (seen->text != NULL && seen->size == size &&
	    memcmp(seen->text, bytes, size) == 0 && value_charge(r, size)) {
		v.string = seen->text;
		v.string_size = (uint32_t)size;
		v.flags = SNAP_VAR_STRING;
	} else {
		text_set(r, &v, bytes, size);
		seen->text = v.flags == SNAP_VAR_STRING ? v.string : NULL;
		seen->size = size;
	}
	return put_text(w, op, &v);
}

static bool
put_like_node(struct value_reader *r, const struct row_op *op,
    const uint8_t *bytes, uint64_t **w)
{
	size_t size = op->shape->size;
	struct snap_variable v;

	memset(&v, 0, sizeof(v));
	if (op->kind == OP_CODE)
		value_code(r, scalar_u64(bytes, size), &v);
	else
		scalar_read(r, op->shape, bytes, size, &v);
	return snap_row_leaf(op->node, &v, w);
}

/* A memcpy of a size that the compiler does not know is a call. */
static inline uint64_t
load(const uint8_t *p, unsigned size)
{
	uint64_t x;
	uint32_t y;

	switch (size) {
	case 8:
		memcpy(&x, p, sizeof(x));
		return x;
	case 4:
		memcpy(&y, p, sizeof(y));
		return y;
	case 1:
		return *p;
	default:
		return scalar_u64(p, size);
	}
}

/* What a pointer points to, when pointers are followed. */
static bool
put_object(struct evaluator *ev, const struct row_op *op, uint64_t address,
    uint64_t **w)
{
	struct snap_variable v;

	v.object = 0;
	if (ev->follow && op->is_data && address != 0)
		value_follow(ev, op->shape, address, &v);
	if (v.object != 0)
		*(*w)++ = v.object;
	return (v.object != 0) == op->has_object;
}

static bool
put_ops(struct evaluator *ev, const struct row_slot *slot, const uint8_t *bytes,
    uint64_t address, uint64_t **out)
{
	const struct row_op *op = slot->ops, *end = op + slot->n_ops;
	struct value_reader *r = ev->r;
	uint64_t *w = *out, x;
	double d;
	float f;

	for (; op < end; op++) {
		const uint8_t *p = bytes + op->offset;
		unsigned unused;

		if (op->has_address)
			*w++ = address + op->offset;
		switch ((enum op_kind)op->kind) {
		case OP_ADDRESS:
			break;
		case OP_UNSIGNED:
			*w++ = load(p, op->size);
			break;
		case OP_SIGNED:
			unused = 64 - 8u * op->size;
			x = load(p, op->size) << unused;
			*w++ = (uint64_t)((int64_t)x >> unused);
			break;
		case OP_BOOL:
			x = load(p, op->size);
			if (x > 1)
				return false;
			*w++ = x;
			break;
		case OP_FLOAT:
			memcpy(&f, p, sizeof(f));
			d = (double)f;
			memcpy(w++, &d, sizeof(d));
			break;
		case OP_DOUBLE:
			memcpy(w++, p, sizeof(d));
			break;
		case OP_TEXT_POINTER:
			if (put_text_pointer(r, op, p, &w) == false)
				return false;
			break;
		case OP_TEXT:
			if (put_text_array(r, op, p, &w) == false)
				return false;
			break;
		case OP_CODE:
		case OP_SCALAR:
			if (put_like_node(r, op, p, &w) == false)
				return false;
			break;
		case OP_LENGTH:
			*w++ = op->count;
			break;
		case OP_POINTER:
			*w++ = x = load(p, op->size);
			if ((ev->follow || op->has_object) &&
			    put_object(ev, op, x, &w) == false)
				return false;
			break;
		}
	}
	*out = w;
	return true;
}

static bool
put_memory(struct evaluator *ev, const struct row_slot *row,
    const struct source *s, uint64_t **w)
{
	const uint8_t *bytes;

	if (s->kind != SOURCE_MEMORY || s->implicit != NULL)
		return false;
	bytes = s->size >= row->size
	    ? s->bytes
	    : value_memory(ev->r, s->address, row->size, NULL);
	return bytes != NULL && put_ops(ev, row, bytes, s->address, w);
}

static bool
put_slot(struct evaluator *ev, const struct slot *slot,
    const struct row_slot *row, const struct row_plan *plan, uint64_t **w)
{
	struct value_reader *r = ev->r;
	struct snap_variable v;
	struct source source;
	uint64_t bytes;

	value_begin(r);
	if (row->how == ROW_NODES) {
		memset(&v, 0, sizeof(v));
		v.name = slot->name;
		v.flags = slot->flags;
		slot_read(ev, slot, &v);
		return snap_row_variable(plan->template, row->node, &v, w);
	}
	if (budget_step(r->budget) == false)
		return false;
	if (row->how == ROW_REASON && slot->how == SLOT_REASON) {
		*(*w)++ = (uint64_t)(uintptr_t)slot->reason;
		return true;
	}
	/* Of what is not known here the callers and callees may tell. */
	if (row->how == ROW_BYTES && row->reg >= 0 &&
	    regs_get(&ev->frame->regs, (unsigned)row->reg, &bytes))
		return put_ops(ev, row, (const uint8_t *)&bytes, 0, w);
	slot_source(ev, slot, &source);
	if (row->how == ROW_MEMORY)
		return put_memory(ev, row, &source, w);
	if (row->how == ROW_BYTES)
		return source.kind == SOURCE_BYTES && source.state == NULL &&
		    source.implicit == NULL && source.size >= row->size &&
		    put_ops(ev, row,
			source.bytes != NULL ? source.bytes : source.small, 0,
			w);
	if (source.kind != SOURCE_NONE || source.implicit != NULL)
		return false;
	*(*w)++ = (uint64_t)(uintptr_t)source.reason;
	return true;
}

static struct row_plan *
plan_of(struct value_reader *r, struct scope_plan *plan, unsigned item)
{
	const struct snap_template *t = plan->templates.items[item];
	struct row_plan *made;

	for (unsigned i = 0; i < SNAP_TEMPLATES; i++)
		if (plan->rows[i] != NULL && plan->rows[i]->template == t)
			return plan->rows[i];
	made = compile_plan(r, plan, t);
	if (made == NULL)
		return NULL;
	memmove(plan->rows + 1, plan->rows,
	    (SNAP_TEMPLATES - 1) * sizeof(plan->rows[0]));
	plan->rows[0] = made;
	return made;
}

static const struct snap_packed *
row_of(struct evaluator *ev, const struct scope_plan *plan,
    const struct row_plan *rows)
{
	struct snap_packer *packer = &ev->r->packer;
	uint64_t *w = snap_row_begin(packer, rows->template);

	if (w == NULL)
		return NULL;
	for (uint32_t i = 0; i < plan->n_slots; i++)
		if (put_slot(ev, &plan->slots[i], &rows->slots[i], rows, &w) ==
		    false)
			return NULL;
	return snap_row_end(packer, rows->template);
}

const struct snap_packed *
slots_row(struct evaluator *ev, struct scope_plan *plan)
{
	struct value_reader *r = ev->r;
	const struct snap_packed *out = NULL;

	if (plan->n_frames < FRAMES_BEFORE) {
		plan->n_frames++;
		return NULL;
	}
	if (r->nodes.used != 0)
		arena_reset(&r->nodes);
	r->nodes_to = &r->nodes;
	r->nodes_bytes = 0;
	for (unsigned i = 0; out == NULL && i < SNAP_TEMPLATES &&
	     plan->templates.items[i] != NULL;
	     i++) {
		const struct row_plan *rows = plan_of(r, plan, i);

		if (rows != NULL)
			out = row_of(ev, plan, rows);
		if (out != NULL)
			snap_templates_used(&plan->templates, i);
	}
	r->nodes_to = &r->snapshot->arena;
	r->snapshot->values_bytes -= r->nodes_bytes;
	return out;
}
