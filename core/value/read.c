/* SPDX-License-Identifier: MIT */
/*
 * shape + source -> snap_variable. Aggregates recurse into their members, at
 * most limits.depth levels, so the recursion is bounded by configuration and
 * never by foreign data.
 */
#include "value/value_private.h"
#include <stdio.h>

void
value_unavailable(struct snap_variable *v, const char *reason)
{
	v->kind = SNAP_UNAVAILABLE;
	v->flags &= SNAP_VAR_PARAMETER | SNAP_VAR_ADDRESS | SNAP_VAR_BASE;
	v->children = NULL;
	v->n_children = 0;
	v->string = NULL;
	v->string_size = 0;
	v->number = NULL;
	v->reason = reason;
}

bool
value_charge(struct value_reader *r, uint64_t size)
{
	struct snapshot *s = r->snapshot;

	if (s->values_bytes > s->values_cap ||
	    size > s->values_cap - s->values_bytes)
		return false;
	s->values_bytes += size;
	return true;
}

/* For nodes, which need not be kept. */
bool
value_charge_nodes(struct value_reader *r, uint64_t size)
{

	if (value_charge(r, size) == false)
		return false;
	r->nodes_bytes += size;
	return true;
}

/* Room for members or elements; false marks v as cut by a limit. */
bool
value_children(struct value_reader *r, struct snap_variable *v, uint32_t count)
{
	uint64_t size = (uint64_t)count * sizeof(*v->children);

	if (count == 0)
		return true;
	if (value_charge_nodes(r, size))
		v->children = arena_array(
		    r->nodes_to, count, sizeof(*v->children));
	if (v->children == NULL) {
		value_unavailable(v, value_limit);
		return false;
	}
	v->n_children = count;
	return true;
}

uint64_t
value_size(struct evaluator *ev, struct shape *s)
{
	uint64_t count, stride, size;
	bool bounded;

	switch (s->kind) {
	case SHAPE_STRUCT:
	case SHAPE_UNION:
		shape_lay_out(ev->r, s);
		break;
	case SHAPE_ARRAY:
	case SHAPE_TEXT:
		if (s->has_size && s->dim == 0)
			break;
		stride = array_stride(ev, s);
		if (array_count(ev, &s->type->bounds[s->dim], &bounded,
			&count) == false ||
		    bounded == false ||
		    __builtin_mul_overflow(stride, count, &size))
			return 0;
		return size <= VALUE_BYTES_MAX ? size : 0;
	default:
		break;
	}
	return s->has_size && s->size <= VALUE_BYTES_MAX ? s->size : 0;
}

/* ---- pointers ---- */

/* The pointer was optimized away; what it points to is another variable. The
 * child "*" is that variable's value. */
static void
read_implicit(struct evaluator *ev, struct shape *s, const struct implicit *i,
    unsigned depth, struct snap_variable *v)
{
	struct dwarf_location location;
	struct snap_variable *child;
	struct source source;
	uint64_t size;

	v->kind = SNAP_POINTER;
	v->reason = "synthetic pointer";
	shape_lay_out(ev->r, s);
	if (s->target == NULL || i->die.unit == NULL || i->die_offset < 0 ||
	    depth >= ev->r->limits.depth ||
	    dwarf_die_location(i->die, &location) == false)
		return;
	size = value_size(ev, s->target);
	if (size == 0 || (uint64_t)i->die_offset > VALUE_BYTES_MAX)
		return;
	/* Text is as long as the variable, whatever the pointer says. */
	value_locate(ev, &location,
	    s->kind == SHAPE_TEXT_POINTER ? 0 : (uint64_t)i->die_offset + size,
	    &source);
	if (s->kind == SHAPE_REFERENCE) {
		v->reason = NULL;
		value_read(ev, s->target, &source, (uint64_t)i->die_offset,
		    depth + 1, v);
		v->type = s->name;
		return;
	}
	if (s->kind == SHAPE_TEXT_POINTER)
		text_source(ev->r, s, &source, (uint64_t)i->die_offset, v);
	if ((v->flags & SNAP_VAR_STRING) != 0 ||
	    value_children(ev->r, v, 1) == false)
		return;
	child = &v->children[0];
	child->name = "*";
	value_read(
	    ev, s->target, &source, (uint64_t)i->die_offset, depth + 1, child);
}

