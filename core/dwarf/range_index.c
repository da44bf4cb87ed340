/* SPDX-License-Identifier: MIT */
/*
 * Sorted address ranges, which may overlap: discarded code all lies at 0, and
 * identical code folding gives one address to several functions. Each item
 * knows the highest end of all before it, which tells how far to look back.
 */
#include "dwarf/private.h"

enum {
	/* How many earlier items are looked at: more overlap is damage. */
	LOOK_BACK_MAX = 4096
};

void
dw_range_index_init(struct dw_range_index *x)
{
	vec_init(&x->items, DW_RANGES_MAX);
}

void
dw_range_index_deinit(struct dw_range_index *x)
{
	vec_deinit(&x->items);
}

bool
dw_range_add(
    struct dw_range_index *x, uint64_t low, uint64_t high, uint64_t value)
{
	struct dw_range *r;

	/* Nothing is loaded at 0: what is said to be there was thrown away by
	 * the linker (GNU ld resolves references to dropped sections to 0). */
	if (low == 0 || low >= high)
		return true;
	r = vec_push(&x->items);
	if (r == NULL)
		return false;
	r->low = low;
	r->high = high;
	r->value = value;
	return true;
}

static int
by_low(const void *pa, const void *pb)
{
	const struct dw_range *a = pa, *b = pb;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->high != b->high)
		return a->high > b->high ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

void
dw_range_sort(struct dw_range_index *x)
{
	uint64_t max_high = 0;
	bool sorted = true;

	for (size_t i = 1; i < x->items.count && sorted; i++)
		sorted = by_low(&x->items.items[i - 1], &x->items.items[i]) < 0;
	if (!sorted)
		qsort(x->items.items, x->items.count, sizeof(struct dw_range),
		    by_low);
	for (size_t i = 0; i < x->items.count; i++) {
		if (x->items.items[i].high > max_high)
			max_high = x->items.items[i].high;
		x->items.items[i].max_high = max_high;
	}
}

size_t
dw_range_find(const struct dw_range_index *x, uint64_t pc,
    const struct dw_range **out, size_t max)
{
	size_t low = 0, high = x->items.count, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (x->items.items[middle].low <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0 && low - i < LOOK_BACK_MAX; i--) {
		const struct dw_range *r = &x->items.items[i - 1];
		size_t at;

		if (r->max_high <= pc)
			break;
		if (r->high <= pc)
			continue;
		for (at = n; at > 0 &&
		     out[at - 1]->high - out[at - 1]->low > r->high - r->low;
		     at--) {
			if (at < max)
				out[at] = out[at - 1];
		}
		if (at < max) {
			out[at] = r;
			if (n < max)
				n++;
		}
	}
	return n;
}
