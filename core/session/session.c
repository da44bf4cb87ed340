/* SPDX-License-Identifier: MIT */
/*
 * The pipeline: stages, their shares of the time, and who is told.
 */
#include <stdio.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "base/cpu.h"
#include "base/spare.h"
#include "base/text.h"
#include "image/symserver.h"
#include "session/session_private.h"
#include "target/capture.h"
#include "target/live.h"

static const char *const stage_names[SESSION_STAGE__COUNT] = {
    [SESSION_OPEN] = "open",
    [SESSION_FAULT] = "fault",
    [SESSION_THREADS] = "threads",
    [SESSION_MODULES] = "modules",
    [SESSION_VARIABLES] = "variables",
    [SESSION_ANALYSIS] = "analysis",
    [SESSION_MEMORY] = "memory",
    [SESSION_RESOURCES] = "resources",
    [SESSION_REPORT] = "report",
};

/* The part of the remaining time a stage may take, in percent. */
static const uint8_t stage_shares[SESSION_STAGE__COUNT] = {
    [SESSION_OPEN] = 50,
    [SESSION_FAULT] = 50,
    [SESSION_THREADS] = 60,
    [SESSION_MODULES] = 50,
    [SESSION_VARIABLES] = 60,
    [SESSION_ANALYSIS] = 70,
    [SESSION_MEMORY] = 70,
    [SESSION_RESOURCES] = 90,
};

static const char *const level_names[SESSION_LEVEL__COUNT] = {
    [SESSION_DEBUG] = "debug",
    [SESSION_INFO] = "info",
    [SESSION_WARNING] = "warning",
    [SESSION_ERROR] = "error",
};

const char *
session_stage_name(enum session_stage stage)
{

	return stage < SESSION_STAGE__COUNT ? stage_names[stage] : "?";
}

const char *
session_level_name(enum session_level level)
{

	return level < SESSION_LEVEL__COUNT ? level_names[level] : "?";
}

bool
session_level_parse(const char *name, enum session_level *out)
{
	for (int i = 0; i < SESSION_LEVEL__COUNT; i++) {
		if (strcasecmp(name, level_names[i]) == 0) {
			*out = (enum session_level)i;
			return true;
		}
	}
	return false;
}

bool
session_skips(const struct session *s, enum session_stage stage)
{

	return (s->options->skip >> stage & 1) != 0;
}

/* Steps are bounded by time; the count only stops a clock that stands. */
static void
begin(struct session *s, enum session_stage stage)
{
	uint64_t now = bt_now_ns(), used = now - s->started;
	uint64_t left = s->timeout_ns > used ? s->timeout_ns - used : 1;

	if (s->stats != NULL && s->stage_started != 0)
		s->stats->nanoseconds[s->stage] += now - s->stage_started;
	s->stage = stage;
	s->stage_started = now;
	left = left / 100 * stage_shares[stage];
	budget_init(
	    &s->budget, UINT64_C(1) << 40, left != 0 ? left : UINT64_C(1));
	if (s->sink->enter != NULL)
		s->sink->enter(s->sink->ctx, stage, NULL);
	if (s->options->on_stage != NULL)
		s->options->on_stage(stage, s->options->skip);
}

static void
finish(struct session *s)
{
	collect_warnings(s);
	if (s->sink->finished != NULL)
		s->sink->finished(s->sink->ctx, s->stage, s->snapshot);
}

void
session_mark_partial(struct session *s)
{
	s->snapshot->partial = true;
	snapshot_attr_bool(s->snapshot, "snapshot.partial", true);
}

bool
session_has_time(struct session *s)
{
	if (s->budget.spent == false)
		return true;
	if (s->snapshot->partial == false)
		session_mark_partial(s);
	return false;
}

/* What cannot be finished in time is said once per stage. */
static void
check_time(struct session *s)
{
	char text[128];

	if (session_has_time(s))
		return;
	(void)snprintf(text, sizeof(text),
	    "stage '%s' ran out of time and is incomplete",
	    session_stage_name(s->stage));
	snapshot_warn(
	    s->snapshot, session_stage_name(s->stage), "budget", "%s", text);
	if (s->sink->log != NULL)
		s->sink->log(s->sink->ctx, SESSION_WARNING, text);
}

