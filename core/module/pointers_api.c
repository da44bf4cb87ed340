/* SPDX-License-Identifier: MIT */
/*
 * Which variables point into a range: one pass over what the snapshot has,
 * without handles; only what is found gets one. So a snapshot of a thousand
 * threads costs a few milliseconds.
 */
#include "module/module_private.h"

struct pointers {
	struct module_host *host;
	bt_addr_t low, high;
	ptrace_pointer_fn *fn;
	void *ctx;
	bool stop;
	/* From the variable of a frame (or a global, or an object) down. */
	uint32_t path[SNAP_MAX_DEPTH];
};

/* Where the variable at the path begins: one of both is NULL. */
struct root {
	ptrace_thread_t *thread;
	uint32_t frame;
	struct snap_variable *other;
};

static ptrace_variable_t *
root_handle(struct pointers *p, const struct root *root)
{
	struct variable_list *list;
	ptrace_frame_t *frame;

	if (root->other != NULL)
		return module_other_handle(p->host, root->other);
	/* By its place in the snapshot: modules may have added others. */
	frame = module_found_frame(root->thread, root->frame);
	list = frame != NULL ? module_frame_list(frame) : NULL;
	/* What modules added lies elsewhere. */
	return list != NULL && list->block != NULL ? &list->block[p->path[0]]
						   : NULL;
}

static void
found(struct pointers *p, const struct root *root, unsigned depth)
{
	ptrace_variable_t *v = root_handle(p, root);

	for (unsigned i = 1; v != NULL && i <= depth; i++) {
		struct variable_list *list = module_member_list(v);

		v = list->block != NULL ? &list->block[p->path[i]] : NULL;
	}
	if (v != NULL && p->fn(p->ctx, v) == false)
		p->stop = true;
}

static void
look(struct pointers *p, const struct root *root, const struct snap_variable *s,
    unsigned depth)
{

	if (s->kind == SNAP_POINTER && (s->flags & SNAP_VAR_VALUE) != 0 &&
	    s->value.u >= p->low && s->value.u < p->high)
		found(p, root, depth);
	if (depth + 1 >= SNAP_MAX_DEPTH)
		return;
	for (uint32_t i = 0; i < s->n_children && p->stop == false; i++) {
		p->path[depth + 1] = i;
		look(p, root, &s->children[i], depth + 1);
	}
}

static bool
is_outside(void *ctx, uint64_t value)
{
	const struct pointers *p = ctx;

	return value < p->low || value >= p->high;
}

static void
look_at_thread(struct pointers *p, uint32_t index)
{
	struct root root = {.thread = &p->host->threads[index]};
	struct snap_thread *t = &p->host->snapshot->threads.items[index];

	for (uint32_t i = 0; i < t->n_frames && p->stop == false; i++) {
		root.frame = i;
		if (t->frames[i].packed != NULL) {
			if (snap_packed_pointers(
				t->frames[i].packed, is_outside, p))
				continue;
			snapshot_unpack(p->host->snapshot, &t->frames[i]);
		}
		for (uint32_t k = 0;
		     k < t->frames[i].n_variables && p->stop == false; k++) {
			p->path[0] = k;
			look(p, &root, &t->frames[i].variables[k], 0);
		}
	}
}

void
ptrace_backtrace_pointers(ptrace_backtrace_t *bt, bt_addr_t low, bt_addr_t high,
    ptrace_pointer_fn *fn, void *ctx)
{
	struct pointers p = {
	    .host = bt->host, .low = low, .high = high, .fn = fn, .ctx = ctx};
	struct snapshot *s = bt->host->snapshot;
	struct root root = {.thread = NULL};

	for (uint32_t i = 0; i < bt->host->n_threads && p.stop == false; i++)
		look_at_thread(&p, i);
	for (size_t i = 0; i < s->globals.count && p.stop == false; i++) {
		root.other = &s->globals.items[i];
		look(&p, &root, root.other, 0);
	}
	for (size_t i = 0; i < s->objects.count && p.stop == false; i++) {
		root.other = &s->objects.items[i].variable;
		look(&p, &root, root.other, 0);
	}
}
