/* SPDX-License-Identifier: MIT */
/* The JSON document: its top level and the process. */
#include <stdio.h>

#include "base/text.h"
#include "formats/json.h"
#include "formats/json_out.h"

enum { DOCUMENT_VERSION = 1 };

static void
write_address_or_null(struct json_out *j, bool has, uint64_t address)
{
	if (has)
		json_hex(j, address);
	else
		json_null(j);
}

static void
write_index_or_null(struct json_out *j, uint32_t index)
{
	if (index != SNAP_NONE)
		json_u64(j, index);
	else
		json_null(j);
}

static void
write_uuid(struct json_out *j, const uint8_t uuid[16])
{
	static const char digits[] = "0123456789abcdef";
	char text[37], *p = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[uuid[i] >> 4];
		*p++ = digits[uuid[i] & 15];
	}
	*p = '\0';
	json_text(j, text);
}

static void
write_time(struct json_out *j, const struct snapshot *s)
{
	char date[20], text[96];

	if (!text_date(s->created_seconds, 'T', date)) {
		json_null(j);
		return;
	}
	if (s->created_nanoseconds != 0)
		snprintf(text, sizeof(text), "%s.%09uZ", date,
		    s->created_nanoseconds);
	else
		snprintf(text, sizeof(text), "%sZ", date);
	json_text(j, text);
}

static void
write_attributes(struct json_out *j, const struct snapshot *s)
{
	json_open(j, '{');
	for (size_t i = 0; i < s->attributes.count; i++) {
		const struct snap_attribute *a = &s->attributes.items[i];

		json_foreign_key(j, a->key);
		switch ((enum snap_attribute_kind)a->kind) {
		case SNAP_ATTR_STRING:
			json_text(j, a->value.s);
			break;
		case SNAP_ATTR_INT:
			json_i64(j, a->value.i);
			break;
		case SNAP_ATTR_UINT:
			json_u64(j, a->value.u);
			break;
		case SNAP_ATTR_DOUBLE:
			json_double(j, a->value.f);
			break;
		case SNAP_ATTR_BOOL:
			json_bool(j, a->value.b);
			break;
		case SNAP_ATTR_ADDRESS:
			json_hex(j, a->value.u);
			break;
		}
	}
	json_close(j, '}');
}

static void
write_texts(struct json_out *j, const char *const *texts, size_t count)
{
	json_open(j, '[');
	for (size_t i = 0; i < count; i++)
		json_text(j, texts[i]);
	json_close(j, ']');
}

static void
write_signal(struct json_out *j, const struct snap_signal *g)
{
	json_open(j, '{');
	if (g->present) {
		json_key(j, "number");
		json_i64(j, g->number);
		json_key(j, "name");
		json_text_or_null(j, g->name);
		json_key(j, "code");
		if (g->has_code)
			json_i64(j, g->code);
		else
			json_null(j);
		json_key(j, "code_name");
		json_text_or_null(j, g->code_name);
		json_key(j, "address");
		write_address_or_null(j, g->has_address, g->address);
		json_key(j, "sender_pid");
		if (g->has_sender)
			json_i64(j, g->sender_pid);
		else
			json_null(j);
		json_key(j, "sender_uid");
		if (g->has_sender)
			json_u64(j, g->sender_uid);
		else
			json_null(j);
	}
	json_close(j, '}');
}

static void
write_fault(struct json_out *j, const struct snap_fault *f)
{
	json_open(j, '{');
	if (f->present) {
		json_key(j, "tid");
		write_index_or_null(j, f->tid);
		json_key(j, "frame");
		write_index_or_null(j, f->frame);
		json_key(j, "direction");
		json_text_or_null(j, f->direction);
		json_key(j, "address");
		write_address_or_null(j, f->has_address, f->address);
		json_key(j, "instruction");
		json_text_or_null(j, f->instruction);
		json_key(j, "operand");
		json_text_or_null(j, f->operand);
	}
	json_close(j, '}');
}

static void
write_finding(struct json_out *j, const struct snap_finding *f)
{
	json_open(j, '{');
	json_key(j, "class");
	json_text(j, f->class_name);
	json_key(j, "confidence");
	json_double(j, f->confidence);
	json_key(j, "primary");
	json_bool(j, f->primary);
	json_key(j, "module");
	json_text_or_null(j, f->module);
	json_key(j, "tid");
	write_index_or_null(j, f->tid);
	json_key(j, "frame");
	write_index_or_null(j, f->frame);
	json_key(j, "address");
	write_address_or_null(j, f->has_address, f->address);
	json_key(j, "text");
	json_text(j, f->text);
	json_key(j, "evidence");
	write_texts(j, f->evidence, f->n_evidence);
	json_close(j, '}');
}

static void
write_process(struct json_out *j, const struct snapshot *s)
{
	json_key(j, "version");
	json_u64(j, DOCUMENT_VERSION);
	json_key(j, "generator");
	json_text(j, s->generator);
	json_key(j, "uuid");
	write_uuid(j, s->uuid);
	json_key(j, "created");
	write_time(j, s);
	json_key(j, "partial");
	json_bool(j, s->partial);
	json_key(j, "attributes");
	write_attributes(j, s);
	json_key(j, "classifiers");
	write_texts(j, s->classifiers.items, s->classifiers.count);
	json_key(j, "fingerprint");
	json_text(j, s->fingerprint);
	json_key(j, "callstack");
	write_texts(j, s->callstack.items, s->callstack.count);
	json_key(j, "signal");
	write_signal(j, &s->signal);
	json_key(j, "fault");
	write_fault(j, &s->fault);
	json_key(j, "findings");
	json_open(j, '[');
	for (size_t i = 0; i < s->findings.count; i++)
		write_finding(j, &s->findings.items[i]);
	json_close(j, ']');
}

