/* SPDX-License-Identifier: MIT */
/*
 * The event for variables. Nothing is made for a variable that no callback
 * wants: matches are measured on the snapshot's own data, and handles and raw
 * variables exist only from the first match on.
 */
#include "module/module_private.h"

/* A variable on the way down, and what has been made for it so far. */
struct node {
	struct node *up;
	struct snap_variable *snap;
	uint32_t index;
	unsigned depth;
	ptrace_variable_t *handle;
	enum { RAW_UNTRIED, RAW_KNOWN, RAW_NONE } raw_state;
	struct value_raw raw;
};

struct visit {
	struct module_host *host;
	ptrace_frame_t *frame;		 /* NULL: globals, objects */
	const struct value_frame *place; /* NULL: no raw variables of it */
	struct value_reader *reader;
	/* Callbacks whose frame criteria hold. */
	size_t *callbacks; /* a callback may register more and move them */
	size_t n_callbacks, room;
};

static ptrace_variable_t *
handle_of(const struct visit *visit, struct node *node)
{
	struct variable_list *l;
	ptrace_variable_t *up;

	if (node->handle != NULL)
		return node->handle;
	if (node->up == NULL) {
		l = module_frame_list(visit->frame);
	} else {
		up = handle_of(visit, node->up);
		if (up == NULL)
			return NULL;
		l = module_member_list(up);
	}
	/* The originals stay where they are whatever is inserted. */
	if (l->block != NULL && l->room > node->index)
		node->handle = &l->block[node->index];
	return node->handle;
}

static const struct value_raw *
raw_of(const struct visit *visit, struct node *node)
{
	const struct value_raw *up;
	bool known;

	if (node->raw_state == RAW_UNTRIED) {
		if (node->up == NULL) {
			known = visit->place != NULL &&
			    value_raw_frame(visit->reader, visit->place,
				node->index, &node->raw);
		} else {
			up = raw_of(visit, node->up);
			known = up != NULL &&
			    value_raw_child(up, node->index, &node->raw);
		}
		node->raw_state = known ? RAW_KNOWN : RAW_NONE;
	}
	return node->raw_state == RAW_KNOWN ? &node->raw : NULL;
}

/* By its own name, or by what lies behind a typedef. */
static bool
fits(
    const struct visit *visit, const struct pmodule_match *m, struct node *node)
{
	const struct snap_variable *v = node->snap;
	const struct value_raw *raw;
	const char *base;
	bool by_type = false;

	if (m == NULL)
		return true;
	base = module_base_name(visit->host, v->type);
	if (module_match_variable(m, v, base))
		return true;
	for (size_t i = 0; i < m->criteria.count; i++) {
		const struct criterion *c = &m->criteria.items[i];

		by_type |= c->kind == CRITERION_BASE_TYPE;
		/* Raw variables have their price: what is cheap comes first. */
		if ((c->kind == CRITERION_NAME &&
			(c->substr ? strstr(v->name, c->text) == NULL
				   : strcmp(v->name, c->text) != 0)) ||
		    (c->kind == CRITERION_TYPE && module_type_of(v) != c->type))
			return false;
	}
	if (by_type == false || (raw = raw_of(visit, node)) == NULL)
		return false;
	return module_match_variable(m, v, value_base_name(raw->r, raw->shape));
}

static void
fire_node(const struct visit *visit, struct node *node)
{
	for (size_t i = 0; i < visit->n_callbacks; i++) {
		const struct module_callback copy =
		    visit->host->callbacks.items[visit->callbacks[i]];
		const struct module_callback *c = &copy;
		const struct value_raw *raw;
		bt_variable_t v;

		if (fits(visit, c->match, node) == false)
			continue;
		raw = raw_of(visit, node);
		if (raw == NULL || handle_of(visit, node) == NULL)
			continue;
		if (module_enter(visit->host, c->module) == false)
			continue;
		module_raw_set(visit->host, &v, raw);
		if (c->object != NULL)
			c->object(c->ctx, node->handle, &v);
		else
			c->fn.variable(node->handle, &v);
	}
	module_announce(visit->host, NULL);
}

