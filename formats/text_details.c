/* SPDX-License-Identifier: MIT */
/* Registers, modules, mappings, attributes: tables for `ptrace -b`. */
#include <stdio.h>

#include "formats/json_out.h"
#include "formats/text_out.h"

static void
heading(struct text_out *t, const char *text)
{
	text_end(t);
	text_on(t, TEXT_STRONG);
	text_say(t, "%s", text);
	text_off(t);
	text_end(t);
}

/* Foreign text, and blanks up to a width. */
static void
put_padded(struct text_out *t, const char *foreign, size_t width)
{
	size_t before = t->b->size, len;

	text_put(t, foreign);
	len = t->b->size - before;
	text_say(t, "%*s", len < width ? (int)(width - len) : 1, "");
}

static void
put_registers(struct text_out *t, const struct snap_thread *thread)
{
	enum { CELL = 29 };
	unsigned width = t->o->width != 0 ? t->o->width : 120;
	unsigned columns = width / CELL > 0 ? width / CELL : 1;
	char text[64];

	if (thread->n_registers == 0)
		return;
	snprintf(text, sizeof(text), "Registers of thread %u:", thread->tid);
	heading(t, text);
	for (uint32_t i = 0; i < thread->n_registers; i++) {
		const struct snap_register *r = &thread->registers[i];
		char value[24];
		bool last = i + 1 == thread->n_registers ||
		    i % columns == columns - 1;

		snprintf(value, sizeof(value), "0x%llx",
		    (unsigned long long)r->value);
		text_say(t, "  ");
		put_padded(t, r->name, 9);
		text_say(t, last ? "%s" : "%-18s", value);
		if (last)
			text_end(t);
	}
}

static void
put_modules(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (s->modules.count == 0)
		return;
	heading(t, "Modules:");
	for (size_t i = 0; i < s->modules.count; i++) {
		const struct snap_module *m = &s->modules.items[i];

		text_say(t, "  %012llx-%012llx ", (unsigned long long)m->start,
		    (unsigned long long)m->end);
		put_padded(t, m->debug != NULL ? m->debug : "none", 7);
		text_put(t, m->path);
		if (m->build_id != NULL && m->build_id[0] != '\0') {
			text_on(t, TEXT_DIM);
			text_say(t, " ");
			text_put(t, m->build_id);
			text_off(t);
		}
		text_end(t);
		if (m->debug_path != NULL && m->debug_path[0] != '\0') {
			text_say(t, "%35s", "");
			text_put(t, m->debug_path);
			text_end(t);
		}
	}
}

static void
put_mappings(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (s->mappings.count == 0)
		return;
	heading(t, "Mappings:");
	for (size_t i = 0; i < s->mappings.count; i++) {
		const struct snap_mapping *m = &s->mappings.items[i];

		text_say(t, "  %012llx-%012llx ", (unsigned long long)m->start,
		    (unsigned long long)m->end);
		text_put(t, m->perms);
		if (m->path != NULL && m->path[0] != '\0') {
			text_say(t, " %8llx ", (unsigned long long)m->offset);
			text_put(t, m->path);
		}
		text_end(t);
	}
}

static void
put_attribute_value(struct text_out *t, const struct snap_attribute *a)
{
	char text[32];

	switch ((enum snap_attribute_kind)a->kind) {
	case SNAP_ATTR_STRING:
		text_put(t, a->value.s);
		break;
	case SNAP_ATTR_INT:
		text_say(t, "%lld", (long long)a->value.i);
		break;
	case SNAP_ATTR_UINT:
		text_say(t, "%llu", (unsigned long long)a->value.u);
		break;
	case SNAP_ATTR_DOUBLE:
		json_double_text(text, a->value.f, false);
		text_say(t, "%s", text);
		break;
	case SNAP_ATTR_BOOL:
		text_say(t, "%s", a->value.b ? "true" : "false");
		break;
	case SNAP_ATTR_ADDRESS:
		text_say(t, "0x%llx", (unsigned long long)a->value.u);
		break;
	}
}

