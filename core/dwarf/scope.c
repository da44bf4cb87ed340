/* SPDX-License-Identifier: MIT */
/*
 * From a function DIE down to a pc: the blocks and inlined functions that
 * cover it. A block without addresses is as if it were not there (GCC wrote
 * such before version 6), so its children are looked at in its place.
 */
#include "dwarf/private.h"

static bool
is_block(uint16_t tag)
{
	return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
	    tag == DW_TAG_catch_block;
}

static bool
has_children(const struct dw_die *d)
{
	return (d->abbrev->flags & DW_AB_CHILDREN) != 0;
}

struct descent { /* iterators of the level in work, one per bare block */
	VEC(struct dw_iter) stack;
};

/* The next block or inline of this level, looking into bare blocks. */
static bool
next_candidate(
    struct descent *s, struct dw_die *out, enum dw_cover *cover, uint64_t pc)
{
	while (s->stack.count > 0) {
		struct dw_iter *it = &s->stack.items[s->stack.count - 1];
		struct dw_iter *inner;
		uint16_t tag;

		if (!dw_next(it)) {
			if (--s->stack.count > 0)
				dw_after(it - 1, it);
			continue;
		}
		*out = it->die;
		tag = out->abbrev->tag;
		if (!is_block(tag) && tag != DW_TAG_inlined_subroutine)
			continue;
		*cover = dw_die_covers(out, pc);
		if (*cover != DW_NO_BOUNDS || !is_block(tag))
			return true;
		inner = vec_push(&s->stack);
		if (inner != NULL && has_children(out))
			dw_children(inner, out);
		else if (inner != NULL)
			s->stack.count--;
	}
	return false;
}

static struct dw_level *
push_level(struct dw_levels *out, const struct dw_die *d, uint32_t depth)
{
	struct dw_level *level = vec_push(&out->items);

	if (level != NULL) {
		level->die = *d;
		level->tag = d->abbrev->tag;
		level->depth = depth;
	}
	return level;
}

bool
dw_levels_at(const struct dw_die *function, uint64_t pc, struct dw_levels *out)
{
	struct descent s;
	struct dw_die d;
	struct dw_iter *it;
	enum dw_cover cover;
	uint32_t depth = 0;

	if (push_level(out, function, 0) == NULL)
		return false;
	vec_init(&s.stack, DW_SCOPE_DEPTH_MAX);
	it = vec_push(&s.stack);
	if (it != NULL)
		dw_children(it, function);
	while (next_candidate(&s, &d, &cover, pc)) {
		if (cover != DW_COVERED)
			continue;
		depth = d.abbrev->tag == DW_TAG_inlined_subroutine ? 0
								   : depth + 1;
		if (push_level(out, &d, depth) == NULL)
			break;
		vec_clear(&s.stack);
		it = vec_push(&s.stack);
		if (it == NULL)
			break;
		dw_children(it, &d);
	}
	vec_deinit(&s.stack);
	return true;
}
