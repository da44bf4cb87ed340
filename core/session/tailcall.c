/* SPDX-License-Identifier: MIT */
/*
 * Frames that left the stack by a tail call. When a caller's call site says it
 * called f, but the frame below it runs g, then f ended in a jump that led to
 * g; the call sites in debug information (DWARF 5 section 3.4, DW_TAG_call_site
 * with DW_AT_call_tail_call) say which jumps f can end in. All chains of jumps
 * from f to g are enumerated; only what all of them have in common, counted
 * from the caller's end and from the callee's end, is known and shown. As GDB
 * does, nothing is shown as soon as one jump on the way has an unknown target:
 * it might lead anywhere.
 */
#include "session/session_private.h"

enum {
	TAIL_DEPTH_MAX = 64,
	TAIL_STEPS_MAX = 2000 /* jumps looked at for one pair of frames */
};

struct tail_cached { /* for one caller; one entry per callee */
	uint64_t callee;
	struct tail_chain chain;
	struct tail_cached *next;
};

struct tail_walk {
	struct session *s;
	struct target_module *module;
	struct dwarf *dwarf;
	uint64_t callee; /* entry of the function that runs */
	unsigned steps;
	bool failed;
	/* The jumps that lead to where the walk stands, outermost first, each
	 * with its siblings that are still to be tried. */
	unsigned depth;
	const struct dwarf_call_site *path[TAIL_DEPTH_MAX];
	const struct dwarf_call_site *const *rest[TAIL_DEPTH_MAX];
	size_t n_rest[TAIL_DEPTH_MAX];
	/* The first chain found and how much of it all others share. */
	bool found;
	unsigned length, callers, callees;
	const struct dwarf_call_site *chain[TAIL_DEPTH_MAX];
};

/* Address of a linkage name in the module; 0: unknown. What is exported is
 * found by a hash table; .symtab, which must be walked through, has the same.
 */
static uint64_t
address_of(struct session *s, struct target_module *m, const char *name)
{
	struct image *images[2] = {m->debug, target_module_image(s->target, m)};
	struct image_symbol symbol;

	if (images[1] != NULL &&
	    image_symbol_exported(images[1], name, &symbol))
		return symbol.value;
	for (int i = 0; i < 2; i++)
		if (images[i] != NULL &&
		    image_symbol_named(images[i], name, &symbol))
			return symbol.value;
	return 0;
}

static uint64_t
site_target(struct session *s, struct target_module *m,
    const struct dwarf_call_site *site)
{
	if (site->target_low_pc != 0)
		return site->target_low_pc;
	return site->target_name != NULL ? address_of(s, m, site->target_name)
					 : 0;
}

static unsigned
common(const struct dwarf_call_site *const *a,
    const struct dwarf_call_site *const *b, unsigned max, int direction)
{
	unsigned n = 0;

	while (n < max && a[(int)n * direction] == b[(int)n * direction])
		n++;
	return n;
}

static unsigned
least(unsigned a, unsigned b)
{

	return a < b ? a : b;
}

/* A chain is complete: the first is kept, later ones only narrow it down. */
static void
candidate(struct tail_walk *w)
{
	if (w->found == false) {
		w->found = true;
		w->length = w->callers = w->callees = w->depth;
		memcpy(w->chain, w->path, w->depth * sizeof(*w->path));
		return;
	}
	w->callers = common(w->chain, w->path, least(w->callers, w->depth), 1);
	w->callees = w->depth == 0 || w->length == 0
	    ? 0
	    : common(w->chain + w->length - 1, w->path + w->depth - 1,
		  least(w->callees, w->depth), -1);
}

static bool
on_path(const struct tail_walk *w, const struct dwarf_call_site *site)
{
	for (unsigned i = 0; i < w->depth; i++)
		if (w->path[i] == site)
			return true;
	return false;
}

/* Takes the next jump that is not yet on the path, from the deepest level that
 * has one left; false when all were tried. */
