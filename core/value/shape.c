/* SPDX-License-Identifier: MIT */
/*
 * Compiles a DWARF type into a shape: which kind of snap_variable it gives,
 * its interned name, and (on first need) its members and enumerators. A shape
 * belongs to one type as it is named, so that a typedef keeps its name; it is
 * made once and shared by all variables of that type.
 */
#include "value/value_private.h"

enum { /* DWARF 5, table 7.11 */
	ATE_BOOLEAN = 0x02,
	ATE_COMPLEX_FLOAT = 0x03,
	ATE_FLOAT = 0x04,
	ATE_SIGNED = 0x05,
	ATE_SIGNED_CHAR = 0x06,
	ATE_UNSIGNED_CHAR = 0x08,
	ATE_UTF = 0x10,
	ATE_UCS = 0x11,
	ATE_ASCII = 0x12,
	LANG_RUST = 0x1c,   /* table 7.17 */
	TYPE_CHAIN_MAX = 64 /* typedefs of typedefs: damage beyond */
};

const char *
value_name(struct value_reader *r, const char *name)
{
	uint64_t *place;

	if (name == NULL || name[0] == '\0')
		return "";
	place = map_put(&r->names, (uint64_t)(uintptr_t)name, NULL);
	if (place == NULL)
		return snapshot_string(r->snapshot, name);
	if (*place == 0)
		*place = (uint64_t)(uintptr_t)snapshot_string(
		    r->snapshot, name);
	return (const char *)(uintptr_t)*place;
}

/* GDB's notion of text: character encodings of one byte, and the wide
 * character types by name, also behind a typedef (uint8_t is text, wchar_t is
 * an int with a name). */
static bool
is_wide_name(const char *name)
{
	return name != NULL &&
	    (strcmp(name, "wchar_t") == 0 || strcmp(name, "char8_t") == 0 ||
		strcmp(name, "char16_t") == 0 || strcmp(name, "char32_t") == 0);
}

static bool
is_character(const struct dwarf_type *type)
{
	for (int i = 0; type != NULL && i < TYPE_CHAIN_MAX; i++) {
		if (is_wide_name(type->name))
			return true;
		switch (type->kind) {
		case DWARF_TYPE_TYPEDEF:
		case DWARF_TYPE_CONST:
		case DWARF_TYPE_VOLATILE:
		case DWARF_TYPE_ATOMIC:
		case DWARF_TYPE_RESTRICT:
			type = type->target;
			continue;
		case DWARF_TYPE_BASE:
			break;
		default:
			return false;
		}
		return (type->size == 1 &&
			   (type->encoding == ATE_SIGNED_CHAR ||
			       type->encoding == ATE_UNSIGNED_CHAR)) ||
		    type->encoding == ATE_UTF || type->encoding == ATE_UCS ||
		    type->encoding == ATE_ASCII;
	}
	return false;
}

/* In Rust characters are single: text is of type str. */
static bool
is_rust(const struct dwarf_type *type)
{
	return type->die.unit != NULL &&
	    dwarf_unit_language(type->die.unit) == LANG_RUST;
}

static enum float_format
float_format(const struct value_reader *r, const char *name, uint64_t size)
{
	switch (size) {
	case 2:
		return strstr(name, "bf16") != NULL ||
			strstr(name, "bfloat16") != NULL
		    ? FLOAT_BRAIN
		    : FLOAT_HALF;
	case 4:
		return FLOAT_SINGLE;
	case 8:
		return FLOAT_DOUBLE;
	case 10:
	case 12:
		return FLOAT_EXTENDED;
	case 16:
		/* long double: of the x87 here, IEEE's everywhere else */
		return strstr(name, "128") != NULL || !arch_is_x86_64(r->arch)
		    ? FLOAT_QUAD
		    : FLOAT_EXTENDED;
	default:
		return FLOAT_NONE;
	}
}

static void
shape_base(const struct value_reader *r, struct shape *s,
    const struct dwarf_type *type)
{
	const char *name = type->name != NULL ? type->name : "";

	s->is_signed = type->encoding == ATE_SIGNED ||
	    type->encoding == ATE_SIGNED_CHAR;
	s->kind = SHAPE_INT;
	if (type->has_size && type->size == 0) { /* Rust: (), ! */
		s->kind = SHAPE_STRUCT;
		return;
	}
	switch (type->encoding) {
	case ATE_BOOLEAN:
		s->kind = SHAPE_BOOL;
		break;
	case ATE_FLOAT:
		s->kind = SHAPE_FLOAT;
		s->format = (uint8_t)float_format(r, name, type->size);
		break;
	case ATE_COMPLEX_FLOAT:
		s->kind = SHAPE_COMPLEX;
		s->format = (uint8_t)float_format(r, name, type->size / 2);
		break;
	default:
		break;
	}
}

