/* SPDX-License-Identifier: MIT */
/*
 * Call sites: what a caller knew about a call (DWARF 5 section 3.4, and the
 * GNU form that GCC wrote before: DW_TAG_GNU_call_site). The sites of one
 * function are read together, on first need, and sorted by return address.
 */
#include "dwarf/private.h"

enum { SITES_MAX = 1 << 20, PARAMETERS_MAX = 256 };

struct dw_calls {
	size_t count;
	struct dwarf_call_site *sites; /* sorted by return_pc */
	size_t n_tail;
	const struct dwarf_call_site **tail;
};

static bool
is_call_site(uint16_t tag)
{
	return tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site;
}

static void
set_target(struct dwarf_call_site *s, struct dwarf_die origin)
{
	struct dw_range_iter it;
	struct dw_die d;
	uint64_t low, high;

	if (!dw_die_open(origin, &d))
		return;
	s->target_name = dw_linkage_name(&d);
	if (s->target_name == NULL)
		s->target_name = dw_attr_string(&d, DW_AT_name);
	if (dw_ranges_of_die(&it, &d) && dw_ranges_next(&it, &low, &high))
		s->target_low_pc = low;
}

/* *pc: the address after the call, or of a tail call's jump; 0: unknown. */
static void
read_site(const struct dw_die *d, struct dwarf_call_site *s)
{
	struct dw_attrs attrs;
	struct dw_value v;
	struct dwarf_die origin = {NULL, 0};
	uint64_t call_pc = 0;
	uint16_t name;

	memset(s, 0, sizeof(*s));
	s->unit = d->unit;
	dw_attrs(&attrs, d);
	while (dw_attr_next(&attrs, &name, &v)) {
		switch (name) {
		case DW_AT_call_return_pc:
		case DW_AT_low_pc: /* GNU: the same */
			(void)dw_address(d->unit, &v, &s->return_pc);
			break;
		case DW_AT_call_pc:
			(void)dw_address(d->unit, &v, &call_pc);
			break;
		case DW_AT_call_tail_call:
		case DW_AT_GNU_tail_call:
			s->tail_call = dw_flag(&v);
			break;
		case DW_AT_call_origin:
		case DW_AT_abstract_origin:
			origin = dw_reference(d->unit, &v);
			break;
		case DW_AT_call_target:
		case DW_AT_GNU_call_site_target:
			(void)dw_block(&v, &s->target);
			break;
		default:
			break;
		}
	}
	/* clang gives a tail call only the address of its jump. One past it is
	 * not where a call would return to, but looking up the byte before, as
	 * for a return address, finds the jump. */
	if (s->return_pc == 0 && call_pc != 0) {
		s->return_pc = call_pc + 1;
		s->only_call_pc = true;
	}
	set_target(s, origin);
}

static bool
read_parameter(const struct dw_die *d, struct dwarf_call_parameter *p)
{
	struct dw_attrs attrs;
	struct dw_value v;
	uint16_t name, tag = d->abbrev->tag;

	if (tag != DW_TAG_call_site_parameter &&
	    tag != DW_TAG_GNU_call_site_parameter)
		return false;
	memset(p, 0, sizeof(*p));
	dw_attrs(&attrs, d);
	while (dw_attr_next(&attrs, &name, &v)) {
		if (name == DW_AT_location)
			(void)dw_block(&v, &p->location);
		else if (name == DW_AT_call_value ||
		    name == DW_AT_GNU_call_site_value)
			(void)dw_block(&v, &p->value);
		else if (name == DW_AT_call_parameter ||
		    name == DW_AT_abstract_origin) /* GNU: the same */
			p->parameter = dw_reference(d->unit, &v);
	}
	return (p->location.size > 0 || p->parameter.unit != NULL) &&
	    p->value.size > 0;
}

static void
read_parameters(
    struct dwarf *d, const struct dw_die *die, struct dwarf_call_site *s)
{
	VEC(struct dwarf_call_parameter) items;
	struct dw_iter it;

