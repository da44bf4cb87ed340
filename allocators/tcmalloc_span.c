/* SPDX-License-Identifier: MIT */
/*
 * Spans of gperftools' tcmalloc and the page map that leads to them. The map
 * has an entry for each page of a span of small objects, but only the first and
 * the last of any other; entries of spans that are gone stay behind. So an
 * entry counts if its span holds the page and the map leads to the span from
 * the span's own first page, and what holds the middle of a large block is
 * found in a sorted list of such spans.
 */
#include <stdlib.h>

#include "allocators/tcmalloc.h"

enum { SPAN_WORDS = 6, LEAF_CHUNK = 8192 };

bool
tc_span_read(struct tc *tc, bt_addr_t span, struct tc_span *out)
{
	uint64_t w[SPAN_WORDS], limit = UINT64_C(1) << (47 - tc->page_shift);

	if (span < 0x10000 || span % 8 != 0)
		return false;
	for (unsigned i = 0; i < SPAN_WORDS; i++)
		if (!memory_u64(&tc->memory, span + i * 8, &w[i]))
			return false;
	if (w[0] == 0 || w[0] >= limit || w[1] == 0 || w[1] >= limit)
		return false;
	out->span = span;
	out->start = w[0] << tc->page_shift;
	out->size = w[1] << tc->page_shift;
	out->next = w[2];
	out->prev = w[3];
	out->objects = w[4];
	out->references = w[5] & 0xffff;
	out->class = w[5] >> 16 & 0xff;
	out->location = w[5] >> 24 & 3;
	out->sampled = (w[5] >> 26 & 1) != 0;
	return out->class < TC_CLASSES && out->location <= TC_RETURNED;
}

bt_addr_t
tc_page_span(struct tc *tc, bt_addr_t address)
{
	uint64_t page = address >> tc->page_shift, leaf, span;

	if (page >> (tc->leaf_bits + tc->root_bits) != 0 ||
	    !memory_u64(
		&tc->memory, tc->root + (page >> tc->leaf_bits) * 8, &leaf) ||
	    leaf == 0)
		return 0;
	page &= (UINT64_C(1) << tc->leaf_bits) - 1;
	return memory_u64(&tc->memory, leaf + page * 8, &span) ? span : 0;
}

/* ---- all spans ---- */

struct walk {
	struct tc *tc;
	tc_span_fn *fn;
	void *ctx;
	bt_addr_t end; /* of the last span */
	bool stopped, limited;
};

static void
walk_leaf(struct walk *w, bt_addr_t leaf, bt_addr_t first)
{
	struct tc *tc = w->tc;
	uint64_t words[LEAF_CHUNK / 8], count = UINT64_C(1) << tc->leaf_bits;
	static const uint64_t none[LEAF_CHUNK / 8];

	for (uint64_t at = 0; at < count && !w->stopped && !w->limited;
	     at += LEAF_CHUNK / 8) {
		size_t got = ptrace_target_read_some(
		    tc->target, leaf + at * 8, words, sizeof(words));

		if (got == 0 || memcmp(words, none, got) == 0)
			continue;
		for (size_t i = 0; i < got / 8 && !w->stopped; i++) {
			bt_addr_t page = first + ((at + i) << tc->page_shift);
			struct tc_span s;

			if (words[i] == 0 || page < w->end)
				continue;
			if (!tc->host->take(tc->host->ctx, 1)) {
				w->limited = true;
				return;
			}
			if (!tc_span_read(tc, words[i], &s) || s.start != page)
				continue;
			w->end = s.start + s.size;
			w->stopped = !w->fn(w->ctx, &s);
		}
	}
}

bool
tc_spans_each(struct tc *tc, tc_span_fn *fn, void *ctx)
{
	struct walk w = {.tc = tc, .fn = fn, .ctx = ctx};
	uint64_t words[LEAF_CHUNK / 8], count = UINT64_C(1) << tc->root_bits;

	for (uint64_t at = 0; at < count && !w.stopped && !w.limited;
	     at += LEAF_CHUNK / 8) {
		size_t got = ptrace_target_read_some(tc->target,
				 tc->root + at * 8, words, sizeof(words)) /
		    8;

		for (size_t i = 0; i < got && !w.stopped && !w.limited; i++) {
			if (words[i] == 0)
				continue;
			w.limited = !tc->host->take(tc->host->ctx, 64);
			walk_leaf(&w, words[i],
			    (at + i) << (tc->leaf_bits + tc->page_shift));
		}
	}
	return w.limited == false;
}