static void visit_node(const struct visit *visit, struct node *node);

/* What modules have just added from raw variables: variables like others. The
 * list may grow and move meanwhile. */
static void
visit_added(const struct visit *visit, struct node *node)
{
	ptrace_variable_t *v = node->handle;

	if (v == NULL || v->members.made == false)
		return;
	for (uint32_t i = 0; i < v->members.count; i++) {
		ptrace_variable_t *added = v->members.items[i];
		struct node child = {.up = node,
		    .snap = added->snap,
		    .depth = node->depth + 1,
		    .handle = added,
		    .raw_state = RAW_KNOWN};

		if (added->visit == false) {
			/* One of a module's making is not visited itself, but
			 * what was added to it is. */
			child.raw_state = RAW_NONE;
			if (added->own && child.depth < SNAP_MAX_DEPTH)
				visit_added(visit, &child);
			continue;
		}
		added->visit = false;
		child.raw = *added->raw;
		visit_node(visit, &child);
	}
}

/* Members come after what they belong to; what a module has given a value of
 * its own is not opened. Pointers to bytes (optimized away) have one child. */
static void
visit_node(const struct visit *visit, struct node *node)
{
	struct snap_variable *children = node->snap->children;
	uint32_t n = node->snap->n_children;
	uint8_t kind = node->snap->kind;

	if (budget_step(visit->host->options.budget) == false)
		return;
	fire_node(visit, node);
	if (node->depth < SNAP_MAX_DEPTH)
		visit_added(visit, node);
	if ((node->handle != NULL && node->handle->set) ||
	    node->depth >= SNAP_MAX_DEPTH ||
	    (kind != SNAP_STRUCT && kind != SNAP_UNION && kind != SNAP_ARRAY))
		return;
	for (uint32_t i = 0; i < n; i++) {
		struct node child = {.up = node,
		    .snap = &children[i],
		    .index = i,
		    .depth = node->depth + 1};

		visit_node(visit, &child);
	}
}

/* The callbacks that want variables of this frame (NULL: of none). */
static bool
choose(struct visit *visit)
{
	struct module_host *host = visit->host;

	visit->n_callbacks = 0;
	for (size_t i = 0; i < visit->room; i++) {
		const struct module_callback *c = &host->callbacks.items[i];

		if (c->event != MODULE_EVENT_VARIABLE)
			continue;
		if (c->match == NULL ||
		    (visit->frame != NULL
			    ? module_match_frame(c->match, visit->frame)
			    : module_match_wants_frame(c->match) == false))
			visit->callbacks[visit->n_callbacks++] = i;
	}
	return visit->n_callbacks != 0;
}

struct walk {
	struct visit visit;
	ptrace_thread_t *thread;
};

static bool
visit_frame(void *arg, uint32_t index, const struct value_frame *place)
{
	struct walk *walk = arg;
	struct visit *visit = &walk->visit;
	struct snap_thread *t = module_snap_thread(walk->thread);
	struct snap_frame *s;

	visit->frame = module_found_frame(walk->thread, index);
	if (visit->frame == NULL ||
	    budget_step(visit->host->options.budget) == 0)
		return false;
	s = &t->frames[index];
	visit->place = place;
	if (place != NULL && place->plan != NULL) {
		visit->frame->has_decl_line = true;
		if (place->scope < place->plan->n_scopes)
			visit->frame->decl_line =
			    place->plan->scopes[place->scope].decl_line;
	}
	if (visit->n_callbacks == SIZE_MAX || snap_frame_count(s) == 0 ||
	    choose(visit) == false)
		return true;
	snapshot_unpack(visit->host->snapshot, s);
	for (uint32_t i = 0; i < s->n_variables; i++) {
		struct node node = {.snap = &s->variables[i], .index = i};

		visit_node(visit, &node);
	}
	return true;
}

