/* SPDX-License-Identifier: MIT */
/*
 * The registry of modules and the run that fires their events.
 */
#include "module/module_private.h"

static void
turn_to(struct module_host *host, const struct module_host_options *options)
{

	host->options = *options;
	host->snapshot = options->snapshot;
	host->target = options->target;
	host->search_left = MODULE_SEARCH_MAX;
	host->loaded_used_ns = options->loaded_used_ns;
	host->generation++;
	host->arena.spare = options->spare;
}

struct module_host *
module_host_create(const struct module_host_options *options)
{
	struct module_host *host = calloc(1, sizeof(*host));

	if (host == NULL)
		return NULL;
	arena_init(&host->arena, MODULE_ARENA_CAP);
	turn_to(host, options);
	host->target_handle.host = host;
	host->backtrace.host = host;
	map_init(&host->types, 1 << 20);
	map_init(&host->base_names, 1 << 20);
	map_init(&host->data_symbols, 1 << 20);
	map_init(&host->guards, 1 << 20);
	vec_init(&host->others, MODULE_ADDS_MAX);
	vec_init(&host->modules, MODULE_MODULES_MAX);
	vec_init(&host->callbacks, MODULE_CALLBACKS_MAX);
	vec_init(&host->constraints, MODULE_CONSTRAINTS_MAX);
	vec_init(&host->skipped, MODULE_MODULES_MAX);
	vec_init(&host->asked, MODULE_ASKED_MAX);
	return host;
}

void
module_announce(struct module_host *host, struct pmodule *module)
{

	if (host->current == module)
		return;
	module_count_time(host, module);
	host->current = module;
	if (host->options.running != NULL)
		host->options.running(
		    host->options.ctx, module != NULL ? module->name : NULL);
}

bool
module_enter(struct module_host *host, struct pmodule *module)
{

	if (module->loaded && module_has_time(host) == false)
		return false;
	module_announce(host, module);
	return true;
}

void
module_host_destroy(struct module_host *host)
{

	if (host == NULL)
		return;
	for (size_t i = host->modules.count; i-- > 0;) {
		struct pmodule *module = host->modules.items[i];

		if (module->descriptor->unload != NULL) {
			module_announce(host, module);
			module->descriptor->unload(module);
			/* Its time is counted while it is there. */
			module_announce(host, NULL);
		}
		free(module);
	}
	module_heap_end(host);
	module_unwinder_end(host);
	for (size_t i = 0; i < host->callbacks.count; i++)
		pmodule_match_destroy(host->callbacks.items[i].match);
	vec_deinit(&host->modules);
	vec_deinit(&host->callbacks);
	vec_deinit(&host->constraints);
	vec_deinit(&host->skipped);
	vec_deinit(&host->asked);
	vec_deinit(&host->others);
	map_deinit(&host->types);
	map_deinit(&host->base_names);
	module_data_symbols_end(host);
	map_deinit(&host->data_symbols);
	map_deinit(&host->guards);
	arena_deinit(&host->arena);
	free(host);
}

/* What is left of a snapshot that the modules had. */
static void
forget_snapshot(struct module_host *host)
{

	module_heap_end(host);
	module_unwinder_end(host);
	map_clear(&host->types);
	map_clear(&host->base_names);
	module_data_symbols_end(host);
	map_clear(&host->guards);
	vec_clear(&host->others);
	vec_clear(&host->asked);
	arena_deinit(&host->arena);
	arena_init(&host->arena, MODULE_ARENA_CAP);
	host->unwound = NULL;
	host->plain = NULL;
	host->threads = NULL;
	host->n_threads = 0;
	host->changed = false;
	host->attached = 0;
	host->told_time = false;
}

void
module_host_leave(
    struct module_host *host, const struct module_host_options *options)
{

	forget_snapshot(host);
	turn_to(host, options);
	for (size_t i = 0; i < host->modules.count; i++) {
		struct pmodule *module = host->modules.items[i];

		module->name = snapshot_string(
		    host->snapshot, module->descriptor->name);
		module->says = module->adds = 0;
		module->says_bytes = 0;
		module->used_ns = 0;
		module->told_limit = false;
	}
}

void
module_host_next(
    struct module_host *host, const struct module_host_options *options)
{

	module_host_leave(host, options);
	for (size_t i = 0; i < host->modules.count; i++) {
		struct pmodule *module = host->modules.items[i];

		if (module->descriptor->reset != NULL &&
		    module_enter(host, module))
			module->descriptor->reset(module);
	}
	module_announce(host, NULL);
}

static bool
is_in(const char *const *list, const char *name)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static const char *
option_value(
    const struct module_host_options *o, const char *id, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < o->n_config; i++)
		if (strcmp(o->config[i].id, id) == 0 &&
		    strcmp(o->config[i].key, key) == 0)
			value = o->config[i].value; /* the last wins */
	return value;
}