/* ---- what holds an address ---- */

static bool
add_large(void *ctx, const struct tc_span *s)
{
	struct tc *tc = ctx;

	if (s->class != 0 && s->location == TC_IN_USE)
		return true;
	if (!array_grow((void **)&tc->large, &tc->room_large, tc->n_large,
		TC_LARGE_MAX, sizeof(*tc->large)))
		return false;
	tc->large[tc->n_large++] = (struct tc_large){
	    .start = s->start, .end = s->start + s->size, .span = s->span};
	return true;
}

bool
tc_span_at(struct tc *tc, bt_addr_t address, struct tc_span *out)
{
	bt_addr_t span = tc_page_span(tc, address);
	size_t low = 0, high;

	if (span != 0 && tc_span_read(tc, span, out) &&
	    address - out->start < out->size &&
	    tc_page_span(tc, out->start) == span)
		return true;
	if (tc->has_large == false) {
		tc->has_large = true;
		tc_spans_each(tc, add_large, tc);
	}
	high = tc->n_large;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tc->large[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && address < tc->large[low - 1].end &&
	    tc_span_read(tc, tc->large[low - 1].span, out) &&
	    address - out->start < out->size;
}

/* ---- the objects of a span ---- */

uint32_t
tc_objects(const struct tc *tc, const struct tc_span *s)
{
	uint64_t n;

	if (s->class == 0 || s->location != TC_IN_USE)
		return 1;
	if (tc->class_size[s->class] == 0)
		return 0;
	n = s->size / tc->class_size[s->class];
	return n > TC_OBJECTS_MAX ? TC_OBJECTS_MAX : (uint32_t)n;
}

static void
span_damage(struct tc *tc, const struct tc_span *s, uint32_t check,
    bt_addr_t word, uint64_t found, tc_damage_fn *damage, void *ctx)
{
	uint32_t size = tc->class_size[s->class];
	const ptrace_heap_host_t *host = tc->host;
	struct tc_damage d = {.check = check,
	    .word = word,
	    .object = found,
	    .found = found,
	    .has_values = true,
	    .transient = tc->busy || tc->class_locked[s->class],
	    .thread = TC_NO_THREAD,
	    .class = s->class};

	if (damage == NULL)
		return;
	if (check == PTRACE_HEAP_CHECK_TWICE) {
		d.text = host->text(host->ctx,
		    "0x%llx, a block of %u bytes, is twice in the free list "
		    "of its span",
		    (unsigned long long)found, size);
	} else {
		/* The block whose first word is no link any more. */
		d.object = word - s->start < s->size
		    ? word - (word - s->start) % size
		    : 0;
		d.text = host->text(host->ctx,
		    "the free list of blocks of %u bytes leads to 0x%llx", size,
		    (unsigned long long)found);
	}
	damage(ctx, &d);
}

void
tc_span_mark(
    struct tc *tc, const struct tc_span *s, tc_damage_fn *damage, void *ctx)
{
	uint32_t size = tc->class_size[s->class], n = tc_objects(tc, s);
	bt_addr_t word = s->span + 32;
	uint64_t object = s->objects;

	if (tc->seen_span == s->span && damage == NULL)
		return;
	tc->seen_span = s->span;
	memset(tc->seen, 0, (n + 7) / 8);
	for (uint32_t count = 0; object != 0; count++) {
		uint64_t offset = object - s->start, i;

		if (size == 0 || offset >= s->size || offset % size != 0 ||
		    offset / size >= n) {
			span_damage(tc, s, PTRACE_HEAP_CHECK_LINK, word, object,
			    damage, ctx);
			return;
		}
		i = offset / size;
		if ((tc->seen[i / 8] >> i % 8 & 1) != 0) {
			span_damage(tc, s, PTRACE_HEAP_CHECK_TWICE, word,
			    object, damage, ctx);
			return;
		}
		tc->seen[i / 8] |= (uint8_t)(1 << i % 8);
		word = object;
		if (!memory_u64(&tc->nodes, object, &object) ||
		    ((count & 63) == 63 && !tc->host->take(tc->host->ctx, 64)))
			return;
	}
}