/* Notes for --stats where debug information was looked for. */
static void
note_search(void *ctx, const struct image *image,
    const struct debugfile_candidate *candidate)
{
	struct session *s = ctx;
	struct buf *out = &s->stats->searches;
	const char *path = image_path(image);

	buf_puts(out, "debug ");
	text_escape(out, path, strlen(path));
	buf_puts(out, ": ");
	text_escape(out, candidate->path, strlen(candidate->path));
	buf_puts(out, ": ");
	if (candidate->reason != NULL)
		text_escape(out, candidate->reason, strlen(candidate->reason));
	else
		buf_puts(out, "taken");
	buf_putc(out, '\n');
}

static void
set_finder(struct session *s)
{
	size_t n = 0;
	const char *const *lists[2] = {
	    s->options->debug_paths, debugfile_default_dirs};

	for (int l = 0; l < 2; l++)
		for (size_t i = 0; lists[l] != NULL && lists[l][i] != NULL &&
		     n + 1 < SESSION_DIRS_MAX;
		     i++)
			s->dirs[n++] = lists[l][i];
	s->finder = (struct debugfile_finder){
	    .opener = s->opener,
	    .dirs = s->dirs,
	    .tried = s->options->stats && s->stats != NULL ? note_search : NULL,
	    .ctx = s,
	    .server = s->server,
	};
}

/* Downloads must leave time for what has to be done without the files. */
uint64_t
session_server_time(const struct session_options *options)
{
	static const uint64_t server_ns = UINT64_C(10000000000);
	uint64_t timeout = options->timeout_ns;

	return timeout != 0 && timeout / 2 < server_ns ? timeout / 2
						       : server_ns;
}

/* Debug files: below the user's directories, which need not be below the
 * sysroot. */
bool
session_opener_init(struct opener_local *out,
    const struct session_options *options, bt_error_t *e)
{
	const struct capture *c = options->capture;
	const char *const *dir = options->debug_paths;
	bool ok = opener_local_init(out, options->sysroot, e);

	if (ok)
		opener_local_cache(out, options->cache);
	if (ok && c != NULL)
		opener_local_process(out,
		    &(struct opener_process){c->root_fd, c->proc_fd, c->mm_fd});
	for (; ok && dir != NULL && *dir != NULL; dir++) {
		ok = opener_local_debug_dir(out, *dir, e);
		if (!ok)
			opener_local_deinit(out);
	}
	return ok;
}

static bool
digest_here(struct opener *o, const void *data, size_t size, char out[17])
{
	struct session *s =
	    (struct session *)((char *)o - offsetof(struct session, local));

	return host_key_digest(&s->key, data, size, out);
}

/* Here, or by whoever may. */
static bool
open_opener(struct session *s, bt_error_t *e)
{
	const struct session_options *o = s->options;

	if (o->opener != NULL) {
		s->opener = o->opener;
		s->server = symserver_new_behind(s->opener);
	} else {
		s->has_local = session_opener_init(&s->local, o, e);
		if (!s->has_local)
			return false;
		s->opener = &s->local.base;
		s->opener->digest = digest_here;
		s->server = symserver_new(session_server_time(o));
	}
	set_finder(s);
	return true;
}