bool
module_host_excludes(const struct module_host *host, const char *name)
{
	static const char *const no[] = {"no", "false", "0", "off", NULL};
	const char *value;

	if (is_in(host->options.without, name))
		return true;
	value = option_value(&host->options, name, "enable");
	return value != NULL && is_in(no, value);
}

bool
module_host_has(const struct module_host *host, const char *name)
{
	for (size_t i = 0; i < host->modules.count; i++)
		if (strcmp(host->modules.items[i]->name, name) == 0)
			return true;
	return false;
}

static bool
check_descriptor(const pmodule_descriptor_t *d, bt_error_t *e)
{

	/* The first two words are the promise that never changes. */
	if (d->abi_version != PMODULE_ABI_VERSION)
		return bt_fail(e, BT_E_MISMATCH,
		    "module was built for interface version %u, this is "
		    "version %u: rebuild it against the installed headers",
		    d->abi_version, PMODULE_ABI_VERSION);
	if (d->size < offsetof(pmodule_descriptor_t, reserved))
		return bt_fail(e, BT_E_MISMATCH,
		    "module descriptor has %u bytes, at least %zu expected: "
		    "rebuild it against the installed headers",
		    d->size, offsetof(pmodule_descriptor_t, reserved));
	if (d->name == NULL || d->name[0] == '\0' || strlen(d->name) > 64)
		return bt_fail(
		    e, BT_E_USAGE, "module has no name of 1 to 64 bytes");
	if (d->load == NULL)
		return bt_fail(
		    e, BT_E_USAGE, "module %s has no load function", d->name);
	return true;
}

/* Takes back what a refused module registered. */
static void
forget_module(struct module_host *host, struct pmodule *module)
{
	size_t kept = 0;

	for (size_t i = 0; i < host->callbacks.count; i++) {
		struct module_callback *c = &host->callbacks.items[i];

		if (c->module != module)
			host->callbacks.items[kept++] = *c;
		else
			pmodule_match_destroy(c->match);
	}
	host->callbacks.count = kept;
	host->modules.count--;
	free(module);
}

static bool
add_module(struct module_host *host, const pmodule_descriptor_t *descriptor,
    bool is_loaded, bt_error_t *e)
{
	size_t n_constraints = host->constraints.count;
	struct pmodule *module, **place;
	bool loaded;

	if (check_descriptor(descriptor, e) == false)
		return false;
	if (module_host_excludes(host, descriptor->name)) {
		const char **skipped = vec_push(&host->skipped);

		if (skipped != NULL)
			*skipped = descriptor->name;
		return true;
	}
	if (module_host_has(host, descriptor->name))
		return bt_fail(e, BT_E_USAGE, "module %s is already loaded",
		    descriptor->name);
	place = vec_push(&host->modules);
	module = calloc(1, sizeof(*module));
	if (place == NULL || module == NULL) {
		host->modules.count -= place != NULL;
		free(module);
		return bt_fail(e, BT_E_LIMIT, "too many modules");
	}
	*place = module;
	module->host = host;
	module->descriptor = descriptor;
	module->loaded = is_loaded;
	module->name = snapshot_string(host->snapshot, descriptor->name);
	loaded = module_enter(host, module) && descriptor->load(module);
	module_announce(host, NULL);
	if (loaded == false) {
		forget_module(host, module);
		host->constraints.count = n_constraints;
		return bt_fail(e, BT_E_USAGE, "module %s refused to load",
		    descriptor->name);
	}
	return true;
}

bool
module_host_add(struct module_host *host,
    const pmodule_descriptor_t *descriptor, bt_error_t *e)
{

	return add_module(host, descriptor, false, e);
}

bool
module_host_add_loaded(struct module_host *host,
    const pmodule_descriptor_t *descriptor, bt_error_t *e)
{

	return add_module(host, descriptor, true, e);
}

size_t
module_host_count(const struct module_host *host)
{

	return host->modules.count;
}

/* ---- registration ---- */

static struct module_callback *
register_callback(
    pmodule_t *pm, enum module_event event, const pmodule_match_t *match)
{
	struct pmodule_match *copy = NULL;
	struct module_callback *callback;

	if (match != NULL && (copy = module_match_copy(match)) == NULL)
		return NULL;
	callback = vec_push(&pm->host->callbacks);
	if (callback == NULL) {
		pmodule_match_destroy(copy);
		return NULL;
	}
	callback->event = event;
	callback->module = pm;
	callback->match = copy;
	return callback;
}

