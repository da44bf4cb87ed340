/* SPDX-License-Identifier: MIT */
/*
 * Values that must not be in the file are blanked in the finished payload of
 * each section, before it is compressed: whatever they were part of, there they
 * would be. Only the contents of texts and bins change, never their sizes, so
 * that the section stays what it is; and the keys of maps, which are ours, do
 * not. A payload without a trace of a value, which is nearly every one, is
 * looked through once and not walked.
 */
#include "formats/btt_write.h"
#include "snapshot/scrub.h"

/* A text of this size may have been cut: arguments are at 80 bytes, values
 * later. */
enum { CUT_FROM = 64, DEPTH = MP_MAX_NESTING + 1 };

struct level {
	uint64_t left; /* values that follow */
	bool is_map;   /* every other one is a key */
};

static void
clean(const struct scrub *s, const struct mp_value *v)
{
	uint8_t *data = (uint8_t *)(uintptr_t)v->data; /* of a buf of ours */
	unsigned how = v->type == MP_STR ? SCRUB_TEXT : 0;

	if (v->type == MP_BIN || v->size >= CUT_FROM)
		how |= SCRUB_CUT;
	(void)scrub_clean(s, data, (size_t)v->size, how);
}

void
btt_scrub(const struct scrub *s, struct buf *raw)
{
	struct level levels[DEPTH] = {{.left = 1}};
	struct view v = view_of(raw->data, raw->size);
	unsigned depth = 0;

	if (!scrub_touches(s, raw->data, raw->size))
		return;
	for (;;) {
		struct level *l = &levels[depth];
		struct mp_value value;
		bool is_key;

		if (l->left == 0) {
			if (depth-- == 0)
				return;
			continue;
		}
		is_key = l->is_map && l->left % 2 == 0;
		l->left--;
		if (!mp_read(&v, &value))
			return;
		if (value.type == MP_ARRAY || value.type == MP_MAP) {
			if (++depth == DEPTH)
				return;
			levels[depth].is_map = value.type == MP_MAP;
			levels[depth].left = value.size *
			    (value.type == MP_MAP ? 2 : 1);
		} else if (!is_key &&
		    (value.type == MP_STR || value.type == MP_BIN)) {
			clean(s, &value);
		}
	}
}
