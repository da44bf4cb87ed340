/* SPDX-License-Identifier: MIT */
/* Variables and annotations as JSON. */
#include "base/text.h"
#include "formats/json.h"
#include "formats/json_out.h"

/* Exact text that no double holds: a float stays a number for readers, an
 * integer of that size is a string by the number rule. */
static void
write_exact(struct json_out *j, const struct snap_variable *v)
{
	size_t len = strlen(v->number);

	if (v->kind == SNAP_FLOAT && len > 0 && v->number[0] != '"' &&
	    strchr("-0123456789", v->number[0]) != NULL)
		json_raw(j, v->number);
	else
		json_text(j, v->number);
}

static void
write_value(struct json_out *j, const struct snap_variable *v)
{
	if (v->number != NULL) {
		write_exact(j, v);
		return;
	}
	switch ((enum snap_kind)v->kind) {
	case SNAP_INT:
	case SNAP_CHAR:
	case SNAP_ENUM:
		json_i64(j, v->value.i);
		break;
	case SNAP_FLOAT:
		json_double(j, v->value.f);
		break;
	case SNAP_BOOL:
		json_bool(j, v->value.u != 0);
		break;
	case SNAP_POINTER:
	case SNAP_FUNCTION:
		json_hex(j, v->value.u);
		break;
	case SNAP_COMPLEX:
		json_open(j, '[');
		json_double(j, v->value.complex_parts[0]);
		json_double(j, v->value.complex_parts[1]);
		json_close(j, ']');
		break;
	default:
		json_u64(j, v->value.u);
		break;
	}
}

static void
write_bytes(struct json_out *j, const char *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *p = buf_extend(j->buf, 2 * size + 2);

	if (p == NULL)
		return;
	*p++ = '"';
	for (size_t i = 0; i < size; i++) {
		*p++ = (uint8_t)digits[(uint8_t)data[i] >> 4];
		*p++ = (uint8_t)digits[(uint8_t)data[i] & 15];
	}
	*p = '"';
	j->comma = true;
}

static void
write_string(struct json_out *j, const struct snap_variable *v)
{
	const char *text = v->string != NULL ? v->string : "";

	json_key(j, v->flags & SNAP_VAR_SUMMARY ? "summary" : "string");
	json_string(j->buf, text, v->string_size);
	j->comma = true;
	if (!text_is_utf8(text, v->string_size)) {
		json_key(j, "bytes");
		write_bytes(j, text, v->string_size);
	}
}

void
json_annotation_fields(struct json_out *j, const struct snap_annotation *a)
{
	json_key(j, "level");
	json_text(j, snap_level_name(a->level));
	if (a->level == SNAP_JSON && json_valid(a->text, strlen(a->text))) {
		json_key(j, "json");
		json_raw(j, a->text);
	} else {
		json_key(j, "text");
		json_text(j, a->text);
	}
	json_key(j, "module");
	json_text_or_null(j, a->module);
}

void
json_annotations(struct json_out *j, const struct snap_annotation *list)
{
	json_open(j, '[');
	for (; list != NULL; list = list->next) {
		json_open(j, '{');
		json_annotation_fields(j, list);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void
write_heap(struct json_out *j, const struct snap_heap *h, const char *owner)
{
	json_key(j, "heap");
	json_open(j, '{');
	json_key(j, "state");
	json_text(j, h->allocated ? "allocated" : "freed");
	json_key(j, "size");
	json_u64(j, h->size);
	json_key(j, "offset");
	json_u64(j, h->offset);
	if (h->place != NULL && h->place[0] != '\0') {
		json_key(j, "place");
		json_text(j, h->place);
	}
	if (owner != NULL && owner[0] != '\0') {
		json_key(j, "owner");
		json_text(j, owner);
	}
	json_close(j, '}');
}

/* What only some variables have, after the value. */
static void
write_extras(struct json_out *j, const struct snap_variable *v)
{
	const struct snap_heap *heap = snapshot_heap_of(j->snapshot, v);

	if (v->object != 0) {
		json_key(j, "ref");
		json_object_id(j, v->object);
	}
	if (v->flags & SNAP_VAR_LENGTH) {
		json_key(j, "length");
		json_u64(j, v->length);
	}
	if (v->flags & SNAP_VAR_TRUNCATED) {
		json_key(j, "truncated");
		json_bool(j, true);
	}
	if (v->kind == SNAP_UNAVAILABLE || v->reason != NULL) {
		json_key(j, "reason");
		json_text(j, v->reason != NULL ? v->reason : "unknown");
	}
	if (v->flags & SNAP_VAR_BASE) {
		json_key(j, "base");
		json_bool(j, true);
	}
	if (v->flags & SNAP_VAR_ENTRY) {
		json_key(j, "entry");
		json_bool(j, true);
	}
	if (heap != NULL)
		write_heap(j, heap, snapshot_heap_owner(j->snapshot, v));
	if (v->annotations != NULL) {
		json_key(j, "annotations");
		json_annotations(j, v->annotations);
	}
}

static void
write_variable(
    struct json_out *j, const struct snap_variable *v, unsigned depth)
{
	bool nested = v->kind == SNAP_STRUCT || v->kind == SNAP_UNION ||
	    v->kind == SNAP_ARRAY || v->n_children > 0;

	json_open(j, '{');
	json_key(j, "name");
	json_text(j, v->name);
	json_key(j, "type");
	json_text(j, v->type);
	json_key(j, "kind");
	json_text(j, snap_kind_name((enum snap_kind)v->kind));
	json_key(j, "parameter");
	json_bool(j, (v->flags & SNAP_VAR_PARAMETER) != 0);
	if (v->flags & SNAP_VAR_ADDRESS) {
		json_key(j, "address");
		json_hex(j, v->address);
	}
	if (v->flags & SNAP_VAR_VALUE || v->number != NULL) {
		json_key(j, "value");
		write_value(j, v);
	}
	if (v->flags & SNAP_VAR_STRING)
		write_string(j, v);
	if (nested) {
		json_key(j, v->kind == SNAP_ARRAY ? "elements" : "members");
		json_open(j, '[');
		for (uint32_t i = 0;
		     depth < SNAP_MAX_DEPTH && i < v->n_children; i++)
			write_variable(j, &v->children[i], depth + 1);
		json_close(j, ']');
	}
	write_extras(j, v);
	json_close(j, '}');
}

void
json_variable(struct json_out *j, const struct snap_variable *v)
{
	write_variable(j, v, 0);
}
