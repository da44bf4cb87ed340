/* SPDX-License-Identifier: MIT */
/*
 * Annotations, wherever they hang: each one with the place of its owner. They
 * stand in the analysis section, as modules speak after the variables were
 * written. A variable's place is its number in a preorder walk.
 */
#include "formats/btt_write.h"

struct walk {
	struct mp_column *out;
	uint64_t place[3]; /* kind and what is above the variable */
	unsigned n_place;
	uint64_t index; /* of the variable in preorder */
};

static void
put_list(struct walk *w, const struct snap_annotation *list, bool variable)
{
	for (; list != NULL; list = list->next) {
		struct buf *b = mp_column_next(w->out);

		mp_array(b, 3 + w->n_place + variable);
		mp_uint(b, (uint64_t)list->level);
		if (list->module != NULL)
			mp_str(b, list->module);
		else
			mp_nil(b);
		mp_str(b, list->text);
		for (unsigned i = 0; i < w->n_place; i++)
			mp_uint(b, w->place[i]);
		if (variable)
			mp_uint(b, w->index);
	}
}

static void
set_place(
    struct walk *w, unsigned n, enum btt_owner owner, uint64_t a, uint64_t b)
{
	w->place[0] = (uint64_t)owner;
	w->place[1] = a;
	w->place[2] = b;
	w->n_place = n;
	w->index = 0;
}

static void
walk_variables(struct walk *w, const struct snap_variable *variables,
    uint32_t count, unsigned depth)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct snap_variable *v = &variables[i];

		if (v->annotations != NULL)
			put_list(w, v->annotations, true);
		w->index++;
		if (v->n_children > 0 && depth < SNAP_MAX_DEPTH)
			walk_variables(
			    w, v->children, v->n_children, depth + 1);
	}
}

static void
walk_thread(struct walk *w, const struct snap_thread *t, uint64_t thread)
{
	set_place(w, 2, BTT_OWNER_THREAD, thread, 0);
	put_list(w, t->annotations, false);
	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];

		set_place(w, 3, BTT_OWNER_FRAME, thread, i);
		put_list(w, f->annotations, false);
		set_place(w, 3, BTT_OWNER_VARIABLE, thread, i);
		walk_variables(w, f->variables, f->n_variables, 0);
	}
}

void
btt_put_annotations(const struct snapshot *s, struct mp_table *t)
{
	struct mp_column out;
	struct walk w = {.out = &out};

	mp_column_init(&out);
	set_place(&w, 1, BTT_OWNER_PROCESS, 0, 0);
	put_list(&w, s->annotations, false);
	for (size_t i = 0; i < s->threads.count; i++)
		walk_thread(&w, &s->threads.items[i], i);
	set_place(&w, 1, BTT_OWNER_GLOBAL, 0, 0);
	walk_variables(&w, s->globals.items, (uint32_t)s->globals.count, 0);
	for (size_t i = 0; i < s->objects.count; i++) {
		set_place(&w, 2, BTT_OWNER_OBJECT, i + 1, 0);
		walk_variables(&w, &s->objects.items[i].variable, 1, 0);
	}
	mp_column_end(&out, t, "annotations");
}
