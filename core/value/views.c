/* SPDX-License-Identifier: MIT */
/*
 * Structs that are views of memory elsewhere: Rust's slices are shown as the
 * elements they have, its str as text; the strings of Rust and C++ keep their
 * members and get their text in addition. What does not look like one in
 * memory (not yet initialised, destroyed) is shown as the struct it is.
 */
#include "value/value_private.h"

enum { VIEW_STEPS = 8 };

struct view_type {
	const char *prefix; /* of the type's name */
	uint8_t form;
	const char *pointer, *length; /* members, through members */
};

/* libstdc++: bits/basic_string.h, string_view; Rust: alloc/src/string.rs. */
static const struct view_type view_types[] = {
    {"&str", FORM_STR, "data_ptr", "length"},
    {"&mut str", FORM_STR, "data_ptr", "length"},
    {"*const str", FORM_STR, "data_ptr", "length"},
    {"*mut str", FORM_STR, "data_ptr", "length"},
    {"alloc::boxed::Box<str", FORM_STR, "data_ptr", "length"},
    {"&[", FORM_SLICE, "data_ptr", "length"},
    {"&mut [", FORM_SLICE, "data_ptr", "length"},
    {"*const [", FORM_SLICE, "data_ptr", "length"},
    {"*mut [", FORM_SLICE, "data_ptr", "length"},
    {"alloc::boxed::Box<[", FORM_SLICE, "data_ptr", "length"},
    {"alloc::string::String", FORM_TEXT, "vec.buf", "vec.len"},
    {"std::__cxx11::basic_string<char,", FORM_TEXT, "_M_dataplus._M_p",
	"_M_string_length"},
    {"std::basic_string_view<char,", FORM_TEXT, "_M_str", "_M_len"},
};

static const struct view_type *
view_type_of(const char *name)
{
	size_t n = sizeof(view_types) / sizeof(view_types[0]);

	for (size_t i = 0; i < n; i++) {
		if (strncmp(name, view_types[i].prefix,
			strlen(view_types[i].prefix)) == 0)
			return &view_types[i];
	}
	return NULL;
}

static const struct field *
field_named(const struct shape *s, const char *name, size_t length)
{

	for (uint32_t i = 0; i < s->n_fields; i++) {
		if (strncmp(s->fields[i].name, name, length) == 0 &&
		    s->fields[i].name[length] == '\0')
			return &s->fields[i];
	}
	return NULL;
}

/* Follows a path of names; of structs at its end the first member, as Rust
 * wraps its pointers (RawVec, Unique, NonNull). */
static struct shape *
walk_path(
    struct value_reader *r, struct shape *s, const char *path, uint64_t *offset)
{

	*offset = 0;
	for (int i = 0; i < VIEW_STEPS; i++) {
		const struct field *f;
		size_t length = strcspn(path, ".");

		if (s->kind != SHAPE_STRUCT)
			return *path == '\0' ? s : NULL;
		shape_lay_out(r, s);
		f = length != 0	       ? field_named(s, path, length)
		    : s->n_fields != 0 ? &s->fields[0]
				       : NULL;
		if (f == NULL || f->bit_size != 0 || f->computed ||
		    __builtin_add_overflow(*offset, f->offset, offset))
			return NULL;
		path += length + (path[length] == '.');
		s = f->shape;
	}
	return NULL;
}

void
view_recognise(struct value_reader *r, struct shape *s)
{
	const struct view_type *type =
	    s->type->name != NULL ? view_type_of(s->type->name) : NULL;
	struct shape *pointer, *length;
	uint64_t pointer_at, length_at;

	if (type == NULL || s->n_fields == 0 ||
	    (type->form != FORM_TEXT && s->n_fields != 2))
		return;
	pointer = walk_path(r, s, type->pointer, &pointer_at);
	length = walk_path(r, s, type->length, &length_at);
	if (pointer == NULL || length == NULL || length->kind != SHAPE_INT ||
	    length->size != 8 ||
	    (pointer->kind != SHAPE_POINTER &&
		pointer->kind != SHAPE_TEXT_POINTER))
		return;
	shape_lay_out(r, pointer);
	s->view_element = pointer->target;
	s->view_pointer = pointer_at;
	s->view_length = length_at;
	if (s->view_element != NULL)
		s->form = type->form;
}

static bool
word_at(struct value_reader *r, const struct source *src, uint64_t offset,
    uint64_t *out)
{
	const char *reason;
	const uint8_t *bytes;
	uint8_t room[8];

	bytes = source_get(r, src, offset, sizeof(room), room, &reason);
	if (bytes != NULL)
		*out = scalar_u64(bytes, sizeof(room));
	return bytes != NULL;
}

/* What the view covers, if it can be had. */
static bool
locate(struct evaluator *ev, const struct shape *s, const struct source *src,
    uint64_t offset, uint64_t *address, uint64_t *length)
{
	uint8_t room;

	return word_at(ev->r, src, offset + s->view_pointer, address) &&
	    word_at(ev->r, src, offset + s->view_length, length) &&
	    *length <= VALUE_COUNT_MAX &&
	    (*length == 0 || value_memory(ev->r, *address, 1, &room) != NULL);
}

bool
view_text(struct evaluator *ev, const struct shape *s, const struct source *src,
    uint64_t offset, struct snap_variable *v)
{
	struct value_reader *r = ev->r;
	uint64_t address, length, most = r->limits.string_bytes;
	const uint8_t *p = (const uint8_t *)"";
	uint8_t *room;

	if (locate(ev, s, src, offset, &address, &length) == false)
		return false;
	if (length < most)
		most = length;
	if (most != 0) {
		room = arena_alloc(&r->scratch, most);
		p = room != NULL ? value_memory(r, address, most, room) : NULL;
	}
	if (p == NULL)
		return false;
	if (most < length) {
		v->flags |= SNAP_VAR_TRUNCATED | SNAP_VAR_LENGTH;
		v->length = length;
	}
	text_set(r, v, p, most);
	return true;
}

bool
view_read(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, unsigned depth, struct snap_variable *v)
{
	uint64_t address, length, stride;
	struct source elements;

	if (s->form == FORM_STR) {
		if (view_text(ev, s, src, offset, v) == false)
			return false;
		v->kind = SNAP_STRING;
		return true;
	}
	if (s->form != FORM_SLICE ||
	    locate(ev, s, src, offset, &address, &length) == false)
		return false;
	if (depth >= ev->r->limits.depth && length != 0) {
		value_unavailable(v, value_limit);
		return true;
	}
	v->kind = SNAP_ARRAY;
	stride = value_size(ev, s->view_element);
	source_memory(ev->r, &elements, address);
	array_elements(
	    ev, s->view_element, stride, &elements, 0, length, depth, v);
	return true;
}