static enum shape_kind
pointer_kind(const struct dwarf_type *type)
{
	const struct dwarf_type *target = type->target, *bare;

	if (target == NULL)
		return SHAPE_POINTER;
	bare = dwarf_type_strip(target);
	if (bare != NULL && bare->kind == DWARF_TYPE_FUNCTION)
		return SHAPE_CODE_POINTER;
	return is_character(target) && is_rust(type) == false
	    ? SHAPE_TEXT_POINTER
	    : SHAPE_POINTER;
}

static void
shape_sized(struct shape *s, enum shape_kind kind, uint64_t size)
{
	s->kind = (uint8_t)kind;
	if (s->has_size == false || s->size == 0) {
		s->size = size;
		s->has_size = true;
	}
}

/* Itanium C++ ABI 2.3: a data member pointer is a ptrdiff_t (-1: null), a
 * pointer to a member function is two words. */
static void
shape_member_pointer(struct shape *s, const struct dwarf_type *type)
{
	const struct dwarf_type *target =
	    type->target != NULL ? dwarf_type_strip(type->target) : NULL;

	if (target != NULL && target->kind == DWARF_TYPE_FUNCTION) {
		shape_sized(s, SHAPE_METHOD, 16);
	} else {
		shape_sized(s, SHAPE_INT, 8);
		s->is_signed = true;
	}
}

static void
shape_array(struct shape *s, const struct dwarf_type *type)
{
	bool last = s->dim + 1 >= type->n_bounds;

	s->kind = last && type->is_vector == false && type->target != NULL &&
		is_character(type->target) && is_rust(type) == false
	    ? SHAPE_TEXT
	    : SHAPE_ARRAY;
}

static void
shape_classify(const struct value_reader *r, struct shape *s,
    const struct dwarf_type *named)
{
	const struct dwarf_type *type = s->type;

	switch (type->kind) {
	case DWARF_TYPE_VOID:
		s->kind = SHAPE_VOID;
		break;
	case DWARF_TYPE_BASE:
		shape_base(r, s, type);
		if (is_character(named))
			s->kind = SHAPE_CHAR;
		break;
	case DWARF_TYPE_POINTER:
		shape_sized(s, pointer_kind(type), 8);
		break;
	case DWARF_TYPE_REFERENCE:
	case DWARF_TYPE_RVALUE_REFERENCE:
		shape_sized(s, SHAPE_REFERENCE, 8);
		s->size = 8;
		break;
	case DWARF_TYPE_MEMBER_POINTER:
		shape_member_pointer(s, type);
		break;
	case DWARF_TYPE_STRUCT:
		s->kind = SHAPE_STRUCT;
		break;
	case DWARF_TYPE_UNION:
		s->kind = SHAPE_UNION;
		break;
	case DWARF_TYPE_ENUM:
		s->kind = SHAPE_ENUM;
		break;
	case DWARF_TYPE_ARRAY:
		shape_array(s, type);
		break;
	case DWARF_TYPE_FUNCTION:
		s->kind = SHAPE_FUNCTION;
		break;
	case DWARF_TYPE_UNSPECIFIED: /* decltype(nullptr) */
		shape_sized(s, SHAPE_POINTER, 8);
		break;
	default:
		s->kind = SHAPE_UNKNOWN;
		break;
	}
}

static struct shape *
shape_new(struct value_reader *r, struct dwarf *dwarf,
    const struct dwarf_type *type, uint32_t dim)
{
	struct shape *s = ARENA_NEW(&r->arena, struct shape);
	const struct dwarf_type *bare = dwarf_type_strip(type);

	if (s == NULL)
		return NULL;
	s->dwarf = dwarf;
	s->type = bare != NULL ? bare : type;
	s->dim = dim;
	s->size = s->type->size;
	s->has_size = s->type->has_size;
	s->name = value_name(r, type->name);
	shape_classify(r, s, type);
	return s;
}

struct shape *
shape_of(
    struct value_reader *r, struct dwarf *dwarf, const struct dwarf_type *type)
{
	uint64_t *place;
	struct shape *s;

