/* SPDX-License-Identifier: MIT */
/*
 * Types as modules see them: names, kinds, what they are built on.
 */
#include "value/raw_private.h"

enum { TYPE_CHAIN = 64 };

const char *
value_shape_name(const struct shape *s)
{

	return s->name;
}

uint64_t
value_shape_size(struct value_reader *r, struct shape *s)
{
	struct evaluator ev = {.r = r, .dwarf = s->dwarf};

	if (s->kind == SHAPE_STRUCT || s->kind == SHAPE_UNION)
		shape_lay_out(r, s);
	return s->has_size ? s->size : value_size(&ev, s);
}

enum value_raw_kind
value_shape_kind(const struct shape *s)
{
	switch (s->kind) {
	case SHAPE_INT:
		return s->is_signed ? VALUE_RAW_INT : VALUE_RAW_UINT;
	case SHAPE_CHAR:
		return s->is_signed ? VALUE_RAW_INT : VALUE_RAW_UINT;
	case SHAPE_BOOL:
		return VALUE_RAW_UINT;
	case SHAPE_FLOAT:
		return VALUE_RAW_FLOAT;
	case SHAPE_COMPLEX:
		return VALUE_RAW_COMPLEX;
	case SHAPE_ENUM:
		return VALUE_RAW_ENUM;
	case SHAPE_POINTER:
	case SHAPE_TEXT_POINTER:
	case SHAPE_CODE_POINTER:
	case SHAPE_REFERENCE:
		return VALUE_RAW_POINTER;
	case SHAPE_STRUCT:
	case SHAPE_UNION:
		return VALUE_RAW_STRUCT;
	case SHAPE_ARRAY:
		return VALUE_RAW_ARRAY;
	case SHAPE_TEXT:
		return VALUE_RAW_TEXT;
	case SHAPE_METHOD:
	case SHAPE_FUNCTION:
		return VALUE_RAW_FUNCTION;
	default:
		return VALUE_RAW_VOID;
	}
}

bool
value_shape_is_union(const struct shape *s)
{

	return s->kind == SHAPE_UNION;
}

bool
value_shape_is_reference(const struct shape *s)
{

	return s->kind == SHAPE_REFERENCE;
}

struct shape *
value_shape_target(struct value_reader *r, struct shape *s)
{
	switch (s->kind) {
	case SHAPE_POINTER:
	case SHAPE_TEXT_POINTER:
	case SHAPE_REFERENCE:
	case SHAPE_ARRAY:
	case SHAPE_TEXT:
		shape_lay_out(r, s);
		return s->target;
	case SHAPE_CODE_POINTER:
		return shape_of(r, s->dwarf, s->type->target);
	default:
		return NULL;
	}
}

struct shape *
value_shape_base(struct value_reader *r, struct shape *s)
{
	for (int i = 0; i < TYPE_CHAIN; i++) {
		struct shape *target = value_shape_target(r, s);

		if (target == NULL)
			break;
		s = target;
	}
	/* The stripped type has a shape of its own, with its own name. */
	if (s->kind == SHAPE_STRUCT || s->kind == SHAPE_UNION ||
	    s->kind == SHAPE_ENUM || s->kind == SHAPE_INT) {
		struct shape *bare = shape_of(r, s->dwarf, s->type);

		if (bare != NULL && bare->name[0] != '\0' &&
		    strstr(bare->name, "{...}") == NULL)
			return bare;
	}
	return s;
}

bool
value_shape_argument(struct value_reader *r, struct shape *s, unsigned n,
    struct shape **type, bool *is_value, int64_t *value)
{
	struct dwarf_argument a;

	shape_lay_out(r, s);
	if (dwarf_type_argument(s->type, n, &a) == false || a.type == NULL ||
	    (a.is_value && a.has_value == false))
		return false;
	*is_value = a.is_value;
	*value = a.value;
	*type = shape_of(r, s->dwarf, a.type);
	return *type != NULL;
}

const struct dwarf_die *
value_shape_die(const struct shape *s)
{

	return s->type->die.unit != NULL ? &s->type->die : NULL;
}

struct dwarf *
value_shape_dwarf(const struct shape *s)
{

	return s->dwarf;
}

struct shape *
value_shape_named(struct value_reader *r, struct dwarf *dwarf, const char *name)
{
	const struct dwarf_type *type = dwarf_type_named(dwarf, name);

	return type != NULL ? shape_of(r, dwarf, type) : NULL;
}

static const char *
base_name(const char *name)
{
	static const char *const words[] = {
	    "const ", "volatile ", "struct ", "class ", "union ", "enum "};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (*name == *words[i] &&
		    strncmp(name, words[i], strlen(words[i])) == 0) {
			name += strlen(words[i]);
			i = (size_t)-1;
		}
	}
	return name;
}

const char *
value_base_name(struct value_reader *r, struct shape *s)
{

	return base_name(value_shape_base(r, s)->name);
}

/* By the names alone, the given one and the one behind typedefs: types that
 * nobody has met yet are not looked up. */
void
value_types_each(
    struct value_reader *r, bool (*fn)(void *ctx, const char *name), void *ctx)
{
	uint64_t key, value;
	size_t at = 0;

	while (map_next(&r->shapes, &at, &key, &value)) {
		const struct shape *s = (struct shape *)(uintptr_t)value;

		if (s != NULL &&
		    (fn(ctx, base_name(s->name)) == false ||
			(s->type->name != NULL &&
			    fn(ctx, base_name(s->type->name)) == false)))
			return;
	}
}

struct dwarf *
value_reader_dwarf(struct value_reader *r, struct target_module *module)
{

	return r->dwarf_of(r->dwarf_ctx, module);
}
