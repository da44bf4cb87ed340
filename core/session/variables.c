/* SPDX-License-Identifier: MIT */
/*
 * Variables of all frames, faulting thread first; requested globals; and the
 * message that libbcd leaves on the stack for its tracer.
 *
 * Stacks are walked again instead of being kept: with cached rules a frame
 * costs some 20 ns, less than touching the memory that keeping them takes.
 */
#include "session/session_private.h"
#include "snapshot/pack.h"

/* Variables of one name, in different units, that are shown. */
enum { GLOBAL_MATCHES = 64 };

/* Frames of the thread that faulted that somebody will surely look at. */
enum { LOOKED_AT = 64 };

struct fill {
	struct session *session;
	const struct target_thread *target;
	struct snap_thread *thread;
	uint32_t next; /* frame of the snapshot */
};

static struct dwarf *
dwarf_of(void *ctx, struct target_module *module)
{

	return session_dwarf(ctx, module);
}

static bool
have_reader(struct session *s)
{
	struct value_reader_options options = {
	    .target = s->target,
	    .unwinder = s->unwinder,
	    .snapshot = s->snapshot,
	    .budget = &s->budget,
	    .dwarf_of = dwarf_of,
	    .ctx = s,
	};

	if (s->reader == NULL)
		s->reader = value_reader_create(&options);
	return s->reader != NULL;
}

struct value_reader *
session_reader(struct session *s)
{

	return have_reader(s) ? s->reader : NULL;
}

/* The reader refuses what does not fit; what it could still place is not worth
 * the walk. */
static bool
has_room(const struct snapshot *s)
{
	enum { WORTH_IT = 4096 };

	return s->values_cap - s->values_bytes > WORTH_IT;
}

static bool
fill_frame(void *ctx, const struct frame_step *step)
{
	struct fill *fill = ctx;
	struct session *s = fill->session;
	struct value_frame frame = {
	    .thread = fill->target,
	    .stack = s->shown,
	    .index = step->index,
	    .scope = step->scope,
	    .dwarf = step->plan->dwarf,
	    .follow = fill->thread->fault,
	    .pack = s->sink->takes_packed &&
		(fill->thread->fault == false || fill->next >= LOOKED_AT),
	};
	struct snap_frame *out;

	/* The walk is the same one that made the frames, unless it ran out of
	 * time then or now. */
	if (fill->next == fill->thread->n_frames ||
	    session_has_time(s) == false || has_room(s->snapshot) == false)
		return false;
	out = &fill->thread->frames[fill->next++];
	if (out->ip != step->frame->pc || out->location != step->location)
		return false;
	if (step->plan->has_scopes == false)
		return true;
	frame.plan = dwarf_plan_at(step->plan->dwarf, step->plan->pc, true);
	if (frame.plan == NULL || step->scope >= frame.plan->n_scopes)
		return true;
	value_frame_variables(s->reader, &frame, out);
	return true;
}

static void
warn_full(struct session *s, uint32_t thread)
{
	snapshot_warn(s->snapshot, "variables", "limit",
	    "--max-size is reached: variables of the last %zu threads are "
	    "missing wholly or in part",
	    s->snapshot->threads.count - thread);
	session_mark_partial(s);
}

void
collect_variables(struct session *s)
{
	if (have_reader(s) == false)
		return;
	for (uint32_t i = 0; i < s->snapshot->threads.count &&
	     i < s->n_threads && session_has_time(s);
	     i++) {
		struct fill fill = {
		    .session = s,
		    .target = s->threads[i],
		    .thread = &s->snapshot->threads.items[i],
		};

		if (fill.thread->n_frames == 0)
			continue;
		walk_thread(s, fill.target);
		(void)walk_each(s, fill_frame, &fill);
		/* Whatever the faulting thread points to comes before the
		 * other threads' locals use up the room. */
		if (i == 0)
			value_follow_pending(s->reader);
		if (has_room(s->snapshot) == false) {
			warn_full(s, i);
			break;
		}
	}
	value_follow_pending(s->reader);
}

/* ---- globals ---- */

struct search { /* for one requested name */
	struct session *session;
	const char *name; /* qualified or linkage name */
	char *unit;	  /* "file.c" of "file.c::name", NULL: any */
	struct target_module *module;
	struct dwarf *dwarf;
	size_t first; /* of its variables in snapshot.globals */
	const char *units[GLOBAL_MATCHES];
};

/* Inline variables and statics of templates are in many units, but one. */
static bool
is_known(const struct search *g, const struct snap_variable *v)
{
	const struct snapshot *s = g->session->snapshot;

	for (size_t i = g->first; i < s->globals.count; i++) {
		const struct snap_variable *other = &s->globals.items[i];

		if ((v->flags & SNAP_VAR_ADDRESS) != 0 &&
		    (other->flags & SNAP_VAR_ADDRESS) != 0 &&
		    other->address == v->address)
			return true;
	}
	return false;
}

