/* SPDX-License-Identifier: MIT */
/*
 * Arrays: constant and evaluated bounds (VLA), several dimensions, flexible
 * array members, vectors. At most limits.array_elements elements of each
 * dimension are shown; a cut one carries its length.
 */
#include "base/buf.h"
#include "value/value_private.h"

enum { NAME_MAX_BYTES = 4096 };

/* The bound as a number: a constant, an expression that computes it, or the
 * variable that holds it. */
static bool
bound_value(
    struct evaluator *ev, const struct dwarf_bound *bound, uint64_t *out)
{
	struct view block;

	switch (bound->location.kind) {
	case DWARF_LOC_CONST:
		*out = (uint64_t)bound->location.constant;
		return true;
	case DWARF_LOC_EXPR:
	case DWARF_LOC_LIST:
		return dwarf_location_at(
			   &bound->location, ev->pc, &block, NULL) &&
		    block.size != 0 &&
		    value_evaluate(
			ev, bound->location.unit, block, NULL, out, NULL);
	default:
		return bound->die.unit != NULL &&
		    value_of_die(ev, bound->die, out, NULL);
	}
}

bool
array_count(struct evaluator *ev, const struct dwarf_bound *bound,
    bool *bounded, uint64_t *count)
{
	uint64_t value;

	*bounded = bound->kind != DWARF_BOUND_NONE;
	*count = 0;
	switch (bound->kind) {
	case DWARF_BOUND_NONE:
		return true;
	case DWARF_BOUND_COUNT:
		*count = bound->count;
		break;
	default:
		if (bound_value(ev, bound, &value) == false)
			return false;
		/* An upper bound below the lower: no elements. */
		if (bound->is_count)
			*count = value;
		else if ((int64_t)value >= bound->lower)
			*count = value - (uint64_t)bound->lower + 1;
		break;
	}
	return *count <= VALUE_COUNT_MAX;
}

/* Elements of the dimensions below this one times the element's size. */
uint64_t
array_stride(struct evaluator *ev, const struct shape *s)
{
	const struct dwarf_type *type = s->type;
	const struct dwarf_type *element;
	uint64_t size, count;
	bool bounded;

	if (type->target == NULL)
		return 0;
	element = dwarf_type_strip(type->target);
	if (element != NULL && element->has_size == false)
		element = dwarf_type_complete(s->dwarf, element);
	if (element == NULL || element->has_size == false)
		return 0;
	size = element->size;
	if (element->kind == DWARF_TYPE_REFERENCE)
		size = 8;
	for (unsigned i = s->dim + 1; i < type->n_bounds; i++) {
		if (array_count(ev, &type->bounds[i], &bounded, &count) ==
			false ||
		    bounded == false ||
		    __builtin_mul_overflow(size, count, &size))
			return 0;
	}
	return size;
}

/* The name of a VLA's type tells the length it has here: "int [4]" for "int
 * [variable length]". */
static const char *
evaluated_name(struct evaluator *ev, const struct shape *s)
{
	static const char mark[] = "[variable length]";
	const char *rest = s->name, *at;
	uint64_t count;
	struct buf b;
	bool bounded;

	if (strstr(rest, mark) == NULL)
		return s->name;
	buf_init(&b, NAME_MAX_BYTES);
	for (unsigned i = s->dim; i < s->type->n_bounds; i++) {
		if (s->type->bounds[i].kind != DWARF_BOUND_DYNAMIC)
			continue;
		if ((at = strstr(rest, mark)) == NULL ||
		    array_count(ev, &s->type->bounds[i], &bounded, &count) ==
			false)
			break;
		buf_append(&b, rest, (size_t)(at - rest));
		buf_printf(&b, "[%llu]", (unsigned long long)count);
		rest = at + strlen(mark);
	}
	buf_puts(&b, rest);
	if (b.failed == false)
		rest = snapshot_string(ev->r->snapshot, buf_text(&b));
	else
		rest = s->name;
	buf_deinit(&b);
	return rest;
}

