/* SPDX-License-Identifier: MIT */
/* Reading annotations and hanging them on their owners. */
#include "formats/btt_read.h"

/* Variables are found by walking; a file that asks for the last variable of a
 * large frame a million times is cut off here. */
#define MAX_STEPS (UINT64_C(1) << 26)

struct finder {
	uint64_t left;	/* variables to pass before the one */
	uint64_t steps; /* of all walks together */
};

/* The variable with this preorder number below the list. */
static struct snap_variable *
find_variable(struct finder *w, struct snap_variable *list, uint32_t count,
    unsigned depth)
{
	for (uint32_t i = 0; i < count; i++) {
		struct snap_variable *v = &list[i], *found;

		if (++w->steps > MAX_STEPS)
			return NULL;
		if (w->left-- == 0)
			return v;
		if (v->n_children == 0 || depth >= SNAP_MAX_DEPTH)
			continue;
		found = find_variable(w, v->children, v->n_children, depth + 1);
		if (found != NULL || w->steps > MAX_STEPS)
			return found;
	}
	return NULL;
}

static struct snap_frame *
frame_of(struct snapshot *s, uint64_t thread, uint64_t frame)
{
	if (thread >= s->threads.count ||
	    frame >= s->threads.items[thread].n_frames)
		return NULL;
	return &s->threads.items[thread].frames[frame];
}

static struct snap_annotation **
variable_list(struct finder *w, struct snap_variable *list, uint32_t count,
    uint64_t index)
{
	struct snap_variable *v;

	w->left = index;
	v = find_variable(w, list, count, 0);
	return v != NULL ? &v->annotations : NULL;
}

/* Where the owner keeps its annotations; NULL: there is no such owner (its
 * section may be lost). */
static struct snap_annotation **
owner_list(
    struct snapshot *s, struct finder *w, uint64_t owner, const uint64_t at[3])
{
	struct snap_variable *object;
	struct snap_frame *f;

	switch (owner) {
	case BTT_OWNER_PROCESS:
		return &s->annotations;
	case BTT_OWNER_THREAD:
		return at[0] < s->threads.count
		    ? &s->threads.items[at[0]].annotations
		    : NULL;
	case BTT_OWNER_FRAME:
		f = frame_of(s, at[0], at[1]);
		return f != NULL ? &f->annotations : NULL;
	case BTT_OWNER_VARIABLE:
		f = frame_of(s, at[0], at[1]);
		return f != NULL
		    ? variable_list(w, f->variables, f->n_variables, at[2])
		    : NULL;
	case BTT_OWNER_GLOBAL:
		return variable_list(
		    w, s->globals.items, (uint32_t)s->globals.count, at[0]);
	case BTT_OWNER_OBJECT:
		object = snapshot_object_variable(s, at[0]);
		return object != NULL ? variable_list(w, object, 1, at[1])
				      : NULL;
	default:
		return NULL;
	}
}

static const char *
read_module(struct btt_input *in, struct view *v)
{
	struct view ahead = *v;
	struct mp_value value;

	if (mp_read(&ahead, &value) && value.type == MP_NIL) {
		*v = ahead;
		return NULL;
	}
	return btt_read_text(in, v);
}

static bool
get_annotation(struct btt_input *in, struct finder *w, struct view *v)
{
	size_t n = mp_read_array(v);
	struct snap_annotation **list;
	uint64_t level, owner, at[3] = {0, 0, 0};
	const char *module, *text;

	if (n < 4)
		return btt_bad(in, "an annotation is damaged");
	level = mp_read_uint(v);
	module = read_module(in, v);
	text = btt_read_text(in, v);
	owner = mp_read_uint(v);
	for (size_t i = 4; i < n && view_ok(v); i++) {
		if (i < 7)
			at[i - 4] = mp_read_uint(v);
		else
			mp_skip(v);
	}
	if (!view_ok(v) || in->bad != NULL)
		return btt_bad(in, "an annotation is damaged");
	list = owner_list(in->s, w, owner, at);
	if (list == NULL)
		snapshot_warn(
		    in->s, "read", "damaged", "annotations lost their owners");
	else
		snapshot_annotate(in->s, list,
		    level <= SNAP_JSON ? (enum snap_level)level : SNAP_COMMENT,
		    module, text);
	return true;
}

bool
btt_get_annotations(struct btt_input *in)
{
	struct view v = mp_field(&in->fields, "annotations");
	size_t left = view_ok(&v) ? mp_read_array(&v) : 0;
	struct finder w = {0, 0};

	while (left-- > 0) {
		if (!get_annotation(in, &w, &v))
			return false;
	}
	return true;
}
