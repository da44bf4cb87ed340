/* SPDX-License-Identifier: MIT */
/*
 * The analysis modules, run over the collected snapshot. Each is announced
 * before it runs, so that the supervisor knows whom to leave out when it does
 * not come back.
 */
#include <stdio.h>

#include "base/budget.h"
#include "session/session_private.h"

static void
running(void *ctx, const char *module)
{
	struct session *s = ctx;

	if (s->sink->enter != NULL)
		s->sink->enter(s->sink->ctx, s->stage, module);
}

void
session_log_line(const struct session_sink *sink, enum pmodule_log_level level,
    const char *module, const char *text)
{
	static const enum session_level levels[] = {
	    [PMODULE_LOG_DEBUG] = SESSION_DEBUG,
	    [PMODULE_LOG_INFO] = SESSION_INFO,
	    [PMODULE_LOG_WARNING] = SESSION_WARNING,
	    [PMODULE_LOG_ERROR] = SESSION_ERROR,
	};
	char line[1024];

	if (sink->log == NULL || level > PMODULE_LOG_ERROR)
		return;
	(void)snprintf(line, sizeof(line), "module '%s': %s", module, text);
	sink->log(sink->ctx, levels[level], line);
}

static void
log_line(void *ctx, enum pmodule_log_level level, const char *module,
    const char *text)
{
	const struct session *s = ctx;

	session_log_line(s->sink, level, module, text);
}

/* A module that is not used: in the snapshot and on the console. */
static void
refuse(struct session *s, const bt_error_t *e)
{

	snapshot_warn(s->snapshot, "analysis", "module.refused", "%s", e->text);
	if (s->sink->log != NULL)
		s->sink->log(s->sink->ctx, SESSION_WARNING, e->text);
}

/* ---- raw variables ---- */

static struct value_reader *
reader(void *ctx)
{

	return session_reader(ctx);
}

/* The time that is our own. */
static uint64_t
own_clock(void *ctx)
{
	struct session *s = ctx;
	uint64_t now = bt_now_ns(), waited;

	waited = s->sink->waited != NULL ? s->sink->waited(s->sink->ctx) : 0;
	return waited < now ? now - waited : 0;
}

static void
progress(void *ctx, uint64_t blocks, uint64_t done, uint64_t all)
{
	struct session *s = ctx;

	if (s->sink->walking != NULL)
		s->sink->walking(s->sink->ctx, blocks, done, all);
}

static struct dwarf *
known_dwarf(void *ctx, struct target_module *module)
{
	struct session *s = ctx;

	return module->index < s->n_dwarfs ? s->dwarfs[module->index].dwarf
					   : NULL;
}

struct walk {
	struct session *session;
	const struct target_thread *target;
	const struct snap_thread *thread;
	uint32_t next; /* frame of the snapshot */
	module_frame_visit *visit;
	void *arg;
};

static bool
walk_step(void *ctx, const struct frame_step *step)
{
	struct walk *walk = ctx;
	uint32_t index = walk->next++;
	struct value_frame frame = {
	    .thread = walk->target,
	    .stack = walk->session->shown,
	    .index = step->index,
	    .scope = step->scope,
	    .dwarf = step->plan->dwarf,
	};

	/* The same walk that made the frames, unless time ran out. */
	if (index >= walk->thread->n_frames ||
	    walk->thread->frames[index].ip != step->frame->pc)
		return false;
	if (step->plan->has_scopes)
		frame.plan = dwarf_plan_at(
		    step->plan->dwarf, step->plan->pc, true);
	return walk->visit(
	    walk->arg, index, frame.plan != NULL ? &frame : NULL);
}

static void
walk(void *ctx, uint32_t thread, module_frame_visit *visit, void *arg)
{
	struct session *s = ctx;
	struct walk w = {.session = s, .visit = visit, .arg = arg};

	if (thread >= s->n_threads || thread >= s->snapshot->threads.count)
		return;
	w.target = s->threads[thread];
	w.thread = &s->snapshot->threads.items[thread];
	walk_thread(s, w.target);
	(void)walk_each(s, walk_step, &w);
}

/* ---- the host ---- */

static bool
is_left_out(const struct session *s, const char *name)
{
	const char *const *without = s->options->without;

	for (; without != NULL && *without != NULL; without++)
		if (strcmp(*without, name) == 0)
			return true;
	return false;
}

/* Until it has said its name, a module goes by its file's. */
static void
load_file(struct session *s, const char *path)
{
	const pmodule_descriptor_t **place, *descriptor;
	uint64_t begun;
	char name[64];
	bt_error_t e;

	module_loader_name(path, name, sizeof(name));
	if (is_left_out(s, name))
		return;
	if (s->options->modules_time_ns != 0 &&
	    s->kept->modules_used_ns >= s->options->modules_time_ns) {
		(void)bt_fail(&e, BT_E_TIMEOUT,
		    "%s: not loaded: the modules before it took all of the "
		    "time that modules have",
		    path);
		refuse(s, &e);
		return;
	}
	begun = bt_now_ns();
	running(s, name);
	descriptor = module_loader_file(s->kept->loader, path, &e);
	running(s, NULL);
	s->kept->modules_used_ns += bt_now_ns() - begun;
	if (descriptor == NULL) {
		refuse(s, &e);
		return;
	}
	place = vec_push(&s->kept->loaded);
	if (place != NULL)
		*place = descriptor;
}

static void
refused(void *ctx, const bt_error_t *e)
{

	refuse(ctx, e);
}

