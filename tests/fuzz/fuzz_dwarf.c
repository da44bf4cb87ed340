/* SPDX-License-Identifier: MIT */
/*
 * DWARF: units, scopes, types, variables, call sites. The input is a list of
 * sections, each after its number in the table below and its length (4 bytes).
 * Code is taken to lie where linkers put that of programs that are not
 * position independent.
 */
#include "dwarf/dwarf.h"

#include "fuzz.h"
#include "sections.h"

enum { CODE = 0x401000, CODE_SIZE = 0x400, DEPTH = 3, WIDTH = 8 };

static const char *const names[] = {
    ".debug_info",
    ".debug_abbrev",
    ".debug_str",
    ".debug_line",
    ".debug_line_str",
    ".debug_str_offsets",
    ".debug_addr",
    ".debug_rnglists",
    ".debug_loclists",
    ".debug_ranges",
    ".debug_loc",
    ".debug_types",
    ".debug_aranges",
    ".debug_names",
    ".gdb_index",
};
enum { N_NAMES = sizeof(names) / sizeof(*names) };

static void
use_location(const struct dwarf_location *l, uint64_t pc)
{
	struct view block;

	if (dwarf_location_at(l, pc, &block, NULL))
		fuzz_use(block.data, block.size);
}

static void
use_type(struct dwarf *d, const struct dwarf_type *t, unsigned depth)
{
	struct dwarf_argument argument;

	if (t == NULL || depth == 0)
		return;
	t = dwarf_type_complete(d, dwarf_type_strip(t));
	fuzz_use_text(t->name);
	for (unsigned i = 0; i < t->n_members && i < WIDTH; i++) {
		fuzz_use_text(t->members[i].name);
		use_type(d, t->members[i].type, depth - 1);
	}
	for (unsigned i = 0; i < t->n_enumerators && i < WIDTH; i++)
		fuzz_use_text(t->enumerators[i].name);
	for (unsigned i = 0; i < t->n_bounds && i < WIDTH; i++)
		if (t->bounds[i].kind == DWARF_BOUND_DYNAMIC)
			use_location(&t->bounds[i].location, CODE);
	/* A damaged type may be an argument of its own. */
	for (unsigned i = 0;
	     depth > 1 && i < 4 && dwarf_type_argument(t, i, &argument); i++)
		use_type(d, argument.type, 1);
	use_type(d, t->target, depth - 1);
}

static void
use_plan(struct dwarf *d, const struct dwarf_plan *plan)
{
	for (unsigned i = 0; i < plan->n_scopes && i < WIDTH; i++) {
		const struct dwarf_scope *s = &plan->scopes[i];

		fuzz_use_text(s->name);
		fuzz_use_text(s->linkage_name);
		fuzz_use_text(s->path);
		use_location(&s->frame_base, plan->pc);
		for (unsigned k = 0; k < s->n_variables && k < WIDTH; k++) {
			fuzz_use_text(s->variables[k].name);
			use_location(&s->variables[k].location, plan->pc);
			use_type(d, s->variables[k].type, DEPTH);
		}
	}
	fuzz_use_text(plan->path);
}

static void
use_call(const struct dwarf_call_site *c)
{
	fuzz_use_text(c->target_name);
	fuzz_use(c->target.data, c->target.size);
	for (unsigned i = 0; i < c->n_parameters && i < WIDTH; i++) {
		fuzz_use(c->parameters[i].location.data,
		    c->parameters[i].location.size);
		fuzz_use(
		    c->parameters[i].value.data, c->parameters[i].value.size);
	}
}

static bool
global(void *ctx, const struct dwarf_variable *v)
{
	struct dwarf *d = ctx;

	fuzz_use_text(v->name);
	use_location(&v->location, CODE);
	use_type(d, v->type, DEPTH);
	return true;
}

static void
ask(struct dwarf *d)
{
	const struct dwarf_call_site *const *tails;
	struct dwarf_variable v;

	for (uint64_t pc = CODE; pc < CODE + CODE_SIZE; pc += 7) {
		const struct dwarf_plan *plan = dwarf_plan_at(d, pc, true);
		const struct dwarf_call_site *c = dwarf_call_site_at(d, pc);
		size_t n = dwarf_tail_calls(d, pc, &tails);

		if (plan != NULL)
			use_plan(d, plan);
		if (c != NULL)
			use_call(c);
		for (size_t i = 0; i < n && i < WIDTH; i++)
			use_call(tails[i]);
	}
	dwarf_globals_each(d, NULL, NULL, global, d);
	if (dwarf_global(d, "head", NULL, &v))
		(void)global(d, &v);
	use_type(d, dwarf_type_named(d, "struct node"), DEPTH);
	use_type(d, dwarf_type_named(d, "ns::shape"), DEPTH);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_section sections[N_NAMES] = {0};
	struct view v = view_of(data, size);
	struct dwarf_options options = {.locations = true};
	struct budget budget;
	struct image *image;
	struct dwarf *d;

	while (!view_end(&v)) {
		unsigned which = view_u8(&v) % N_NAMES;
		size_t length = view_u32(&v);
		const uint8_t *at;

		if (length > view_left(&v))
			length = view_left(&v);
		at = view_bytes(&v, length);
		sections[which].bytes = view_of(at, length);
	}
	for (unsigned i = 0; i < N_NAMES; i++)
		sections[i].name = names[i];
	image = fuzz_sections(sections, N_NAMES);
	if (image == NULL)
		return 0;
	budget_init(&budget, 1 << 20, 0);
	options.budget = &budget;
	if (dwarf_open(image, &options, &d, NULL)) {
		ask(d);
		dwarf_close(d);
	}
	image_unref(image);
	return 0;
}
