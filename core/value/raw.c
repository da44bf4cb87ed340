/* SPDX-License-Identifier: MIT */
/*
 * Steps from one raw variable to the next, and its contents. What a location
 * gave (memory or bytes put together) is kept in the variable itself; only
 * pieces too large for it are copied into the reader's arena.
 */
#include "value/raw_private.h"

enum { RAW_LEVELS = 32, RAW_POINTERS = 16, RAW_BYTES_MAX = 4096 };

void
raw_evaluator(const struct value_raw *v, struct evaluator *ev)
{
	*ev = (struct evaluator){
	    .r = v->r,
	    .module = v->module,
	    .dwarf = v->shape->dwarf,
	    .pc = v->pc,
	    .bias = v->module != NULL ? v->module->bias : 0,
	};
}

void
raw_source(const struct value_raw *v, struct source *out)
{
	memset(out, 0, offsetof(struct source, small));
	if (v->reason != NULL) {
		source_none(out, v->reason);
	} else if (v->in_memory) {
		source_memory(v->r, out, v->address);
	} else {
		out->kind = SOURCE_BYTES;
		out->bytes = v->bytes;
		out->state = v->state;
		out->gaps = v->gaps;
		out->size = v->size;
		memcpy(out->small, v->small, sizeof(out->small));
	}
}

static void
raw_missing(struct value_raw *v, const char *reason)
{

	v->reason = reason != NULL ? reason : value_optimized_out;
}

/* An optimizer keeps what it needs of a struct: some members, no padding. Each
 * step to a member looks at its own bytes again. Pointers to what does not
 * exist either are gone. */
static bool
raw_take_part(struct value_raw *v, const struct source *src, uint64_t offset,
    uint64_t size)
{
	const uint8_t *from = src->bytes != NULL ? src->bytes : src->small;
	uint8_t *bytes, *state, *gaps;
	bool any = false;

	if (src->state == NULL || src->gaps == NULL || offset > src->size ||
	    size > src->size - offset ||
	    (v->shape->kind != SHAPE_STRUCT && v->shape->kind != SHAPE_UNION &&
		v->shape->kind != SHAPE_ARRAY) ||
	    (bytes = arena_alloc(&v->r->arena, size)) == NULL ||
	    (state = arena_alloc(&v->r->arena, size)) == NULL ||
	    (gaps = arena_alloc(&v->r->arena, size)) == NULL)
		return false;
	memcpy(bytes, from + offset, size);
	memcpy(state, src->state + offset, size);
	memcpy(gaps, src->gaps + offset, size);
	for (uint64_t i = 0; i < size; i++) {
		if (state[i] == BYTE_IMPLICIT) {
			state[i] = BYTE_OPTIMIZED_OUT;
			gaps[i] = 0xff;
		}
		any |= state[i] == BYTE_THERE;
	}
	if (any == false)
		return false;
	v->bytes = bytes;
	v->state = state;
	v->gaps = gaps;
	v->size = size;
	return true;
}

/* Takes size bytes at offset of a source. */
static void
raw_take(struct value_raw *v, const struct source *src, uint64_t offset,
    uint64_t size)
{
	const char *reason = value_optimized_out;
	const uint8_t *p;
	uint8_t *copy = v->small;
	uint8_t room[sizeof(v->small)];

	if (src->kind == SOURCE_MEMORY) {
		v->in_memory = true;
		v->address = src->address + offset;
		return;
	}
	if (src->kind == SOURCE_NONE) {
		raw_missing(v, src->reason);
		return;
	}
	if (size == 0 || size > RAW_BYTES_MAX) {
		raw_missing(v, value_limit);
		return;
	}
	p = source_get(v->r, src, offset, size,
	    size <= sizeof(room) ? room : NULL, &reason);
	if (p == NULL) {
		if (raw_take_part(v, src, offset, size) == false)
			raw_missing(v, reason);
		return;
	}
	if (size > sizeof(v->small))
		copy = arena_alloc(&v->r->arena, size);
	if (copy == NULL) {
		raw_missing(v, value_limit);
		return;
	}
	memcpy(copy, p, size);
	v->bytes = copy == v->small ? NULL : copy;
	v->size = size;
}