/* What they are for is known; which are needed is seen later. */
static void
open_shipped(struct session *s)
{
	const struct session_options *o = s->options;
	size_t n;

	if (o->shipped_dir == NULL || o->language == NULL)
		return;
	s->kept->shipped = shipped_modules_open(
	    o->shipped_dir, o->language->suffix, refused, s);
	n = shipped_modules_count(s->kept->shipped);
	s->kept->shipped_names = calloc(n + 1, sizeof(*s->kept->shipped_names));
	for (size_t i = 0; s->kept->shipped_names != NULL && i < n; i++)
		s->kept->shipped_names[i] = shipped_modules_name(
		    s->kept->shipped, i);
}

void
collect_modules_load(struct session *s)
{
	const struct session_options *o = s->options;
	bt_error_t e;

	if (session_skips(s, SESSION_ANALYSIS) ||
	    (o->module_files == NULL && o->module_dirs == NULL &&
		o->shipped_dir == NULL))
		return;
	if (s->kept->loader != NULL)
		return; /* they are there from the last time */
	s->kept->loader = module_loader_create(o->language);
	if (s->kept->loader == NULL)
		return;
	open_shipped(s);
	for (size_t i = 0; o->module_dirs != NULL && o->module_dirs[i] != NULL;
	     i++) {
		char **list = module_loader_list(
		    s->kept->loader, o->module_dirs[i], &e);

		if (list == NULL)
			refuse(s, &e);
		for (size_t j = 0; list != NULL && list[j] != NULL; j++) {
			load_file(s, list[j]);
			free(list[j]);
		}
		free(list);
	}
	for (size_t i = 0;
	     o->module_files != NULL && o->module_files[i] != NULL; i++)
		load_file(s, o->module_files[i]);
}

void
collect_analysis_begin(struct session *s)
{
	const struct session_options *o = s->options;
	struct module_host_options options = {
	    .target = s->target,
	    .snapshot = s->snapshot,
	    .budget = &s->budget,
	    .unwinder = s->unwinder,
	    .spare = s->spare,
	    .running = running,
	    .log = log_line,
	    .reader = reader,
	    .known_dwarf = known_dwarf,
	    .progress = progress,
	    .clock = own_clock,
	    .walk = walk,
	    .ctx = s,
	    .config = o->module_options,
	    .n_config = o->n_module_options,
	    .without = o->without,
	    .known = s->kept->shipped_names,
	    .allocators = o->allocators,
	    .n_allocators = o->n_allocators,
	    .heap_time_ns = o->module_time_ns / 10 * 7,
	    .loaded_time_ns = o->modules_time_ns,
	    .loaded_used_ns = s->kept->modules_used_ns,
	};
	const char *unused;
	const pmodule_descriptor_t *const *modules = o->analysis;
	size_t n_modules = o->n_analysis;
	bt_error_t e;

	if (s->kept->host != NULL) {
		/* Their loading was paid for with the first snapshot. */
		options.loaded_used_ns = 0;
		module_host_next(s->kept->host, &options);
		module_host_attach(s->kept->host);
		return;
	}
	if (!arch_is_x86_64(target_arch(s->target))) {
		/* The others take what they read for x86-64's. */
		modules = o->portable;
		n_modules = o->n_portable;
		options.n_allocators = 0;
	}
	if ((n_modules == 0 && s->kept->loaded.count == 0 &&
		s->kept->shipped == NULL) ||
	    session_skips(s, SESSION_ANALYSIS))
		return;
	s->kept->host = module_host_create(&options);
	if (s->kept->host == NULL)
		return;
	if (modules != o->analysis && o->n_analysis != 0)
		snapshot_warn(s->snapshot, "analysis", "analysis.architecture",
		    "the core is of %s: modules that read instructions or the "
		    "heap were not run",
		    target_arch(s->target)->name);
	for (size_t i = 0; i < n_modules; i++)
		if (module_host_add(s->kept->host, modules[i], &e) == false)
			refuse(s, &e);
	for (size_t i = 0; i < s->kept->loaded.count; i++)
		if (module_host_add_loaded(
			s->kept->host, s->kept->loaded.items[i], &e) == false)
			refuse(s, &e);
	unused = module_host_unused_option(s->kept->host);
	if (unused != NULL) {
		(void)bt_fail(&e, BT_E_USAGE,
		    "--module: there is no module '%s'", unused);
		refuse(s, &e);
	}
	module_host_attach(s->kept->host);
}

/* A module of the user's takes the place of ours of that name. */
static void
use_shipped(struct session *s, size_t i)
{
	const char *name = shipped_modules_name(s->kept->shipped, i);
	const pmodule_descriptor_t *descriptor;
	bt_error_t e;

	if (module_host_has(s->kept->host, name) ||
	    module_host_excludes(s->kept->host, name) ||
	    shipped_modules_wanted(s->kept->shipped, i, s->target, s->reader) ==
		false)
		return;
	running(s, name);
	descriptor = shipped_modules_load(
	    s->kept->shipped, i, s->kept->loader, &e);
	running(s, NULL);
	if (descriptor == NULL ||
	    module_host_add_loaded(s->kept->host, descriptor, &e) == false)
		refuse(s, &e);
	else
		log_line(s, PMODULE_LOG_DEBUG, name, "is used");
}

void
collect_analysis(struct session *s)
{
	if (s->kept->host == NULL)
		return;
	for (size_t i = 0; i < shipped_modules_count(s->kept->shipped); i++)
		use_shipped(s, i);
	module_host_attach(s->kept->host);
	module_host_run(s->kept->host);
	module_host_tell_heap(s->kept->host);
	for (size_t i = 0;
	     s->options->without != NULL && s->options->without[i] != NULL; i++)
		snapshot_warn(s->snapshot, "analysis", "module.left-out",
		    "module '%s' was left out", s->options->without[i]);
}
