/* SPDX-License-Identifier: MIT */
/*
 * Pointers to objects. The first pointer to an (address, type) makes an object
 * and queues it; later ones only refer to it, so cycles cost nothing. Objects
 * are read breadth first: what is near to a variable comes before the limits
 * are reached.
 */
#include "value/value_private.h"

static bool
is_readable(struct value_reader *r, uint64_t address)
{
	uint8_t room;

	return value_memory(r, address, 1, &room) != NULL;
}

/* The type without const and typedefs, so that all pointers to the object
 * agree. */
static struct shape *
object_shape(struct value_reader *r, struct shape *pointer)
{
	struct shape *target = pointer->target;

	if (target == NULL)
		return NULL;
	if (target->kind == SHAPE_STRUCT || target->kind == SHAPE_UNION) {
		shape_lay_out(r, target);
		return shape_of(r, target->dwarf, target->type);
	}
	return target;
}

void
value_follow(struct evaluator *ev, struct shape *s, uint64_t address,
    struct snap_variable *v)
{
	struct value_reader *r = ev->r;
	struct followed *known;
	struct pending *p;
	struct shape *shape;
	bool is_new = false;
	uint64_t id;

	if (ev->follow_level >= r->limits.follow_depth ||
	    shape_followable(r, s) == false ||
	    r->pending.count >= r->limits.objects)
		return;
	known = &r->followed[map_mix(address) % VALUE_FOLLOWED];
	if (known->id != 0 && known->address == address && known->shape == s) {
		v->object = known->id;
		return;
	}
	if (is_readable(r, address) == false)
		return;
	shape = object_shape(r, s);
	if (shape == NULL)
		return;
	id = snapshot_object(r->snapshot, address, shape->name, &is_new);
	if (id == 0)
		return;
	v->object = id;
	*known = (struct followed){address, s, id};
	if (is_new == false)
		return;
	p = vec_push(&r->pending);
	if (p == NULL)
		return;
	p->id = id;
	p->address = address;
	p->shape = shape;
	p->module = ev->module;
	p->depth = ev->follow_level + 1;
}

static void
read_object(struct value_reader *r, const struct pending *p)
{
	struct evaluator ev = {
	    .r = r,
	    .module = p->module,
	    .dwarf = p->shape->dwarf,
	    .bias = p->module != NULL ? p->module->bias : 0,
	    .follow = true,
	    .follow_level = p->depth,
	};
	struct snap_variable *v = snapshot_object_variable(r->snapshot, p->id);
	struct snap_variable object = {.name = "", .type = ""};
	struct source source;

	if (v == NULL)
		return;
	value_begin(r);
	source_memory(r, &source, p->address);
	value_read(&ev, p->shape, &source, 0, 0, &object);
	/* Reading may have made objects and so moved the table. */
	v = snapshot_object_variable(r->snapshot, p->id);
	if (v != NULL)
		*v = object;
}

void
value_follow_pending(struct value_reader *r)
{
	while (r->pending_done < r->pending.count) {
		/* A copy: reading queues more and may move the items. */
		struct pending p = r->pending.items[r->pending_done++];

		read_object(r, &p);
	}
}

bool
value_followed(
    struct value_reader *r, size_t i, uint64_t *address, uint64_t *size)
{
	const struct pending *p;
	struct evaluator ev = {.r = r};

	if (i >= r->pending.count)
		return false;
	p = &r->pending.items[i];
	ev.dwarf = p->shape->dwarf;
	value_begin(r);
	*address = p->address;
	*size = value_size(&ev, p->shape);
	return true;
}