static bool
next_jump(
    struct tail_walk *w, const struct dwarf_call_site *const *sites, size_t n)
{
	for (;;) {
		while (n != 0) {
			const struct dwarf_call_site *site = *sites++;

			n--;
			if (on_path(w, site))
				continue;
			if (w->depth == TAIL_DEPTH_MAX) {
				w->failed = true;
				return false;
			}
			w->path[w->depth] = site;
			w->rest[w->depth] = sites;
			w->n_rest[w->depth] = n;
			w->depth++;
			return true;
		}
		if (w->depth == 0)
			return false;
		w->depth--;
		sites = w->rest[w->depth];
		n = w->n_rest[w->depth];
	}
}

static void
walk(struct tail_walk *w, uint64_t function)
{
	do {
		const struct dwarf_call_site *const *sites = NULL;
		size_t n = 0;

		if (w->depth != 0)
			function = site_target(
			    w->s, w->module, w->path[w->depth - 1]);
		if (function == 0 || w->steps++ > TAIL_STEPS_MAX ||
		    budget_step(&w->s->budget) == false) {
			w->failed = true;
			return;
		}
		if (function == w->callee)
			candidate(w);
		else
			n = dwarf_tail_calls(w->dwarf, function, &sites);
		if (next_jump(w, sites, n) == false)
			return;
	} while (w->failed == false);
}

/* The i-th jump to show, counted from the callee. */
static const struct dwarf_call_site *
shown(const struct tail_walk *w, unsigned i)
{
	if (w->callers == w->length || i < w->callees)
		return w->chain[w->length - 1 - i];
	return w->chain[w->callers - 1 - (i - w->callees)];
}

static void
keep(struct tail_walk *w, struct tail_chain *out)
{
	unsigned n = w->callers == w->length ? w->length
					     : w->callers + w->callees;
	uint64_t *ips = arena_array(&w->s->scratch, n, sizeof(*ips));

	if (ips == NULL)
		return;
	/* Where the jump ends is not known: no frame, as in GDB. */
	for (unsigned i = 0; i < n; i++)
		if (shown(w, i)->only_call_pc)
			return;
	for (unsigned i = 0; i < n; i++)
		ips[i] = shown(w, i)->return_pc + w->module->bias;
	*out = (struct tail_chain){n, ips};
}

static void
find_chain(struct session *s, const struct unwind_frame *caller,
    const struct frame_plan *caller_plan, const struct frame_plan *callee_plan,
    struct tail_chain *out)
{
	struct tail_walk w = {
	    .s = s,
	    .module = callee_plan->module,
	    .dwarf = callee_plan->dwarf,
	    .callee = callee_plan->entry,
	};
	const struct dwarf_call_site *site;
	uint64_t function;

	site = dwarf_call_site_at(
	    caller_plan->dwarf, caller->pc - caller_plan->module->bias);
	if (site == NULL)
		return;
	/* The first jump-off is a function of the callee's module: by address
	 * when the caller is in it too, else by name. */
	if (caller_plan->module == callee_plan->module)
		function = site_target(s, w.module, site);
	else
		function = site->target_name != NULL
		    ? address_of(s, w.module, site->target_name)
		    : 0;
	if (function == 0 || function == w.callee)
		return;
	walk(&w, function);
	if (w.found && w.failed == false && w.length != 0)
		keep(&w, out);
}

const struct tail_chain *
tail_chain_between(struct session *s, const struct unwind_frame *caller,
    const struct frame_plan *caller_plan, const struct frame_plan *callee_plan)
{
	struct tail_cached *c;
	uint64_t callee;

	if (caller_plan->dwarf == NULL || callee_plan->dwarf == NULL ||
	    callee_plan->entry == 0)
		return NULL;
	callee = callee_plan->entry + callee_plan->module->bias;
	for (c = map_get_ptr(&s->tails, caller->pc); c != NULL; c = c->next)
		if (c->callee == callee)
			return c->chain.n != 0 ? &c->chain : NULL;
	c = ARENA_NEW(&s->scratch, struct tail_cached);
	if (c == NULL)
		return NULL;
	c->callee = callee;
	c->next = map_get_ptr(&s->tails, caller->pc);
	find_chain(s, caller, caller_plan, callee_plan, &c->chain);
	(void)map_put_ptr(&s->tails, caller->pc, c);
	return c->chain.n != 0 ? &c->chain : NULL;
}