static void
put_attributes(struct text_out *t)
{
	const struct snapshot *s = t->s;
	size_t widest = 0;

	if (s->attributes.count == 0)
		return;
	heading(t, "Attributes:");
	for (size_t i = 0; i < s->attributes.count; i++) {
		size_t len = strlen(s->attributes.items[i].key);

		if (len > widest && len <= 32)
			widest = len;
	}
	for (size_t i = 0; i < s->attributes.count; i++) {
		const struct snap_attribute *a = &s->attributes.items[i];
		size_t before = t->b->size, len;

		text_say(t, "  ");
		text_put(t, a->key);
		len = t->b->size - before - 2;
		text_say(t, "%*s", len < widest ? (int)(widest - len) : 0, "");
		text_say(t, "  ");
		put_attribute_value(t, a);
		text_end(t);
	}
}

static void
put_memory(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (s->memory.count > 0) {
		heading(t, "Memory:");
		for (size_t i = 0; i < s->memory.count; i++) {
			const struct snap_memory *m = &s->memory.items[i];

			text_say(t, "  0x%llx, %u bytes: ",
			    (unsigned long long)m->address, m->size);
			text_put(t, m->why);
			text_end(t);
		}
	}
	if (s->resources.count > 0) {
		heading(t, "Resources:");
		for (size_t i = 0; i < s->resources.count; i++) {
			const struct snap_resource *r = &s->resources.items[i];

			text_say(t, "  ");
			text_put(t, r->name);
			text_say(t, ", %llu bytes%s",
			    (unsigned long long)r->size,
			    r->truncated ? " (truncated)" : "");
			text_end(t);
		}
	}
}

static void
put_environment(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (s->environment.count > 0)
		heading(t, "Environment:");
	for (size_t i = 0; i < s->environment.count; i++) {
		const struct snap_environment *v = &s->environment.items[i];

		text_say(t, "  ");
		text_put(t, v->name);
		text_say(t, "=");
		text_put(t, v->value);
		if (v->truncated)
			text_say(t, " (%llu bytes in all)",
			    (unsigned long long)v->length);
		text_end(t);
	}
}

static void
put_bound(struct text_out *t, uint64_t value)
{
	if (value == SNAP_UNLIMITED)
		text_say(t, " %12s", "unlimited");
	else
		text_say(t, " %12llu", (unsigned long long)value);
}

static void
put_limits(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (s->limits.count > 0)
		heading(t, "Limits (soft, hard):");
	for (size_t i = 0; i < s->limits.count; i++) {
		const struct snap_limit *l = &s->limits.items[i];

		text_say(t, "  ");
		put_padded(t, l->name, 11);
		put_bound(t, l->soft);
		put_bound(t, l->hard);
		if (l->unit[0] != '\0') {
			text_say(t, " ");
			text_put(t, l->unit);
		}
		text_end(t);
	}
}

static void
put_descriptors(struct text_out *t)
{
	const struct snapshot *s = t->s;
	const struct snap_attribute *open = snapshot_attr_find(
	    s, "descriptor.open");

	if (s->descriptors.count > 0)
		heading(t, "Open files:");
	for (size_t i = 0; i < s->descriptors.count; i++) {
		text_say(t, "  %5u ", s->descriptors.items[i].number);
		text_put(t, s->descriptors.items[i].path);
		text_end(t);
	}
	if (s->descriptors.count > 0 && open != NULL &&
	    open->kind == SNAP_ATTR_UINT &&
	    open->value.u > s->descriptors.count) {
		text_say(t, "  and %llu more",
		    (unsigned long long)(open->value.u - s->descriptors.count));
		text_end(t);
	}
}

static void
put_texts(struct text_out *t, const char *title, const char *const *texts,
    size_t count)
{
	if (count == 0)
		return;
	heading(t, title);
	for (size_t i = 0; i < count; i++) {
		text_say(t, "  ");
		text_put(t, texts[i]);
		text_end(t);
	}
}

/* What the verdict does not show already. */
static void
put_heap(struct text_out *t)
{
	const struct snapshot *s = t->s;

	for (size_t i = 0; i < s->heap.count; i++)
		if (text_heap_is_ours(s->heap.items[i]) == false)
			put_texts(t, "Heap:", &s->heap.items[i], 1);
}

void
text_details(struct text_out *t)
{
	const struct snapshot *s = t->s;
	const struct snap_thread *thread = snapshot_fault_thread(s);

	if (thread == NULL && s->threads.count > 0)
		thread = &s->threads.items[0];
	if (thread != NULL)
		put_registers(t, thread);
	put_heap(t);
	put_texts(t, "Locks:", s->locks.items, s->locks.count);
	put_modules(t);
	put_mappings(t);
	put_memory(t);
	put_environment(t);
	put_limits(t);
	put_descriptors(t);
	put_attributes(t);
}
