/* SPDX-License-Identifier: MIT */
/*
 * What the frames of a stack are called: module, function, source line, and
 * the functions inlined there. All of it depends on the pc alone, so it is
 * found out once per distinct pc and shared by every frame that stands there:
 * stacks of thousands of threads have a few dozen distinct pcs.
 */
#include "base/text.h"
#include "image/demangle.h"
#include "session/session_private.h"

enum { EXPECT_SEEN = 64 /* power of two */ };

static void
warn_dwarf(void *ctx, const char *code, const char *text)
{
	struct session *s = ctx;

	snapshot_warn(s->snapshot, "dwarf", code, "%s", text);
}

/* The debug information of a module, opened on first use; NULL: none, or not
 * wanted. */
struct dwarf *
session_dwarf(struct session *s, struct target_module *module)
{
	struct session_dwarf *slot;
	struct dwarf_options options = {
	    .budget = &s->budget,
	    .finder = &s->finder,
	    .locations = s->options->variables,
	    .prefetch = s->prefetch,
	    .warn = warn_dwarf,
	    .ctx = s,
	};
	struct image *debug;
	bt_error_t e;

	/* The faulting thread could not be had with it the last time. */
	if (session_skips(s, SESSION_FAULT) || module->index >= s->n_dwarfs)
		return NULL;
	slot = &s->dwarfs[module->index];
	if (slot->tried)
		return slot->dwarf;
	slot->tried = true;
	debug = target_module_debug(s->target, module);
	options.exe_path = module->image_path; /* known by now */
	if (debug == NULL || module->debug_kind != TARGET_DEBUG_DWARF)
		return NULL;
	if (dwarf_open(debug, &options, &slot->dwarf, &e) == false) {
		slot->dwarf = NULL;
		snapshot_warn(s->snapshot, "dwarf", "dwarf.open", "%s: %s",
		    module->path, e.text);
	}
	return slot->dwarf;
}

/* The ELF symbol that covers vaddr. A stripped file's full table is in its
 * debug file, so that one is asked first. */
static bool
find_symbol(struct session *s, struct target_module *m, uint64_t vaddr,
    struct image_symbol *out, const char **plt)
{
	struct image *image = target_module_image(s->target, m);

	*plt = NULL;
	if (m->debug != NULL && m->debug != image &&
	    image_symbol_at(m->debug, vaddr, out))
		return true;
	if (image == NULL)
		return false;
	if (image_symbol_at(image, vaddr, out))
		return true;
	return image_plt_name(image, vaddr, plt);
}

/* Symbol, linkage name and offset from the symbol table. */
static void
name_by_symbol(struct session *s, const struct frame_plan *plan, uint64_t ip,
    struct snap_location *out)
{
	struct image_symbol symbol;
	const char *plt, *pretty;

	if (find_symbol(s, plan->module, plan->pc, &symbol, &plt) == false)
		return;
	if (plt != NULL) {
		/* As GDB names the stub. */
		out->symbol = arena_printf(&s->scratch, "%s@plt", plt);
		return;
	}
	pretty = demangle(&s->scratch, symbol.name, true);
	out->symbol = pretty != NULL ? pretty : symbol.name;
	out->linkage_name = pretty != NULL ? symbol.name : NULL;
	if (ip - plan->module->bias >= symbol.value) {
		out->has_offset = true;
		out->offset = ip - plan->module->bias - symbol.value;
	}
}

/* One inline level as the snapshot has it. */
static void
name_by_scope(struct session *s, const struct frame_plan *plan,
    const struct dwarf_scope *scope, uint64_t ip, struct snap_location *out)
{
	out->path = scope->path;
	out->line = scope->line;
	out->is_inline = scope->inlined;
	out->symbol = scope->name;
	out->linkage_name = scope->linkage_name;
	if (scope->name == NULL) {
		if (scope->inlined == false)
			name_by_symbol(s, plan, ip, out);
		return;
	}
	/* Of inlined code the start is no function's, and of a split function
	 * this part may lie before its entry. */
	if (scope->inlined == false && scope->low_pc != 0 &&
	    ip - plan->module->bias >= scope->low_pc) {
		out->has_offset = true;
		out->offset = ip - plan->module->bias - scope->low_pc;
	}
}

static void
name_object(struct session *s, const struct frame_plan *plan, uint64_t ip,
    struct snap_location *out)
{
	const struct target_mapping *mapping;