	if (type == NULL)
		return NULL;
	place = map_get(&r->shapes, (uint64_t)(uintptr_t)type);
	if (place != NULL)
		return (struct shape *)(uintptr_t)*place;
	s = shape_new(r, dwarf, type, 0);
	if (s != NULL)
		(void)map_put_ptr(&r->shapes, (uint64_t)(uintptr_t)type, s);
	return s;
}

/* The name of a row: "int [2][3]" -> "int [3]". */
static const char *
row_name(struct value_reader *r, const struct shape *s)
{
	const char *open = strstr(s->name, "]["), *start;

	if (open == NULL)
		return s->name;
	for (start = open; start > s->name && *start != '['; start--)
		;
	return snapshot_printf(
	    r->snapshot, "%.*s%s", (int)(start - s->name), s->name, open + 1);
}

static void
lay_out_array(struct value_reader *r, struct shape *s)
{
	if (s->dim + 1 < s->type->n_bounds) {
		s->target = shape_new(r, s->dwarf, s->type, s->dim + 1);
		if (s->target != NULL) {
			s->target->name = row_name(r, s);
			s->target->has_size = false;
		}
		return;
	}
	s->target = shape_of(r, s->dwarf, s->type->target);
}

void
shape_field(struct value_reader *r, const struct shape *s, struct field *f,
    const struct dwarf_member *m)
{
	f->shape = shape_of(r, s->dwarf, m->type);
	f->member = m;
	f->offset = m->offset;
	f->bit_offset = m->bit_offset;
	f->bit_size = m->bit_size;
	f->is_base = m->is_base;
	f->computed = m->offset_is_expr;
	f->is_vptr = m->is_artificial && m->name != NULL &&
	    strncmp(m->name, "_vptr", 5) == 0;
	/* A base class is known by its type. */
	if (m->is_base && (m->name == NULL || m->name[0] == '\0'))
		f->name = f->shape != NULL ? f->shape->name : "";
	else
		f->name = value_name(r, m->name);
}

static void
lay_out_members(struct value_reader *r, struct shape *s)
{
	const struct dwarf_type *type = s->type;

	s->fields = arena_array(&r->arena, type->n_members, sizeof(*s->fields));
	if (s->fields == NULL)
		return;
	for (unsigned i = 0; i < type->n_members; i++) {
		if (type->members[i].is_static || budget_step(r->budget) == 0)
			continue;
		shape_field(r, s, &s->fields[s->n_fields], &type->members[i]);
		if (s->fields[s->n_fields].shape != NULL)
			s->n_fields++;
	}
}

/* GDB names the enumerators of C++ with their scope: "ns::RED", and of a
 * scoped enum with its own name too: "ns::Color::Red". */
static const char *
label_name(
    struct value_reader *r, const struct dwarf_type *type, const char *name)
{
	const char *scope = type->name, *end;

	if (name == NULL)
		return "";
	if (scope == NULL || scope[0] == '\0' || strstr(name, "::") != NULL)
		return value_name(r, name);
	if (strncmp(scope, "enum ", 5) == 0)
		scope += 5;
	if (type->is_enum_class) {
		end = scope + strlen(scope);
	} else {
		end = NULL;
		for (const char *p = scope; (p = strstr(p, "::")) != NULL; p++)
			end = p;
		if (end == NULL || strchr(scope, '{') != NULL)
			return value_name(r, name);
	}
	return snapshot_printf(
	    r->snapshot, "%.*s::%s", (int)(end - scope), scope, name);
}

/* Declaration order breaks ties, as the first label of a value is shown. */
static void
sort_labels(const struct label *labels, uint32_t *order, uint32_t *spare,
    uint32_t count)
{
	for (uint32_t width = 1; width < count; width *= 2) {
		for (uint32_t at = 0; at < count; at += 2 * width) {
			uint32_t mid = at + width < count ? at + width : count;
			uint32_t end = mid + width < count ? mid + width
							   : count;
			uint32_t i = at, j = mid;

			for (uint32_t k = at; k < end; k++) {
				bool left = i < mid &&
				    (j >= end ||
					labels[order[i]].value <=
					    labels[order[j]].value);
				spare[k] = left ? order[i++] : order[j++];
			}
		}
		memcpy(order, spare, count * sizeof(*order));
	}
}

