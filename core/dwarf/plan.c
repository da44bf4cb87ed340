/* SPDX-License-Identifier: MIT */
/*
 * Everything about one pc, worked out once: its unit, its line, the function
 * and the functions inlined at it, their variables. All frames at that pc then
 * share the plan.
 */
#include "dwarf/private.h"

struct plan_entry {
	struct dwarf_plan plan;
	bool with_variables;
};

/* The lowest address of a DIE's code, or where it is entered. */
static uint64_t
entry_of(const struct dw_die *d)
{
	struct dw_range_iter it;
	struct dw_value v;
	uint64_t low, high, entry, offset;

	if (!dw_ranges_of_die(&it, d) || !dw_ranges_next(&it, &low, &high))
		low = 0;
	if (!dw_attr(d, DW_AT_entry_pc, &v))
		return low;
	if (dw_address(d->unit, &v, &entry))
		return entry;
	/* DWARF 5 allows an offset from the lowest address. */
	if (low != 0 && dw_unsigned(&v, &offset))
		return low + offset;
	return low;
}

static void
fill_scope(struct dwarf_scope *s, const struct dw_die *d)
{
	struct dw_value v;
	struct dw_die owner;
	uint64_t line;

	s->die = dw_die_ref(d);
	s->inlined = d->abbrev->tag == DW_TAG_inlined_subroutine;
	s->name = dw_function_name(d, &s->linkage_name);
	s->low_pc = entry_of(d);
	if (dw_attr_u64(d, DW_AT_decl_line, &line))
		s->decl_line = (uint32_t)line;
	s->noreturn = dw_attr_inherited(d, DW_AT_noreturn, &v, NULL) &&
	    dw_flag(&v);
	if (!s->inlined && dw_attr_inherited(d, DW_AT_frame_base, &v, &owner))
		(void)dw_location_of(owner.unit, &v, &s->frame_base);
}

/* Where an inlined function was called: a line of the scope around it. */
static void
fill_call(struct dwarf_scope *outer, const struct dw_die *inlined)
{
	struct dw_value v;
	uint64_t n;

	if (dw_attr(inlined, DW_AT_call_line, &v) && dw_unsigned(&v, &n))
		outer->line = (uint32_t)n;
	if (dw_attr(inlined, DW_AT_call_column, &v) && dw_unsigned(&v, &n))
		outer->column = (uint32_t)n;
	if (dw_attr(inlined, DW_AT_call_file, &v) && dw_unsigned(&v, &n))
		outer->path = dw_line_path(inlined->unit, n);
}

static bool
is_scope(const struct dw_level *level)
{
	return level->tag == DW_TAG_subprogram ||
	    level->tag == DW_TAG_inlined_subroutine;
}

/* Variables of the scope whose levels are [first, last], innermost block
 * first. */
static void
fill_variables(struct dwarf *d, struct dwarf_scope *s,
    const struct dw_levels *levels, size_t first, size_t last)
{
	struct dw_variables parameters, locals;
	size_t n;

	vec_init(&parameters.items, 1 << 20);
	vec_init(&locals.items, 1 << 20);
	for (size_t i = last + 1; i > first; i--)
		dw_level_variables(&levels->items.items[i - 1],
		    i < levels->items.count ? &levels->items.items[i] : NULL,
		    &parameters, &locals);
	n = parameters.items.count + locals.items.count;
	s->variables = arena_array(&d->arena, n, sizeof(*s->variables));
	if (s->variables != NULL && n > 0) {
		s->n_variables = (unsigned)n;
		if (parameters.items.count > 0)
			memcpy(s->variables, parameters.items.items,
			    parameters.items.count * sizeof(*s->variables));
		if (locals.items.count > 0)
			memcpy(s->variables + parameters.items.count,
			    locals.items.items,
			    locals.items.count * sizeof(*s->variables));
	}
	vec_deinit(&parameters.items);
	vec_deinit(&locals.items);
}

static void
fill_scopes(struct dwarf *d, struct dwarf_plan *plan,
    const struct dw_levels *levels, bool variables)
{
	size_t count = levels->items.count, end = count, n = 0;

	for (size_t i = 0; i < count; i++)
		n += is_scope(&levels->items.items[i]);
	/* A plan may be filled again, when variables are wanted as well. */
	plan->n_scopes = 0;
	plan->scopes = arena_array(&d->arena, n, sizeof(*plan->scopes));
	if (plan->scopes == NULL)
		return;
	plan->n_scopes = (unsigned)n;
	n = 0;
	for (size_t i = count; i > 0; i--) {
		const struct dw_level *level = &levels->items.items[i - 1];
		struct dwarf_scope *s;

		if (!is_scope(level))
			continue;
		s = &plan->scopes[n];
		fill_scope(s, &level->die);
		if (n == 0) {
			s->path = plan->path;
			s->line = plan->line;
			s->column = plan->column;
		}
		if (s->inlined && n + 1 < plan->n_scopes)
			fill_call(s + 1, &level->die);
		if (variables)
			fill_variables(d, s, levels, i - 1, end - 1);
		end = i - 1;
		n++;
	}
}

/* Takes the unit that has a function at pc; failing that, one with a line. */
static void
fill_plan(struct dwarf *d, struct dwarf_plan *plan, bool variables)
{
	struct dwarf_unit *units[DW_UNIT_CANDIDATES];
	size_t n = dw_units_at(d, plan->pc, units);
	struct dw_levels levels;
	struct dw_die function;
	struct dw_line line;
	bool found = false;

	for (size_t i = 0; i < n && !found; i++) {
		plan->unit = units[i];
		found = dw_function_at(units[i], plan->pc, &function);
	}
	for (size_t i = 0; i < n && !found; i++) {
		if (dw_line_at(units[i], plan->pc, &line)) {
			plan->unit = units[i];
			break;
		}
	}
	if (plan->unit != NULL && dw_line_at(plan->unit, plan->pc, &line)) {
		plan->line = line.line;
		plan->column = line.column;
		plan->path = dw_line_path(plan->unit, line.file);
	}
	if (!found)
		return;
	vec_init(&levels.items, DW_SCOPE_DEPTH_MAX);
	if (dw_levels_at(&function, plan->pc, &levels))
		fill_scopes(d, plan, &levels, variables);
	vec_deinit(&levels.items);
}

const struct dwarf_plan *
dwarf_plan_at(struct dwarf *d, uint64_t pc, bool variables)
{
	struct plan_entry *entry = map_get_ptr(&d->plans, pc);

	if (entry == NULL) {
		entry = ARENA_NEW(&d->arena, struct plan_entry);
		if (entry == NULL || !map_put_ptr(&d->plans, pc, entry))
			return NULL;
		d->stats.plans++;
	} else if (entry->with_variables || !variables) {
		return &entry->plan;
	}
	entry->with_variables = variables;
	entry->plan.pc = pc;
	fill_plan(d, &entry->plan, variables);
	return &entry->plan;
}
