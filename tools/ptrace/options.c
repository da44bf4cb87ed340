/* SPDX-License-Identifier: MIT */
/*
 * The options of ptrace: one row each, and what it sets.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "common/program.h"
#include "ptrace/options.h"

const char ptrace_usage[] =
    "Usage: ptrace [OPTION]... PID\n"
    "       ptrace [OPTION]... --core CORE [EXE]\n"
    "       ptrace -b FILE.btt [--format=text|json]\n"
    "       ptrace --module-check FILE [--json]\n"
    "\n"
    "Turns a running process or the core file of a crashed program into a\n"
    "small, self-contained snapshot that tells what it does or why it died,\n"
    "and prints the snapshot's path.\n"
    "EXE is found from the core when it is left out.\n"
    "\n";

static bool
on_output(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	if (*value == '\0')
		return bt_fail(e, BT_E_USAGE, "--output needs a file name");
	o->output.path = value;
	return true;
}

static bool
on_prefix(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	if (*value == '\0')
		return bt_fail(e, BT_E_USAGE, "-O needs a path prefix");
	o->output.prefix = value;
	return true;
}

static bool
on_overwrite(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	(void)value;
	(void)e;
	o->output.overwrite = true;
	return true;
}

static bool
on_kv(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	return kv_add(&o->attributes, value, e);
}

static bool
on_application(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	(void)e;
	/* Scripts pass an unset variable: then the name is the program's. */
	o->core.session.application = *value != '\0' ? value : NULL;
	return true;
}

static bool
on_classifier(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	return *value == '\0' || option_list_add(&o->classifiers, value, e);
}

