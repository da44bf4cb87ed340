/* SPDX-License-Identifier: MIT */
/*
 * A frame's variables: parameters in parentheses, small locals side by side,
 * large ones on lines of their own, and what is not there in one line per
 * reason.
 */
#include "base/text.h"
#include "formats/text_out.h"

/* Locals at most this wide stand side by side. */
enum { SMALL = 36, MAX_ITEM = 8192 };

static bool
is_parameter(const struct snap_variable *v)
{
	return (v->flags & SNAP_VAR_PARAMETER) != 0;
}

/* "name = value" into a buffer of its own. */
static void
put_item(struct text_out *t, const struct snap_variable *v, struct buf *item)
{
	struct text_out inner = {t->s, t->o, item, 0};

	buf_clear(item);
	text_styled(&inner, TEXT_NAME,
	    v->name != NULL && v->name[0] != '\0' ? v->name : "(unnamed)");
	if (v->flags & SNAP_VAR_ENTRY)
		buf_puts(item, "@entry");
	buf_puts(item, " = ");
	text_value(t->s, v, item);
}

void
text_annotations(struct text_out *t, const struct snap_annotation *list,
    unsigned indent, const char *where)
{
	for (; list != NULL; list = list->next) {
		if (list->level == SNAP_JSON && where[0] == '\0' &&
		    text_tree(t, list, indent))
			continue;
		text_say(t, "%*s", (int)indent, "");
		text_on(t,
		    list->level == SNAP_WARNING || list->level == SNAP_CRITICAL
			? TEXT_DOUBT
			: TEXT_DIM);
		text_say(t, "%s ",
		    list->level == SNAP_CRITICAL      ? "!!"
			: list->level == SNAP_WARNING ? "!"
						      : "#");
		if (where[0] != '\0') {
			text_put(t, where);
			text_say(t, ": ");
		}
		text_put(t, list->text);
		if (list->module != NULL && list->module[0] != '\0') {
			text_say(t, " [");
			text_put(t, list->module);
			text_say(t, "]");
		}
		text_off(t);
		text_end(t);
	}
}

/* Annotations of the variable and of everything in it. */
static void
deep_annotations(struct text_out *t, const struct snap_variable *v,
    struct buf *path, unsigned indent, unsigned depth)
{
	size_t before = path->size;

	if (v->name != NULL && v->name[0] != '\0') {
		if (depth > 0)
			buf_putc(path, '.');
		buf_puts(path, v->name);
	}
	text_annotations(t, v->annotations, indent, buf_text(path));
	for (uint32_t i = 0; depth < SNAP_MAX_DEPTH && i < v->n_children; i++) {
		const struct snap_variable *m = &v->children[i];
		size_t here = path->size;

		if (m->annotations == NULL && m->n_children == 0)
			continue;
		if (v->kind == SNAP_ARRAY)
			buf_printf(path, "[%u]", i);
		deep_annotations(t, m, path, indent, depth + 1);
		path->size = here;
	}
	path->size = before;
}

static bool
has_annotations(const struct snap_variable *v, unsigned depth)
{
	if (v->annotations != NULL)
		return true;
	for (uint32_t i = 0; depth < SNAP_MAX_DEPTH && i < v->n_children; i++) {
		if (has_annotations(&v->children[i], depth + 1))
			return true;
	}
	return false;
}

static void
put_parameters(struct text_out *t, const struct snap_frame *f, unsigned indent,
    struct buf *item)
{
	struct text_flow flow;
	bool any = false;

	text_flow_begin(&flow, t, indent + 1, indent + 1);
	for (uint32_t i = 0; i < f->n_variables; i++) {
		if (!is_parameter(&f->variables[i]))
			continue;
		if (!any)
			text_say(t, "%*s(", (int)indent, "");
		any = true;
		put_item(t, &f->variables[i], item);
		text_flow_item(&flow, (const char *)item->data, item->size);
	}
	if (any) {
		text_say(t, ")");
		text_end(t);
	}
}

