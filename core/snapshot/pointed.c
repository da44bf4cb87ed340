/* SPDX-License-Identifier: MIT */
/*
 * What the heap says of a pointer depends on its value alone. So it is kept
 * once for each value and looked up when a variable is shown, however many
 * variables have it.
 */
#include "snapshot/model.h"

static const struct snap_pointed *
find(const struct snapshot *s, const struct snap_variable *v)
{
	size_t low = 0, high = s->pointed.count;

	if (v->kind != SNAP_POINTER || (v->flags & SNAP_VAR_VALUE) == 0)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->pointed.items[middle].address < v->value.u)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->pointed.count &&
		s->pointed.items[low].address == v->value.u
	    ? &s->pointed.items[low]
	    : NULL;
}

const struct snap_heap *
snapshot_heap_of(const struct snapshot *s, const struct snap_variable *v)
{
	const struct snap_pointed *p;

	if ((v->flags & SNAP_VAR_HEAP) != 0)
		return &v->heap;
	p = find(s, v);
	return p != NULL ? &p->heap : NULL;
}

const char *
snapshot_heap_owner(const struct snapshot *s, const struct snap_variable *v)
{
	const struct snap_pointed *p = find(s, v);

	return p != NULL ? p->owner : NULL;
}