void
value_code(struct value_reader *r, uint64_t address, struct snap_variable *v)
{
	const char *name;

	v->kind = SNAP_FUNCTION;
	v->value.u = address;
	v->flags |= SNAP_VAR_VALUE;
	if (address == 0 || (name = value_symbol(r, address)) == NULL)
		return;
	v->string = name;
	v->string_size = (uint32_t)strlen(name);
	v->flags |= SNAP_VAR_STRING;
}

static void
read_pointer(struct evaluator *ev, struct shape *s, uint64_t address,
    struct snap_variable *v)
{
	v->kind = SNAP_POINTER;
	v->value.u = address;
	v->flags |= SNAP_VAR_VALUE;
	if (address == 0)
		return;
	if (s->kind == SHAPE_TEXT_POINTER) {
		shape_lay_out(ev->r, s);
		text_pointer(ev->r, s, address, v);
	} else if (ev->follow) {
		value_follow(ev, s, address, v);
	}
}

/*
 * Itanium C++ ABI 2.3: an odd first word is 1 plus an offset into the vtable.
 * On aarch64 (C++ ABI for the Arm 64-bit Architecture, section 3.1) it is the
 * second word that is odd, and the first one the offset.
 */
static void
read_method(
    struct value_reader *r, const uint8_t *bytes, struct snap_variable *v)
{
	bool arm = !arch_is_x86_64(r->arch);
	uint64_t word = scalar_u64(bytes, 8);
	uint64_t mark = arm ? scalar_u64(bytes + 8, 8) : word;
	char text[48];
	int n;

	if ((mark & 1) == 0) {
		value_code(r, word, v);
		return;
	}
	v->kind = SNAP_FUNCTION;
	v->value.u = word;
	v->flags |= SNAP_VAR_VALUE;
	n = snprintf(text, sizeof(text), "virtual, vtable offset %llu",
	    (unsigned long long)(arm ? word : word - 1));
	if (n > 0)
		text_set(r, v, text, (size_t)n);
}

/* GDB shows what a reference refers to. */
static void
read_reference(struct evaluator *ev, struct shape *s, uint64_t address,
    unsigned depth, struct snap_variable *v)
{
	const char *type = v->type;
	struct source referent;

	shape_lay_out(ev->r, s);
	/* No reference to a reference: that could go on for ever. */
	if (s->target == NULL || s->target->kind == SHAPE_REFERENCE) {
		value_unavailable(v, "unknown type");
		return;
	}
	source_memory(ev->r, &referent, address);
	value_read(ev, s->target, &referent, 0, depth, v);
	v->type = type;
}

/* ---- structs ---- */

/* A bit-field as a value of its type. */
static void
read_bits(struct evaluator *ev, const struct field *f, const struct source *src,
    uint64_t offset, struct snap_variable *v)
{
	const char *reason = value_optimized_out;
	unsigned width = f->bit_size;
	uint8_t bytes[8];
	uint64_t x;

	v->type = f->shape->name;
	if (width > 64 || f->shape->size > 8 || offset > UINT64_MAX / 16 ||
	    f->bit_offset > UINT64_MAX / 16) {
		value_unavailable(v, "bit-field too wide");
		return;
	}
	if (source_bits(ev->r, src, offset * 8 + f->bit_offset, width, &x,
		&reason) == false) {
		value_unavailable(v, reason);
		return;
	}
	if (f->shape->kind == SHAPE_ENUM) {
		scalar_enum(ev->r, f->shape, x, width, v);
		return;
	}
	if (f->shape->is_signed && width < 64 && x >> (width - 1) & 1)
		x |= ~UINT64_C(0) << width;
	memcpy(bytes, &x, sizeof(bytes));
	scalar_read(ev->r, f->shape, bytes, (size_t)f->shape->size, v);
}

/* A virtual base lies where the object's vtable says; the expression starts
 * with the object's address (DWARF 5, 5.7.3). */