void
raw_set(struct value_raw *v, struct evaluator *ev, struct shape *shape,
    const char *name, const struct source *src, uint64_t offset)
{
	memset(v, 0, sizeof(*v));
	v->r = ev->r;
	v->shape = shape;
	v->module = ev->module;
	v->name = name;
	v->pc = ev->pc;
	raw_take(v, src, offset, value_size(ev, shape));
}

bool
value_raw_object(struct value_reader *r, uint64_t id, struct value_raw *out)
{
	/* Objects are queued in the order of their ids. */
	size_t low = 0, high = r->pending.count;
	struct evaluator ev = {.r = r};
	struct source source;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->pending.items[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == r->pending.count || r->pending.items[low].id != id)
		return false;
	ev.module = r->pending.items[low].module;
	ev.dwarf = r->pending.items[low].shape->dwarf;
	source_memory(r, &source, r->pending.items[low].address);
	raw_set(out, &ev, r->pending.items[low].shape, "", &source, 0);
	return true;
}

bool
value_raw_global(struct value_reader *r, const struct target_thread *thread,
    struct target_module *module, struct dwarf *dwarf,
    const struct dwarf_variable *variable, struct value_raw *out, bt_error_t *e)
{
	struct evaluator ev = {
	    .r = r,
	    .thread = thread,
	    .module = module,
	    .dwarf = dwarf,
	    .bias = module != NULL ? module->bias : 0,
	};
	struct shape *shape = shape_of(r, dwarf, variable->type);
	struct source source;

	if (shape == NULL)
		return bt_fail(e, BT_E_NOMEM, "no room for a type");
	value_begin(r);
	value_locate(&ev, &variable->location, value_size(&ev, shape), &source);
	raw_set(out, &ev, shape, value_name(r, variable->name), &source, 0);
	return true;
}

/* ---- steps ---- */

/* A bit-field becomes a value of its type. */
static void
raw_bits(struct value_raw *out, struct evaluator *ev, const struct field *f,
    const struct source *src)
{
	const char *reason = value_optimized_out;
	struct source bits;
	uint64_t x = 0;

	memset(&bits, 0, offsetof(struct source, small));
	if (f->bit_size > 64 || f->shape->size == 0 || f->shape->size > 8 ||
	    f->bit_offset > UINT64_MAX / 16 ||
	    source_bits(ev->r, src, f->bit_offset, f->bit_size, &x, &reason) ==
		false) {
		source_none(&bits, reason);
	} else {
		if (f->shape->is_signed && f->bit_size < 64 &&
		    x >> (f->bit_size - 1) & 1)
			x |= ~UINT64_C(0) << f->bit_size;
		source_bytes(ev->r, &bits, &x, f->shape->size);
	}
	raw_set(out, ev, f->shape, f->name, &bits, 0);
}

/* Where a virtual base lies, the object's vtable says. */
static void
raw_computed(struct value_raw *out, struct evaluator *ev, const struct field *f,
    const struct source *src)
{
	const struct dwarf_location *location = &f->member->location;
	uint64_t object = src->address, address;
	struct source place;
	struct view block;

	ev->object_address = &object;
	if (src->kind == SOURCE_MEMORY &&
	    dwarf_location_at(location, ev->pc, &block, NULL) &&
	    value_evaluate(ev, location->unit, block, &object, &address, NULL))
		source_memory(ev->r, &place, address);
	else
		source_none(&place, "base class not found");
	ev->object_address = NULL;
	raw_set(out, ev, f->shape, f->name, &place, 0);
}

static void
raw_field(
    const struct value_raw *v, const struct field *f, struct value_raw *out)
{
	struct evaluator ev;
	struct source src;

	raw_evaluator(v, &ev);
	raw_source(v, &src);
	value_begin(v->r);
	if (f->bit_size != 0)
		raw_bits(out, &ev, f, &src);
	else if (f->computed)
		raw_computed(out, &ev, f, &src);
	else
		raw_set(out, &ev, f->shape, f->name, &src, f->offset);
}