/* Who made it, when, and a name that no other snapshot has. */
static void
stamp(struct snapshot *out)
{
	struct timespec now;

	if (getrandom(out->uuid, sizeof(out->uuid), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(out->uuid)) {
		uint64_t words[2] = {bt_now_ns(), map_mix(bt_now_ns())};

		memcpy(out->uuid, words, sizeof(words));
	}
	/* RFC 9562 section 5.4: version 4, variant 10. */
	out->uuid[6] = (uint8_t)((out->uuid[6] & 0x0f) | 0x40);
	out->uuid[8] = (uint8_t)((out->uuid[8] & 0x3f) | 0x80);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	out->created_seconds = now.tv_sec;
	out->created_nanoseconds = (uint32_t)now.tv_nsec;
	out->generator = snapshot_string(out, "inquest " INQUEST_VERSION);
}

static bool
open_target(struct session *s, bt_error_t *e)
{
	const struct session_options *o = s->options;
	struct target_options options = {
	    .core_path = o->core_path,
	    .exe_path = o->exe_path,
	    .force = o->force,
	    .budget = &s->budget,
	    .load = o->load,
	};

	if (open_opener(s, e) == false)
		return false;
	options.opener = s->opener;
	options.finder = s->finder;
	if (o->capture != NULL) {
		if (target_live_open(&options, o->capture, &s->target, e) ==
		    false)
			return false;
	} else if (target_core_open(&options, &s->target, e) == false) {
		return false;
	}
	s->unwinder = unwinder_create(s->target, &s->budget);
	if (s->unwinder == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	struct target_module *modules;
	s->n_dwarfs = target_modules(s->target, &modules);
	s->dwarfs = arena_array(
	    &s->scratch, s->n_dwarfs + 1, sizeof(*s->dwarfs));
	return s->dwarfs != NULL || bt_fail(e, BT_E_NOMEM, "out of memory");
}

static bool
init(struct session *s, struct snapshot *out, bt_error_t *e)
{
	/* A variable takes some 120 bytes in memory and, in columns and
	 * compressed, about one in the file; what does not fit in the file is
	 * found out when it is written. */
	enum {
		SCRATCH_MIB = 512,
		PLANS = 1000000,
		VALUES_MIB = 256,
		VALUES_FACTOR = 12,
		ARENA_MIB = 768,
		ARENA_FACTOR = 24
	};
	const struct session_options *o = s->options;
	uint64_t max = o->max_size != 0 ? o->max_size
					: SESSION_DEFAULT_MAX_SIZE;

	if (max > UINT64_C(1) << 34)
		max = UINT64_C(1) << 34;
	arena_init(&s->scratch, (size_t)SCRATCH_MIB << 20);
	map_init(&s->by_pc[0], PLANS);
	map_init(&s->by_pc[1], PLANS);
	map_init(&s->tails, PLANS);
	unwind_stack_init(&s->stack, SESSION_FRAMES_MAX);
	unwind_stack_init(&s->expanded, 2 * SESSION_FRAMES_MAX);
	vec_init(&s->plans, 2 * SESSION_FRAMES_MAX);
	vec_init(&s->expanded_plans, 2 * SESSION_FRAMES_MAX);
	s->prefetch = prefetch_new(cpu_count());
	s->spare = spare_new();
	/* A model in memory is larger than its packed form. */
	if (snapshot_init(
		out, ((size_t)ARENA_MIB << 20) + max * ARENA_FACTOR) == false)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	out->arena.spare = s->spare;
	out->values_cap = ((uint64_t)VALUES_MIB << 20) + max * VALUES_FACTOR;
	stamp(out);
	return true;
}

static void
deinit(struct session *s)
{
	if (s->kept == &s->own)
		kept_deinit(s->kept);
	else
		kept_leave(s->kept, s);
	value_reader_destroy(s->reader);
	prefetch_free(s->prefetch);
	for (size_t i = 0; s->dwarfs != NULL && i < s->n_dwarfs; i++)
		if (s->dwarfs[i].dwarf != NULL)
			dwarf_close(s->dwarfs[i].dwarf);
	unwinder_destroy(s->unwinder);
	target_close(s->target);
	symserver_free(s->server);
	if (s->has_local)
		opener_local_deinit(&s->local);
	ahead_deinit(s);
	unwind_stack_deinit(&s->stack);
	unwind_stack_deinit(&s->expanded);
	vec_deinit(&s->plans);
	vec_deinit(&s->expanded_plans);
	map_deinit(&s->by_pc[0]);
	map_deinit(&s->by_pc[1]);
	map_deinit(&s->tails);
	arena_deinit(&s->scratch);
	s->snapshot->arena.spare = NULL;
	spare_free(s->spare);
}

/* Modules of the user's may have something to do in their end. */
static void
end(struct session *s)
{
	if (s->options->ends == false || s->kept != &s->own)
		deinit(s);
	else
		kept_end(s->kept);
}

/* The stacks: the faulting thread first, told as soon as it is there. */
static void
stacks(struct session *s)
{
	begin(s, SESSION_FAULT);
	collect_exe(s);
	collect_handled(s);
	collect_facts(s);
	collect_threads_begin(s);
	ahead_begin(s);
	if (s->n_threads != 0)
		collect_thread(s, 0);
	collect_handled_frame(s);
	snapshot_fingerprint(s->snapshot);
	check_time(s);
	finish(s);
	begin(s, SESSION_THREADS);
	for (uint32_t i = 1; i < s->n_threads; i++) {
		ahead_stacks(s, i);
		collect_thread(s, i);
	}
	check_time(s);
	finish(s);
}

/* One of the later stages, unless it is left out. */
static void
stage(struct session *s, enum session_stage which, bool wanted,
    void (*collect)(struct session *s))
{
	if (session_skips(s, which)) {
		snapshot_warn(s->snapshot, session_stage_name(which), "skipped",
		    "stage '%s' was left out", session_stage_name(which));
		session_mark_partial(s);
		return;
	}
	begin(s, which);
	if (wanted) {
		collect(s);
		check_time(s);
	}
	finish(s);
}

static void
values(struct session *s)
{
	collect_variables(s);
	collect_globals(s);
	collect_error_message(s);
	collect_secrets(s);
}

static void
analyse(struct session *s)
{
	collect_analysis(s);
	/* Modules add variables, and say what others hold. */
	collect_secrets(s);
	/* Modules add classifiers, and those enter the grouping. */
	snapshot_fingerprint(s->snapshot);
	if (module_host_changed(s->kept->host) && s->sink->revised != NULL)
		s->sink->revised(s->sink->ctx, s->snapshot);
	/* Modules end while somebody still listens to what they say. */
	if (s->kept == &s->own) {
		module_host_destroy(s->kept->host);
		s->kept->host = NULL;
	}
}

bool
session_collect(const struct session_options *options,
    const struct session_sink *sink, struct snapshot *out,
    struct session_stats *stats, bt_error_t *e)
{
	struct session s = {.options = options,
	    .sink = sink,
	    .snapshot = out,
	    .stats = stats,
	    .started = bt_now_ns(),
	    .timeout_ns = options->timeout_ns != 0
		? options->timeout_ns
		: (uint64_t)SESSION_DEFAULT_TIMEOUT_S * 1000000000};

	kept_init(&s.own);
	s.kept = options->kept != NULL ? options->kept : &s.own;
	memset(out, 0, sizeof(*out));
	if (stats != NULL) {
		memset(stats, 0, sizeof(*stats));
		buf_init(&stats->searches, 8 * 1024 * 1024);
	}
	if (init(&s, out, e) == false)
		return false;
	begin(&s, SESSION_OPEN);
	/* Before anything foreign is read. */
	collect_modules_load(&s);
	if (sink->loaded != NULL)
		sink->loaded(sink->ctx, out);
	if (open_target(&s, e) == false) {
		deinit(&s);
		return false;
	}
	if (target_process(s.target)->core_truncated ||
	    target_process(s.target)->cut_short)
		session_mark_partial(&s);
	collect_start_secrets(&s);
	collect_analysis_begin(&s);
	stacks(&s);
	stage(&s, SESSION_MODULES, options->modules, collect_modules);
	stage(&s, SESSION_VARIABLES, options->variables, values);
	stage(&s, SESSION_ANALYSIS, s.kept->host != NULL, analyse);
	stage(&s, SESSION_MEMORY, options->memory, collect_memory);
	stage(&s, SESSION_RESOURCES, options->resources != NULL,
	    collect_resources);
	begin(&s, SESSION_REPORT);
	if (sink->complete != NULL)
		sink->complete(sink->ctx, out, stats);
	end(&s);
	return true;
}