static void
read_computed(struct evaluator *ev, const struct field *f,
    const struct source *src, uint64_t offset, unsigned depth,
    struct snap_variable *v)
{
	const struct dwarf_location *location = &f->member->location;
	uint64_t object = src->address + offset, address;
	const uint64_t *outer = ev->object_address;
	struct source place;
	struct view block;
	bool ok;

	v->type = f->shape->name;
	if (src->kind != SOURCE_MEMORY) {
		value_unavailable(v, value_optimized_out);
		return;
	}
	ev->object_address = &object;
	ok = dwarf_location_at(location, ev->pc, &block, NULL) &&
	    value_evaluate(ev, location->unit, block, &object, &address, NULL);
	ev->object_address = outer;
	if (ok == false) {
		value_unavailable(v, "base class not found");
		return;
	}
	source_memory(ev->r, &place, address);
	value_read(ev, f->shape, &place, 0, depth, v);
}

static void
read_fields(struct evaluator *ev, const struct field *fields, uint32_t count,
    const struct source *src, uint64_t offset, unsigned depth,
    struct snap_variable *v)
{
	bool follow;

	if (count > ev->r->nodes_left) {
		value_unavailable(v, value_limit);
		return;
	}
	if (value_children(ev->r, v, count) == false)
		return;
	follow = ev->follow;
	for (uint32_t i = 0; i < count; i++) {
		const struct field *f = &fields[i];
		struct snap_variable *child = &v->children[i];

		child->name = f->name;
		if (f->is_base)
			child->flags |= SNAP_VAR_BASE;
		ev->follow = follow && f->is_vptr == false;
		if (f->bit_size != 0)
			read_bits(ev, f, src, offset, child);
		else if (f->computed)
			read_computed(ev, f, src, offset, depth + 1, child);
		else
			value_read(ev, f->shape, src, offset + f->offset,
			    depth + 1, child);
	}
	ev->follow = follow;
}

/* Nothing of the object is there: one reason instead of one per member. */
static const char *
wholly_missing(struct value_reader *r, const struct source *src,
    uint64_t offset, uint64_t size)
{
	const char *reason = NULL;
	uint8_t room;

	if (src->kind == SOURCE_BYTES && src->state != NULL) {
		for (uint64_t i = offset; i < src->size && i - offset < size;
		     i++) {
			if (source_byte_missing(src, i) == false ||
			    src->state[i] == BYTE_IMPLICIT)
				return NULL;
		}
		/* that of its first byte */
	}
	if (source_get(r, src, offset, 1, &room, &reason) != NULL)
		return NULL;
	return reason;
}

static void
read_variant(struct evaluator *ev, const struct shape *s,
    const struct source *src, uint64_t offset, unsigned depth,
    struct snap_variable *v)
{
	const struct shape_variant *active;
	const char *reason = value_optimized_out;

	active = variant_active(ev, s, src, offset, &reason);
	if (active == NULL) {
		value_unavailable(v, reason);
		return;
	}
	/* The variant itself is no level of nesting that a source shows. */
	read_fields(ev, active->fields, active->n_fields, src, offset,
	    depth != 0 ? depth - 1 : 0, v);
	if (v->kind == SNAP_STRUCT && active->name[0] != '\0')
		text_set(ev->r, v, active->name, strlen(active->name));
}

/* An object without bytes is there, wherever it is: Rust's (), closures that
 * catch nothing, arrays of none. */
static bool
is_empty(const struct shape *s)
{
	return s->has_size && s->size == 0 && s->kind != SHAPE_VOID &&
	    s->kind != SHAPE_UNKNOWN && s->kind != SHAPE_FUNCTION;
}