static bool
on_thread(void *ctx, const char *value, bt_error_t *e)
{
	enum { THREADS_MAX = 65536 };
	struct ptrace_options *o = ctx;
	uint32_t tid, *threads;

	if (core_option_tid("--thread", value, &tid, e) == false)
		return false;
	if (o->n_threads == THREADS_MAX)
		return bt_fail(e, BT_E_USAGE, "too many --thread options");
	threads = realloc(o->threads, (o->n_threads + 1) * sizeof(*threads));
	if (threads == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	o->threads = threads;
	threads[o->n_threads++] = tid;
	return true;
}

static bool
on_fault_thread(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	return core_option_tid(
	    "--fault-thread", value, &o->core.session.fault_thread, e);
}

static bool
on_faulted(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	(void)value;
	(void)e;
	o->core.session.faulted = true;
	return true;
}

static bool
on_global(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	return *value == '\0' || option_list_add(&o->globals, value, e);
}

static bool
on_resource(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	return *value == '\0' || option_list_add(&o->resources, value, e);
}

static bool
on_config(void *ctx, const char *value, bt_error_t *e)
{

	/* Read before all others: options_peek. */
	(void)ctx;
	return *value != '\0' ||
	    bt_fail(e, BT_E_USAGE, "--config needs a file");
}

static bool
on_level(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	return session_level_parse(value, &o->level) ||
	    bt_fail(e, BT_E_USAGE,
		"-L: '%s' is none of debug, info, warning, error", value);
}

static bool
on_print(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	if (*value == '\0')
		return bt_fail(e, BT_E_USAGE, "-b needs a snapshot file");
	o->print = value;
	return true;
}

static bool
on_format(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	o->json = strcmp(value, "json") == 0;
	return o->json || strcmp(value, "text") == 0 ||
	    bt_fail(e, BT_E_USAGE, "--format: '%s' is neither text nor json",
		value);
}

static bool
on_json(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	(void)value;
	(void)e;
	o->json = true;
	return true;
}

static bool
on_max_size(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;
	uint64_t size;

	if (text_size(value, &size) == false)
		return bt_fail(e, BT_E_USAGE,
		    "--max-size: '%s' is not a size such as 512k, 32M", value);
	if (size < SESSION_MIN_MAX_SIZE || size > UINT64_C(1) << 30)
		return bt_fail(e, BT_E_USAGE,
		    "--max-size: %s is not between 64k and 1G", value);
	o->core.session.max_size = size;
	return true;
}

/* Seconds, with up to three digits behind a point: 5, 0.25. */
static bool
parse_interval(const char *value, uint64_t *ns)
{
	enum { LONGEST = 7 * 24 * 60 * 60, DIGITS = 3 };
	const char *point = strchr(value, '.');
	size_t whole = point != NULL ? (size_t)(point - value) : strlen(value);
	uint64_t seconds, ms = 0;
	char text[16];

	if (whole >= sizeof(text) || (point != NULL && point[1] == '\0'))
		return false;
	memcpy(text, value, whole);
	text[whole] = '\0';
	if (text_u64(text, &seconds) == false || seconds > LONGEST)
		return false;
	for (int i = 0; point != NULL && i < DIGITS; i++) {
		if (point[1] != '\0' && (point[1] < '0' || point[1] > '9'))
			return false;
		ms = ms * 10 +
		    (point[1] != '\0' ? (uint64_t)(*++point - '0') : 0);
	}
	*ns = (seconds * 1000 + ms) * 1000000;
	return (point == NULL || point[1] == '\0') && *ns != 0;
}

static bool
on_watch(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	o->watches = true;
	return parse_interval(value, &o->watch.interval_ns) ||
	    bt_fail(e, BT_E_USAGE,
		"--watch: '%s' is not a number of seconds such as 10 or 0.5",
		value);
}

static bool
on_count(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	o->watches = true;
	return (text_u64(value, &o->watch.count) && o->watch.count != 0) ||
	    bt_fail(e, BT_E_USAGE, "--count: '%s' is not a number of snapshots",
		value);
}

/* Who knows from the kernel whose process it was (by its pidfd, not by what a
 * core says) may have it read with that user's rights. */
static bool
on_as_user(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;
	uint64_t uid;

	if (text_u64(value, &uid) == false || uid == 0 || uid >= UINT32_MAX)
		return bt_fail(e, BT_E_USAGE,
		    "--as-user: '%s' is not the number of a user other than "
		    "root",
		    value);
	if (geteuid() != 0)
		return bt_fail(
		    e, BT_E_USAGE, "--as-user: only root can become another");
	o->core.session.sandbox.uid = (uint32_t)uid;
	return true;
}

static bool
on_scrub(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	return *value == '\0' || option_list_add(&o->scrub, value, e);
}

static bool
on_no_scrub(void *ctx, const char *value, bt_error_t *e)
{
	struct ptrace_options *o = ctx;

	(void)value;
	(void)e;
	o->no_scrub = true;
	return true;
}

const struct option_row ptrace_rows[] = {
    {0, "core", "CORE", "core file to examine", core_option_core},
    {'o', "output", "FILE", "write the snapshot to exactly this file",
	on_output},
    {'O', NULL, "PREFIX", "write it to PREFIX.PID.TIME.btt", on_prefix},
    {0, "overwrite", NULL, "replace an existing output file", on_overwrite},
    {0, "kv", "KEY:VALUE,...", "add attributes (repeatable)", on_kv},
    {0, "application", "NAME", "name of the application", on_application},
    {0, "classifier", "NAME", "add a classifier (repeatable)", on_classifier},
    {0, "thread", "TID", "only this thread (repeatable)", on_thread},
    {0, "fault-thread", "TID", "this thread is the faulting one",
	on_fault_thread},
    {0, "faulted", NULL,
	"it is a fault, even if the core has no signal:\n"
	"the faulting thread comes first",
	on_faulted},
    {0, "load", "TEXT",
	"load debug information only of modules whose\n"
	"path contains TEXT (repeatable; empty: all)",
	core_option_load},
    {0, "global", "NAME", "include this global variable (repeatable)",
	on_global},
    {0, "resource", "PATH", "attach a file or directory (repeatable)",
	on_resource},
    {0, "stale-pointer", "[LEVELS]",
	"who refers to the memory at the fault, through\n"
	"so many levels of pointers (3)",
	module_option_stale},
    {0, "security", "[CHECK,...]",
	"look for traces of an attack: writable, text,\n"
	"slots, constructors, chains, stack (all)",
	module_option_security},
    {0, "module-load", "FILE",
	"load an analysis module, .so or .lua (repeatable)",
	module_option_load},
    {0, "modules-path", "DIR", "load all modules of a directory (repeatable)",
	module_option_path},
    {0, "module-path", "DIR", NULL, module_option_path},
    {0, "module", "ID:KEY,VALUE,...", "options of a module (repeatable)",
	module_option_module},
    {0, "module-timeout", "SECONDS", "time for each loaded module (5)",
	module_option_timeout},
    {0, "modules-timeout", "SECONDS", "time for all of them together (10)",
	module_option_total_timeout},
    {0, "sandbox-whitelist", "NAME,...",
	"libraries that Lua modules may use besides the\n"
	"safe ones: ffi, io, os, debug, package",
	module_option_whitelist},
    {0, "no-sandbox", NULL,
	"without the walls around the process that reads\n"
	"the core and runs modules (for debugging)",
	core_option_no_sandbox},
    {0, "as-user", "UID",
	"as root: the user that reads the core and runs\n"
	"modules (not 0)",
	on_as_user},
    {0, "scrub", "PATTERN",
	"leave out values of variables, arguments and\n"
	"environment whose name matches, too (repeatable)",
	on_scrub},
    {0, "no-scrub", NULL, "leave out nothing, not even passwords", on_no_scrub},
    {0, "pretty-print", NULL, NULL, core_option_pretty},
    {0, "no-pretty-print", NULL, "without the Lua modules that come with it",
	core_option_no_pretty},
    {0, "config", "FILE",
	"read options from a file of lines\n"
	"'long-option = value'",
	on_config},
    {0, "max-size", "SIZE", "most bytes of the snapshot (32M)", on_max_size},
    {0, "max-pause", "MS",
	"longest time for copying memory of a stopped\n"
	"process (250)",
	core_option_max_pause},
    {0, "fork", NULL,
	"make a frozen copy of the process, so that heaps\n"
	"and all of its memory can be looked at",
	core_option_fork},
    {0, "watch", "SECONDS",
	"take a snapshot of a process every so many seconds,\n"
	"until it ends",
	on_watch},
    {0, "count", "N", "only so many (with --watch, or every second)", on_count},
    {0, "timeout", "SECONDS", "time for everything (25)", core_option_timeout},
    {0, "sysroot", "DIR", "find modules and debug files below DIR",
	core_option_sysroot},
    {0, "debug-path", "DIR", "look for debug files in DIR first (repeatable)",
	core_option_debug_path},
    {0, "cache", "DIR",
	"keep inflated copies of debug files in DIR, and\n"
	"use those that are there",
	core_option_cache},
    {0, "cache-size", "SIZE", "most bytes of all copies together (4G)",
	core_option_cache_size},
    {0, "force", NULL, "use an executable that does not match the core",
	core_option_force},
    {0, "stats", NULL,
	"print time per stage and where debug information\n"
	"was looked for",
	core_option_stats},
    {'L', NULL, "LEVEL",
	"show messages from this level on: debug, info,\n"
	"warning, error",
	on_level},
    {'b', NULL, "FILE", "print a report of a snapshot", on_print},
    {0, "format", "text|json", "form of that report", on_format},
    {0, "json", NULL, "the same as --format=json", on_json},
    {0, "module-check", "FILE",
	"load a module without a process, list what it\n"
	"registers and what is wrong with it",
	module_option_check},
    {'h', "help", NULL, "show this text", core_option_help},
    {0, "version", NULL, "show the version", core_option_version},
    {0, NULL, NULL, NULL, NULL},
};

/* Several snapshots are of a process, and each has a name of its own. */
static bool
check_watch(const struct ptrace_options *o, bt_error_t *e)
{
	const struct core_options *c = &o->core;

	if (o->watches == false)
		return true;
	if (c->session.core_path != NULL || o->print != NULL ||
	    o->module.check != NULL)
		return bt_fail(e, BT_E_USAGE,
		    "--watch and --count are for a running process");
	if (o->output.path != NULL && o->output.overwrite == false)
		return bt_fail(e, BT_E_USAGE,
		    "--output names one file; for several use -O PREFIX, or "
		    "--overwrite to keep the last");
	return true;
}

static bool
check(struct ptrace_options *o, bt_error_t *e)
{
	struct core_options *c = &o->core;

	if (c->help || c->version)
		return true;
	if (check_watch(o, e) == false)
		return false;
	if (o->module.check != NULL) {
		if (o->print != NULL || c->session.core_path != NULL ||
		    c->n_operands != 0)
			return bt_fail(e, BT_E_USAGE,
			    "--module-check takes a module and nothing else");
		return true;
	}
	if (o->print != NULL) {
		if (c->session.core_path != NULL || c->n_operands != 0)
			return bt_fail(e, BT_E_USAGE,
			    "-b prints a snapshot and takes no core");
		return true;
	}
	if (o->output.path != NULL && o->output.prefix != NULL)
		return bt_fail(
		    e, BT_E_USAGE, "--output and -O exclude each other");
	if (c->session.core_path == NULL && c->n_operands != 0 &&
	    program_is_pid(c->operands[0]))
		return core_option_pid(c, e);
	if (c->session.core_path == NULL && c->n_operands != 0)
		return bt_fail(e, BT_E_USAGE,
		    "'%s' is not a process id; a core is given with --core, "
		    "a snapshot with -b",
		    c->operands[0]);
	if (c->session.core_path == NULL)
		return bt_fail(e, BT_E_USAGE,
		    "nothing given; use ptrace PID, ptrace --core CORE [EXE], "
		    "or --help");
	if (c->n_operands > 1)
		return bt_fail(
		    e, BT_E_USAGE, "too many operands: '%s'", c->operands[1]);
	return true;
}

bool
ptrace_options_parse(
    struct ptrace_options *o, int argc, char **argv, bt_error_t *e)
{
	struct options_table table = {ptrace_rows, core_option_operand, o};
	struct session_options *s = &o->core.session;
	const char *config = options_peek(&table, argc, argv, "config");

	o->level = SESSION_WARNING;
	o->watch.interval_ns = 1000000000;
	if (config != NULL && *config != '\0' &&
	    options_read_file(&table, config, e) == false)
		return false;
	if (options_parse(&table, argc, argv, e) == false ||
	    check(o, e) == false)
		return false;
	core_options_finish(&o->core);
	s->exe_path =
	    s->pid == 0 && o->core.n_operands != 0 ? o->core.operands[0] : NULL;
	s->attributes = o->attributes.items;
	s->n_attributes = o->attributes.count;
	s->classifiers = o->classifiers.items;
	s->globals = o->globals.items;
	s->resources = o->resources.items;
	s->scrub.on = o->no_scrub == false;
	s->scrub.none = o->no_scrub;
	s->scrub.patterns = o->scrub.items;
	s->threads = o->threads;
	s->n_threads = o->n_threads;
	module_settings_finish(&o->module, &o->core);
	s->defaults = getenv("BACKTRACE_DEFAULTS");
	s->variables = s->memory = s->modules = true;
	return true;
}