void
array_elements(struct evaluator *ev, struct shape *element, uint64_t stride,
    const struct source *src, uint64_t offset, uint64_t count, unsigned depth,
    struct snap_variable *v)
{
	struct value_reader *r = ev->r;
	uint64_t shown = count;

	if (stride == 0 && count != 0) {
		/* Elements of size 0 (empty structs of C) hold nothing. */
		v->flags |= SNAP_VAR_LENGTH;
		v->length = count;
		return;
	}
	if (shown > r->limits.array_elements)
		shown = r->limits.array_elements;
	if (shown > r->nodes_left)
		shown = r->nodes_left;
	if (shown < count) {
		v->flags |= SNAP_VAR_TRUNCATED | SNAP_VAR_LENGTH;
		v->length = count;
	}
	if (value_children(r, v, (uint32_t)shown) == false)
		return;
	for (uint64_t i = 0; i < shown; i++) {
		v->children[i].name = "";
		value_read(ev, element, src, offset + i * stride, depth + 1,
		    &v->children[i]);
	}
}

/* A flexible array of characters is text up to its NUL. */
static void
read_flexible(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, struct snap_variable *v)
{
	v->kind = s->kind == SHAPE_TEXT ? SNAP_STRING : SNAP_ARRAY;
	if (s->kind == SHAPE_TEXT && src->kind == SOURCE_MEMORY) {
		text_pointer(ev->r, s, src->address + offset, v);
		if ((v->flags & SNAP_VAR_STRING) == 0)
			value_unavailable(
			    v, value_unreadable(ev->r, src->address + offset));
	}
}

/* Text of which only parts are known is shown as its characters; that of
 * one-byte characters only where it has holes, as its known beginning is text
 * (clang leaves the rest of a string undescribed). */
static bool
is_patchy(const struct shape *s, const struct source *src, uint64_t offset,
    uint64_t count)
{
	uint64_t size = count * s->target->size;
	bool there = false, missing = false;

	if (src->kind != SOURCE_BYTES || src->state == NULL)
		return false;
	for (uint64_t i = offset; i < src->size && i - offset < size; i++) {
		if (s->target->size == 1 && missing == false && there &&
		    src->state[i] == BYTE_UNDESCRIBED)
			return false;
		there |= src->state[i] == BYTE_THERE;
		missing |= src->state[i] != BYTE_THERE;
	}
	return there && missing;
}

static const char *
first_byte_missing(
    struct value_reader *r, const struct source *src, uint64_t offset)
{
	const char *reason = NULL;
	uint8_t room;

	if (src->kind != SOURCE_MEMORY ||
	    source_get(r, src, offset, 1, &room, &reason) != NULL)
		return NULL;
	return reason;
}

void
array_read(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, unsigned depth, struct snap_variable *v)
{
	const char *reason = NULL;
	uint64_t count;
	bool bounded;

	shape_lay_out(ev->r, s);
	if (s->target == NULL || s->dim >= s->type->n_bounds)
		reason = "unknown type";
	else if (array_count(ev, &s->type->bounds[s->dim], &bounded, &count) ==
	    false)
		reason = "array bound not known";
	else if (bounded && count != 0)
		reason = first_byte_missing(ev->r, src, offset);
	if (reason == NULL && depth >= ev->r->limits.depth &&
	    s->kind == SHAPE_ARRAY && count != 0)
		reason = value_limit;
	if (reason != NULL) {
		value_unavailable(v, reason);
		return;
	}
	v->kind = SNAP_ARRAY;
	if (s->has_size == false)
		v->type = evaluated_name(ev, s);
	if (bounded == false)
		read_flexible(ev, s, src, offset, v);
	else if (s->kind == SHAPE_TEXT &&
	    is_patchy(s, src, offset, count) == false)
		text_array(ev->r, s, src, offset, count, v);
	else
		array_elements(ev, s->target, array_stride(ev, s), src, offset,
		    count, depth, v);
}
