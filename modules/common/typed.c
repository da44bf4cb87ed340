/* SPDX-License-Identifier: MIT */
/*
 * Two tables that grow with the variables, up to a bound, and are sorted once.
 */
#include "typed.h"

enum {
	ENTRIES_MAX = 1 << 19,
	NESTED_MAX = 64, /* objects that begin between an address and the one
			  * that holds it */
	OWNERS_MAX = 8
};

static bool
grow(void **items, size_t count, size_t *room, size_t size)
{
	size_t more = *room == 0 ? 1024 : *room * 2;
	void *bigger;

	if (count < *room)
		return true;
	if (more > ENTRIES_MAX)
		return false;
	bigger = realloc(*items, more * size);
	if (bigger == NULL)
		return false;
	*items = bigger;
	*room = more;
	return true;
}

static void
add_object(struct typed *t, bt_addr_t start, uint64_t size, const char *type)
{
	void *items = t->objects;

	if (start == 0 || size == 0 || start + size < start || type == NULL ||
	    grow(&items, t->n_objects, &t->room_objects, sizeof(*t->objects)) ==
		false)
		return;
	t->objects = items;
	t->objects[t->n_objects++] = (struct typed_object){start, size, type};
}

static bool
is_record(struct bt_type *type)
{
	const char *text = bt_type_pp(type, BT_TYPE_LANG_C);

	return text != NULL &&
	    (strncmp(text, "struct(", 7) == 0 ||
		strncmp(text, "class(", 6) == 0 ||
		strncmp(text, "union(", 6) == 0) &&
	    strchr(text, '*') == NULL;
}

static void
add_pointer(struct typed *t, ptrace_variable_t *v, bt_variable_t *raw)
{
	struct bt_type *type = bt_variable_bt_type(raw);
	struct bt_type *target = type != NULL ? bt_type_target(type) : NULL;
	struct typed_pointer p = {.variable = v};
	void *items = t->pointers;

	if (!ptrace_variable_ull(v, &p.value) || p.value == 0)
		return;
	(void)ptrace_variable_address(v, &p.address);
	if (target != NULL && target->name != NULL && target->size != 0) {
		p.type = target->name;
		p.size = target->size;
		if (is_record(target))
			add_object(t, p.value, p.size, p.type);
	}
	if (grow(&items, t->n_pointers, &t->room_pointers,
		sizeof(*t->pointers)) == false)
		return;
	t->pointers = items;
	t->pointers[t->n_pointers++] = p;
}

void
typed_collect(struct typed *t, ptrace_variable_t *v, bt_variable_t *raw)
{
	struct bt_type *type = raw != NULL ? bt_variable_bt_type(raw) : NULL;
	bt_addr_t address;

	if (type == NULL)
		return;
	switch (ptrace_variable_type(v)) {
	case PTRACE_TYPE_TUPLE:
		if (ptrace_variable_address(v, &address))
			add_object(t, address, type->size, type->name);
		break;
	case PTRACE_TYPE_REFERENCE:
		add_pointer(t, v, raw);
		break;
	default:
		break;
	}
}

static int
by_start(const void *a, const void *b)
{
	const struct typed_object *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->size < y->size) - (x->size > y->size);
}

static int
by_value(const void *a, const void *b)
{
	const struct typed_pointer *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

static int
by_address(const void *a, const void *b)
{
	const struct typed_pointer *x = *(struct typed_pointer *const *)a;
	const struct typed_pointer *y = *(struct typed_pointer *const *)b;

	return (x->address > y->address) - (x->address < y->address);
}

void
typed_sort(struct typed *t)
{
	if (t->n_objects > 0)
		qsort(t->objects, t->n_objects, sizeof(*t->objects), by_start);
	if (t->n_pointers > 0)
		qsort(
		    t->pointers, t->n_pointers, sizeof(*t->pointers), by_value);
	t->places = calloc(t->n_pointers + 1, sizeof(struct typed_pointer *));
	t->n_places = 0;
	for (size_t i = 0; t->places != NULL && i < t->n_pointers; i++)
		if (t->pointers[i].address != 0)
			t->places[t->n_places++] = &t->pointers[i];
	if (t->n_places > 0)
		qsort(t->places, t->n_places, sizeof(struct typed_pointer *),
		    by_address);
}

void
typed_end(struct typed *t)
{

	free(t->objects);
	free(t->pointers);
	free(t->places);
	*t = (struct typed){0};
}

const struct typed_object *
typed_object_at(const struct typed *t, bt_addr_t address)
{
	const struct typed_object *best = NULL;
	size_t low = 0, high = t->n_objects;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->objects[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low, step = 0; i > 0 && step < NESTED_MAX;
	     i--, step++) {
		const struct typed_object *o = &t->objects[i - 1];

		if (address - o->start < o->size &&
		    (best == NULL || o->size >= best->size))
			best = o;
	}
	return best;
}

const struct typed_pointer *
typed_pointer_at(const struct typed *t, bt_addr_t address)
{
	size_t low = 0, high = t->n_places;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->places[middle]->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->n_places && t->places[low]->address == address
	    ? t->places[low]
	    : NULL;
}

size_t
typed_pointers_from(const struct typed *t, uint64_t start)
{
	size_t low = 0, high = t->n_pointers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->pointers[middle].value < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* "list" of "struct(list)" */
static const char *
type_label(ptrace_backtrace_t *bt, const ptrace_variable_t *v)
{
	const char *type = ptrace_variable_type_name(v);
	const char *open = strchr(type, '('), *end = strrchr(type, ')');

	return open != NULL && end > open && end[1] == '\0'
	    ? pmodule_text(bt, "%.*s", (int)(end - open - 1), open + 1)
	    : type;
}

const char *
typed_label(ptrace_backtrace_t *bt, const ptrace_variable_t *v)
{
	const char *name = ptrace_variable_name(v);
	const char *path = name != NULL && name[0] != '\0' ? name : "[]";
	ptrace_variable_t *owner = ptrace_variable_owner(v);
	ptrace_frame_t *frame = pmodule_variable_frame(v);

	for (int i = 0; owner != NULL && i < OWNERS_MAX;
	     i++, owner = ptrace_variable_owner(owner)) {
		const char *outer = ptrace_variable_name(owner);

		/* An element of an array, or what was followed. */
		if (outer == NULL || outer[0] == '\0')
			outer = ptrace_variable_owner(owner) != NULL
			    ? "[]"
			    : type_label(bt, owner);
		path = pmodule_text(
		    bt, "%s%s%s", outer, path[0] == '[' ? "" : ".", path);
	}
	if (frame == NULL)
		return path;
	return pmodule_text(bt, "%s of %s, thread %u", path,
	    ptrace_frame_symbol(frame),
	    ptrace_thread_tid(ptrace_frame_thread(frame)));
}