static bool
is_aggregate(const struct shape *s)
{

	return s->kind == SHAPE_STRUCT || s->kind == SHAPE_UNION;
}

/* The members that are there: of an enum with data those of its active
 * variant. None when its discriminant fits no variant. */
static const struct field *
fields_of(const struct value_raw *v, uint32_t *n)
{
	const struct shape_variant *active;
	const char *reason = NULL;
	struct evaluator ev;
	struct source src;

	shape_lay_out(v->r, v->shape);
	*n = v->shape->n_fields;
	if (v->shape->variants == NULL)
		return v->shape->fields;
	raw_evaluator(v, &ev);
	raw_source(v, &src);
	value_begin(v->r);
	active = variant_active(&ev, v->shape, &src, 0, &reason);
	*n = active != NULL ? active->n_fields : 0;
	return active != NULL ? active->fields : NULL;
}

/* The innermost member hides those of its bases: own members first. */
static bool
find_member(const struct value_raw *v, const char *name, unsigned level,
    struct value_raw *out)
{
	uint32_t n;
	const struct field *fields = fields_of(v, &n);

	for (uint32_t i = 0; i < n; i++) {
		if (strcmp(fields[i].name, name) == 0) {
			raw_field(v, &fields[i], out);
			return true;
		}
	}
	for (uint32_t i = 0; level < RAW_LEVELS && i < n; i++) {
		const struct field *f = &fields[i];
		struct value_raw inner;

		if ((f->is_base == false && f->name[0] != '\0') ||
		    is_aggregate(f->shape) == false ||
		    budget_step(v->r->budget) == false)
			continue;
		raw_field(v, f, &inner);
		if (find_member(&inner, name, level + 1, out))
			return true;
	}
	return false;
}

bool
value_raw_member(const struct value_raw *v, const char *name,
    struct value_raw *out, bt_error_t *e)
{
	struct value_raw at = *v;

	for (int i = 0; i < RAW_POINTERS && is_aggregate(at.shape) == false;
	     i++) {
		struct value_raw next;

		if (value_raw_deref(&at, &next, e) == false)
			return false;
		at = next;
	}
	if (is_aggregate(at.shape) == false)
		return bt_fail(
		    e, BT_E_NOTFOUND, "%s has no members", v->shape->name);
	if (find_member(&at, name, 0, out))
		return true;
	return bt_fail(
	    e, BT_E_NOTFOUND, "%s has no member '%s'", at.shape->name, name);
}

bool
value_raw_field(
    const struct value_raw *v, uint32_t i, struct value_raw *out, bool *is_base)
{
	struct value_raw at = *v;

	if (v->shape->kind == SHAPE_REFERENCE &&
	    value_raw_deref(v, &at, NULL) == false)
		return false;
	if (is_aggregate(at.shape) == false)
		return false;
	shape_lay_out(at.r, at.shape);
	if (i >= at.shape->n_fields)
		return false;
	*is_base = at.shape->fields[i].is_base;
	raw_field(&at, &at.shape->fields[i], out);
	return true;
}

bool
value_raw_child(const struct value_raw *v, uint32_t i, struct value_raw *out)
{
	struct evaluator ev;
	struct source src;
	uint64_t stride;

	shape_lay_out(v->r, v->shape);
	if (is_aggregate(v->shape)) {
		uint32_t n;
		const struct field *fields = fields_of(v, &n);

		if (i >= n)
			return false;
		raw_field(v, &fields[i], out);
		return true;
	}
	if (v->shape->kind == SHAPE_REFERENCE) {
		struct value_raw referent;

		return value_raw_deref(v, &referent, NULL) &&
		    referent.shape->kind != SHAPE_REFERENCE &&
		    value_raw_child(&referent, i, out);
	}
	if (v->shape->kind != SHAPE_ARRAY || v->shape->target == NULL)
		return false;
	raw_evaluator(v, &ev);
	raw_source(v, &src);
	value_begin(v->r);
	stride = array_stride(&ev, v->shape);
	if (stride == 0)
		return false;
	raw_set(out, &ev, v->shape->target, "", &src, stride * i);
	return true;
}