	if (plan->module != NULL) {
		out->object = plan->module->name;
		out->object_path = plan->module->path;
		return;
	}
	/* Code in a mapped file that is no module: say at least which. */
	mapping = target_mapping_at(s->target, ip);
	if (mapping != NULL && mapping->path != NULL) {
		out->object = text_basename(mapping->path);
		out->object_path = mapping->path;
	}
}

static const struct snap_location *
intern(struct session *s, struct snap_location *l)
{
	const char **fields[] = {&l->symbol, &l->linkage_name, &l->object,
	    &l->object_path, &l->path};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (*fields[i] == NULL)
			*fields[i] = "";
	if (strcmp(l->linkage_name, l->symbol) == 0)
		l->linkage_name = "";
	return snapshot_location(s->snapshot, l);
}

/* Fills the plan's locations, innermost first. */
static bool
fill_locations(struct session *s, struct frame_plan *plan,
    const struct dwarf_plan *dp, uint64_t ip)
{
	unsigned n = dp != NULL ? dp->n_scopes : 0;

	plan->has_scopes = n != 0;
	if (n > SESSION_SCOPES_MAX)
		n = SESSION_SCOPES_MAX;
	plan->n_locations = n != 0 ? n : 1;
	plan->locations = arena_array(
	    &s->scratch, plan->n_locations, sizeof(*plan->locations));
	if (plan->locations == NULL)
		return false;
	for (unsigned i = 0; i < plan->n_locations; i++) {
		struct snap_location l = {0};

		name_object(s, plan, ip, &l);
		if (n != 0) {
			name_by_scope(s, plan, &dp->scopes[i], ip, &l);
		} else if (plan->module != NULL) {
			name_by_symbol(s, plan, ip, &l);
			if (dp != NULL) {
				l.path = dp->path;
				l.line = dp->line;
			}
		}
		plan->locations[i] = intern(s, &l);
		if (plan->locations[i] == NULL)
			return false;
	}
	if (n != 0)
		plan->entry = dp->scopes[dp->n_scopes - 1].low_pc;
	return true;
}

static struct frame_plan *
make_plan(struct session *s, const struct unwind_frame *f)
{
	struct frame_plan *plan = ARENA_NEW(&s->scratch, struct frame_plan);
	const struct dwarf_plan *dp = NULL;

	if (plan == NULL)
		return NULL;
	plan->module = f->module;
	if (f->module != NULL) {
		plan->pc = unwind_lookup_pc(f) - f->module->bias;
		plan->dwarf = session_dwarf(s, f->module);
		if (plan->dwarf != NULL)
			dp = dwarf_plan_at(plan->dwarf, plan->pc, false);
	}
	return fill_locations(s, plan, dp, f->pc) ? plan : NULL;
}

struct frame_plan *
frame_plan_known(struct session *s, const struct unwind_frame *f)
{
	uint64_t key = unwind_lookup_pc(f);
	struct frame_place *place = &s->recent[map_mix(key) % SESSION_RECENT];
	struct frame_plan *plan;

	if (place->plan != NULL && place->pc == key &&
	    place->exact == f->exact_pc)
		return place->plan;
	plan = map_get_ptr(&s->by_pc[f->exact_pc], key);
	if (plan != NULL)
		*place = (struct frame_place){key, f->exact_pc, plan};
	return plan;
}

struct frame_plan *
frame_plan_at(struct session *s, const struct unwind_frame *f)
{
	struct frame_plan *plan = frame_plan_known(s, f);

	if (plan != NULL)
		return plan;
	plan = make_plan(s, f);
	if (plan != NULL) {
		(void)map_put_ptr(
		    &s->by_pc[f->exact_pc], unwind_lookup_pc(f), plan);
		if (s->stats != NULL)
			s->stats->distinct_pcs++;
	}
	return plan;
}

void
frames_expect(
    struct session *s, struct unwind_frame *const *frames, size_t count)
{
	const struct target_module *first = NULL;
	uint64_t seen[EXPECT_SEEN] = {0};

	if (s->prefetch == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct unwind_frame *f = frames[i];
		uint64_t key = unwind_lookup_pc(f);
		uint64_t *place = &seen[map_mix(key) % EXPECT_SEEN];
		struct dwarf *dwarf;

		if (*place == key || f->module == NULL ||
		    frame_plan_known(s, f) != NULL)
			continue;
		*place = key;
		dwarf = session_dwarf(s, f->module);
		if (dwarf == NULL)
			continue;
		if (first == NULL)
			first = f->module;
		(void)dwarf_expect(
		    dwarf, key - f->module->bias, f->module == first);
	}
}