static void
read_struct(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, unsigned depth, struct snap_variable *v)
{
	const char *reason;

	shape_lay_out(ev->r, s);
	v->kind = s->kind == SHAPE_UNION ? SNAP_UNION : SNAP_STRUCT;
	/* It is there, but what it consists of is not known. */
	if (s->type->declaration)
		v->reason = "incomplete type";
	if (s->type->declaration || (s->n_fields == 0 && s->variants == NULL))
		return;
	reason = is_empty(s) ? NULL
			     : wholly_missing(ev->r, src, offset, s->size);
	if (reason == NULL && s->form != FORM_PLAIN &&
	    view_read(ev, s, src, offset, depth, v))
		return;
	if (reason == NULL && depth >= ev->r->limits.depth)
		reason = value_limit;
	if (reason != NULL)
		value_unavailable(v, reason);
	else if (s->variants != NULL)
		read_variant(ev, s, src, offset, depth, v);
	else
		read_fields(ev, s->fields, s->n_fields, src, offset, depth, v);
	if (s->form == FORM_TEXT && v->kind == SNAP_STRUCT)
		(void)view_text(ev, s, src, offset, v);
}

/* ---- all ---- */

static bool
is_pointer(const struct shape *s)
{
	return s->kind == SHAPE_POINTER || s->kind == SHAPE_TEXT_POINTER ||
	    s->kind == SHAPE_CODE_POINTER || s->kind == SHAPE_REFERENCE;
}

static void
read_leaf(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, unsigned depth, struct snap_variable *v)
{
	const char *reason = value_optimized_out;
	const struct implicit *i;
	const uint8_t *bytes;
	uint8_t room[32];
	size_t size = s->size;

	if (is_empty(s)) {
		v->kind = SNAP_STRUCT;
		return;
	}
	if (s->has_size == false || s->size > sizeof(room)) {
		value_unavailable(v, "unknown type");
		return;
	}
	if (src->implicit != NULL && is_pointer(s) &&
	    (i = source_implicit(src, offset, s->size)) != NULL) {
		read_implicit(ev, s, i, depth, v);
		return;
	}
	/* x87 registers and constants come without the padding. */
	if (s->kind == SHAPE_FLOAT && s->format == FLOAT_EXTENDED && size > 10)
		size = 10;
	bytes = source_get(ev->r, src, offset, size, room, &reason);
	if (bytes == NULL) {
		value_unavailable(v, reason);
		return;
	}
	switch (s->kind) {
	case SHAPE_POINTER:
	case SHAPE_TEXT_POINTER:
		read_pointer(ev, s, scalar_u64(bytes, s->size), v);
		break;
	case SHAPE_CODE_POINTER:
		value_code(ev->r, scalar_u64(bytes, s->size), v);
		break;
	case SHAPE_METHOD:
		read_method(ev->r, bytes, v);
		break;
	case SHAPE_REFERENCE:
		read_reference(ev, s, scalar_u64(bytes, s->size), depth, v);
		break;
	default:
		scalar_read(ev->r, s, bytes, size, v);
		break;
	}
}

/* A function itself, not a pointer to it: its value is where it is. */
static void
read_function(struct evaluator *ev, const struct source *src, uint64_t offset,
    struct snap_variable *v)
{
	if (src->kind == SOURCE_MEMORY)
		value_code(ev->r, src->address + offset, v);
	else
		value_unavailable(v, value_optimized_out);
}

void
value_read(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, unsigned depth, struct snap_variable *v)
{
	v->type = s->name;
	if (src->kind == SOURCE_MEMORY) {
		v->address = src->address + offset;
		v->flags |= SNAP_VAR_ADDRESS;
	} else if (src->kind == SOURCE_NONE && src->implicit == NULL &&
	    is_empty(s) == false) {
		value_unavailable(v, src->reason);
		return;
	}
	if (ev->r->nodes_left == 0 || budget_step(ev->r->budget) == false) {
		value_unavailable(v, value_limit);
		return;
	}
	ev->r->nodes_left--;
	switch (s->kind) {
	case SHAPE_STRUCT:
	case SHAPE_UNION:
		read_struct(ev, s, src, offset, depth, v);
		break;
	case SHAPE_ARRAY:
	case SHAPE_TEXT:
		array_read(ev, s, src, offset, depth, v);
		break;
	case SHAPE_FUNCTION:
		read_function(ev, src, offset, v);
		break;
	case SHAPE_VOID:
		value_unavailable(v, "void");
		break;
	case SHAPE_UNKNOWN:
		value_unavailable(v, "unknown type");
		break;
	default:
		read_leaf(ev, s, src, offset, depth, v);
		break;
	}
}