bool
value_raw_at(const struct value_raw *proto, struct shape *shape,
    uint64_t address, struct value_raw *out, bt_error_t *e)
{
	struct evaluator ev;
	struct source src;

	if (shape == NULL)
		return bt_fail(e, BT_E_USAGE, "no type");
	raw_evaluator(proto, &ev);
	source_memory(proto->r, &src, address);
	raw_set(out, &ev, shape, proto->name, &src, 0);
	return true;
}

bool
value_raw_deref(const struct value_raw *v, struct value_raw *out, bt_error_t *e)
{
	struct shape *target = value_shape_target(v->r, v->shape);
	uint64_t address;

	switch (v->shape->kind) {
	case SHAPE_POINTER:
	case SHAPE_TEXT_POINTER:
	case SHAPE_REFERENCE:
		break;
	default:
		return bt_fail(
		    e, BT_E_USAGE, "%s is no pointer", v->shape->name);
	}
	if (target == NULL || target->kind == SHAPE_VOID)
		return bt_fail(e, BT_E_NOTFOUND,
		    "%s: what it points to has no type", v->shape->name);
	return value_raw_number(v, &address, e) &&
	    value_raw_at(v, target, address, out, e);
}

static bool
array_element(
    const struct value_raw *v, int64_t i, struct value_raw *out, bt_error_t *e)
{
	struct evaluator ev;
	struct source src;
	uint64_t stride, offset;

	shape_lay_out(v->r, v->shape);
	raw_evaluator(v, &ev);
	raw_source(v, &src);
	value_begin(v->r);
	stride = v->shape->kind == SHAPE_ARRAY ? array_stride(&ev, v->shape)
	    : v->shape->target != NULL	       ? v->shape->target->size
					       : 0;
	if (stride == 0 || v->shape->target == NULL || i < 0 ||
	    __builtin_mul_overflow((uint64_t)i, stride, &offset))
		return bt_fail(e, BT_E_NOTFOUND,
		    "%s: the place of an element is not known", v->shape->name);
	raw_set(out, &ev, v->shape->target, "", &src, offset);
	return true;
}

bool
value_raw_element(
    const struct value_raw *v, int64_t i, struct value_raw *out, bt_error_t *e)
{
	struct value_raw first;
	uint64_t size;

	if (v->shape->kind == SHAPE_ARRAY || v->shape->kind == SHAPE_TEXT)
		return array_element(v, i, out, e);
	if (value_raw_deref(v, &first, e) == false)
		return false;
	size = value_shape_size(v->r, first.shape);
	if (size == 0 && i != 0)
		return bt_fail(e, BT_E_NOTFOUND,
		    "%s: the size of an element is not known", v->shape->name);
	/* Wraps as the target's own arithmetic does. */
	return value_raw_at(
	    v, first.shape, first.address + (uint64_t)i * size, out, e);
}

/* ---- contents ---- */

/* Copies the first size bytes. */
static bool
raw_copy(const struct value_raw *v, uint64_t size, void *out, bt_error_t *e)
{
	const char *reason = value_optimized_out;
	struct source src;
	const uint8_t *p;

	raw_source(v, &src);
	p = source_get(v->r, &src, 0, size, out, &reason);
	if (p == NULL && v->in_memory && v->reason == NULL)
		return bt_fail_fault(e, v->address, "%s", reason);
	if (p == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "%s", reason);
	if (p != out)
		memcpy(out, p, size);
	return true;
}