static bool
register_backtrace(
    pmodule_t *pm, enum module_event event, void (*fn)(ptrace_backtrace_t *bt))
{
	struct module_callback *c = register_callback(pm, event, NULL);

	if (c != NULL)
		c->fn.backtrace = fn;
	return c != NULL;
}

bool
pmodule_preattach_event_add(pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt))
{

	return register_backtrace(pm, MODULE_EVENT_PREATTACH, fn);
}

bool
pmodule_attach_event_add(pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt))
{

	return register_backtrace(pm, MODULE_EVENT_ATTACH, fn);
}

bool
pmodule_postattach_event_add(pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt))
{

	return register_backtrace(pm, MODULE_EVENT_POSTATTACH, fn);
}

bool
pmodule_thread_match_event_add(
    pmodule_t *pm, const pmodule_match_t *match, void (*fn)(ptrace_thread_t *t))
{
	struct module_callback *c = register_callback(
	    pm, MODULE_EVENT_THREAD, match);

	if (c != NULL)
		c->fn.thread = fn;
	return c != NULL;
}

bool
pmodule_thread_event_add(pmodule_t *pm, void (*fn)(ptrace_thread_t *t))
{

	return pmodule_thread_match_event_add(pm, NULL, fn);
}

bool
pmodule_frame_match_event_add(
    pmodule_t *pm, const pmodule_match_t *match, void (*fn)(ptrace_frame_t *f))
{
	struct module_callback *c = register_callback(
	    pm, MODULE_EVENT_FRAME, match);

	if (c != NULL)
		c->fn.frame = fn;
	return c != NULL;
}

bool
pmodule_frame_event_add(pmodule_t *pm, void (*fn)(ptrace_frame_t *f))
{

	return pmodule_frame_match_event_add(pm, NULL, fn);
}

bool
pmodule_variable_event_add(pmodule_t *pm, const pmodule_match_t *match,
    void (*fn)(ptrace_variable_t *v, bt_variable_t *raw))
{
	struct module_callback *c = register_callback(
	    pm, MODULE_EVENT_VARIABLE, match);

	if (c != NULL)
		c->fn.variable = fn;
	return c != NULL;
}

bool
module_event_add(pmodule_t *pm, enum module_event event,
    const pmodule_match_t *match, module_object_fn *fn, void *ctx,
    const struct module_place *place)
{
	struct module_callback *c = register_callback(pm, event, match);

	if (c != NULL) {
		c->object = fn;
		c->ctx = ctx;
		c->place = place;
	}
	return c != NULL;
}

void
module_warn(pmodule_t *pm, const char *code, const char *text, size_t size)
{
	struct snapshot *s = pm->host->snapshot;

	snapshot_warn(s, snapshot_printf(s, "module:%s", pm->name), code,
	    "%.*s", (int)(size < 1000 ? size : 1000), text);
}

/* ---- options and handles of modules ---- */

const char *
pmodule_config_option(pmodule_t *pm, const char *key)
{

	if (key == NULL)
		return NULL;
	if (pm->host->options.notes_asked)
		module_note_asked(pm, key);
	return option_value(&pm->host->options, pm->name, key);
}

static bool
was_skipped(const struct module_host *host, const char *name)
{
	for (size_t i = 0; i < host->skipped.count; i++)
		if (strcmp(host->skipped.items[i], name) == 0)
			return true;
	return false;
}

const char *
module_host_unused_option(const struct module_host *host)
{
	const struct module_host_options *o = &host->options;

	for (size_t i = 0; i < o->n_config; i++)
		if (module_host_has(host, o->config[i].id) == false &&
		    is_in(o->without, o->config[i].id) == false &&
		    is_in(o->known, o->config[i].id) == false &&
		    was_skipped(host, o->config[i].id) == false)
			return o->config[i].id;
	return NULL;
}

void
pmodule_user_set(pmodule_t *pm, void *user)
{

	pm->user = user;
}

void *
pmodule_user(pmodule_t *pm)
{

	return pm->user;
}

pmodule_t *
pmodule_current(ptrace_backtrace_t *bt)
{

	return bt->host->current;
}

bool
module_host_changed(const struct module_host *host)
{

	return host->changed;
}

/* ---- the run ---- */

static bool
wanted(const struct module_host *host, enum module_event event)
{
	for (size_t i = 0; i < host->callbacks.count; i++)
		if (host->callbacks.items[i].event == event)
			return true;
	return false;
}

/* From the i-th callback on. */
static void
fire_backtrace(struct module_host *host, enum module_event event, size_t i)
{
	for (; i < host->callbacks.count; i++) {
		const struct module_callback c = host->callbacks.items[i];

		if (c.event != event || module_enter(host, c.module) == false)
			continue;
		if (c.object != NULL)
			c.object(c.ctx, &host->backtrace, NULL);
		else
			c.fn.backtrace(&host->backtrace);
	}
	module_announce(host, NULL);
}

