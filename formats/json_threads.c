/* SPDX-License-Identifier: MIT */
/* Threads, frames, and the list of all annotations as JSON. */
#include <stdio.h>

#include "formats/json.h"
#include "formats/json_out.h"

static void
write_location(struct json_out *j, const struct snap_location *l)
{
	const char *linkage = l->linkage_name;

	if (linkage == NULL || linkage[0] == '\0')
		linkage = l->symbol;
	json_key(j, "symbol");
	json_text_or_null(j, l->symbol);
	json_key(j, "linkage_name");
	json_text_or_null(j, linkage);
	json_key(j, "object");
	json_text_or_null(j, l->object);
	json_key(j, "object_path");
	json_text_or_null(j, l->object_path);
	json_key(j, "offset");
	if (l->has_offset)
		json_u64(j, l->offset);
	else
		json_null(j);
	json_key(j, "path");
	json_text_or_null(j, l->path);
	json_key(j, "line");
	if (l->line != 0)
		json_u64(j, l->line);
	else
		json_null(j);
	json_key(j, "inline");
	json_bool(j, l->is_inline);
}

static void
write_frame(struct json_out *j, const struct snap_frame *f, uint32_t index,
    bool variables)
{
	static const struct snap_location nowhere = {0};

	json_open(j, '{');
	json_key(j, "index");
	json_u64(j, index);
	json_key(j, "ip");
	json_hex(j, f->ip);
	json_key(j, "sp");
	if (f->has_sp)
		json_hex(j, f->sp);
	else
		json_null(j);
	write_location(j, f->location != NULL ? f->location : &nowhere);
	json_key(j, "trust");
	json_text_or_null(j, f->trust);
	json_key(j, "signal_frame");
	json_bool(j, f->signal_frame);
	json_key(j, "variables");
	json_open(j, '[');
	for (uint32_t i = 0; variables && i < f->n_variables; i++)
		json_variable(j, &f->variables[i]);
	json_close(j, ']');
	json_key(j, "annotations");
	json_annotations(j, f->annotations);
	json_close(j, '}');
}

static void
write_registers(struct json_out *j, const struct snap_thread *t)
{
	json_key(j, "registers");
	json_open(j, '{');
	for (uint32_t i = 0; i < t->n_registers; i++) {
		json_foreign_key(j, t->registers[i].name);
		json_hex(j, t->registers[i].value);
	}
	json_close(j, '}');
}

static void
write_thread(struct json_out *j, const struct snap_thread *t, bool variables)
{
	char state[2] = {t->state != '\0' ? t->state : '?', '\0'};

	json_open(j, '{');
	json_key(j, "tid");
	json_u64(j, t->tid);
	json_key(j, "name");
	json_text_or_null(j, t->name);
	json_key(j, "state");
	json_text(j, state);
	json_key(j, "fault");
	json_bool(j, t->fault);
	json_key(j, "stop_reason");
	json_text_or_null(j, t->stop_reason);
	if (t->frames_skipped != 0) {
		json_key(j, "frames_skipped");
		json_u64(j, t->frames_skipped);
		json_key(j, "frames_skipped_at");
		json_u64(j, t->frames_skipped_at);
	}
	write_registers(j, t);
	json_key(j, "frames");
	json_open(j, '[');
	for (uint32_t i = 0; i < t->n_frames; i++)
		write_frame(j, &t->frames[i], i, variables);
	json_close(j, ']');
	json_key(j, "kernel_frames");
	json_open(j, '[');
	for (uint32_t i = 0; i < t->n_kernel_frames; i++)
		json_text(j, t->kernel_frames[i]);
	json_close(j, ']');
	json_key(j, "annotations");
	json_annotations(j, t->annotations);
	json_close(j, '}');
}

void
json_threads(struct json_out *j, const struct snapshot *s, bool variables)
{
	json_open(j, '[');
	for (size_t i = 0; i < s->threads.count; i++)
		write_thread(j, &s->threads.items[i], variables);
	json_close(j, ']');
}

/* ---- all annotations, each with its place ---- */

struct place {
	uint32_t tid, frame; /* SNAP_NONE: none */
	uint64_t object;     /* 0: none */
	char variable[512];  /* "list.head[3].name"; "" none */
	size_t len;
};

static void
write_placed(struct json_out *j, const struct snap_annotation *list,
    const struct place *at)
{
	for (; list != NULL; list = list->next) {
		json_open(j, '{');
		json_annotation_fields(j, list);
		if (at->tid != SNAP_NONE) {
			json_key(j, "tid");
			json_u64(j, at->tid);
		}
		if (at->frame != SNAP_NONE) {
			json_key(j, "frame");
			json_u64(j, at->frame);
		}
		if (at->object != 0) {
			json_key(j, "object");
			json_object_id(j, at->object);
		}
		if (at->len > 0) {
			json_key(j, "variable");
			json_text(j, at->variable);
		}
		json_close(j, '}');
	}
}

static size_t
add_name(struct place *at, const char *name, bool element, uint32_t index)
{
	size_t was = at->len, room = sizeof(at->variable) - was;
	int n;

	if (name[0] == '\0' && !element)
		return was; /* an anonymous member */
	if (element)
		n = snprintf(at->variable + was, room, "[%u]", index);
	else
		n = snprintf(
		    at->variable + was, room, "%s%s", was > 0 ? "." : "", name);
	if (n > 0)
		at->len += (size_t)n < room ? (size_t)n : room - 1;
	return was;
}

static void
walk_variables(struct json_out *j, const struct snap_variable *list,
    uint32_t count, bool elements, struct place *at, unsigned depth)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct snap_variable *v = &list[i];
		size_t was;

		if (v->annotations == NULL && v->n_children == 0)
			continue;
		was = add_name(at, v->name != NULL ? v->name : "", elements, i);
		write_placed(j, v->annotations, at);
		if (depth < SNAP_MAX_DEPTH)
			walk_variables(j, v->children, v->n_children,
			    v->kind == SNAP_ARRAY, at, depth + 1);
		at->len = was;
		at->variable[was] = '\0';
	}
}

static void
walk_thread(struct json_out *j, const struct snap_thread *t, struct place *at)
{
	at->tid = t->tid;
	at->frame = SNAP_NONE;
	write_placed(j, t->annotations, at);
	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];

		at->frame = i;
		write_placed(j, f->annotations, at);
		walk_variables(j, f->variables, f->n_variables, false, at, 0);
	}
}

void
json_all_annotations(struct json_out *j, const struct snapshot *s)
{
	struct place at = {.tid = SNAP_NONE, .frame = SNAP_NONE};

	json_open(j, '[');
	write_placed(j, s->annotations, &at);
	for (size_t i = 0; i < s->threads.count; i++)
		walk_thread(j, &s->threads.items[i], &at);
	at.tid = at.frame = SNAP_NONE;
	if (s->globals.count > 0)
		walk_variables(j, s->globals.items, (uint32_t)s->globals.count,
		    false, &at, 0);
	for (size_t i = 0; i < s->objects.count; i++) {
		at.object = s->objects.items[i].id;
		walk_variables(
		    j, &s->objects.items[i].variable, 1, false, &at, 0);
	}
	json_close(j, ']');
}