bool
value_raw_number(const struct value_raw *v, uint64_t *out, bt_error_t *e)
{
	const struct shape *s = v->shape;
	uint8_t room[8];
	uint64_t x;

	switch (s->kind) {
	case SHAPE_INT:
	case SHAPE_BOOL:
	case SHAPE_CHAR:
	case SHAPE_ENUM:
	case SHAPE_POINTER:
	case SHAPE_TEXT_POINTER:
	case SHAPE_CODE_POINTER:
	case SHAPE_REFERENCE:
		break;
	default:
		return bt_fail(e, BT_E_USAGE, "%s is no number", s->name);
	}
	if (s->has_size == false || s->size == 0 || s->size > sizeof(room))
		return bt_fail(
		    e, BT_E_UNSUPPORTED, "%s does not fit in 64 bits", s->name);
	if (raw_copy(v, s->size, room, e) == false)
		return false;
	x = scalar_u64(room, s->size);
	if (s->size < 8 && s->is_signed && x >> (s->size * 8 - 1) & 1)
		x |= ~UINT64_C(0) << (s->size * 8);
	*out = x;
	return true;
}

bool
value_raw_readable(const struct value_raw *v, bt_error_t *e)
{
	struct evaluator ev;
	uint8_t room[64];
	uint64_t size, done = 0;

	if (v->reason != NULL)
		return bt_fail(e, BT_E_NOTFOUND, "%s", v->reason);
	for (uint64_t i = 0; v->state != NULL && i < v->size; i++)
		if (v->state[i] != BYTE_THERE)
			return bt_fail(
			    e, BT_E_NOTFOUND, "%s", value_optimized_out);
	if (v->in_memory == false)
		return true;
	raw_evaluator(v, &ev);
	size = value_size(&ev, v->shape);
	/* At least one byte, then one of each page. */
	do {
		if (budget_step(v->r->budget) == false)
			return bt_fail(e, BT_E_LIMIT, "%s", value_limit);
		if (value_memory(v->r, v->address + done, 1, room) == NULL)
			return bt_fail_fault(e, v->address + done,
			    "memory at 0x%llx is not readable",
			    (unsigned long long)(v->address + done));
		done += VALUE_PAGE;
	} while (done < size);
	return size == 0 ||
	    value_memory(v->r, v->address + size - 1, 1, room) != NULL ||
	    bt_fail_fault(e, v->address + size - 1, "cut off");
}

static ssize_t
raw_cstr(const struct value_raw *v, uint64_t address, char *out, size_t size,
    bt_error_t *e)
{
	bool cut;
	ssize_t n = target_read_cstr(v->r->target, address, out, size, &cut);

	if (n < 0)
		(void)bt_fail_fault(e, address, "no text can be read at 0x%llx",
		    (unsigned long long)address);
	return n;
}

ssize_t
value_raw_text(const struct value_raw *v, char *out, size_t size, bt_error_t *e)
{
	struct snap_variable text = {.name = "", .type = ""};
	uint64_t address = v->address;

	if (size == 0 || v->reason != NULL) {
		(void)bt_fail(e, BT_E_NOTFOUND, "%s",
		    v->reason != NULL ? v->reason : "no room");
		return -1;
	}
	switch (v->shape->kind) {
	case SHAPE_TEXT:
		value_raw_fill(v, &text);
		break;
	case SHAPE_TEXT_POINTER:
		if (value_raw_number(v, &address, e) == false)
			return -1;
		return raw_cstr(v, address, out, size, e);
	case SHAPE_CHAR:
		if (v->in_memory)
			return raw_cstr(v, address, out, size, e);
		break;
	default:
		break;
	}
	if ((text.flags & SNAP_VAR_STRING) == 0) {
		(void)bt_fail(e, BT_E_USAGE, "%s is no text", v->shape->name);
		return -1;
	}
	if (text.string_size > size - 1)
		text.string_size = (uint32_t)(size - 1);
	memcpy(out, text.string, text.string_size);
	out[text.string_size] = '\0';
	return (ssize_t)text.string_size;
}

void
value_raw_fill(const struct value_raw *v, struct snap_variable *out)
{
	struct evaluator ev;
	struct source src;

	*out = (struct snap_variable){.name = v->name, .type = ""};
	raw_evaluator(v, &ev);
	raw_source(v, &src);
	value_begin(v->r);
	value_read(&ev, v->shape, &src, 0, 0, out);
}