static bool
is_small(const struct snap_variable *v, const struct buf *item)
{
	return v->n_children == 0 &&
	    text_columns((const char *)item->data, item->size) <= SMALL &&
	    !has_annotations(v, 0);
}

void
text_list_variable(
    struct text_out *t, const struct snap_variable *v, unsigned indent)
{
	struct text_flow flow;
	struct buf item, path;

	buf_init(&item, MAX_ITEM);
	put_item(t, v, &item);
	text_say(t, "%*s", (int)indent, "");
	text_flow_begin(&flow, t, indent, indent);
	text_flow_item(&flow, buf_text(&item), item.size);
	text_end(t);
	if (has_annotations(v, 0)) {
		buf_init(&path, MAX_ITEM);
		deep_annotations(t, v, &path, indent + 2, 0);
		buf_deinit(&path);
	}
	buf_deinit(&item);
}

/* Small ones flow; a large one ends the line that was begun. */
static void
put_locals(struct text_out *t, const struct snap_frame *f, unsigned indent,
    struct buf *item)
{
	struct text_flow flow;
	bool open = false;

	for (uint32_t i = 0; i < f->n_variables; i++) {
		const struct snap_variable *v = &f->variables[i];

		if (is_parameter(v) || v->kind == SNAP_UNAVAILABLE)
			continue;
		put_item(t, v, item);
		if (t->o->width != 0 && is_small(v, item)) {
			if (!open) {
				text_say(t, "%*s", (int)indent, "");
				text_flow_begin(&flow, t, indent, indent);
			}
			open = true;
			text_flow_item(
			    &flow, (const char *)item->data, item->size);
			continue;
		}
		if (open)
			text_end(t);
		open = false;
		text_list_variable(t, v, indent);
	}
	if (open)
		text_end(t);
}

static bool
is_missing(const struct snap_variable *v)
{
	return !is_parameter(v) && v->kind == SNAP_UNAVAILABLE;
}

static const char *
reason_of(const struct snap_variable *v)
{
	return v->reason != NULL ? v->reason : "unknown";
}

/* "optimized out: a, b, c", one line per reason in order of appearance. */
static void
put_missing(struct text_out *t, const struct snap_frame *f, unsigned indent)
{
	for (uint32_t i = 0; i < f->n_variables; i++) {
		const char *reason = reason_of(&f->variables[i]);
		struct text_flow flow;
		struct buf name;
		bool first = is_missing(&f->variables[i]);

		for (uint32_t k = 0; first && k < i; k++)
			first = !is_missing(&f->variables[k]) ||
			    strcmp(reason_of(&f->variables[k]), reason) != 0;
		if (!first)
			continue;
		text_say(t, "%*s", (int)indent, "");
		text_on(t, TEXT_DIM);
		text_put(t, reason);
		text_say(t, ": ");
		text_flow_begin(
		    &flow, t, indent + 2, indent + strlen(reason) + 2);
		buf_init(&name, MAX_ITEM);
		for (uint32_t k = i; k < f->n_variables; k++) {
			const struct snap_variable *v = &f->variables[k];

			if (!is_missing(v) || strcmp(reason_of(v), reason) != 0)
				continue;
			buf_clear(&name);
			text_escape(&name, v->name, strlen(v->name));
			text_flow_item(&flow, buf_text(&name), name.size);
		}
		buf_deinit(&name);
		text_off(t);
		text_end(t);
	}
}

void
text_variables(struct text_out *t, const struct snap_frame *f, unsigned indent)
{
	struct buf item, path;

	buf_init(&item, MAX_ITEM);
	put_parameters(t, f, indent, &item);
	buf_init(&path, MAX_ITEM);
	for (uint32_t i = 0; i < f->n_variables; i++) {
		if (is_parameter(&f->variables[i]))
			deep_annotations(
			    t, &f->variables[i], &path, indent + 2, 0);
	}
	buf_deinit(&path);
	put_locals(t, f, indent, &item);
	put_missing(t, f, indent);
	buf_deinit(&item);
}
