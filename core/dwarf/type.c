/* SPDX-License-Identifier: MIT */
/*
 * Types: made once per DIE, with the type they lead to; members only on
 * demand (member.c). A type enters the cache before its target is followed,
 * so that types that lead back to themselves (a function that returns itself,
 * in Go) end; a chain of aliases that leads nowhere is cut.
 */
#include "dwarf/types.h"

const struct dwarf_type dw_type_void = {
    .kind = DWARF_TYPE_VOID, .name = "void", .completed = true};
const struct dwarf_type dw_type_unknown = {
    .kind = DWARF_TYPE_UNKNOWN, .name = "<unknown>", .completed = true};

static enum dwarf_type_kind
kind_of(uint16_t tag)
{
	switch (tag) {
	case DW_TAG_base_type:
		return DWARF_TYPE_BASE;
	case DW_TAG_pointer_type:
		return DWARF_TYPE_POINTER;
	case DW_TAG_reference_type:
		return DWARF_TYPE_REFERENCE;
	case DW_TAG_rvalue_reference_type:
		return DWARF_TYPE_RVALUE_REFERENCE;
	case DW_TAG_ptr_to_member_type:
		return DWARF_TYPE_MEMBER_POINTER;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_interface_type:
		return DWARF_TYPE_STRUCT;
	case DW_TAG_union_type:
		return DWARF_TYPE_UNION;
	case DW_TAG_enumeration_type:
		return DWARF_TYPE_ENUM;
	case DW_TAG_array_type:
		return DWARF_TYPE_ARRAY;
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram:
		return DWARF_TYPE_FUNCTION;
	case DW_TAG_typedef:
	case DW_TAG_template_alias:
	case DW_TAG_subrange_type:
	case DW_TAG_packed_type:
	case DW_TAG_shared_type:
		return DWARF_TYPE_TYPEDEF;
	case DW_TAG_const_type:
	case DW_TAG_immutable_type:
		return DWARF_TYPE_CONST;
	case DW_TAG_volatile_type:
		return DWARF_TYPE_VOLATILE;
	case DW_TAG_restrict_type:
		return DWARF_TYPE_RESTRICT;
	case DW_TAG_atomic_type:
		return DWARF_TYPE_ATOMIC;
	case DW_TAG_unspecified_type:
		return DWARF_TYPE_UNSPECIFIED;
	default:
		return DWARF_TYPE_UNKNOWN;
	}
}

static bool
is_alias(enum dwarf_type_kind kind)
{
	switch (kind) {
	case DWARF_TYPE_TYPEDEF:
	case DWARF_TYPE_CONST:
	case DWARF_TYPE_VOLATILE:
	case DWARF_TYPE_RESTRICT:
	case DWARF_TYPE_ATOMIC:
		return true;
	default:
		return false;
	}
}

/* Only aliases and arrays between t and itself: such a type has no meaning. */
static bool
leads_nowhere(const struct dwarf_type *t, const struct dwarf_type *target)
{
	for (unsigned i = 0; i < 2 * DW_TYPE_DEPTH_MAX; i++) {
		if (target == t)
			return true;
		if (target == NULL ||
		    (!is_alias(target->kind) &&
			target->kind != DWARF_TYPE_ARRAY))
			return false;
		target = target->target;
	}
	return true;
}

static const struct dwarf_type *
target_of(const struct dw_die *d, uint16_t attribute, unsigned depth)
{
	struct dw_value v;
	struct dw_die owner;

	if (!dw_attr_inherited(d, attribute, &v, &owner))
		return &dw_type_void;
	return dw_type_of(dw_reference(owner.unit, &v), depth + 1);
}

/* GCC 4 named unnamed classes "._0" or "<anonymous struct>". */
static const char *
class_name(const struct dw_die *d)
{
	const char *name = dw_attr_string(d, DW_AT_name);

	if (name == NULL || strncmp(name, "._", 2) == 0 ||
	    strncmp(name, "<anonymous", 10) == 0)
		return NULL;
	return dw_qualified_name(d);
}

static const char *
tag_word(uint16_t tag)
{
	switch (tag) {
	case DW_TAG_union_type:
		return "union";
	case DW_TAG_enumeration_type:
		return "enum";
	case DW_TAG_class_type:
		return "class";
	case DW_TAG_interface_type:
		return "interface";
	default:
		return "struct";
	}
}