/* Room for the callbacks at hand: those registered during a run come later. */
static bool
visit_init(struct visit *visit, struct module_host *host)
{

	*visit = (struct visit){.host = host, .reader = module_reader(host)};
	visit->room = host->callbacks.count;
	visit->callbacks = calloc(visit->room + 1, sizeof(*visit->callbacks));
	return visit->callbacks != NULL && visit->reader != NULL;
}

void
module_fire_variables(struct module_host *host, ptrace_thread_t *t)
{
	struct walk walk = {.thread = t};

	if (host->options.walk == NULL)
		return;
	if (visit_init(&walk.visit, host)) {
		t->has_decl_lines = true;
		host->options.walk(
		    host->options.ctx, t->index, visit_frame, &walk);
	}
	free(walk.visit.callbacks);
}

void
module_decl_lines(struct module_host *host, ptrace_thread_t *t)
{
	struct walk walk = {
	    .thread = t, .visit = {.host = host, .n_callbacks = SIZE_MAX}};

	if (host->options.walk == NULL || t->has_decl_lines)
		return;
	t->has_decl_lines = true;
	host->options.walk(host->options.ctx, t->index, visit_frame, &walk);
}

/* ---- globals and followed objects ---- */

ptrace_variable_t *
module_other_handle(struct module_host *host, struct snap_variable *s)
{
	ptrace_variable_t *v = ARENA_NEW(&host->arena, struct ptrace_variable);
	ptrace_variable_t **place = v != NULL ? vec_push(&host->others) : NULL;

	if (place == NULL)
		return NULL;
	*place = v;
	v->host = host;
	v->snap = s;
	v->offset = -1;
	return v;
}

static void
visit_other(
    struct visit *visit, struct snap_variable *s, const struct value_raw *raw)
{
	struct node node = {.snap = s, .raw_state = RAW_KNOWN};

	node.raw = *raw;
	node.handle = module_other_handle(visit->host, s);
	if (node.handle != NULL)
		visit_node(visit, &node);
}

static void
visit_globals(struct visit *visit)
{
	struct module_host *host = visit->host;

	for (size_t i = 0; i < host->snapshot->globals.count; i++) {
		struct snap_variable *s = &host->snapshot->globals.items[i];
		bt_variable_t *v = pmodule_bt_query(
		    &host->backtrace, s->name, NULL, NULL);
		const struct value_raw *raw = module_raw(v);

		/* Several modules may have one of that name. */
		if (raw != NULL && raw->in_memory &&
		    (s->flags & SNAP_VAR_ADDRESS) != 0 &&
		    raw->address == s->address)
			visit_other(visit, s, raw);
		bt_variable_deinit(v);
	}
}

void
module_fire_other_variables(struct module_host *host)
{
	struct visit visit;
	struct value_raw raw;

	if (visit_init(&visit, host) && choose(&visit)) {
		visit_globals(&visit);
		for (size_t i = 0; i < host->snapshot->objects.count; i++)
			if (value_raw_object(visit.reader, i + 1, &raw))
				visit_other(&visit,
				    &host->snapshot->objects.items[i].variable,
				    &raw);
	}
	free(visit.callbacks);
}

/* ---- on request ---- */

void
pmodule_variable_dispatch(ptrace_variable_t *v, bt_variable_t *raw)
{
	struct module_host *host;
	struct pmodule *current;
	struct visit visit;
	struct node node = {0};

	if (v == NULL || v->view || v->snap == NULL || module_raw(raw) == NULL)
		return;
	host = v->host;
	current = host->current;
	/* A callback that dispatches what it was called for would go on for
	 * ever. */
	if (v->depth >= SNAP_MAX_DEPTH || host->dispatching >= SNAP_MAX_DEPTH)
		return;
	host->dispatching++;
	if (visit_init(&visit, host)) {
		visit.frame = v->frame;
		node.snap = v->snap;
		node.handle = v;
		node.raw_state = RAW_KNOWN;
		node.raw = *module_raw(raw);
		if (choose(&visit))
			fire_node(&visit, &node);
	}
	free(visit.callbacks);
	host->dispatching--;
	module_announce(host, current);
}