static bool
add_global(void *ctx, const struct dwarf_variable *variable)
{
	struct search *g = ctx;
	struct session *s = g->session;
	size_t n = s->snapshot->globals.count - g->first;
	struct snap_variable v = {.name = "", .type = ""}, *out;
	const char *unit = dwarf_unit_name(variable->die.unit);
	bt_error_t e;

	if (n >= GLOBAL_MATCHES || session_has_time(s) == false)
		return false;
	/* Declared here, defined elsewhere: there it is found. */
	if (variable->location.kind == DWARF_LOC_NONE && n != 0)
		return true;
	if (value_global(s->reader, s->n_threads != 0 ? s->threads[0] : NULL,
		g->module, g->dwarf, variable, &v, &e) == false) {
		v.kind = SNAP_UNAVAILABLE;
		v.reason = snapshot_string(s->snapshot, e.text);
	}
	if (is_known(g, &v) || (out = vec_push(&s->snapshot->globals)) == NULL)
		return true;
	g->units[n] = unit != NULL ? unit : "?";
	*out = v;
	return true;
}

/* One of its name goes by it; of several each tells its unit. */
static void
name_globals(const struct search *g, const char *asked)
{
	struct snapshot *s = g->session->snapshot;
	size_t n = s->globals.count - g->first;

	for (size_t i = 0; i < n; i++) {
		const char *slash = strrchr(g->units[i], '/');

		s->globals.items[g->first + i].name = n == 1
		    ? snapshot_string(s, asked)
		    : snapshot_printf(s, "%s::%s",
			  slash != NULL ? slash + 1 : g->units[i], g->name);
	}
}

/* "file.c::name", as in GDB; a namespace has neither dot nor slash. */
static bool
split_name(struct search *g, const char *asked)
{
	const char *colons = strstr(asked, "::");
	size_t length = colons != NULL ? (size_t)(colons - asked) : 0;

	g->name = asked;
	if (length == 0 || strcspn(asked, "./") >= length)
		return true;
	g->name = colons + 2;
	g->unit = strndup(asked, length);
	return g->unit != NULL;
}

static void
find_globals(struct session *s, const char *asked)
{
	struct search g = {.session = s, .first = s->snapshot->globals.count};
	struct target_module *modules;
	size_t n = target_modules(s->target, &modules);

	if (split_name(&g, asked) == false)
		return;
	for (size_t m = 0; m < n; m++) {
		g.module = &modules[m];
		g.dwarf = session_dwarf(s, g.module);
		if (g.dwarf != NULL)
			dwarf_globals_named(
			    g.dwarf, g.name, g.unit, add_global, &g);
	}
	if (s->snapshot->globals.count == g.first)
		snapshot_warn(s->snapshot, "variables", "global",
		    "no global variable '%s' in any module with debug "
		    "information",
		    asked);
	name_globals(&g, asked);
	free(g.unit);
}

void
collect_globals(struct session *s)
{
	const char *const *names = s->options->globals;

	for (size_t i = 0; names != NULL && names[i] != NULL && have_reader(s);
	     i++)
		find_globals(s, names[i]);
	if (names != NULL && s->reader != NULL)
		value_follow_pending(s->reader);
}

/* ---- the message of bcd_emit and bcd_fatal ---- */

/* Names of variables are interned: that of none is not worth comparing. */
static bool
may_have(const struct snap_frame *f, const char *name)
{
	const struct snap_template *t;

	if (f->packed == NULL)
		return f->n_variables != 0;
	t = f->packed->template;
	for (uint32_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i].name == name)
			return true;
	return false;
}

static const struct snap_variable *
message_of(struct snapshot *s, struct snap_frame *f, const char *name)
{
	if (may_have(f, name) == false)
		return NULL;
	snapshot_unpack(s, f);
	for (uint32_t i = 0; i < f->n_variables; i++) {
		const struct snap_variable *v = &f->variables[i];

		if (v->name == name && (v->flags & SNAP_VAR_STRING) != 0)
			return v;
	}
	return NULL;
}

/* The message is the error's text and its grouping key. Frames nearest to the
 * top are looked at: the traced thread waits inside bcd_emit. */
void
collect_error_message(struct session *s)
{
	enum { DEPTH = 64 };
	struct snapshot *out = s->snapshot;
	const char *name = strings_find(
	    &out->strings, "bcd_MAGICAL_UNICORNS_message");

	for (size_t t = 0; name != NULL && t < out->threads.count; t++) {
		struct snap_thread *thread = &out->threads.items[t];

		for (uint32_t i = 0; i < thread->n_frames && i < DEPTH; i++) {
			const struct snap_variable *v = message_of(
			    out, &thread->frames[i], name);

			if (v != NULL) {
				snapshot_attr_string(out, "error.message",
				    snapshot_stringn(
					out, v->string, v->string_size));
				return;
			}
		}
	}
}