/* "struct foo" in C, "ns::foo" in C++, "struct {...}" without a name. */
static const char *
tagged_name(const struct dw_die *d)
{
	struct arena *a = &d->unit->file->dwarf->arena;
	const char *name = class_name(d), *text;

	if (name == NULL)
		text = arena_printf(a, "%s {...}", tag_word(d->abbrev->tag));
	else if (dw_unit_has_scopes(d->unit))
		return name;
	else
		text = arena_printf(a, "%s %s", tag_word(d->abbrev->tag), name);
	return text != NULL ? text : "<unknown>";
}

static const char *
own_name(const struct dw_die *d, enum dwarf_type_kind kind)
{
	const char *name;

	switch (kind) {
	case DWARF_TYPE_STRUCT:
	case DWARF_TYPE_UNION:
	case DWARF_TYPE_ENUM:
		return tagged_name(d);
	case DWARF_TYPE_BASE:
	case DWARF_TYPE_TYPEDEF:
	case DWARF_TYPE_UNSPECIFIED:
		name = dw_qualified_name(d);
		return name != NULL ? name : "<unnamed>";
	case DWARF_TYPE_ARRAY: /* GCC names some vectors: __m512i */
		return dw_qualified_name(d);
	case DWARF_TYPE_POINTER:
		/* Rust's tell what kind: "&T", "*const T", "Box<T>". */
		return d->unit->language == DW_LANG_Rust
		    ? dw_attr_string(d, DW_AT_name)
		    : NULL;
	case DWARF_TYPE_UNKNOWN:
		return "<unknown>";
	default:
		return NULL; /* spelled from its target */
	}
}

static void
set_size(struct dwarf_type *t, const struct dw_die *d)
{
	t->has_size = dw_attr_u64(d, DW_AT_byte_size, &t->size);
	if (t->has_size)
		return;
	switch (t->kind) {
	case DWARF_TYPE_POINTER:
	case DWARF_TYPE_REFERENCE:
	case DWARF_TYPE_RVALUE_REFERENCE:
		t->size = d->unit->address_size;
		t->has_size = true;
		break;
	case DWARF_TYPE_MEMBER_POINTER:
		/* Itanium C++ ABI 2.3: a ptrdiff_t, or a pair for functions. */
		t->size = d->unit->address_size;
		if (dwarf_type_strip(t->target)->kind == DWARF_TYPE_FUNCTION)
			t->size *= 2;
		t->has_size = true;
		break;
	case DWARF_TYPE_FUNCTION:
		t->size = 1;
		t->has_size = true;
		break;
	default:
		if (is_alias(t->kind) || t->kind == DWARF_TYPE_ENUM) {
			t->size = t->target->size;
			t->has_size = t->target->has_size;
		}
		break;
	}
}

/* Compilers leave the const of "this" out where they write a mere type. */
static bool
needs_const(const struct dw_die *d, const struct dwarf_type *type, bool first)
{
	return first && dw_unit_is_cplus(d->unit) &&
	    type->kind == DWARF_TYPE_POINTER &&
	    dw_attr_flag(d, DW_AT_artificial);
}

/* "(int, char *)", as GDB writes the parameters of a function type. */
static const char *
arguments_of(const struct dw_die *d, unsigned depth)
{
	struct arena *a = &d->unit->file->dwarf->arena;
	struct dw_iter it;
	bool any = false, variadic = false;
	const struct dwarf_type *type;
	const char *text;
	struct buf b;

	buf_init(&b, 65536);
	buf_putc(&b, '(');
	for (dw_children(&it, d); dw_next(&it) && !b.failed;) {
		if (it.die.abbrev->tag == DW_TAG_unspecified_parameters)
			variadic = true;
		if (it.die.abbrev->tag != DW_TAG_formal_parameter)
			continue;
		type = target_of(&it.die, DW_AT_type, depth);
		buf_puts(&b, any ? ", " : "");
		buf_puts(&b, type->name != NULL ? type->name : "...");
		buf_puts(&b, needs_const(&it.die, type, !any) ? " const" : "");
		any = true;
	}
	if (any && variadic)
		buf_puts(&b, ", ...");
	else if (!any &&
	    (dw_attr_flag(d, DW_AT_prototyped) || dw_unit_is_cplus(d->unit)))
		buf_puts(&b, "void");
	buf_putc(&b, ')');
	text = b.failed ? NULL : arena_strdup(a, buf_text(&b));
	buf_deinit(&b);
	return text != NULL ? text : "(...)";
}