static void
fire_thread(struct module_host *host, ptrace_thread_t *thread)
{
	for (size_t i = 0; i < host->callbacks.count; i++) {
		const struct module_callback c = host->callbacks.items[i];

		if (c.event != MODULE_EVENT_THREAD ||
		    (c.match != NULL &&
			module_match_thread(c.match, thread) == false) ||
		    module_enter(host, c.module) == false)
			continue;
		if (c.object != NULL)
			c.object(c.ctx, thread, NULL);
		else
			c.fn.thread(thread);
	}
	module_announce(host, NULL);
}

static void
fire_frame(struct module_host *host, ptrace_frame_t *frame)
{
	for (size_t i = 0; i < host->callbacks.count; i++) {
		const struct module_callback c = host->callbacks.items[i];

		if (c.event != MODULE_EVENT_FRAME ||
		    (c.match != NULL &&
			module_match_frame(c.match, frame) == false) ||
		    module_enter(host, c.module) == false)
			continue;
		if (c.object != NULL)
			c.object(c.ctx, frame, NULL);
		else
			c.fn.frame(frame);
	}
	module_announce(host, NULL);
}

/* Handles for the threads of the snapshot, each tied to its target thread. The
 * tids of a damaged core may repeat: the first thread with a tid wins. */
static bool
make_threads(struct module_host *host)
{
	struct snapshot *s = host->snapshot;
	struct target_thread *targets;
	size_t n_targets = target_threads(host->target, &targets);
	struct map by_tid;

	host->threads = arena_array(
	    &s->arena, s->threads.count, sizeof(*host->threads));
	if (host->threads == NULL)
		return false;
	map_init(&by_tid, n_targets + 1);
	for (size_t i = n_targets; i-- > 0;)
		map_put_ptr(&by_tid, targets[i].tid, &targets[i]);
	for (size_t i = 0; i < s->threads.count; i++) {
		host->threads[i].host = host;
		host->threads[i].index = (uint32_t)i;
		host->threads[i].target = map_get_ptr(
		    &by_tid, s->threads.items[i].tid);
	}
	map_deinit(&by_tid);
	host->n_threads = (uint32_t)s->threads.count;
	return true;
}

/* Those in the background come last. Of equals the first: modules speak in the
 * order of judgement. */
struct snap_finding *
module_best_finding(struct module_host *host)
{
	struct snapshot *s = host->snapshot;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < s->findings.count; i++) {
		const struct snap_finding *finding = &s->findings.items[i];
		bool background = i < MODULE_FINDINGS_MAX &&
		    host->background[i];

		if (best == SIZE_MAX ||
		    (background == host->background[best]
			    ? finding->confidence >
				s->findings.items[best].confidence
			    : host->background[best]))
			best = i;
	}
	return best != SIZE_MAX ? &s->findings.items[best] : NULL;
}

static void
choose_primary(struct module_host *host)
{
	struct snapshot *s = host->snapshot;
	struct snap_finding *best = module_best_finding(host);

	for (size_t i = 0; i < s->findings.count; i++)
		s->findings.items[i].primary = &s->findings.items[i] == best;
}

void
module_host_attach(struct module_host *host)
{
	size_t first = host->attached;

	fire_backtrace(host, MODULE_EVENT_PREATTACH, first);
	fire_backtrace(host, MODULE_EVENT_ATTACH, first);
	host->attached = host->callbacks.count;
}

/* The frames as they were found: what callbacks add is not measured. */
static void
fire_frames(struct module_host *host, ptrace_thread_t *thread)
{
	ptrace_frame_t *f;

	for (uint32_t j = 0; (f = module_found_frame(thread, j)) != NULL; j++)
		fire_frame(host, f);
}

void
module_host_run(struct module_host *host)
{
	bool threads = wanted(host, MODULE_EVENT_THREAD);
	bool frames = wanted(host, MODULE_EVENT_FRAME);
	bool variables = wanted(host, MODULE_EVENT_VARIABLE);

	if (make_threads(host) == false) {
		snapshot_warn(host->snapshot, "module", "memory",
		    "no memory left for the analysis modules");
		return;
	}
	for (uint32_t i = 0;
	     (threads || frames || variables) && i < host->n_threads; i++) {
		ptrace_thread_t *thread = &host->threads[i];

		if (variables)
			module_fire_variables(host, thread);
		if (frames)
			fire_frames(host, thread);
		if (threads)
			fire_thread(host, thread);
	}
	if (variables)
		module_fire_other_variables(host);
	fire_backtrace(host, MODULE_EVENT_POSTATTACH, 0);
	choose_primary(host);
	module_commit(host);
}
