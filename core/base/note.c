/* SPDX-License-Identifier: MIT */
#include "base/note.h"

enum { HEADER = 12 };

static struct view
take(struct view *v, uint32_t size)
{
	const uint8_t *bytes = view_bytes(v, size);

	return view_of(bytes, bytes != NULL ? size : 0);
}

bool
note_next(struct view *v, uint64_t align, struct note *out)
{
	size_t mask = align == 8 ? 7 : 3;
	uint32_t namesz, descsz;

	view_skip(v, -v->pos & mask);
	if (!view_ok(v) || view_left(v) < HEADER)
		return false;
	namesz = view_u32(v);
	descsz = view_u32(v);
	out->type = view_u32(v);
	out->name = take(v, namesz);
	view_skip(v, -v->pos & mask);
	out->desc = take(v, descsz);
	return view_ok(v);
}