static void
lay_out_labels(struct value_reader *r, struct shape *s)
{
	const struct dwarf_type *type = s->type;
	uint32_t count = type->n_enumerators;
	uint32_t *spare;

	/* Doubling widths must not overflow; no enum has this many labels. */
	if (count > UINT32_C(1) << 24)
		return;
	s->labels = arena_array(&r->arena, count, sizeof(*s->labels));
	s->by_value = arena_array(&r->arena, count, sizeof(*s->by_value));
	spare = arena_array(&r->arena, count, sizeof(*spare));
	if (s->labels == NULL || s->by_value == NULL || spare == NULL)
		return;
	for (uint32_t i = 0; i < count; i++) {
		s->labels[i].value = type->enumerators[i].value;
		s->labels[i].name = label_name(
		    r, type, type->enumerators[i].name);
		s->by_value[i] = i;
		/* As GDB: unsigned unless a label is negative. */
		if (s->labels[i].value < 0)
			s->is_signed = true;
	}
	s->n_labels = count;
	sort_labels(s->labels, s->by_value, spare, count);
}

void
shape_lay_out(struct value_reader *r, struct shape *s)
{
	if (s->laid_out)
		return;
	s->laid_out = true;
	switch (s->kind) {
	case SHAPE_STRUCT:
	case SHAPE_UNION:
	case SHAPE_ENUM:
		s->type = dwarf_type_complete(s->dwarf, s->type);
		if (s->type->has_size) {
			s->size = s->type->size;
			s->has_size = true;
		}
		if (s->kind == SHAPE_ENUM)
			lay_out_labels(r, s);
		else
			lay_out_members(r, s);
		if (s->kind == SHAPE_STRUCT) {
			variant_lay_out(r, s);
			view_recognise(r, s);
		}
		break;
	case SHAPE_ARRAY:
	case SHAPE_TEXT:
		lay_out_array(r, s);
		break;
	case SHAPE_POINTER:
	case SHAPE_TEXT_POINTER:
	case SHAPE_REFERENCE:
		s->target = shape_of(r, s->dwarf, s->type->target);
		break;
	default:
		break;
	}
}

static bool
take_definition(struct value_reader *r, struct shape *s, struct dwarf *dwarf)
{
	const struct dwarf_type *type = dwarf_type_named(dwarf, s->type->name);

	if (type == NULL || type->declaration || type->kind != s->type->kind ||
	    type->has_size == false)
		return false;
	s->dwarf = dwarf;
	s->type = type;
	s->laid_out = false;
	shape_lay_out(r, s);
	return true;
}

/* A type that its image only declares ("struct foo;") may be defined by
 * another: a library's opaque handles. */
static void
complete_elsewhere(struct value_reader *r, struct shape *s)
{
	struct target_module *modules;
	size_t n = target_modules(r->target, &modules);

	if (strchr(s->type->name, '{') != NULL)
		return;
	for (size_t i = 0; i < n && budget_step(r->budget); i++) {
		struct dwarf *dwarf = r->dwarf_of != NULL
		    ? r->dwarf_of(r->dwarf_ctx, &modules[i])
		    : NULL;

		if (dwarf != NULL && dwarf != s->dwarf &&
		    take_definition(r, s, dwarf))
			return;
	}
}

static bool
has_dynamic_bound(const struct dwarf_type *type)
{
	for (unsigned i = 0; i < type->n_bounds; i++) {
		if (type->bounds[i].kind == DWARF_BOUND_DYNAMIC)
			return true;
	}
	return false;
}

/* void and functions say nothing more; a type without definition cannot be
 * shown; a VLA's length is known only in its frame. */
static bool
is_followable(struct value_reader *r, struct shape *s)
{
	struct shape *target;

	if (s->kind != SHAPE_POINTER)
		return false;
	shape_lay_out(r, s);
	target = s->target;
	if (target == NULL)
		return false;
	switch (target->kind) {
	case SHAPE_UNKNOWN:
	case SHAPE_VOID:
	case SHAPE_FUNCTION:
		return false;
	case SHAPE_STRUCT:
	case SHAPE_UNION:
		shape_lay_out(r, target);
		if (target->type->declaration)
			complete_elsewhere(r, target);
		return target->type->declaration == false && target->has_size;
	case SHAPE_ARRAY:
		return has_dynamic_bound(target->type) == false;
	default:
		return true;
	}
}

bool
shape_followable(struct value_reader *r, struct shape *s)
{
	if (s->follow_tried == false) {
		s->follow_tried = true;
		s->followable = is_followable(r, s);
	}
	return s->followable;
}