static void
set_target(struct dw_type *t, const struct dw_die *d, unsigned depth)
{
	const struct dwarf_type *target;

	switch (t->type.kind) {
	case DWARF_TYPE_BASE:
	case DWARF_TYPE_STRUCT:
	case DWARF_TYPE_UNION:
	case DWARF_TYPE_UNSPECIFIED:
	case DWARF_TYPE_UNKNOWN:
	case DWARF_TYPE_VOID:
		return;
	default:
		break;
	}
	target = target_of(d, DW_AT_type, depth);
	if ((is_alias(t->type.kind) || t->type.kind == DWARF_TYPE_ARRAY) &&
	    leads_nowhere(&t->type, target))
		target = &dw_type_unknown;
	t->type.target = target;
	if (t->type.kind == DWARF_TYPE_MEMBER_POINTER)
		t->type.owner = target_of(d, DW_AT_containing_type, depth);
	if (t->type.kind == DWARF_TYPE_FUNCTION)
		t->arguments = arguments_of(d, depth);
}

static void
set_encoding(struct dwarf_type *t, const struct dw_die *d)
{
	uint64_t encoding;

	if (t->kind == DWARF_TYPE_BASE &&
	    dw_attr_u64(d, DW_AT_encoding, &encoding))
		t->encoding = (uint8_t)encoding;
	if (t->kind == DWARF_TYPE_ENUM)
		t->encoding = dwarf_type_strip(t->target)->encoding;
}

static void
fill(struct dw_type *t, const struct dw_die *d, unsigned depth)
{
	uint16_t tag = d->abbrev->tag;
	struct dwarf *dwarf = d->unit->file->dwarf;

	t->cplus = dw_unit_is_cplus(d->unit);
	t->rust = d->unit->language == DW_LANG_Rust;
	t->type.name = own_name(d, t->type.kind);
	t->named = t->type.name != NULL;
	t->type.is_class = tag == DW_TAG_class_type;
	t->type.declaration = dw_attr_flag(d, DW_AT_declaration);
	t->type.is_vector = t->type.kind == DWARF_TYPE_ARRAY &&
	    dw_attr_flag(d, DW_AT_GNU_vector);
	t->type.is_enum_class = dw_attr_flag(d, DW_AT_enum_class);
	set_target(t, d, depth);
	set_size(&t->type, d);
	set_encoding(&t->type, d);
	if (t->type.kind == DWARF_TYPE_ARRAY)
		dw_type_array(t, d, depth);
	if (t->type.name == NULL)
		t->type.name = dw_type_spell(dwarf, &t->type);
	switch (t->type.kind) {
	case DWARF_TYPE_STRUCT:
	case DWARF_TYPE_UNION:
	case DWARF_TYPE_ENUM:
		break;
	default:
		t->type.completed = true;
		break;
	}
	t->done = true;
}

/* What stands for a type unit names it by its signature. */
static struct dwarf_die
by_signature(const struct dw_die *d)
{
	if ((d->abbrev->flags & DW_AB_SIGNATURE) == 0)
		return (struct dwarf_die){NULL, 0};
	return dw_attr_die(d, DW_AT_signature);
}

const struct dwarf_type *
dw_type_of(struct dwarf_die ref, unsigned depth)
{
	struct dwarf_die signature;
	struct dwarf *d;
	struct dw_type *t;
	struct dw_die die;
	uint64_t key;

	if (ref.unit == NULL)
		return &dw_type_void;
	d = ref.unit->file->dwarf;
	key = dw_die_key(ref);
	t = map_get_ptr(&d->types, key);
	if (t != NULL)
		return &t->type;
	if (depth > DW_TYPE_DEPTH_MAX || !dw_die_open(ref, &die))
		return &dw_type_unknown;
	signature = by_signature(&die);
	if (signature.unit != NULL && dw_die_key(signature) != key)
		return dw_type_of(signature, depth + 1);
	t = ARENA_NEW(&d->arena, struct dw_type);
	if (t == NULL || !map_put_ptr(&d->types, key, t))
		return &dw_type_unknown;
	t->type.kind = kind_of(die.abbrev->tag);
	t->type.die = ref;
	t->type.target = &dw_type_unknown; /* until it is known */
	fill(t, &die, depth);
	return &t->type;
}

const struct dwarf_type *
dwarf_type_of(struct dwarf_die type_die)
{
	return dw_type_of(type_die, 0);
}

const struct dwarf_type *
dwarf_type_strip(const struct dwarf_type *type)
{
	for (unsigned i = 0; i < 2 * DW_TYPE_DEPTH_MAX; i++) {
		if (!is_alias(type->kind) || type->target == NULL)
			return type;
		type = type->target;
	}
	return &dw_type_unknown;
}