	vec_init(&items, PARAMETERS_MAX);
	for (dw_children(&it, die); dw_next(&it);) {
		struct dwarf_call_parameter p, *place;

		if (!read_parameter(&it.die, &p))
			continue;
		place = vec_push(&items);
		if (place == NULL)
			break;
		*place = p;
	}
	s->parameters = arena_array(
	    &d->arena, items.count, sizeof(*items.items));
	if (s->parameters != NULL && items.count > 0) {
		memcpy(s->parameters, items.items,
		    items.count * sizeof(*items.items));
		s->n_parameters = (unsigned)items.count;
	}
	vec_deinit(&items);
}

static int
by_return_pc(const void *pa, const void *pb)
{
	const struct dwarf_call_site *a = pa, *b = pb;

	if (a->return_pc != b->return_pc)
		return a->return_pc < b->return_pc ? -1 : 1;
	return a->tail_call - b->tail_call;
}

static void
list_tail_calls(struct dwarf *d, struct dw_calls *calls)
{
	size_t n = 0;

	for (size_t i = 0; i < calls->count; i++)
		n += calls->sites[i].tail_call;
	calls->tail = arena_array(&d->arena, n, sizeof(*calls->tail));
	if (calls->tail == NULL)
		return;
	for (size_t i = 0; i < calls->count; i++) {
		if (calls->sites[i].tail_call)
			calls->tail[calls->n_tail++] = &calls->sites[i];
	}
}

/* All sites below a function, in its blocks and inlined functions too. Nested
 * functions with code of their own are skipped. */
static void
read_calls(
    struct dwarf *d, const struct dw_die *function, struct dw_calls *calls)
{
	VEC(struct dwarf_call_site) items;
	struct dw_scan scan = dw_scan_unit(function->unit);
	uint64_t end = dw_subtree_end(function);
	struct dw_die die;

	vec_init(&items, SITES_MAX);
	scan.v = dw_unit_view(function->unit, function->offset);
	scan.v.size = end;
	(void)dw_scan_next(&scan, &die); /* the function itself */
	while (dw_scan_next(&scan, &die)) {
		struct dwarf_call_site *s;

		if (die.abbrev->tag == DW_TAG_subprogram)
			dw_scan_over(&scan, &die);
		if (!is_call_site(die.abbrev->tag))
			continue;
		s = vec_push(&items);
		if (s == NULL)
			break;
		read_site(&die, s);
		read_parameters(d, &die, s);
	}
	calls->sites = arena_array(
	    &d->arena, items.count, sizeof(*items.items));
	if (calls->sites != NULL && items.count > 0) {
		qsort(items.items, items.count, sizeof(*items.items),
		    by_return_pc);
		memcpy(calls->sites, items.items,
		    items.count * sizeof(*items.items));
		calls->count = items.count;
	}
	vec_deinit(&items);
	list_tail_calls(d, calls);
}

static const struct dw_calls *
calls_of(struct dwarf *d, uint64_t pc)
{
	struct dw_calls *calls;
	struct dw_die function;
	uint64_t key;

	if (!dw_function_find(d, pc, &function))
		return NULL;
	key = dw_die_key(dw_die_ref(&function));
	calls = map_get_ptr(&d->calls, key);
	if (calls != NULL)
		return calls;
	calls = ARENA_NEW(&d->arena, struct dw_calls);
	if (calls == NULL || !map_put_ptr(&d->calls, key, calls))
		return NULL;
	read_calls(d, &function, calls);
	return calls;
}

const struct dwarf_call_site *
dwarf_call_site_at(struct dwarf *d, uint64_t return_pc)
{
	/* The call itself lies before: a function may end with one. */
	const struct dw_calls *calls =
	    return_pc != 0 ? calls_of(d, return_pc - 1) : NULL;
	size_t low = 0, high = calls != NULL ? calls->count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (calls->sites[middle].return_pc < return_pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (calls == NULL || low == calls->count ||
	    calls->sites[low].return_pc != return_pc)
		return NULL;
	return &calls->sites[low];
}

size_t
dwarf_tail_calls(struct dwarf *d, uint64_t function_pc,
    const struct dwarf_call_site *const **out)
{
	const struct dw_calls *calls = calls_of(d, function_pc);

	*out = calls != NULL ? calls->tail : NULL;
	return calls != NULL ? calls->n_tail : 0;
}