static void
write_values(struct json_out *j, const struct snapshot *s, bool variables)
{
	char id[24];

	json_key(j, "globals");
	json_open(j, '[');
	for (size_t i = 0; variables && i < s->globals.count; i++)
		json_variable(j, &s->globals.items[i]);
	json_close(j, ']');
	json_key(j, "objects");
	json_open(j, '{');
	for (size_t i = 0; variables && i < s->objects.count; i++) {
		snprintf(id, sizeof(id), "%llu",
		    (unsigned long long)s->objects.items[i].id);
		json_key(j, id);
		json_variable(j, &s->objects.items[i].variable);
	}
	json_close(j, '}');
}

static void
write_module(struct json_out *j, const struct snap_module *m)
{
	json_open(j, '{');
	json_key(j, "path");
	json_text(j, m->path);
	json_key(j, "build_id");
	json_text_or_null(j, m->build_id);
	json_key(j, "start");
	json_hex(j, m->start);
	json_key(j, "end");
	json_hex(j, m->end);
	json_key(j, "debug");
	json_text_or_null(j, m->debug); /* null: nobody had to look */
	if (m->debug_path != NULL && m->debug_path[0] != '\0') {
		json_key(j, "debug_path");
		json_text(j, m->debug_path);
	}
	json_close(j, '}');
}

static void
write_space(struct json_out *j, const struct snapshot *s)
{
	json_key(j, "modules");
	json_open(j, '[');
	for (size_t i = 0; i < s->modules.count; i++)
		write_module(j, &s->modules.items[i]);
	json_close(j, ']');
	json_key(j, "mappings");
	json_open(j, '[');
	for (size_t i = 0; i < s->mappings.count; i++) {
		const struct snap_mapping *m = &s->mappings.items[i];

		json_open(j, '{');
		json_key(j, "start");
		json_hex(j, m->start);
		json_key(j, "end");
		json_hex(j, m->end);
		json_key(j, "offset");
		json_u64(j, m->offset);
		json_key(j, "perms");
		json_text(j, m->perms);
		json_key(j, "path");
		json_text_or_null(j, m->path);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void
write_memory(struct json_out *j, const struct snapshot *s)
{
	json_key(j, "memory");
	json_open(j, '[');
	for (size_t i = 0; i < s->memory.count; i++) {
		const struct snap_memory *m = &s->memory.items[i];

		json_open(j, '{');
		json_key(j, "address");
		json_hex(j, m->address);
		json_key(j, "size");
		json_u64(j, m->size);
		json_key(j, "why");
		json_text(j, m->why);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void
write_raws(
    struct json_out *j, const char *key, const char *const *texts, size_t count)
{
	json_key(j, key);
	json_open(j, '[');
	for (size_t i = 0; i < count; i++)
		json_raw(j, texts[i]);
	json_close(j, ']');
}

static void
write_warning(
    struct json_out *j, const char *stage, const char *code, const char *text)
{
	json_open(j, '{');
	json_key(j, "stage");
	json_text(j, stage);
	json_key(j, "code");
	json_text(j, code);
	json_key(j, "text");
	json_text(j, text);
	json_close(j, '}');
}

static void
write_warnings(struct json_out *j, const struct snapshot *s)
{
	char text[96];

	json_key(j, "warnings");
	json_open(j, '[');
	for (size_t i = 0; i < s->warnings.count; i++) {
		const struct snap_warning *w = &s->warnings.items[i];

		write_warning(j, w->stage, w->code, w->text);
	}
	if (s->warnings_lost != 0) {
		snprintf(text, sizeof(text),
		    "%llu further entries found no room",
		    (unsigned long long)s->warnings_lost);
		write_warning(j, "snapshot", "lost", text);
	}
	json_close(j, ']');
}

static void
write_resources(struct json_out *j, const struct snapshot *s)
{
	json_key(j, "resources");
	json_open(j, '[');
	for (size_t i = 0; i < s->resources.count; i++) {
		const struct snap_resource *r = &s->resources.items[i];

		json_open(j, '{');
		json_key(j, "name");
		json_text(j, r->name);
		json_key(j, "size");
		json_u64(j, r->size);
		if (r->truncated) {
			json_key(j, "truncated");
			json_bool(j, true);
		}
		json_close(j, '}');
	}
	json_close(j, ']');
}

void
json_write(const struct snapshot *s, bool variables, struct buf *out)
{
	struct json_out j = {.buf = out, .snapshot = s};

	json_open(&j, '{');
	write_process(&j, s);
	json_key(&j, "threads");
	json_threads(&j, s, variables);
	write_values(&j, s, variables);
	write_space(&j, s);
	write_raws(&j, "heap", s->heap.items, s->heap.count);
	write_raws(&j, "locks", s->locks.items, s->locks.count);
	write_memory(&j, s);
	json_key(&j, "annotations");
	json_all_annotations(&j, s);
	write_warnings(&j, s);
	write_resources(&j, s);
	json_system(&j, s);
	json_close(&j, '}');
	buf_putc(out, '\n');
}
