/* SPDX-License-Identifier: MIT */
/*
 * The frames of a thread once modules have put some between them: a list, so
 * that an addition costs the same however deep the stack is (an interpreter's
 * module adds a frame to every second one of ten thousands). The array that
 * indices go by is made from the list when somebody asks for it.
 */
#include "module/module_private.h"

/* What was found, as a list; once. */
static bool
link_frames(ptrace_thread_t *t)
{
	uint32_t n = module_snap_thread(t)->n_frames;

	if (t->linked)
		return true;
	for (uint32_t i = 0; i < n; i++) {
		if (module_found_frame(t, i) == NULL)
			return false;
		t->frames[i].before = i != 0 ? &t->frames[i - 1] : NULL;
		t->frames[i].behind = i + 1 < n ? &t->frames[i + 1] : NULL;
	}
	if (n != 0) {
		t->first = &t->frames[0];
		t->last = &t->frames[n - 1];
	}
	t->linked = t->order_stale = true;
	t->n_order = n;
	return true;
}

/* Behind before, NULL: as the first. */
static bool
insert(ptrace_thread_t *t, ptrace_frame_t *f, ptrace_frame_t *before)
{
	if (f->thread != NULL)
		return false;
	f->before = before;
	f->behind = before != NULL ? before->behind : t->first;
	if (f->before != NULL)
		f->before->behind = f;
	else
		t->first = f;
	if (f->behind != NULL)
		f->behind->before = f;
	else
		t->last = f;
	f->thread = t;
	t->n_order++;
	t->order_stale = true;
	t->host->changed = true;
	return true;
}

bool
pmodule_thread_add_frame(ptrace_thread_t *t, ptrace_frame_t *f, bool first)
{

	return t != NULL && f != NULL && f->own != NULL && link_frames(t) &&
	    insert(t, f, first ? NULL : t->last);
}

bool
pmodule_frame_add_frame(ptrace_frame_t *at, ptrace_frame_t *f, bool after)
{
	ptrace_thread_t *t = at != NULL ? at->thread : NULL;

	return t != NULL && f != NULL && f->own != NULL && link_frames(t) &&
	    insert(t, f, after ? at : at->before);
}

ptrace_frame_t **
module_frame_order(ptrace_thread_t *t)
{
	uint32_t i = 0;

	if (t->linked == false)
		return NULL;
	if (t->order_stale == false)
		return t->order;
	if (t->n_order > t->order_room) {
		/* Twice as much: all arrays together stay in proportion. */
		uint32_t room = t->n_order < UINT32_MAX / 2 ? t->n_order * 2
							    : t->n_order;
		ptrace_frame_t **order = arena_array(
		    &t->host->arena, room, sizeof(*order));

		if (order == NULL)
			return NULL;
		t->order = order;
		t->order_room = room;
	}
	for (ptrace_frame_t *f = t->first; f != NULL; f = f->behind) {
		f->place = i;
		t->order[i++] = f;
	}
	t->order_stale = false;
	return t->order;
}

uint32_t
module_frame_place(ptrace_thread_t *t, const ptrace_frame_t *f)
{
	if (t->linked == false)
		return f->index;
	return module_frame_order(t) != NULL ? f->place : t->n_order;
}
