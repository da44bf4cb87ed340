/* SPDX-License-Identifier: MIT */
/*
 * The registry of modules and the run that fires their events.
 */
#include "module/module_private.h"

struct module_host *
module_host_create(const struct module_host_options *options)
{
	struct module_host *host = calloc(1, sizeof(*host));

	if (host == NULL)
		return NULL;
	host->options = *options;
	host->snapshot = options->snapshot;
	host->target = options->target;
	host->target_handle.host = host;
	host->backtrace.host = host;
	host->search_left = MODULE_SEARCH_MAX;
	vec_init(&host->modules, MODULE_MODULES_MAX);
	vec_init(&host->callbacks, MODULE_CALLBACKS_MAX);
	return host;
}

static void
announce(struct module_host *host, struct pmodule *module)
{

	if (host->current == module)
		return;
	host->current = module;
	if (host->options.running != NULL)
		host->options.running(
		    host->options.ctx, module != NULL ? module->name : NULL);
}

void
module_host_destroy(struct module_host *host)
{

	if (host == NULL)
		return;
	for (size_t i = host->modules.count; i-- > 0;) {
		struct pmodule *module = host->modules.items[i];

		if (module->descriptor->unload != NULL) {
			announce(host, module);
			module->descriptor->unload(module);
		}
		free(module);
	}
	announce(host, NULL);
	module_unwinder_end(host);
	vec_deinit(&host->modules);
	vec_deinit(&host->callbacks);
	free(host);
}

static bool
is_excluded(const struct module_host *host, const char *name)
{
	const char *const *without = host->options.without;

	for (; without != NULL && *without != NULL; without++)
		if (strcmp(*without, name) == 0)
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

	for (size_t i = 0; i < host->callbacks.count; i++)
		if (host->callbacks.items[i].module != module)
			host->callbacks.items[kept++] =
			    host->callbacks.items[i];
	host->callbacks.count = kept;
	host->modules.count--;
	free(module);
}

bool
module_host_add(struct module_host *host,
    const pmodule_descriptor_t *descriptor, bt_error_t *e)
{
	struct pmodule *module, **place;
	bool loaded;

	if (check_descriptor(descriptor, e) == false)
		return false;
	if (is_excluded(host, descriptor->name))
		return true;
	for (size_t i = 0; i < host->modules.count; i++)
		if (strcmp(host->modules.items[i]->name, descriptor->name) == 0)
			return bt_fail(e, BT_E_USAGE,
			    "module %s is already loaded", descriptor->name);
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
	module->name = snapshot_string(host->snapshot, descriptor->name);
	announce(host, module);
	loaded = descriptor->load(module);
	announce(host, NULL);
	if (loaded == false) {
		forget_module(host, module);
		return bt_fail(e, BT_E_USAGE, "module %s refused to load",
		    descriptor->name);
	}
	return true;
}

size_t
module_host_count(const struct module_host *host)
{

	return host->modules.count;
}

/* ---- registration ---- */

static struct module_callback *
register_callback(pmodule_t *pm, enum module_event event)
{
	struct module_callback *callback = vec_push(&pm->host->callbacks);

	if (callback != NULL) {
		callback->event = event;
		callback->module = pm;
	}
	return callback;
}

bool
pmodule_attach_event_add(pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt))
{
	struct module_callback *c = register_callback(pm, MODULE_EVENT_ATTACH);

	if (c != NULL)
		c->fn.backtrace = fn;
	return c != NULL;
}

bool
pmodule_thread_event_add(pmodule_t *pm, void (*fn)(ptrace_thread_t *t))
{
	struct module_callback *c = register_callback(pm, MODULE_EVENT_THREAD);

	if (c != NULL)
		c->fn.thread = fn;
	return c != NULL;
}

bool
pmodule_frame_event_add(pmodule_t *pm, void (*fn)(ptrace_frame_t *f))
{
	struct module_callback *c = register_callback(pm, MODULE_EVENT_FRAME);

	if (c != NULL)
		c->fn.frame = fn;
	return c != NULL;
}

bool
pmodule_postattach_event_add(pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt))
{
	struct module_callback *c = register_callback(
	    pm, MODULE_EVENT_POSTATTACH);

	if (c != NULL)
		c->fn.backtrace = fn;
	return c != NULL;
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

static void
fire_backtrace(struct module_host *host, enum module_event event)
{

	for (size_t i = 0; i < host->callbacks.count; i++) {
		struct module_callback c = host->callbacks.items[i];

		if (c.event != event)
			continue;
		announce(host, c.module);
		c.fn.backtrace(&host->backtrace);
	}
	announce(host, NULL);
}

static void
fire_thread(struct module_host *host, ptrace_thread_t *thread)
{

	for (size_t i = 0; i < host->callbacks.count; i++) {
		struct module_callback c = host->callbacks.items[i];

		if (c.event != MODULE_EVENT_THREAD)
			continue;
		announce(host, c.module);
		c.fn.thread(thread);
	}
	announce(host, NULL);
}

static void
fire_frame(struct module_host *host, ptrace_frame_t *frame)
{

	for (size_t i = 0; i < host->callbacks.count; i++) {
		struct module_callback c = host->callbacks.items[i];

		if (c.event != MODULE_EVENT_FRAME)
			continue;
		announce(host, c.module);
		c.fn.frame(frame);
	}
	announce(host, NULL);
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

/* Of equals the first: modules speak in the order of judgement. */
static void
choose_primary(struct snapshot *s)
{
	struct snap_finding *best = NULL;

	for (size_t i = 0; i < s->findings.count; i++) {
		struct snap_finding *finding = &s->findings.items[i];

		finding->primary = false;
		if (best == NULL || finding->confidence > best->confidence)
			best = finding;
	}
	if (best != NULL)
		best->primary = true;
}

void
module_host_attach(struct module_host *host)
{

	fire_backtrace(host, MODULE_EVENT_ATTACH);
}

void
module_host_run(struct module_host *host)
{
	bool threads = wanted(host, MODULE_EVENT_THREAD);
	bool frames = wanted(host, MODULE_EVENT_FRAME);

	if (make_threads(host) == false) {
		snapshot_warn(host->snapshot, "module", "memory",
		    "no memory left for the analysis modules");
		return;
	}
	for (uint32_t i = 0; (threads || frames) && i < host->n_threads; i++) {
		ptrace_thread_t *thread = &host->threads[i];
		uint32_t n = frames ? ptrace_thread_n_frames(thread) : 0;

		for (uint32_t j = 0; j < n; j++) {
			ptrace_frame_t *frame = ptrace_thread_frame(thread, j);

			if (frame != NULL)
				fire_frame(host, frame);
		}
		if (threads)
			fire_thread(host, thread);
	}
	fire_backtrace(host, MODULE_EVENT_POSTATTACH);
	choose_primary(host->snapshot);
}
